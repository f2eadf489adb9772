//! One zap's delivery: claims due runs, a bounded number at a time, and sees each to rest.

use super::breaker::{Breaker, Gate};
use super::flights::{Aloft, Claiming};
use super::shared::{Links, Phase, Shared, Targets};
use super::{dry, journey};
use crate::ports::{ClaimedRun, RunId, StoreError, ZapId};
use crate::report::{Event, RowProblem, RunRef};
use futures::future::{Fuse, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zaprun_core::mapping::MapError;
use zaprun_core::zap::Zap;

/// A zap's lane. Nothing in it outlives the future of [`Lane::serve`]: dropping that is a crash, and safe.
///
/// A zap may have several, one after another, while the flights of the earlier ones have not all landed; all but the
/// last one are retired.
pub(crate) struct Lane {
    pub(crate) zap: Arc<Zap>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) links: Arc<Links>,
    id: ZapId,
    bell: Arc<Notify>,
    /// The zap's runs in flight, those of its other lanes too.
    aloft: Arc<Aloft>,
    /// It takes up nothing any more.
    retired: CancellationToken,
    /// One per action, those of `on_failure` last.
    breakers: Vec<Arc<Breaker>>,
    /// The only breaker, where all actions share one.
    sole: Option<Arc<Breaker>>,
    alerted: AtomicBool,
    /// Of which brakes a person knows.
    pub(super) braked: Mutex<super::brake::Told>,
    pub(super) targets: Targets,
    /// Lanes of other contents of the zap, for runs that are mapped as they were recorded; by content.
    pub(super) recorded: tokio::sync::Mutex<HashMap<String, Arc<Lane>>>,
}

/// What the lane knows of runs that are not in flight.
#[derive(Debug, Default)]
struct Outlook {
    /// Runs may be due.
    look: bool,
    /// The last claim was filled: more are due.
    backlog: bool,
    /// When the next pending run is due, or a shut target may be tried.
    wake_at: Option<Timestamp>,
}

/// What a look at the store gave.
struct Found {
    runs: Vec<ClaimedRun>,
    /// Held until they are in flight, or left to another lane.
    claiming: Claiming,
    full: bool,
    next_due: Option<Timestamp>,
}

/// A store that calls a run due without handing it out must not be asked in a tight loop.
const LEAST_PAUSE: SignedDuration = SignedDuration::from_secs(1);

impl Lane {
    /// The lane of an opened zap.
    pub(crate) fn new(
        id: ZapId,
        zap: Arc<Zap>,
        shared: Arc<Shared>,
        links: Arc<Links>,
        targets: &Targets,
    ) -> Lane {
        let actions = zap.actions.iter().chain(&zap.on_failure);
        let breakers: Vec<_> = actions.map(|action| targets.breaker(&action.target())).collect();
        let sole = match breakers.split_first() {
            Some((first, rest)) if rest.iter().all(|other| Arc::ptr_eq(first, other)) => {
                Some(Arc::clone(first))
            }
            _ => None,
        };
        let bell = shared.wakers.bell(id);
        let aloft = shared.flights.of(id);
        Lane {
            zap,
            shared,
            links,
            id,
            bell,
            aloft,
            retired: CancellationToken::new(),
            breakers,
            sole,
            alerted: AtomicBool::new(false),
            braked: Mutex::default(),
            targets: targets.clone(),
            recorded: tokio::sync::Mutex::default(),
        }
    }

    /// Takes up nothing from this moment on, and ends when what is in flight has landed. Only then may the zap get
    /// another lane.
    pub(crate) fn retire(&self) {
        self.retired.cancel();
    }

    /// Works until the phase says to end.
    ///
    /// # Errors
    /// When the state is lost for good.
    pub(crate) async fn serve(&self) -> Result<(), StoreError> {
        let clock = &self.shared.clock;
        let mut flights = FuturesUnordered::new();
        let mut looking = pin!(Fuse::terminated());
        let mut asking = false;
        let mut outlook = Outlook { look: true, ..Outlook::default() };
        loop {
            let phase = self.shared.phases.now();
            let retired = self.retired.is_cancelled();
            if retired {
                // What a look under way would find is for the next lane.
                (asking, outlook) = (false, Outlook::default());
                looking.set(Fuse::terminated());
                if flights.is_empty() {
                    return Ok(());
                }
            }
            if !retired
                && !asking
                && let Some(limit) = self.room(phase, &mut outlook)
            {
                outlook.look = false;
                outlook.wake_at = None;
                asking = true;
                looking.set(self.look(phase, limit, self.aloft.all()).fuse());
            }
            if flights.is_empty() && !asking && self.ends(phase, &outlook) {
                return Ok(());
            }
            let wake_at = outlook.wake_at.filter(|_| phase == Phase::Working);
            tokio::select! {
                Some((run, result)) = flights.next(), if !flights.is_empty() => {
                    self.landed(run, result, &mut outlook)?;
                    // More may have landed meanwhile: one look at the store serves them all.
                    while let Some(Some((run, result))) = flights.next().now_or_never() {
                        self.landed(run, result, &mut outlook)?;
                    }
                }
                found = &mut looking, if asking => {
                    asking = false;
                    let (runs, claiming) = outlook.found(found?, clock.now());
                    // It may have retired since it began to look.
                    if !self.retired.is_cancelled() {
                        let free = runs.into_iter().filter(|run| self.aloft.start(run.id));
                        flights.extend(free.map(|run| self.fly(run)));
                    }
                    drop(claiming);
                }
                () = self.retired.cancelled(), if !retired => {}
                // A zap has one bell, and its present lane must hear it.
                () = self.bell.notified(), if !retired => outlook.look = true,
                () = clock.sleep_until(wake_at.unwrap_or(Timestamp::MAX)), if wake_at.is_some() => {
                    outlook.look = true;
                    outlook.wake_at = None;
                }
                () = self.shared.phases.changed(phase) => outlook.look = true,
            }
        }
    }

