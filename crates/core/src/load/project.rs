//! `zaprun.yaml` and its overlays.

use std::collections::{HashMap, HashSet};

use super::mend::{self, Outcome};
use super::zap::too_short;
use super::{Input, LoadedProject, Read, Reader, overlay, secrets, start, with_traps};
use super::{admin, alerts, oauth2};
use crate::definition::{FORMATS, Project};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::filters;
use crate::header;
use crate::pointer;
use crate::schema::{self, Document};
use crate::source::FileId;
use crate::variables::{self, Lookup, Needed, Replaced};
use crate::yaml::{self, Kind, MAX_FINDINGS, NodeId, Style, Tree};

/// What reading the project file and its overlays gave.
pub(super) struct ReadProject {
    pub(super) project: Option<LoadedProject>,
    pub(super) mended: Option<LoadedProject>,
    pub(super) others: Vec<LoadedProject>,
    pub(super) needed: Vec<Needed>,
    /// Every variant as a tree: the base, and the base with each overlay, which is named. The first is the chosen one.
    pub(super) variants: Vec<(FileId, Tree)>,
}

/// Reads the project. The variant of the chosen environment becomes the project; the others are only checked.
pub(super) fn read(reader: &mut Reader, input: &Input, lookup: Option<&dyn Lookup>) -> ReadProject {
    let base = reader.read(&input.project);
    let overlays: Vec<(&str, Read)> =
        input.overlays.iter().map(|overlay| (overlay.env.as_str(), reader.read(&overlay.file))).collect();
    unknown_environment(reader, input, base.file);
    let file = base.file;
    let mut result = ReadProject {
        project: None,
        mended: None,
        others: Vec::new(),
        needed: Vec::new(),
        variants: Vec::new(),
    };
    let mut traps = base.traps;
    let Some(tree) = base.tree.filter(|tree| tree.node(tree.root()).kind != Kind::Null) else {
        empty(reader, file, &input.project.path);
        return result;
    };
    let mut variants = Vec::new();
    for (env, mut overlay) in overlays {
        traps.append(&mut overlay.traps);
        let Some(over) = overlay.tree else { continue };
        if over.node(over.root()).kind == Kind::Null {
            continue;
        }
        if !matches!(over.node(over.root()).kind, Kind::Map(_)) {
            let finding = Diagnostic::new(&code::WRONG_TYPE, "an overlay is a map of keys")
                .at(over.span(over.root()))
                .help("write only the keys of zaprun.yaml that differ");
            reader.add(vec![finding]);
            continue;
        }
        variants.push((Some(env), overlay.file, overlay::merged(&tree, &over)));
    }
    variants.push((None, file, tree));
    let chosen = input.env.as_deref();
    // The chosen variant comes first; the base alone is no project where an environment is chosen.
    let known = variants.iter().any(|(env, ..)| *env == chosen);
    let chosen = if known { chosen } else { None };
    variants.sort_by_key(|(env, ..)| *env != chosen);
    if chosen.is_some() {
        variants.retain(|(env, ..)| env.is_some());
    }
    let mut structure = Vec::new();
    let mut known_references = HashSet::new();
    for (index, (_, from, tree)) in variants.into_iter().enumerate() {
        let lookup = lookup.filter(|_| index == 0);
        let Variant { tree, definition, whole, replaced, mut findings } = variant(tree, lookup);
        structure.append(&mut findings);
        for needed in replaced.needed {
            if known_references.insert(needed.reference.clone()) {
                result.needed.push(needed);
            }
        }
        let laid = |file| definition.map(|definition| LoadedProject { definition, tree: tree.clone(), file });
        match index {
            0 if whole => result.project = laid(file),
            0 => result.mended = laid(file),
            _ => result.others.extend(laid(from)),
        }
        result.variants.push((from, tree));
    }
    with_traps(&mut structure, traps);
    reader.add(structure);
    result
}

fn empty(reader: &mut Reader, file: FileId, path: &str) {
    if reader.is_broken(file) {
        return;
    }
    reader.add(vec![
        Diagnostic::new(&code::EMPTY_FILE, format!("{path} is empty"))
            .at(start(file))
            .help("write `version: 1` and the connections; `zaprun init` writes a first project"),
    ]);
}

