//! Values of single fields, by their type.

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::texts;
use crate::record::{Field, FieldType};
use crate::value::{Decimal, Value};

pub(super) type Values = BoxedStrategy<Value>;

/// What the values of a search have in common.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// Times local to the account that a clock change skips or repeats.
    pub(super) changes: Vec<String>,
}

impl World {
    pub(super) fn of(zone: &TimeZone) -> World {
        World { changes: changes(zone) }
    }
}

/// The middle of the hours that the zone skips and repeats in 2026.
fn changes(zone: &TimeZone) -> Vec<String> {
    let Ok(start) = date(2026, 1, 1).to_zoned_datetime(TimeZone::UTC) else { return Vec::new() };
    let within = zone.following(start.timestamp()).take(2);
    within
        .filter_map(|change| {
            let at = change.timestamp();
            let before = zone.to_datetime(at - jiff::SignedDuration::from_secs(1));
            // Half an hour after the clock last showed the old time, by the old time: skipped or, an hour before, repeated.
            let gap = before.checked_add(jiff::SignedDuration::from_mins(30)).ok()?;
            let fold = before.checked_sub(jiff::SignedDuration::from_mins(30)).ok()?;
            let forward =
                zone.to_datetime(at) > before.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
            Some(shown(if forward { gap } else { fold }))
        })
        .collect()
}

fn shown(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn text(texts: texts::Texts) -> Values {
    texts.prop_map(Value::text).boxed()
}

/// A number in one of its two forms: itself, or its digits.
fn numbers(numbers: impl Strategy<Value = Decimal> + 'static) -> Values {
    (numbers, proptest::bool::ANY)
        .prop_map(|(number, quoted)| match quoted {
            true => Value::text(number.to_string()),
            false => Value::Number(number),
        })
        .boxed()
}

fn whole(range: std::ops::Range<i64>) -> BoxedStrategy<Decimal> {
    range.prop_map(|number| Decimal::new(i128::from(number), 0)).boxed()
}

/// Values as the CRM writes them, whatever else may stand there.
pub(super) fn usual(field: &Field, world: &World) -> Values {
    match field.ty {
        FieldType::Id => match texts::by_name(field.name) {
            Some(named) => text(named),
            None => numbers(whole(1..10_000_000)),
        },
        FieldType::Text => text(texts::by_name(field.name).unwrap_or_else(texts::usual)),
        // The test card is another matter, which triggers leave out.
        FieldType::Enum(words) => {
            let words: Vec<&'static str> = words.iter().copied().filter(|word| *word != "TESTCARD").collect();
            select(words).prop_map(Value::text).boxed()
        }
        FieldType::Count => numbers(whole(1..13)),
        FieldType::Money => money(),
        FieldType::Flag => {
            let digit = |digit: &'static str| [Value::text(digit), Value::from(i64::from(digit == "1"))];
            let truths = [Value::Bool(true), Value::Bool(false)];
            select([digit("1"), digit("0"), truths].concat()).boxed()
        }
        FieldType::Timestamp => timestamps(world),
        FieldType::Date => days().prop_map(|day| Value::text(day.strftime("%Y-%m-%d").to_string())).boxed(),
        // What it holds is the account's own.
        FieldType::Any | FieldType::List(_) => {
            let object = Value::object(vec![("note".into(), Value::text("own"))]);
            Union::new([Just(Value::object(Vec::new())).boxed(), Just(object).boxed()]).boxed()
        }
    }
}

/// From nothing to thousands, with up to two digits after the point.
fn money() -> Values {
    let amount = |range: std::ops::Range<i64>, scale: u32| {
        numbers(range.prop_map(move |units| Decimal::new(i128::from(units), scale)))
    };
    Union::new_weighted(vec![
        (6, amount(1..30_000, 2)),
        (2, amount(1..300, 0)),
        (1, amount(1..3_000, 1)),
        (1, amount(0..1, 2)),
        (1, amount(100_000..100_000_000, 2)),
    ])
    .boxed()
}

fn days() -> BoxedStrategy<DateTime> {
    let start = date(2024, 1, 1).at(0, 0, 0, 0);
    (0_i64..1_000)
        .prop_map(move |day| start.saturating_add(jiff::SignedDuration::from_hours(24 * day)))
        .boxed()
}

fn timestamps(world: &World) -> Values {
    let second = (days(), 0_i64..86_400).prop_map(|(day, second)| {
        Value::text(shown(day.saturating_add(jiff::SignedDuration::from_secs(second))))
    });
    let mut all = vec![(8, second.boxed())];
    if !world.changes.is_empty() {
        all.push((1, select(world.changes.clone()).prop_map(Value::text).boxed()));
    }
    Union::new_weighted(all).boxed()
}

/// Values that hardly ever arrive, or never should.
pub(super) fn odd(field: &Field) -> Values {
    let texts = |words: &'static [&'static str]| select(words).prop_map(Value::text).boxed();
    let decimals = |digits: &'static [&'static str]| {
        select(digits).prop_map(|digits| Decimal::parse(digits).map_or(Value::Null, Value::Number)).boxed()
    };
    let wrong = Union::new([
        Just(Value::object(Vec::new())).boxed(),
        Just(Value::list(vec![Value::text("x")])).boxed(),
        Just(Value::Bool(true)).boxed(),
    ])
    .boxed();
    let own = match field.ty {
        FieldType::Id | FieldType::Text | FieldType::Any => text(texts::odd()),
        FieldType::Enum(_) => texts(&["BRAND_NEW", "lower case", "TESTCARD"]),
        FieldType::Count => {
            Union::new([decimals(&["0", "-1", "1.5", "9007199254740993"]), texts(&["many", "0", "1e3"])])
                .boxed()
        }
        FieldType::Money => Union::new([
            decimals(&["-5.00", "0.125", "19.9999", "99999999999.99", "1e30"]),
            texts(&["-5.00", "n/a", "1,234.50", "$5", "19.9999"]),
        ])
        .boxed(),
        FieldType::Flag => Union::new([texts(&["yes", "2"]), decimals(&["2"])]).boxed(),
        FieldType::Timestamp | FieldType::Date => {
            texts(&["0000-00-00 00:00:00", "soon", "2026-02-30 25:00:00", "09/16/2026"])
        }
        FieldType::List(_) => Union::new([texts(&["", "none"]), Just(Value::Bool(false)).boxed()]).boxed(),
    };
    Union::new_weighted(vec![(3, own), (1, wrong)]).boxed()
}
