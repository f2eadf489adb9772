//! Where an action's request goes, and the headers it names.

use super::action::Address;
use super::url::{UrlTemplate, has_dot_segment, host_allowed, literal_origin};
use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::expression::Names;
use crate::header;
use crate::load::is_address;
use crate::mapping::Compiler;
use crate::request::Method;
use crate::source::Span;
use crate::template::Template;
use crate::yaml::{MapRef, Spanned};

/// Where a request goes, as an action or a trigger writes it.
pub(super) struct Written<'a> {
    pub(super) url: Option<&'a Spanned<String>>,
    pub(super) connection: Option<&'a Spanned<String>>,
    pub(super) path: Option<&'a Spanned<String>>,
    pub(super) headers: Option<MapRef>,
    pub(super) allow_hosts: &'a [Spanned<String>],
}

impl<'a> Written<'a> {
    /// That of an action.
    pub(super) fn of(http: &'a definition::HttpAction) -> Self {
        Written {
            url: http.url.as_ref(),
            connection: http.connection.as_ref(),
            path: http.path.as_ref(),
            headers: http.headers,
            allow_hosts: &http.allow_hosts,
        }
    }
}

/// The method, as requests have it.
pub(super) fn method(written: definition::Method) -> Method {
    match written {
        definition::Method::Get => Method::Get,
        definition::Method::Post => Method::Post,
        definition::Method::Put => Method::Put,
        definition::Method::Patch => Method::Patch,
        definition::Method::Delete => Method::Delete,
    }
}

/// The address of an action; nothing when it has findings.
pub(super) fn address(
    compiler: &mut Compiler<'_>,
    http: &Written<'_>,
    names: &Names,
    place: &str,
) -> Option<Address> {
    if let Some(written) = http.url {
        return url(compiler, http, written, names, &format!("{place}.url"));
    }
    // An action with neither has its finding already.
    let name = http.connection?.value.clone();
    let path = match http.path {
        None => None,
        Some(written) => Some(path(compiler, written, names, &format!("{place}.path"))?),
    };
    Some(Address::Connection { name, path })
}

fn url(
    compiler: &mut Compiler<'_>,
    http: &Written<'_>,
    written: &Spanned<String>,
    names: &Names,
    place: &str,
) -> Option<Address> {
    let allowed_fine = allow_hosts(compiler, http);
    let url = template(compiler, written, names);
    let allow_hosts: Vec<String> = http.allow_hosts.iter().map(|host| host.value.clone()).collect();
    let origin = literal_origin(&written.value);
    let at = compiler.tree.span(written.node);
    let literal = !written.value.contains("{{") && !written.value.contains("{%");
    if literal && !is_address(&written.value) {
        // What is no address at all has its finding from reading the file.
        return None;
    }
    match origin {
        None if allow_hosts.is_empty() => {
            let finding = Diagnostic::new(&code::URL_HOST, "scheme and host of the address are not literal");
            let help = "write https:// and the host out before the first template, or name the hosts in `allow_hosts`";
            compiler.report(finding.at(at).help(help));
            return None;
        }
        Some(origin) if allowed_fine && !allow_hosts.is_empty() && !host_allowed(origin, &allow_hosts) => {
            let finding =
                Diagnostic::new(&code::URL_HOST, "`allow_hosts` does not allow the host of this address");
            compiler.report(finding.at(at).help("add the host to `allow_hosts`, or remove `allow_hosts`"));
            return None;
        }
        _ => {}
    }
    let host = origin.and_then(|origin| origin.split_once("://")).map_or("(by record)", |(_, host)| host);
    let url = url?;
    dot_segment(compiler, &url.literal(), at, "url")?;
    let url = UrlTemplate::new(url, place, written.node);
    allowed_fine.then_some(Address::Url { url, host: host.to_owned(), allow_hosts })
}

