//! What is in flight, by zap. Nothing in the state marks a run as taken up, so this alone keeps two from taking up one,
//! and a person's command from touching one that is being worked on.
//!
//! When a zap's lane gives way to another one, what the old lane has in flight goes on, and the new one must leave it
//! alone: both see the same flights. A lane that gives way takes up nothing from that moment on, so whatever the new
//! one learns of the state afterwards can only be of runs that are on the ground, or that it knows to be in flight.
//!
//! A command first sees to it that no lane is between asking the state for runs and noting them here. Those it sees in
//! flight then, of lanes that have given way too, are all that there are.

use crate::ports::{RunId, ZapId};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, RwLockWriteGuard};

/// All flights.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    door: Arc<RwLock<()>>,
    zaps: Mutex<HashMap<ZapId, Arc<Aloft>>>,
}

/// Held by who claims runs, from before it asks for them until they have started or were left alone.
pub(super) type Claiming = OwnedRwLockReadGuard<()>;

impl Flights {
    /// Those of a zap, for every lane that it has.
    pub(crate) fn of(&self, zap: ZapId) -> Arc<Aloft> {
        Arc::clone(self.lock().entry(zap).or_default())
    }

    /// Ready once no command looks what is in flight.
    pub(super) async fn claiming(&self) -> Claiming {
        Arc::clone(&self.door).read_owned().await
    }

    /// Ready once nobody claims; held, it keeps everybody from it.
    pub(crate) async fn closed(&self) -> RwLockWriteGuard<'_, ()> {
        self.door.write().await
    }

    /// All runs that are in flight.
    pub(crate) fn busy(&self) -> Vec<RunId> {
        self.lock().values().flat_map(|aloft| aloft.all()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ZapId, Arc<Aloft>>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.zaps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One zap's runs in flight.
#[derive(Debug, Default)]
pub(crate) struct Aloft(Mutex<BTreeSet<RunId>>);

impl Aloft {
    /// Whether the run may start: it is not in flight yet.
    pub(super) fn start(&self, run: RunId) -> bool {
        self.lock().insert(run)
    }

    /// The run has come to rest, and that is durable.
    pub(super) fn land(&self, run: RunId) {
        self.lock().remove(&run);
    }

    /// How many are in flight.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<RunId> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
