//! The engine: polls, delivers, and comes to an orderly end.

mod nursery;
mod polls;
mod reload;
mod set;
mod standing;

pub use reload::Reloads;
pub use set::{Set, connections};

use crate::delivery::{Lane, Mask, Oblivious, Recall, Shared, Unmasked, after};
use crate::intake::{House, Intake};
use crate::measure::Measure;
use crate::orders;
use crate::polling::{Backfilled, Backfiller, Polled};
use crate::ports::{Clock, Crm, CrmWriter, DayWindow, Sender, Store, StoreError, ZapId};
use crate::report::{Observer, WalkFailure};
use crate::retention;
use bytes::Bytes;
use futures::future::{try_join, try_join_all};
use nursery::Nursery;
use polls::{Opened, Part};
use reload::{Crew, Sets};
use standing::Standing;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::zap::Zap;

/// Runs a set of compiled zaps. It is one future that spawns nothing: dropping it is a crash, which loses nothing.
pub struct Engine {
    set: Set,
    /// Zaps that are switched off.
    off: Vec<Arc<Zap>>,
    ports: Ports,
    options: Options,
    intake: Intake,
    reloads: Reloads,
    sets: Sets,
}

/// How an engine reaches the world.
#[derive(Clone)]
pub struct Ports {
    /// Connections to the CRM by name, for reading.
    pub crms: HashMap<String, Arc<dyn Crm>>,
    /// The same for writing.
    pub writers: HashMap<String, Arc<dyn CrmWriter>>,
    /// Sends the requests of `http` actions.
    pub sender: Arc<dyn Sender>,
    /// The state.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// How an engine runs.
#[derive(Clone)]
pub struct Options {
    /// Most runs in flight per zap.
    pub in_flight: usize,
    /// Git revision of the project, when known.
    pub git: Option<String>,
    /// Hides secrets in what is stored and reported.
    pub mask: Arc<dyn Mask>,
    /// Requests are reported as [`crate::report::Event::WouldSend`] instead of being sent. The store must be a copy.
    pub dry_run: bool,
    /// Chooses the jitter of polling.
    pub seed: u64,
    /// What each zap can be compiled from again, by its name; to be kept with what is made of it.
    pub sources: HashMap<String, Bytes>,
    /// Makes zaps of that again.
    pub recall: Arc<dyn Recall>,
    /// How long runs that are over are kept; for ever where that is nothing.
    pub history: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            in_flight: 64,
            git: None,
            mask: Arc::new(Unmasked),
            dry_run: false,
            seed: 0,
            sources: HashMap::new(),
            recall: Arc::new(Oblivious),
            history: None,
        }
    }
}

/// What an engine did, until it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Walks made; counted by [`Engine::run_once`] only.
    pub polled: u64,
    /// Walks that failed or could not be made; counted by [`Engine::run_once`] only.
    pub poll_failures: u64,
    /// Rows that cannot be read or have no id, and were passed over; counted by [`Engine::run_once`] only.
    pub passed_over: u64,
    /// Runs made.
    pub fired: u64,
    /// Ledger entries made without a run.
    pub primed: u64,
    /// Runs delivered; in a dry run those that would be sent.
    pub delivered: u64,
    /// Runs filtered.
    pub filtered: u64,
    /// Runs that became dead.
    pub dead: u64,
    /// Runs that became held.
    pub held: u64,
    /// Runs that were dropped, since their zap was switched off when their events happened.
    pub dropped: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Different runs that were worked on, put back to wait, and still wait. Runs never taken up are not among them.
    pub pending: u64,
}

/// Why an engine cannot start, or had to end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The state cannot be used, or was taken over.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A zap's trigger names a connection that was not given.
    #[error("zap `{zap}` reads from connection `{connection}`, which is not there")]
    NoConnection {
        /// The zap.
        zap: String,
        /// The connection.
        connection: String,
    },
    /// A backfill did not get to its end; its place is kept.
    #[error("{0}")]
    Backfill(WalkFailure),
    /// The engine does not run.
    #[error("the engine does not run")]
    Ended,
}

/// The first set of zaps, once they are open.
struct Works {
    opened: Vec<Opened>,
    parts: Vec<Part>,
    lanes: Vec<Arc<Lane>>,
    house: Arc<House>,
    backfiller: Backfiller,
    /// The zaps, in their order.
    ids: Vec<ZapId>,
}

impl Engine {
    /// An engine for these zaps. Of disabled ones the state keeps since when they are; else they are left alone.
    pub fn new(zaps: Vec<Arc<Zap>>, ports: Ports, options: Options) -> Engine {
        let (set, off) = Set::first(zaps, &ports, &options);
        let intake = Intake::of(&set.zaps);
        let (reloads, sets) = Reloads::new();
        Engine { set, off, ports, options, intake, reloads, sets }
    }

