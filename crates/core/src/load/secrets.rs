//! Secrets that stand in plain in a file of the project.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostic::{Diagnostic, code};
use crate::source::{SourceMap, Span};
use crate::variables::{Part, Replaced};
use crate::yaml::{Kind, MAX_FINDINGS, NodeId, Style, Tree};

/// Forms that well-known services give their secrets.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"\b[sr]k_(live|test)_[0-9A-Za-z]{16,}",
        r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
        r"\bgh[opsru]_[0-9A-Za-z]{30,}",
        r"\bgithub_pat_[0-9A-Za-z_]{30,}",
        r"\bAKIA[0-9A-Z]{16}\b",
        r"\bAIza[0-9A-Za-z_-]{35}",
        r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",
        r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.",
        r"hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]+",
        r"discord(app)?\.com/api/webhooks/[0-9]+/[0-9A-Za-z_-]{20,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    ];
    #[expect(clippy::expect_used, reason = "the expression is fixed; a test uses it")]
    Regex::new(&shapes.join("|")).expect("a fixed expression")
});

/// Findings of `zaprun.yaml` after its variables were replaced.
pub(super) fn in_project(tree: &Tree, replaced: &Replaced) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    tree.walk(tree.root(), &mut |node, pointer| {
        if findings.len() >= MAX_FINDINGS {
            return;
        }
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        let secret_field = is_secret_field(&path);
        let finding = match (&tree.node(node).kind, replaced.written.get(&node)) {
            (Kind::Text { style: Style::Variable, .. } | Kind::Hole(_), Some(parts)) => {
                if secret_field {
                    default_in_plain(tree, node, parts)
                } else {
                    None
                }
            }
            // Not a variable that is written wrongly, but a secret that holds a dollar.
            (Kind::Hole(value), None) if secret_field && !value.starts_with("${") => {
                Some(plain(tree, node, "a secret is written in plain"))
            }
            (Kind::Text { value, .. }, _) if secret_field && !value.is_empty() => {
                let key = path.iter().rev().find(|part| part.parse::<usize>().is_err()).unwrap_or(&"");
                Some(plain(tree, node, &format!("`{key}` is written in plain")))
            }
            (Kind::Text { value, .. }, _) => by_shape(tree, node, value),
            (Kind::Number(_), _) if secret_field && path.first() == Some(&"connections") => {
                Some(plain(tree, node, "a secret is written in plain"))
            }
            _ => None,
        };
        findings.extend(finding.map(|finding| finding.help(PROJECT_HELP)));
    });
    findings
}

