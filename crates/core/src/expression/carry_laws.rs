//! What a value is made of, its type says: each field of a person is written in an alphabet of its own, and whatever
//! holds a letter of one carries that field.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::testing::settings;
use super::{Frame, Names, Shape, Text, Type};
use crate::record::{Always, Class, Field, FieldType, Schema};
use crate::value::{Object, Value};

const fn field(name: &'static str, ty: FieldType, class: Class) -> Field {
    Field { name, ty, meaning: "a field", class }
}

static LINE: Schema = Schema {
    name: "line",
    fields: &[
        field("sku", FieldType::Text, Class::Plain),
        field("note", FieldType::Text, Class::Personal),
        field("qty", FieldType::Count, Class::Plain),
    ],
    always: Always::All,
};

static PERSON: Schema = Schema {
    name: "person",
    fields: &[
        field("orderId", FieldType::Id, Class::Plain),
        field("name", FieldType::Text, Class::Personal),
        field("emailAddress", FieldType::Text, Class::Personal),
        field("cardLast4", FieldType::Text, Class::Card),
        field("items", FieldType::List(&LINE), Class::Plain),
    ],
    always: Always::All,
};

/// The fields that are somebody's, with what they hold and the letters of it, small and large.
type Alphabet = &'static [std::ops::RangeInclusive<char>];
const CANARIES: [(&str, Class, &str, Alphabet); 4] = [
    ("name", Class::Personal, "дмитрий юрьев", &['\u{400}'..='\u{4ff}']),
    ("emailAddress", Class::Personal, "αβγδ@εζηθ.ικ", &['\u{370}'..='\u{3ff}']),
    ("cardLast4", Class::Card, "კლმნ", &['\u{10a0}'..='\u{10ff}', '\u{1c90}'..='\u{1cbf}']),
    ("note", Class::Personal, "ավետ բան", &['\u{530}'..='\u{58f}']),
];

