//! Writes that happen after their answer was lost.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::params::Params;
use super::{Settings, carry_out, result, succeeded};
use crate::faults::CrmFault;
use crate::state::State;

/// A write that was admitted and has yet to happen.
#[derive(Debug)]
pub(crate) struct LateWrite {
    /// The request's number.
    pub(crate) number: u64,
    /// When it happens, by the sandbox's clock.
    pub(crate) due: Timestamp,
    endpoint: String,
    params: Params,
    faults: Vec<CrmFault>,
}

impl LateWrite {
    pub(crate) fn new(
        number: u64,
        asked: Timestamp,
        after: Duration,
        endpoint: String,
        params: Params,
        faults: Vec<CrmFault>,
    ) -> LateWrite {
        let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
        let due = asked.saturating_add(after).unwrap_or(Timestamp::MAX);
        LateWrite { number, due, endpoint, params, faults }
    }

    /// Lets it happen, at the time at which it was due; its result, and whether it succeeded.
    pub(crate) fn happen(&self, settings: &Settings, state: &mut State) -> (Option<String>, bool) {
        let second = Timestamp::from_second(self.due.as_second()).unwrap_or(self.due);
        let due = state.zone().to_datetime(second);
        state.pin(Some(due));
        let reply = carry_out(settings, &self.endpoint, &self.params, &self.faults, state);
        state.pin(None);
        (result(&reply), succeeded(&reply))
    }
}
