//! Cron expressions: the times of a calendar, as instants in a zone.
//!
//! The calendar is that of the zone's clocks, and each of its times comes once:
//!
//! - a time that the clocks skip in spring comes at the first instant after the gap, once, however many of its times
//!   the gap swallowed, and together with a time that falls there anyway;
//! - a time that the clocks repeat in autumn comes the first time, and not the second.
//!
//! So `30 2 * * *` comes every day, `0 1 * * *` once a day, and `*/15 * * * *` pauses for the hour that is repeated.
//! Times are counted from the calendar, never from when something ran, so nothing drifts.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The five fields, and what each may hold.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, L"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of week", "0 to 7 (both are Sunday) or SUN to SAT"),
];

/// A cron expression of five fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(croner::Cron);

impl Cron {
    /// Reads an expression: minute, hour, day of month, month, day of week.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment that names the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if text.trim_start().starts_with('@') {
            return Err("a name for times is not known here; write the five fields".to_owned());
        }
        let Ok(fields) = <[&str; 5]>::try_from(words.as_slice()) else {
            let many = words.len();
            let fields = if many == 1 { "field" } else { "fields" };
            return Err(format!(
                "it has {many} {fields}, not five: minute, hour, day of month, month, day of week"
            ));
        };
        for (at, field) in fields.iter().enumerate() {
            let mut alone = ["*"; 5];
            alone[at] = field;
            let strange = names_nothing(at, field) || field.split(',').any(str::is_empty);
            if strange || parser(&alone.join(" ")).is_err() {
                let (name, range) = FIELDS[at];
                return Err(format!(
                    "`{field}` is no {name}: {range}, lists `1,2`, ranges `1-5`, steps `*/2` and `1-5/2`"
                ));
            }
        }
        let cron = Cron(parser(&fields.join(" ")).map_err(|error| error.to_string())?);
        let some_day = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);
        match cron.0.find_next_occurrence(&Local(some_day), true) {
            Ok(_) => Ok(cron),
            Err(_) => Err("no day of the calendar is like that".to_owned()),
        }
    }

    /// The first time after an instant; `None` at the end of the calendar.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = self.0.find_next_occurrence(&Local(reached(after, zone)), false).ok()?;
        instant(local.0, zone)
    }

    /// The last time at or before an instant; `None` at the beginning of the calendar.
    pub fn latest(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = self.0.find_previous_occurrence(&Local(reached(at, zone)), true).ok()?;
        instant(local.0, zone)
    }
}

/// Whether a field holds letters that mean nothing in it: croner takes the name of a day for a month's number too.
fn names_nothing(at: usize, field: &str) -> bool {
    const MONTHS: &str = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC";
    const DAYS: &str = "SUN MON TUE WED THU FRI SAT L";
    let known = ["", "", "L W", MONTHS, DAYS].get(at).copied().unwrap_or_default();
    let mut rest = field.to_uppercase();
    for name in known.split_whitespace() {
        rest = rest.replace(name, "");
    }
    rest.contains(char::is_alphabetic)
}

fn parser(text: &str) -> Result<croner::Cron, CronError> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(text)
}

/// The latest local time that the clocks have shown by then. In the hour that is repeated that is not what they show.
fn reached(at: Timestamp, zone: &TimeZone) -> DateTime {
    let tick = SignedDuration::from_nanos(1);
    let day = SignedDuration::from_hours(24);
    let recent = |changed: &Timestamp| at.duration_since(*changed) < day;
    let changes = zone.preceding(at.saturating_add(tick).unwrap_or(at)).map(|change| change.timestamp());
    let before = changes.take_while(recent).filter_map(|changed| changed.checked_sub(tick).ok());
    before.map(|before| zone.to_datetime(before)).chain([zone.to_datetime(at)]).max().unwrap_or(DateTime::MIN)
}

