//! What the engine counts rather than tells: too frequent for words, and borrowed, so that it costs next to nothing.

use crate::delivery::Verdict;
use crate::ports::{PageCommitted, StepOutcome, ZapId, ZapState};
use crate::report::{Event, Observer};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::zap::Zap;

/// Something to count.
#[derive(Debug, Clone, Copy)]
pub enum Measure<'a> {
    /// A zap is run from now on.
    Opened {
        /// The zap.
        zap: &'a Zap,
        /// Where it stands.
        state: &'a ZapState,
    },
    /// A zap that was run is run no more.
    Closed {
        /// The zap.
        zap: ZapId,
    },
    /// What was found was committed: rows, items, ticks of a schedule, or a request.
    Committed(&'a PageCommitted),
    /// All of a zap's query up to `to` was dealt with, which is durable.
    Cursor {
        /// The zap.
        zap: ZapId,
        /// The query's stable name.
        query: &'a str,
        /// Where the cursor stands.
        to: Timestamp,
    },
    /// A request of a step was sent, or could not be.
    Attempt {
        /// The zap's name.
        zap: &'a str,
        /// The step's id.
        step: &'a str,
        /// A connection or a host, as a person names it.
        target: &'a str,
        /// What it came to.
        class: Class,
        /// From its turn to the end of its answer.
        took: Duration,
    },
    /// A step of a run ended, or one element of it.
    Step {
        /// The zap's name.
        zap: &'a str,
        /// The step's id.
        step: &'a str,
        /// How.
        outcome: StepOutcome,
    },
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Sent and accepted.
    Done,
    /// It failed for now: no connection, no answer, 408, 425, 429, 5xx.
    Retry,
    /// It was refused for good.
    Refused,
    /// 403, or a permission that is missing.
    Forbidden,
    /// The caller is not known: credentials, or the address.
    Unauthorised,
    /// Whether it happened is not known.
    Uncertain,
    /// The answer came, and `success` cannot be evaluated for it.
    Broken,
}

impl Class {
    /// Each of them.
    pub const ALL: [Class; 7] = [
        Class::Done,
        Class::Retry,
        Class::Refused,
        Class::Forbidden,
        Class::Unauthorised,
        Class::Uncertain,
        Class::Broken,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Class::Done => "done",
            Class::Retry => "retry",
            Class::Refused => "refused",
            Class::Forbidden => "forbidden",
            Class::Unauthorised => "unauthorised",
            Class::Uncertain => "uncertain",
            Class::Broken => "broken",
        }
    }

    pub(crate) fn of(verdict: &Verdict) -> Class {
        match verdict {
            Verdict::Done => Class::Done,
            Verdict::Retry { .. } => Class::Retry,
            Verdict::Refused { .. } => Class::Refused,
            Verdict::Forbidden { .. } => Class::Forbidden,
            Verdict::ConnectionFault { .. } => Class::Unauthorised,
            Verdict::Uncertain { .. } => Class::Uncertain,
        }
    }
}

/// Sees what an observer is told, beside it. Must return at once.
pub trait Witness: Send + Sync {
    /// Something happened.
    fn note(&self, event: &Event);
    /// Something is to be counted.
    fn measure(&self, measure: Measure<'_>);
}

/// An observer with witnesses beside it.
pub struct Fan {
    observer: Arc<dyn Observer>,
    witnesses: Vec<Arc<dyn Witness>>,
}

impl Fan {
    /// Tells `observer` everything, and the witnesses before it.
    pub fn new(observer: Arc<dyn Observer>, witnesses: Vec<Arc<dyn Witness>>) -> Fan {
        Fan { observer, witnesses }
    }
}

impl Observer for Fan {
    fn see(&self, event: Event) {
        self.witnesses.iter().for_each(|witness| witness.note(&event));
        self.observer.see(event);
    }

    fn measure(&self, measure: Measure<'_>) {
        self.witnesses.iter().for_each(|witness| witness.measure(measure));
        self.observer.measure(measure);
    }
}
