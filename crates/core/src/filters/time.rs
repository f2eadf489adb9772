//! Filters for times. The account's zone reads local timestamps and shows instants.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, ZonedDateTime, ZonedDateTimeDifference};

use super::args::param;
use super::{Call, Fallback, FilterSpec, Output, ParamType, example};
use crate::expression::problem::Fault;
use crate::value::{Decimal, Instant, Kind, Object, Value};

const TIME: &[Kind] = &[Kind::Instant, Kind::Text];

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: &[Kind::Instant, Kind::Text, Kind::Object],
        output: Output::Is(Kind::Instant),
        params: &[
            param(
                "format",
                ParamType::DateFormat,
                Fallback::Nothing,
                "strftime pattern of the text; the CRM's and RFC 3339 if not given",
            ),
            param(
                "zone",
                ParamType::Zone,
                Fallback::Nothing,
                "zone of a local time; the account's if not given",
            ),
        ],
        examples: &[
            example("'2026-09-16 14:25:31' | datetime", "{}", r#""2026-09-16T14:25:31-04:00""#),
            example("'2026-11-01 01:30:00' | datetime", "{}", r#""2026-11-01T01:30:00-04:00""#),
            example("'2026-03-08 02:30:00' | datetime", "{}", r#""2026-03-08T03:30:00-04:00""#),
            example("'2026-09-16T18:25:31Z' | datetime", "{}", r#""2026-09-16T14:25:31-04:00""#),
            example("'09/16/2026' | datetime('%m/%d/%Y')", "{}", r#""2026-09-16T00:00:00-04:00""#),
            example("'2026-09-16' | datetime(zone='UTC')", "{}", r#""2026-09-15T20:00:00-04:00""#),
            example(
                "cardExpiryDate | datetime",
                r#"{"cardExpiryDate":{"date":"2031-09-30 23:59:59.000000","timezone_type":3,"timezone":"America/New_York"}}"#,
                r#""2031-09-30T23:59:59-04:00""#,
            ),
            example("'soon' | datetime", "{}", "error: not a time"),
        ],
        ..FilterSpec::new(
            "datetime",
            "Reads a time; one without an offset is local, a repeated one is the earlier, a skipped one moves forward.",
            |call, value| datetime(call, value).map(Value::Instant),
        )
    },
    FilterSpec {
        input: TIME,
        output: Output::Is(Kind::Text),
        params: &[
            param("format", ParamType::DateFormat, Fallback::Text("%Y-%m-%d"), "strftime pattern"),
            param(
                "zone",
                ParamType::Zone,
                Fallback::Nothing,
                "zone to show it in; the account's if not given",
            ),
        ],
        examples: &[
            example(
                "'2026-09-16 14:25:31' | datetime | date_format('%d.%m.%Y %H:%M')",
                "{}",
                r#""16.09.2026 14:25""#,
            ),
            example("'2026-09-16 22:25:31' | date_format('%Y-%m-%d', 'UTC')", "{}", r#""2026-09-17""#),
            example("'2026-09-16' | date_format('%!')", "{}", "error: not a date pattern"),
        ],
        ..FilterSpec::new("date_format", "Writes a time by a strftime pattern.", |call, value| {
            let shown = moment(call, value)?.in_zone(call.zone(1).clone());
            strtime::format(call.text(0), shown.zoned()).map(Value::from).map_err(|_| bad_format())
        })
    },
    FilterSpec {
        input: TIME,
        output: Output::Is(Kind::Instant),
        params: &[param(
            "duration",
            ParamType::Duration,
            Fallback::Required,
            "such as `3d`, `-90m`, `1mo`, `1h30m`",
        )],
        examples: &[
            example(
                "'2026-09-16 14:25:31' | datetime | date_add('3d')",
                "{}",
                r#""2026-09-19T14:25:31-04:00""#,
            ),
            example(
                "'2026-09-16 14:25:31' | datetime | date_add('-90m')",
                "{}",
                r#""2026-09-16T12:55:31-04:00""#,
            ),
            example(
                "'2026-10-31 12:00:00' | datetime | date_add('1d')",
                "{}",
                r#""2026-11-01T12:00:00-05:00""#,
            ),
            example("'2026-01-31' | datetime | date_add('1mo')", "{}", r#""2026-02-28T00:00:00-05:00""#),
            example("'2026-01-31' | datetime | date_add('3')", "{}", "error: needs a unit"),
        ],
        ..FilterSpec::new(
            "date_add",
            "Adds a duration; days, weeks, months and years go by the calendar.",
            date_add,
        )
    },
    FilterSpec {
        input: TIME,
        output: Output::Is(Kind::Number),
        params: &[
            param("other", ParamType::Any, Fallback::Required, "the time to subtract"),
            param(
                "unit",
                ParamType::Choice(&[
                    "seconds", "second", "s", "minutes", "minute", "m", "hours", "hour", "h", "days", "day",
                    "d", "weeks", "week", "w", "months", "month", "mo", "years", "year", "y",
                ]),
                Fallback::Text("days"),
                "`seconds`, `minutes`, `hours`, `days`, `weeks`, `months` or `years`",
            ),
        ],
        examples: &[
            example(
                "'2026-09-19 14:00:00' | datetime | date_diff('2026-09-16 15:00:00' | datetime, 'days')",
                "{}",
                "2",
            ),
            example(
                "'2026-09-16' | datetime | date_diff('2026-09-19 01:00:00' | datetime, 'days')",
                "{}",
                "-3",
            ),
            example("'2026-09-16 15:30:00' | date_diff('2026-09-16 14:00:00', 'hours')", "{}", "1"),
            example("'2026-03-09' | date_diff('2026-03-08', 'hours')", "{}", "23"),
        ],
        ..FilterSpec::new(
            "date_diff",
            "Gives the whole units from the other time to this one, towards zero.",
            date_diff,
        )
    },
    FilterSpec {
        input: TIME,
        output: Output::Is(Kind::Number),
        examples: &[example("'2026-09-16 14:25:31' | datetime | unix", "{}", "1789583131")],
        ..FilterSpec::new("unix", "Gives the seconds since 1970 in UTC.", |call, value| {
            Ok(Value::from(whole_second(moment(call, value)?.timestamp())))
        })
    },
    FilterSpec {
        input: TIME,
        output: Output::Is(Kind::Text),
        examples: &[example("'2026-09-16 14:25:31' | datetime | iso", "{}", r#""2026-09-16T18:25:31Z""#)],
        ..FilterSpec::new("iso", "Writes a time in UTC, as RFC 3339 with `Z`.", |call, value| {
            Ok(Value::from(moment(call, value)?.to_utc_text()))
        })
    },
];

fn whole_second(at: Timestamp) -> i64 {
    // Before 1970 the fraction of a second is negative.
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// An instant, or what `datetime` reads from text.
fn moment(call: &Call<'_>, value: &Value) -> Result<Instant, Fault> {
    match value {
        Value::Instant(instant) => Ok(instant.clone()),
        Value::Text(text) => read(text, &call.settings.zone, &call.settings.zone),
        other => Err(Fault::new(format!("takes an instant or text, not {}", other.kind()))),
    }
}

fn datetime(call: &Call<'_>, value: &Value) -> Result<Instant, Fault> {
    let (zone, shown) = (call.zone(1), &call.settings.zone);
    match (value, call.given_text(0)) {
        (Value::Text(text), Some(format)) => {
            let parsed = strtime::parse(format, text.trim())
                .map_err(|_| Fault::new("the text does not follow the pattern").value(text))?;
            if let Ok(at) = parsed.to_timestamp() {
                return Ok(Instant::new(at, shown.clone()));
            }
            let local = parsed.to_datetime().or_else(|_| parsed.to_date().map(DateTime::from));
            local.ok().and_then(|local| in_zone(local, zone, shown)).ok_or_else(|| not_a_time(text))
        }
        (Value::Text(text), None) => read(text, zone, shown),
        (Value::Object(php), _) => written_by_php(php, zone, shown),
        _ => moment(call, value),
    }
}

/// `{date, timezone_type, timezone}`, as PHP writes a time and the CRM's pushes do (contract §1.6). Its zone is by name, by
/// offset or by abbreviation; the last is no zone, and then the local one counts.
fn written_by_php(php: &Object, zone: &TimeZone, shown: &TimeZone) -> Result<Instant, Fault> {
    let text = |name: &str| php.member(name).as_text().map(str::trim).filter(|text| !text.is_empty());
    let Some(date) = text("date") else {
        return Err(Fault::new("takes an instant, text or a PHP date, not another object"));
    };
    match text("timezone") {
        None => read(date, zone, shown),
        Some(named) => {
            if let Ok(known) = TimeZone::get(named) {
                return read(date, &known, shown);
            }
            let written = format!("{}{named}", date.replacen(' ', "T", 1));
            match written.parse::<Timestamp>() {
                Ok(at) => Ok(Instant::new(at, shown.clone())),
                Err(_) => read(date, zone, shown),
            }
        }
    }
}

/// A text as the CRM writes it, or RFC 3339.
fn read(text: &str, zone: &TimeZone, shown: &TimeZone) -> Result<Instant, Fault> {
    let trimmed = text.trim();
    // A date alone has no clock that could carry an offset.
    if trimmed.len() <= 10 {
        let date = trimmed.parse::<Date>().ok();
        let instant = date.and_then(|date| in_zone(DateTime::from(date), zone, shown));
        return instant.ok_or_else(|| not_a_time(text));
    }
    // The CRM's own form is by far the most frequent, and the general readers take microseconds to refuse a text.
    if let Some(local) = crm_time(trimmed) {
        return in_zone(local, zone, shown).ok_or_else(|| not_a_time(text));
    }
    if let Ok(at) = trimmed.parse::<Timestamp>() {
        return Ok(Instant::new(at, shown.clone()));
    }
    let local = trimmed.parse::<DateTime>().ok();
    local.and_then(|local| in_zone(local, zone, shown)).ok_or_else(|| not_a_time(text))
}

/// `2026-09-16 14:25:31`, exactly.
fn crm_time(text: &str) -> Option<DateTime> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| bytes[*at] != *separator) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
        })
    };
    let small = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    DateTime::new(number(0, 4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, 0).ok()
}

/// A repeated local time is the earlier instant; a skipped one moves forward by the length of the gap.
fn in_zone(local: DateTime, zone: &TimeZone, shown: &TimeZone) -> Option<Instant> {
    let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Instant::new(at, shown.clone()))
}

fn not_a_time(text: &str) -> Fault {
    Fault::new("not a time")
        .value(text)
        .help("write `2026-09-16 14:25:31`, or give the pattern: `datetime('%m/%d/%Y')`")
}

fn bad_format() -> Fault {
    Fault::new("not a date pattern").help("write it as `%Y-%m-%d %H:%M:%S`")
}

/// Tries the pattern on a moment.
pub(super) fn check_format(format: &str) -> Result<(), Fault> {
    if format.len() > 1000 {
        return Err(Fault::new("the pattern is longer than 1000 bytes"));
    }
    let sample = ZonedDateTime::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    strtime::format(format, &sample).map(|_| ()).map_err(|_| bad_format())
}

fn date_add(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let start = moment(call, value)?;
    let sum = start.zoned().checked_add(call.duration(0)?);
    sum.map(|sum| Value::Instant(Instant::from(sum)))
        .map_err(|_| Fault::new("the time lies beyond the year 9999"))
}

fn date_diff(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let this = moment(call, value)?.in_zone(call.settings.zone.clone());
    let other = call
        .value(0)
        .map_or_else(|| Err(Fault::new("argument `other` is not given")), |other| moment(call, other))?;
    let other = other.in_zone(call.settings.zone.clone());
    let unit = match call.text(1) {
        "seconds" | "second" | "s" => Unit::Second,
        "minutes" | "minute" | "m" => Unit::Minute,
        "hours" | "hour" | "h" => Unit::Hour,
        "weeks" | "week" | "w" => Unit::Week,
        "months" | "month" | "mo" => Unit::Month,
        "years" | "year" | "y" => Unit::Year,
        _ => Unit::Day,
    };
    let difference = ZonedDateTimeDifference::new(this.zoned()).smallest(unit).largest(unit);
    let span = other.zoned().until(difference).map_err(|_| Fault::new("the times lie too far apart"))?;
    let units = match unit {
        Unit::Second => span.get_seconds(),
        Unit::Minute => span.get_minutes(),
        Unit::Hour => i64::from(span.get_hours()),
        Unit::Week => i64::from(span.get_weeks()),
        Unit::Month => i64::from(span.get_months()),
        Unit::Year => i64::from(span.get_years()),
        _ => i64::from(span.get_days()),
    };
    Ok(Value::Number(Decimal::from(units)))
}

/// Reads `3d`, `-90m`, `1h30m`.
pub(super) fn parse_duration(text: &str) -> Result<Span, Fault> {
    let wrong = || {
        Fault::new("not a duration")
            .value(text)
            .help("write it as `90s`, `15m`, `24h`, `3d`, `2w`, `1mo` or `1y`")
    };
    let trimmed = text.trim();
    let (negative, mut rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut span = Span::new();
    let mut units: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if !number.is_empty() && unit.is_empty() {
            return Err(Fault::new("a duration needs a unit").help("write it as `3d` or `90m`"));
        }
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let longer = match unit {
            "s" => span.try_seconds(number),
            "m" => span.try_minutes(number),
            "h" => span.try_hours(number),
            "d" => span.try_days(number),
            "w" => span.try_weeks(number),
            "mo" => span.try_months(number),
            "y" => span.try_years(number),
            _ => return Err(wrong()),
        };
        if units.contains(&unit) {
            return Err(wrong());
        }
        units.push(unit);
        span = longer.map_err(|_| Fault::new("the duration is too long"))?;
        rest = after.trim_start();
    }
    Ok(if negative { span.negate() } else { span })
}
