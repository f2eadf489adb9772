//! The durable store on SQLite: one writer with group commit.
//!
//! [`SqliteStore`] is what an engine holds: the lease, and a thread that alone touches the database. [`SqliteReader`]
//! looks at the same file from any process without moving it. [`Asked`] asks the engine to do something, from another
//! process.
//!
//! What was answered with `Ok` was committed and flushed to the disk before; what was answered with an error left
//! nothing behind. Whoever dies in between finds, on opening again, all of an operation or nothing of it.

mod absence;
mod alerts;
mod aside;
mod asked;
mod backfill;
mod backup;
mod begun;
mod codes;
mod commands;
mod copy;
mod deployed;
mod fault;
mod history;
mod keys;
mod lease;
mod limits;
mod mention;
mod pages;
mod place;
mod prune;
mod reader;
mod restore;
mod runs;
mod schema;
mod scrub;
mod source;
mod status;
mod store;
mod swept;
mod touched;
mod vault;
mod writer;
mod zaps;

pub use asked::Asked;
pub use backfill::{Backfilling, Placing, Progress};
pub use backup::{Holds, back_up, check};
pub use deployed::Deployed;
pub use mention::{Entry, EntryFate, Window};
pub use reader::SqliteReader;
pub use restore::{Restored, restore};
pub use store::{Options, SqliteStore};
pub use vault::{Resealed, Sealed};
