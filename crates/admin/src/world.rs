//! What is read of the world when somebody asks, rather than counted as it happens.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use zaprun_engine::ports::{Counts, StoreError};

/// How the state is looked at.
#[async_trait]
pub trait World: Send + Sync {
    /// What waits in the state.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
    /// Writes to the state, and says whether that worked.
    async fn writable(&self) -> Result<(), StoreError>;
    /// How long requests of each connection waited for their turn, since the start.
    fn waits(&self) -> Vec<Wait>;
}

/// What waits in the state.
#[derive(Debug, Clone, Default)]
pub struct Backlog {
    /// Runs by zap and state.
    pub counts: Counts,
    /// When the oldest pending run of each zap was made.
    pub oldest: Vec<(String, Timestamp)>,
}

/// How long requests of a connection waited for their turn.
#[derive(Debug, Clone)]
pub struct Wait {
    /// The connection.
    pub connection: String,
    /// Requests that had to wait.
    pub times: u64,
    /// All their waits together.
    pub time: Duration,
}
