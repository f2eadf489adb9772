//! What the state keeps of alerts, and what they are made from.

use super::{RunId, RunState, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;

/// An alert as one of those who are told of it knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertRow {
    /// The kind's word.
    pub kind: String,
    /// What it is about: a zap, a connection or a host.
    pub subject: String,
    /// The id of the target that is told.
    pub target: String,
    /// Since when.
    pub since: Timestamp,
    /// How many the target was told of; 0: it was told nothing yet.
    pub told: u64,
    /// When it was last told.
    pub told_at: Option<Timestamp>,
    /// It is over, and the target has yet to learn that.
    pub over: bool,
}

/// Runs of a zap that stand in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The zap's name.
    pub zap: String,
    /// The state.
    pub state: RunState,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: RunId,
    /// The last of them.
    pub last: RunId,
    /// The word of the last one's reason.
    pub word: String,
}

/// Where alerts are kept. Like the rest of the state it is one engine's alone.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// All alerts that are kept.
    async fn alerts(&self) -> Result<Vec<AlertRow>, StoreError>;
    /// Keeps alerts, in place of those of the same kind, subject and target.
    async fn keep_alerts(&self, rows: Vec<AlertRow>) -> Result<(), StoreError>;
    /// Forgets alerts, by kind, subject and target.
    async fn forget_alerts(&self, rows: Vec<AlertRow>) -> Result<(), StoreError>;
    /// Runs that are held or dead, by zap and state.
    async fn standing(&self) -> Result<Vec<Standing>, StoreError>;
    /// When the latest run of each zap was made, by the zap's name.
    async fn last_made(&self) -> Result<Vec<(String, Timestamp)>, StoreError>;
}