/// When a local time comes.
fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        // By the clocks after the change a skipped time lies before it, so the change is the next one from there.
        AmbiguousOffset::Gap { after, .. } => {
            let before = after.to_timestamp(local).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

/// A local time for croner to search: it sees a calendar without zones, and what the clocks do is told here.
#[derive(Debug, Clone, Copy)]
struct Local(DateTime);

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let (date, time) = (self.0.date(), self.0.time());
        let part = |part: i8| u32::from(part.unsigned_abs());
        let date = CivilDate::from_ymd_opt(date.year().into(), part(date.month()), part(date.day()));
        let time = CivilTime::from_hms_opt(part(time.hour()), part(time.minute()), part(time.second()));
        let both = date.zip(time).map(|(date, time)| CivilDateTime::new(date, time));
        both.expect("a date and a time of one calendar are valid in the same calendar")
    }

    fn civil_weekday(&self) -> Weekday {
        let days = self.0.date().weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(u32::from(days.unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let local = DateTime::new(
            i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
            0,
        );
        local.map(Local).map(Resolution::Single).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Local)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cron(text: &str) -> Cron {
        Cron::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// All times of a day in a zone, as its clocks show them, with their offsets.
    fn day(text: &str, name: &str, day: &str) -> Vec<String> {
        let (cron, zone) = (cron(text), zone(name));
        let start = |day: jiff::civil::Date| day.to_zoned_datetime(zone.clone()).unwrap().timestamp();
        let day: jiff::civil::Date = day.parse().unwrap();
        let (from, until) = (start(day), start(day.tomorrow().unwrap()));
        let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap();
        std::iter::successors(cron.next(before, &zone), |last| cron.next(*last, &zone))
            .take_while(|tick| *tick < until)
            .map(|tick| crate::value::Instant::new(tick, zone.clone()).to_string()[11..].to_owned())
            .collect()
    }

    const SPRING: [(&str, &str); 2] = [("America/New_York", "2026-03-08"), ("Europe/Berlin", "2026-03-29")];
    const AUTUMN: [(&str, &str); 2] = [("America/New_York", "2026-11-01"), ("Europe/Berlin", "2026-10-25")];

    #[test]
    fn what_spring_skips_comes_once_right_after_the_gap() {
        let [(york, its_day), (berlin, her_day)] = SPRING;
        for text in ["30 2 * * *", "*/5 2 * * *", "0 2,3 * * *"] {
            assert_eq!(day(text, york, its_day), ["03:00:00-04:00"], "{text}");
            assert_eq!(day(text, berlin, her_day), ["03:00:00+02:00"], "{text}");
        }
        assert_eq!(day("30 2,3 * * *", york, its_day), ["03:00:00-04:00", "03:30:00-04:00"]);
        for (zone, spring) in SPRING {
            assert_eq!(day("0 * * * *", zone, spring).len(), 23);
            assert_eq!(day("*/15 * * * *", zone, spring).len(), 23 * 4);
            assert_eq!(day("0 8 * * *", zone, spring).len(), 1);
        }
    }

    #[test]
    fn what_autumn_repeats_comes_the_first_time() {
        let [(york, its_day), (berlin, her_day)] = AUTUMN;
        assert_eq!(day("30 1 * * *", york, its_day), ["01:30:00-04:00"]);
        assert_eq!(day("30 2 * * *", berlin, her_day), ["02:30:00+02:00"]);
        assert_eq!(
            day("0 0-3 * * *", york, its_day),
            ["00:00:00-04:00", "01:00:00-04:00", "02:00:00-05:00", "03:00:00-05:00"]
        );
        for (zone, autumn) in AUTUMN {
            assert_eq!(day("*/15 * * * *", zone, autumn).len(), 24 * 4);
        }
    }

    #[test]
    fn the_second_pass_of_the_hour_is_past_what_came_in_the_first() {
        let (cron, zone) = (cron("*/20 1 * * *"), zone("America/New_York"));
        let second = at("2026-11-01T06:10:00Z");
        assert_eq!(cron.latest(second, &zone), Some(at("2026-11-01T05:40:00Z")));
        assert_eq!(cron.next(second, &zone), Some(at("2026-11-02T06:00:00Z")));
    }

    #[test]
    fn a_day_that_a_zone_leaves_out() {
        assert_eq!(day("0 8 * * *", "Pacific/Apia", "2011-12-31"), ["00:00:00+14:00", "08:00:00+14:00"]);
    }

    #[test]
    fn days_of_the_month_and_of_the_week() {
        let zone = TimeZone::UTC;
        let next = |text: &str| cron(text).next(at("2026-09-16T12:00:00Z"), &zone).unwrap().to_string();
        assert_eq!(next("0 8 * * 1-5"), "2026-09-17T08:00:00Z");
        assert_eq!(next("0 8 * * MON"), "2026-09-21T08:00:00Z");
        assert_eq!(next("0 8 1 * *"), "2026-10-01T08:00:00Z");
        assert_eq!(next("0 8 L * *"), "2026-09-30T08:00:00Z");
        assert_eq!(next("0 8 29 2 *"), "2028-02-29T08:00:00Z");
        assert_eq!(next("0 8 1 * fri"), "2026-09-18T08:00:00Z", "either of the two");
        assert_eq!(next("0 0 * * 7"), next("0 0 * * 0"));
        assert_eq!(next("0 12 16 9 *"), "2027-09-16T12:00:00Z", "not the present one");
    }

    #[test]
    fn what_is_no_expression_says_where() {
        let wrong = |text: &str| Cron::parse(text).unwrap_err();
        assert_eq!(
            wrong("0 8 * *"),
            "it has 4 fields, not five: minute, hour, day of month, month, day of week"
        );
        assert!(wrong("0 0 8 * * *").starts_with("it has 6 fields"));
        assert!(wrong("60 8 * * *").starts_with("`60` is no minute: 0 to 59"));
        assert!(wrong("0 24 * * *").starts_with("`24` is no hour"));
        assert!(wrong("0 8 0 * *").starts_with("`0` is no day of month"));
        assert!(wrong("0 8 * MON *").starts_with("`MON` is no month"));
        assert!(wrong("0 8 * * JAN").starts_with("`JAN` is no day of week"));
        assert!(wrong("0 8 * * 5-1").starts_with("`5-1` is no day of week"));
        for field in ["1,", ",", "1,,2", "*/0", "5/2", "-", "x", "MON", "1-", "99999999999", "\u{1F600}"] {
            assert!(Cron::parse(&format!("{field} * * * *")).is_err(), "{field}");
        }
        assert_eq!(wrong("0 0 31 2 *"), "no day of the calendar is like that");
        assert!(wrong("@daily").contains("five fields"));
        assert!(wrong("").contains("0 fields"));
    }

    /// An expression and the values that each of its fields allows; `None`: any.
    type Fields = ([Option<Vec<u32>>; 5], String);

    fn fields() -> impl Strategy<Value = Fields> {
        // Every month has 28 days; a `*` means all that some month has.
        let field = |from: u32, to: u32, last: u32| {
            prop_oneof![
                2 => Just((None, "*".to_owned())),
                1 => (from..=to).prop_map(|one| (Some(vec![one]), one.to_string())),
                1 => proptest::collection::vec(from..=to, 1..4).prop_map(|many| {
                    let text = many.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
                    (Some(many), text)
                }),
                1 => (from..=to, from..=to, 1_u32..20).prop_map(|(a, b, step)| {
                    let (low, high) = (a.min(b), a.max(b));
                    let all = (low..=high).step_by(step as usize).collect();
                    (Some(all), format!("{low}-{high}/{step}"))
                }),
                1 => (2_u32..30).prop_map(move |step| {
                    (Some((from..=last).step_by(step as usize).collect()), format!("*/{step}"))
                }),
            ]
        };
        (field(0, 59, 59), field(0, 23, 23), field(1, 28, 31), field(1, 12, 12), field(0, 6, 6)).prop_map(
            |(a, b, c, d, e)| {
                let text = [&a.1, &b.1, &c.1, &d.1, &e.1].map(String::as_str).join(" ");
                ([a.0, b.0, c.0, d.0, e.0], text)
            },
        )
    }

    fn matches(fields: &Fields, local: DateTime) -> bool {
        let (date, time) = (local.date(), local.time());
        let number = |part: i8| u32::from(part.unsigned_abs());
        let among = |field: usize, part: i8| {
            fields.0[field].as_ref().is_none_or(|values| values.contains(&number(part)))
        };
        let weekday = date.weekday().to_sunday_zero_offset();
        // By the rule of cron either is enough where both are told, and a `*` with a step tells nothing less.
        let starred = |field: usize| fields.1.split(' ').nth(field).is_some_and(|text| text == "*");
        let day = match (starred(2), starred(4)) {
            (true, _) => among(4, weekday),
            (_, true) => among(2, date.day()),
            _ => among(2, date.day()) || among(4, weekday),
        };
        day && among(0, time.minute()) && among(1, time.hour()) && among(3, date.month())
    }

    /// Every minute that a zone's clocks show or skip, in order, asked one by one: each local time once, a skipped one
    /// at the end of its gap.
    fn brute(fields: &Fields, zone: &TimeZone, from: Timestamp, minutes: i64) -> Vec<Timestamp> {
        let mut ticks = std::collections::BTreeSet::new();
        let mut shown = std::collections::HashSet::new();
        let mut last: Option<DateTime> = None;
        for minute in 0..=minutes {
            let now = from.checked_add(SignedDuration::from_mins(minute)).unwrap();
            let local = zone.to_datetime(now);
            let mut skipped = last.map(|last| last.checked_add(SignedDuration::from_mins(1)).unwrap());
            while let Some(missing) = skipped.filter(|missing| *missing < local) {
                if matches(fields, missing) {
                    ticks.insert(now);
                }
                skipped = Some(missing.checked_add(SignedDuration::from_mins(1)).unwrap());
            }
            if shown.insert(local) && matches(fields, local) {
                ticks.insert(now);
            }
            last = Some(local);
        }
        ticks.into_iter().collect()
    }

    /// A zone and an instant at the beginning of a day around a change of its clocks, or around none.
    fn places() -> impl Strategy<Value = (TimeZone, Timestamp)> {
        let days = [
            ("America/New_York", "2026-03-07T05:00:00Z"),
            ("America/New_York", "2026-10-31T04:00:00Z"),
            ("America/New_York", "2026-12-30T05:00:00Z"),
            ("Europe/Berlin", "2026-03-27T23:00:00Z"),
            ("Europe/Berlin", "2026-10-23T22:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-03T13:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-02T13:30:00Z"),
            ("Africa/Cairo", "2026-04-22T22:00:00Z"),
            ("Asia/Kathmandu", "2026-02-27T18:15:00Z"),
        ];
        proptest::sample::select(days.to_vec()).prop_map(|(name, day)| (zone(name), at(day)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(192))]

        #[test]
        fn times_are_those_of_the_calendar(fields in fields(), (zone, from) in places()) {
            const MINUTES: i64 = 3 * 24 * 60;
            let Ok(cron) = Cron::parse(&fields.1) else { return Ok(()) };
            let all = brute(&fields, &zone, from, MINUTES);
            let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap();
            let until = from.checked_add(SignedDuration::from_mins(MINUTES)).unwrap();
            let found: Vec<Timestamp> =
                std::iter::successors(cron.next(before, &zone), |last| cron.next(*last, &zone))
                    .take_while(|tick| *tick <= until)
                    .collect();
            let differ = found.iter().zip(&all).find(|(found, all)| found != all);
            prop_assert!(differ.is_none() && found.len() == all.len(), "{} {differ:?}", fields.1);
        }

        #[test]
        fn next_and_latest_look_at_the_same_times(
            fields in fields(), (zone, from) in places(), second in 0_i64..3 * 86_400,
        ) {
            let Ok(cron) = Cron::parse(&fields.1) else { return Ok(()) };
            let now = from.checked_add(SignedDuration::from_secs(second)).unwrap();
            let (Some(latest), Some(next)) = (cron.latest(now, &zone), cron.next(now, &zone)) else {
                return Ok(());
            };
            prop_assert!(latest <= now && now < next, "{} {latest} {now} {next}", fields.1);
            prop_assert_eq!(cron.next(latest, &zone), Some(next), "nothing lies between");
            prop_assert_eq!(cron.latest(next, &zone), Some(next));
            let before = latest.checked_sub(SignedDuration::from_secs(1)).unwrap();
            prop_assert_eq!(cron.next(before, &zone), Some(latest));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9*/,LW#?+A-Z -]{0,24}|.{0,16}") {
            if let Ok(cron) = Cron::parse(&text) {
                prop_assert!(cron.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC).is_some());
            }
        }
    }
}
