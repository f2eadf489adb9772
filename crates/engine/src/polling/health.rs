//! Whether the state can be written, for all connections together: the trouble is one, and so is the report.

use super::Ports;
use super::backoff::doubled;
use super::reader::later;
use crate::ports::StoreError;
use crate::report::Event;
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// The state's health as polling sees it.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<Ill>>);

#[derive(Debug, Clone, Copy)]
struct Ill {
    since: Timestamp,
    times: u32,
    rests_until: Timestamp,
}

impl Health {
    /// No walk is worth while before.
    pub(crate) fn rests_until(&self) -> Timestamp {
        self.ill().map_or(Timestamp::MIN, |ill| ill.rests_until)
    }

    /// The clock was set back: the rest does not grow by it.
    pub(super) fn set_back(&self, now: Timestamp) {
        if let Some(ill) = self.ill().as_mut() {
            ill.rests_until = ill.rests_until.min(later(now, LONGEST_REST));
        }
    }

    /// A commit failed; nothing is lost, since no cursor moved.
    pub(crate) fn trouble(&self, ports: &Ports, error: &StoreError) {
        let now = ports.clock.now();
        let mut ill = self.ill();
        let (since, times) = ill.map_or((now, 0), |ill| (ill.since, ill.times.saturating_add(1)));
        let rests_until = later(now, doubled(FIRST_REST, LONGEST_REST, times));
        let first = ill.is_none();
        *ill = Some(Ill { since, times, rests_until });
        drop(ill);
        if first {
            ports.observer.see(Event::StoreTrouble { error: error.clone(), retry_at: rests_until });
        }
    }

    /// A walk was committed to its end.
    pub(crate) fn recovered(&self, ports: &Ports) {
        let ill = self.ill().take();
        if let Some(ill) = ill {
            ports.observer.see(Event::StoreRecovered { since: ill.since });
        }
    }

    fn ill(&self) -> MutexGuard<'_, Option<Ill>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
