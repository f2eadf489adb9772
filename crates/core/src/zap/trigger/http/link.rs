//! The `Link` header (RFC 8288), as far as `rel="next"`.

/// The target of the first link whose relation is `next`, in the headers of an answer (names in small letters).
pub(super) fn next(headers: &[(String, String)]) -> Option<&str> {
    let links = headers.iter().filter(|(name, _)| name == "link").map(|(_, value)| value.as_str());
    links.flat_map(Links).find_map(|(target, params)| relates(params).then_some(target))
}

/// The links of one header: a target in angle brackets, then parameters up to a comma outside of quotes.
struct Links<'a>(&'a str);

impl<'a> Iterator for Links<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = self.0.split_once('<')?;
        let (target, rest) = rest.split_once('>')?;
        let mut quoted = false;
        let end = rest.find(|sign: char| {
            quoted ^= sign == '"';
            sign == ',' && !quoted
        });
        let (params, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.0 = rest;
        Some((target.trim(), params))
    }
}

fn relates(params: &str) -> bool {
    params.split(';').filter_map(|param| param.split_once('=')).any(|(name, value)| {
        let relations = value.trim().trim_matches('"').split_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && { relations }.any(|word| word.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(headers: &[&str]) -> Option<String> {
        let headers: Vec<_> = headers.iter().map(|value| ("link".to_owned(), (*value).to_owned())).collect();
        next(&headers).map(str::to_owned)
    }

    #[test]
    fn the_next_page_among_others() {
        let git = r#"<https://a.example/x?page=1>; rel="prev", <https://a.example/x?page=3>; rel="next", <https://a.example/x?page=9>; rel="last""#;
        assert_eq!(found(&[git]).as_deref(), Some("https://a.example/x?page=3"));
        assert_eq!(found(&["</x?a=1,2>;REL=next"]).as_deref(), Some("/x?a=1,2"));
        assert_eq!(found(&["</x>; title=\"a, b; rel=no\"; rel=\"last next\""]).as_deref(), Some("/x"));
        assert_eq!(found(&["</a>; rel=\"prev\"", "</b>; rel=\"next\""]).as_deref(), Some("/b"));
        for none in ["", "</x>", "</x>; rel=\"nextish\"", "/x; rel=next", "</x; rel=next", "<>"] {
            assert_eq!(found(&[none]), None, "{none}");
        }
        assert_eq!(next(&[("x-link".to_owned(), "</x>; rel=next".to_owned())]), None);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_left(text in "[<>;,=\" a-z]{0,40}|.{0,40}") {
            let _found = found(&[&text]);
        }
    }
}
