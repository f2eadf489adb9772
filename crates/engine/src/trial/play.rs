//! One test in the engine, from the first record to the last thing that is due.

use super::stubs::World;
use super::tell::tell;
use crate::delivery::{
    Counters, Flights, Lane, Links, Oblivious, Phases, Present, Shared, Targets, Unmasked, Wakers,
    WakingStore,
};
use crate::key;
use crate::memory::{Calls, FakeClock, MemoryStore};
use crate::ports::{
    Clock, Crm, CrmWriter, EventKey, Fate, NewEvent, PageCommit, RunId, Store, StoreError, Target,
    ZapIdentity, ZapState,
};
use crate::report::Blind;
use bytes::Bytes;
use futures::future::try_join;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zaprun_core::rehearsal::{News, Played, Script, Turned};
use zaprun_core::zap::{self, Zap};

/// A run may wait so much longer than its own retries and delays say, before it counts as one that will not end: for
/// a target that is at fault, or a record that cannot be read again.
const PATIENCE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// What became of a record when it arrived.
#[derive(Debug, Clone)]
pub(super) enum Arrived {
    Turned(Turned),
    Known,
    Run(RunId),
    /// Its turn never came.
    NotYet,
}

/// A test under way.
struct Stage {
    clock: FakeClock,
    store: MemoryStore,
    world: World,
    state: ZapState,
    shared: Arc<Shared>,
}

/// Runs all of it.
pub(super) fn play(zap: &Arc<Zap>, script: &Arc<Script>) -> Vec<Played> {
    let first = script.entries.iter().map(|entry| entry.at).min().unwrap_or(Timestamp::UNIX_EPOCH);
    let last = script.entries.iter().map(|entry| entry.at).max().unwrap_or(first);
    let clock = FakeClock::new(first);
    let store = MemoryStore::new(Calls::new());
    let opened = clock.drive(store.open_zap(identity(zap, first)));
    // A store in memory neither fails nor waits.
    let Some(Ok(state)) = opened else { return Vec::new() };
    let world = World::new(zap, script, clock.clone());
    let shared = shared(&world, &store, &clock);
    let (links, targets) = (Arc::new(links(zap, &world)), Targets::default());
    let lane = Lane::new(state.id, Arc::clone(zap), Arc::clone(&shared), links, &targets);
    let stage = Stage { clock, store, world, state, shared };
    let arrived = Mutex::new(vec![Arrived::NotYet; script.entries.len()]);
    let end = later(last, patience(zap));
    let work = try_join(stage.arrivals(zap, script, &arrived), lane.serve());
    // It never ends by itself: at some time nothing is due any more, or the patience is over.
    let _ended = stage.clock.drive_until(end, work);
    let arrived = arrived.into_inner().unwrap_or_default();
    let (runs, asked) = (stage.store.all_runs(), stage.world.asked());
    arrived.into_iter().map(|arrived| tell(zap, arrived, &runs, &asked)).collect()
}

impl Stage {
    /// The records, each at its time.
    async fn arrivals(
        &self,
        zap: &Zap,
        script: &Script,
        arrived: &Mutex<Vec<Arrived>>,
    ) -> Result<(), StoreError> {
        let mut order: Vec<usize> = (0..script.entries.len()).collect();
        order.sort_by_key(|at| script.entries.get(*at).map(|entry| entry.at));
        for at in order {
            let Some(entry) = script.entries.get(at) else { continue };
            self.clock.sleep_until(entry.at).await;
            let came = match &entry.comes {
                Err(turned) => Arrived::Turned(turned.clone()),
                Ok(news) => {
                    self.world.shows(&news.key, &entry.found);
                    self.arrive(zap, at, news).await?
                }
            };
            if let Some(slot) = arrived.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(at)
            {
                *slot = came;
            }
        }
        // The lane works on.
        std::future::pending().await
    }

