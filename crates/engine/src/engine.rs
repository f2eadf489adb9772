//! The engine: polls, delivers, and comes to an orderly end.

use crate::delivery::{
    Counters, Flights, Lane, Mask, Oblivious, Phases, Recall, Shared, Targets, Unmasked, Wakers, WakingStore,
    after,
};
use crate::http_poll::{self, Feeds, Followed};
use crate::intake::{House, Intake, OpenZap};
use crate::orders;
use crate::polling::{self, Connection, Polled, Poller, Watched, first_boundary};
use crate::ports::{Clock, Crm, CrmWriter, Sender, Store, StoreError, ZapIdentity, ZapState};
use crate::report::Observer;
use crate::retention;
use crate::schedule::{Scheduled, Timetables};
use bytes::Bytes;
use futures::future::{try_join, try_join_all, try_join3};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::zap::{Trigger, Zap};

/// Runs a set of compiled zaps. It is one future that spawns nothing: dropping it is a crash, which loses nothing.
pub struct Engine {
    zaps: Vec<Arc<Zap>>,
    ports: Ports,
    options: Options,
    intake: Intake,
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
}

/// What runs once the zaps are open.
struct Works {
    shared: Arc<Shared>,
    polls: Polls,
    lanes: Vec<Lane>,
    house: Arc<House>,
}

/// All that looks for events by itself.
struct Polls {
    crm: Poller,
    feeds: Feeds,
    times: Timetables,
}

impl Polls {
    fn new(crm: Poller, ports: http_poll::Ports, zaps: &[Arc<Zap>], states: &[ZapState], seed: u64) -> Self {
        let (mut followed, mut scheduled) = (Vec::new(), Vec::new());
        for (zap, state) in zaps.iter().zip(states) {
            let (name, state) = (zap.name.clone(), state.clone());
            match &zap.trigger {
                Trigger::Http(trigger) => {
                    followed.push(Followed { name, trigger: (**trigger).clone(), state });
                }
                Trigger::Schedule(trigger) => {
                    scheduled.push(Scheduled { name, trigger: (**trigger).clone(), state });
                }
                Trigger::Crm(_) | Trigger::Webhook(_) => {}
            }
        }
        let times = Timetables::new(ports.polling.clone(), crm.health(), scheduled);
        Polls { feeds: Feeds::new(ports, crm.health(), followed, seed), times, crm }
    }

    /// Polls until `stop`; what is cut off there is read again by the next run.
    async fn run(&mut self, stop: CancellationToken) -> Result<(), StoreError> {
        let others = async {
            tokio::select! {
                result = try_join(self.feeds.run(), self.times.run()) => result.map(|_| ()),
                () = stop.cancelled() => Ok(()),
            }
        };
        try_join(self.crm.run(stop.clone()), others).await?;
        Ok(())
    }

    /// Polls everything once.
    async fn once(&mut self) -> Result<Polled, StoreError> {
        let all = try_join3(self.crm.poll_once(), self.feeds.poll_once(), self.times.look());
        let (crm, feeds, ()) = all.await?;
        Ok(crm.and(feeds))
    }
}

impl Engine {
    /// An engine for these zaps; disabled ones are left alone.
    pub fn new(zaps: Vec<Arc<Zap>>, ports: Ports, options: Options) -> Engine {
        let zaps: Vec<Arc<Zap>> = zaps.into_iter().filter(|zap| zap.enabled).collect();
        let intake = Intake::of(&zaps);
        Engine { zaps, ports, options, intake }
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
        let intake = self.intake.clone();
        let history = self.options.history;
        let Works { shared, mut polls, lanes, house } = self.open().await?;
        // Requests are taken in to the very end: whoever has begun to send one gets an answer.
        let _open = intake.open(Arc::clone(&house));
        let work = try_join(polls.run(stop.clone()), deliver(&lanes));
        tokio::select! {
            result = work => { result?; }
            () = patience(&shared, &stop, grace) => {}
            error = house.lost() => return Err(error.into()),
            error = orders::keep_obeying(&shared) => return Err(error.into()),
            error = retention::keep_pruning(&shared, history) => return Err(error.into()),
        }
        Ok(shared.summary())
    }

