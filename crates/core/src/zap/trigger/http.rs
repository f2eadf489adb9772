//! A compiled trigger that polls an HTTP API.

use std::time::Duration;

/// A trigger that polls an HTTP API.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// Time between two polls.
    pub every: Duration,
}
