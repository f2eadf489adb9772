//! The traits through which the engine reaches the world, and the data that crosses them.

mod alerts;
mod clock;
mod crm;
mod sender;
mod store;
mod vault;
mod writer;

pub use alerts::{AlertRow, AlertStore, Standing};
pub use clock::Clock;
pub use crm::{Crm, DayWindow, Page, PageRequest, ReadError};
pub use sender::{Reply, SendOutcome, Sender, Turn};
pub use store::{
    Absence, Answer, AttemptRecord, Backfill, BackfillId, BackfillStep, Begun, BegunAttempt, BegunWrite,
    Brake, CAUGHT_UP, Chosen, ClaimedRun, Command, Cost, Counts, CursorMove, EventKey, Fate, History, LIMIT,
    MOST_RUNS, NewEvent, Obeyed, OffZap, OnceOutcome, Own, PageCommit, PageCommitted, Part, Refused, Replay,
    Resolution, RevisionId, RunDetail, RunFilter, RunId, RunReason, RunState, RunSummary, RunUpdate, Spend,
    Spent, Status, StepOutcome, StepRecord, Store, StoreError, StoredEvent, Sweeps, Swept, Target, Touched,
    UNKNOWN, ZapId, ZapIdentity, ZapState, ZapStatus, drop_refusal, dropped,
};
pub use vault::Vault;
pub use writer::{CrmReply, CrmWriter, Refusal, Seen, Sight, WriteOutcome};
