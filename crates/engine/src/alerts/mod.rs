//! Telling people when something needs one of them.
//!
//! What is wrong is not remembered but looked at: the state says which runs are held or dead and when a zap last had an
//! event, the [`Pulse`] which triggers are overdue. Only what no state knows, whether a target is at fault, is noted as it
//! is told. So nothing is missed by a crash. What each target was told is in the state, so that a restart tells nothing
//! twice, and that it is over is told after a restart too.

mod ledger;
mod raised;

pub use ledger::{Found, Step, judge};

use crate::delivery::after;
use crate::measure::{Class, Measure, Witness};
use crate::ports::{AlertRow, AlertStore, Clock, RunState, SendOutcome, Sender, StoreError};
use crate::pulse::Pulse;
use crate::report::{Event, Observer};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use raised::Raised;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;
use zaprun_core::zap::{
    self, ALERT_KINDS, AlertFacts, AlertKind, AlertTarget, BRAKE_TRIPPED, BREAKER_OPEN, DEAD, HELD, NO_EVENT,
    ResponseFacts, TRIGGER_OVERDUE, Zap,
};

/// What is wrong is looked at so often, and when something is told that may be.
const LOOK: SignedDuration = SignedDuration::from_secs(15);
/// What is told at once is gathered for so long, so that a burst is one message.
const GATHER: SignedDuration = SignedDuration::from_secs(1);
/// A target that cannot be told is tried again after this long, then after twice as long, and so on.
const FIRST_REST: Duration = Duration::from_secs(5);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);
/// Keys of messages hang on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7a1c_84d5_0b2e_5e0f_9d43_6c8a_12f7_e9b0);

/// Looks for what needs a person, and tells the targets. It is told by the engine as a witness, and runs beside it.
pub struct Alerts {
    alerts: zap::Alerts,
    /// What each zap expects.
    expectations: Vec<Expectation>,
    ports: Ports,
    pulse: Arc<Pulse>,
    noticed: Arc<Noticed>,
}

/// What was noticed since the start; those of another set of zaps go on with it.
#[derive(Default)]
struct Noticed {
    /// When an engine first ran each zap.
    opened: Mutex<BTreeMap<String, Timestamp>>,
    raised: Raised,
    bell: Notify,
    rests: Mutex<HashMap<String, Rest>>,
}

/// How alerts reach the world.
#[derive(Clone)]
pub struct Ports {
    /// What is kept of them, and what they are made from.
    pub store: Arc<dyn AlertStore>,
    /// Sends the messages.
    pub sender: Arc<dyn Sender>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who is told that a message did not arrive.
    pub observer: Arc<dyn Observer>,
}

/// A zap to which something should happen.
struct Expectation {
    zap: String,
    every: Duration,
}

/// A kind of alert that is raised and lowered by events, since no state knows of it.
struct Noted {
    kind: &'static AlertKind,
    /// Whether its subject is a zap; else it is a connection or a host.
    about_zap: bool,
    /// What is wrong, after the subject.
    words: &'static str,
}

static NOTED: &[Noted] =
    &[Noted { kind: &BREAKER_OPEN, about_zap: false, words: "is at fault and left alone; runs wait for it" }];

/// The kind, the subject, and whether it is raised, where an event says that.
fn noted(event: &Event) -> Option<(&'static AlertKind, &str, bool)> {
    Some(match event {
        Event::BreakerOpened { target, .. } => (&BREAKER_OPEN, raised::bare(target), true),
        Event::BreakerClosed { target, .. } => (&BREAKER_OPEN, raised::bare(target), false),
        // A login that the CRM refuses: reads and writes of the account rest together.
        Event::Stopped { connection, query: None, .. } => (&BREAKER_OPEN, connection, true),
        Event::Recovered { connection, query: None, .. } => (&BREAKER_OPEN, connection, false),
        _ => return None,
    })
}

/// A target that could not be told.
#[derive(Clone, Copy)]
struct Rest {
    failures: u32,
    until: Timestamp,
}

