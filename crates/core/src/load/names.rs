//! Names that must be unique or lead somewhere.

use std::collections::{HashMap, HashSet};

use super::action::steps;
use super::project::ReadProject;
use super::{Reader, ZapFile, only_with, webhooks};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::source::Span;
use crate::yaml::{Entry, Kind, MAX_FINDINGS, NodeId, Tree};

/// Checks the names of all files against each other.
pub(super) fn check(reader: &mut Reader, project: &ReadProject, zaps: &[ZapFile]) {
    let mut findings = duplicate_zaps(zaps);
    for zap in zaps {
        let Some(tree) = &zap.tree else { continue };
        let mut found = duplicate_actions(tree);
        // A project that cannot be read has no connections to miss.
        for (index, (file, variant)) in project.variants.iter().enumerate() {
            let missed = connections(variant, tree);
            let mut missed = if index == 0 { missed } else { only_with(*file, &found, missed) };
            found.append(&mut missed);
        }
        for finding in &mut found {
            finding.zap.clone_from(&zap.name);
        }
        findings.append(&mut found);
    }
    findings.append(&mut webhooks::check(zaps));
    let mut unheard = Vec::new();
    for (index, (file, variant)) in project.variants.iter().enumerate() {
        let found = webhooks::check_with(variant, zaps);
        let mut found = if index == 0 { found } else { only_with(*file, &unheard, found) };
        unheard.append(&mut found);
    }
    findings.append(&mut unheard);
    reader.findings.append(&mut findings);
    // Each overlay's reading finds the base file's again.
    for (_, variant) in &project.variants {
        reader.add(switches(variant, zaps));
    }
}

/// The text of a key at the root of a zap, and its node.
fn root_text<'a>(tree: &'a Tree, key: &str) -> Option<(&'a str, NodeId)> {
    let node = tree.get(tree.root(), key)?;
    Some((tree.text(node)?, node))
}

fn duplicate_zaps(zaps: &[ZapFile]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut names: HashMap<&str, Span> = HashMap::new();
    let trees = || zaps.iter().filter_map(|zap| zap.tree.as_ref());
    for tree in trees() {
        let Some((name, node)) = root_text(tree, "name") else { continue };
        match names.get(name) {
            Some(first) => findings.push(
                Diagnostic::new(&code::DUPLICATE_ZAP, format!("another zap is called `{name}`"))
                    .at(tree.span(node))
                    .related(*first, "it is here first")
                    .help("give one of the two another name")
                    .zap(name),
            ),
            None => {
                names.insert(name, tree.span(node));
            }
        }
    }
    let mut former: HashMap<&str, Span> = HashMap::new();
    for tree in trees() {
        let Some((name, node)) = root_text(tree, "formerly") else { continue };
        let taken = names.get(name).copied().or_else(|| former.insert(name, tree.span(node)));
        if let Some(other) = taken {
            findings.push(
                Diagnostic::new(&code::DUPLICATE_ZAP, format!("`{name}` was not only this zap's name"))
                    .at(tree.span(node))
                    .related(other, "it is used here too")
                    .help("the state of one zap can go to one zap only"),
            );
        }
    }
    findings
}

fn duplicate_actions(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut ids: HashMap<&str, Span> = HashMap::new();
    for (_, action) in steps(tree) {
        findings.extend(duplicate_id(tree, action, &mut ids));
    }
    findings
}

/// An id that another action has, which is among `ids`.
pub(super) fn duplicate_id<'a>(
    tree: &'a Tree,
    action: NodeId,
    ids: &mut HashMap<&'a str, Span>,
) -> Option<Diagnostic> {
    let node = tree.get(action, "id")?;
    let id = tree.text(node)?;
    let Some(first) = ids.get(id) else {
        ids.insert(id, tree.span(node));
        return None;
    };
    Some(
        Diagnostic::new(&code::DUPLICATE_ACTION, format!("another action has the id `{id}`"))
            .at(tree.span(node))
            .related(*first, "it is here first")
            .help("give one of the two another id"),
    )
}

