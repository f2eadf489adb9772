//! Where the sandbox takes its time from, and how the CRM writes it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A source of the present instant; cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port through which the sandbox takes its time"
    )]
    pub fn system() -> Clock {
        Clock(Arc::new(Timestamp::now))
    }

    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// The present in `zone`, in whole seconds as the CRM keeps it.
    pub(crate) fn local(&self, zone: &TimeZone) -> DateTime {
        let now = self.now();
        zone.to_datetime(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clock")
    }
}

/// A clock that stands still until it is moved; clones share the hand.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// Stands at `start`.
    pub fn at(start: Timestamp) -> ManualClock {
        ManualClock(Arc::new(Mutex::new(start)))
    }

    /// Jumps to `instant`, forwards or backwards.
    pub fn set(&self, instant: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instant;
    }

    /// Moves by `step`; stays where it is if that leaves the calendar.
    pub fn advance(&self, step: SignedDuration) {
        let mut hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hand = hand.checked_add(step).unwrap_or(*hand);
    }

    /// The same hand as a [`Clock`].
    pub fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.0);
        Clock::new(move || *hand.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `YYYY-MM-DD HH:MM:SS`, without an offset (contract §1.6).
pub(crate) fn stamp(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