    /// As polling and intake do it: the ledger alone decides what is new.
    async fn arrive(&self, zap: &Zap, entry: usize, news: &News) -> Result<Arrived, StoreError> {
        let store = WakingStore { inner: Arc::new(self.store.clone()), shared: Arc::clone(&self.shared) };
        let kind = zap.trigger.kind();
        if store.unknown(self.state.id, kind, vec![news.key.clone()]).await?.is_empty() {
            return Ok(Arrived::Known);
        }
        let key = EventKey { kind: kind.to_owned(), id: news.key.clone() };
        let target = Target {
            zap: self.state.id,
            revision: self.state.revision,
            key_base: key::base(&self.state.first_name, &key),
            fate: Fate::Fire,
            // The run takes it; no record of a test is from before the start.
            once: None,
            own: news.own,
        };
        let event = NewEvent {
            key,
            at: news.at,
            record: Bytes::copy_from_slice(&news.record),
            seen_at: self.clock.now(),
            context: news.context.as_deref().map(Bytes::copy_from_slice),
            order: news.order.clone(),
            depth: 0,
            targets: vec![target],
        };
        let committed = store.commit_page(PageCommit { events: vec![event], cursors: Vec::new() }).await?;
        if committed.fired == 0 {
            return Ok(Arrived::Turned(Turned::Ignored("zaprun made it itself".to_owned())));
        }
        let run = self.store.all_runs().last().map(|run| run.id);
        Ok(run.map_or(Arrived::NotYet, |run| {
            self.world.belongs(run, entry);
            Arrived::Run(run)
        }))
    }
}

/// A zap that has run since before time, so that all is news.
fn identity(zap: &Zap, now: Timestamp) -> ZapIdentity {
    ZapIdentity {
        name: zap.name.clone(),
        formerly: None,
        selection: zap.selection.clone(),
        queries: zap.trigger.crm().map_or(0, |trigger| trigger.queries().len()),
        strict: zap.strict,
        content: zap.content.clone(),
        source: None,
        git: None,
        first_boundary: Timestamp::MIN,
        now,
    }
}

fn links(zap: &Zap, world: &World) -> Links {
    let world = Arc::new(world.clone());
    let mut crms: HashMap<String, Arc<dyn Crm>> = HashMap::new();
    if let Some(trigger) = zap.trigger.crm() {
        crms.insert(trigger.connection.clone(), Arc::clone(&world) as _);
    }
    let mut writers: HashMap<String, Arc<dyn CrmWriter>> = HashMap::new();
    for action in zap.actions.iter().chain(&zap.on_failure) {
        if let zap::Target::Connection(name) = action.target() {
            writers.insert(name, Arc::clone(&world) as _);
        }
    }
    Links { sender: world, crms, writers, recall: Arc::new(Oblivious) }
}

fn shared(world: &World, store: &MemoryStore, clock: &FakeClock) -> Arc<Shared> {
    Arc::new(Shared {
        store: Arc::new(store.clone()),
        clock: Arc::new(clock.clone()),
        observer: Arc::new(Blind),
        mask: Arc::new(Unmasked),
        wakers: Wakers::default(),
        flights: Flights::default(),
        present: Present::default(),
        dry_run: false,
        // One at a time: the world must know whose request it meets.
        window: 1,
        phases: Phases::default(),
        counters: Counters::default(),
        trouble: Mutex::default(),
        misfits: Mutex::default(),
        tap: Some(Arc::new(world.clone())),
    })
}

/// How long a run is waited for.
fn patience(zap: &Zap) -> Duration {
    let settle =
        zap.trigger.crm().and_then(|trigger| trigger.settle).map_or(Duration::ZERO, |settle| settle.most);
    let steps = zap.actions.iter().chain(&zap.on_failure);
    steps.fold(PATIENCE.saturating_add(settle), |all, action| {
        all.saturating_add(action.delay.unwrap_or_default()).saturating_add(action.retry.for_)
    })
}

fn later(at: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| at.saturating_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}
