//! What the keys of an action say together.

use super::project::is_address;
use crate::card;
use crate::diagnostic::{Diagnostic, code};
use crate::yaml::{Entry, Kind, MAX_FINDINGS, NodeId, Tree};

/// How many actions are looked at; a zap with more has a finding for it.
pub(super) const MANY: usize = 200;

/// The lists of steps of a zap.
pub(super) const LISTS: [&str; 2] = ["actions", "on_failure"];

/// The steps of a zap, those of every list, each with the key of its list.
pub(super) fn steps(tree: &Tree) -> impl Iterator<Item = (&'static str, NodeId)> {
    LISTS.into_iter().flat_map(move |key| {
        let items = tree.get(tree.root(), key).map_or(&[][..], |list| tree.items(list));
        items.iter().take(MANY).map(move |step| (key, *step))
    })
}

/// The checks over all steps of a zap.
pub(super) fn check(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (list, action) in steps(tree) {
        let http = tree.get(action, "type").and_then(|node| tree.text(node)) == Some("http");
        if http {
            target(tree, action, "action", &mut findings);
            body(tree, action, "POST", &mut findings);
            card_data(tree, action, &mut findings);
        }
        without(tree, action, "as", "each", &mut findings);
        if list == "on_failure" {
            endings(tree, action, &mut findings);
        }
    }
    findings
}

/// A run that is given up ends dead, whatever its last steps say.
fn endings(tree: &Tree, action: NodeId, findings: &mut Vec<Diagnostic>) {
    for entry in ["unless", "stop_if"].iter().filter_map(|key| tree.entry(action, key)) {
        let message = format!("`{}` says nothing in `on_failure`: the run ends dead", entry.key);
        findings.push(
            Diagnostic::new(&code::NO_EFFECT, message)
                .at(entry.key_span)
                .help("write `when:` to skip the step"),
        );
    }
}

/// Card data that an author wrote out.
fn card_data(tree: &Tree, action: NodeId, findings: &mut Vec<Diagnostic>) {
    for key in ["query", "headers", "json", "form", "text"] {
        let Some(entry) = tree.entry(action, key) else { continue };
        tree.walk(entry.value, &mut |node, pointer| {
            let (Kind::Text { value: text, .. } | Kind::Number(text)) = &tree.node(node).kind else { return };
            let name = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or("");
            if let Some(what) = card::in_field(name, text).filter(|_| findings.len() < MAX_FINDINGS) {
                let message = format!("this is {what}, which does not pass through zaprun");
                findings.push(
                    Diagnostic::new(&code::CARD_DATA, message)
                        .at(tree.span(node))
                        .help("leave it out: the last four digits tell which card it was"),
                );
            }
        });
    }
}

/// Where a request goes: `whose` it is, an action's or a trigger's.
pub(super) fn target(tree: &Tree, action: NodeId, whose: &str, findings: &mut Vec<Diagnostic>) {
    let url = tree.entry(action, "url");
    let connection = tree.entry(action, "connection");
    match (url, connection) {
        (Some(url), Some(connection)) => findings.push(
            exclusive(url, connection)
                .help("keep the connection, and write what follows its address as `path:`"),
        ),
        (None, None) => {
            let place =
                tree.entry(action, "id").or(tree.entry(action, "type")).or(tree.entries(action).first());
            let span = place.map_or(tree.span(action), |entry| entry.key_span);
            findings.push(
                Diagnostic::new(
                    &code::MISSING_KEY,
                    format!("the {whose} has neither `connection` nor `url`"),
                )
                .at(span)
                .help("add `connection:` with the name of an http connection, or `url:`"),
            );
        }
        _ => {}
    }
    if connection.is_none()
        && let Some(path) = tree.entry(action, "path")
    {
        findings.push(
            Diagnostic::new(
                &code::NO_EFFECT,
                "`path` follows the address of a connection, and there is none",
            )
            .at(path.key_span)
            .help("write the whole address in `url:`"),
        );
    }
    let Some((url, text)) = url.and_then(|url| Some((url, tree.text(url.value)?))) else { return };
    let jsonpath = text.starts_with("$.") || text.starts_with("$[");
    if !text.contains("{{") && !text.contains("{%") && !is_address(text) {
        let (message, help) = if jsonpath {
            (
                "`url` is a template, and a JSONPath is not one",
                "write https:// and the host out, and `{{ record.x }}` for a field of the record",
            )
        } else {
            (
                "`url` is not an address that requests can go to",
                "write an absolute address: https://api.example.com/entries",
            )
        };
        findings.push(Diagnostic::new(&code::BAD_URL, message).at(tree.span(url.value)).help(help));
    }
}

/// The body of a request, which has the method `standard` unless another one is written.
pub(super) fn body(tree: &Tree, action: NodeId, standard: &str, findings: &mut Vec<Diagnostic>) {
    let bodies: Vec<&Entry> =
        ["json", "form", "text"].iter().filter_map(|key| tree.entry(action, key)).collect();
    if let [first, second, ..] = bodies.as_slice() {
        findings
            .push(exclusive(second, first).help("a request has one body: keep one of json, form and text"));
    }
    // `form` and `text` take no null, and say so by their schema.
    let empty = tree.entry(action, "json").filter(|json| tree.node(json.value).kind == Kind::Null);
    if let Some(json) = empty {
        findings.push(
            Diagnostic::new(&code::EMPTY_VALUE, "`json` is empty").at(json.key_span).help(
                "write the body after the `:`, `{}` for an empty object; without a body remove the key",
            ),
        );
    }
    let method = tree.get(action, "method").and_then(|node| tree.text(node)).unwrap_or(standard);
    if let ("GET", Some(body)) = (method, bodies.first()) {
        findings.push(
            Diagnostic::new(&code::BODY_WITH_GET, format!("`{}` gives a GET a body", body.key))
                .at(body.key_span)
                .help("write `query:`, or another method"),
        );
    }
}

fn exclusive(second: &Entry, first: &Entry) -> Diagnostic {
    Diagnostic::new(&code::EXCLUSIVE_KEYS, format!("`{}` and `{}` exclude each other", first.key, second.key))
        .at(second.key_span)
        .related(first.key_span, format!("`{}` is here", first.key))
}

fn without(tree: &Tree, action: NodeId, key: &str, other: &str, findings: &mut Vec<Diagnostic>) {
    if let (Some(entry), None) = (tree.entry(action, key), tree.entry(action, other)) {
        findings.push(
            Diagnostic::new(&code::NO_EFFECT, format!("`{key}` says nothing without `{other}`"))
                .at(entry.key_span)
                .help(format!("add `{other}:`, or remove `{key}:`")),
        );
    }
}