fn scope() -> (Names, Vec<Value>) {
    let canary = |name: &str| CANARIES.iter().find(|(of, ..)| *of == name).map_or("", |(_, _, text, _)| text);
    let member = |name: &str| (Arc::from(name), Value::text(canary(name)));
    let line = |sku: &str| {
        let members = vec![
            (Arc::from("sku"), Value::text(sku)),
            member("note"),
            (Arc::from("qty"), Value::from(2_i64)),
        ];
        Value::Object(Object::new(members, Some(&LINE)))
    };
    let record = vec![
        (Arc::from("orderId"), Value::text("A1")),
        member("name"),
        member("emailAddress"),
        member("cardLast4"),
        (Arc::from("items"), Value::list(vec![line("x"), line("y")])),
    ];
    let record = Value::Object(Object::new(record, Some(&PERSON)));
    let vars = Value::from_json(r#"{"field":"name","of_item":"note","text":"x"}"#).unwrap();
    let names = Names::new().with("record", Shape::Record(&PERSON)).with("vars", Shape::Any);
    (names, vec![record, vars])
}

/// The fields of which a value holds a letter and that its type does not carry.
fn lost(of: &Type, value: &Value) -> (Vec<&'static str>, bool) {
    let written = value.to_json().unwrap_or_default();
    let carried = of.all_carried();
    let held = CANARIES.iter().filter(|(_, _, _, alphabet)| {
        written.chars().any(|letter| alphabet.iter().any(|letters| letters.contains(&letter)))
    });
    let held: Vec<_> = held.collect();
    let lost = held.iter().filter(|(name, class, ..)| !carried.of(*class).any(|carried| carried == *name));
    (lost.map(|(name, ..)| *name).collect(), !held.is_empty())
}

#[derive(Debug, Clone, Copy)]
enum Sort {
    Text,
    List,
    Object,
}

/// An expression, more often than not of that sort; `X` stands for what was computed before, where there is such.
fn expression(sort: Sort, depth: u32, before: bool) -> BoxedStrategy<String> {
    let leaves: &'static [&'static str] = match sort {
        Sort::Text => {
            &["record.name", "record.emailAddress", "record.cardLast4", "record.orderId", "vars.text"]
        }
        Sort::List => &["record['items']", "[record.name, record.orderId]", "[record.cardLast4]"],
        Sort::Object => &["record", "{'name': record.name, 'note': 'x'}"],
    };
    let plain = prop::sample::select(leaves).prop_map(str::to_owned);
    let leaf =
        if before { prop_oneof![2 => Just("X".to_owned()), 1 => plain].boxed() } else { plain.boxed() };
    if depth == 0 {
        return leaf;
    }
    // `T`, `L` and `O` stand for a text, a list and an object within it.
    let forms: &'static [&'static str] = match sort {
        Sort::Text => &[
            "T ~ T",
            "T | upper",
            "T | title",
            "T | reverse",
            "T | trim",
            "T | truncate_chars(3, '')",
            "T | replace('x', T)",
            "T | default(T)",
            "T | default(T, true)",
            "T if T else T",
            "T or T",
            "T and T",
            "T[0:2]",
            "T | string",
            "T | first",
            "'%s-%s' | format(T, T)",
            "T | regex_replace('x', T)",
            "T | regex_search('.')",
            "L[0]",
            "L[-1]",
            "L[0][0]",
            "L | first",
            "L | last",
            "L | min",
            "L | max",
            "L | join(T)",
            "L | join(' ', attribute='note')",
            "L | tojson",
            "O | tojson",
            "O.name",
            "O['note']",
            "O[vars.field]",
            "O[T]",
            "O | attr('name')",
            "O | attr(vars.field)",
            "O | jsonpath('$.name')",
            "O | jsonpath('$.items[0].note')",
            "O | pprint",
            "L[0].note",
            "L[0][vars.of_item]",
            "L[0] | string",
        ],
        Sort::List => &[
            "T | split(' ')",
            "T | split(T)",
            "T | list",
            "T | lines",
            "[T, T]",
            "[O, O]",
            "[L, L]",
            "L + L",
            "L | chain(L)",
            "L | map('upper')",
            "L | map('title') | list",
            "L | map('default', T)",
            "L | map(attribute='note')",
            "L | map(attribute=vars.of_item)",
            "L | map(attribute='note', default=T)",
            "L | map('first')",
            "L | map('list')",
            "L | map('attr', 'note')",
            "[O] | map(attribute='items')",
            "[{'a': O}] | map(attribute='a.name')",
            "L | sort",
            "L | sort(attribute='note')",
            "L | unique",
            "L | reverse",
            "L | select('defined')",
            "L | select",
            "L | reject('none')",
            "L | selectattr('note')",
            "L | selectattr('sku', 'eq', 'x')",
            "L | rejectattr('sku', 'eq', T)",
            "L[0:1]",
            "L | batch(1)",
            "L | batch(2, T)",
            "L | slice(2)",
            "L | zip(L)",
            "O | items",
            "O | dictsort",
            "O | list",
            "L | groupby('note')",
            "(L | groupby('sku'))[0].list",
            "O | jsonpath('$.items[*].note')",
            "O | jsonpath('$..*')",
            "L if T else L",
            "L or L",
            "L | default([T])",
            "L | first",
            "L[0]",
        ],
        Sort::Object => &[
            "{'name': T}",
            "{T: T}",
            "{T: 1}",
            "{'name': T, 'items': L}",
            "O | chain(O)",
            "L[0]",
            "L | first",
            "L | last",
            "{'note': L, 'sku': L} | zip_objects | first",
            "O if T else O",
            "O or O",
            "O | default(O)",
            "(O | tojson) | fromjson",
            "{'a': O}.a",
            "O | jsonpath('$')",
        ],
    };
    let inner = move |sort| expression(sort, depth - 1, before);
    let whole = (
        prop::sample::select(forms),
        prop::collection::vec(inner(Sort::Text), 3),
        prop::collection::vec(inner(Sort::List), 3),
        prop::collection::vec(inner(Sort::Object), 3),
    );
    let filled = whole.prop_map(|(form, texts, lists, objects)| {
        let (mut texts, mut lists, mut objects) = (texts.iter(), lists.iter(), objects.iter());
        let alone = |form: &str, at: usize| {
            let beside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            !beside(form[..at].chars().next_back()) && !beside(form[at + 1..].chars().next())
        };
        let part = |(at, letter)| match letter {
            'T' if alone(form, at) => format!("({})", texts.next().map_or("'x'", String::as_str)),
            'L' if alone(form, at) => format!("({})", lists.next().map_or("[]", String::as_str)),
            'O' if alone(form, at) => format!("({})", objects.next().map_or("{}", String::as_str)),
            other => other.to_string(),
        };
        form.char_indices().map(part).collect::<String>()
    });
    prop_oneof![1 => leaf, 4 => filled].boxed()
}

fn any_expression(depth: u32, before: bool) -> BoxedStrategy<String> {
    prop_oneof![3 => Just(Sort::Text), 2 => Just(Sort::List), 1 => Just(Sort::Object)]
        .prop_flat_map(move |sort| expression(sort, depth, before))
        .boxed()
}

