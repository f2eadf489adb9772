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
    Answer, AttemptRecord, Begun, BegunAttempt, BegunWrite, Chosen, ClaimedRun, Command, Counts, CursorMove,
    EventKey, Fate, History, MOST_RUNS, NewEvent, Obeyed, OnceOutcome, Own, PageCommit, PageCommitted,
    Refused, Replay, Resolution, RevisionId, RunDetail, RunFilter, RunId, RunReason, RunState, RunSummary,
    RunUpdate, Status, StepOutcome, StepRecord, Store, StoreError, StoredEvent, Target, Touched, UNKNOWN,
    ZapId, ZapIdentity, ZapState, ZapStatus, drop_refusal, dropped,
};
pub use vault::Vault;
pub use writer::{CrmReply, CrmWriter, Refusal, Seen, Sight, WriteOutcome};
