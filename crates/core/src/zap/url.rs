//! Addresses and paths made from templates, so that no value can change their structure.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::expression::Frame;
use crate::mapping::MapError;
use crate::template::Template;
use crate::yaml::NodeId;

/// What a value keeps in a path or a query: the unreserved characters, which mean nothing there.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A template of an address or a path.
#[derive(Debug)]
pub(crate) struct UrlTemplate {
    template: Template,
    place: Arc<str>,
    node: NodeId,
}

impl UrlTemplate {
    pub(crate) fn new(template: Template, place: &str, node: NodeId) -> Self {
        UrlTemplate { template, place: Arc::from(place), node }
    }

    /// The node of the zap's tree that it was compiled from.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// Whether it is the same for every record.
    pub(crate) fn is_constant(&self) -> bool {
        crate::mapping::is_fixed(self.template.reads())
    }

    /// The address for one record; each value is percent-encoded for its place.
    pub(crate) fn render(&self, frame: &Frame<'_>) -> Result<String, MapError> {
        let mut trouble = None;
        let rendered = self.template.render_with(frame, &mut |out, value| {
            if let Some(what) = misplaced(out, value) {
                trouble.get_or_insert(what);
            }
            out.extend(utf8_percent_encode(value, PLAIN));
        });
        let url = rendered.map_err(|error| MapError::of(&self.place, &error))?;
        match trouble {
            Some(what) => Err(MapError::new(&*self.place, what)),
            None if has_dot_segment(&url) => {
                Err(MapError::new(&*self.place, "a value makes `.` or `..` a part of the path"))
            }
            None => Ok(url),
        }
    }
}

/// An empty value in a path would name another resource.
fn misplaced(before: &str, value: &str) -> Option<&'static str> {
    let in_path = !before.contains(['?', '#']);
    (in_path && value.is_empty()).then_some("a value is empty where the path needs one")
}

/// Whether a path segment is `.` or `..`, which would be taken for a step within the path.
pub(super) fn has_dot_segment(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    path.split('/').any(|segment| {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        dots == "." || dots == ".."
    })
}

/// The literal scheme and host that a template begins with, when both are whole before its first value.
pub(crate) fn literal_origin(source: &str) -> Option<&str> {
    let literal = source.split("{{").next()?.split("{%").next()?;
    let (scheme, rest) = literal.split_once("://")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return None;
    }
    let end = rest.find(['/', '?', '#']);
    let whole = literal.len() == source.len();
    let host = match end {
        Some(end) => &rest[..end],
        None if whole => rest,
        None => return None,
    };
    (!host.is_empty()).then(|| &literal[..scheme.len() + 3 + host.len()])
}

/// Whether a rendered address goes to one of the hosts that the author allowed (`*.example.com` or a whole name).
pub(crate) fn host_allowed(url: &str, allowed: &[String]) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let Some(host) = url.host_str().map(str::to_ascii_lowercase) else { return false };
    matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && allowed.iter().any(|pattern| match pattern.to_ascii_lowercase().strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
            None => host == pattern.to_ascii_lowercase(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_host_are_literal() {
        assert_eq!(literal_origin("https://a.example/x/{{ y }}"), Some("https://a.example"));
        assert_eq!(literal_origin("https://a.example:8443?x={{ y }}"), Some("https://a.example:8443"));
        assert_eq!(literal_origin("http://127.0.0.1"), Some("http://127.0.0.1"));
        for bad in [
            "{{ url }}",
            "https://{{ host }}/x",
            "https://a.{{ host }}",
            "https://a.example{{ x }}",
            "ftp://a/b",
            "a/b",
            "https:///x",
        ] {
            assert_eq!(literal_origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_allowed_hosts_pass() {
        let allowed = ["*.example.com".to_owned(), "api.test".to_owned()];
        for good in ["https://a.example.com/x", "http://a.b.example.com", "https://API.test:8443/"] {
            assert!(host_allowed(good, &allowed), "{good}");
        }
        for bad in [
            "https://example.com",
            "https://aexample.com",
            "https://.example.com",
            "https://evil.test",
            "file://api.test/x",
            "https://api.test@evil.test/",
            "https://u:p@api.test/",
            "https://evil.test/#api.test",
            "api.test",
            "",
        ] {
            assert!(!host_allowed(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn dots_are_no_path() {
        assert!(has_dot_segment("a/../b") && has_dot_segment("..") && has_dot_segment("https://h/%2E%2e/x"));
        assert!(!has_dot_segment("a/..b/c?x=/../") && !has_dot_segment("https://h/a.b"));
    }
}
