//! Laws of values, expressions and templates, over generated records and sources.
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "tests")]

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use zaprun_core::expression::{Expression, Frame, Names, Settings, Shape, Text};
use zaprun_core::template::Template;
use zaprun_core::value::{Decimal, DecimalError, MAX_DEPTH, Value};

fn names() -> Names {
    Names::new().with("record", Shape::Any)
}

fn eval(source: &str, record: &Value) -> Option<Result<Value, String>> {
    let text = Text::compile(source, &names()).ok()?;
    let settings = Settings::default();
    let values = [record.clone()];
    let result = text.eval(&Frame { values: &values, settings: &settings });
    Some(result.map_err(|error| error.message().to_owned()))
}

/// Numbers as digits, so that none is limited by a machine type.
fn number_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,3})",
        "-?(0|[1-9][0-9]{0,40})\\.[0-9]{1,30}",
        "-?(0|[1-9][0-9]{0,60})",
        "-?[1-9]\\.[0-9]{1,3}e[+-]?[0-9]{1,7}",
    ]
}

fn json_string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 .]{0,8}",
        "\\PC{0,6}",
        Just("19.90".to_owned()),
        Just("2026-09-16 14:25:31".to_owned())
    ]
    .prop_map(|text| Value::from(text).to_json().unwrap())
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        2 => Just("null".to_owned()),
        2 => prop_oneof![Just("true".to_owned()), Just("false".to_owned())],
        4 => number_text(),
        4 => json_string(),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[abcd]", inner), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn record_text() -> impl Strategy<Value = String> {
    (json_text(), json_text(), json_text(), json_text())
        .prop_map(|(a, b, c, d)| format!(r#"{{"a":{a},"b":{b},"c":{c},"d":{d}}}"#))
}

fn expression_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "record(\\.[abcdx]){1,3}",
        "record\\.[abcd]\\[-?[0-3]\\]",
        "[0-9]{1,30}(\\.[0-9]{1,8})?",
        "'[a-z0-9. ]{0,6}'",
        Just("none".to_owned()),
        Just("true".to_owned()),
    ];
    let binary = prop::sample::select(vec![
        "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and",
        "or",
    ]);
    let filter = prop::sample::select(
        "upper lower title titlecase trim length first last list sort unique reverse min max sum round abs int number \
         string bool tojson items dictsort urlencode escape csv_safe sha256 b64 striptags lines split titlecase money \
         round_money to_minor datetime unix iso date_format norm_email extract_email select reject zip_objects \
         join(',') default(1) batch(2) slice(2) map(attribute='a') map('upper') select('gt',1) groupby('a') \
         truncate_chars(3) replace('a','b') regex_replace('[a-c]','$0$0') regex_search('b') indent(2) attr('a') \
         selectattr('a') rejectattr('b','eq',1) date_add('3d') date_diff('2026-01-01') jsonpath('$..a') format(1) \
         round(2,'ceil') sort(attribute='a') sum(attribute='b') zip([1]) uuid5 hmac_sha256('k')"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    let test = prop::sample::select(
        "defined none number string odd even true integer float sequence mapping eq(1) gt(1) in([1]) divisibleby(2) \
         startingwith('a')"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), binary.clone(), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), filter.clone()).prop_map(|(a, filter)| format!("({a} | {filter})")),
            (inner.clone(), test.clone()).prop_map(|(a, test)| format!("({a} is {test})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            inner.clone().prop_map(|a| format!("(-{a})")),
            (inner.clone(), -3_i8..4, -3_i8..4).prop_map(|(a, from, to)| format!("({a})[{from}:{to}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("[{a}, {b}, {{'k': {a}}}]")),
        ]
    })
}

/// JSON with all its numbers as the nearest floats: serde_json tells `10` from `1.0e1`, and `-0` from `0`.
fn as_floats(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => format!("{:e}", number.as_f64().unwrap_or(0.0) + 0.0).into(),
        serde_json::Value::Array(items) => items.into_iter().map(as_floats).collect(),
        serde_json::Value::Object(members) => serde_json::Value::Object(
            members.into_iter().map(|(name, value)| (name, as_floats(value))).collect(),
        ),
        other => other,
    }
}

fn rational(text: &str) -> BigRational {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
    BigRational::new(digits, BigInt::from(10).pow(u32::try_from(fraction.len()).unwrap()))
}

fn of(number: &Decimal) -> BigRational {
    rational(&number.to_string())
}

/// Whether a value needs more than 28 digits in plain notation.
fn too_long(value: &BigRational) -> bool {
    let ten = BigRational::from_integer(10.into());
    let mut scaled = value.clone();
    for _ in 0..200 {
        if scaled.is_integer() {
            return scaled.to_integer().magnitude().to_string().len() > 28;
        }
        scaled *= &ten;
    }
    true
}

