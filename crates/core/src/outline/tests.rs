#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::expression::{Shape, Type};
use crate::value::Value;

/// A type in a line: `{a, b?: text}` and so on; `?` for what need not be there, `|null` for what may be null.
fn shown(of: &Type) -> String {
    let mut out = match &of.shape {
        Shape::Any => "any".to_owned(),
        Shape::Scalar(kind) => kind.words().to_owned(),
        Shape::List(item) => format!("[{}]", shown(item)),
        Shape::Members(members) | Shape::Open(members) => {
            let one = |(name, of): &(std::sync::Arc<str>, Type)| {
                let mark = if of.may_be_left_out() { "?" } else { "" };
                format!("{name}{mark}: {}", shown(of))
            };
            let open = if matches!(of.shape, Shape::Open(_)) { ", …" } else { "" };
            format!("{{{}{open}}}", members.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Shape::Record(_) | Shape::Item(_) => "row".to_owned(),
    };
    if let Some(words) = &of.text.words {
        out = format!("{out}({})", words.join("/"));
    }
    if let Some(max) = of.text.max {
        out = format!("{out}<={max}");
    }
    if of.may_be_null() {
        out.push_str("|null");
    }
    out
}

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

#[test]
fn a_schema_tells_kinds_members_words_and_what_need_not_be_there() {
    let of = |schema: &str| shown(&Schema::read(value(schema)).unwrap().of);
    assert_eq!(
        of(r##"{"type":"object","required":["id","lines"],"properties":{
            "id":{"type":"string","maxLength":12},"state":{"enum":["open","done"]},
            "lines":{"type":"array","items":{"$ref":"#/$defs/line"}},"note":{"type":["string","null"]}},
            "$defs":{"line":{"type":"object","required":["qty"],"properties":{"qty":{"type":"integer"}},"additionalProperties":true}}}"##),
        "{id: text<=12, state?: text(open/done), lines: [{qty: a number, …}], note?: text|null}"
    );
    assert_eq!(of(r#"{"required":["id"],"properties":{"note":true}}"#), "{note?: any, id: any}");
    assert_eq!(of(r#"{"required":["id"]}"#), "{id: any, …}");
    assert_eq!(of(r#"{"type":["string","null"]}"#), "text|null");
    assert_eq!(of(r#"{"anyOf":[{"type":"null"},{"type":"number"}]}"#), "a number|null");
    assert_eq!(of(r#"{"oneOf":[{"type":"string"},{"type":"number"}]}"#), "any");
    assert_eq!(of(r#"{"type":"object"}"#), "any");
    assert_eq!(of("true"), "any");
    assert_eq!(of(r#"{"const":"x"}"#), "text(x)");
}

#[test]
fn what_is_no_schema_is_told_with_its_place() {
    let error = |schema: &str| Schema::read(value(schema)).unwrap_err().to_string();
    assert_eq!(error("[]"), "at ``: a schema is a map, or true");
    assert_eq!(
        error(r#"{"properties":{"a":{"type":"text"}}}"#),
        "at `/properties/a/type`: it is string, number, integer, boolean, object, array or null"
    );
    assert_eq!(error(r##"{"$ref":"#/$defs/x"}"##), "at `/$ref`: it leads nowhere: write `#/$defs/NAME`");
    assert_eq!(
        error(r#"{"$ref":"https://example.com/x"}"#),
        "at `/$ref`: it leads nowhere: write `#/$defs/NAME`"
    );
    assert_eq!(error(r#"{"x-class":"private"}"#), "at `/x-class`: it is personal, card or secret");
    assert_eq!(error(r#"{"required":1,"properties":{}}"#), "at `/required`: it is a list of names");
    assert_eq!(error(r#"{"maxLength":"x"}"#), "at `/maxLength`: it cannot have this value");
}

#[test]
fn schemas_that_are_composed_are_read_as_one() {
    let of = |schema: &str| shown(&Schema::read(value(schema)).unwrap().of);
    let named =
        r#"{"type":"object","required":["name"],"properties":{"name":{"type":"string","maxLength":9}}}"#;
    let aged = r#"{"type":"object","properties":{"age":{"type":"integer"},"name":{"type":"string"}}}"#;
    assert_eq!(of(&format!(r#"{{"allOf":[{named},{aged}]}}"#)), "{name: text<=9, age?: a number}");
    assert_eq!(of(&format!(r#"{{"anyOf":[{named},{aged}]}}"#)), "{name?: text, age?: a number}");
    assert_eq!(of(&format!(r#"{{"oneOf":[{named},{{"type":"null"}}]}}"#)), "{name: text<=9}|null");
    assert_eq!(
        of(r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}},
            "anyOf":[{"required":["a"]},{"required":["b"]}]}"#),
        "{a?: text, b?: a number}",
        "which of them is there nobody knows"
    );
    assert_eq!(
        of(
            r#"{"allOf":[{"properties":{"a":{"type":"string"}},"additionalProperties":true},{"required":["b"]}]}"#
        ),
        "{a?: text, b: any, …}"
    );
}

#[test]
fn a_schema_that_refers_to_itself_is_known_to_the_first_turn() {
    let of = |schema: &str| shown(&Schema::read(value(schema)).unwrap().of);
    assert_eq!(
        of(
            r##"{"type":"object","properties":{"id":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#"}}}}"##
        ),
        "{id?: text, kids?: [{id?: text, kids?: [any]}]}"
    );
    assert_eq!(of(r##"{"$ref":"#/$defs/my%20id","$defs":{"my id":{"type":"string"}}}"##), "text");
    assert_eq!(of(r##"{"$ref":"#/$defs/u/oneOf/0","$defs":{"u":{"oneOf":[{"type":"string"}]}}}"##), "text");
}

#[test]
fn what_many_references_lead_to_is_read_once() {
    // Eight names on each of forty floors, all of which lead to the next: 8^40 if each were read anew.
    let floor = |at: usize| {
        let names: Vec<String> =
            (0..8).map(|name| format!(r##""m{name}":{{"$ref":"#/$defs/f{}"}}"##, at + 1)).collect();
        format!(r#""f{at}":{{"type":"object","properties":{{{}}}}}"#, names.join(","))
    };
    let floors: Vec<String> = (0..40).map(floor).chain([r#""f40":{"type":"string"}"#.to_owned()]).collect();
    let schema = format!(r##"{{"$ref":"#/$defs/f0","$defs":{{{}}}}}"##, floors.join(","));
    let of = Schema::read(value(&schema)).unwrap().of;
    assert!(of.member("m0").is_ok());
}

#[test]
fn who_may_see_a_value_is_said_by_its_schema() {
    let of = Schema::read(value(
        r#"{"type":"object","properties":{"mail":{"type":"string","x-class":"personal"},"n":{"type":"number"}}}"#,
    ));
    let carried = of.unwrap().of.all_carried();
    assert_eq!(carried.of(crate::record::Class::Personal).collect::<Vec<_>>(), ["mail"]);
}

#[test]
fn samples_tell_what_they_have_in_common() {
    let of = |samples: &[&str]| {
        shown(&of_samples(&samples.iter().map(|sample| value(sample)).collect::<Vec<_>>()))
    };
    assert_eq!(of(&[r#"{"a":1,"b":"x"}"#, r#"{"a":2}"#]), "{a: a number, b?: text}");
    assert_eq!(of(&[r#"{"a":null}"#, r#"{"a":2}"#]), "{a: a number|null}");
    assert_eq!(of(&[r#"{"a":"x"}"#, r#"{"a":2}"#]), "{a: any}");
    assert_eq!(of(&[r#"{"a":[]}"#, r#"{"a":[{"b":1},{"c":2}]}"#]), "{a: [{b?: a number, c?: a number}]}");
    assert_eq!(of(&[]), "any");
}
