//! Where data goes that not everybody may see.

use crate::definition::HttpAction;
use crate::diagnostic::{Code, Diagnostic, code};
use crate::mapping::{Compiler, Flow};
use crate::record::Class;
use crate::source::Span;
use crate::zap::project::ProjectFacts;

/// Names of fields that a finding shows.
const SHOWN: usize = 4;

/// What flows into a request.
pub(super) struct Flows {
    /// Into its path and query.
    pub(super) address: Vec<Flow>,
    /// Into its headers and body.
    pub(super) content: Vec<Flow>,
}

/// Checks what an http action sends against what it and its connection allow.
pub(super) fn check(compiler: &mut Compiler<'_>, http: &HttpAction, project: &ProjectFacts, flows: &Flows) {
    let allowed = |class| http.allow.as_ref().is_some_and(|allow| allow.value.contains(class));
    let connection = http.connection.as_ref().map(|name| name.value.as_str());
    let received = connection.and_then(|name| project.may_receive(name));
    if connection.is_some() && received.is_none() {
        // One that is not there has its finding.
        return;
    }
    let receives = |class| received.is_some_and(|may| may.contains(class));
    let all = || flows.address.iter().chain(&flows.content);

    for (class, word) in [(Class::Secret, "secret"), (Class::Card, "card")] {
        if allowed(class) || receives(class) {
            continue;
        }
        let message = |names: &str| match class {
            Class::Secret => format!("what never leaves the CRM would be sent: {names}"),
            _ => format!("data of a card would be sent: {names}"),
        };
        let help = format!("leave it out, or allow it with one line at the action: `allow: [{word}]`");
        report(compiler, &code::SENSITIVE_SENT, class, all(), message, &help);
    }
    if allowed(Class::Personal) {
        return;
    }
    report(
        compiler,
        &code::PERSONAL_IN_URL,
        Class::Personal,
        flows.address.iter(),
        |names| format!("personal data in the address, which logs keep: {names}"),
        "send it in the body, or allow it with one line at the action: `allow: [personal]`",
    );
    if receives(Class::Personal) {
        return;
    }
    let (to, help) = match connection {
        Some(name) => (
            format!("`{name}` is not marked to receive personal data"),
            format!(
                "write `may_receive: personal` at the connection `{name}`, or `allow: [personal]` at the action"
            ),
        ),
        None => (
            "personal data goes to an address of no connection".to_owned(),
            "use a connection with `may_receive: personal`, or write `allow: [personal]` at the action"
                .to_owned(),
        ),
    };
    let message = |names: &str| format!("{to}: {names}");
    report(compiler, &code::PERSONAL_SENT, Class::Personal, flows.content.iter(), message, &help);
}

/// One finding for a class, at the first value that holds some.
fn report<'f>(
    compiler: &mut Compiler<'_>,
    code: &'static Code,
    class: Class,
    flows: impl Iterator<Item = &'f Flow>,
    message: impl Fn(&str) -> String,
    help: &str,
) {
    let mut at: Option<Span> = None;
    let mut names: Vec<&str> = Vec::new();
    for flow in flows {
        let before = names.len();
        for name in flow.carried.of(class) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > before && at.is_none() {
            at = Some(flow.at);
        }
    }
    let Some(at) = at else { return };
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    compiler.report(Diagnostic::new(code, message(&format!("{shown}{more}"))).at(at).help(help));
}
