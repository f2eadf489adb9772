use super::{all, find, names};
use crate::expression::testing::{check, json};
use crate::expression::tests_table;

#[test]
fn every_example_of_a_filter_holds() {
    let wrong: Vec<String> =
        all().flat_map(|filter| filter.examples).filter_map(|example| check(example).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_of_a_test_holds() {
    let examples = tests_table::TESTS.iter().flat_map(|test| test.examples);
    let wrong: Vec<String> = examples.filter_map(|example| check(example).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_filter_is_described_and_has_examples() {
    for filter in all() {
        assert!(!filter.summary.is_empty() && filter.summary.ends_with('.'), "{}", filter.name);
        assert!(!filter.examples.is_empty(), "{}", filter.name);
        assert!(filter.params.iter().all(|param| !param.doc.is_empty()), "{}", filter.name);
    }
}

#[test]
fn names_are_used_once() {
    let mut seen: Vec<&str> = names().collect();
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
    assert!(find("d").is_some_and(|filter| filter.name == "default"));
}

#[test]
fn the_filters_of_the_language_are_all_there() {
    let promised = "number round_money money to_minor datetime date_format date_add date_diff unix iso jsonpath \
        regex_search regex_replace titlecase truncate_chars split extract_email norm_email sha256 hmac_sha256 md5 \
        b64 uuid5 zip_objects csv_safe striptags urlencode default upper lower title capitalize trim replace length \
        first last join list sort unique reverse min max sum round abs int float string bool items dictsort map \
        select reject selectattr rejectattr groupby batch slice lines indent format tojson zip attr";
    for name in promised.split_whitespace() {
        assert!(find(name).is_some(), "{name}");
    }
}

#[test]
fn filters_map_over_lists_within_lists() {
    assert_eq!(json("[['a'], 'b'] | upper", "{}"), r#"[["A"],"B"]"#);
    assert_eq!(json("['a', none] | upper", "{}"), "error: `upper`: an item of the list is missing");
}

#[test]
fn a_filter_chain_names_the_filter_that_failed() {
    assert_eq!(json("r.x | number | round", r#"{"r":{"x":"abc"}}"#), "error: `number`: not a number");
}

#[test]
fn texts_cannot_be_blown_up() {
    let context = format!(r#"{{"t":"{}"}}"#, "a".repeat(1000));
    assert_eq!(
        json("t | replace('a', t) | replace('a', t)", &context),
        "error: `replace`: text grows beyond 1 MiB"
    );
    assert_eq!(json("'a' | indent(900000000000)", "{}"), "error: `indent`: expression takes too many steps");
    assert_eq!(json("'%999999999s' | format('a')", "{}"), "error: `format`: a place is wider than 1000");
    assert_eq!(json("[] | slice(100000000000)", "{}"), "error: `slice`: expression takes too many steps");
    assert_eq!(json("[1] | batch(100000000000, 0)", "{}"), "error: `batch`: expression takes too many steps");
}

#[test]
fn the_value_that_failed_is_kept_apart() {
    use crate::expression::testing::{open_scope, settings};
    use crate::expression::{Expression, Frame};
    let (names, values) = open_scope(r#"{"r":{"x":"4111 1111"}}"#);
    let settings = settings();
    let expression = Expression::compile("r.x | number", &names);
    let error = expression.map(|expression| expression.eval(&Frame { values: &values, settings: &settings }));
    let Ok(Err(error)) = error else { panic!("it must fail") };
    assert!(!format!("{error} {error:?}").contains("4111"));
    assert_eq!(error.value(), Some("4111 1111"));
    assert_eq!(error.range(), 6..12);
}
