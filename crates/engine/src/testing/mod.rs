//! Stand-ins for the ports, for tests: virtual time, a scripted CRM, a store in memory, and crashes at any call.
//!
//! They keep the ports' documented words and nothing else, so a test may drop the engine's future at any port call
//! and start a new one on the same [`MemoryStore`].
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a stand-in that fails must fail its test"
)]

mod calls;
mod clock;
mod crm;
mod reports;
mod store;
mod store_runs;
mod table;

pub use calls::{Calls, Moment};
pub use clock::FakeClock;
pub use crm::{Call, FakeCrm, Fault};
pub use reports::Recorded;
pub use store::{MemoryRun, MemoryStore};
pub use table::{FakeRow, Table};