fn unknown_environment(reader: &mut Reader, input: &Input, file: FileId) {
    let Some(env) = input.env.as_deref() else { return };
    let known: Vec<&str> = input.overlays.iter().map(|overlay| overlay.env.as_str()).collect();
    if known.contains(&env) {
        return;
    }
    let help = match did_you_mean(env, known.iter().copied()) {
        Some(best) => format!("did you mean `{best}`?"),
        None if known.is_empty() => format!("write zaprun.{env}.yaml, or choose no environment"),
        None => format!("the project has {}", known.join(", ")),
    };
    let message = format!("there is no overlay for the environment `{env}`");
    reader.add(vec![Diagnostic::new(&code::UNKNOWN_ENV, message).at(start(file)).help(help)]);
}

/// A project file, alone or with an overlay.
struct Variant {
    tree: Tree,
    definition: Option<Project>,
    /// Whether the definition says all that was written.
    whole: bool,
    replaced: Replaced,
    findings: Vec<Diagnostic>,
}

fn variant(mut tree: Tree, lookup: Option<&dyn Lookup>) -> Variant {
    let mut replaced = variables::replace(&mut tree, lookup);
    let mut findings = std::mem::take(&mut replaced.diagnostics);
    let mut structure = schema::check(Document::Project, &tree);
    let (definition, whole) = match mend::read::<Project>(&tree, &mut structure, |_, _| {}) {
        Outcome::Good(project) => (Some(project), true),
        // What is asked of it, its variables and connections, stands in the tree as it did.
        Outcome::Mended(mended) => (Some(mended.definition), false),
        Outcome::Lost => (None, false),
    };
    secrets::no_default(&tree, &mut findings);
    findings.append(&mut structure);
    findings.extend(checks(&tree));
    findings.extend(admin::check(&tree));
    findings.extend(alerts::check(&tree));
    findings.extend(oauth2::check(&tree));
    findings.extend(secrets::in_project(&tree, &replaced));
    pointer::fill(&tree, &mut findings);
    Variant { tree, definition, whole, replaced, findings }
}

/// The finding for a value that fits its schema and still cannot be read.
pub(crate) fn unread(tree: &Tree, error: &yaml::DeError) -> Diagnostic {
    let node = error.node.unwrap_or(tree.root());
    let code = match tree.node(node).kind {
        Kind::Text { style: Style::Variable, .. } => &code::VARIABLE_VALUE,
        Kind::Text { .. } => &code::BAD_FORMAT,
        _ => &code::WRONG_TYPE,
    };
    let form = tree.text(node).and_then(|text| {
        FORMATS.iter().find(|format| (format.check)(text).is_some_and(|problem| problem == error.message))
    });
    let help = form.map(|format| format.help.to_owned());
    Diagnostic::new(code, error.message.clone()).maybe_help(help).at(tree.span(node))
}

/// What no schema can say about connections.
fn checks(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut zones = HashMap::new();
    if let Some(history) = tree.get(tree.root(), "history") {
        findings.extend(too_short(tree, history, "history", std::time::Duration::from_secs(3_600)));
    }
    for connection in tree.get(tree.root(), "connections").map_or(&[][..], |node| tree.entries(node)) {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        if let Some(zone) = tree.get(connection.value, "timezone") {
            findings.extend(time_zone(tree, zone, &mut zones));
        }
        if let Some(currency) = tree.get(connection.value, "currency") {
            findings.extend(no_currency(tree, currency));
        }
        if let Some(timeout) = tree.get(connection.value, "timeout") {
            findings.extend(too_short(tree, timeout, "timeout", std::time::Duration::from_secs(1)));
        }
        if let Some(url) = tree.get(connection.value, "base_url") {
            let crm =
                tree.get(connection.value, "type").and_then(|kind| tree.text(kind)) == Some("konnektive");
            findings.extend(address(tree, url, crm));
        }
        findings.extend(header_names(tree, connection.value));
    }
    findings
}

