//! Polling the CRM: which days are read, how a walk goes, and what of it is new.
//!
//! Only the ledger decides what is new. A walk reads whole days that surely hold every change since the cursor, commits
//! page by page, and moves the cursor with the last page; whatever goes wrong before leaves the cursor where it was, so
//! that the next walk reads the same days again.

pub(crate) mod absent;
mod backfill;
pub(crate) mod backoff;
mod count;
mod course;
mod digest;
pub(crate) mod health;
pub(crate) mod hear;
mod learn;
mod leisure;
mod line;
mod look;
mod lookup;
mod marks;
mod pass;
mod poller;
mod preview;
mod problems;
mod reader;
mod rider;
pub(crate) mod skew;
mod sweeper;
#[cfg(test)]
mod tests;
mod trips;
mod walk;
pub mod window;

pub(crate) use backfill::Backfiller;
pub use backfill::{Backfilled, backfill_days};
pub(crate) use learn::{FIRST_LOOK, LAST_LOOK, LONGEST_DELAY};
pub use poller::Poller;
pub use preview::{Preview, preview};
pub(crate) use reader::later;
pub(crate) use rider::fate_of;
pub use rider::{Watched, first_boundary};

use crate::ports::{Clock, Crm, Store};
use crate::report::{Observer, Tally};
use crate::rest::{self, Rest};
use std::sync::Arc;

/// What polling needs of the world beside the CRM.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The state.
    pub store: Arc<dyn Store>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// A connection to the CRM.
#[derive(Clone)]
pub struct Connection {
    /// Its name, by which triggers refer to it.
    pub(crate) name: String,
    /// How it is read; its rest is kept.
    pub(crate) crm: Arc<dyn Crm>,
    /// Until when it is left alone.
    pub(crate) rest: Arc<Rest>,
}

impl Connection {
    /// A connection that keeps its rest.
    pub(crate) fn new(name: &str, crm: &Arc<dyn Crm>, rest: Arc<Rest>) -> Connection {
        Connection { name: name.to_owned(), crm: rest::reader(crm, &rest), rest }
    }
}

/// What polling came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polled {
    /// Walks made.
    pub walks: u64,
    /// Walks that failed, were unstable, or could not be made since their connection had stopped.
    pub failed: u64,
    /// What they found.
    pub tally: Tally,
}

impl Polled {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.walks += other.walks;
        self.failed += other.failed;
        self.tally += other.tally;
        self
    }
}

/// What is being polled, as reports name it.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    connection: &'a str,
    query: &'a str,
}
