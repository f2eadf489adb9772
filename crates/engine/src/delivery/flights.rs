//! Which runs are being worked on just now: a person's command leaves them alone.

use crate::ports::RunId;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The runs in flight of all lanes.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    door: RwLock<()>,
    busy: Mutex<BTreeSet<RunId>>,
}

impl Flights {
    /// Held from before runs are claimed until they are noted here, so that none is in flight and not among these.
    pub(crate) async fn claiming(&self) -> RwLockReadGuard<'_, ()> {
        self.door.read().await
    }

    /// Held while nobody may claim.
    pub(crate) async fn closed(&self) -> RwLockWriteGuard<'_, ()> {
        self.door.write().await
    }

    /// Notes runs that were claimed.
    pub(crate) fn begin(&self, runs: impl IntoIterator<Item = RunId>) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).extend(runs);
    }

    /// Notes that a run rests.
    pub(crate) fn end(&self, run: RunId) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
    }

    /// The runs that are in flight.
    pub(crate) fn busy(&self) -> Vec<RunId> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