/// Names of headers that a connection cannot send. What a variable holds is not shown, so it is not looked at.
fn header_names(tree: &Tree, connection: NodeId) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for entry in tree.get(connection, "headers").map_or(&[][..], |headers| tree.entries(headers)) {
        findings.extend(header::problem(&entry.key).map(|finding| finding.at(entry.key_span)));
    }
    let auth = tree.get(connection, "auth").and_then(|auth| tree.get(auth, "header"));
    let verify = tree.get(connection, "verify");
    let carried =
        |by: &str| verify.and_then(|verify| tree.get(verify, by)).and_then(|by| tree.get(by, "header"));
    let named = [
        auth.and_then(|header| tree.get(header, "name")),
        tree.get(connection, "idempotency_header"),
        carried("hmac"),
        carried("token"),
    ];
    for node in named.into_iter().flatten() {
        let Kind::Text { value, style } = &tree.node(node).kind else { continue };
        if *style != Style::Variable {
            findings.extend(header::problem(value).map(|finding| finding.at(tree.span(node))));
        }
    }
    findings
}

/// A time zone that does not exist.
pub(super) fn time_zone(tree: &Tree, node: NodeId, known: &mut HashMap<String, bool>) -> Option<Diagnostic> {
    let Kind::Text { value, style } = &tree.node(node).kind else { return None };
    let exists = *known.entry(value.to_string()).or_insert_with(|| jiff::tz::db().get(value).is_ok());
    if exists {
        return None;
    }
    if *style == Style::Variable {
        let message = "the variable in `timezone` does not hold a time zone";
        return Some(Diagnostic::new(&code::VARIABLE_VALUE, message).at(tree.span(node)));
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let help = match did_you_mean(value, names.iter().map(String::as_str)) {
        Some(best) => format!("did you mean `{best}`?"),
        None => "write an IANA name such as America/New_York".to_owned(),
    };
    Some(
        Diagnostic::new(&code::UNKNOWN_ZONE, format!("there is no time zone `{value}`"))
            .at(tree.span(node))
            .help(help),
    )
}

/// Three letters that are no currency; what has another form has its finding.
fn no_currency(tree: &Tree, node: NodeId) -> Option<Diagnostic> {
    let Kind::Text { value, style } = &tree.node(node).kind else { return None };
    let letters = value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_uppercase());
    if !letters || filters::is_currency(value) {
        return None;
    }
    let finding = match style {
        Style::Variable => {
            Diagnostic::new(&code::VARIABLE_VALUE, "the variable in `currency` does not hold a currency")
        }
        _ => Diagnostic::new(&code::BAD_FORMAT, format!("there is no currency `{value}`")),
    };
    Some(finding.at(tree.span(node)).help("write its ISO 4217 code: USD"))
}

fn address(tree: &Tree, node: NodeId, crm: bool) -> Option<Diagnostic> {
    let Kind::Text { value, style } = &tree.node(node).kind else { return None };
    if is_address(value) {
        // Written out it is a secret in plain, which has its finding.
        let login =
            url::Url::parse(value).is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
        let help = match crm {
            true => "take them out of it: `login_id` and `password` are keys of their own",
            false => "take them out of it, and write auth: { basic: { username: …, password: \"${NAME}\" } }",
        };
        return (login && *style == Style::Variable).then(|| {
            let message = "the variable in `base_url` holds a user name or password";
            Diagnostic::new(&code::VARIABLE_VALUE, message).at(tree.span(node)).help(help)
        });
    }
    let finding = match style {
        Style::Variable => {
            Diagnostic::new(&code::VARIABLE_VALUE, "the variable in `base_url` does not hold an address")
        }
        _ => Diagnostic::new(&code::BAD_URL, "`base_url` is not an address that requests can go to"),
    };
    Some(finding.at(tree.span(node)).help("write an absolute address: https://api.example.com"))
}

/// Whether a text is an absolute http or https address with a host.
pub(crate) fn is_address(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "https") && url.has_host() && !text.contains(char::is_whitespace)
}
