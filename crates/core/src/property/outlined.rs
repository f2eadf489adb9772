//! Records by what their author says of them: by the schema of a trigger, or by what its samples have in common.

use std::sync::Arc;

use proptest::collection;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::members::{Made, Mades, Mode};
use super::rows::{only, within};
use super::{texts, vary};
use crate::expression::{Gap, Shape, Type};
use crate::value::{Decimal, Kind, Value};
use crate::zap::{Trigger, Zap};

/// Whether it is said what the records of a trigger hold.
pub(super) fn outlined(zap: &Zap) -> bool {
    matches!(zap.trigger, Trigger::Webhook(_) | Trigger::Http(_))
        && matches!(zap.outline.shape, Shape::Members(_) | Shape::Open(_))
}

/// What makes records. `seen` are those of the tests, which show how its texts are written.
pub(super) fn record(outline: &Type, seen: &[&Value], mode: Mode) -> Mades {
    of("", outline, seen, mode)
}

fn of(name: &str, outline: &Type, seen: &[&Value], mode: Mode) -> Mades {
    match &outline.shape {
        Shape::Members(members) | Shape::Open(members) => {
            let names: Vec<Arc<str>> = members.iter().map(|(name, _)| Arc::clone(name)).collect();
            let made = members.iter().map(|(name, outline)| {
                let seen: Vec<&Value> = seen
                    .iter()
                    .filter_map(|value| value.as_object())
                    .filter_map(|object| object.get(name))
                    .collect();
                member(name, outline, &seen, mode)
            });
            vary::together(names, made.collect())
        }
        Shape::List(item) => {
            let seen: Vec<&Value> = seen.iter().filter_map(|value| value.as_list()).flatten().collect();
            let many = match mode {
                Mode::Full => 1..3,
                Mode::Absent | Mode::Null | Mode::Empty => 0..1,
                Mode::Usual | Mode::Odd => 0..4,
            };
            collection::vec(of(name, item, &seen, mode), many).prop_map(listed).boxed()
        }
        Shape::Scalar(Kind::Text) => text(name, outline, seen, mode),
        Shape::Scalar(Kind::Number) => number(seen),
        Shape::Scalar(Kind::Bool) => {
            proptest::bool::ANY.prop_map(|value| Made::usual(Value::Bool(value))).boxed()
        }
        Shape::Scalar(_) | Shape::Record(_) | Shape::Item(_) => only(Value::Null),
        // What the tests have there; else something.
        Shape::Any if !seen.is_empty() => chosen(seen),
        Shape::Any => texts::plain().prop_map(|text| Made::usual(Value::text(text))).boxed(),
    }
}

fn chosen(seen: &[&Value]) -> Mades {
    let seen: Vec<Value> = seen.iter().map(|value| (*value).clone()).collect();
    select(seen).prop_map(Made::usual).boxed()
}

/// A member: there, missing as its outline says that it may be, or, in the odd mode, otherwise.
fn member(name: &str, outline: &Type, seen: &[&Value], mode: Mode) -> Mades {
    let usual = of(name, outline, seen, mode);
    let gone = match outline.gap {
        Some(Gap::Optional) => Some(Just(Made::absent()).boxed()),
        Some(Gap::Null) => Some(Just(Made::usual(Value::Null)).boxed()),
        Some(Gap::OptionalOrNull) => {
            Some(Union::new([Just(Made::absent()).boxed(), Just(Made::usual(Value::Null)).boxed()]).boxed())
        }
        Some(Gap::Step(_) | Gap::NotFound) | None => None,
    };
    match (mode, gone) {
        (Mode::Absent | Mode::Null | Mode::Empty, Some(gone)) => gone,
        (Mode::Usual, Some(gone)) => Union::new_weighted(vec![(1, gone), (2, usual)]).boxed(),
        (Mode::Odd, gone) => {
            let strange = [None, Some(Value::Null), Some(Value::text("")), Some(Value::list(Vec::new()))];
            let strange = strange.map(|value| Made { value, odd: vec![String::new()] });
            let texts = texts::odd()
                .prop_map(|text| Made { value: Some(Value::text(text)), odd: vec![String::new()] });
            let mut all: Vec<(u32, Mades)> = gone.into_iter().map(|gone| (6, gone)).collect();
            all.extend([(14, usual), (1, select(strange.to_vec()).boxed()), (1, texts.boxed())]);
            Union::new_weighted(all).boxed()
        }
        (_, _) => usual,
    }
}

