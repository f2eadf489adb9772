//! The durable store: ledger, cursors, events, runs and their history.

mod absence;
mod command;
mod error;
mod event;
mod history;
mod limits;
mod part;
mod run;
mod zap;

pub use absence::{Absence, CAUGHT_UP, OffZap};
pub use command::{
    Answer, Chosen, Command, MOST_RUNS, Obeyed, Refused, Replay, UNKNOWN, drop_refusal, dropped,
};
pub use error::StoreError;
pub use event::{CursorMove, EventKey, Fate, NewEvent, PageCommit, PageCommitted, StoredEvent, Target};
pub use history::{Counts, History, RunDetail, RunFilter, RunSummary, Status, ZapStatus};
pub use limits::{Brake, Cost, LIMIT, Spend, Spent};
pub use part::{Backfill, BackfillId, BackfillStep, Part, Sweeps, Swept};
pub use run::{
    AttemptRecord, Begun, BegunAttempt, BegunWrite, ClaimedRun, Own, Resolution, RunReason, RunState,
    RunUpdate, StepOutcome, StepRecord, Touched,
};
pub use zap::{ZapIdentity, ZapState};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub i64);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
ids! {
    /// A zap in this state, whatever it is called now.
    ZapId;
    /// A run, as a person names it.
    RunId;
    /// One content of one zap.
    RevisionId;
}

/// Whether a run may use the value of `once_per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnceOutcome {
    /// It is this run's, now or from before.
    Taken,
    /// Another run, or a primed row (`None`), has it.
    TakenBy(Option<RunId>),
}

/// What the engine needs of the state. One engine at a time: the implementation holds the lease and guards every
/// write with its fencing number. A method that returns `Ok` has made its effect durable.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes a zap known, moves its boundary after a change of selection, follows a rename, and says where it stands.
    async fn open_zap(&self, identity: ZapIdentity) -> Result<ZapState, StoreError>;
    /// Keeps how far the CRM's clock is ahead of ours for a zap that has no such [`ZapState::skew`] yet, and says what
    /// is kept. Only the first one is: a clock that is set right later must not move what counts as new.
    async fn keep_skew(&self, zap: ZapId, skew: SignedDuration) -> Result<SignedDuration, StoreError>;
    /// Of these ids of one kind, those that the zap's ledger does not hold.
    async fn unknown(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError>;
    /// Commits a page: ledger entries, events, runs and cursors, in one transaction. Pairs of event and zap that the
    /// ledger holds are left as they are.
    async fn commit_page(&self, commit: PageCommit) -> Result<PageCommitted, StoreError>;
    /// Pending runs of a zap that are due, oldest due first, at most `limit`, none of `busy`. A run whose zap and
    /// natural id have an earlier pending run waits for that one; where the zap is strict, for a dead or held one too.
    async fn claim(
        &self,
        zap: ZapId,
        now: Timestamp,
        limit: usize,
        busy: Vec<RunId>,
    ) -> Result<Vec<ClaimedRun>, StoreError>;
    /// When the next pending run of any of these zaps is due; `None` when none is pending. Runs in `busy` do not count,
    /// nor do runs that wait for an earlier one of their natural id: they become due with an update of that one.
    async fn next_due(&self, zaps: Vec<ZapId>, busy: Vec<RunId>) -> Result<Option<Timestamp>, StoreError>;
    /// Records that an attempt begins, before its first byte leaves. Refused for a run that is not pending.
    async fn begin_attempt(&self, run: RunId, begun: BegunAttempt) -> Result<Begun, StoreError>;
    /// What is known of an order as zaprun's own doing. `serial` is that of the writes that may be making it.
    async fn own(&self, order: &str, serial: Option<String>) -> Result<Own, StoreError>;
    /// Does the oldest thing that another program has asked of whoever holds the state ([`Command`]), in one
    /// transaction. Runs in `busy` are being worked on, and are left alone.
    async fn obey(&self, now: Timestamp, busy: Vec<RunId>) -> Result<Obeyed, StoreError>;
    /// Throws away at most `most` runs that ended before an instant, and says how many: delivered, filtered and dropped
    /// ones. What dedupes stays.
    async fn prune(&self, before: Timestamp, most: usize) -> Result<u64, StoreError>;
    /// What is kept of a zap's text with that content; see [`ZapIdentity::source`].
    async fn source(&self, zap: ZapId, content: &str) -> Result<Option<Bytes>, StoreError>;
    /// Records what became of a run.
    async fn update_run(&self, update: RunUpdate) -> Result<(), StoreError>;
    /// Takes the value of `once_per` for a run; asking again for the same run gives the same answer.
    async fn take_once(&self, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError>;
    /// Commits a page of a deep sweep or a backfill, in one transaction, as [`Store::commit_page`] does but for what
    /// [`Part`] says. Refused, and then nothing is written, where its backfill is over or was stopped.
    async fn commit_part(&self, commit: PageCommit, part: Part) -> Result<PageCommitted, StoreError>;
    /// Of these ids of one kind, those of which the zap has made no run: unknown to its ledger, or primed.
    async fn without_run(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError>;
    /// The latest deep sweep of a query.
    async fn swept(&self, connection: &str, query: &str) -> Result<Option<Swept>, StoreError>;
    /// Keeps what a deep sweep came to, in place of the one before.
    async fn keep_swept(&self, swept: Swept) -> Result<(), StoreError>;
    /// Asks for a backfill of whole days; the one of the same days that is not over yet, if there is one.
    async fn place_backfill(
        &self,
        zap: ZapId,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Backfill, StoreError>;
    /// Of the backfills of these zaps that are not over, the one that was asked for first.
    async fn next_backfill(&self, zaps: Vec<ZapId>) -> Result<Option<Backfill>, StoreError>;
    /// A backfill has read all its days.
    async fn end_backfill(&self, id: BackfillId, now: Timestamp) -> Result<(), StoreError>;
    /// How many runs of a zap are pending.
    async fn pending(&self, zap: ZapId) -> Result<u64, StoreError>;
    /// Counts a write that is about to leave in what its zap may do, unless that would be too much. What was counted
    /// before, or is of a run that a person let through, is not counted again.
    async fn spend(&self, spend: Spend) -> Result<Spent, StoreError>;
    /// Keeps since when a zap is switched off, until it is opened again. One that the state does not know has nothing
    /// to catch up with.
    async fn switched_off(&self, zap: OffZap) -> Result<(), StoreError>;
    /// The times during which a zap was switched off, oldest first, with what was held and dropped of each so far.
    async fn absences(&self, zap: ZapId) -> Result<Vec<Absence>, StoreError>;
    /// Keeps that a person was told of these times of a zap, with the counts as they say.
    async fn absences_told(&self, zap: ZapId, absences: Vec<Absence>) -> Result<(), StoreError>;
}