impl Alerts {
    /// Alerts of these zaps.
    pub fn new(alerts: zap::Alerts, zaps: &[Arc<Zap>], ports: Ports, pulse: Arc<Pulse>) -> Alerts {
        Alerts { alerts, expectations: expectations(zaps), ports, pulse, noticed: Arc::default() }
    }

    /// Alerts of other zaps, or to others, that know what these have noticed. `sender` sends the messages.
    pub fn with(&self, alerts: zap::Alerts, zaps: &[Arc<Zap>], sender: Arc<dyn Sender>) -> Alerts {
        Alerts {
            alerts,
            expectations: expectations(zaps),
            ports: Ports { sender, ..self.ports.clone() },
            pulse: Arc::clone(&self.pulse),
            noticed: Arc::clone(&self.noticed),
        }
    }

    /// A connection is another one now, or, where it is `gone`, is no more: its fault is not known any more.
    pub fn forget(&self, connection: &str, gone: bool) {
        self.noticed.raised.forget(BREAKER_OPEN.word, connection);
        if gone {
            self.noticed.raised.lower(BREAKER_OPEN.word, connection);
        }
    }

    /// Whether anybody is to be told.
    pub fn tell_somebody(&self) -> bool {
        !self.alerts.targets.is_empty()
    }

    /// Looks and tells until `over`, to the end of a look. A state that cannot be read or written is tried again: whoever
    /// runs the zaps says that. Gives back what `over` does.
    pub async fn run<T>(&self, over: impl Future<Output = T>) -> T {
        let mut over = std::pin::pin!(over);
        loop {
            // What cannot be read now is read at the next look.
            let _ = self.look().await;
            let clock = &self.ports.clock;
            let next = later(clock.now(), LOOK);
            tokio::select! {
                over = &mut over => return over,
                () = clock.sleep_until(next) => {}
                () = self.noticed.bell.notified() => clock.sleep_until(later(clock.now(), GATHER)).await,
            }
        }
    }

