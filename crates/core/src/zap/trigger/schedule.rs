//! A compiled schedule.

use jiff::tz::TimeZone;

/// A trigger that fires at times.
#[derive(Debug, Clone)]
pub struct ScheduleTrigger {
    /// The zone in which the times are meant.
    pub zone: TimeZone,
    /// What becomes of times that passed while nothing ran.
    pub missed: Missed,
}

/// What becomes of times that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// They are left out.
    Skip,
    /// The latest of them fires.
    Once,
    /// Each of them fires.
    All,
}