    /// A run has come to rest.
    fn landed(
        &self,
        run: RunId,
        result: Result<(), StoreError>,
        outlook: &mut Outlook,
    ) -> Result<(), StoreError> {
        self.aloft.land(run);
        // Another of the same natural id may have waited for it, perhaps at the lane that came after this one.
        outlook.look = true;
        if self.retired.is_cancelled() {
            self.bell.notify_one();
        }
        result
    }

    async fn fly(&self, run: ClaimedRun) -> (RunId, Result<(), StoreError>) {
        let id = run.id;
        (id, self.take(run).await)
    }

    /// Takes a run on its way, mapped as it is to be mapped.
    async fn take(&self, run: ClaimedRun) -> Result<(), StoreError> {
        let recorded = match self.recorded(&run).await? {
            Ok(recorded) => recorded,
            Err(why) => return journey::give_back(self, run, why).await,
        };
        let lane = recorded.as_deref().unwrap_or(self);
        match self.shared.dry_run {
            true => dry::show_run(lane, run).await,
            false => journey::travel(lane, run).await,
        }
    }

    /// How many runs to claim now; `None`: no look at the store.
    fn room(&self, phase: Phase, outlook: &mut Outlook) -> Option<usize> {
        if phase == Phase::Stopping || !outlook.look && !outlook.backlog {
            return None;
        }
        let window = self.shared.window.max(1);
        let free = window.saturating_sub(self.aloft.len());
        // A backlog is taken in large bites, so that claiming costs little per run.
        let enough = if outlook.backlog { window.div_ceil(2) } else { 1 };
        match self.gate() {
            Gate::Open => Some(free).filter(|free| *free >= enough),
            Gate::Probe => Some(1).filter(|_| self.aloft.len() == 0),
            Gate::Shut(until) => {
                outlook.wake_at = Some(until);
                None
            }
            Gate::Probing => None,
        }
    }

    /// While the only target of a zap is at fault, its backlog stays where it is instead of being moved about.
    fn gate(&self) -> Gate {
        match &self.sole {
            Some(breaker) if !self.shared.dry_run => breaker.gate(self.shared.clock.now()),
            _ => Gate::Open,
        }
    }

    /// Whether nothing is left to do in this phase. Nothing is in flight.
    fn ends(&self, phase: Phase, outlook: &Outlook) -> bool {
        match phase {
            Phase::Working => false,
            Phase::Stopping => true,
            // What waits for a target that is at fault waits for the next time.
            Phase::Finishing(_) => !outlook.look && !outlook.backlog || self.gate() != Gate::Open,
        }
    }

    async fn look(&self, phase: Phase, limit: usize, mut busy: Vec<RunId>) -> Result<Found, StoreError> {
        let shared = &self.shared;
        let now = match phase {
            Phase::Finishing(cutoff) => cutoff,
            Phase::Working | Phase::Stopping => shared.clock.now(),
        };
        let claiming = shared.flights.claiming().await;
        let runs = shared.insist(|| shared.store.claim(self.id, now, limit, busy.clone())).await?;
        let full = runs.len() >= limit;
        if full || phase != Phase::Working {
            return Ok(Found { runs, claiming, full, next_due: None });
        }
        busy.extend(runs.iter().map(|run| run.id));
        let next_due = shared.insist(|| shared.store.next_due(vec![self.id], busy.clone())).await?;
        Ok(Found { runs, claiming, full, next_due })
    }

    /// The breaker of an action, by its place.
    pub(super) fn breaker(&self, action: usize) -> Option<&Arc<Breaker>> {
        self.breakers.get(action)
    }

    /// Tells of a mapping that fails, once for all runs of the zap.
    pub(super) fn alert(&self, error: &MapError) {
        if !self.alerted.swap(true, Ordering::Relaxed) {
            self.shared.observer.see(Event::MappingBroken {
                zap: self.zap.name.clone(),
                place: error.place.clone(),
                message: error.message.clone(),
                help: error.help.clone(),
            });
        }
    }

    /// Tells of values that do not fit their field's type, once per connection and field. What the trigger reads,
    /// polling has told of.
    pub(super) fn report_misfits(&self, run: &ClaimedRun, fields: &[&'static str]) {
        // Rows alone have types.
        let Some(trigger) = self.zap.trigger.crm() else { return };
        for field in fields {
            let told = trigger.fields().contains(field);
            let mut known = self.shared.misfits.lock().unwrap_or_else(PoisonError::into_inner);
            if told || !known.insert((trigger.connection.clone(), field)) {
                continue;
            }
            drop(known);
            self.shared.observer.see(Event::RowProblem {
                connection: trigger.connection.clone(),
                row: trigger.schema().name,
                problem: RowProblem::Misfit { field: (*field).to_owned() },
                id: Some(run.event.key.id.clone()),
            });
        }
    }

    /// How a run is called in events.
    pub(super) fn name(&self, run: &ClaimedRun) -> RunRef {
        let trace = zaprun_core::zap::key::trace(run.key_base);
        RunRef { zap: self.zap.name.clone(), event: run.event.key.clone(), run: run.id, trace }
    }
}

impl Outlook {
    fn found(&mut self, found: Found, now: Timestamp) -> (Vec<ClaimedRun>, Claiming) {
        self.backlog = found.full;
        let least = now.saturating_add(LEAST_PAUSE).unwrap_or(Timestamp::MAX);
        self.wake_at = found.next_due.map(|due| if due <= now { least } else { due });
        (found.runs, found.claiming)
    }
}
