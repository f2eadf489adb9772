//! The real clock.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;
use zaprun_engine::ports::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

/// The longest single sleep: a clock that is set, or a machine that was suspended, is noticed after this.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that the others come from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        sleep(|| self.now(), at).await;
    }
}

/// Sleeps until `now` says `at`, and never longer than it was until then at first.
async fn sleep(now: impl Fn() -> Timestamp + Send, at: Timestamp) {
    let left = || Duration::try_from(at.duration_since(now())).unwrap_or_default();
    let (began, whole) = (Instant::now(), left());
    loop {
        let left = left().min(whole.saturating_sub(began.elapsed()));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn a_clock_set_back_makes_nobody_wait_longer() {
        let (start, set_back) = (Timestamp::UNIX_EPOCH, AtomicBool::new(false));
        let now = || {
            let back = if set_back.swap(true, Ordering::Relaxed) { 24 } else { 0 };
            start - SignedDuration::from_hours(back)
        };
        // Would not end within the day.
        sleep(now, start + SignedDuration::from_millis(5)).await;
        assert!(set_back.into_inner());
    }
}