fn path(
    compiler: &mut Compiler<'_>,
    written: &Spanned<String>,
    names: &Names,
    place: &str,
) -> Option<UrlTemplate> {
    let at = compiler.tree.span(written.node);
    let text = written.value.trim_start();
    if text.starts_with("$.") || text.starts_with("$[") {
        let finding = Diagnostic::new(&code::BAD_FORMAT, "`path` is a template, and a JSONPath is not one");
        compiler.report(finding.at(at).help("write `{{ record.x }}` for a field of the record"));
        return None;
    }
    let template = template(compiler, written, names)?;
    let literal = template.literal();
    dot_segment(compiler, &literal, at, "path")?;
    if literal.contains("://") {
        let finding = Diagnostic::new(&code::BAD_FORMAT, "`path` holds a whole address");
        let help = "write the whole address as `url:`, without `connection:`; `path` follows the connection's address";
        compiler.report(finding.at(at).help(help));
        return None;
    }
    if let Some(sign) = literal.chars().find(|sign| matches!(sign, '?' | '#')) {
        let finding =
            Diagnostic::new(&code::BAD_FORMAT, format!("`path` holds a `{sign}`, which would end the path"));
        let help = match sign {
            '?' => "write what follows under `query:`: names and values",
            _ => "remove it: what follows a `#` never reaches a server; within a name write %23",
        };
        compiler.report(finding.at(at).help(help));
        return None;
    }
    Some(UrlTemplate::new(template, place, written.node))
}

/// Reports a written `.` or `..` between slashes; nothing when there is one.
fn dot_segment(compiler: &mut Compiler<'_>, literal: &str, at: Span, key: &str) -> Option<()> {
    if !has_dot_segment(literal) {
        return Some(());
    }
    let message = format!("`{key}` holds `.` or `..` between slashes, which means a step within the path");
    compiler.report(Diagnostic::new(&code::BAD_FORMAT, message).at(at).help("write the path without it"));
    None
}

fn template(compiler: &mut Compiler<'_>, written: &Spanned<String>, names: &Names) -> Option<Template> {
    match Template::compile(&written.value, names) {
        Ok(template) => {
            compiler.used(written.node, template.reads(), template.doubts().to_vec(), &template.of());
            Some(template)
        }
        Err(problems) => compiler.refuse(written.node, problems),
    }
}

/// Whether every pattern can allow a host.
fn allow_hosts(compiler: &mut Compiler<'_>, http: &Written<'_>) -> bool {
    let mut fine = true;
    for host in http.allow_hosts.iter().filter(|host| !is_host_pattern(&host.value)) {
        fine = false;
        let message = format!("`{}` is not the name of a host", host.value);
        let help = "write a host without scheme, port or path: api.example.com, or \"*.example.com\" for all below it";
        let finding = Diagnostic::new(&code::BAD_FORMAT, message);
        compiler.report(finding.at(compiler.tree.span(host.node)).help(help));
    }
    fine
}

/// `*.example.com`, `example.com`, `192.0.2.1` or `[2001:db8::1]`.
fn is_host_pattern(pattern: &str) -> bool {
    if let Some(address) = pattern.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let host = pattern.strip_prefix("*.").unwrap_or(pattern);
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.split('.').all(label)
}

/// Headers that no request can carry, or that are not the action's to set.
pub(super) fn headers(compiler: &mut Compiler<'_>, http: &Written<'_>) {
    let tree = compiler.tree;
    for entry in http.headers.map_or(&[][..], |headers| tree.entries(headers.0)) {
        let finding = if entry.key.eq_ignore_ascii_case("idempotency-key") {
            let message = format!("the header `{}` is set by zaprun itself", entry.key);
            Some(
                Diagnostic::new(&code::RESERVED_HEADER, message)
                    .help("the connection's `idempotency_header` gives it another name, or `none`"),
            )
        } else {
            header::problem(&entry.key)
        };
        if let Some(finding) = finding {
            compiler.report(finding.at(entry.key_span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_hosts() {
        for good in ["*.example.com", "api.example.com", "localhost", "127.0.0.1", "[::1]"] {
            assert!(is_host_pattern(good), "{good}");
        }
        for bad in [
            "*",
            "*.",
            "",
            "https://a.example",
            "a.example:443",
            "a.example/x",
            "a.*.example",
            "*example.com",
            "[x]",
        ] {
            assert!(!is_host_pattern(bad), "{bad}");
        }
    }
}
