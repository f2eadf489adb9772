//! Events, and the pages in which they are committed.

use super::{CAUGHT_UP, RevisionId, RunReason, RunState, ZapId};
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

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
    /// It becomes a run that waits for a person: it happened while the zap was switched off.
    Hold,
    /// It becomes a run that is dropped for the same reason.
    Drop,
}

impl Fate {
    /// The state in which the run of such an event is made, and why; `None`: it has no run.
    pub fn birth(self) -> Option<(RunState, RunReason)> {
        let of = |state, word: &str, detail: &str| {
            Some((state, RunReason { word: word.to_owned(), detail: detail.to_owned() }))
        };
        match self {
            Fate::Fire => of(RunState::Pending, "queued", ""),
            Fate::Hold => of(RunState::Held, CAUGHT_UP, "it happened while the zap was switched off"),
            Fate::Drop => of(RunState::Dropped, CAUGHT_UP, "it happened while the zap was switched off"),
            Fate::Prime | Fate::PrimeUndated => None,
        }
    }
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageCommitted {
    /// Runs made that are to be sent.
    pub fired: u64,
    /// Runs made that are held, since their zap was switched off.
    pub held: u64,
    /// Runs made that are dropped for the same reason.
    pub dropped: u64,
    /// Ledger entries without a run.
    pub primed: u64,
    /// Of those, undated.
    pub undated: u64,
    /// Pairs of event and zap that the ledger knew.
    pub known: u64,
    /// Of the runs, those that came too late: see [`super::Part::Sweep`].
    pub late: u64,
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