/// A key that names a secret, and what is written behind it.
static KEYED: LazyLock<Regex> = LazyLock::new(|| {
    let names = "password|passwd|secret|token|bearer|authorization|(?:api|access|auth|private)[_-]?key";
    #[expect(clippy::expect_used, reason = "the expression is fixed; a test uses it")]
    Regex::new(&format!(r#"(?i)(?:{names})["']?\s*:\s*(\S.*)$"#)).expect("a fixed expression")
});

/// Where in a line a secret may stand in plain, by its key alone: for lines that are shown of files which could not be
/// read, or read as something else.
pub fn secret_in_line(line: &str) -> Option<Range<usize>> {
    let written = KEYED.captures(line)?.get(1)?;
    let text = written.as_str();
    if !text.trim_start_matches(['"', '\'']).starts_with('$') {
        return (!text.contains("{{")).then(|| written.range());
    }
    let default = text.find(":-").map(|at| written.start() + at + 2)?;
    (default < written.end()).then(|| default..written.end())
}

const PROJECT_HELP: &str = "take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}";
const ZAP_HELP: &str = "let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address";

/// Takes secrets that stand in plain out of the words of all findings about them, which go into logs.
pub(super) fn mask(sources: &SourceMap, findings: &mut [Diagnostic]) {
    let secrets: Vec<(Span, String)> = findings
        .iter()
        .filter(|finding| finding.code == &code::PLAIN_SECRET)
        .filter_map(|finding| finding.span)
        .map(|span| (span, sources.slice(span).trim_matches(['"', '\'']).to_owned()))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    // Its own words never repeat it.
    for finding in findings.iter_mut().filter(|finding| finding.code != &code::PLAIN_SECRET) {
        let Some(at) = finding.span else { continue };
        let beside = |(span, _): &&(Span, String)| {
            span.file == at.file && span.start < at.end.max(at.start + 1) && at.start < span.end
        };
        for (_, secret) in secrets.iter().filter(beside) {
            if finding.code == &code::VARIABLE_SYNTAX {
                // It quotes parts of the text.
                finding.message = "a `$` that begins no variable".to_owned();
                finding.help = Some("write ${NAME} for a variable, or $$ for a dollar".to_owned());
            }
            finding.message = finding.message.replace(secret, "***");
            finding.help = finding.help.take().map(|help| help.replace(secret, "***"));
        }
    }
}

/// A secret that is not set cannot have a default: that would be the secret in plain.
pub(super) fn no_default(tree: &Tree, findings: &mut [Diagnostic]) {
    if !findings.iter().any(|finding| finding.code == &code::VARIABLE_UNSET) {
        return;
    }
    tree.walk(tree.root(), &mut |node, pointer| {
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        let at = tree.span(node);
        if !matches!(tree.node(node).kind, Kind::Hole(_)) || !is_secret_field(&path) {
            return;
        }
        let within = |finding: &&mut Diagnostic| {
            finding.code == &code::VARIABLE_UNSET
                && finding
                    .span
                    .is_some_and(|span| span.file == at.file && at.start <= span.start && span.end <= at.end)
        };
        for finding in findings.iter_mut().filter(within) {
            finding.help =
                Some("set it where the program runs, or read a file: ${file:/run/secrets/name}".to_owned());
        }
    });
}

/// Findings of a zap.
pub(crate) fn in_zap(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    tree.walk(tree.root(), &mut |node, pointer| {
        let Kind::Text { value, .. } = &tree.node(node).kind else { return };
        if findings.len() >= MAX_FINDINGS {
            return;
        }
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        let literal = !value.contains("{{") && !value.starts_with('$') && !value.is_empty();
        let named = match path.as_slice() {
            ["actions" | "on_failure", _, "headers" | "query", name] => is_secret_name(name),
            _ => false,
        };
        let finding = match named && literal {
            true => {
                Some(plain(tree, node, "a header or parameter of this name carries a secret, here in plain"))
            }
            false => by_shape(tree, node, value),
        };
        findings.extend(finding.map(|finding| finding.help(ZAP_HELP)));
    });
    findings
}

/// Never repeats the secret.
fn plain(tree: &Tree, node: NodeId, message: &str) -> Diagnostic {
    Diagnostic::new(&code::PLAIN_SECRET, message).at(tree.span(node))
}

/// A default behind `:-` is as plain as the value itself.
fn default_in_plain(tree: &Tree, node: NodeId, parts: &[Part]) -> Option<Diagnostic> {
    let plain_default =
        |part: &Part| matches!(part, Part::Reference { default: Some(text), .. } if !text.is_empty());
    parts.iter().any(plain_default).then(|| plain(tree, node, "the default of a secret is written in plain"))
}

fn by_shape(tree: &Tree, node: NodeId, value: &str) -> Option<Diagnostic> {
    if let Some(found) = SHAPES.find(value) {
        let finding = Diagnostic::new(&code::PLAIN_SECRET, "this looks like a secret in plain");
        return Some(finding.at(tree.place(node, found.range())));
    }
    if has_password(value) {
        return Some(plain(tree, node, "the address holds a password"));
    }
    has_secret_parameter(value).then(|| plain(tree, node, "the address holds a secret as a parameter"))
}

/// `https://host/path?token=…`, the token written out.
fn has_secret_parameter(value: &str) -> bool {
    let Some((_, query)) = value.split_once("://").and_then(|(_, rest)| rest.split_once('?')) else {
        return false;
    };
    let query = query.split('#').next().unwrap_or("");
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        is_secret_name(name) && !value.is_empty() && !value.contains("{{") && !value.contains("${")
    })
}

/// `https://user:password@host`, the password written out.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.contains("{{"))
}

fn is_secret_field(path: &[&str]) -> bool {
    match path {
        ["connections", _, "password"]
        | ["connections", _, "auth", "bearer"]
        | ["connections", _, "auth" | "verify", "basic", "password"]
        | ["connections", _, "auth", "header" | "query", "value"]
        | ["connections", _, "auth", "oauth2", "client_secret" | "refresh_token"]
        | ["connections", _, "auth", "oauth2", "service_account", "key"]
        | ["state_key"]
        | ["connections", _, "verify", "hmac", "secret"]
        | ["connections", _, "verify", "hmac", "secret", _]
        | ["connections", _, "verify", "token", "value"]
        | ["connections", _, "verify", "token", "value", _]
        | ["listen", "admin", "token"]
        | ["listen", "admin", "token", _] => true,
        ["connections", _, "headers", name]
        | ["connections", _, "auth", "oauth2", "params", name]
        | ["alerts", "to", _, "headers" | "query", name]
        | ["vars", name] => is_secret_name(name),
        _ => false,
    }
}

/// Whether what goes by this name is a secret more often than not.
pub fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let whole = ["authorization", "proxyauthorization", "cookie"];
    let ends = ["password", "passwd", "secret", "token", "apikey", "accesskey", "authkey", "privatekey"];
    whole.contains(&name.as_str()) || ends.iter().any(|end| name.ends_with(end))
}
