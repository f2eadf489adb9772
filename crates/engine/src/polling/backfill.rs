//! Backfills: what happened before a zap ran, by the day of its creation, through the same ledger.
//!
//! So what has a run does not fire again, however often days are read, and what was primed does. A backfill is asked for
//! by lying in the state, and keeps its place there; whoever holds the state reads it, after a crash from that place on.

use super::backoff::doubled;
use super::course::Course;
use super::learn::{FIRST_LOOK, LAST_LOOK};
use super::leisure::AtLeisure;
use super::problems::Problems;
use super::reader::{Reader, asked_rest, later};
use super::rider::{Rider, Watched};
use super::walk::{Going, Passenger, Walk};
use super::window::{self, BEGINNING};
use super::{Connection, Place, Ports};
use crate::ports::{Backfill, DayWindow, StoreError, ZapId};
use crate::report::{Event, WalkFailure};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::trigger::{DateRange, Query};

/// How often it is looked whether a backfill is asked for. Somebody waits for it to begin.
const EVERY: Duration = Duration::from_secs(1);
/// After a failure it is tried again, the first time so soon, then less and less often.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// So many runs of a zap may wait before a backfill of it makes more: what happens now must not wait behind them all.
const BACKLOG: u64 = 1_000;
/// How often it is looked whether they have become fewer.
const BACKLOG_EVERY: Duration = Duration::from_secs(5);

/// What a backfill came to, also before it was broken off and taken up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Rows that the zap takes.
    pub rows: u64,
    /// Runs made.
    pub fired: u64,
    /// Rows left while they were read, again and again: one more backfill may find more.
    pub unstable: bool,
}

/// The whole days from `from` to before `to` that a backfill can read: none before the first there can be rows of, and
/// none that has not begun. Nothing where no day is left.
pub fn backfill_days(from: Date, to: Date, now: Timestamp, zone: &TimeZone) -> Option<DayWindow> {
    let first = from.max(BEGINNING);
    let last = to.yesterday().ok()?.min(window::day(now, zone));
    (first <= last).then_some(DayWindow { first, last })
}

/// Works backfills off, one at a time.
pub(crate) struct Backfiller {
    ports: Ports,
    connections: Vec<Connection>,
    zaps: Vec<Arc<Watched>>,
    seed: u64,
    problems: Problems,
    /// Zaps whose backfill has failed: so many times, and until when it is left alone.
    failing: HashMap<ZapId, (u32, Timestamp)>,
    /// Somebody delivers what it makes, so that it may wait for that.
    delivered: bool,
}

/// How working a backfill off ended.
enum Outcome {
    /// All its days are read.
    Done(Backfilled),
    /// It was stopped meanwhile.
    Stopped,
    Failed(WalkFailure),
}

impl Backfiller {
    pub(crate) fn new(ports: Ports, connections: Vec<Connection>, zaps: Vec<Watched>, seed: u64) -> Self {
        let zaps = zaps.into_iter().map(Arc::new).collect();
        let (problems, failing) = (Problems::default(), HashMap::new());
        Backfiller { ports, connections, zaps, seed, problems, failing, delivered: true }
    }

    /// Does what is asked for as long as it is polled. Ready only when the state is lost for good.
    pub(crate) async fn forever(&mut self) -> StoreError {
        loop {
            match self.next().await {
                Ok(Some(backfill)) => {
                    if let Err(error) = self.try_on(&backfill).await {
                        return error;
                    }
                }
                Ok(None) | Err(StoreError::Io { .. }) => {}
                Err(error) => return error,
            }
            self.ports.clock.sleep_until(later(self.ports.clock.now(), EVERY)).await;
        }
    }

    /// Reads these days for a zap now, on from where an earlier try of the same ended. Nobody delivers meanwhile.
    ///
    /// # Errors
    /// Why it did not get to its end.
    pub(crate) async fn now(&mut self, zap: ZapId, days: DayWindow) -> Result<Backfilled, WalkFailure> {
        self.delivered = false;
        let (store, now) = (Arc::clone(&self.ports.store), self.ports.clock.now());
        let placed = store.place_backfill(zap, days.first, days.last, now).await;
        let backfill = placed.map_err(WalkFailure::Store)?;
        match self.work(&backfill).await.map_err(WalkFailure::Store)? {
            Outcome::Done(backfilled) => Ok(backfilled),
            Outcome::Failed(cause) => Err(cause),
            Outcome::Stopped => {
                let reason = "the backfill was stopped".to_owned();
                Err(WalkFailure::Store(StoreError::Refused { reason }))
            }
        }
    }

