//! What all lanes share.

use super::breaker::{Breaker, Change, Effect, after};
use super::flights::Flights;
use super::keep::{self, Mask};
use super::recall::Recall;
use super::wake::Wakers;
use crate::engine::Summary;
use crate::ports::{Clock, Crm, CrmWriter, RunId, Sender, Store, StoreError};
use crate::report::{Event, Observer};
use crate::rest::Rest;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::request::Request;
use zaprun_core::zap::{Scope, Target};

/// Ports, counters and signals of one engine's delivery, whatever set of zaps it runs.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) mask: Arc<dyn Mask>,
    pub(crate) wakers: Wakers,
    /// What is in flight, by zap.
    pub(crate) flights: Flights,
    /// What the present set of zaps is connected with.
    pub(crate) present: Present,
    /// Requests are shown instead of sent.
    pub(crate) dry_run: bool,
    /// Most runs in flight per zap.
    pub(crate) window: usize,
    pub(crate) phases: Phases,
    pub(crate) counters: Counters,
    /// Since when the state cannot be written.
    pub(crate) trouble: Mutex<Option<Timestamp>>,
    /// Connections and fields whose misfits were reported.
    pub(crate) misfits: Mutex<BTreeSet<(String, &'static str)>>,
    /// Who looks on while a test of a zap is run.
    pub(crate) tap: Option<Arc<dyn Tap>>,
}

/// Looks on while runs are delivered. Ports see requests; this sees whose they are.
pub(crate) trait Tap: Send + Sync {
    /// A run is about to be taken through its steps.
    fn prepare(&self, scope: &mut Scope);

    /// A step of a run, or an element of it, is about to ask the world for this.
    fn about(&self, run: RunId, step: &str, element: Option<&str>, request: &Request);
}

/// How the lanes are told to come to an end.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    stop: CancellationToken,
    finish: CancellationToken,
    cutoff: OnceLock<Timestamp>,
}

/// What the lanes are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Whatever comes due.
    Working,
    /// What was due at that instant; then they end.
    Finishing(Timestamp),
    /// Only what is in flight; then they end.
    Stopping,
}

impl Phases {
    /// The present phase.
    pub(crate) fn now(&self) -> Phase {
        if self.stop.is_cancelled() {
            return Phase::Stopping;
        }
        self.cutoff.get().map_or(Phase::Working, |cutoff| Phase::Finishing(*cutoff))
    }

    /// Takes up nothing new from now on.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Does what is due at `cutoff`, and no more.
    pub(crate) fn finish(&self, cutoff: Timestamp) {
        // A second call changes nothing: the first cutoff holds.
        let _ = self.cutoff.set(cutoff);
        self.finish.cancel();
    }

    /// Ready once nothing new may be taken up.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Ready once the phase is no longer `seen`.
    pub(crate) async fn changed(&self, seen: Phase) {
        match seen {
            Phase::Working => tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.finish.cancelled() => {}
            },
            Phase::Finishing(_) => self.stop.cancelled().await,
            Phase::Stopping => std::future::pending().await,
        }
    }
}

/// What became of runs, since the engine started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) fired: AtomicU64,
    pub(crate) primed: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) filtered: AtomicU64,
    pub(crate) dead: AtomicU64,
    pub(crate) held: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) failed_attempts: AtomicU64,
    /// Runs that were put back to wait and have not ended since: an id each.
    pub(crate) waiting: Mutex<BTreeSet<RunId>>,
    /// When the latest event was seen.
    pub(crate) seen_at: Mutex<Option<Timestamp>>,
}

impl Counters {
    /// Now, and not before any event was seen: a clock that was set back a little leaves none of them for later.
    pub(crate) fn not_before_seen(&self, now: Timestamp) -> Timestamp {
        let seen = *self.seen_at.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map_or(now, |seen| seen.max(now))
    }
}

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Waits between two tries to write the state.
const STORE_WAITS: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

