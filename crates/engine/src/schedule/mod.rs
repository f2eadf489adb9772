//! Times that fire: each tick of a schedule is an event, its instant the key.
//!
//! Where a timetable stands is kept as a cursor: up to it every tick was dealt with. What lies between the cursor and
//! now is due; of that, what came up more than a minute ago was missed, and the zap says what becomes of it. Ticks are
//! those of the calendar, so nothing drifts, and the ledger knows each of them, so that none fires twice whatever the
//! clock does.

#[cfg(test)]
mod tests;
mod timetable;

pub(crate) use timetable::KIND;
pub use timetable::{Scheduled, Timetables};