fn agrees(result: Result<Decimal, DecimalError>, expected: &BigRational) -> Result<(), TestCaseError> {
    match result {
        Ok(number) => prop_assert_eq!(of(&number), expected.clone()),
        Err(error) => prop_assert!(error == DecimalError::TooManyDigits && too_long(expected), "{}", error),
    }
    Ok(())
}

/// `value` rounded half-even to 28 significant digits.
fn rounded_to_28(value: &BigRational) -> BigRational {
    let ten = BigRational::from_integer(10.into());
    let (low, high) = (ten.pow(27), ten.pow(28));
    let magnitude = if value < &BigRational::from_integer(0.into()) { -value } else { value.clone() };
    let mut shift = 0_i32;
    let mut scaled = magnitude;
    while scaled >= high {
        scaled /= &ten;
        shift += 1;
    }
    while scaled < low {
        scaled *= &ten;
        shift -= 1;
    }
    let floor = scaled.floor();
    let rest = &scaled - &floor;
    let half = BigRational::new(1.into(), 2.into());
    let odd = (floor.to_integer() % 2) != BigInt::from(0);
    let rounded = if rest > half || (rest == half && odd) {
        floor + BigRational::from_integer(1.into())
    } else {
        floor
    };
    let sign = if value < &BigRational::from_integer(0.into()) { -rounded } else { rounded };
    sign * ten.pow(shift)
}

