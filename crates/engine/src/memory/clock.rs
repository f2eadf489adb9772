//! Virtual time.

use crate::ports::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A clock that stands still until it is told to move, or until [`FakeClock::drive`] finds that all wait for it.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    now: Timestamp,
    next_id: u64,
    sleepers: Vec<Sleeper>,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    at: Timestamp,
    waker: Waker,
}

impl FakeClock {
    /// A clock at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Inner { now, next_id: 0, sleepers: Vec::new() })))
    }

    /// A clock at an RFC 3339 instant, for tests.
    ///
    /// # Panics
    /// When it is none.
    #[expect(clippy::unwrap_used, reason = "a test that writes no instant must fail")]
    pub fn at(instant: &str) -> Self {
        Self::new(instant.parse().unwrap())
    }

    /// Moves on by `by`, waking whoever is due.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.0.lock().unwrap_or_else(PoisonError::into_inner).now;
        self.set(now.saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    /// Jumps to `now`, which may be earlier, waking whoever is due.
    pub fn set(&self, now: Timestamp) {
        let due: Vec<Waker> = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Who sleeps, sleeps no longer for it.
            if let Ok(back) = std::time::Duration::try_from(inner.now.duration_since(now)) {
                inner.sleepers.iter_mut().for_each(|s| s.at = s.at.saturating_sub(back).unwrap_or(s.at));
            }
            inner.now = now;
            inner.sleepers.iter().filter(|s| s.at <= now).map(|s| s.waker.clone()).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// When the first sleeper wants to be woken.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sleepers.iter().map(|s| s.at).min()
    }

    /// Runs a future to its end, moving time on whenever everything in it waits for the clock. `None`: nothing can
    /// ever wake it again, which is what a crash looks like. Needs no runtime; the future must not spawn.
    pub fn drive<F: Future>(&self, future: F) -> Option<F::Output> {
        self.drive_until(Timestamp::MAX, future)
    }

    /// As [`FakeClock::drive`], but gives up (and drops the future) once it would have to wait beyond `end`; the
    /// clock then stands at `end`.
    pub fn drive_until<F: Future>(&self, end: Timestamp, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(output);
                }
            }
            let wake = self.next_wake()?;
            if wake > end {
                self.set(end);
                return None;
            }
            let now = self.now();
            self.set(wake.max(now));
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    async fn sleep_until(&self, at: Timestamp) {
        let id = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.next_id += 1;
            inner.next_id
        };
        Sleep { clock: self.clone(), id, at }.await;
    }
}

struct Sleep {
    clock: FakeClock,
    id: u64,
    at: Timestamp,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut inner = clock.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.at = inner.sleepers.iter().find(|s| s.id == self.id).map_or(self.at, |s| s.at);
        inner.sleepers.retain(|s| s.id != self.id);
        if inner.now >= self.at {
            return Poll::Ready(());
        }
        inner.sleepers.push(Sleeper { id: self.id, at: self.at, waker: cx.waker().clone() });
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.0.lock().unwrap_or_else(PoisonError::into_inner).sleepers.retain(|s| s.id != self.id);
    }
}
