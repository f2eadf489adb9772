//! Pages that are no part of keeping up: of a deep sweep, of a backfill.

use super::{EventKey, ZapId};
use jiff::Timestamp;
use jiff::civil::Date;

/// What a page is part of, beside keeping up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A deep sweep. These became known too late, if they become runs: a walk has gone by them. They are counted.
    Sweep(Vec<(ZapId, EventKey)>),
    /// A backfill. What was primed and never fired becomes a run too.
    Backfill(BackfillStep),
}

/// How a backfill goes on with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillStep {
    /// Which one. A page of one that was stopped is refused.
    pub id: BackfillId,
    /// The query's stable name.
    pub query: String,
    /// Rows of the page that its zap takes.
    pub rows: u64,
    /// With the last page of a slice: the first day not yet read.
    pub next: Option<Date>,
}

/// A backfill, as the state numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackfillId(pub i64);

/// A backfill that is asked for and not over: lying in the state is the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Its number.
    pub id: BackfillId,
    /// The zap.
    pub zap: ZapId,
    /// The first day, by `dateCreated` in the account's zone.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// By query: the first day not yet read. None where it has not begun.
    pub places: Vec<(String, Date)>,
    /// Rows read that the zap takes.
    pub rows: u64,
    /// Runs made.
    pub fired: u64,
}

impl Backfill {
    /// The first day of a query that is not yet read.
    pub fn place(&self, query: &str) -> Date {
        let place = self.places.iter().find(|(known, _)| known == query);
        place.map_or(self.first, |(_, next)| *next)
    }
}

/// What a deep sweep of a query came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Connection.
    pub connection: String,
    /// The query's stable name.
    pub query: String,
    /// When it began.
    pub at: Timestamp,
    /// Rows read.
    pub rows: u64,
    /// Runs made that an earlier walk should have made.
    pub late: u64,
    /// Ids that a ledger does not know after it: the completeness figure, which must be 0.
    pub unknown: u64,
}

/// What deep sweeps have shown so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweeps {
    /// The latest one of each query, by connection and name.
    pub queries: Vec<Swept>,
    /// By zap name: runs that only a deep sweep has made, ever. Zaps without any are left out.
    pub late: Vec<(String, u64)>,
}