fn listed(made: Vec<Made>) -> Made {
    let place = |(at, made): (usize, &Made)| {
        made.odd.iter().map(|place| within(&format!("[{at}]"), place)).collect::<Vec<_>>()
    };
    let odd = made.iter().enumerate().flat_map(place).collect();
    Made { value: Some(Value::list(made.into_iter().filter_map(|made| made.value).collect())), odd }
}

fn text(name: &str, outline: &Type, seen: &[&Value], mode: Mode) -> Mades {
    let usual = |texts: texts::Texts| texts.prop_map(|text| Made::usual(Value::text(text))).boxed();
    if let Some(words) = &outline.text.words {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        return usual(select(words).boxed());
    }
    // A date or a number in a text is written as the tests have it: no schema says how.
    let written: Vec<&Value> = seen.iter().copied().filter(|value| value.as_text().is_some()).collect();
    let formal = |text: &str| text.chars().any(|sign| sign.is_ascii_digit() || sign == '@');
    if written.iter().any(|value| value.as_text().is_some_and(formal)) {
        return chosen(&written);
    }
    let (min, max) = (outline.text.min, outline.text.max);
    if let Some(named) = by_name(name) {
        return usual(bounded(named, min, max));
    }
    let free = usual(bounded(texts::usual(), min, max));
    match (min, mode) {
        (0, Mode::Empty) => only(Value::text("")),
        (0, Mode::Usual | Mode::Odd) => {
            Union::new_weighted(vec![(1, only(Value::text(""))), (7, free)]).boxed()
        }
        _ => free,
    }
}

fn bounded(texts: texts::Texts, min: usize, max: Option<usize>) -> texts::Texts {
    if min == 0 && max.is_none() {
        return texts;
    }
    texts
        .prop_map(move |text| {
            let lacks = min.saturating_sub(text.chars().count());
            text.chars().chain(std::iter::repeat_n('x', lacks)).take(max.unwrap_or(usize::MAX)).collect()
        })
        .boxed()
}

/// What a text holds by its name, in words that many systems use.
fn by_name(name: &str) -> Option<texts::Texts> {
    if let Some(known) = texts::by_name(name) {
        return Some(known);
    }
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let has = |part: &str| bare.contains(part);
    match () {
        () if has("email") => texts::by_name("emailAddress"),
        () if has("phone") || has("mobile") => texts::by_name("phoneNumber"),
        () if has("url") || has("link") => texts::by_name("salesUrl"),
        () if has("currency") => texts::by_name("currencyCode"),
        () if has("country") => texts::by_name("country"),
        () if name.ends_with("At") || name.ends_with("_at") || has("date") || has("time") => {
            let times = ["2026-09-16T14:25:31Z", "2026-03-08T02:30:00-05:00", "2024-02-29T23:59:59+02:00"];
            Some(select(times.to_vec()).prop_map(str::to_owned).boxed())
        }
        () if bare == "id" || name.ends_with("Id") || name.ends_with("_id") => Some(texts::hex(8)),
        () => None,
    }
}

/// Whole numbers, and others unless the tests have whole ones alone.
fn number(seen: &[&Value]) -> Mades {
    let numbers: Vec<&Value> = seen.iter().copied().filter(|value| value.as_number().is_some()).collect();
    let of = |range: std::ops::Range<i64>, scale: u32| -> BoxedStrategy<Made> {
        range
            .prop_map(move |units| Made::usual(Value::Number(Decimal::new(i128::from(units), scale))))
            .boxed()
    };
    let mut all = vec![(3, of(1..10_000, 0))];
    let whole = |value: &&&Value| value.as_number().is_some_and(|number| !number.to_string().contains('.'));
    if numbers.is_empty() || numbers.iter().filter(whole).count() < numbers.len() {
        all.push((3, of(0..300_000, 2)));
    }
    if !numbers.is_empty() {
        all.push((2, chosen(&numbers)));
    }
    Union::new_weighted(all).boxed()
}
