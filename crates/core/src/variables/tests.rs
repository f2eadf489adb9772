#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

fn variable(name: &str, default: Option<&str>, range: std::ops::Range<usize>) -> Part {
    Part::Reference {
        reference: Reference::Variable(name.to_owned()),
        default: default.map(str::to_owned),
        range,
    }
}

#[test]
fn forms() {
    assert_eq!(parse("plain $ text $5").unwrap(), [literal("plain $ text $5")]);
    assert_eq!(parse("$$ and $${X}").unwrap(), [literal("$ and ${X}")]);
    assert_eq!(parse("${A}").unwrap(), [variable("A", None, 0..4)]);
    assert_eq!(
        parse("a${B_1:-x y}c").unwrap(),
        [literal("a"), variable("B_1", Some("x y"), 1..12), literal("c")]
    );
    assert_eq!(parse("${A:-}").unwrap(), [variable("A", Some(""), 0..6)]);
    let file =
        Part::Reference { reference: Reference::File("/run/x".to_owned()), default: None, range: 0..14 };
    assert_eq!(parse("${file:/run/x}").unwrap(), [file]);
}

#[test]
fn every_malformed_reference_is_named() {
    let errors = parse("${} ${1A} ${A-b} ${A:b} $HOME ${").unwrap_err();
    let ranges: Vec<_> = errors.iter().map(|error| error.range.clone()).collect();
    assert_eq!(ranges, [0..3, 4..9, 10..16, 17..23, 24..29, 30..32]);
}

#[test]
fn only_what_looks_like_a_reference_does() {
    assert_eq!(looks_like_reference("x ${A} y"), Some(2..6));
    assert_eq!(looks_like_reference("${file:a}"), Some(0..9));
    for text in ["$5", "$.orderId", "${", "${}", "$A", "$${A}", "${ a: 1 }", "{{ x }}"] {
        assert_eq!(looks_like_reference(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = parse(&text);
        if let Some(range) = looks_like_reference(&text) {
            prop_assert!(text.get(range).is_some());
        }
    }

    #[test]
    fn doubled_dollars_write_any_text(text in any::<String>()) {
        let expected = if text.is_empty() { vec![] } else { vec![literal(&text)] };
        prop_assert_eq!(parse(&text.replace('$', "$$")).unwrap(), expected);
    }

    #[test]
    fn ranges_cover_what_was_written(text in "[a$]{0,5}\\$\\{[A-Z]{1,3}(:-[a-z]{0,3})?\\}[a$]{0,3}") {
        for part in parse(&text).unwrap_or_default() {
            if let Part::Reference { range, .. } = part {
                let whole = text[range.clone()].starts_with("${") && text[range].ends_with('}');
                prop_assert!(whole);
            }
        }
    }
}