impl Shared {
    /// Calls the store until it answers: what was sent must be remembered, however long the disk is full.
    ///
    /// # Errors
    /// What no repeat can mend: all but [`StoreError::Io`].
    pub(crate) async fn insist<'a, T>(
        &self,
        mut call: impl FnMut() -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut waits = STORE_WAITS.iter();
        let mut wait = Duration::ZERO;
        loop {
            match call().await {
                Ok(value) => {
                    self.store_works();
                    return Ok(value);
                }
                Err(error @ StoreError::Io { .. }) => {
                    wait = waits.next().copied().unwrap_or(wait);
                    let retry_at = after(self.clock.now(), wait);
                    self.store_fails(error, retry_at);
                    self.clock.sleep_until(retry_at).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What was counted so far.
    pub(crate) fn summary(&self) -> Summary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        Summary {
            polled: 0,
            poll_failures: 0,
            passed_over: 0,
            fired: read(&counters.fired),
            primed: read(&counters.primed),
            delivered: read(&counters.delivered),
            filtered: read(&counters.filtered),
            dead: read(&counters.dead),
            held: read(&counters.held),
            dropped: read(&counters.dropped),
            failed_attempts: read(&counters.failed_attempts),
            pending: counters.waiting.lock().unwrap_or_else(PoisonError::into_inner).len() as u64,
        }
    }

    /// Says that the state cannot be written, once until it can.
    pub(crate) fn store_fails(&self, error: StoreError, retry_at: Timestamp) {
        let mut since = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(self.clock.now());
            self.observer.see(Event::StoreTrouble { error, retry_at });
        }
    }

    /// Says that it can again, where it could not.
    pub(crate) fn store_works(&self) {
        let since = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(since) = since {
            self.observer.see(Event::StoreRecovered { since });
        }
    }

    /// Passes a breaker's news on.
    pub(crate) fn announce(&self, breaker: &Breaker, effect: &Effect) {
        let target = breaker.target().to_owned();
        match effect.change.clone() {
            None => {}
            Some(Change::Opened { reason, probe_at }) => {
                let reason = keep::text(&*self.mask, reason);
                self.observer.see(Event::BreakerOpened { target, reason, probe_at });
            }
            Some(Change::Closed { open_for }) => {
                self.observer.see(Event::BreakerClosed { target, open_for });
            }
        }
        if effect.wake {
            self.wakers.ring_all();
        }
    }
}

/// The connections of a set of zaps, as the zaps that were compiled with them use them.
pub(crate) struct Links {
    pub(crate) sender: Arc<dyn Sender>,
    /// Connections to the CRM, for reading.
    pub(crate) crms: HashMap<String, Arc<dyn Crm>>,
    /// The same for writing.
    pub(crate) writers: HashMap<String, Arc<dyn CrmWriter>>,
    /// Makes zaps again that are as they were recorded, for these connections.
    pub(crate) recall: Arc<dyn Recall>,
}

/// The connections of the set of zaps that runs now; none before there is one.
#[derive(Default)]
pub(crate) struct Present(Mutex<Option<Arc<Links>>>);

impl Present {
    /// Those are it from now on.
    pub(crate) fn set(&self, links: &Arc<Links>) {
        *self.lock() = Some(Arc::clone(links));
    }

    /// Those of now.
    pub(crate) fn get(&self) -> Option<Arc<Links>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Links>>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The breakers of all targets.
#[derive(Clone, Default)]
pub(crate) struct Targets(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    breakers: HashMap<Target, Arc<Breaker>>,
    /// Of connections to the CRM.
    rests: HashMap<String, Arc<Rest>>,
}

impl Targets {
    /// How a connection to the CRM rests, for all who use it.
    pub(crate) fn rest(&self, connection: &str, new: impl FnOnce() -> Rest) -> Arc<Rest> {
        let mut known = self.lock();
        Arc::clone(known.rests.entry(connection.to_owned()).or_insert_with(|| Arc::new(new())))
    }

    /// The connection is another one from now on: what is known of it is not known of the new one.
    pub(crate) fn forget(&self, connection: &str) {
        let mut known = self.lock();
        known.rests.remove(connection);
        known.breakers.remove(&Target::Connection(connection.to_owned()));
    }

    /// The breaker of a target, which all zaps that use it share.
    pub(crate) fn breaker(&self, target: &Target) -> Arc<Breaker> {
        let name = match target {
            Target::Connection(name) => format!("connection `{name}`"),
            Target::Host(host) => format!("host `{host}`"),
        };
        let mut known = self.lock();
        let Known { breakers, rests } = &mut *known;
        let rest = match target {
            Target::Connection(name) => rests.get(name),
            Target::Host(_) => None,
        };
        let new = || match rest {
            Some(rest) => Breaker::resting(name, Arc::clone(rest)),
            None => Breaker::new(name),
        };
        Arc::clone(breakers.entry(target.clone()).or_insert_with(|| Arc::new(new())))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