    async fn next(&self) -> Result<Option<Backfill>, StoreError> {
        let now = self.ports.clock.now();
        let rests = |zap: &ZapId| {
            // A clock that was set back must not make it rest longer.
            self.failing.get(zap).is_some_and(|(_, until)| *until > now && *until <= later(now, LAST_LOOK))
        };
        let ready = self.zaps.iter().map(|zap| zap.state.id).filter(|zap| !rests(zap)).collect();
        self.ports.store.next_backfill(ready).await
    }

    /// One try of an engine that goes on with other things meanwhile.
    async fn try_on(&mut self, backfill: &Backfill) -> Result<(), StoreError> {
        match self.work(backfill).await? {
            Outcome::Done(_) | Outcome::Stopped => {
                self.failing.remove(&backfill.zap);
            }
            Outcome::Failed(cause) => {
                let times = self.failing.get(&backfill.zap).map_or(0, |(times, _)| *times);
                let asked = match &cause {
                    WalkFailure::Read(error) | WalkFailure::LookUps { first: error, .. } => asked_rest(error),
                    WalkFailure::Stuck | WalkFailure::Store(_) => None,
                };
                let wait = doubled(FIRST_WAIT, FIRST_LOOK, times).max(asked.unwrap_or_default());
                let retry_at = later(self.ports.clock.now(), wait.min(LAST_LOOK));
                self.failing.insert(backfill.zap, (times.saturating_add(1), retry_at));
                if let Some(zap) = self.zap(backfill.zap) {
                    let zap = zap.name.clone();
                    self.ports.observer.see(Event::BackfillFailed { zap, cause, retry_at });
                }
            }
        }
        Ok(())
    }

    fn zap(&self, id: ZapId) -> Option<&Arc<Watched>> {
        self.zaps.iter().find(|zap| zap.state.id == id)
    }

    fn on(&self, zap: &Watched) -> Option<Connection> {
        self.connections.iter().find(|connection| connection.name == zap.trigger.connection).cloned()
    }

    /// # Errors
    /// When the state cannot be used any more.
    async fn work(&mut self, backfill: &Backfill) -> Result<Outcome, StoreError> {
        // Only what is asked of these zaps is looked at, and each has a connection.
        let Some(zap) = self.zap(backfill.zap).cloned() else { return Ok(Outcome::Stopped) };
        let Some(connection) = self.on(&zap) else { return Ok(Outcome::Stopped) };
        let read = self.read(&zap, &connection, backfill).await;
        let read = match read {
            Ok(read) => {
                let ended = self.ports.store.end_backfill(backfill.id, self.ports.clock.now()).await;
                ended.map(|()| read).map_err(WalkFailure::Store)
            }
            Err(cause) => Err(cause),
        };
        match read {
            Ok(done) => {
                let Backfilled { rows, fired, unstable } = done;
                let Backfill { first, last, .. } = *backfill;
                let zap = zap.name.clone();
                self.ports.observer.see(Event::Backfilled { zap, first, last, rows, fired, unstable });
                Ok(Outcome::Done(done))
            }
            Err(WalkFailure::Store(StoreError::Refused { .. })) => Ok(Outcome::Stopped),
            Err(WalkFailure::Store(error)) if !matches!(error, StoreError::Io { .. }) => Err(error),
            // Where the CRM refuses us the connection rests by itself.
            Err(cause) => Ok(Outcome::Failed(cause)),
        }
    }

