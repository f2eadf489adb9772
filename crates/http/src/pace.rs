//! How fast, and how many at once.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use zaprun_core::definition::Rate;

/// The pace of one connection, shared by all that use it.
///
/// Requests leave evenly spaced, one every `per / count`, without a burst: a target that counts per window of any
/// alignment then never sees more than `count`, and a burst after an idle minute cannot trip it. Only above 100 a
/// second may as many leave together as belong to 10 ms, since timers are not finer than a millisecond.
pub struct Pace {
    spacing: Option<Spacing>,
    slots: Arc<Semaphore>,
    waits: AtomicU64,
    waited_micros: AtomicU64,
}

/// How often and how long requests waited for their turn, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waited {
    /// Requests that had to wait.
    pub times: u64,
    /// All their waits together.
    pub time: Duration,
}

/// What a turn takes that nothing stands in the way of.
const AT_ONCE: Duration = Duration::from_millis(1);

struct Spacing {
    limiter: RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Duration>>,
    clock: RuntimeClock,
    /// First come, first served: whoever holds it is next, and sleeps until then.
    queue: Mutex<()>,
}

/// Leave to send one request. Dropping it frees the slot.
#[must_use = "the slot is free again as soon as this is dropped"]
pub struct Turn {
    _slot: OwnedSemaphorePermit,
}

impl Pace {
    /// A pace; `None` is no limit of the rate. At least one request is let through at a time.
    pub fn new(rate: Option<Rate>, concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Pace {
            spacing: rate.and_then(Spacing::new),
            slots: Arc::new(Semaphore::new(concurrency)),
            waits: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
        }
    }

    /// Waits for a slot and then for the rate. Giving up at any point (dropping the future) leaves the pace as it was.
    pub async fn turn(&self) -> Turn {
        let asked = Instant::now();
        let slot = loop {
            // The semaphore is never closed; a closed one would only make us ask again.
            if let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
                break slot;
            }
        };
        if let Some(spacing) = &self.spacing {
            spacing.wait().await;
        }
        let waited = asked.elapsed();
        if waited >= AT_ONCE {
            self.waits.fetch_add(1, Ordering::Relaxed);
            let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
            self.waited_micros.fetch_add(micros, Ordering::Relaxed);
        }
        Turn { _slot: slot }
    }

    /// How long requests have waited so far; those that gave up are not among them.
    pub fn waited(&self) -> Waited {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Waited { times: read(&self.waits), time: Duration::from_micros(read(&self.waited_micros)) }
    }

    /// Requests that could start now without waiting for another one to end.
    pub fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }
}

impl Spacing {
    fn new(rate: Rate) -> Option<Self> {
        let apart = rate.per.checked_div(rate.count.get())?;
        let together = Duration::from_millis(10).as_nanos().checked_div(apart.as_nanos())?;
        let burst = u32::try_from(together).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(apart)?.allow_burst(burst);
        let clock = RuntimeClock { start: Instant::now() };
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Some(Spacing { limiter, clock, queue: Mutex::new(()) })
    }

    async fn wait(&self) {
        let _next = self.queue.lock().await;
        while let Err(not_yet) = self.limiter.check() {
            tokio::time::sleep(not_yet.wait_time_from(self.clock.now())).await;
        }
    }
}

/// The runtime's clock rather than the machine's: one that tests can stop.
#[derive(Clone)]
struct RuntimeClock {
    start: Instant,
}

impl Clock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn rate(count: u32, per: Duration) -> Rate {
        Rate { count: NonZeroU32::new(count).unwrap(), per }
    }

    async fn departures(pace: &Pace, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let mut all = Vec::new();
        for _ in 0..count {
            let _turn = pace.turn().await;
            all.push(start.elapsed());
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_evenly_spaced() {
        let pace = Pace::new(Some(rate(2, Duration::from_secs(1))), 3);
        let at = departures(&pace, 5).await;
        let millis: Vec<_> = at.iter().map(Duration::as_millis).collect();
        for (number, &time) in millis.iter().enumerate() {
            let due = 500 * number as u128;
            assert!((due..due + 5).contains(&time), "{millis:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_is_not_saved_up() {
        let pace = Pace::new(Some(rate(60, Duration::from_secs(60))), 8);
        tokio::time::sleep(Duration::from_secs(600)).await;
        let at = departures(&pace, 3).await;
        assert!(at[2] >= Duration::from_secs(2), "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_counted() {
        let pace = Pace::new(Some(rate(2, Duration::from_secs(1))), 3);
        departures(&pace, 3).await;
        let Waited { times, time } = pace.waited();
        assert_eq!((times, time.as_millis() / 10), (2, 100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_high_rate_is_reached_in_spite_of_coarse_timers() {
        let pace = Pace::new(Some(rate(5000, Duration::from_secs(1))), 8);
        let at = departures(&pace, 5000).await;
        assert!(at[4999] <= Duration::from_millis(1100), "{:?}", at[4999]);
        assert!(at[4999] >= Duration::from_millis(900), "{:?}", at[4999]);
    }

    #[tokio::test(start_paused = true)]
    async fn slots_bound_what_is_in_flight() {
        let pace = Pace::new(None, 2);
        let first = pace.turn().await;
        let _second = pace.turn().await;
        assert_eq!(pace.free_slots(), 0);
        let third = tokio::time::timeout(Duration::from_secs(1), pace.turn()).await;
        assert!(third.is_err());
        drop(first);
        let _third = pace.turn().await;
    }

    #[tokio::test(start_paused = true)]
    async fn giving_up_costs_nothing() {
        let pace = Pace::new(Some(rate(1, Duration::from_secs(10))), 1);
        drop(pace.turn().await);
        for _ in 0..5 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), pace.turn()).await;
            assert!(given_up.is_err());
        }
        assert_eq!(pace.free_slots(), 1);
        let start = Instant::now();
        drop(pace.turn().await);
        assert!(start.elapsed() < Duration::from_secs(11), "the abandoned turns took places in the queue");
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_are_served_in_turn_and_share_the_rate() {
        let pace = Arc::new(Pace::new(Some(rate(1, Duration::from_secs(1))), 10));
        let start = Instant::now();
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let pace = Arc::clone(&pace);
                tokio::spawn(async move {
                    let _turn = pace.turn().await;
                    start.elapsed().as_secs()
                })
            })
            .collect();
        let mut seconds = Vec::new();
        for task in tasks {
            seconds.push(task.await.unwrap());
        }
        assert_eq!(seconds, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn odd_settings_still_make_a_pace() {
        assert_eq!(Pace::new(None, 0).free_slots(), 1);
        assert!(Pace::new(Some(rate(u32::MAX, Duration::from_nanos(1))), 1).spacing.is_none());
        assert!(Pace::new(None, usize::MAX).free_slots() > 0);
    }
}
