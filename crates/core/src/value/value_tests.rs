#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use super::json::{elements, members};
use super::{MAX_DEPTH, Object, Unwritable, Value};

#[test]
fn json_passes_through_unchanged() {
    for text in [
        r#"{"b":19.90,"a":[1,null,true,false,"x"],"c":{}}"#,
        "12345678901234567890123",
        r#""é\u0001\"\\\n""#,
        "-0.50",
        "[]",
        "1000000000000000000000000000000000000000000000000000.5",
    ] {
        assert_eq!(Value::from_json(text).unwrap().to_json().unwrap(), text);
    }
}

#[test]
fn hostile_numbers_stay_what_they_are() {
    for text in ["1e1000000", "-7e-1000000"] {
        assert_eq!(Value::from_json(text).unwrap().to_json().unwrap(), text);
    }
    assert!(Value::from_json("1e99999999999999999999").is_err());
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "nul",
        "1 2",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "[1 2]",
        "{\"a\" 1}",
        "NaN",
        "\u{feff}1",
    ] {
        assert!(Value::from_json(text).is_err(), "{text:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(Value::from_json(&nested(MAX_DEPTH)).unwrap().depth(), MAX_DEPTH);
    assert!(Value::from_json(&nested(MAX_DEPTH + 1)).is_err());
    assert!(Value::from_json(&"[".repeat(1_000_000)).is_err());
}

#[test]
fn strings_are_unescaped() {
    let value = Value::from_json(r#""\u0041\/\b\f\n\r\t\ud83d\ude00 \ud83d \udc00x""#).unwrap();
    assert_eq!(value.as_text(), Some("A/\u{8}\u{c}\n\r\t\u{1F600} \u{FFFD} \u{FFFD}x"));
}

#[test]
fn the_last_of_repeated_members_counts() {
    let few = Value::from_json(r#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(few.to_json().unwrap(), r#"{"a":3,"b":2}"#);
    let mut many = "{".to_owned();
    for number in 0..50 {
        many.push_str(&format!("\"k{number}\":{number},"));
    }
    many.push_str("\"k7\":\"last\"}");
    let many = Value::from_json(&many).unwrap();
    let object = many.as_object().unwrap();
    assert_eq!(object.len(), 50);
    assert_eq!(object.get("k7").and_then(Value::as_text), Some("last"));
    assert_eq!(object.iter().nth(7).map(|(name, _)| &**name), Some("k7"));
    assert_eq!(object.get("k50"), None);
}

#[test]
fn members_and_elements_are_skipped_without_being_read() {
    let text = r#" {"a" : [1, "]}"], "b\n":{"x":{}} ,"c":1e5, "d":"" } "#;
    let found: Vec<(String, &str)> = members(text)
        .unwrap()
        .map(|member| member.map(|(name, value)| (name.into_owned(), value)).unwrap())
        .collect();
    assert_eq!(
        found,
        [
            ("a".into(), r#"[1, "]}"]"#),
            ("b\n".into(), r#"{"x":{}}"#),
            ("c".into(), "1e5"),
            ("d".into(), r#""""#)
        ]
    );
    let found: Vec<&str> = elements("[1,[2,3], {}]").unwrap().map(Result::unwrap).collect();
    assert_eq!(found, ["1", "[2,3]", "{}"]);
    assert!(members("[]").is_err());
    for broken in
        ["{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":}", "{\"a\":[}", "{} x", "{\"a\":1 2}", "{\"a\":\"\\"]
    {
        assert!(members(broken).unwrap().any(|member| member.is_err()), "{broken}");
    }
}

#[test]
fn text_of_a_value() {
    assert_eq!(Value::from(true).to_text().unwrap(), "true");
    assert_eq!(Value::from_json("19.90").unwrap().to_text().unwrap(), "19.90");
    assert_eq!(Value::Null.to_text(), Err(Unwritable::Missing));
    assert!(matches!(Value::list(vec![]).to_text(), Err(Unwritable::NoText(_))));
    assert_eq!(Value::list(vec![super::ABSENT_KNOWN.clone()]).to_json(), Err(Unwritable::Missing));
}

#[test]
fn instants_leave_with_offset_and_whole_seconds() {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let instant = super::Instant::new("2026-09-16T18:25:31.987Z".parse().unwrap(), zone);
    assert_eq!(instant.to_string(), "2026-09-16T14:25:31-04:00");
    assert_eq!(instant.to_utc_text(), "2026-09-16T18:25:31Z");
    assert_eq!(Value::from(instant).to_json().unwrap(), "\"2026-09-16T14:25:31-04:00\"");
}

#[test]
fn objects_are_equal_whatever_their_order() {
    let a = Value::from_json(r#"{"a":1,"b":2.0}"#).unwrap();
    assert_eq!(a, Value::from_json(r#"{"b":2,"a":1.00}"#).unwrap());
    assert_ne!(a, Value::from_json(r#"{"a":1,"c":2}"#).unwrap());
    assert_ne!(Value::from("1"), Value::from(1_i64));
    let object = Object::new(vec![(Arc::from("a"), Value::Null)], None);
    assert!(!object.knows("a"));
}
