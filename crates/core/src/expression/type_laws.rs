//! What is said of values before there are any holds for every one of them.

use proptest::prelude::*;

use super::testing::{row_scope, settings};
use super::{Frame, Text};

/// A field that may be null, or one that is always there.
fn text_field() -> impl Strategy<Value = String> {
    prop_oneof![Just("record.orderId"), Just("record.emailAddress"), Just("record.couponCode")]
        .prop_map(str::to_owned)
}

fn number_field() -> impl Strategy<Value = String> {
    prop_oneof![Just("record.totalAmount"), Just("record.billingCycleNumber")].prop_map(str::to_owned)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Number,
    Truth,
}

/// A condition that asks about a field.
fn asked(field: &'static str) -> impl Strategy<Value = String> {
    let forms = prop_oneof![
        Just("F"),
        Just("(not F)"),
        Just("(F is defined)"),
        Just("(F is none)"),
        Just("(F == 'x')"),
        Just("(F != 'x')"),
        Just("(none == F)"),
        Just("(F != none)"),
        Just("(F in ['x', 'y'])"),
        Just("(F not in ['x', 'y'])"),
        Just("(F in ['x', none])"),
        Just("(F is eq('x'))"),
        Just("(F | default('') != '')"),
        Just("(F | default('x') == 'x')"),
        Just("(F | default('') | length > 0)"),
        Just("(F | default('x') | upper in ['X', 'Y'])"),
        Just("((F | default('')) is startingwith('x'))"),
        Just("((F or 'y') == 'y')"),
        Just("(('y' if F is none else F) == 'x')"),
    ];
    let joined = prop_oneof![Just(None), Just(Some("and")), Just(Some("or"))];
    (forms.clone(), joined, forms, any::<bool>()).prop_map(move |(one, joined, other, negated)| {
        let whole = match joined {
            None => one.to_owned(),
            Some(word) => format!("({one} {word} {other})"),
        };
        let whole = if negated { format!("(not {whole})") } else { whole };
        whole.replace('F', field)
    })
}

/// A field that is used where a condition about it holds, or does not.
fn asked_and_used() -> BoxedStrategy<String> {
    let field = prop_oneof![Just("record.emailAddress"), Just("record.couponCode")];
    let written = |field: &'static str| {
        (asked(field), any::<bool>()).prop_map(move |(asked, then)| {
            if then {
                format!("({field} if {asked} else 'y')")
            } else {
                format!("('y' if {asked} else {field})")
            }
        })
    };
    field.prop_flat_map(written).boxed()
}

/// An expression of a sort. Conditions are made to ask about what their branches use, more often than not.
fn expression(sort: Sort, depth: u32) -> BoxedStrategy<String> {
    let leaf = match sort {
        Sort::Text => prop_oneof![3 => text_field(), 1 => Just("'x'".to_owned())].boxed(),
        Sort::Number => prop_oneof![3 => number_field(), 1 => Just("3".to_owned())].boxed(),
        Sort::Truth => prop_oneof![
            2 => Just("record.isTest".to_owned()),
            2 => text_field().prop_map(|field| format!("({field} is defined)")),
            1 => text_field().prop_map(|field| format!("({field} is none)")),
            1 => text_field().prop_map(|field| format!("({field} == 'x')")),
            1 => text_field().prop_map(|field| format!("({field} != 'x')")),
            1 => text_field().prop_map(|field| format!("({field} != none)")),
            1 => text_field().prop_map(|field| format!("({field} in ['x', 'y'])")),
            1 => text_field().prop_map(|field| format!("({field} not in ['x', 'y'])")),
            1 => (text_field(), text_field()).prop_map(|(one, other)| format!("({one} == {other})")),
            1 => number_field().prop_map(|field| format!("({field} is defined)")),
            1 => number_field().prop_map(|field| format!("(not {field} is none)")),
        ]
        .boxed(),
    };
    if depth == 0 {
        return leaf;
    }
    let same = || expression(sort, depth - 1);
    let truth = || expression(Sort::Truth, depth - 1);
    let chosen = (truth(), same(), same())
        .prop_map(|(asked, then, otherwise)| format!("({then} if {asked} else {otherwise})"));
    let more = match sort {
        Sort::Text => prop_oneof![
            (same(), same()).prop_map(|(one, other)| format!("({one} ~ {other})")),
            same().prop_map(|text| format!("({text} | upper)")),
            (same(), same()).prop_map(|(text, other)| format!("({text} | default({other}))")),
            asked_and_used(),
        ]
        .boxed(),
        Sort::Number => prop_oneof![
            (same(), same()).prop_map(|(one, other)| format!("({one} + {other})")),
            same().prop_map(|number| format!("(-{number})")),
            (same(), same()).prop_map(|(number, other)| format!("({number} | default({other}))")),
        ]
        .boxed(),
        Sort::Truth => prop_oneof![
            same().prop_map(|truth| format!("(not {truth})")),
            (same(), same()).prop_map(|(one, other)| format!("({one} and {other})")),
            (same(), same()).prop_map(|(one, other)| format!("({one} or {other})")),
            (expression(Sort::Number, depth - 1), expression(Sort::Number, depth - 1))
                .prop_map(|(one, other)| format!("({one} > {other})")),
        ]
        .boxed(),
    };
    prop_oneof![1 => leaf, 3 => more, 2 => chosen].boxed()
}

fn any_expression() -> impl Strategy<Value = String> {
    prop_oneof![Just(Sort::Text), Just(Sort::Number), Just(Sort::Truth)]
        .prop_flat_map(|sort| expression(sort, 3))
}

/// A row that has what rows always have.
fn record() -> impl Strategy<Value = String> {
    let text = || prop_oneof![Just(None), Just(Some("null")), Just(Some("\"x\"")), Just(Some("\"z\""))];
    let number = prop_oneof![Just(None), Just(Some("null")), Just(Some("3"))];
    (text(), text(), number, any::<bool>()).prop_map(|(email, coupon, cycle, test)| {
        let mut members = vec![
            "\"orderId\":\"A1\"".to_owned(),
            "\"totalAmount\":4.50".to_owned(),
            format!("\"isTest\":{test}"),
        ];
        for (name, value) in [("emailAddress", email), ("couponCode", coupon), ("billingCycleNumber", cycle)]
        {
            members.extend(value.map(|value| format!("\"{name}\":{value}")));
        }
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Where nothing is doubted nothing is missing, and what has a kind is of that kind.
    #[test]
    fn what_is_not_doubted_is_there(source in any_expression(), record in record()) {
        let (names, values) = row_scope(&record);
        let text = Text::compile(&format!("{{{{ {source} }}}}"), &names);
        prop_assert!(text.is_ok(), "{source}: {text:?}");
        let text = text.unwrap();
        let settings = settings();
        let result = text.eval(&Frame { values: &values, settings: &settings });
        match &result {
            Err(error) => {
                let missing = error.message().contains("missing");
                prop_assert!(!missing || !text.doubts().is_empty(), "{source} with {record}: {error}");
            }
            Ok(value) => {
                let known = text.kind();
                prop_assert!(known.is_none_or(|kind| kind == value.kind()), "{source}: {known:?}, {value:?}");
            }
        }
    }
}
