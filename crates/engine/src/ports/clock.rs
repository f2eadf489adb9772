//! Time, injected.

use async_trait::async_trait;
use jiff::Timestamp;

/// The wall clock and the passing of time. Tests pin it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Returns once `now()` is at or past `at`.
    async fn sleep_until(&self, at: Timestamp);
}
