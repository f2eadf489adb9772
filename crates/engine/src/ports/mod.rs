//! The traits through which the engine reaches the world, and the data that crosses them.

mod clock;
mod crm;
mod sender;
mod store;
mod writer;

pub use clock::Clock;
pub use crm::{Crm, DayWindow, Page, PageRequest, ReadError};
pub use sender::{Reply, SendOutcome, Sender, Turn};
pub use store::{
    AttemptRecord, Backfill, BackfillId, BackfillStep, Begun, BegunAttempt, BegunWrite, ClaimedRun, Counts,
    CursorMove, EventKey, Fate, History, NewEvent, OnceOutcome, Own, PageCommit, PageCommitted, Part,
    Resolution, RevisionId, RunDetail, RunFilter, RunId, RunReason, RunState, RunSummary, RunUpdate,
    StepOutcome, StepRecord, Store, StoreError, StoredEvent, Sweeps, Swept, Target, Touched, ZapId,
    ZapIdentity, ZapState,
};
pub use writer::{CrmReply, CrmWriter, Refusal, Seen, Sight, WriteOutcome};
