//! Laws over any text.

use proptest::prelude::*;

use super::*;

fn value_of(text: &str) -> Kind {
    let tree = tree(text);
    tree.node(tree.get(tree.root(), "a").unwrap()).kind.clone()
}

/// JSON's way to write a text is also YAML's, apart from control characters, which are escaped by `\u`.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f").replace('\u{feff}', "\\ufeff")
}

fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a: ".to_owned()),
        Just("- ".to_owned()),
        Just("\n".to_owned()),
        Just("  ".to_owned()),
        Just("{{ x }}".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(", ".to_owned()),
        Just("&x ".to_owned()),
        Just("*x".to_owned()),
        Just("|\n  ".to_owned()),
        Just(">-\n".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("<<: ".to_owned()),
        Just("---\n".to_owned()),
        Just("? ".to_owned()),
        Just("# c\n".to_owned()),
        Just("!t ".to_owned()),
        Just("\t".to_owned()),
        Just("\r\n".to_owned()),
        Just("0x1F".to_owned()),
        Just("${X}".to_owned()),
        Just("\u{85}".to_owned()),
        Just("é".to_owned()),
        "[a-c]{1,3}",
        "[0-9._]{1,4}",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Whatever it is: no panic, and every finding lies in the file at the edge of characters.
fn survives(bytes: &[u8]) {
    let (sources, parsed) = read(bytes);
    let text = &sources.file(parsed.file).text;
    let traps = parsed.traps.iter().map(|(_, trap)| trap);
    for finding in parsed.diagnostics.iter().chain(traps) {
        if let Some(span) = finding.span {
            assert!(text.get(span.start..span.end).is_some(), "{finding:?} in {text:?}");
        }
    }
    let Some(tree) = parsed.tree else { return };
    for id in tree.ids() {
        let span = tree.span(id);
        assert!(text.get(span.start..span.end).is_some(), "{span:?} in {text:?}");
        if let Some(value) = tree.text(id) {
            for (at, character) in value.char_indices() {
                let place = tree.place(id, at..at + character.len_utf8());
                assert!(text.get(place.start..place.end).is_some(), "{place:?} in {text:?}");
            }
        }
    }
    tree.to_json(tree.root());
}

proptest! {
    #[test]
    fn any_quoted_text_is_itself(text in any::<String>()) {
        let expected = Kind::Text { value: text.as_str().into(), style: Style::Double };
        prop_assert_eq!(value_of(&format!("a: {}\n", quoted(&text))), expected);
    }

    #[test]
    fn any_single_quoted_line_is_itself(text in "[^\\x00-\\x1f\\x7f-\\x9f\u{2028}\u{2029}\u{feff}]{0,40}") {
        let expected = Kind::Text { value: text.as_str().into(), style: Style::Single };
        prop_assert_eq!(value_of(&format!("a: '{}'\n", text.replace('\'', "''"))), expected);
    }

    #[test]
    fn any_json_number_keeps_its_digits(digits in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        prop_assert!(is_json_number(&digits));
        prop_assert_eq!(value_of(&format!("a: {digits}\n")), Kind::Number(digits.into()));
    }

    #[test]
    fn json_and_yaml_agree_on_numbers(text in "[-+]?[0-9.eE+-]{1,8}") {
        let json = serde_json::from_str::<serde_json::Number>(&text).is_ok()
            // Out of a double's range is a number all the same.
            || serde_json::from_str::<Box<serde_json::value::RawValue>>(&text).is_ok();
        prop_assert_eq!(is_json_number(&text), json);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn anything_like_yaml_is_survived(text in yamlish()) {
        survives(text.as_bytes());
    }

    #[test]
    fn places_in_double_quotes_are_exact(before in any::<String>(), after in any::<String>()) {
        let text = format!("{before}{{{{ x }}}}{after}");
        let written = format!("a: {}\n", quoted(&text));
        let (sources, parsed) = read(&written);
        let tree = parsed.tree.unwrap();
        let node = tree.get(tree.root(), "a").unwrap();
        let at = before.len();
        prop_assert_eq!(sources.slice(tree.place(node, at..at + 7)), "{{ x }}");
    }
}