    /// How the engine is given other zaps while it runs; [`Engine::run_once`] takes none.
    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }

    /// Where requests are taken in while the engine runs; [`Engine::run_once`] takes none.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Polls and delivers until `stop`; then takes up nothing new, gives what is in flight the time of `grace`, and
    /// leaves the rest pending.
    ///
    /// # Errors
    /// When a zap's connection is missing, or the state is lost for good.
    pub async fn run(self, stop: CancellationToken, grace: Duration) -> Result<Summary, EngineError> {
        let standing = Arc::new(Standing::new(&self.ports, &self.options));
        let works = self.open(&standing).await?;
        let shared = Arc::clone(&standing.shared);
        // Requests are taken in to the very end: whoever has begun to send one gets an answer.
        let _open = self.intake.open(Arc::clone(&works.house));
        let (entrance, nursery) = Nursery::new();
        let crew = Crew::start(works, self.intake, entrance, stop.clone());
        // Its own end of it would keep it open.
        drop(self.reloads);
        let work = try_join(nursery.run(), crew.follow(self.sets, Arc::clone(&standing)));
        tokio::select! {
            result = work => { result?; }
            () = patience(&shared, &stop, grace) => {}
            error = standing.loss.told() => return Err(error.into()),
            error = orders::keep_obeying(&shared) => return Err(error.into()),
            error = retention::keep_pruning(&shared, standing.history()) => return Err(error.into()),
        }
        Ok(shared.summary())
    }

    /// Polls everything once, delivers all that is due by then, and ends; on `stop` it ends as [`Engine::run`] does.
    /// What failed for now stays pending.
    ///
    /// # Errors
    /// When a zap's connection is missing, or the state is lost for good.
    pub async fn run_once(self, stop: CancellationToken, grace: Duration) -> Result<Summary, EngineError> {
        let standing = Standing::new(&self.ports, &self.options);
        let Works { mut parts, lanes, .. } = self.open(&standing).await?;
        let shared = &standing.shared;
        orders::obey(shared).await?;
        let poll = async {
            // A walk that is left in the middle is read again by the next run.
            let polled = tokio::select! {
                polled = try_join_all(parts.iter_mut().map(Part::once)) => {
                    polled?.into_iter().fold(Polled::default(), Polled::and)
                }
                () = stop.cancelled() => Polled::default(),
            };
            shared.phases.finish(shared.counters.not_before_seen(shared.clock.now()));
            Ok::<_, StoreError>(polled)
        };
        let work = try_join(poll, deliver(&lanes));
        let polled = tokio::select! {
            result = work => result?.0,
            () = patience(shared, &stop, grace) => Polled::default(),
        };
        retention::prune_once(shared, self.set.history).await?;
        let passed_over = polled.tally.passed_over;
        Ok(Summary { polled: polled.walks, poll_failures: polled.failed, passed_over, ..shared.summary() })
    }

    /// Reads these days for the first of its zaps, by the day of creation, and makes runs of what has none; nothing else is
    /// polled, and nothing is delivered. Where an earlier backfill of the same days was broken off it goes on from there.
    ///
    /// # Errors
    /// When the zap's connection is missing, the state is lost, or the days could not be read to their end.
    pub async fn backfill(self, days: DayWindow) -> Result<Backfilled, EngineError> {
        let standing = Standing::new(&self.ports, &self.options);
        let Works { mut backfiller, ids, .. } = self.open(&standing).await?;
        let Some(zap) = ids.first() else { return Ok(Backfilled::default()) };
        backfiller.now(*zap, days).await.map_err(|cause| match cause {
            WalkFailure::Store(error) => EngineError::Store(error),
            cause => EngineError::Backfill(cause),
        })
    }

    async fn open(&self, standing: &Standing) -> Result<Works, EngineError> {
        self.set.check()?;
        standing.switched_off(&self.off).await?;
        let mut opened = Vec::with_capacity(self.set.zaps.len());
        for zap in &self.set.zaps {
            let state = standing.open(zap, &self.set).await?;
            standing.shared.observer.measure(Measure::Opened { zap, state: &state });
            opened.push(Opened { zap: Arc::clone(zap), state });
        }
        let fitted = standing.fit(&self.set, &opened);
        Ok(Works {
            parts: standing.parts(&self.set, &opened, &fitted),
            lanes: opened.iter().map(|open| standing.lane(open, &fitted)).collect(),
            backfiller: standing.backfiller(&opened, &fitted),
            ids: opened.iter().map(|open| open.state.id).collect(),
            house: fitted.house,
            opened,
        })
    }
}

/// Ends when what is in flight has had its time after `stop`.
async fn patience(shared: &Shared, stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    shared.phases.stop();
    shared.clock.sleep_until(after(shared.clock.now(), grace)).await;
}

async fn deliver(lanes: &[Arc<Lane>]) -> Result<(), StoreError> {
    try_join_all(lanes.iter().map(|lane| lane.serve())).await?;
    Ok(())
}
