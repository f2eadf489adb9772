//! A compiled schedule.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cron::Cron;
use crate::definition;
use crate::value::Instant;

/// A trigger that fires at times.
#[derive(Debug, Clone)]
pub struct ScheduleTrigger {
    /// The zone in which the times are meant.
    pub zone: TimeZone,
    /// What becomes of times that passed while nothing ran.
    pub missed: Missed,
    cron: Cron,
    selection: String,
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

impl ScheduleTrigger {
    /// The first time after an instant.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.cron.next(after, &self.zone)
    }

    /// The last time at or before an instant.
    pub fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        self.cron.latest(at, &self.zone)
    }

    /// The key of a time: RFC 3339 with the offset of the zone.
    pub fn key(&self, tick: Timestamp) -> String {
        Instant::new(tick, self.zone.clone()).to_string()
    }

    /// What decides which times there are, in one text.
    pub(super) fn selection(&self) -> String {
        self.selection.clone()
    }

    /// The record of a time.
    pub fn record(&self, tick: Timestamp) -> Vec<u8> {
        // A time of RFC 3339 needs no escapes.
        format!("{{\"scheduled_at\":\"{}\"}}", self.key(tick)).into_bytes()
    }
}

/// Compiles a schedule; nothing when it has findings, which reading the file has made.
pub(in crate::zap) fn compile(written: &definition::ScheduleTrigger) -> Option<ScheduleTrigger> {
    Some(ScheduleTrigger {
        zone: TimeZone::get(&written.timezone).ok()?,
        missed: match written.missed.as_ref().map(|missed| missed.value) {
            Some(definition::Missed::Skip) => Missed::Skip,
            None | Some(definition::Missed::Once) => Missed::Once,
            Some(definition::Missed::All) => Missed::All,
        },
        cron: Cron::parse(&written.cron).ok()?,
        selection: format!("{} {}", written.cron.value, written.timezone.value),
    })
}