fn decimal_text() -> impl Strategy<Value = String> {
    prop_oneof!["-?[0-9]{1,4}", "-?[0-9]{1,12}\\.[0-9]{1,10}", "-?[0-9]{1,30}(\\.[0-9]{1,20})?"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn evaluation_is_total_and_deterministic(record in record_text(), source in expression_text()) {
        let record = Value::from_json(&record).unwrap();
        let whole = format!("{{{{ {source} }}}}");
        let first = eval(&whole, &record);
        let again = eval(&whole, &record);
        prop_assert_eq!(&first, &again);
        if let Some(Ok(value)) = first {
            prop_assert!(!matches!(value, Value::Null | Value::Absent(_)));
            prop_assert!(value.depth() <= MAX_DEPTH);
        }
    }

    #[test]
    fn templates_are_total_and_never_print_what_is_missing(
        record in record_text(),
        a in expression_text(),
        b in expression_text(),
    ) {
        let source = format!(
            "x{{{{ {a} }}}}{{% for i in record.a %}}{{{{ i }}}}{{% if {b} %}}{{% set y = i %}}{{% endif %}}{{% else %}}{{{{ {b} }}}}{{% endfor %}}"
        );
        let record = Value::from_json(&record).unwrap();
        if let Some(Ok(value)) = eval(&source, &record) {
            let text = value.as_text().unwrap_or_default().to_owned();
            prop_assert!(!text.contains("None") && !text.contains("undefined") && !text.contains("Absent"), "{}", text);
        }
    }

    #[test]
    fn any_source_compiles_or_is_explained(text in "[ -~\u{e9}\n{%}#]{0,40}", open in prop::sample::select(vec!["{{ ", "{% ", "{# ", "$.", "$[", "{{", "x{%if "])) {
        for source in [format!("{open}{text}"), format!("{open}{text} }}}}"), format!("{open}{text}%}}{{{{ record")] {
            if let Err(problems) = Text::compile(&source, &names()) {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(source.get(problem.range.clone()).is_some(), "{:?} of {:?}", problem.range, source);
                }
            }
        }
    }

    #[test]
    fn errors_lie_in_the_source(record in record_text(), source in expression_text()) {
        let record = Value::from_json(&record).unwrap();
        let settings = Settings::default();
        if let Ok(expression) = Expression::compile(&source, &names())
            && let Err(error) = expression.eval(&Frame { values: &[record], settings: &settings })
        {
            prop_assert!(source.get(error.range()).is_some(), "{:?} of {}", error.range(), source);
            prop_assert!(!error.message().is_empty());
        }
    }

    #[test]
    fn a_whole_expression_keeps_the_json(text in json_text()) {
        let record = Value::from_json(&format!(r#"{{"a":{text}}}"#)).unwrap();
        let plain = Value::from_json(&text).unwrap();
        match eval("{{ record.a }}", &record).unwrap() {
            Ok(value) => {
                prop_assert_eq!(value.kind(), plain.kind());
                prop_assert_eq!(value.to_json().unwrap(), plain.to_json().unwrap());
            }
            Err(_) => prop_assert!(plain.is_missing()),
        }
    }

    #[test]
    fn numbers_keep_their_digits(text in "-?[1-9][0-9]{0,60}(\\.[0-9]{1,30})?") {
        prop_assert_eq!(&Value::from_json(&text).unwrap().to_json().unwrap(), &text);
        prop_assert_eq!(Decimal::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn reading_json_agrees_with_serde(text in json_text()) {
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        prop_assert!(Value::from_json(&text).is_ok());
        if let (Ok(theirs), Ok(ours)) = (theirs, Value::from_json(&text).unwrap().to_json()) {
            prop_assert_eq!(as_floats(serde_json::from_str(&ours).unwrap()), as_floats(theirs));
        }
    }

    #[test]
    fn broken_json_is_judged_as_by_serde(text in "[\\[\\]{},:\"a1.e+\\- tnu\\\\]{0,12}") {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let ours = Value::from_json(&text);
        // The one difference: half a surrogate pair, which this alphabet cannot write.
        prop_assert_eq!(ours.is_ok(), theirs, "{:?}: {:?}", text, ours);
    }

    #[test]
    fn literals_survive_byte_for_byte(text in "\\PC{0,30}") {
        prop_assume!(!text.starts_with("$.") && !text.starts_with("$[") && !text.starts_with("$$"));
        prop_assume!(!text.contains("{{") && !text.contains("{%") && !text.contains("{#"));
        let record = Value::from_json("{}").unwrap();
        prop_assert_eq!(eval(&text, &record).unwrap().unwrap(), Value::from(text.as_str()));
        let dollar = format!("${text}");
        let escaped = format!("${dollar}");
        prop_assert_eq!(eval(&escaped, &record).unwrap().unwrap(), Value::from(dollar));
    }

    #[test]
    fn text_around_expressions_survives(before in "[^{]{0,20}", after in "[^{]{0,20}", value in "\\PC{0,10}") {
        prop_assume!(!before.starts_with('$'));
        let record = Value::object(vec![("v".into(), Value::from(value.as_str()))]);
        let settings = Settings::default();
        let source = format!("{before}{{{{ record.v }}}}{after}");
        let template = Template::compile(&source, &names()).unwrap();
        let text = template.render(&Frame { values: &[record], settings: &settings }).unwrap();
        prop_assert_eq!(text, format!("{before}{value}{after}"));
    }

    #[test]
    fn string_literals_in_expressions_survive(text in "[^'\\\\{}]{0,20}") {
        let record = Value::from_json("{}").unwrap();
        let source = format!("{{{{ '{text}' }}}}");
        prop_assert_eq!(eval(&source, &record).unwrap().unwrap(), Value::from(text));
    }

    #[test]
    fn arithmetic_agrees_with_rationals(a in decimal_text(), b in decimal_text()) {
        let (x, y) = (Decimal::parse(&a).unwrap(), Decimal::parse(&b).unwrap());
        let (p, q) = (rational(&a), rational(&b));
        agrees(x.checked_add(&y), &(&p + &q))?;
        agrees(x.checked_sub(&y), &(&p - &q))?;
        agrees(x.checked_mul(&y), &(&p * &q))?;
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        if y.is_zero() {
            prop_assert_eq!(x.checked_div(&y), Err(DecimalError::DivisionByZero));
            prop_assert_eq!(x.checked_floor_div(&y), Err(DecimalError::DivisionByZero));
            prop_assert_eq!(x.checked_rem(&y), Err(DecimalError::DivisionByZero));
        } else {
            let floor = (&p / &q).floor();
            agrees(x.checked_floor_div(&y), &floor)?;
            agrees(x.checked_rem(&y), &(&p - &floor * &q))?;
            let quotient = &p / &q;
            let rounded = if x.is_zero() { quotient } else { rounded_to_28(&quotient) };
            agrees(x.checked_div(&y), &rounded)?;
        }
    }

    #[test]
    fn operators_compute_what_decimals_compute(a in decimal_text(), b in decimal_text()) {
        let record = Value::from_json(&format!(r#"{{"a":{{"v":"{a}"}},"b":{{"v":"{b}"}}}}"#)).unwrap();
        let run = |op: &str| eval(&format!("{{{{ (record.a.v | number) {op} (record.b.v | number) }}}}"), &record).unwrap().ok();
        let (x, y) = (Decimal::parse(&a).unwrap(), Decimal::parse(&b).unwrap());
        prop_assert_eq!(run("+"), x.checked_add(&y).ok().map(Value::Number));
        prop_assert_eq!(run("-"), x.checked_sub(&y).ok().map(Value::Number));
        prop_assert_eq!(run("*"), x.checked_mul(&y).ok().map(Value::Number));
        prop_assert_eq!(run("/"), x.checked_div(&y).ok().map(Value::Number));
        prop_assert_eq!(run("//"), x.checked_floor_div(&y).ok().map(Value::Number));
        prop_assert_eq!(run("%"), x.checked_rem(&y).ok().map(Value::Number));
        prop_assert_eq!(run("<"), Some(Value::Bool(x < y)));
        prop_assert_eq!(run("=="), Some(Value::Bool(x == y)));
    }

    #[test]
    fn division_drops_trailing_zeros(a in decimal_text(), b in decimal_text()) {
        if let Ok(quotient) = Decimal::parse(&a).unwrap().checked_div(&Decimal::parse(&b).unwrap()) {
            let text = quotient.to_string();
            prop_assert!(!text.contains('.') || !text.ends_with('0'), "{}", text);
        }
    }
}
