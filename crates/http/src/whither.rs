//! Putting URLs together.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;

/// Why a text is no base URL. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not parse.
    #[error("is not a URL")]
    Malformed,
    /// Neither `http` nor `https`.
    #[error("must begin with `https://` or `http://`")]
    Scheme,
    /// A login before the host.
    #[error("holds a user or password before the host; write them as `auth: {{ basic: … }}`")]
    Login,
}

/// Why a path cannot be appended. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A `.` or `..` segment, in whatever spelling: every server would read another path than the one written.
    #[error("the path holds a `.` or `..` segment")]
    DotSegment,
    /// The parts do not make a URL that says the same.
    #[error("the path cannot be written into a URL")]
    Unwritable,
}

/// What may not stand in a path as it is. A `%` may: the path comes percent-encoded. A backslash may not: it would be
/// read as a slash.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What may stand in a query: the characters that no reader takes for anything else.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parses an absolute `http` or `https` URL. A fragment is dropped, since it is never sent.
///
/// # Errors
/// [`UrlError`], without any of the text.
pub fn parse_base(text: &str) -> Result<Url, UrlError> {
    let mut url = Url::parse(text.trim()).map_err(|_| UrlError::Malformed)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Login);
    }
    url.set_fragment(None);
    Ok(url)
}

/// Appends a percent-encoded path to the base's own with exactly one `/` between them. An empty path leaves the base as
/// it is. The base's query stays. What would end the path, or leave the base's (`?`, `#`, `\`, control characters), is
/// encoded.
///
/// # Errors
/// [`PathError`]; the path is never changed silently.
pub fn join(base: &Url, path: &str) -> Result<Url, PathError> {
    if path.is_empty() {
        return Ok(base.clone());
    }
    let encoded = utf8_percent_encode(path.trim_start_matches('/'), PATH).to_string();
    if encoded.split('/').any(is_dot_segment) {
        return Err(PathError::DotSegment);
    }
    let whole = format!("{}/{encoded}", base.path().trim_end_matches('/'));
    let mut url = base.clone();
    url.set_path(&whole);
    if url.path() == whole { Ok(url) } else { Err(PathError::Unwritable) }
}

/// Adds pairs behind the query that is there.
pub fn append_query<'a>(url: &mut Url, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut query = url.query().unwrap_or_default().to_owned();
    for (name, value) in pairs {
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, QUERY));
        query.push('=');
        query.extend(utf8_percent_encode(value, QUERY));
    }
    if !query.is_empty() {
        url.set_query(Some(&query));
    }
}

fn is_dot_segment(segment: &str) -> bool {
    // "%2e" counts as a dot to every URL parser; more than two characters decoded are no dot segment.
    let mut decoded = percent_decode_str(segment);
    let dots = decoded.by_ref().take(3).map(|byte| byte == b'.').collect::<Vec<_>>();
    matches!(dots.as_slice(), [true] | [true, true])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use proptest::prelude::*;

    fn joined(base: &str, path: &str) -> Result<String, PathError> {
        join(&parse_base(base).unwrap(), path).map(String::from)
    }

    #[test]
    fn exactly_one_slash_and_the_query_kept() {
        for (base, path, whole) in [
            ("https://h.example", "a/b", "https://h.example/a/b"),
            ("https://h.example/", "/a/b", "https://h.example/a/b"),
            ("https://h.example/v1/", "/a", "https://h.example/v1/a"),
            ("https://h.example/v1", "a/", "https://h.example/v1/a/"),
            ("https://h.example/v1?key=1%2F2", "a", "https://h.example/v1/a?key=1%2F2"),
            ("https://h.example/T0/B0/secret", "", "https://h.example/T0/B0/secret"),
            ("https://h.example/v1/", "", "https://h.example/v1/"),
            ("https://h.example/v1", "/", "https://h.example/v1/"),
            ("https://h.example/v1", "//other.example/x", "https://h.example/v1/other.example/x"),
            ("https://h.example/v1#part", "a?b#c", "https://h.example/v1/a%3Fb%23c"),
            ("https://h.example/v1", "a\\b", "https://h.example/v1/a%5Cb"),
            ("https://h.example/v1", "ü%20%2F", "https://h.example/v1/%C3%BC%20%2F"),
        ] {
            assert_eq!(joined(base, path).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn nothing_climbs_out_of_the_base() {
        for path in ["..", "../x", "a/../../x", "./x", "%2e%2E/x", ".%2e", "a/%2e", "/../x", "a/.."] {
            assert_eq!(joined("https://h.example/v1", path), Err(PathError::DotSegment), "{path}");
        }
        for path in ["...", "..a", "a..", ".well-known/x", ".\t./x", "%252e%252e/x"] {
            assert!(
                joined("https://h.example/v1", path).unwrap().starts_with("https://h.example/v1/"),
                "{path}"
            );
        }
    }

    #[test]
    fn bases_that_are_none() {
        assert_eq!(parse_base("api.example.com"), Err(UrlError::Malformed));
        assert_eq!(parse_base("ftp://api.example.com"), Err(UrlError::Scheme));
        assert_eq!(parse_base("https://user:canary@api.example.com"), Err(UrlError::Login));
        assert_eq!(parse_base(""), Err(UrlError::Malformed));
    }

    #[test]
    fn query_pairs_follow_the_base() {
        let mut url = parse_base("https://h.example/a?k=v").unwrap();
        append_query(&mut url, [("x y", "1&2=3"), ("k", "ü+%")]);
        assert_eq!(url.as_str(), "https://h.example/a?k=v&x%20y=1%262%3D3&k=%C3%BC%2B%25");
        let mut bare = parse_base("https://h.example/a").unwrap();
        append_query(&mut bare, []);
        assert_eq!(bare.as_str(), "https://h.example/a");
    }

    proptest! {
        #[test]
        fn a_join_stays_under_its_base(base in "(/[a-z0-9%~.]{0,3}[a-z]){0,3}/?", query in "([?][a-z=&]{1,8})?", path in any::<String>()) {
            let base = parse_base(&format!("https://h.example{base}{query}")).unwrap();
            if let Ok(url) = join(&base, &path) {
                prop_assert_eq!(url.origin(), base.origin());
                prop_assert_eq!(url.query(), base.query());
                prop_assert_eq!(url.fragment(), None);
                let stem = base.path().trim_end_matches('/');
                let rest = url.path().strip_prefix(stem).unwrap();
                if path.is_empty() {
                    prop_assert_eq!(&url, &base);
                } else {
                    prop_assert!(rest.starts_with('/') && !rest.starts_with("//"));
                    prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url);
                }
            }
        }

        #[test]
        fn a_pair_stays_one_pair(pairs in proptest::collection::vec((any::<String>(), any::<String>()), 1..4)) {
            let mut url = parse_base("https://h.example/a?first=1").unwrap();
            append_query(&mut url, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let read: Vec<_> = url.query_pairs().skip(1).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            prop_assert_eq!(read, pairs);
            prop_assert_eq!(url.path(), "/a");
        }
    }
}
