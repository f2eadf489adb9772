//! Which days a walk reads.
//!
//! The CRM filters by whole days in the account's zone, so a window is days, wide enough that no row that changed
//! after the cursor can lie outside it.

use crate::ports::DayWindow;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// How far the CRM's clock and ours may disagree: a window reaches back so far behind its cursor, and a day ahead.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// A slice has at most so many days (contract §1.5: a day of a busy account takes half a minute).
pub const SLICE_DAYS: i32 = 10;

/// The first day there can be rows of: `start: beginning`.
pub const BEGINNING: Date = date(2000, 1, 1);

/// The day from which a walk must read, so that it sees every row that changed after `cursor`. A cursor in the
/// future (a clock that was set back) counts as now.
pub fn first_day(cursor: Timestamp, now: Timestamp, zone: &TimeZone) -> Date {
    day(cursor.min(now).saturating_sub(MARGIN).unwrap_or(Timestamp::MIN), zone).max(BEGINNING)
}

/// The day up to which a walk reads: tomorrow in the account's zone.
pub fn last_day(now: Timestamp, zone: &TimeZone) -> Date {
    let today = day(now, zone);
    today.tomorrow().unwrap_or(today)
}

/// The oldest slice of the days from `first` to `last`, at most [`SLICE_DAYS`] long. Never empty: a `first` after
/// `last` reads the one day.
pub fn slice(first: Date, last: Date) -> DayWindow {
    let end = first.saturating_add(Span::new().days(SLICE_DAYS - 1));
    DayWindow { first, last: end.min(last).max(first) }
}

/// How many slices the days from `first` to `last` make, at least one.
pub fn slices(first: Date, last: Date) -> u32 {
    let days = last.duration_since(first).as_hours() / 24 + 1;
    u32::try_from((days + i64::from(SLICE_DAYS) - 1) / i64::from(SLICE_DAYS)).unwrap_or(0).max(1)
}

/// The day after a slice.
pub fn after(slice: DayWindow) -> Date {
    slice.last.tomorrow().unwrap_or(slice.last)
}

/// The instant at which a slice ends: midnight after its last day, in the account's zone.
pub fn end(slice: DayWindow, zone: &TimeZone) -> Timestamp {
    let midnight = after(slice).to_zoned_datetime(zone.clone());
    midnight.map_or(Timestamp::MIN, |at| at.timestamp())
}

