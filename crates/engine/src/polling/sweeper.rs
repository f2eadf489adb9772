//! The deep sweep: once a day the last 48 hours of each query are read again, through the same ledger.
//!
//! It finds what every walk has missed, should there be such a thing: that is delivered, and counted. And it proves that
//! there is nothing: what its zaps' ledgers do not know after it is counted too. It runs beside the polling of its
//! connection, with a small share of the rate, and delays nothing.

use super::absent;
use super::backoff::doubled;
use super::course::Course;
use super::health::Health;
use super::learn::{FIRST_LOOK, LAST_LOOK};
use super::leisure::AtLeisure;
use super::marks::Marks;
use super::problems::Problems;
use super::reader::{Reader, later};
use super::rider::{Rider, Watched};
use super::walk::{Going, Passenger, Walk, Walked};
use super::{Connection, Place, Polled, Ports, window};
use crate::ports::{ReadError, StoreError, Swept};
use crate::report::{Event, WalkFailure};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::trigger::Query;

/// From one deep sweep of a query to the next, and from the first run to the first of them.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far back it reads.
const REACH: SignedDuration = SignedDuration::from_hours(48);
/// How long a query waits that nobody has read yet, or that cannot be read.
const LATER: Duration = Duration::from_secs(15 * 60);

/// The deep sweeps of one connection.
pub(super) struct Sweeper {
    ports: Ports,
    connection: Connection,
    zone: TimeZone,
    seed: u64,
    stretches: Vec<Stretch>,
    problems: Problems,
    health: Arc<Health>,
    marks: Arc<Marks>,
}

/// A query, and whom it concerns.
struct Stretch {
    query: Query,
    name: String,
    zaps: Vec<Arc<Watched>>,
    /// When it is due; `None` until the state has said when it was swept last.
    due_at: Option<Timestamp>,
    failures: u32,
}

impl Sweeper {
    /// The sweeps for zaps on one connection; `None` when there is none.
    pub(super) fn new(
        ports: Ports,
        connection: Connection,
        zaps: &[Arc<Watched>],
        health: Arc<Health>,
        marks: Arc<Marks>,
        seed: u64,
    ) -> Option<Sweeper> {
        let zone = zaps.first()?.trigger.zone.clone();
        let mut stretches: Vec<Stretch> = Vec::new();
        for zap in zaps {
            for query in zap.trigger.queries() {
                let zap = Arc::clone(zap);
                match stretches.iter_mut().find(|stretch| stretch.query == query) {
                    Some(stretch) => stretch.zaps.push(zap),
                    None => {
                        let name = query.name();
                        stretches.push(Stretch { query, name, zaps: vec![zap], due_at: None, failures: 0 });
                    }
                }
            }
        }
        let problems = Problems::default();
        Some(Sweeper { ports, connection, zone, seed, stretches, problems, health, marks })
    }

    /// Sweeps whenever something is due, as long as it is polled.
    ///
    /// # Errors
    /// When the state cannot be used any more.
    pub(super) async fn forever(&mut self) -> Result<(), StoreError> {
        loop {
            self.ask_when().await?;
            let now = self.ports.clock.now();
            // Where the state has not answered, it is asked again.
            let due = self.stretches.iter().map(|stretch| stretch.due_at.unwrap_or(later(now, LATER))).min();
            let Some(due) = due else { return Ok(()) };
            self.ports.clock.sleep_until(due.max(self.rests_until())).await;
            // A clock that was set back must not put a sweep off by the step: nothing is due later than a day from now.
            let latest = later(self.ports.clock.now(), EVERY);
            for stretch in &mut self.stretches {
                stretch.due_at = stretch.due_at.map(|at| at.min(latest));
            }
            self.round(&mut Polled::default()).await?;
        }
    }

    /// Sweeps what is due now.
    ///
    /// # Errors
    /// As [`Sweeper::forever`].
    pub(super) async fn once(&mut self) -> Result<Polled, StoreError> {
        let mut polled = Polled::default();
        self.ask_when().await?;
        self.round(&mut polled).await?;
        Ok(polled)
    }

    fn rests_until(&self) -> Timestamp {
        self.connection.rest.until().max(self.health.rests_until())
    }

    /// Asks the state when each query was swept last. The first sweep is due a day after the first run.
    async fn ask_when(&mut self) -> Result<(), StoreError> {
        for stretch in self.stretches.iter_mut().filter(|stretch| stretch.due_at.is_none()) {
            let before = match self.ports.store.swept(&self.connection.name, &stretch.name).await {
                Ok(swept) => swept.map(|swept| swept.at),
                Err(StoreError::Io { .. }) => continue,
                Err(error) => return Err(error),
            };
            let first_run = stretch.zaps.iter().map(|zap| zap.state.opened_at).min();
            stretch.due_at = before.or(first_run).map(|at| later(at, EVERY));
        }
        Ok(())
    }

    async fn round(&mut self, polled: &mut Polled) -> Result<(), StoreError> {
        for index in 0..self.stretches.len() {
            let now = self.ports.clock.now();
            let due = self.stretches[index].due_at.is_some_and(|due| due <= now);
            if due && self.rests_until() <= now {
                self.sweep(index, now, polled).await?;
            }
        }
        Ok(())
    }

