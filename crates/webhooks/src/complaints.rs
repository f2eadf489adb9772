//! Telling of requests that were not taken, without a line for each of a flood.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::{Event, Observer};

use crate::answer::Refusal;

/// A path and a status are told of so often at most.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Which requests were told of. Paths are those that zaps have, or none, so there are few.
pub(crate) struct Complaints {
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    told: Mutex<HashMap<(Option<String>, u16), Last>>,
}

struct Last {
    at: Timestamp,
    untold: u64,
}

impl Complaints {
    pub(crate) fn new(clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        Complaints { clock, observer, told: Mutex::default() }
    }

    /// Tells of a request, or counts it for the next time.
    pub(crate) fn add(&self, path: Option<&str>, refusal: &Refusal) {
        let (path, status) = (path.map(str::to_owned), refusal.status.as_u16());
        let now = self.clock.now();
        let times = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let last = told.entry((path.clone(), status));
            let last = last.or_insert(Last { at: Timestamp::MIN, untold: 0 });
            last.untold += 1;
            if now.duration_since(last.at).abs() < EVERY {
                return;
            }
            last.at = now;
            std::mem::take(&mut last.untold)
        };
        self.observer.see(Event::TurnedAway { path, status, reason: refusal.reason.clone(), times });
    }
}
