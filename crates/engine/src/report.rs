//! What the engine tells whoever watches it, as data; the command line makes lines and logs of it.

use crate::measure::Measure;
use crate::ports::{EventKey, Fate, ReadError, RunId, RunReason, StoreError, Swept};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use uuid::Uuid;
use zaprun_core::request::Request;
use zaprun_core::zap::NotItems;

/// Receives events as they happen. Must return at once.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn see(&self, event: Event);

    /// Something is to be counted.
    fn measure(&self, _: Measure<'_>) {}
}

/// An observer that does not look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blind;

impl Observer for Blind {
    fn see(&self, _: Event) {}
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A page of a walk was committed.
    Page {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// From 1.
        page: u32,
        /// Rows read so far in this slice.
        rows: u64,
        /// Rows the slice has, as the CRM says.
        total: u64,
        /// Runs made by this page.
        fired: u64,
    },
    /// A walk is complete and its cursors have moved.
    WalkDone {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// What it came to.
        tally: Tally,
        /// How long it took.
        took: SignedDuration,
    },
    /// All that a query holds is known: it was walked, or a look has shown that nothing has changed.
    Looked {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// As of when.
        at: Timestamp,
        /// By a walk.
        walked: bool,
    },
    /// The last days of a query were read again, once a day.
    DeepSwept {
        /// What it came to.
        swept: Swept,
        /// How long it took.
        took: SignedDuration,
    },
    /// A deep sweep did not reach its end; what it found is kept.
    SweepFailed {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// Why.
        cause: WalkFailure,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// A backfill goes on: told after each slice of days.
    Backfilling {
        /// The zap's name.
        zap: String,
        /// The first day not yet read, of the query that is being read.
        next: Date,
        /// The last day.
        last: Date,
        /// Days read so far, over all queries.
        done: u64,
        /// Days there are, over all queries.
        days: u64,
        /// Rows that the zap takes, so far.
        rows: u64,
        /// Runs made so far.
        fired: u64,
    },
    /// A backfill has read all its days.
    Backfilled {
        /// The zap's name.
        zap: String,
        /// The first day.
        first: Date,
        /// The last day.
        last: Date,
        /// Rows that the zap takes.
        rows: u64,
        /// Runs made.
        fired: u64,
        /// Rows left while they were read, again and again: one more backfill may find more.
        unstable: bool,
    },
    /// A backfill could not go on. What it found is kept, and so is its place.
    BackfillFailed {
        /// The zap's name.
        zap: String,
        /// Why.
        cause: WalkFailure,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// A query is read over many days for zaps that are behind; told now and then.
    CatchingUp {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// The first day not yet read.
        from: jiff::civil::Date,
        /// How many slices of days are left.
        slices: u32,
    },
    /// A zap has read its queries for the first time.
    FirstRun {
        /// The zap's name.
        zap: String,
        /// Ledger entries made without a run: rows from before the zap's start.
        primed: u64,
        /// Runs made.
        fired: u64,
    },
    /// What happened while a zap was switched off has been read; it waits for a person, or was dropped. Told again where
    /// more of it is found later.
    CaughtUp {
        /// The zap's name.
        zap: String,
        /// When it was switched off.
        since: Timestamp,
        /// When it was switched on again.
        until: Timestamp,
        /// Runs held for a person.
        held: u64,
        /// Runs dropped.
        dropped: u64,
    },
    /// A walk did not reach its end; what it found is kept, its cursors stay.
    WalkFailed {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// Why.
        cause: WalkFailure,
        /// How many times in a row.
        failures: u32,
        /// When it is tried again.
        retry_at: Timestamp,
        /// What it found before.
        tally: Tally,
    },
    /// Nothing works until a person acts. Reported once, until it has recovered.
    Stopped {
        /// Connection.
        connection: String,
        /// The query concerned; `None`: the whole connection.
        query: Option<String>,
        /// The name of the endpoint's permission, where that is what is missing.
        permission: Option<&'static str>,
        /// What the CRM said.
        error: ReadError,
        /// When it is tried again without being asked.
        retry_at: Timestamp,
    },
    /// What had stopped or failed works again.
    Recovered {
        /// Connection.
        connection: String,
        /// The query concerned; `None`: the whole connection.
        query: Option<String>,
        /// Since when it had not worked.
        since: Timestamp,
    },
    /// Rows left the query in mid-walk, in three passes. What was found is kept.
    Unstable {
        /// Connection.
        connection: String,
        /// The query's stable name.
        query: String,
        /// Since when no walk was stable.
        since: Timestamp,
        /// How many walks in a row.
        walks: u32,
        /// The cursors have moved nevertheless, since it has lasted too long.
        moved_on: bool,
        /// What it found.
        tally: Tally,
    },
    /// This machine's clock was set back; what waited for an instant by the old one waits no longer for it.
    ClockSetBack {
        /// Connection whose polling noticed it.
        connection: String,
        /// By how much, at least.
        by: SignedDuration,
    },
    /// The clocks disagree by more than polling allows for. Reported once per connection.
    ClockSkew {
        /// Connection.
        connection: String,
        /// How far the CRM's clock is ahead of this machine's.
        skew: SignedDuration,
    },
    /// A row is not what its description says. Reported once per connection, field and kind of problem.
    RowProblem {
        /// Connection.
        connection: String,
        /// The kind of row: `order`, `transaction`.
        row: &'static str,
        /// What is wrong.
        problem: RowProblem,
        /// The id of the first such row, where it has one.
        id: Option<String>,
    },
    /// The state could not be written; nothing is lost, polling tries again. Reported once, until it has recovered.
    StoreTrouble {
        /// What happened.
        error: StoreError,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// The state can be written again.
    StoreRecovered {
        /// Since when it could not.
        since: Timestamp,
    },
    /// A request was taken in, and that is durable.
    Arrived {
        /// Its path.
        path: String,
        /// Runs made.
        fired: u64,
        /// Events that the ledgers of their zaps knew already.
        known: u64,
    },
    /// A request told of a row that the CRM does not show.
    Unheard {
        /// Connection to the CRM.
        connection: String,
        /// The request's path.
        path: String,
        /// The kind of row: `order`, `transaction`.
        row: &'static str,
    },
    /// Requests were not taken in. Told now and then for each path and status.
    TurnedAway {
        /// Their path, when a zap has it.
        path: Option<String>,
        /// The answer's status.
        status: u16,
        /// Why, for the latest of them; holds nothing of the request's.
        reason: String,
        /// How many, since it was told last.
        times: u64,
    },
    /// A polled API was read to its end.
    FeedRead {
        /// The zap's name.
        zap: String,
        /// The connection, or the host.
        source: String,
        /// Pages read.
        pages: u32,
        /// What it came to.
        tally: Tally,
        /// How long it took.
        took: SignedDuration,
    },
    /// A poll of an API did not reach its end; what it found is kept, its cursor stays.
    FeedFailed {
        /// The zap's name.
        zap: String,
        /// The connection, or the host.
        source: String,
        /// Why.
        cause: FeedFailure,
        /// How many times in a row.
        failures: u32,
        /// When it is tried again.
        retry_at: Timestamp,
        /// What it found before.
        tally: Tally,
    },
    /// An API refuses the caller: nothing works until a person acts. Reported once, until it has recovered.
    FeedStopped {
        /// The zap's name.
        zap: String,
        /// The connection, or the host.
        source: String,
        /// What it said.
        cause: FeedFailure,
        /// When it is tried again without being asked.
        retry_at: Timestamp,
    },
    /// An API that had failed or refused works again.
    FeedRecovered {
        /// The zap's name.
        zap: String,
        /// The connection, or the host.
        source: String,
        /// Since when it had not worked.
        since: Timestamp,
    },
    /// An item of a polled API is not what the zap says of it. Reported once per zap and kind of problem.
    ItemProblem {
        /// The zap's name.
        zap: String,
        /// What is wrong.
        problem: ItemProblem,
    },
    /// Times of a schedule passed while nothing ran.
    Missed {
        /// The zap's name.
        zap: String,
        /// The first of them.
        first: Timestamp,
        /// How many of them fire all the same.
        fired: u64,
    },
    /// A run ended with every step done or skipped.
    Delivered {
        /// Which.
        run: RunRef,
        /// From when its row was first seen to now.
        lag: SignedDuration,
        /// Requests it took, failed ones included.
        attempts: u32,
    },
    /// A run ended without sending: its filter, or `once_per`, said no.
    Filtered {
        /// Which.
        run: RunRef,
        /// Why.
        reason: RunReason,
    },
    /// An attempt failed and will be repeated.
    Retrying {
        /// Which.
        run: RunRef,
        /// The step's id.
        step: String,
        /// Why.
        reason: RunReason,
        /// Attempts of this step (and element) so far.
        attempts: u32,
        /// When the next one is due.
        next: Timestamp,
    },
    /// Whether a write to the CRM happened is not known; nothing is sent again before that is settled.
    Uncertain {
        /// Which.
        run: RunRef,
        /// The step.
        step: String,
        /// Why.
        reason: RunReason,
        /// When the CRM is looked at next.
        next: Timestamp,
    },
    /// A run was given up; it can be replayed.
    Dead {
        /// Which.
        run: RunRef,
        /// Why.
        reason: RunReason,
    },
    /// A run waits for a person.
    Held {
        /// Which.
        run: RunRef,
        /// Why.
        reason: RunReason,
    },
    /// A zap has done as much as its `limits` let it; what is more is held. Told now and then, not for each run.
    BrakeTripped {
        /// The zap's name.
        zap: String,
        /// Which limit: `writes_per_hour`, `money`.
        limit: &'static str,
        /// Plain words.
        reason: String,
    },
    /// A zap's filter, mapping or `success` fails for a record. Reported once per zap; each such run is dead.
    MappingBroken {
        /// The zap's name.
        zap: String,
        /// Where in the zap.
        place: String,
        /// What is wrong, for the first such record.
        message: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A target is at fault: its runs wait, and one at a time tries it.
    BreakerOpened {
        /// A connection or a host, as a person names it.
        target: String,
        /// What happened last.
        reason: String,
        /// When it is first tried again.
        probe_at: Timestamp,
    },
    /// A target works again.
    BreakerClosed {
        /// A connection or a host, as a person names it.
        target: String,
        /// How long it was left alone.
        open_for: Duration,
    },
    /// Somebody was told of an alert.
    AlertTold {
        /// The target's id.
        target: String,
        /// The kind's word.
        kind: &'static str,
        /// That it is over.
        resolved: bool,
    },
    /// A message of an alert did not arrive; it is tried again.
    AlertFailed {
        /// The target's id.
        target: String,
        /// The kind's word.
        kind: &'static str,
        /// Why; holds no secret.
        reason: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// What a run would send, in a dry run.
    WouldSend {
        /// Which.
        run: RunRef,
        /// Its steps, skipped ones left out.
        steps: Vec<WouldSend>,
    },
    /// Another set of zaps runs.
    Reloaded(Reload),
    /// The project was to be loaded again and cannot run as it is; what ran runs on.
    ReloadRefused {
        /// Why, in plain words without secrets.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The project was loaded again and is as it runs.
    ReloadedNothing,
}

/// How a set of zaps differs from the one before, by the zaps' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reload {
    /// Zaps that did not run before.
    pub added: Vec<String>,
    /// Zaps that run no more: gone, or switched off.
    pub removed: Vec<String>,
    /// Zaps that run otherwise, or under another name, or with other connections.
    pub changed: Vec<String>,
    /// How many zaps are the same.
    pub unchanged: u64,
    /// Connections that are others now, or are no more.
    pub connections: Vec<String>,
    /// Pending runs of zaps that run no more: they wait until those run again.
    pub waiting: Vec<(String, u64)>,
}

/// A run as an event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRef {
    /// The zap's name.
    pub zap: String,
    /// Its event.
    pub event: EventKey,
    /// Its id.
    pub run: RunId,
    /// The trace of its requests.
    pub trace: Uuid,
}

/// What one step would send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldSend {
    /// The step's id.
    pub step: String,
    /// Its requests: one, or one per element of `each`.
    pub requests: Vec<Request>,
    /// Why they cannot be known, or not for sure, before an earlier step is sent.
    pub note: Option<String>,
}

/// What a walk came to, in pairs of event and zap but for `rows` and `passed_over`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows read, repeats included.
    pub rows: u64,
    /// Runs made.
    pub fired: u64,
    /// Ledger entries without a run.
    pub primed: u64,
    /// Of those, undated.
    pub undated: u64,
    /// Already in the ledger.
    pub known: u64,
    /// Rows that cannot be read or have no id, and were passed over.
    pub passed_over: u64,
    /// Runs made and held, since the zap was switched off when their events happened.
    pub held: u64,
    /// Runs made and dropped for the same reason.
    pub dropped: u64,
}

impl Tally {
    /// Counts an event by what becomes of it.
    pub(crate) fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Fire => self.fired += 1,
            Fate::Prime => self.primed += 1,
            Fate::PrimeUndated => {
                self.primed += 1;
                self.undated += 1;
            }
            Fate::Hold => self.held += 1,
            Fate::Drop => self.dropped += 1,
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.fired += other.fired;
        self.primed += other.primed;
        self.undated += other.undated;
        self.known += other.known;
        self.passed_over += other.passed_over;
        self.held += other.held;
        self.dropped += other.dropped;
    }
}

/// Why a walk did not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalkFailure {
    /// A page could not be read.
    #[error("{0}")]
    Read(ReadError),
    /// Orders could not be looked up; their rows wait for the next walk.
    #[error("{rows} orders could not be looked up: {first}")]
    LookUps {
        /// How many.
        rows: u64,
        /// What the CRM said of the first.
        first: ReadError,
    },
    /// The CRM gives the same page whatever page is asked for.
    #[error("the CRM sends the same page again and again")]
    Stuck,
    /// The state could not be written.
    #[error("{0}")]
    Store(StoreError),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowProblem {
    /// It cannot be read at all; it is passed over.
    Unreadable {
        /// Plain words, without the row's values.
        reason: String,
    },
    /// It has no natural id; it is passed over.
    NoId,
    /// A field's value does not fit its type; it stays as received.
    Misfit {
        /// The field.
        field: String,
    },
    /// A field holds card data, which is taken out before anything is kept.
    Card {
        /// The field.
        field: String,
    },
}

/// Why a poll of an API did not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedFailure {
    /// Nothing came back.
    #[error("{reason}")]
    NoAnswer {
        /// Plain words without secrets.
        reason: String,
        /// Whether another try may help.
        retryable: bool,
    },
    /// Nothing was asked: whoever gives the connection's access tokens refuses it.
    #[error("{reason}")]
    Unauthorised {
        /// Plain words without secrets, and what to do.
        reason: String,
    },
    /// Another status than 2xx.
    #[error("it answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The line was cut, or the time was up, before the answer's end.
    #[error("the answer was cut off")]
    Cut,
    /// The answer is longer than is kept.
    #[error("the answer is longer than 1 MiB; ask for smaller pages")]
    TooLong,
    /// The answer does not hold what the zap says.
    #[error("{0}")]
    Unread(#[from] NotItems),
    /// No item of a page has a key.
    #[error("no item has a key: {reason}")]
    NoKeys {
        /// Why the first has none.
        reason: String,
    },
    /// The API gives the same page whatever page is asked for.
    #[error("it sends the same page again and again")]
    Stuck,
    /// There is no end of pages.
    #[error("it has more than {pages} pages; ask for larger ones, or for later items only with `since`")]
    Endless {
        /// How many were read.
        pages: u32,
    },
    /// The state could not be written.
    #[error("{0}")]
    Store(StoreError),
}

impl FeedFailure {
    /// Whether the caller is refused, so that nothing can work until a person acts.
    pub fn refuses(&self) -> bool {
        matches!(self, FeedFailure::Unauthorised { .. } | FeedFailure::Status { status: 401 | 403, .. })
    }

    /// How long the API asked to wait.
    pub fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            FeedFailure::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What is wrong with an item of a polled API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemProblem {
    /// It has no key; it is passed over.
    NoKey {
        /// Why, without the item's values.
        reason: String,
    },
    /// Another one of the page has its key; it is passed over.
    Doubled {
        /// The key.
        key: String,
    },
    /// It holds card data, which was taken out.
    Card {
        /// The field.
        field: String,
    },
    /// When it happened cannot be told; it counts as happening when it is seen.
    Undated {
        /// Why, without the item's values.
        reason: String,
    },
}
