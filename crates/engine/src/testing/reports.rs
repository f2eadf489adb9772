//! Remembers what was reported.

use crate::report::{Event, Observer};
use std::sync::{Arc, Mutex};

/// An observer that keeps every event.
#[derive(Debug, Clone, Default)]
pub struct Recorded(Arc<Mutex<Vec<Event>>>);

impl Recorded {
    /// Takes what was reported since the last time.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// How many of the kept events `test` holds for.
    pub fn count(&self, test: impl Fn(&Event) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|event| test(event)).count()
    }
}

impl Observer for Recorded {
    fn see(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}
