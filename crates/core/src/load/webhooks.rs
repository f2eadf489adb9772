//! Where requests arrive: what zaps and the project say of it together.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::ZapFile;
use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;
use crate::yaml::{Kind, NodeId, Tree};

/// A place at which requests arrive for a zap.
pub(super) struct Entrance<'a> {
    tree: &'a Tree,
    zap: Option<&'a str>,
    /// The map that holds its keys.
    pub(super) node: NodeId,
    /// Whether it stands beside a poll.
    also: bool,
}

/// That of a zap, where it has one: its trigger, or what stands beside the trigger as `also`.
pub(super) fn entrance(tree: &Tree) -> Option<Entrance<'_>> {
    let trigger = tree.get(tree.root(), "trigger")?;
    let webhook = tree.get(trigger, "type").and_then(|node| tree.text(node)) == Some("webhook");
    let node = if webhook { trigger } else { tree.get(trigger, "also")? };
    matches!(tree.node(node).kind, Kind::Map(_)).then_some(Entrance { tree, zap: None, node, also: !webhook })
}

/// What is wrong with the entrances of all zaps, whatever the project.
pub(super) fn check(zaps: &[ZapFile]) -> Vec<Diagnostic> {
    let all = entrances(zaps);
    let mut findings: Vec<Diagnostic> = all.iter().filter_map(Entrance::without_key).collect();
    let mut first: HashMap<&str, (&str, Span)> = HashMap::new();
    for entrance in &all {
        let (Some((path, place)), Some((connection, _))) =
            (entrance.text("path"), entrance.text("connection"))
        else {
            continue;
        };
        let (known, at) = *first.entry(path).or_insert((connection, place));
        if known != connection {
            let message = format!("`{path}` belongs to the connection `{known}` in another zap");
            let finding =
                Diagnostic::new(&code::SHARED_PATH, message).at(place).related(at, "it is here first");
            findings.push(entrance.of(finding.help("give it a path of its own, or the same connection")));
        }
    }
    findings
}

/// What is wrong with the entrances of all zaps in a project.
pub(super) fn check_with(project: &Tree, zaps: &[ZapFile]) -> Vec<Diagnostic> {
    let listen = project.get(project.root(), "listen");
    let listener = listen.and_then(|listen| project.get(listen, "webhooks"));
    // What is no map has its finding, and may have meant any address.
    if listen.is_some_and(|listen| !matches!(project.node(listen).kind, Kind::Map(_))) {
        return Vec::new();
    }
    let all = entrances(zaps);
    let Some(listener) = listener else {
        return all.iter().filter_map(|entrance| Some(entrance.of(unheard(entrance)?))).collect();
    };
    if is_private(project, listener) {
        return Vec::new();
    }
    let used: HashSet<&str> =
        all.iter().filter_map(|entrance| Some(entrance.text("connection")?.0)).collect();
    open(project, &used)
}

fn entrances(zaps: &[ZapFile]) -> Vec<Entrance<'_>> {
    zaps.iter()
        .filter_map(|zap| Some(Entrance { zap: zap.name.as_deref(), ..entrance(zap.tree.as_ref()?)? }))
        .collect()
}

impl Entrance<'_> {
    fn text(&self, key: &str) -> Option<(&str, Span)> {
        let node = self.tree.get(self.node, key)?;
        Some((self.tree.text(node)?, self.tree.span(node)))
    }

    fn of(&self, finding: Diagnostic) -> Diagnostic {
        match self.zap {
            Some(name) => finding.zap(name),
            None => finding,
        }
    }

    fn without_key(&self) -> Option<Diagnostic> {
        let has = |key: &str| self.tree.entry(self.node, key).is_some();
        if has("key") || has("preset") {
            return None;
        }
        let place = self.tree.entry(self.node, "path").or(self.tree.entries(self.node).first());
        let span = place.map_or(self.tree.span(self.node), |entry| entry.key_span);
        let (message, help) = match self.also {
            false => (
                "the webhook has no `key`, so a request that comes again cannot be told from a new one",
                "add `key: \"{{ record.id }}\"` with what the sender keeps when it tries again, or `preset:`",
            ),
            true => (
                "`also` has no `key`, so nobody knows of which row a request tells",
                "add `key: \"{{ record.orderId }}\"` with the row's id in the CRM, or `preset: konnektive`",
            ),
        };
        Some(self.of(Diagnostic::new(&code::MISSING_KEY, message).at(span).help(help)))
    }
}

fn unheard(entrance: &Entrance<'_>) -> Option<Diagnostic> {
    let (path, span) = entrance.text("path")?;
    let message = format!("nothing listens for `{path}`: the project has no `listen.webhooks`");
    let help = "add `listen: { webhooks: 127.0.0.1:8080 }` to zaprun.yaml";
    Some(Diagnostic::new(&code::NO_LISTENER, message).at(span).help(help))
}

/// Whether nobody but programs of the same machine can call: a proxy there would let others in.
fn is_private(project: &Tree, listener: NodeId) -> bool {
    let listen = project.get(project.root(), "listen");
    let proxies = listen.and_then(|listen| project.get(listen, "trusted_proxies"));
    let proxied = proxies.is_some_and(|proxies| !project.items(proxies).is_empty());
    let address = project.text(listener).and_then(|text| text.parse::<SocketAddr>().ok());
    // What a variable will hold is not known here.
    !proxied && address.is_none_or(|address| address.ip().is_loopback())
}

/// The connections in use whose callers prove nothing.
fn open(project: &Tree, used: &HashSet<&str>) -> Vec<Diagnostic> {
    let connections = project.get(project.root(), "connections");
    let mut findings = Vec::new();
    for entry in connections.map_or(&[][..], |connections| project.entries(connections)) {
        let Some(verify) = project.get(entry.value, "verify") else { continue };
        if used.contains(&*entry.key) && project.text(verify) == Some("none") {
            let message = format!("anybody can call the webhooks of `{}`", entry.key);
            let help = "let the caller prove who it is: hmac, token or basic";
            findings.push(Diagnostic::new(&code::OPEN_WEBHOOK, message).at(project.span(verify)).help(help));
        }
    }
    findings
}
