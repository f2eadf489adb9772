//! Looking at the state, as people do.

use super::{
    AttemptRecord, BegunAttempt, EventKey, RunId, RunReason, RunState, StepRecord, StoreError, StoredEvent,
    Sweeps,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only this zap, by name.
    pub zap: Option<String>,
    /// Only these states; all when empty.
    pub states: Vec<RunState>,
    /// Only runs made at or after.
    pub since: Option<Timestamp>,
    /// Only runs made before.
    pub until: Option<Timestamp>,
    /// Only runs whose reason, event or record as received holds this text; letters of ASCII in any case.
    pub text: Option<String>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// A line of `runs list`.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// Id.
    pub id: RunId,
    /// The zap's present name.
    pub zap: String,
    /// Event.
    pub event: EventKey,
    /// State.
    pub state: RunState,
    /// Why.
    pub reason: RunReason,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When a pending run is due.
    pub due_at: Option<Timestamp>,
    /// Attempts of the unfinished step.
    pub attempts: u32,
}

/// All that is kept of a run.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The line.
    pub summary: RunSummary,
    /// The event with its record.
    pub event: StoredEvent,
    /// See [`ClaimedRun::fresh`].
    pub fresh: Option<Bytes>,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
    /// See [`ClaimedRun::failing`].
    pub failing: Option<RunReason>,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// Hash of the zap it was made with.
    pub content: String,
    /// Git revision of the zap it was made with, when known.
    pub git: Option<String>,
    /// Finished steps.
    pub steps: Vec<StepRecord>,
    /// Steps that had ended before a person replayed the run, and count no more.
    pub past: Vec<StepRecord>,
    /// Failed attempts.
    pub attempts: Vec<AttemptRecord>,
    /// An attempt in flight, or cut off by a crash.
    pub begun: Option<BegunAttempt>,
    /// Where it is pending: the earlier run of its natural id that goes first, and how that stands.
    pub waits_for: Option<(RunId, RunState)>,
}

/// How many runs are in each state, per zap; and how many ledger entries have no run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By zap name and state.
    pub runs: Vec<(String, RunState, u64)>,
    /// Primed entries by zap name.
    pub primed: Vec<(String, u64)>,
    /// Runs that were over and are thrown away, by zap name.
    pub pruned: Vec<(String, u64)>,
}

/// How the zaps stand, those that the project has no more too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// By name.
    pub zaps: Vec<ZapStatus>,
}

/// How a zap stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZapStatus {
    /// Its name.
    pub name: String,
    /// When an engine first ran it.
    pub opened_at: Timestamp,
    /// How many runs there are of each state; states without any are left out.
    pub runs: Vec<(RunState, u64)>,
    /// Ledger entries without a run.
    pub primed: u64,
    /// Runs that were over and are thrown away.
    pub pruned: u64,
    /// How many ledger entries there are, counted one by one where that was asked for: each is a run, primed or pruned.
    pub ledger: Option<u64>,
    /// The earliest of its cursors; none while a query was not read to its end, and where the trigger has none.
    pub cursor: Option<Timestamp>,
    /// When the oldest pending run was made.
    pub oldest_pending: Option<Timestamp>,
    /// When a run was last delivered, as far as history goes back.
    pub last_success: Option<Timestamp>,
}

impl ZapStatus {
    /// How many runs are in a state.
    pub fn count(&self, state: RunState) -> u64 {
        self.runs.iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| *n)
    }

    /// All that ever was news, or known before: what the ledger must hold.
    pub fn sum(&self) -> u64 {
        self.runs.iter().map(|(_, n)| n).sum::<u64>() + self.primed + self.pruned
    }
}

/// Looking at the state. Never moves it.
#[async_trait]
pub trait History: Send + Sync {
    /// Runs, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<Vec<RunSummary>, StoreError>;
    /// One run; `None` when there is no such run.
    async fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError>;
    /// Counts.
    async fn counts(&self) -> Result<Counts, StoreError>;
    /// What deep sweeps have shown.
    async fn sweeps(&self) -> Result<Sweeps, StoreError>;
    /// How each zap stands. `prove` counts the ledger's entries one by one, which takes longer the more there are.
    async fn status(&self, prove: bool) -> Result<Status, StoreError>;
}
