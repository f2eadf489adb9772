#![allow(clippy::unwrap_used, reason = "tests")]

use super::testing::{ROW, json, open_scope, row_json, row_scope, settings, words};
use super::{Access, Condition, Expression, Frame, Key, Names, Problem, Settings, Shape, Text, members_read};
use crate::diagnostic::code;
use crate::value::{Kind, Value};

const MISSING: &str = "error: `record.couponCode` is missing";

fn problems(source: &str) -> Vec<Problem> {
    Expression::compile(source, &row_scope("{}").0).err().unwrap_or_default()
}

#[test]
fn arithmetic_is_as_the_language_says() {
    for (expression, result) in [
        ("0.1 + 0.2", "0.3"),
        ("10 / 4", "2.5"),
        ("10 / 2", "5"),
        ("-7 // 2", "-4"),
        ("-7 % 2", "1"),
        ("2 ** 10", "1024"),
        ("'19.99' | number * 3", "59.97"),
        ("1 / 0", "error: `1 / 0`: division by zero"),
        ("2 ** 0.5", "error: `2 ** 0.5`: exponent must be a whole number from 0 to 64"),
        (
            "9999999999999999999999999999 + 1",
            "error: `9999999999999999999999999999 + 1`: result has more than 28 digits",
        ),
        ("1 < 2 < 3", "true"),
        ("1 < 3 < 2", "false"),
        ("[1] + [2]", "[1,2]"),
        ("-(2)", "-2"),
        ("1e3", "1000"),
    ] {
        assert_eq!(json(expression, "{}"), result, "{expression}");
    }
}

