//! Polling any JSON API: page by page into the ledger, as the CRM is polled.
//!
//! The ledger alone decides what is new. A page's events are committed in one transaction, and the cursor moves with
//! the last page of a walk; a walk that fails in its middle is made again from the first page.

mod ask;
mod feed;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use walk::KIND;

pub use feed::{Feeds, Followed, first_boundary};

use crate::polling;
use crate::ports::Sender;
use std::sync::Arc;

/// What polling an API needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// Time, state, and who is told.
    pub polling: polling::Ports,
    /// Asks.
    pub sender: Arc<dyn Sender>,
}
