//! Where the cursors of one connection stand, for whoever else reads it.

use crate::ports::ZapId;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The cursors by zap and query.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<HashMap<(ZapId, String), Timestamp>>);

impl Marks {
    /// Where a cursor stands; `None` while the query was never read for that zap.
    pub(super) fn at(&self, zap: ZapId, query: &str) -> Option<Timestamp> {
        self.all().get(&(zap, query.to_owned())).copied()
    }

    /// A cursor stands there now.
    pub(super) fn set(&self, zap: ZapId, query: &str, at: Timestamp) {
        self.all().insert((zap, query.to_owned()), at);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(ZapId, String), Timestamp>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