    /// Polls everything once, delivers all that is due by then, and ends; on `stop` it ends as [`Engine::run`] does.
    /// What failed for now stays pending.
    ///
    /// # Errors
    /// When a zap's connection is missing, or the state is lost for good.
    pub async fn run_once(self, stop: CancellationToken, grace: Duration) -> Result<Summary, EngineError> {
        let history = self.options.history;
        let Works { shared, mut polls, lanes, .. } = self.open().await?;
        orders::obey(&shared).await?;
        let poll = async {
            // A walk that is left in the middle is read again by the next run.
            let polled = tokio::select! {
                polled = polls.once() => polled?,
                () = stop.cancelled() => Polled::default(),
            };
            shared.phases.finish(shared.counters.not_before_seen(shared.clock.now()));
            Ok::<_, StoreError>(polled)
        };
        let work = try_join(poll, deliver(&lanes));
        let polled = tokio::select! {
            result = work => result?.0,
            () = patience(&shared, &stop, grace) => Polled::default(),
        };
        retention::prune_once(&shared, history).await?;
        let passed_over = polled.tally.passed_over;
        Ok(Summary { polled: polled.walks, poll_failures: polled.failed, passed_over, ..shared.summary() })
    }

    async fn open(self) -> Result<Works, EngineError> {
        let crms = &self.ports.crms;
        let missing = |zap: &Arc<Zap>| {
            let connection = zap.trigger.crm().map(|trigger| trigger.connection.clone());
            connection
                .filter(|name| !crms.contains_key(name))
                .map(|connection| (zap.name.clone(), connection))
        };
        if let Some((zap, connection)) = self.zaps.iter().find_map(missing) {
            return Err(EngineError::NoConnection { zap, connection });
        }
        let mut states = Vec::with_capacity(self.zaps.len());
        for zap in &self.zaps {
            states.push(self.open_zap(zap).await?);
        }
        let shared = Arc::new(Shared {
            store: Arc::clone(&self.ports.store),
            sender: self.ports.sender,
            crms: self.ports.crms.clone(),
            writers: self.ports.writers,
            clock: Arc::clone(&self.ports.clock),
            observer: Arc::clone(&self.ports.observer),
            mask: self.options.mask,
            wakers: Wakers::new(states.iter().map(|state| state.id)),
            flights: Flights::default(),
            recall: self.options.recall,
            dry_run: self.options.dry_run,
            window: self.options.in_flight,
            phases: Phases::default(),
            counters: Counters::default(),
            trouble: Mutex::default(),
            misfits: Mutex::default(),
            tap: None,
        });
        let watched = self.zaps.iter().zip(&states).filter_map(|(zap, state)| {
            let trigger = zap.trigger.crm()?.clone();
            Some(Watched { name: zap.name.clone(), trigger, state: state.clone() })
        });
        let ports = polling::Ports {
            clock: self.ports.clock,
            store: Arc::new(WakingStore { inner: self.ports.store, shared: Arc::clone(&shared) }),
            observer: self.ports.observer,
        };
        let watched: Vec<Watched> = watched.collect();
        let connections: Vec<Connection> = self
            .ports
            .crms
            .into_iter()
            .map(|(name, crm)| Connection { name, crm, rest: Arc::default() })
            .collect();
        let open =
            |(zap, state): (&Arc<Zap>, &ZapState)| OpenZap { zap: Arc::clone(zap), state: state.clone() };
        let open = self.zaps.iter().zip(&states).map(open).collect();
        let house = House::new(open, &watched, &connections, &ports, Arc::clone(&shared));
        let poller = Poller::new(ports.clone(), connections, watched, self.options.seed);
        let api = http_poll::Ports { polling: ports, sender: Arc::clone(&shared.sender) };
        let polls = Polls::new(poller, api, &self.zaps, &states, self.options.seed);
        let targets = Targets::default();
        let lanes = self.zaps.iter().zip(&states);
        let lanes =
            lanes.map(|(zap, state)| Lane::new(state.id, Arc::clone(zap), Arc::clone(&shared), &targets));
        Ok(Works { lanes: lanes.collect(), shared, polls, house: Arc::new(house) })
    }

    async fn open_zap(&self, zap: &Zap) -> Result<ZapState, StoreError> {
        let now = self.ports.clock.now();
        let (queries, first_boundary) = match &zap.trigger {
            Trigger::Crm(trigger) => (trigger.queries().len(), first_boundary(trigger, now)),
            Trigger::Http(trigger) => (1, http_poll::first_boundary(trigger, now)),
            Trigger::Schedule(_) => (1, now),
            Trigger::Webhook(_) => (0, now),
        };
        self.ports
            .store
            .open_zap(ZapIdentity {
                name: zap.name.clone(),
                formerly: zap.formerly.clone(),
                selection: zap.selection.clone(),
                queries,
                content: zap.content.clone(),
                source: self.options.sources.get(&zap.name).cloned(),
                git: self.options.git.clone(),
                first_boundary,
                now,
            })
            .await
    }
}

/// Ends when what is in flight has had its time after `stop`.
async fn patience(shared: &Shared, stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    shared.phases.stop();
    shared.clock.sleep_until(after(shared.clock.now(), grace)).await;
}

async fn deliver(lanes: &[Lane]) -> Result<(), StoreError> {
    try_join_all(lanes.iter().map(Lane::serve)).await?;
    Ok(())
}
