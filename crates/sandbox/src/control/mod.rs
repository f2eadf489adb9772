//! The handle by which tests and the demo steer a sandbox and see what it saw.
//!
//! `business` makes things happen at the push of a button, `seen` tells what was asked and what became of it.

mod business;
mod seen;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Error};
use crate::crm::{CrmRequest, LateWrite, Settings};
use crate::faults::{CrmFault, Fault, FaultPlan, FaultRule, SinkFault};
use crate::push::{ExportError, ExportProfile, Outbox, Push, Waiting};
use crate::sink::{Received, SinkLog};
use crate::state::{EntryKind, State};

/// How many of the latest CRM requests are kept.
const KEPT_REQUESTS: usize = 10_000;

/// Steers a sandbox from within the process; clones steer the same one.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    clock: Clock,
    /// How far the clock is ahead of the one that it was started with.
    ahead: Arc<Mutex<SignedDuration>>,
    state: Mutex<State>,
    late: Mutex<Vec<LateWrite>>,
    outbox: Mutex<Outbox>,
    faults: Mutex<FaultPlan>,
    sink: Mutex<SinkLog>,
    crm: Mutex<VecDeque<CrmRequest>>,
    sink_count: watch::Sender<u64>,
    crm_count: watch::Sender<u64>,
    push_count: watch::Sender<u64>,
    stop: watch::Sender<bool>,
}

