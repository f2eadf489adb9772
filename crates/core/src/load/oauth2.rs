//! What no schema can say about `auth: { oauth2: … }`: which keys make a way to a token.

use super::project::is_address;
use crate::diagnostic::{Diagnostic, code};
use crate::yaml::{Kind, MAX_FINDINGS, NodeId, Style, Tree};

/// Findings of all connections.
pub(super) fn check(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let connections = tree.get(tree.root(), "connections").map_or(&[][..], |node| tree.entries(node));
    let described = connections.iter().filter_map(|one| tree.get(tree.get(one.value, "auth")?, "oauth2"));
    for oauth2 in described.filter(|node| matches!(tree.node(*node).kind, Kind::Map(_))) {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        findings.extend(keys(tree, oauth2));
        findings.extend(tree.get(oauth2, "token_url").and_then(|url| token_url(tree, url)));
        if let Some(token) = tree.get(oauth2, "refresh_token")
            && tree.get(tree.root(), "state_key").is_none()
        {
            let message =
                "the refresh tokens that come with new tokens cannot be kept: there is no `state_key`";
            let finding = Diagnostic::new(&code::NO_STATE_KEY, message).at(tree.span(token));
            findings.push(finding.help(
                "add `state_key: ${ZAPRUN_STATE_KEY}` to zaprun.yaml; `openssl rand -base64 32` makes one",
            ));
        }
    }
    findings
}

/// Whether the keys are those of one way, and all of them.
fn keys(tree: &Tree, oauth2: NodeId) -> Vec<Diagnostic> {
    let has = |key: &str| tree.entry(oauth2, key).is_some();
    let finding = |message: String, node: NodeId, help: &str| {
        Diagnostic::new(&code::OAUTH2_KEYS, message).at(tree.span(node)).help(help.to_owned())
    };
    let signed = tree.get(oauth2, "service_account");
    if let Some(account) = signed {
        return match has("refresh_token") {
            true => vec![finding(
                "a token is got by `refresh_token` or by `service_account`, not by both".to_owned(),
                account,
                "leave one of them out",
            )],
            false => Vec::new(),
        };
    }
    let needed: &[&str] = match has("refresh_token") {
        true => &["token_url", "client_id"],
        false => &["token_url", "client_id", "client_secret"],
    };
    let missing = needed.iter().filter(|key| !has(key));
    missing
        .map(|key| {
            let help = match *key {
                "client_secret" => {
                    "add `client_secret:`, or say how else: `refresh_token` or `service_account`"
                }
                "token_url" => "add `token_url:` with the address that gives tokens",
                _ => "add `client_id:` with the id that the provider gave the client",
            };
            finding(format!("`oauth2` has no `{key}`"), oauth2, help)
        })
        .collect()
}

/// Credentials go there: an address, and one that is reached by TLS unless it is on this machine.
fn token_url(tree: &Tree, node: NodeId) -> Option<Diagnostic> {
    let Kind::Text { value, style } = &tree.node(node).kind else { return None };
    let by_variable = *style == Style::Variable;
    if !is_address(value) {
        let finding = match by_variable {
            true => {
                Diagnostic::new(&code::VARIABLE_VALUE, "the variable in `token_url` does not hold an address")
            }
            false => Diagnostic::new(&code::BAD_URL, "`token_url` is not an address that requests can go to"),
        };
        return Some(
            finding.at(tree.span(node)).help("write an absolute address: https://auth.example.com/token"),
        );
    }
    if is_private_way(value) {
        return None;
    }
    let message = "`token_url` is not https, and credentials are sent there";
    Some(Diagnostic::new(&code::PLAIN_TOKEN_URL, message).at(tree.span(node)).help("write https://"))
}

/// Whether what is sent to an address is read by nobody on the way: it goes by TLS, or stays on this machine.
pub fn is_private_way(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}
