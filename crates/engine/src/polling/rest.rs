//! How long a connection is left alone, for whoever else would read it: a login that was refused must not be tried
//! again and again.

use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};

/// A connection's rest, shared by its poll and by what webhooks tell of.
#[derive(Debug, Default)]
pub struct Rest(Mutex<Option<Timestamp>>);

impl Rest {
    /// Until when nobody should read.
    pub(crate) fn until(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(Timestamp::MIN)
    }

    /// Nobody should read before that.
    pub(crate) fn begin(&self, until: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// It can be read again.
    pub(crate) fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
