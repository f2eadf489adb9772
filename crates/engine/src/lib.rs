//! What runs compiled zaps: polling, the ledger and delivery.
//!
//! The engine reaches the world only through [`ports`]; it opens no file and no socket itself.

pub mod alerts;
pub mod delivery;
mod engine;
pub mod http_poll;
pub mod intake;
pub mod key;
pub mod measure;
pub mod memory;
mod orders;
pub mod polling;
pub mod ports;
pub mod pulse;
pub mod report;
mod rest;
mod retention;
pub mod schedule;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trial;

pub use engine::{Engine, EngineError, Options, Ports, Reloads, Set, Summary, connections};
