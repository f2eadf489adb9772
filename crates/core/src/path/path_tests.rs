#![allow(clippy::unwrap_used, reason = "tests")]

use super::JsonPath;
use crate::value::Value;

const RECORD: &str = r#"{"items":[{"sku":"A","qty":1,"price":19.90},{"sku":"B","qty":2,"price":5.00},{"sku":"C"}],"d":{"x":1,"a":{"d":2}},"t":"abc"}"#;

fn find(path: &str, json: &str) -> String {
    match JsonPath::parse(path) {
        Err(problem) => format!("error: {}", problem.message),
        Ok(path) => {
            let value = Value::from_json(json).unwrap();
            let found = path.find(&value).unwrap();
            found.to_json().unwrap_or_else(|error| error.to_string())
        }
    }
}

#[test]
fn singular_paths_give_values() {
    assert_eq!(find("$.items[0].price", RECORD), "19.90");
    assert_eq!(find("$['items'][-1]['sku']", RECORD), "\"C\"");
    assert_eq!(find("$.none.deeper", RECORD), "a value is missing");
    assert_eq!(find("$.t.x", RECORD), "a value is missing");
    assert_eq!(find("$.items[9]", RECORD), "a value is missing");
    assert!(JsonPath::parse("$").unwrap().is_singular());
    assert!(!JsonPath::parse("$.items[0,1]").unwrap().is_singular());
}

#[test]
fn other_paths_give_lists_that_keep_scale() {
    assert_eq!(find("$.items[*].price", RECORD), "[19.90,5.00]");
    assert_eq!(find("$.items[?@.price > 5].sku", RECORD), "[\"A\"]");
    assert_eq!(find("$.items[?@.price == 19.9].sku", RECORD), "[\"A\"]");
    assert_eq!(find("$.items[?!@.price].sku", RECORD), "[\"C\"]");
    assert_eq!(find("$.items[::2].sku", RECORD), "[\"A\",\"C\"]");
    assert_eq!(find("$.items[::0]", RECORD), "[]");
    assert_eq!(find("$.nothing[*]", RECORD), "[]");
    assert_eq!(find("$.items[?match(@.sku, '[AB]')].sku", RECORD), "[\"A\",\"B\"]");
    assert_eq!(find("$.items[?length(@.sku) == 1 && count(@.*) > 1].qty", RECORD), "[1,2]");
    assert_eq!(find("$[?value(@..d) == 2].x", RECORD), "[1]");
    // What both sides lack is equal, and so at most and at least (RFC 9535, 2.3.5.2.2).
    assert_eq!(find("$.items[?@.x <= @.y].sku", RECORD), r#"["A","B","C"]"#);
    assert_eq!(find("$.items[?@.x >= @.y && !(@.x < @.y)].sku", RECORD), r#"["A","B","C"]"#);
    assert_eq!(find("$.items[?true > false]", RECORD), "[]");
}

#[test]
fn descendants_come_in_the_order_of_the_rfc() {
    assert_eq!(find("$..['a','d']", RECORD), r#"[{"x":1,"a":{"d":2}},{"d":2},2]"#);
    assert_eq!(find("$..d", RECORD), r#"[{"x":1,"a":{"d":2}},2]"#);
}

#[test]
fn wrong_uses_of_functions_are_refused() {
    for path in [
        "$[?length(@.a)]",
        "$[?count(@.a)]",
        "$[?value(@.a)]",
        "$[?length(@.*) > 1]",
        "$[?length(@..a) > 1]",
        "$[?count(1) > 1]",
        "$[?value(1) == 1]",
        "$[?match(@.a, 'x') == true]",
        "$[?match(@.*, 'x')]",
        "$[?in(@.a, @.b)]",
        "$[?length(match(@.a, 'x')) == 1]",
    ] {
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
}

#[test]
fn a_path_is_one_to_its_last_character() {
    for path in [
        "",
        "x",
        "items",
        "$.",
        "$..",
        "$.a b",
        "$.a ",
        " $.a",
        "$.a}",
        "$[",
        "$['a",
        "$.items[01]",
        "$.50 off",
        "@.a",
        "$.a[?]",
    ] {
        assert!(JsonPath::parse(path).is_err(), "{path:?}");
    }
    assert_eq!(JsonPath::parse("$.ab cd").unwrap_err().range, 4..7);
}

#[test]
fn hostile_paths_are_refused_quickly() {
    for path in [
        format!("${}", "[".repeat(4000)),
        format!("$[?{}@.a{}]", "(".repeat(1000), ")".repeat(1000)),
        format!("$[?{}@.a]", "length(".repeat(7)),
        format!("$.{}", "a".repeat(10_000)),
    ] {
        assert!(JsonPath::parse(&path).is_err());
    }
}

#[test]
fn work_on_hostile_data_is_bounded() {
    let wide = format!("[{}1]", "[1,2,3,4,5,6,7,8,9],".repeat(400));
    let value = Value::from_json(&wide).unwrap();
    let path = JsonPath::parse("$..[?count($..*) > 1]").unwrap();
    assert!(path.find(&value).is_err());
}
