//! Traps that the parser's own engine holds, each by name.

use super::testing::{json, row_json, row_scope, settings, words};
use super::{Expression, Frame, Text};

fn rendered(source: &str, record: &str) -> String {
    let (names, values) = row_scope(record);
    let settings = settings();
    match Text::compile(source, &names) {
        Err(problems) => format!("error: {}", words(&problems)),
        Ok(text) => match text.eval(&Frame { values: &values, settings: &settings }) {
            Ok(value) => value.to_text().unwrap_or_else(|error| format!("error: {error}")),
            Err(error) => format!("error: {}", error.message()),
        },
    }
}

#[test]
fn null_never_prints_none() {
    assert_eq!(
        rendered("a {{ record.couponCode }}", r#"{"couponCode":null}"#),
        "error: `record.couponCode` is missing"
    );
    assert_eq!(
        rendered("{{ record.couponCode }}", r#"{"couponCode":null}"#),
        "error: `record.couponCode` is missing"
    );
}

#[test]
fn true_prints_as_true() {
    assert_eq!(rendered("a {{ record.isTest }}", r#"{"isTest":true}"#), "a true");
    assert_eq!(rendered("{{ 1 > 2 }} {{ True }}", "{}"), "false true");
}

#[test]
fn lists_and_maps_never_print_as_python() {
    let list = rendered("a {{ record.custom }}", r#"{"custom":[1]}"#);
    assert_eq!(list, "error: `record.custom`: a list has no text form");
    assert_eq!(rendered("a {{ [1] }}", "{}"), "error: `[1]` is a list and has no text form");
    assert_eq!(rendered("a {{ record.custom | tojson }}", r#"{"custom":{"b":[1]}}"#), r#"a {"b":[1]}"#);
}

#[test]
fn null_joined_with_text_is_an_error() {
    assert_eq!(
        row_json("record.couponCode ~ 'a'", r#"{"couponCode":null}"#),
        "error: `record.couponCode` is missing"
    );
}

#[test]
fn null_through_a_filter_is_an_error() {
    assert_eq!(
        row_json("record.couponCode | upper", r#"{"couponCode":null}"#),
        "error: `record.couponCode` is missing"
    );
}

#[test]
fn default_sees_null() {
    assert_eq!(row_json("record.couponCode | default('d')", r#"{"couponCode":null}"#), r#""d""#);
    assert_eq!(row_json("record.couponCode | default('d')", "{}"), r#""d""#);
}

#[test]
fn text_times_a_number_repeats_nothing() {
    assert_eq!(
        json("r.x * 2", r#"{"r":{"x":"19.90"}}"#),
        "error: `r.x * 2`: `*` computes with numbers, not text"
    );
    assert_eq!(json("'19.90' * 2", "{}"), "error: `*` computes with numbers, not text");
}

#[test]
fn decimals_keep_their_scale() {
    assert_eq!(rendered("{{ record.totalAmount }}!", r#"{"totalAmount":19.90}"#), "19.90!");
    assert_eq!(row_json("record.totalAmount", r#"{"totalAmount":19.90}"#), "19.90");
    assert_eq!(rendered("{{ 19.90 }}!", "{}"), "19.90!");
    assert_eq!(json("1.000000000000000000000000001", "{}"), "1.000000000000000000000000001");
    assert_eq!(json("12345678901234567890123", "{}"), "12345678901234567890123");
    assert_eq!(json("1_000.50", "{}"), "1000.50");
    assert_eq!(json("0x1f + 0b11 + 0o7", "{}"), "41");
}

#[test]
fn a_whole_expression_never_turns_missing_into_null() {
    assert_eq!(row_json("record.couponCode", "{}"), "error: `record.couponCode` is missing");
    assert_eq!(json("r.nope", r#"{"r":{}}"#), "error: `r.nope` is missing");
}

#[test]
fn an_unknown_filter_is_found_in_an_untaken_branch() {
    let (names, _) = row_scope("{}");
    let problems =
        Expression::compile("1 if true else (record.orderId | uper)", &names).err().unwrap_or_default();
    assert_eq!(words(&problems), "unknown filter `uper`");
    assert_eq!(problems.first().and_then(|problem| problem.help.as_deref()), Some("did you mean `upper`?"));
    assert_eq!(problems.first().map(|problem| problem.range.clone()), Some(33..37));
}

#[test]
fn items_is_a_field_not_a_method() {
    assert_eq!(row_json("record.items | length", r#"{"items":[{"qty":1}]}"#), "1");
    assert_eq!(row_json("record.items()", "{}"), "error: functions and methods cannot be called");
}

#[test]
fn text_against_a_number_is_no_answer() {
    for expression in [
        "r.x >= 20",
        "r.x == 5",
        "r.x in [5]",
        "5 in [r.x]",
        "r.x + 1",
        "-r.x",
        "[r.x, 5] | sort",
        "r.x is gt 20",
    ] {
        let found = json(expression, r#"{"r":{"x":"5.00"}}"#);
        assert!(found.starts_with("error: "), "{expression} gives {found}");
    }
}

#[test]
fn the_number_tests_and_filters_are_exact() {
    assert_eq!(json("0.1 + 0.2 == 0.3", "{}"), "true");
    assert_eq!(json("0.3 in [0.1 + 0.2]", "{}"), "true");
    assert_eq!(json("[0.1, 0.2] | sum == 0.3", "{}"), "true");
    assert_eq!(json("9007199254740993 is odd", "{}"), "true");
    assert_eq!(json("9007199254740993 > 9007199254740992", "{}"), "true");
    assert_eq!(json("[9007199254740993, 9007199254740992] | unique | length", "{}"), "2");
    assert_eq!(json("[9007199254740993, 9007199254740992] | max", "{}"), "9007199254740993");
    assert_eq!(json("{'a': 9007199254740993} | tojson", "{}"), r#""{\"a\":9007199254740993}""#);
    assert_eq!(json("'%.2f' | format(2.675)", "{}"), r#""2.68""#);
}