    /// Looks once at what is wrong, keeps it, and tells whoever is to be told now.
    ///
    /// # Errors
    /// As any use of the state.
    pub async fn look(&self) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let found = self.found(now).await?;
        let known = self.ports.store.alerts().await?;
        let targets: Vec<&str> = self.alerts.targets.iter().map(AlertTarget::id).collect();
        let proves_over = |row: &AlertRow| self.proves_over(row);
        let step = judge(&found, known, &targets, &proves_over, self.alerts.every, now);
        if !step.forget.is_empty() {
            self.ports.store.forget_alerts(step.forget).await?;
        }
        if !step.keep.is_empty() {
            self.ports.store.keep_alerts(step.keep).await?;
        }
        let each = self.alerts.targets.iter().map(|target| {
            let due: Vec<&AlertRow> = step.due.iter().filter(|row| row.target == target.id()).collect();
            self.tell_all(target, due, &found)
        });
        for told in join_all(each).await {
            told?;
        }
        Ok(())
    }

    /// What is wrong now, by kind and subject.
    async fn found(&self, now: Timestamp) -> Result<BTreeMap<(&'static str, String), Found>, StoreError> {
        let mut found = BTreeMap::new();
        let mut add = |kind: &AlertKind, one: Found| found.insert((kind.word, one.subject.clone()), one);
        for standing in self.ports.store.standing().await? {
            let (kind, what) = match standing.state {
                RunState::Dead => (&DEAD, "dead"),
                RunState::Held if standing.word == "limit" => (&BRAKE_TRIPPED, "held by its limits"),
                RunState::Held => (&HELD, "held for a person"),
                _ => continue,
            };
            let (runs, verb) = if standing.count == 1 { ("run", "is") } else { ("runs", "are") };
            let message = format!(
                "zap {}: {} {runs} {verb} {what}, the latest is run {} ({})",
                standing.zap, standing.count, standing.last, standing.word
            );
            add(
                kind,
                Found {
                    zap: standing.zap.clone(),
                    count: standing.count,
                    first_run: standing.first.to_string(),
                    last_run: standing.last.to_string(),
                    ..Found::about(&standing.zap, message)
                },
            );
        }
        for noted in NOTED {
            for (subject, since) in self.noticed.raised.open(noted.kind.word) {
                let about = Found {
                    since: Some(since),
                    ..Found::about(&subject, format!("{subject} {}", noted.words))
                };
                let about = match noted.about_zap {
                    true => Found { zap: subject, ..about },
                    false => Found { connection: subject, ..about },
                };
                add(noted.kind, about);
            }
        }
        for overdue in self.pulse.overdue() {
            let last = overdue.last.strftime("%Y-%m-%d %H:%M:%S UTC");
            let message =
                format!("zap {}: its trigger is overdue, it was last looked at {last}", overdue.zap);
            let about = Found::about(&overdue.zap, message);
            add(&TRIGGER_OVERDUE, Found { zap: overdue.zap.clone(), since: Some(overdue.since), ..about });
        }
        if !self.expectations.is_empty() {
            let made: HashMap<String, Timestamp> = self.ports.store.last_made().await?.into_iter().collect();
            for Expectation { zap, every } in &self.expectations {
                let last = made.get(zap).copied();
                // One that is not open yet is waited for.
                let Some(since) = last.or_else(|| self.opened().get(zap).copied()) else { continue };
                let due = after(since, *every);
                if now <= due {
                    continue;
                }
                let when = match last {
                    Some(last) => format!("since {}", last.strftime("%Y-%m-%d %H:%M:%S UTC")),
                    None => "so far".to_owned(),
                };
                let message =
                    format!("zap {zap}: nothing has happened {when}, which `expect_every` says it should");
                add(&NO_EVENT, Found { zap: zap.clone(), since: Some(due), ..Found::about(zap, message) });
            }
        }
        Ok(found)
    }

    /// Whether what is not found any more is surely over: after a restart nobody knows yet that a target works, or that a
    /// trigger is looked at.
    fn proves_over(&self, row: &AlertRow) -> bool {
        match row.kind.as_str() {
            kind if NOTED.iter().any(|noted| noted.kind.word == kind) => {
                self.noticed.raised.is_over(kind, &row.subject)
            }
            kind if kind == TRIGGER_OVERDUE.word => self.pulse.has_looked(&row.subject),
            _ => true,
        }
    }

    /// Tells a target of these, one after another, until one does not arrive.
    async fn tell_all(
        &self,
        target: &AlertTarget,
        due: Vec<&AlertRow>,
        found: &BTreeMap<(&'static str, String), Found>,
    ) -> Result<(), StoreError> {
        for row in due {
            let now = self.ports.clock.now();
            if self.rest(target.id()).is_some_and(|rest| now < rest.until) {
                return Ok(());
            }
            let Some(kind) = ALERT_KINDS.iter().find(|kind| kind.word == row.kind) else { continue };
            let one = found.get(&(kind.word, row.subject.clone()));
            let facts = facts(kind, row, one);
            if !self.tell(target, row, &facts).await {
                return Ok(());
            }
            if row.over {
                self.ports.store.forget_alerts(vec![row.clone()]).await?;
            } else {
                let told = AlertRow { told: facts.count, told_at: Some(now), ..row.clone() };
                self.ports.store.keep_alerts(vec![told]).await?;
            }
        }
        Ok(())
    }

    /// Whether the target was told, or does not want to be.
    async fn tell(&self, target: &AlertTarget, row: &AlertRow, facts: &AlertFacts) -> bool {
        let name = format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            row.kind, row.subject, row.target, row.since, facts.count, row.over
        );
        let key_base = Uuid::new_v5(&NAMESPACE, name.as_bytes());
        let outcome = match target.request(facts, key_base) {
            Ok(None) => return true,
            Ok(Some(request)) => {
                let outcome = self.ports.sender.send(&request).await;
                self.judge_answer(target, facts, outcome)
            }
            Err(error) => Err(format!("{}: {}", error.place, error.message)),
        };
        match outcome {
            Ok(()) => {
                self.rests().remove(target.id());
                self.ports.observer.see(Event::AlertTold {
                    target: target.id().to_owned(),
                    kind: facts.kind,
                    resolved: facts.resolved,
                });
                true
            }
            Err(reason) => {
                let failures = self.rest(target.id()).map_or(0, |rest| rest.failures).saturating_add(1);
                let wait =
                    FIRST_REST.saturating_mul(1 << failures.min(16).saturating_sub(1)).min(LONGEST_REST);
                let until = after(self.ports.clock.now(), wait);
                self.rests().insert(target.id().to_owned(), Rest { failures, until });
                self.ports.observer.see(Event::AlertFailed {
                    target: target.id().to_owned(),
                    kind: facts.kind,
                    reason,
                    retry_at: until,
                });
                false
            }
        }
    }

    fn judge_answer(
        &self,
        target: &AlertTarget,
        facts: &AlertFacts,
        outcome: SendOutcome,
    ) -> Result<(), String> {
        let reply = match outcome {
            SendOutcome::Reply(reply) => reply,
            SendOutcome::NotSent { reason, .. }
            | SendOutcome::Unauthorised { reason }
            | SendOutcome::Unknown { reason } => return Err(reason),
        };
        let seen = ResponseFacts { status: reply.status, headers: &reply.headers, body: &reply.body };
        match target.accepts(facts, &seen) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("it answered {}", reply.status)),
            Err(error) => Err(format!("{}: {}", error.place, error.message)),
        }
    }

    fn rest(&self, target: &str) -> Option<Rest> {
        self.rests().get(target).copied()
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.noticed.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self) -> std::sync::MutexGuard<'_, HashMap<String, Rest>> {
        // Nothing panics while it is held, and its values are whole at any time.
        self.noticed.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn expectations(zaps: &[Arc<Zap>]) -> Vec<Expectation> {
    let expects = |zap: &Arc<Zap>| Some(Expectation { zap: zap.name.clone(), every: zap.expect_every? });
    zaps.iter().filter_map(expects).collect()
}

