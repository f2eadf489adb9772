//! The durable store: ledger, cursors, events, runs and their history.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// What went wrong with the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another engine holds the state.
    #[error("another zaprun is running on {path}{}", .holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Busy {
        /// The state file.
        path: String,
        /// What is known of the holder.
        holder: Option<String>,
    },
    /// The lease was lost to another engine; nothing was written.
    #[error("another zaprun took over the state; this one writes nothing more")]
    Fenced,
    /// There is no state file yet.
    #[error("no state at {path}")]
    Missing {
        /// The state file.
        path: String,
    },
    /// A newer zaprun has written the state; this one does not know all that is in it.
    #[error("{path} was written by a newer zaprun: its state has version {version}, this one knows {known}")]
    Newer {
        /// The state file.
        path: String,
        /// The version of its schema.
        version: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// The file is not a state of zaprun, or is damaged.
    #[error("{path} cannot be used: {reason}")]
    Unusable {
        /// The state file.
        path: String,
        /// Plain words.
        reason: String,
    },
    /// The disk is full, read-only, or failed. Nothing of the operation was kept.
    #[error("the state cannot be written: {reason}")]
    Io {
        /// Plain words.
        reason: String,
    },
    /// The operation makes no sense for this state: a rename onto a name that is taken, a run that is not there or has
    /// ended. Nothing was written; asking again gives the same answer.
    #[error("{reason}")]
    Refused {
        /// Plain words.
        reason: String,
    },
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Who a zap is, when the engine starts with it.
#[derive(Debug, Clone)]
pub struct ZapIdentity {
    /// Its name now.
    pub name: String,
    /// The name its state hangs on so far, when it was renamed.
    pub formerly: Option<String>,
    /// Hash of what its trigger selects (kind, connection, where, cycles, include_*): a change moves the boundary.
    pub selection: String,
    /// How many queries that takes, each with a cursor once it was read.
    pub queries: usize,
    /// Hash of the whole zap.
    pub content: String,
    /// Git revision, when known.
    pub git: Option<String>,
    /// What counts as new when the zap has never run: the boundary it starts with.
    pub first_boundary: Timestamp,
    /// The present instant.
    pub now: Timestamp,
}

/// What the state knows of a zap.
#[derive(Debug, Clone, PartialEq)]
pub struct ZapState {
    /// Its id.
    pub id: ZapId,
    /// Its first name, on which idempotency keys hang. Unique within the state: a zap that later takes a name which
    /// another gave up gets `NAME#2`, so that their keys never meet.
    pub first_name: String,
    /// What is older is primed, not fired. After a change of selection: the earliest of its cursors when the change
    /// was loaded (its boundary stays where a query was not read yet, and never moves back).
    pub boundary: Timestamp,
    /// The CRM's clock less ours when the zap was first read, by which its boundary is understood; `None` until then.
    /// Zero where the boundary moved to a cursor, which is never after the CRM's clock.
    pub skew: Option<SignedDuration>,
    /// When an engine first ran it.
    pub opened_at: Timestamp,
    /// Whether that is now.
    pub first_run: bool,
    /// The present content.
    pub revision: RevisionId,
    /// Cursors by query. None right after a change of selection: each query is then read from the boundary on, since
    /// what the new selection finds between two cursors of the old one would be missed otherwise.
    pub cursors: Vec<(String, Timestamp)>,
}

/// What happened in the CRM, once: kind and natural id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey {
    /// The kind's name: `new_sale`, `refund`, …
    pub kind: String,
    /// `orderId`, `transactionId`, …
    pub id: String,
}

impl std::fmt::Display for EventKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// A page's news, committed in one transaction.
#[derive(Debug, Clone, Default)]
pub struct PageCommit {
    /// What was found, in the CRM's order.
    pub events: Vec<NewEvent>,
    /// With the last page of a slice or walk: where the cursors now stand.
    pub cursors: Vec<CursorMove>,
}

/// A cursor that a completed slice or walk moves. A cursor never moves back.
#[derive(Debug, Clone)]
pub struct CursorMove {
    /// The zap.
    pub zap: ZapId,
    /// The query's stable name.
    pub query: String,
    /// The instant.
    pub at: Timestamp,
}

/// One event and the zaps it concerns.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its key.
    pub key: EventKey,
    /// When it happened (`event.at`), frozen now.
    pub at: Timestamp,
    /// The row, byte for byte.
    pub record: Bytes,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// What else of it expressions see under `event`, as a JSON object: headers and query of a webhook.
    pub context: Option<Bytes>,
    /// The order that it is about, by which zaprun's own writes are known again.
    pub order: Option<String>,
    /// How many of zaprun's own writes led to it, as far as the event itself tells.
    pub depth: u32,
    /// The zaps.
    pub targets: Vec<Target>,
}

/// What an event is to one zap.
#[derive(Debug, Clone)]
pub struct Target {
    /// The zap.
    pub zap: ZapId,
    /// The zap's content that the run is made with.
    pub revision: RevisionId,
    /// Base of the idempotency keys of its run.
    pub key_base: Uuid,
    /// Fire or prime.
    pub fate: Fate,
    /// The value of `once_per`, which a primed row takes.
    pub once: Option<String>,
    /// Whether an order that zaprun itself made fires too; else it is primed.
    pub own: bool,
}

