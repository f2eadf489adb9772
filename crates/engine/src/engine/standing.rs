//! What stays whatever set of zaps an engine runs: the state, the counts, what is in flight, and what was learnt of
//! connections that stay.

use super::polls::{Opened, Part, groups, watched};
use super::set::Set;
use super::{Options, Ports};
use crate::delivery::{
    Counters, Flights, Lane, Links, Phases, Present, Shared, Targets, Wakers, WakingStore,
};
use crate::http_poll;
use crate::intake::{House, Loss, OpenZap};
use crate::polling::health::Health;
use crate::polling::{self, Backfiller, Connection, Watched, first_boundary};
use crate::ports::{OffZap, StoreError, ZapIdentity, ZapState};
use crate::rest::{self, Rest};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use zaprun_core::zap::{Trigger, Zap};

/// What stays.
pub(super) struct Standing {
    pub(super) shared: Arc<Shared>,
    pub(super) health: Arc<Health>,
    pub(super) loss: Arc<Loss>,
    pub(super) seed: u64,
    targets: Targets,
    /// How long the present set keeps runs that are over.
    history: watch::Sender<Option<Duration>>,
}

/// A set of zaps, ready to run beside what stays.
pub(super) struct Fitted {
    pub(super) links: Arc<Links>,
    pub(super) connections: Vec<Connection>,
    pub(super) house: Arc<House>,
}

impl Standing {
    pub(super) fn new(ports: &Ports, options: &Options) -> Standing {
        let shared = Arc::new(Shared {
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            observer: Arc::clone(&ports.observer),
            mask: Arc::clone(&options.mask),
            wakers: Wakers::default(),
            flights: Flights::default(),
            present: Present::default(),
            dry_run: options.dry_run,
            window: options.in_flight,
            phases: Phases::default(),
            counters: Counters::default(),
            trouble: Mutex::default(),
            misfits: Mutex::default(),
            tap: None,
        });
        Standing {
            shared,
            health: Arc::default(),
            loss: Arc::default(),
            seed: options.seed,
            targets: Targets::default(),
            history: watch::Sender::new(options.history),
        }
    }

    /// What polling needs of the world; what it commits rings the bells of zaps.
    pub(super) fn ports(&self) -> polling::Ports {
        let shared = Arc::clone(&self.shared);
        polling::Ports {
            clock: Arc::clone(&shared.clock),
            observer: Arc::clone(&shared.observer),
            store: Arc::new(WakingStore { inner: Arc::clone(&shared.store), shared }),
        }
    }

    /// Makes a zap known to the state.
    pub(super) async fn open(&self, zap: &Zap, set: &Set) -> Result<ZapState, StoreError> {
        self.shared.store.open_zap(self.identity(zap, set)).await
    }

    /// Has the state keep since when these are switched off, however long it cannot be written.
    pub(super) async fn switched_off(&self, off: &[Arc<Zap>]) -> Result<(), StoreError> {
        let shared = &self.shared;
        for zap in off {
            let zap =
                || OffZap { name: zap.name.clone(), formerly: zap.formerly.clone(), now: shared.clock.now() };
            shared.insist(|| shared.store.switched_off(zap())).await?;
        }
        Ok(())
    }

    /// What does the backfills that are asked for.
    pub(super) fn backfiller(&self, opened: &[Opened], fitted: &Fitted) -> Backfiller {
        let watched = opened.iter().filter_map(|open| watched(&open.zap, open.state.clone())).collect();
        Backfiller::new(self.ports(), fitted.connections.clone(), watched, self.seed)
    }

    /// The same, however long the state cannot be written.
    pub(super) async fn insist_on(&self, zap: &Zap, set: &Set) -> Result<ZapState, StoreError> {
        let shared = &self.shared;
        shared.insist(|| shared.store.open_zap(self.identity(zap, set))).await
    }

    fn identity(&self, zap: &Zap, set: &Set) -> ZapIdentity {
        let now = self.shared.clock.now();
        let (queries, first_boundary) = match &zap.trigger {
            Trigger::Crm(trigger) => (trigger.queries().len(), first_boundary(trigger, now)),
            Trigger::Http(trigger) => (1, http_poll::first_boundary(trigger, now)),
            Trigger::Schedule(_) => (1, now),
            Trigger::Webhook(_) => (0, now),
        };
        ZapIdentity {
            name: zap.name.clone(),
            formerly: zap.formerly.clone(),
            selection: zap.selection.clone(),
            queries,
            strict: zap.strict,
            content: zap.content.clone(),
            source: set.sources.get(&zap.name).cloned(),
            git: set.git.clone(),
            first_boundary,
            now,
        }
    }

    /// How long runs that are over are kept, and when that changes.
    pub(super) fn history(&self) -> watch::Receiver<Option<Duration>> {
        self.history.subscribe()
    }

    /// Forgets what is not any more, and connects the set with the rest: it is the present one.
    pub(super) fn fit(&self, set: &Set, opened: &[Opened]) -> Fitted {
        let targets = &self.targets;
        set.changed.iter().for_each(|connection| targets.forget(connection));
        let rest = |name: &String| {
            let shared = &self.shared;
            let (clock, observer) = (Arc::clone(&shared.clock), Arc::clone(&shared.observer));
            targets.rest(name, || Rest::new(name, clock, observer, shared.wakers.clone()))
        };
        let connections: Vec<Connection> =
            set.crms.iter().map(|(name, crm)| Connection::new(name, crm, rest(name))).collect();
        let writer = |(name, writer)| (String::clone(name), rest::writer(writer, &rest(name)));
        let links = Arc::new(Links {
            sender: Arc::clone(&set.sender),
            writers: set.writers.iter().map(writer).collect(),
            crms: connections.iter().map(|one| (one.name.clone(), Arc::clone(&one.crm))).collect(),
            recall: Arc::clone(&set.recall),
        });
        self.shared.present.set(&links);
        self.history.send_replace(set.history);
        let watched: Vec<Watched> =
            opened.iter().filter_map(|open| watched(&open.zap, open.state.clone())).collect();
        let open = |open: &Opened| OpenZap { zap: Arc::clone(&open.zap), state: open.state.clone() };
        let house = House::new(
            opened.iter().map(open).collect(),
            &watched,
            &connections,
            &self.ports(),
            Arc::clone(&self.shared),
            Arc::clone(&self.loss),
        );
        Fitted { links, connections, house: Arc::new(house) }
    }

    /// The lane of a zap of the set.
    pub(super) fn lane(&self, open: &Opened, fitted: &Fitted) -> Arc<Lane> {
        let (zap, links) = (Arc::clone(&open.zap), Arc::clone(&fitted.links));
        Arc::new(Lane::new(open.state.id, zap, Arc::clone(&self.shared), links, &self.targets))
    }

    /// What looks for events of the set by itself.
    pub(super) fn parts(&self, set: &Set, opened: &[Opened], fitted: &Fitted) -> Vec<Part> {
        let groups = groups(&set.zaps);
        groups.iter().filter_map(|group| Part::new(group, opened, &fitted.connections, set, self)).collect()
    }
}
