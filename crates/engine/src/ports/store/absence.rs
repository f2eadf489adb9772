//! Times during which a zap was switched off.

use jiff::Timestamp;

/// The word of runs of events that happened while their zap was switched off.
pub const CAUGHT_UP: &str = "caught_up";

/// A time during which a zap was switched off, told by the engines that started with it off and on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// When an engine first started with the zap off.
    pub since: Timestamp,
    /// When one first started with it on again.
    pub until: Timestamp,
    /// Runs of what happened meanwhile that were held.
    pub held: u32,
    /// The same dropped.
    pub dropped: u32,
    /// How many of both a person was told of; `None`: nobody was told yet.
    pub told: Option<u32>,
}

impl Absence {
    /// Whether an event of that instant happened meanwhile.
    pub fn holds(&self, at: Timestamp) -> bool {
        // Who dates events by whole seconds dates one just after the end back to it.
        let until = Timestamp::from_second(self.until.as_second()).unwrap_or(self.until);
        self.since <= at && at < until
    }

    /// Whether a person has to be told, once all that happened meanwhile was read.
    pub fn is_untold(&self) -> bool {
        self.told.is_none_or(|told| told < self.held.saturating_add(self.dropped))
    }
}

/// A zap that an engine starts with and that is switched off.
#[derive(Debug, Clone)]
pub struct OffZap {
    /// Its name now.
    pub name: String,
    /// The name its state hangs on so far, when it was renamed.
    pub formerly: Option<String>,
    /// The present instant.
    pub now: Timestamp,
}
