//! Stand-ins for the ports, for tests: virtual time, a scripted CRM, a store in memory, and crashes at any call.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a stand-in that fails must fail its test"
)]

mod crm;
mod reports;
mod table;

pub use crate::memory::{Calls, FakeClock, MemoryRun, MemoryStore, Moment};
pub use crm::{Call, FakeCrm, Fault};
pub use reports::Recorded;
pub use table::{FakeRow, Table};