/// A poisoned lock means that a caller's closure panicked; the books are still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    /// An empty CRM and sink that no server shows yet.
    ///
    /// # Errors
    /// [`Error::Zone`], [`Error::Export`].
    pub fn new(config: &Config) -> Result<Control, Error> {
        let zone = config.time_zone()?;
        let ahead = Arc::default();
        let clock = config.clock.ahead_by(&ahead);
        let mut outbox = Outbox::default();
        for profile in &config.exports {
            profile.check()?;
            outbox.add_profile(profile.clone());
        }
        Ok(Control(Arc::new(Shared {
            settings: Settings::of(config),
            state: Mutex::new(State::new(clock.clone(), zone, config.seed)),
            clock,
            ahead,
            late: Mutex::default(),
            outbox: Mutex::new(outbox),
            faults: Mutex::new(FaultPlan::new(config.faults.clone(), config.seed)),
            sink: Mutex::new(SinkLog::new(config.sink_records)),
            crm: Mutex::new(VecDeque::new()),
            sink_count: watch::Sender::new(0),
            crm_count: watch::Sender::new(0),
            push_count: watch::Sender::new(0),
            stop: watch::Sender::new(false),
        })))
    }

    /// Reads or changes the CRM's state in any way, with no request in between. Writes that were late and are due
    /// by now happen before.
    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.0.state);
        self.let_late_happen(&mut state);
        let changed = change(&mut state);
        let news = state.take_news();
        drop(state);
        if !news.is_empty() {
            lock(&self.0.outbox).tell(&news, self.now());
            self.0.clock.tell_moved();
        }
        changed
    }

    /// Gives the API user another password: whoever comes with the old one is refused.
    pub fn set_password(&self, password: &str) {
        self.0.settings.set_password(password);
    }

    /// Lets the writes happen whose time has come.
    pub(crate) fn catch_up(&self) {
        self.with(|_| ());
    }

    fn let_late_happen(&self, state: &mut State) {
        let now = self.now();
        let mut due: Vec<LateWrite> = lock(&self.0.late).extract_if(.., |write| write.due <= now).collect();
        due.sort_by_key(|write| (write.due, write.number));
        for write in due {
            let (result, succeeded) = write.happen(&self.0.settings, state);
            let mut kept = lock(&self.0.crm);
            if let Some(request) = kept.iter_mut().find(|request| request.number == write.number) {
                request.result = result;
                request.done = succeeded.then_some(write.due);
            }
        }
    }

    /// The present by the sandbox's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Moves the sandbox's clock on, whatever it was started with: late writes happen, batches leave. The `Date` of
    /// its replies moves along.
    pub fn advance(&self, step: SignedDuration) {
        let mut ahead = lock(&self.0.ahead);
        *ahead = ahead.saturating_add(step);
        drop(ahead);
        self.catch_up();
        self.0.clock.tell_moved();
    }

    // Pushes.

    /// Tells a receiver of what happens from now on.
    ///
    /// # Errors
    /// As [`ExportProfile::check`].
    pub fn add_export(&self, profile: ExportProfile) -> Result<(), ExportError> {
        profile.check()?;
        lock(&self.0.outbox).add_profile(profile);
        Ok(())
    }

    // Faults.

    /// Puts a fault in force.
    pub fn add_fault(&self, rule: FaultRule) {
        lock(&self.0.faults).add(rule);
    }

    /// Ends all faults, also the queued ones.
    pub fn clear_faults(&self) {
        lock(&self.0.faults).clear();
    }

    /// Lets a fault strike the next request, once. `on` narrows it to an endpoint (`order/query`) or a sink path
    /// (`/sink/chat` and below). Several queued faults strike one request each, in turn.
    pub fn fault_next(&self, on: Option<&str>, fault: Fault) {
        lock(&self.0.faults).queue(on.map(str::to_owned), fault);
    }

    /// How many queued faults have not struck yet.
    pub fn faults_queued(&self) -> usize {
        lock(&self.0.faults).queued()
    }

    // For the servers.

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn strike_crm(&self, endpoint: &str, page: u64) -> Vec<CrmFault> {
        lock(&self.0.faults).strike_crm(endpoint, page)
    }

    pub(crate) fn strike_sink(&self, path: &str) -> Vec<SinkFault> {
        lock(&self.0.faults).strike_sink(path)
    }

    pub(crate) fn record(&self, received: Received) {
        let count = lock(&self.0.sink).add(received);
        self.0.sink_count.send_replace(count);
    }

    /// Keeps a request; its number.
    pub(crate) fn served(&self, mut request: CrmRequest) -> u64 {
        let mut kept = lock(&self.0.crm);
        let number = *self.0.crm_count.borrow() + 1;
        request.number = number;
        if kept.len() >= KEPT_REQUESTS {
            kept.pop_front();
        }
        kept.push_back(request);
        self.0.crm_count.send_replace(number);
        number
    }

    pub(crate) fn write_later(&self, write: LateWrite) {
        lock(&self.0.late).push(write);
        self.0.clock.tell_moved();
    }

    pub(crate) fn take_push(&self) -> Option<Waiting> {
        lock(&self.0.outbox).take_due(self.now())
    }

    pub(crate) fn put_push_back(&self, waiting: Waiting) {
        lock(&self.0.outbox).put_back(waiting);
    }

    /// Keeps a try to push, also in the customer's history.
    pub(crate) fn pushed(&self, waiting: Waiting, push: Push) {
        let answer = push.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let text = format!("{} exported: {answer}", push.route.as_str());
        let order_id = push.order_id.clone();
        self.with(|state| {
            if let Some(customer_id) = state.order(&order_id).map(|order| order.customer_id) {
                state.log(customer_id, Some(order_id), EntryKind::Export, &text);
            }
        });
        let count = lock(&self.0.outbox).tried(waiting, push);
        self.0.push_count.send_replace(count);
    }

    /// Forgets the pushes that wait: what lies before the start is nobody's news.
    pub(crate) fn forget_pushes(&self) {
        lock(&self.0.outbox).forget();
    }

    /// When the next push leaves, or the next late write happens.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let late = lock(&self.0.late).iter().map(|write| write.due).min();
        lock(&self.0.outbox).next_due().into_iter().chain(late).min()
    }

    /// Changes when the clock is moved, or something new waits for it.
    pub(crate) fn clock_moves(&self) -> watch::Receiver<()> {
        self.0.clock.moves()
    }

    pub(crate) fn set_stopping(&self, stopping: bool) {
        self.0.stop.send_replace(stopping);
    }

    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// Ends once the server is asked to stop.
    pub(crate) async fn stopping(&self) {
        // Fails only without a sender, and this handle holds it.
        let _ = self.0.stop.subscribe().wait_for(|stopping| *stopping).await;
    }
}
