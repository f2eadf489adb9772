//! Where the program is watched: what the schema cannot say of it.

use std::net::SocketAddr;

use crate::diagnostic::{Diagnostic, code};
use crate::yaml::{NodeId, Tree};

/// What is wrong with `listen.admin`.
pub(super) fn check(tree: &Tree) -> Vec<Diagnostic> {
    let Some(listen) = tree.get(tree.root(), "listen") else { return Vec::new() };
    let Some(admin) = tree.get(listen, "admin") else { return Vec::new() };
    let place = tree.get(admin, "address").unwrap_or(admin);
    let address = |node: NodeId| tree.text(node).and_then(|text| text.parse::<SocketAddr>().ok());
    // What a variable will hold is not known here; the server itself refuses it then.
    let Some(at) = address(place) else { return Vec::new() };
    let mut findings = Vec::new();
    if !at.ip().is_loopback() && tree.entry(admin, "token").is_none() {
        let message = "anybody who reaches this address can see what the program does";
        let help =
            "add a token: admin: { address: …, token: \"${ZAPRUN_ADMIN_TOKEN}\" }, or listen on 127.0.0.1";
        findings.push(Diagnostic::new(&code::OPEN_ADMIN, message).at(tree.span(place)).help(help));
    }
    let webhooks = tree.get(listen, "webhooks").and_then(address);
    if at.port() != 0 && webhooks.is_some_and(|webhooks| meet(webhooks, at)) {
        let message = "this is where webhooks arrive";
        let help = "give it a port of its own: 127.0.0.1:9464";
        findings.push(Diagnostic::new(&code::ADMIN_ADDRESS, message).at(tree.span(place)).help(help));
    }
    findings
}

/// Whether two servers cannot both have their addresses: one of all addresses takes the port of each.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && (all || one.ip() == other.ip())
}
