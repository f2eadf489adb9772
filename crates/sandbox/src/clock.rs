//! Where the sandbox takes its time from, and how the CRM writes it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A source of the present instant; cheap to clone.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Told when the hand was moved, so that nobody need sleep until an instant that is here already.
    moved: watch::Sender<()>,
}

impl Clock {
    /// The machine's own clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port through which the sandbox takes its time"
    )]
    pub fn system() -> Clock {
        Clock::new(Timestamp::now)
    }

    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock { now: Arc::new(now), moved: watch::Sender::new(()) }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The same clock, ahead by what `ahead` says.
    pub(crate) fn ahead_by(&self, ahead: &Arc<Mutex<SignedDuration>>) -> Clock {
        let (now, ahead) = (Arc::clone(&self.now), Arc::clone(ahead));
        let shifted = move || {
            let base = now();
            base.checked_add(*ahead.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or(base)
        };
        Clock { now: Arc::new(shifted), moved: self.moved.clone() }
    }

    /// The present in `zone`, in whole seconds as the CRM keeps it.
    pub(crate) fn local(&self, zone: &TimeZone) -> DateTime {
        let now = self.now();
        zone.to_datetime(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// Wakes all who wait for the hand to move.
    pub(crate) fn tell_moved(&self) {
        self.moved.send_replace(());
    }

    /// Changes when the hand is moved.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clock")
    }
}

/// A clock that stands still until it is moved; clones share the hand.
#[derive(Clone, Debug)]
pub struct ManualClock {
    hand: Arc<Mutex<Timestamp>>,
    moved: watch::Sender<()>,
}

impl ManualClock {
    /// Stands at `start`.
    pub fn at(start: Timestamp) -> ManualClock {
        ManualClock { hand: Arc::new(Mutex::new(start)), moved: watch::Sender::new(()) }
    }

    /// Jumps to `instant`, forwards or backwards.
    pub fn set(&self, instant: Timestamp) {
        *self.hand.lock().unwrap_or_else(PoisonError::into_inner) = instant;
        self.moved.send_replace(());
    }

    /// Moves by `step`; stays where it is if that leaves the calendar.
    pub fn advance(&self, step: SignedDuration) {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        *hand = hand.checked_add(step).unwrap_or(*hand);
        drop(hand);
        self.moved.send_replace(());
    }

    /// The same hand as a [`Clock`].
    pub fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.hand);
        let now = move || *hand.lock().unwrap_or_else(PoisonError::into_inner);
        Clock { now: Arc::new(now), moved: self.moved.clone() }
    }
}

/// `YYYY-MM-DD HH:MM:SS`, without an offset (contract §1.6).
pub(crate) fn stamp(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