/// A template around expressions, with loops and names of its own.
fn template() -> impl Strategy<Value = String> {
    let forms: &'static [&'static str] = &[
        "{{ E }}",
        "a {{ E }} {{ E }}",
        "{% for x in E %}{{ x }}{% endfor %}",
        "{% for x in E %}{{ x | tojson }}{% endfor %}",
        "{% for x in E %}{{ x[0] }}{% endfor %}",
        "{% for x in E %}{{ x.note }}{% endfor %}",
        "{% for x in E %}{{ record[x] | tojson }}{% endfor %}",
        "{% for x in E %}{% for y in x %}{{ y | tojson }}{% endfor %}{% endfor %}",
        "{% for x, y in E | items %}{{ x }}{{ y | tojson }}{% endfor %}",
        "{% set x = 1 %}{% set x = E %}{{ x | tojson }}",
        "{% set x = E %}{% if record.orderId %}{% set x = E %}{% endif %}{{ x | tojson }}",
        "{% set x = E %}{% if record.orderId == '' %}{% set x = 'a' %}{% endif %}{{ x | tojson }}",
        "{% set x %}{{ E }}{% endset %}{{ x }}",
        "{% with x = E %}{{ x | tojson }}{% endwith %}",
        "{% filter replace('x', E) %}x{% endfilter %}",
        "{% if E %}{{ E }}{% else %}{{ E }}{% endif %}",
    ];
    (prop::sample::select(forms), prop::collection::vec(any_expression(2, false), 3)).prop_map(
        |(form, parts)| {
            let mut parts = parts.iter();
            let part = |letter| match letter {
                'E' => format!("({})", parts.next().map_or("'x'", String::as_str)),
                other => other.to_string(),
            };
            form.chars().map(part).collect()
        },
    )
}

/// Compiles and computes; nothing where that fails.
fn computed(source: &str, names: &Names, values: &[Value]) -> Option<(Type, Value)> {
    let text = Text::compile(source, names).ok()?;
    let settings = settings();
    let value = text.eval(&Frame { values, settings: &settings }).ok()?;
    Some((text.of(), value))
}

/// Runs a law often enough for a good number of the cases to have told something.
fn run(cases: u32, at_least: u32, law: impl Fn(&Cell<u32>, &mut TestRunner) -> Result<(), String>) {
    let told = Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = law(&told, &mut runner);
    assert_eq!(result, Ok(()));
    assert!(told.get() >= at_least, "only {} of {cases} cases held what is somebody's", told.get());
}

#[test]
fn what_a_value_is_made_of_its_type_carries() {
    let (names, values) = scope();
    run(4096, 800, |told, runner| {
        let sources = prop_oneof![
            2 => any_expression(3, false).prop_map(|source| format!("{{{{ {source} }}}}")),
            1 => template(),
        ];
        let law = |source: String| {
            let Some((of, value)) = computed(&source, &names, &values) else { return Ok(()) };
            let (lost, held) = lost(&of, &value);
            told.set(told.get() + u32::from(held));
            prop_assert!(lost.is_empty(), "{source} gives {value:?}, and {lost:?} is lost");
            Ok(())
        };
        runner.run(&sources, law).map_err(|error| error.to_string())
    });
}

/// `let`, and the elements of `each`: what was computed is computed with.
#[test]
fn what_is_computed_in_two_steps_is_carried_through_both() {
    let (names, values) = scope();
    run(4096, 500, |told, runner| {
        let sources = (any_expression(2, false), any_expression(2, true), any::<bool>());
        let law = |(first, second, each): (String, String, bool)| {
            let Some((of, value)) = computed(&format!("{{{{ {first} }}}}"), &names, &values) else {
                return Ok(());
            };
            let element = value.as_list().and_then(|items| items.first().cloned());
            let (of, value) = match element.filter(|_| each) {
                Some(element) => (of.item(), element),
                None => (of, value),
            };
            let names = names.clone().with("let", Shape::members([("x", of)]));
            let value = Value::object(vec![(Arc::from("x"), value)]);
            let values: Vec<Value> = values.iter().cloned().chain([value]).collect();
            let second = second.replace('X', "let.x");
            let Some((of, value)) = computed(&format!("{{{{ {second} }}}}"), &names, &values) else {
                return Ok(());
            };
            let (lost, held) = lost(&of, &value);
            told.set(told.get() + u32::from(held));
            prop_assert!(lost.is_empty(), "let.x: {first}; {second} gives {value:?}, and {lost:?} is lost");
            Ok(())
        };
        runner.run(&sources, law).map_err(|error| error.to_string())
    });
}

/// Each `let` uses the one before it twice: what is known of it must not be gone through twice for each.
#[test]
fn a_type_that_doubles_is_gone_through_once() {
    let (names, _) = scope();
    let mut of = Text::compile("{{ record.name }}", &names).unwrap().of();
    for _ in 0..200 {
        let names = names.clone().with("let", Shape::members([("x", of)]));
        of = Text::compile("{{ {'a': let.x, 'b': [let.x, let.x], 'c': let.x} }}", &names).unwrap().of();
    }
    assert_eq!(of.all_carried().of(Class::Personal).collect::<Vec<_>>(), ["name"]);
}
