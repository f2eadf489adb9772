//! Time, injected.

use async_trait::async_trait;
use jiff::Timestamp;

/// The wall clock and the passing of time. Tests pin it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Returns once `now()` is at or past `at`, or once as much time has passed as there was until then when it was
    /// called: a clock that is set back meanwhile makes nobody wait longer. So `now()` may be earlier than `at` then.
    async fn sleep_until(&self, at: Timestamp);
}