#[test]
fn missing_compares_as_null() {
    for record in ["{}", r#"{"couponCode":null}"#] {
        for (expression, result) in [
            ("record.couponCode == none", "true"),
            ("record.couponCode != none", "false"),
            ("record.couponCode == 'X'", "false"),
            ("record.couponCode in ['X', none]", "true"),
            ("record.couponCode in ['X']", "false"),
            ("'X' == record.couponCode", "false"),
            ("1 if record.couponCode else 2", "2"),
            ("not record.couponCode", "true"),
            ("record.couponCode or 'x'", r#""x""#),
            ("record.couponCode and 'x'", "false"),
            ("'' or record.couponCode", "false"),
            ("record.couponCode is none", "true"),
            ("record.couponCode is defined", "false"),
            ("record.couponCode | default('x')", r#""x""#),
            ("record.couponCode is eq none", "true"),
            ("[record.couponCode, 'a'] | select('defined')", r#"["a"]"#),
        ] {
            assert_eq!(row_json(expression, record), result, "{expression} over {record}");
        }
        for expression in [
            "record.couponCode",
            "record.couponCode > 'a'",
            "record.couponCode ~ 'a'",
            "record.couponCode | upper",
            "record.couponCode is string",
            "record.couponCode is startingwith 'a'",
            "record.couponCode[0:1]",
            "'a' | replace('a', record.couponCode)",
            "'a' in record.couponCode",
        ] {
            assert_eq!(row_json(expression, record), MISSING, "{expression} over {record}");
        }
        let amount = record.replace("couponCode", "totalAmount");
        assert_eq!(row_json("record.totalAmount + 1", &amount), "error: `record.totalAmount` is missing");
        assert_eq!(row_json("-record.totalAmount", &amount), "error: `record.totalAmount` is missing");
    }
}

#[test]
fn absent_without_a_schema_is_an_error_everywhere_but_in_three() {
    let context = r#"{"body":{}}"#;
    for expression in [
        "body.x == none",
        "not body.x",
        "body.x or 1",
        "1 if body.x else 2",
        "body.x in [1]",
        "1 in [body.x] and false",
        "body.x ~ ''",
        "body.x is eq 1",
    ] {
        let found = json(expression, context);
        assert!(
            found.starts_with("error: ") || expression.contains("[body.x]"),
            "{expression} gives {found}"
        );
    }
    assert_eq!(json("body.x is none", context), "true");
    assert_eq!(json("body.x is defined", context), "false");
    assert_eq!(json("body.x | default(1)", context), "1");
    assert_eq!(json("body.x.y.z | default(1)", context), "1");
    assert_eq!(json("body.x.y.z", context), "error: `body.x` is missing");
    assert_eq!(json("body['x'][0].z", context), "error: `body['x']` is missing");
    assert_eq!(
        json("body.t.x", r#"{"body":{"t":"text"}}"#),
        "error: `body.t.x` cannot be read: it leads into text"
    );
}

#[test]
fn empty_text_is_a_value() {
    assert_eq!(row_json("record.couponCode", r#"{"couponCode":""}"#), r#""""#);
    assert_eq!(row_json("record.couponCode | default('x')", r#"{"couponCode":""}"#), r#""""#);
    assert_eq!(row_json("record.couponCode | default('x', true)", r#"{"couponCode":""}"#), r#""x""#);
}

#[test]
fn a_whole_expression_keeps_its_kind() {
    for text in ["19.90", "true", r#""a""#, "[1,2.50]", r#"{"b":1,"a":null}"#, "12345678901234567890123"] {
        assert_eq!(json("v.x", &format!(r#"{{"v":{{"x":{text}}}}}"#)), text);
    }
}

#[test]
fn unknown_fields_are_found_with_a_suggestion() {
    let found = problems("record.emailAdress | upper");
    assert_eq!(words(&found), "`record` has no field `emailAdress`");
    assert_eq!(found[0].code, &code::UNKNOWN_MEMBER);
    assert_eq!(found[0].help.as_deref(), Some("did you mean `emailAddress`?"));
    assert_eq!(found[0].range, 0..18);
    assert_eq!(words(&problems("record.items[0].qyt")), "`record.items[0]` has no field `qyt`");
    assert_eq!(words(&problems("record.items.qty")), "`record.items` is a list and has no field `qty`");
    assert_eq!(words(&problems("record.items | map(attribute='qyt')")), "`map`: items have no field `qyt`");
    assert_eq!(words(&problems("record.orderId.x")), "`record.orderId` is text and has no field `x`");
    assert!(problems("record.items[0].key ~ record.items[0].sku").is_empty());
    assert!(problems("record.custom.anything.at[0].all").is_empty());
}

#[test]
fn unknown_names_are_found_with_a_suggestion() {
    let found = problems("recrod.orderId");
    assert_eq!(words(&found), "unknown name `recrod`");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `record`?"));
    assert_eq!(problems("orderId")[0].help.as_deref(), Some("write `record.orderId`"));
}

#[test]
fn all_problems_are_found_at_once() {
    assert_eq!(problems("record.nope ~ nope ~ (record.orderId | nope) ~ (1 is nope)").len(), 4);
}

#[test]
fn kinds_that_are_known_are_checked_when_compiled() {
    for (source, message) in [
        ("record.orderId == 12", "text cannot be compared with a number"),
        ("12 in record.orderId", ""),
        ("record.totalAmount >= '20'", "a number cannot be compared with text"),
        ("record.totalAmount * '2'", "`*` computes with numbers, not text"),
        ("record.orderId + 1", "`+` computes with numbers, not text"),
        ("record.totalAmount | upper", "`upper` takes text, but `record.totalAmount` is a number"),
        ("record.orderId | round", "`round` takes a number, but `record.orderId` is text"),
        ("record.items ~ 'x'", "a list has no text form"),
        ("record.totalAmount == 20 == 'x'", "a number cannot be compared with text"),
    ] {
        assert_eq!(words(&problems(source)), message, "{source}");
    }
}

#[test]
fn arguments_are_checked_when_compiled() {
    for (source, message) in [
        (
            "'a' | truncate_chars",
            "`truncate_chars` needs the argument `length`: most characters, the ending included",
        ),
        ("'a' | truncate_chars('x')", "`truncate_chars`: argument `length` must be a whole number, not text"),
        ("'a' | upper(1)", "`upper` has too many arguments"),
        ("'a' | trim(char='x')", "`trim` has no argument `char`"),
        ("'a' | trim('x', chars='x')", "`trim` argument `chars` is given twice"),
        (
            "'a' | regex_search('[')",
            "`regex_search`: argument `pattern` is no regular expression: unclosed character class",
        ),
        (
            "record | jsonpath('x')",
            "`jsonpath`: argument `path`: not a JSONPath (RFC 9535) to its last character",
        ),
        (
            "record.dateCreated | datetime | date_format('%Y', 'Mars/Phobos')",
            "`date_format`: there is no such time zone",
        ),
        ("[1] | select('nope')", "unknown test `nope`"),
        ("[1] | map", "`map` needs `attribute='name'` or the name of a filter"),
        ("1 is divisibleby", "`divisibleby` needs the argument `number`: the divisor"),
    ] {
        assert_eq!(words(&problems(source)), message, "{source}");
    }
}

#[test]
fn what_has_no_place_is_refused() {
    for source in ["range(3)", "'a'.upper()", "[1] | map(*x)", "loop.index"] {
        assert!(!problems(source).is_empty(), "{source}");
    }
    let (names, _) = row_scope("{}");
    for source in [
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% do f() %}",
        "{% block b %}{% endblock %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% set a.b = 1 %}",
    ] {
        let found = Text::compile(source, &names).err().unwrap_or_default();
        assert_eq!(
            found.first().map(|problem| problem.code),
            Some(&code::UNSUPPORTED),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn a_member_that_is_no_identifier_is_written_in_brackets() {
    assert_eq!(row_json("record[\"3DTxnResult\"]", r#"{"3DTxnResult":"Y"}"#), r#""Y""#);
    let found = problems("record.3DTxnResult");
    assert_eq!(words(&found), "`3DTxnResult` is no identifier");
    assert_eq!(found[0].help.as_deref(), Some("write it in brackets: `[\"3DTxnResult\"]`"));
    assert_eq!(found[0].range, 7..18);
}

#[test]
fn ranges_lie_in_the_given_text() {
    let (names, _) = row_scope("{}");
    let place = |source: &str| {
        let problems = Text::compile(source, &names).err().unwrap_or_default();
        problems.first().map(|problem| source[problem.range.clone()].to_owned()).unwrap_or_default()
    };
    assert_eq!(place("  {{ record.nope }} "), "record.nope");
    assert_eq!(place("é {{ record.nope }} é"), "record.nope");
    assert_eq!(place("$$ {{ 'é' ~ record.nope }}"), "record.nope");
    assert_eq!(place("{{ record.orderId | nope }}"), "nope");
    assert_eq!(place("{{ record.orderId == 1 }}"), "record.orderId == 1");
    assert_eq!(place("{{ 1 + }}"), "}}");
}

#[test]
fn a_string_is_decided_by_what_it_holds() {
    let scope = row_scope(r#"{"orderId":"A1","totalAmount":19.90,"items":[{"sku":"x"},{"sku":"y"}]}"#);
    let settings = settings();
    let value = |source: &str| match Text::compile(source, &scope.0) {
        Err(problems) => format!("error: {}", words(&problems)),
        Ok(text) => match text.eval(&Frame { values: &scope.1, settings: &settings }) {
            Ok(value) => value.to_json().unwrap(),
            Err(error) => format!("error: {}", error.message()),
        },
    };
    for (source, result) in [
        ("plain", r#""plain""#),
        ("", r#""""#),
        ("19.90", r#""19.90""#),
        ("{{ record.totalAmount }}", "19.90"),
        (" {{- record.totalAmount -}} ", "19.90"),
        ("{{ '}}' }}", r#""}}""#),
        ("{{ record.totalAmount }} ", "19.90"),
        ("{{ record.totalAmount }}{{ record.orderId }}", r#""19.90A1""#),
        ("{{ record.totalAmount }}.", r#""19.90.""#),
        ("{# note #}{{ record.totalAmount }}", r#""19.90""#),
        ("{% if true %}a{% endif %}", r#""a""#),
        ("$.totalAmount", "19.90"),
        ("$.items[*].sku", r#"["x","y"]"#),
        ("$[\"orderId\"]", r#""A1""#),
        ("$5.00", r#""$5.00""#),
        ("$", r#""$""#),
        ("$$.orderId", r#""$.orderId""#),
        ("$$5", r#""$5""#),
        ("$${{ record.totalAmount }}", r#""$19.90""#),
        ("$.couponCode", "error: `$.couponCode` is missing"),
        ("$.nope", "error: the record has no field `nope`"),
        ("$.50 off", "error: not a JSONPath (RFC 9535) to its last character"),
        ("$.orderId and more", "error: not a JSONPath (RFC 9535) to its last character"),
        ("{{ record.orderId", "error: `{{` is opened and never closed"),
    ] {
        assert_eq!(value(source), result, "{source}");
    }
}

#[test]
fn a_null_is_a_value_of_a_path_only() {
    let scope = row_scope(r#"{"couponCode":null}"#);
    let settings = settings();
    let frame = Frame { values: &scope.1, settings: &settings };
    assert_eq!(Text::compile("$.couponCode", &scope.0).unwrap().eval(&frame).unwrap(), Value::Null);
    assert!(Text::compile("{{ record.couponCode }}", &scope.0).unwrap().eval(&frame).is_err());
}

#[test]
fn conditions_have_braces_and_are_true_or_false() {
    let scope = row_scope(r#"{"totalAmount":25.00,"custom":"x"}"#);
    let settings = settings();
    let holds = |source: &str| match Condition::compile(source, &scope.0) {
        Err(problems) => Err(words(&problems)),
        Ok(condition) => condition
            .eval(&Frame { values: &scope.1, settings: &settings })
            .map_err(|error| error.message().to_owned()),
    };
    assert_eq!(holds("{{ record.totalAmount >= 20 and record.couponCode != 'X' }}"), Ok(true));
    assert_eq!(holds("{{ record.couponCode and record.totalAmount > 1 }}"), Ok(false));
    assert_eq!(holds("record.totalAmount >= 20"), Err("a condition is written with braces".into()));
    assert_eq!(holds("{{ true }} {{ true }}"), Err("a condition is exactly one expression".into()));
    assert_eq!(
        holds("{{ record.totalAmount }}"),
        Err("a condition is true or false, but this is a number".into())
    );
    assert_eq!(holds("{{ record.custom }}"), Err("a condition is true or false, but this is text".into()));
    assert_eq!(holds("{{ record.isTest }}"), Err("`record.isTest` is missing".into()));
}

#[test]
fn what_is_read_is_known() {
    let (names, _) = row_scope("{}");
    let path = |names: &[&str]| names.iter().map(|name| Key::Name((*name).into())).collect::<Vec<_>>();
    let text = Text::compile(
        "{{ record.orderId }} {{ record.items[0].qty }} {% for i in record.items %}{{ i.sku }}{% endfor %}",
        &names,
    )
    .unwrap();
    let mut item = path(&["items"]);
    item.extend([Key::At(0), Key::Name("qty".into())]);
    let expected: Vec<Access> = [path(&["orderId"]), item, path(&["items"])]
        .into_iter()
        .map(|path| Access { root: 0, path })
        .collect();
    assert_eq!(text.reads(), expected);
    assert_eq!(members_read(text.reads(), 0), Some(vec!["orderId".into(), "items".into()]));
    for whole in ["{{ record | tojson }}", "{{ record[record.orderId] }}", "$.*", "$..sku"] {
        assert_eq!(members_read(Text::compile(whole, &names).unwrap().reads(), 0), None, "{whole}");
    }
    let filtered = Text::compile("$.items[?@.sku == $.orderId].qty", &names).unwrap();
    assert_eq!(members_read(filtered.reads(), 0), Some(vec!["items".into(), "orderId".into()]));
    assert_eq!(members_read(Text::compile("literal", &names).unwrap().reads(), 0), Some(vec![]));
}

#[test]
fn steps_and_nesting_are_bounded() {
    let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let context = format!(r#"{{"a":[{}]}}"#, many.join(","));
    let (names, values) = open_scope(&context);
    let text = Text::compile(
        "x{% for i in a %}{% for j in a %}{% for k in a %}.{% endfor %}{% endfor %}{% endfor %}",
        &names,
    )
    .unwrap();
    let settings = Settings::default();
    let error = text.eval(&Frame { values: &values, settings: &settings }).unwrap_err();
    assert!(error.message().contains("too many steps"), "{error}");
    let mut nested = "x{% set v = [] %}".to_owned();
    nested.push_str(&"{% set v = [v] %}".repeat(70));
    let error = Text::compile(&nested, &names)
        .unwrap()
        .eval(&Frame { values: &values, settings: &settings })
        .unwrap_err();
    assert!(error.message().contains("nested deeper"), "{error}");
}

#[test]
fn hostile_sources_are_refused_not_crashed_on() {
    let names = Names::new();
    for (piece, count) in [
        ("not ", 50_000),
        ("-", 50_000),
        ("(", 50_000),
        ("[", 50_000),
        ("1+", 20_000),
        ("1 if 1 else ", 5_000),
        ("a.", 30_000),
        ("{", 60_000),
        ("1 if ", 10_000),
        ("not ", 900),
        ("- ", 900),
        ("1+", 450),
        ("a.", 450),
        ("1 if 1 else ", 240),
        ("1|upper|", 300),
        ("1 is ", 300),
    ] {
        let source = format!("{{{{ {}1 }}}}", piece.repeat(count));
        assert!(Text::compile(&source, &names).is_err(), "{piece} {count}");
    }
    for (open, count) in [
        ("{% if 1 %}", 5_000),
        ("{% if 1 %}{% elif 1 %}", 140),
        ("{% for a in b %}", 3_000),
        ("{% if 1 %}{% for a in [] %}", 149),
    ] {
        assert!(Text::compile(&open.repeat(count), &names).is_err(), "{open}");
    }
    let elifs = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(5_000));
    assert!(Text::compile(&elifs, &names).is_err());
}

#[test]
fn kinds_of_results_are_inferred() {
    let (names, _) = row_scope("{}");
    let kind = |source: &str| Expression::compile(source, &names).unwrap().kind();
    assert_eq!(kind("record.totalAmount * 2"), Some(Kind::Number));
    assert_eq!(kind("record.orderId ~ 'x'"), Some(Kind::Text));
    assert_eq!(kind("record.orderId | lower"), Some(Kind::Text));
    assert_eq!(kind("record.custom | lower"), None);
    assert_eq!(kind("record.isTest and true"), Some(Kind::Bool));
    assert_eq!(kind("record.items | map(attribute='qty')"), Some(Kind::List));
    assert_eq!(kind("record.items | first"), Some(Kind::Object));
    assert_eq!(kind("record.orderId | default('')"), Some(Kind::Text));
    assert_eq!(kind("record.orderId | default(0)"), None);
    assert!(matches!(Shape::Record(&ROW).kind(), Some(Kind::Object)));
}

#[test]
fn slices_and_positions_count_as_in_python() {
    for (expression, result) in [
        ("'abcdef'[1:3]", r#""bc""#),
        ("'abcdef'[-2:]", r#""ef""#),
        ("'abc'[::-1]", r#""cba""#),
        ("[1, 2, 3][-1]", "3"),
        ("[1, 2, 3][5] | default('-')", r#""-""#),
        ("[1, 2, 3][:99999999999]", "[1,2,3]"),
        ("[1, 2, 3][::0]", "error: `[1, 2, 3][::0]`: a slice cannot have step 0"),
        ("{'a': 1}['a']", "1"),
        ("{'a': {'b': 2}}.a.b", "2"),
        ("(1, 2)", "[1,2]"),
    ] {
        assert_eq!(json(expression, "{}"), result, "{expression}");
    }
}