    async fn sweep(&mut self, index: usize, now: Timestamp, polled: &mut Polled) -> Result<(), StoreError> {
        let riders = self.riders(index, now);
        if riders.is_empty() {
            self.stretches[index].due_at = Some(later(now, LATER));
            return Ok(());
        }
        let walked = self.walk(index, &riders, now).await;
        polled.tally += walked.tally;
        match &walked.end {
            Ok(()) => self.swept(index, &walked).await,
            Err(WalkFailure::Store(error @ StoreError::Io { .. })) => {
                self.health.trouble(&self.ports, error);
                self.put_off(index, polled);
                Ok(())
            }
            Err(WalkFailure::Store(error)) => Err(error.clone()),
            Err(cause @ WalkFailure::LookUps { .. }) => {
                // All rows were read; what is not known yet shows until they can be looked up.
                self.swept(index, &walked).await?;
                self.failed(index, cause, polled);
                Ok(())
            }
            Err(cause) => {
                self.failed(index, cause, polled);
                Ok(())
            }
        }
    }

    /// Zaps that have kept up; the others have their own way to go, and read the last days at its end.
    fn riders(&self, index: usize, now: Timestamp) -> Vec<Rider> {
        let stretch = &self.stretches[index];
        let since = now.saturating_sub(REACH).unwrap_or(Timestamp::MIN);
        let rider = |zap: &Arc<Watched>| {
            let cursor = self.marks.at(zap.state.id, &stretch.name).filter(|cursor| *cursor >= since)?;
            Some(Rider { cursor: Some(cursor), ..Rider::new(Arc::clone(zap), &stretch.name) })
        };
        stretch.zaps.iter().filter_map(rider).collect()
    }

    async fn walk(&mut self, index: usize, riders: &[Rider], now: Timestamp) -> Walked {
        let stretch = &self.stretches[index];
        let passengers: Vec<Passenger<'_>> =
            riders.iter().map(|rider| Passenger { rider, query: &stretch.name }).collect();
        let since = now.saturating_sub(REACH).unwrap_or(Timestamp::MIN);
        let course = Course::Sweep { from: window::first_day(since, now, &self.zone) };
        let mut going = Going::begin(course, now, &passengers);
        let crm = AtLeisure(self.connection.crm.as_ref());
        let mut walk = Walk {
            ports: &self.ports,
            place: Place { connection: &self.connection.name, query: &stretch.name },
            reader: Reader { crm: &crm, clock: self.ports.clock.as_ref(), seed: self.seed },
            query: &stretch.query,
            zone: &self.zone,
            course,
            passengers: &passengers,
            // The next sweep reads half of these days again.
            moves_on: true,
            problems: &mut self.problems,
        };
        while going.next().is_some() {
            Box::pin(walk.step(&mut going)).await;
        }
        going.walked
    }

    async fn swept(&mut self, index: usize, walked: &Walked) -> Result<(), StoreError> {
        let stretch = &mut self.stretches[index];
        let swept = Swept {
            connection: self.connection.name.clone(),
            query: stretch.name.clone(),
            at: walked.began,
            rows: walked.tally.rows,
            late: walked.late,
            unknown: walked.unknown,
        };
        match self.ports.store.keep_swept(swept.clone()).await {
            Ok(()) => {}
            // It is read again: the ledger makes that harmless.
            Err(error @ StoreError::Io { .. }) => {
                self.health.trouble(&self.ports, &error);
                stretch.due_at = Some(later(self.ports.clock.now(), LATER));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        stretch.failures = 0;
        stretch.due_at = Some(later(walked.began, EVERY));
        let took = self.ports.clock.now().duration_since(walked.began);
        self.ports.observer.see(Event::DeepSwept { swept, took });
        self.tell_absences(index).await
    }

    /// What it found may have happened while a zap was switched off, of which a person was told before.
    async fn tell_absences(&mut self, index: usize) -> Result<(), StoreError> {
        for zap in &self.stretches[index].zaps {
            match absent::tell_more(&self.ports, zap).await {
                Ok(()) => {}
                // The next one tells it.
                Err(error @ StoreError::Io { .. }) => {
                    self.health.trouble(&self.ports, &error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// It is tried again before long, and less and less often.
    fn put_off(&mut self, index: usize, polled: &mut Polled) -> Timestamp {
        let stretch = &mut self.stretches[index];
        let retry_at = later(self.ports.clock.now(), doubled(FIRST_LOOK, LAST_LOOK, stretch.failures));
        stretch.failures = stretch.failures.saturating_add(1);
        stretch.due_at = Some(retry_at);
        polled.failed += 1;
        retry_at
    }

    fn failed(&mut self, index: usize, cause: &WalkFailure, polled: &mut Polled) {
        let retry_at = self.put_off(index, polled);
        if let WalkFailure::Read(error) = cause
            && (error.stops_connection() || matches!(error, ReadError::Permission { .. }))
        {
            // The poll asks the same, and says so.
            return;
        }
        let stretch = &self.stretches[index];
        self.ports.observer.see(Event::SweepFailed {
            connection: self.connection.name.clone(),
            query: stretch.name.clone(),
            cause: cause.clone(),
            retry_at,
        });
    }
}