/// What becomes of an event that is not yet in a zap's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It becomes a run.
    Fire,
    /// It enters the ledger without a run: it is older than the boundary.
    Prime,
    /// Primed, since nothing dates it.
    PrimeUndated,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageCommitted {
    /// Runs made.
    pub fired: u64,
    /// Ledger entries without a run.
    pub primed: u64,
    /// Of those, undated.
    pub undated: u64,
    /// Pairs of event and zap that the ledger knew.
    pub known: u64,
}

/// A run's state as the person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunState {
    /// Waits or is being worked on.
    Pending,
    /// Every step done or skipped.
    Delivered,
    /// Its filter, or `once_per`, said no.
    Filtered,
    /// Waits for a person.
    Held,
    /// Given up; can be replayed.
    Dead,
    /// Given up by a person.
    Dropped,
}

/// Why a run is in its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReason {
    /// One word. Pending: `queued`, `settling`, `delayed`, `retrying`, `parked`, `uncertain`, `failing`; delivered:
    /// `delivered`, `skipped`, `unless`, `stopped`; filtered: `filter`, `once_per`, `own`; held: `uncertain`, `chain`;
    /// dead: `refused`, `declined`, `invalid`, `redirect`, `expired`, `mapping`.
    pub word: String,
    /// Plain words, masked; empty where the word says all.
    pub detail: String,
}

/// What the store keeps of an event.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its key.
    pub key: EventKey,
    /// When it happened.
    pub at: Timestamp,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// The row, byte for byte.
    pub record: Bytes,
    /// See [`NewEvent::context`].
    pub context: Option<Bytes>,
}

/// A run handed to the engine.
#[derive(Debug, Clone)]
pub struct ClaimedRun {
    /// Its id.
    pub id: RunId,
    /// Its zap.
    pub zap: ZapId,
    /// Its event.
    pub event: StoredEvent,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// When the run was made.
    pub created_at: Timestamp,
    /// Why it is pending.
    pub reason: RunReason,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
    /// Why the run will end dead, once its `on_failure` steps are done.
    pub failing: Option<RunReason>,
    /// The record as it was read again once it had settled; mapped instead of the event's.
    pub fresh: Option<Bytes>,
    /// Attempts of the unfinished step (and element) so far.
    pub attempts: u32,
    /// When the first attempt of the unfinished step ended in a retryable failure; `retry.for` counts from here.
    pub retrying_since: Option<Timestamp>,
    /// Steps with an outcome, in the order they were settled.
    pub steps: Vec<StepRecord>,
    /// An attempt whose beginning was recorded and whose end was not: the process died in flight.
    pub begun: Option<BegunAttempt>,
}

/// An attempt recorded before its first byte left, or what is held for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunAttempt {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What is needed to find out what became of it, where the CRM can be asked.
    pub write: Option<BegunWrite>,
}

impl BegunAttempt {
    /// The step that it becomes when a person says how it ended. `was` is why the run was held, `attempts` how many
    /// failed before, `steps` what else has ended.
    pub fn resolved(
        &self,
        resolution: Resolution,
        was: &RunReason,
        attempts: u32,
        steps: &[StepRecord],
        at: Timestamp,
    ) -> StepRecord {
        let (outcome, word) = match resolution {
            Resolution::Done => (StepOutcome::Done, "done"),
            Resolution::Failed => (StepOutcome::Failed, "failed"),
        };
        let detail = format!("{word} by a person's word; before: {}", was.detail);
        StepRecord {
            step: self.step.clone(),
            element: self.element.clone(),
            outcome,
            status: None,
            attempts: attempts.saturating_add(1),
            at,
            reply: None,
            response: self.answer(steps).filter(|_| resolution == Resolution::Done),
            why: Some(RunReason { word: was.word.clone(), detail }),
        }
    }

    /// The ids that later steps may ask a write's answer for, as far as they are known without it: they were sent, or
    /// the lead that went before has them. Nothing for what is no write to the CRM.
    pub fn known_ids(&self, steps: &[StepRecord]) -> Vec<(&'static str, String)> {
        const IDS: [&str; 5] = ["orderId", "customerId", "transactionId", "purchaseId", "fulfillmentId"];
        let Some(write) = &self.write else { return Vec::new() };
        let lead = format!("{}.lead", self.step);
        let lead = steps.iter().find(|step| step.step == lead && step.element == self.element);
        let lead = lead.and_then(|lead| serde_json::from_slice(lead.response.as_ref()?).ok());
        let lead: serde_json::Value = lead.unwrap_or_default();
        let known = |name: &'static str| {
            let sent = write.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let of_lead = || lead.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
            Some((name, sent.or_else(of_lead).filter(|id| !id.is_empty())?))
        };
        IDS.into_iter().filter_map(known).collect()
    }

    fn answer(&self, steps: &[StepRecord]) -> Option<Bytes> {
        self.write.as_ref()?;
        let mut answer = serde_json::Map::from_iter([("result".to_owned(), "SUCCESS".into())]);
        answer.extend(self.known_ids(steps).into_iter().map(|(name, id)| (name.to_owned(), id.into())));
        Some(serde_json::Value::Object(answer).to_string().into())
    }

    /// Whether it may have left; else only its serials are held.
    pub fn has_left(&self) -> bool {
        self.write.as_ref().is_none_or(|write| write.before.is_some())
    }
}