    /// Reads what is left of it.
    async fn read(
        &mut self,
        zap: &Arc<Watched>,
        connection: &Connection,
        backfill: &Backfill,
    ) -> Result<Backfilled, WalkFailure> {
        let queries = by_creation(zap);
        let mut job = Job::of(backfill, zap, &queries);
        for (query, name) in &queries {
            let from = backfill.place(name);
            let course = Course::Backfill { id: backfill.id, from, to: backfill.last };
            let rider = Rider::new(Arc::clone(zap), name);
            let passengers = [Passenger { rider: &rider, query: name }];
            let mut going = Going::begin(course, self.ports.clock.now(), &passengers);
            let before = job.so_far;
            let crm = AtLeisure(connection.crm.as_ref());
            while going.next().is_some_and(|next| next <= backfill.last) {
                self.wait(connection, backfill.zap).await.map_err(WalkFailure::Store)?;
                let mut walk = Walk {
                    ports: &self.ports,
                    place: Place { connection: &connection.name, query: name },
                    reader: Reader { crm: &crm, clock: self.ports.clock.as_ref(), seed: self.seed },
                    query,
                    zone: &zap.trigger.zone,
                    course,
                    passengers: &passengers,
                    // It can be repeated.
                    moves_on: true,
                    problems: &mut self.problems,
                };
                Box::pin(walk.step(&mut going)).await;
                let walked = &going.walked;
                job.so_far.rows = before.rows + walked.tallies.iter().map(|tally| tally.rows).sum::<u64>();
                job.so_far.fired = before.fired + walked.made;
                job.so_far.unstable |= !walked.stable;
                walked.end.clone()?;
                job.at(name, going.next());
                self.ports.observer.see(job.progress());
            }
        }
        Ok(job.so_far)
    }

    /// Waits while nobody should read, or while the zap has enough to do.
    async fn wait(&self, connection: &Connection, zap: ZapId) -> Result<(), StoreError> {
        let clock = &self.ports.clock;
        let rest = connection.rest.until();
        if rest > clock.now() {
            clock.sleep_until(rest).await;
        }
        while self.delivered && self.ports.store.pending(zap).await? > BACKLOG {
            clock.sleep_until(later(clock.now(), BACKLOG_EVERY)).await;
        }
        Ok(())
    }
}

/// The queries of a zap, by the day of creation, each once.
fn by_creation(zap: &Watched) -> Vec<(Query, String)> {
    let mut queries: Vec<(Query, String)> = Vec::new();
    for query in zap.trigger.queries() {
        let query = Query { seen_through: DateRange::Created, ..query };
        if queries.iter().all(|(known, _)| *known != query) {
            let name = query.name();
            queries.push((query, name));
        }
    }
    queries
}

/// How far a backfill has come.
struct Job<'a> {
    zap: &'a str,
    backfill: &'a Backfill,
    /// By query: the first day not yet read.
    places: Vec<(&'a str, Date)>,
    so_far: Backfilled,
    next: Date,
}

impl<'a> Job<'a> {
    fn of(backfill: &'a Backfill, zap: &'a Watched, queries: &'a [(Query, String)]) -> Self {
        let places = queries.iter().map(|(_, name)| (name.as_str(), backfill.place(name))).collect();
        let so_far = Backfilled { rows: backfill.rows, fired: backfill.fired, unstable: false };
        Job { zap: &zap.name, backfill, places, so_far, next: backfill.first }
    }

    /// A query was read to before `next`, or to its end.
    fn at(&mut self, query: &str, next: Option<Date>) {
        let after = self.backfill.last.tomorrow().unwrap_or(self.backfill.last);
        self.next = next.unwrap_or(after);
        for (name, place) in &mut self.places {
            if *name == query {
                *place = self.next;
            }
        }
    }

    fn progress(&self) -> Event {
        let Backfill { first, last, .. } = *self.backfill;
        let whole = days_between(first, last) + 1;
        Event::Backfilling {
            zap: self.zap.to_owned(),
            next: self.next,
            last,
            done: self.places.iter().map(|(_, place)| days_between(first, *place).min(whole)).sum(),
            days: whole * self.places.len() as u64,
            rows: self.so_far.rows,
            fired: self.so_far.fired,
        }
    }
}

/// How many days lie between the beginnings of two days; none where the second comes first.
fn days_between(first: Date, last: Date) -> u64 {
    u64::try_from(last.duration_since(first).as_hours() / 24).unwrap_or(0)
}
