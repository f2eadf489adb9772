//! A zap as polling sees it, and its place in a query.

use super::window;
use crate::ports::{Fate, ZapState};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zaprun_core::definition::CatchUp;
use zaprun_core::zap::{CrmTrigger, Start};

/// A zap that is polled for.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its name.
    pub name: String,
    /// Its trigger, as compiled.
    pub trigger: CrmTrigger,
    /// Where it stands, as [`crate::ports::Store::open_zap`] said.
    pub state: ZapState,
}

/// The boundary a zap starts with when it has never run: what is older is not news.
pub fn first_boundary(trigger: &CrmTrigger, now: Timestamp) -> Timestamp {
    match trigger.start {
        Start::Now => now,
        Start::Beginning => window::start_of(window::BEGINNING, &trigger.zone),
        Start::At(at) => at,
    }
}

/// What becomes of news from while a zap was switched off.
pub(crate) fn fate_of(catch_up: CatchUp) -> Fate {
    match catch_up {
        CatchUp::Hold => Fate::Hold,
        CatchUp::Send => Fate::Fire,
        CatchUp::Drop => Fate::Drop,
    }
}

impl Watched {
    /// Whether no walk has ever been completed for it since it first ran.
    pub(super) fn never_read(&self) -> bool {
        self.state.cursors.is_empty() && self.is_at_first_boundary()
    }

    /// Whether its boundary is one that a person wrote: it means the account's own time, whatever our clock says.
    pub(super) fn starts_as_written(&self) -> bool {
        self.trigger.start != Start::Now && self.is_at_first_boundary()
    }

    /// What becomes of news of that instant, which the CRM's clock, ahead of ours by `skew`, has written: what happened
    /// while the zap was switched off is not simply sent.
    pub(super) fn caught_up(&self, fate: Fate, at: Timestamp, skew: SignedDuration) -> Fate {
        let ours = at.saturating_sub(skew).unwrap_or(at);
        let meanwhile = || self.state.absences.iter().any(|absence| absence.holds(ours));
        if fate == Fate::Fire && meanwhile() { fate_of(self.trigger.catch_up) } else { fate }
    }

    fn is_at_first_boundary(&self) -> bool {
        self.state.boundary == first_boundary(&self.trigger, self.state.opened_at)
    }
}

/// A zap on one of its queries.
#[derive(Debug, Clone)]
pub(super) struct Rider {
    pub(super) zap: Arc<Watched>,
    /// Where the query stands for this zap.
    pub(super) cursor: Option<Timestamp>,
    /// The skew by which the zap's boundary is understood, once known.
    pub(super) skew: Option<SignedDuration>,
    /// When it wants to be served next.
    pub(super) due_at: Timestamp,
}

impl Rider {
    pub(super) fn new(zap: Arc<Watched>, query: &str) -> Self {
        let cursor = zap.state.cursors.iter().find(|(name, _)| name == query).map(|(_, at)| *at);
        let skew = zap.state.skew;
        Rider { zap, cursor, skew, due_at: Timestamp::MIN }
    }

    /// The day from which it must be read.
    pub(super) fn first_day(&self, now: Timestamp) -> Date {
        let trigger = &self.zap.trigger;
        match (self.cursor, trigger.start) {
            // A start that a person wrote is a day of the account, whatever its clock.
            (None, Start::Beginning | Start::At(_)) if self.zap.never_read() => {
                window::day(self.zap.state.boundary, &trigger.zone).max(window::BEGINNING)
            }
            (cursor, _) => window::first_day(cursor.unwrap_or(self.zap.state.boundary), now, &trigger.zone),
        }
    }

    /// Whether it has more to read than one slice holds. Such a zap is served apart from those that keep up.
    pub(super) fn is_behind(&self, now: Timestamp) -> bool {
        let tomorrow = window::last_day(now, &self.zap.trigger.zone);
        window::slice(self.first_day(now), tomorrow).last < tomorrow
    }

    /// Whether a walk at `now` for another zap should serve it too, rather than one of its own soon after.
    pub(super) fn nearly_due(&self, now: Timestamp) -> bool {
        self.due_at <= now.saturating_add(self.zap.trigger.every / 4).unwrap_or(Timestamp::MAX)
    }
}