/// The day of an instant in the account's zone.
pub fn day(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// The first instant of a day in the account's zone.
pub fn start_of(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned_datetime(zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp())
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

    fn slices(cursor: Timestamp, now: Timestamp, zone: &TimeZone) -> Vec<DayWindow> {
        let last = last_day(now, zone);
        let mut all = vec![slice(first_day(cursor, now, zone), last)];
        while all.last().unwrap().last < last {
            all.push(slice(after(*all.last().unwrap()), last));
        }
        all
    }

    #[test]
    fn midnight_belongs_to_both_days_for_a_quarter_of_an_hour() {
        let zone = zone("America/New_York");
        let first = |cursor| first_day(at(cursor), at("2026-09-16T16:00:00Z"), &zone);
        assert_eq!(first("2026-09-16T04:14:59Z"), date(2026, 9, 15));
        assert_eq!(first("2026-09-16T04:15:00Z"), date(2026, 9, 16));
        assert_eq!(last_day(at("2026-09-16T03:59:59Z"), &zone), date(2026, 9, 16));
        assert_eq!(last_day(at("2026-09-16T04:00:00Z"), &zone), date(2026, 9, 17));
    }

    #[test]
    fn slices_end_at_midnight_even_where_a_day_has_23_or_25_hours() {
        let zone = zone("America/New_York");
        let of = |day: Date| end(slice(day, day), &zone);
        assert_eq!(of(date(2026, 3, 8)), at("2026-03-09T04:00:00Z"));
        assert_eq!(of(date(2026, 3, 7)), at("2026-03-08T05:00:00Z"));
        assert_eq!(of(date(2026, 11, 1)), at("2026-11-02T05:00:00Z"));
    }

    #[test]
    fn a_cursor_from_a_clock_that_ran_ahead_reads_from_today() {
        let zone = zone("America/New_York");
        let days = slices(at("2030-01-01T00:00:00Z"), at("2026-09-16T16:00:00Z"), &zone);
        assert_eq!(days, [DayWindow { first: date(2026, 9, 16), last: date(2026, 9, 17) }]);
    }

    #[test]
    fn a_cursor_of_this_quarter_hour_reads_one_slice() {
        let zone = zone("UTC");
        let days = slices(at("2026-09-16T15:59:00Z"), at("2026-09-16T16:00:00Z"), &zone);
        assert_eq!(days, [DayWindow { first: date(2026, 9, 16), last: date(2026, 9, 17) }]);
    }

    #[test]
    fn a_quarter_century_is_read_in_slices_of_ten_days() {
        let zone = zone("America/New_York");
        let days = slices(start_of(BEGINNING, &zone), at("2026-09-16T16:00:00Z"), &zone);
        assert_eq!(days[0].first, BEGINNING);
        assert_eq!(days.last().unwrap().last, date(2026, 9, 17));
        assert_eq!(days.len(), 976);
    }

    fn zones() -> impl Strategy<Value = TimeZone> {
        proptest::sample::select(vec![
            "America/New_York",
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "America/Sao_Paulo",
            "Africa/Cairo",
            "Asia/Beirut",
            "Pacific/Apia",
            "UTC",
        ])
        .prop_map(zone)
    }

    /// A zone and an instant of 2005 to 2030, often next to a midnight there or to a change of clocks.
    fn places() -> impl Strategy<Value = (TimeZone, i64)> {
        let changes = [1_772_953_200_i64, 1_793_512_800, 1_325_239_200, 1_540_695_600];
        let midnight = |zone: &TimeZone, day: i64| {
            let day = date(2005, 1, 1).saturating_add(SignedDuration::from_hours(24 * day));
            start_of(day, zone).as_second()
        };
        prop_oneof![
            (zones(), 1_104_537_600_i64..1_893_456_000),
            (zones(), proptest::sample::select(changes.to_vec()), -90_000_i64..90_000)
                .prop_map(|(zone, at, by)| (zone, at + by)),
            (zones(), 0_i64..9_000, -900_i64..900).prop_map(move |(zone, day, by)| {
                let at = midnight(&zone, day) + by;
                (zone, at)
            }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_that_changed_since_the_cursor_lies_outside(
            (zone, cursor) in places(), on in 0_i64..40 * 86_400, after in prop_oneof![0_i64..900, 0_i64..40 * 86_400],
            skew in -900_i64..=900,
        ) {
            let now = cursor + on;
            let by_their_clock = Timestamp::from_second((cursor + after).min(now) + skew).unwrap();
            let (cursor, now) = (Timestamp::from_second(cursor).unwrap(), Timestamp::from_second(now).unwrap());
            let day = day(by_their_clock, &zone);
            let covered = slices(cursor, now, &zone).iter().filter(|s| (s.first..=s.last).contains(&day)).count();
            prop_assert_eq!(covered, 1, "{} in {:?}", day, slices(cursor, now, &zone));
        }

        #[test]
        fn slices_have_neither_gap_nor_overlap_and_at_most_ten_days(
            (zone, now) in places(), back in 0_i64..400 * 86_400,
        ) {
            let cursor = Timestamp::from_second(now - back).unwrap();
            let now = Timestamp::from_second(now).unwrap();
            let all = slices(cursor, now, &zone);
            prop_assert_eq!(all[0].first, first_day(cursor, now, &zone));
            prop_assert_eq!(all.last().unwrap().last, last_day(now, &zone));
            for slice in &all {
                let days = slice.last.since(slice.first).unwrap().get_days();
                prop_assert!((0..SLICE_DAYS).contains(&days));
            }
            for pair in all.windows(2) {
                prop_assert_eq!(after(pair[0]), pair[1].first);
                prop_assert!(day(end(pair[0], &zone), &zone) >= pair[1].first, "later where a day was skipped");
                prop_assert!(end(pair[0], &zone) > cursor);
            }
        }
    }
}