/// An alert as templates see it. What is over is not among what was found, and is told by what is kept of it.
fn facts(kind: &'static AlertKind, row: &AlertRow, found: Option<&Found>) -> AlertFacts {
    let about_zap = NOTED.iter().all(|noted| noted.kind != kind || noted.about_zap);
    let (zap, connection) = match found {
        Some(found) => (found.zap.clone(), found.connection.clone()),
        None if about_zap => (row.subject.clone(), String::new()),
        None => (String::new(), row.subject.clone()),
    };
    let count = found.map_or(row.told, |found| found.count);
    let message = match found.filter(|_| !row.over) {
        Some(found) => found.message.clone(),
        None if about_zap => format!("zap {}: {} is over: {}", row.subject, kind.word, kind.over),
        None => format!("{}: {} is over: {}", row.subject, kind.word, kind.over),
    };
    // The one that a message is about, and those of which messages told before, were not held back.
    let suppressed = if row.over { 0 } else { count.saturating_sub(row.told).saturating_sub(1) };
    AlertFacts {
        kind: kind.word,
        resolved: row.over,
        zap,
        connection,
        count,
        suppressed: if row.told_at.is_some() { suppressed } else { 0 },
        since: row.since,
        first_run: found.map(|found| found.first_run.clone()).unwrap_or_default(),
        last_run: found.map(|found| found.last_run.clone()).unwrap_or_default(),
        message,
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl Witness for Alerts {
    fn note(&self, event: &Event) {
        match event {
            // A person should not wait for the next look.
            Event::Dead { .. } | Event::Held { .. } => self.noticed.bell.notify_one(),
            _ => {
                let Some((kind, subject, up)) = noted(event) else { return };
                match up {
                    true => self.noticed.raised.raise(kind.word, subject, self.ports.clock.now()),
                    false => self.noticed.raised.lower(kind.word, subject),
                }
                self.noticed.bell.notify_one();
            }
        }
    }

    fn measure(&self, measure: Measure<'_>) {
        match measure {
            // That a target works is proven by an answer, also where its fault was before a restart.
            Measure::Attempt { target, class: Class::Done, .. } => {
                self.noticed.raised.works(BREAKER_OPEN.word, raised::bare(target));
            }
            Measure::Opened { zap, state } => {
                self.opened().insert(zap.name.clone(), state.opened_at);
            }
            _ => {}
        }
    }
}
