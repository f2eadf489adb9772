//! What a walk is for: which days it reads, and what is kept of how far it came.
//!
//! Keeping up, the sweep of the last days and a backfill of older ones are one kind of walk on different courses: the
//! ledger makes reading anything again harmless.

use super::walk::Passenger;
use super::window;
use crate::ports::{BackfillId, DayWindow};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The days of a walk, and what it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// From where each zap stands to tomorrow. Cursors move with each slice.
    Follow,
    /// From a day to tomorrow, day by day. No cursor moves: it reads what was read.
    Sweep {
        /// The first day.
        from: Date,
    },
    /// From a day of creation to another one. What moves is the backfill's own place.
    Backfill {
        /// Which one.
        id: BackfillId,
        /// The first day not yet read.
        from: Date,
        /// The last day.
        to: Date,
    },
}

impl Course {
    /// By passenger: the first day that concerns it.
    pub(super) fn firsts(self, began: Timestamp, passengers: &[Passenger<'_>]) -> Vec<Date> {
        passengers
            .iter()
            .map(|passenger| match self {
                Course::Follow => passenger.rider.first_day(began),
                Course::Sweep { from } | Course::Backfill { from, .. } => from,
            })
            .collect()
    }

    /// The last day, as things are at `now`: a long walk goes on to what is tomorrow when it gets there.
    pub(super) fn last(self, now: Timestamp, zone: &TimeZone) -> Date {
        match self {
            Course::Follow | Course::Sweep { .. } => window::last_day(now, zone),
            Course::Backfill { to, .. } => to,
        }
    }

    /// The next slice. What is read beside the work of the day comes in small ones, so that it can be left early.
    pub(super) fn slice(self, first: Date, last: Date) -> DayWindow {
        match self {
            Course::Follow | Course::Backfill { .. } => window::slice(first, last),
            Course::Sweep { .. } => DayWindow { first, last: first },
        }
    }

    /// The day from which the next slice reads: after this one, but never after what can still change where `open` is the
    /// first day that can. A slice that ends today was read when today was not over, and the next one may begin after
    /// midnight. What was created on a day that is over stays created then.
    pub(super) fn after(self, slice: DayWindow, open: Date) -> Date {
        // A CRM whose clock is days behind must not hold the walk where it is.
        let progress = window::after(DayWindow { last: slice.first, ..slice });
        match self {
            Course::Follow | Course::Sweep { .. } => window::after(slice).min(open).max(progress),
            Course::Backfill { .. } => window::after(slice),
        }
    }
}
