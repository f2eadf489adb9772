//! A state, a clock and crashes in memory: what tests of zaps, and tests of the engine, run on.
//!
//! They keep the ports' documented words and nothing else, so a test may drop the engine's future at any port call
//! and start a new one on the same [`MemoryStore`].

mod calls;
mod clock;
mod commands;
mod records;
mod store;
mod store_runs;

pub use calls::{Calls, Moment};
pub use clock::FakeClock;
pub use store::{MemoryRun, MemoryStore};
