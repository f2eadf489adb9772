//! JSONPath against plain access, and against an independent implementation of RFC 9535.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use zaprun_core::expression::{Frame, Names, Settings, Shape, Text};
use zaprun_core::path::JsonPath;
use zaprun_core::value::Value;

fn find(path: &str, record: &Value) -> Option<Result<Value, String>> {
    let names = Names::new().with("record", Shape::Any);
    let text = Text::compile(path, &names).ok()?;
    let settings = Settings::default();
    let values = [record.clone()];
    let result = text.eval(&Frame { values: &values, settings: &settings });
    Some(result.map_err(|error| error.message().to_owned()))
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        (-5_i64..6).prop_map(serde_json::Value::from),
        "[ab]{0,3}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[abcd]", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn record() -> impl Strategy<Value = serde_json::Value> {
    prop::collection::btree_map("[abcd]", json(), 1..5)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
}

fn singular() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof!["\\.[abcd]", "\\['[abcd]'\\]", "\\[-?[1-3]\\]", "\\[0\\]"], 1..5)
        .prop_map(|steps| format!("${}", steps.concat()))
}

fn filter() -> impl Strategy<Value = String> {
    let plain = || {
        prop_oneof![
            "@(\\.[abcd]|\\[0\\])?",
            "\\$\\.[abcd]",
            "-?[1-5]",
            "'[ab]{0,2}'",
            Just("null".to_owned()),
            Just("true".to_owned())
        ]
    };
    let function = prop_oneof![
        "length\\(@\\.[abcd]\\)",
        "count\\(@(\\.\\*|\\.\\.[abcd])\\)",
        "value\\(@\\.\\.[abcd]\\)"
    ];
    let op = prop::sample::select(vec!["==", "!=", "<"]);
    // The oracle denies `<=` and `>=` of two sides that both give nothing, which RFC 9535 (2.3.5.2.2) grants, and
    // gives truth values and lists an order by `>`: these have a number on one side here.
    let strict = prop::sample::select(vec!["<", "!="]);
    let atom = prop_oneof![
        (plain(), op, plain()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (plain(), "([<>]=|>)", "-?[1-5]").prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (function.clone(), prop::sample::select(vec!["==", "!=", "<", ">="]), "-?[1-5]")
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (function.clone(), strict, function).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        "!?@(\\.[abcd]|\\.\\.[abcd]|\\[\\*\\]|\\[0:2\\])",
        "match\\(@(\\.[abcd])?, '[ab.]{1,3}'\\)",
        "search\\(@\\.[abcd], '[ab]'\\)",
    ];
    atom.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let selector = prop_oneof![
        "'[abcd]'",
        "-?[1-3]",
        Just("*".to_owned()),
        "-?[1-3]?:-?[1-3]?(:-?[1-2])?".prop_map(|slice| slice),
        filter().prop_map(|filter| format!("?{filter}")),
    ];
    let segment = prop_oneof![
        "\\.[abcd]",
        Just(".*".to_owned()),
        "\\.\\.[abcd]",
        Just("..*".to_owned()),
        prop::collection::vec(selector.clone(), 1..4)
            .prop_map(|selectors| format!("[{}]", selectors.join(","))),
        prop::collection::vec(selector, 1..3).prop_map(|selectors| format!("..[{}]", selectors.join(","))),
    ];
    prop::collection::vec(segment, 1..4).prop_map(|segments| format!("${}", segments.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn a_singular_path_is_plain_access(record in record(), path in singular()) {
        prop_assert!(JsonPath::parse(&path).unwrap().is_singular());
        let value = Value::from_json(&record.to_string()).unwrap();
        let plain = format!("{{{{ record{} | default('missing') }}}}", &path[1..]);
        let by_path = find(&path, &value).unwrap();
        match (by_path, find(&plain, &value).unwrap()) {
            (Ok(Value::Null), Ok(found)) => prop_assert_eq!(found, Value::from("missing")),
            (Ok(by_path), Ok(found)) => prop_assert_eq!(by_path, found),
            (Err(_), Ok(found)) => prop_assert_eq!(found, Value::from("missing")),
            // Plain access into text or a number is an error of its own.
            (by_path, Err(_)) => prop_assert!(by_path.is_err()),
        }
    }

    #[test]
    fn every_path_agrees_with_the_oracle(record in record(), path in any_path()) {
        let theirs = serde_json_path::JsonPath::parse(&path);
        let ours = JsonPath::parse(&path);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} and {:?}", path, ours.err(), theirs.err());
        let (Ok(ours), Ok(theirs)) = (JsonPath::parse(&path), serde_json_path::JsonPath::parse(&path)) else {
            return Ok(());
        };
        let value = Value::from_json(&record.to_string()).unwrap();
        let expected: Vec<&serde_json::Value> = theirs.query(&record).all();
        let found = find(&path, &value).unwrap();
        if ours.is_singular() {
            match (found, expected.as_slice()) {
                (Ok(found), [expected]) => prop_assert_eq!(found.to_json().unwrap(), expected.to_string()),
                (found, expected) => prop_assert!(found.is_err() && expected.is_empty()),
            }
        } else {
            let expected = serde_json::Value::from(expected.into_iter().cloned().collect::<Vec<_>>());
            match found {
                Ok(found) => prop_assert_eq!(found.to_json().unwrap(), expected.to_string(), "{}", path),
                Err(error) => prop_assert!(error.contains("too many steps"), "{}", error),
            }
        }
    }

    // No backslashes: the oracle panics on an unfinished escape.
    #[test]
    fn any_text_is_a_path_or_is_refused(text in "[ -\\[\\]-~]{0,24}") {
        for source in [format!("$.{text}"), format!("$[{text}"), format!("$[?{text}]")] {
            let theirs = serde_json_path::JsonPath::parse(&source).is_ok();
            let ours = JsonPath::parse(&source);
            if let Err(problem) = &ours {
                prop_assert!(source.get(problem.range.clone()).is_some());
            }
            prop_assert!(ours.is_err() || theirs, "{}", source);
        }
    }
}
