//! Crashes: a port call that never returns stands for a process that dies there.

use std::sync::{Arc, Mutex, PoisonError};

/// Which side of a call's effect the process dies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The call has done nothing.
    Before,
    /// The call has had its effect; nobody heard of it.
    After,
}

/// Counts the calls of all ports that share it, and cuts one of them off.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    made: usize,
    crash: Option<(usize, Moment)>,
}

impl Calls {
    /// No crash, nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The process dies at the `nth` call from now, counted from 1.
    pub fn crash_at(&self, nth: usize, moment: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Inner { made: 0, crash: Some((nth, moment)) };
    }

    /// No crash any more; counts from 0 again.
    pub fn calm(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Inner::default();
    }

    /// Calls since the last [`Calls::crash_at`] or [`Calls::calm`].
    pub fn made(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).made
    }

    /// To be awaited before a call's effect; gives the call's number for [`Calls::leave`].
    pub async fn enter(&self) -> usize {
        let (number, crash) = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.made += 1;
            (inner.made, inner.crash)
        };
        if crash == Some((number, Moment::Before)) {
            std::future::pending::<()>().await;
        }
        number
    }

    /// To be awaited after a call's effect.
    pub async fn leave(&self, number: usize) {
        let crash = self.0.lock().unwrap_or_else(PoisonError::into_inner).crash;
        if crash == Some((number, Moment::After)) {
            std::future::pending::<()>().await;
        }
    }
}