/// What is kept of a write to the CRM until its outcome is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunWrite {
    /// The parameters that were sent, without credentials.
    pub params: Vec<(String, String)>,
    /// What the CRM showed before it left: [`crate::ports::Sight::state`]. `None`: nothing has left yet, and only the
    /// serials are held: while the CRM is looked at, and between a lead and its sale.
    pub before: Option<String>,
    /// While this attempt is open no other that has one of these may begin.
    pub serials: Vec<String>,
    /// What the latest look showed, and when, once there was one that may count.
    pub looked: Option<(String, Timestamp)>,
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is recorded.
    Yes,
    /// Another run's attempt that has one of the serials is open: this one must wait, and nothing was recorded.
    Waits(RunId),
}

/// What zaprun knows of an order as its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    /// One of its steps made the order.
    pub made: bool,
    /// One of its steps sold it.
    pub sold: bool,
    /// A write of that serial is open, which may be making it.
    pub open: bool,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// Sent and accepted.
    Done,
    /// `when` said no, or `each` had no element.
    Skipped,
    /// Given up.
    Failed,
}

/// A finished step, or one finished element of an `each` step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// Outcome.
    pub outcome: StepOutcome,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// Attempts it took.
    pub attempts: u32,
    /// When it ended.
    pub at: Timestamp,
    /// The answer kept for people: at most 8 KiB, masked.
    pub reply: Option<Bytes>,
    /// What later steps read of the answer, as JSON `{status, headers, body}`; dropped when the run ends.
    pub response: Option<Bytes>,
    /// Why it was given up, or that a person settled it.
    pub why: Option<RunReason>,
}

/// A failed or unfinished attempt, kept so that a person can see what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// From 1.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What happened in plain words, masked.
    pub error: String,
    /// The answer kept for people: at most 8 KiB, masked.
    pub reply: Option<Bytes>,
}

/// An order that a step made or changed: what happens to it next is zaprun's own doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The order.
    pub order: String,
    /// It did not exist before.
    pub made: bool,
    /// It was sold by the step.
    pub sold: bool,
    /// How many of zaprun's own writes led to what happens to it next.
    pub depth: u32,
}

/// A person's word on a held run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The write happened: the run goes on after the step. One that is held for another reason goes on as it is.
    Done,
    /// It did not: the step has failed. A run that is held for another reason is given up.
    Failed,
}

/// What changes on a run, in one transaction.
#[derive(Debug, Clone)]
pub struct RunUpdate {
    /// The run.
    pub run: RunId,
    /// Steps that ended.
    pub steps: Vec<StepRecord>,
    /// Attempts that failed.
    pub failed: Vec<AttemptRecord>,
    /// Orders that its steps made or changed.
    pub touched: Vec<Touched>,
    /// The attempt whose outcome is still open; `None` clears a begun one.
    pub begun: Option<BegunAttempt>,
    /// See [`ClaimedRun::failing`].
    pub failing: Option<RunReason>,
    /// See [`ClaimedRun::fresh`]; `None` keeps what there is.
    pub fresh: Option<Bytes>,
    /// State from now on.
    pub state: RunState,
    /// Why.
    pub reason: RunReason,
    /// When a pending run is due again; now for `queued`.
    pub due_at: Timestamp,
    /// Attempts of the unfinished step so far.
    pub attempts: u32,
    /// See [`ClaimedRun::retrying_since`].
    pub retrying_since: Option<Timestamp>,
    /// When this happened.
    pub at: Timestamp,
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
    /// natural id have an earlier pending run waits for that one.
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
    /// Does what other programs have asked of a running engine (`runs resolve`), and says of which zaps runs are
    /// pending now.
    async fn obey(&self, now: Timestamp) -> Result<Vec<ZapId>, StoreError>;
    /// Records what became of a run.
    async fn update_run(&self, update: RunUpdate) -> Result<(), StoreError>;
    /// Takes the value of `once_per` for a run; asking again for the same run gives the same answer.
    async fn take_once(&self, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError>;
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only this zap, by name.
    pub zap: Option<String>,
    /// Only these states; all when empty.
    pub states: Vec<RunState>,
    /// Only runs made at or after.
    pub since: Option<Timestamp>,
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
    /// Failed attempts.
    pub attempts: Vec<AttemptRecord>,
    /// An attempt in flight, or cut off by a crash.
    pub begun: Option<BegunAttempt>,
}

/// How many runs are in each state, per zap; and how many ledger entries have no run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By zap name and state.
    pub runs: Vec<(String, RunState, u64)>,
    /// Primed entries by zap name.
    pub primed: Vec<(String, u64)>,
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
}