/// The connections that a zap names, against those of the project.
fn connections(project: &Tree, zap: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let kind = |node: NodeId| zap.get(node, "type").and_then(|node| zap.text(node));
    if let Some(trigger) = zap.get(zap.root(), "trigger") {
        // Of a kind that does not exist, which has its own finding, at least the name must lead somewhere.
        if kind(trigger) != Some(WEBHOOK) {
            findings.extend(connection(project, zap, trigger, kind(trigger).and_then(wanted)));
        }
    }
    if let Some(entrance) = webhooks::entrance(zap) {
        findings.extend(connection(project, zap, entrance.node, Some(WEBHOOK)));
    }
    for (_, action) in steps(zap) {
        findings.extend(connection(project, zap, action, kind(action).and_then(wanted)));
    }
    findings
}

const KONNEKTIVE: &str = "konnektive";
pub(super) const HTTP: &str = "http";
const WEBHOOK: &str = "webhook";

/// The type of connection that a kind of trigger or action needs; a webhook's is looked at where requests arrive.
fn wanted(kind: &str) -> Option<&'static str> {
    match kind {
        HTTP => Some(HTTP),
        crm if crm.starts_with("konnektive.") => Some(KONNEKTIVE),
        _ => None,
    }
}

pub(super) fn connection(
    project: &Tree,
    zap: &Tree,
    from: NodeId,
    wanted: Option<&str>,
) -> Option<Diagnostic> {
    let node = zap.get(from, "connection")?;
    let name = zap.text(node)?;
    let connections = project.get(project.root(), "connections");
    // What is no map of connections has its finding, and may have meant any.
    if connections.is_some_and(|node| !matches!(project.node(node).kind, Kind::Map(_))) {
        return None;
    }
    let all = connections.map_or(&[][..], |node| project.entries(node));
    let kind = |node: NodeId| project.get(node, "type").and_then(|node| project.text(node));
    let fits = |entry: &&Entry| wanted.is_none() || kind(entry.value) == wanted;
    let fitting: Vec<&str> = all.iter().filter(fits).map(|entry| &*entry.key).collect();
    let of_type = wanted.map_or_else(String::new, |wanted| format!(" of type {wanted}"));
    let advice = match did_you_mean(name, fitting.iter().copied()) {
        Some(best) => format!("did you mean `{best}`?"),
        None if fitting.is_empty() => format!("add a connection{of_type} to zaprun.yaml"),
        None => format!("connections{of_type} are {}", quoted(&fitting)),
    };
    let Some(entry) = all.iter().find(|entry| &*entry.key == name) else {
        let message = format!("there is no connection `{name}`");
        return Some(Diagnostic::new(&code::UNKNOWN_CONNECTION, message).at(zap.span(node)).help(advice));
    };
    let wanted = wanted?;
    let found = kind(entry.value).filter(|found| *found != wanted)?;
    Some(
        Diagnostic::new(
            &code::WRONG_CONNECTION,
            format!("the connection `{name}` is of type {found}, not {wanted}"),
        )
        .at(zap.span(node))
        .related(entry.key_span, "it is declared here")
        .help(advice),
    )
}

/// The zaps that a project file switches, against those that exist.
fn switches(project: &Tree, zaps: &[ZapFile]) -> Vec<Diagnostic> {
    let names: HashSet<&str> = zaps.iter().filter_map(|zap| zap.name.as_deref()).collect();
    // A file that cannot be read may hold any zap.
    if zaps.iter().any(|zap| zap.name.is_none()) {
        return Vec::new();
    }
    let switched = project.get(project.root(), "zaps").map_or(&[][..], |node| project.entries(node));
    let unknown = switched.iter().filter(|entry| !names.contains(&*entry.key));
    unknown
        .take(MAX_FINDINGS)
        .map(|entry| {
            let help = match did_you_mean(&entry.key, names.iter().copied()) {
                Some(best) => format!("did you mean `{best}`?"),
                None => "remove the switch, or write the zap".to_owned(),
            };
            Diagnostic::new(&code::UNKNOWN_ZAP, format!("there is no zap `{}`", entry.key))
                .at(entry.key_span)
                .help(help)
        })
        .collect()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
