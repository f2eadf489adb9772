//! One breaker per target: while a target is at fault, runs wait instead of wearing themselves out on it.

use crate::ports::RunId;
use crate::rest::{Entry, Rest};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many different runs in a row that found the target ill open the breaker.
const ILL_RUNS: usize = 5;
/// So many different runs in a row that got 403 open it.
const FORBIDDEN_RUNS: usize = 3;
/// A run that failed so often as a probe is suspect once another run got through.
const SUSPECT_PROBES: u32 = 2;
/// A suspect that fails so often more is to blame itself. A long outage makes suspects of all, and a target that has
/// just come back may stumble, so one failure is not enough.
const SUSPECT_FAILURES: u32 = 2;
/// Probes remembered per outage; a probe a minute for a day and more.
const PROBES_KEPT: usize = 2_048;
/// Longest pause that a busy target gets for the asking.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// What an attempt says about its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered.
    Well,
    /// Nothing was learnt: nothing left for it.
    Silent,
    /// It answered that it is busy, and perhaps for how long.
    Busy(Option<Duration>),
    /// No connection, no answer, or 5xx.
    Ill(String),
    /// 403.
    Forbidden(String),
    /// It does not accept the credentials.
    Fault(String),
}

/// Whether a run may send.
pub(crate) enum Admission {
    /// It may; report what came of it through the ticket.
    Send(Ticket),
    /// It waits until then.
    Park {
        /// When to ask again.
        until: Timestamp,
        /// Why, in plain words.
        reason: String,
        /// The target is at fault, so that the wait is no fault of the run's; otherwise it is only busy.
        fault: bool,
    },
}

/// Whether a zap whose runs all begin at this target may take up work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// As much as it likes.
    Open,
    /// One run, as a probe.
    Probe,
    /// Nothing before then.
    Shut(Timestamp),
    /// Nothing before the probe in flight has ended.
    Probing,
}

/// What a report changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The breaker opened or closed.
    pub(crate) change: Option<Change>,
    /// The run waits until then; its attempt does not count.
    pub(crate) park: Option<Timestamp>,
    /// The run is to blame rather than its target: it failed as a probe more than once, and more than once again after
    /// another run had got through.
    pub(crate) condemned: bool,
    /// Whoever waits for this target should look again.
    pub(crate) wake: bool,
    /// When the target was last at fault: what a run waited until then is no fault of its own.
    pub(crate) recovered_at: Option<Timestamp>,
}

/// A breaker's news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It opened.
    Opened {
        /// Plain words.
        reason: String,
        /// When the first probe goes out.
        probe_at: Timestamp,
    },
    /// It closed, after so long.
    Closed {
        /// How long it was open.
        open_for: Duration,
    },
}

/// The breaker of one target.
pub(crate) struct Breaker {
    target: String,
    /// Of a connection to the CRM: whether the CRM lets us in is known there, to all who use the connection.
    rest: Option<Arc<Rest>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Different runs that found the target ill, one after another.
    ill: Vec<RunId>,
    /// Different runs that got 403, one after another.
    forbidden: Vec<RunId>,
    /// Runs that failed as probes before another got through, with their failures since.
    suspects: HashMap<RunId, u32>,
    /// A busy target asked for quiet until then.
    quiet_until: Option<Timestamp>,
    open: Option<Outage>,
    /// When it last closed.
    closed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Outage {
    reason: String,
    since: Timestamp,
    pace: Pace,
    probes: u32,
    probe_at: Timestamp,
    probing: bool,
    failed_probes: HashMap<RunId, u32>,
}

/// How fast probes follow each other.
#[derive(Debug, Clone, Copy)]
struct Pace {
    first: Duration,
    longest: Duration,
}

/// An ill target may be back any moment.
const ILL_PACE: Pace = Pace { first: Duration::from_secs(5), longest: Duration::from_secs(5 * 60) };
/// Wrong credentials need a person, and repeated tries may lock the account.
const FAULT_PACE: Pace = Pace { first: Duration::from_secs(60), longest: Duration::from_secs(15 * 60) };

impl Pace {
    fn after(self, probes: u32) -> Duration {
        self.first.saturating_mul(1_u32 << probes.min(16)).min(self.longest)
    }
}

/// Leave to send once. Dropped without a report (the engine is stopping), it frees the place of the probe.
pub(crate) struct Ticket {
    breaker: Arc<Breaker>,
    probe: bool,
    reported: bool,
}

impl Breaker {
    /// A closed breaker.
    pub(crate) fn new(target: String) -> Breaker {
        Breaker { target, rest: None, state: Mutex::default() }
    }

    /// The same of a connection to the CRM.
    pub(crate) fn resting(target: String, rest: Arc<Rest>) -> Breaker {
        Breaker { rest: Some(rest), ..Breaker::new(target) }
    }

    /// What it guards, as a person knows it.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Whether a run may send now.
    pub(crate) fn admit(self: &Arc<Breaker>, now: Timestamp) -> Admission {
        if let Some(rest) = &self.rest
            && matches!(rest.entry(now), Entry::Shut(_) | Entry::Trying)
        {
            return Admission::Park { until: rest.park_until(now), reason: rest.reason(), fault: true };
        }
        let mut state = self.lock();
        let State { open, quiet_until, .. } = &mut *state;
        let probe = match open {
            None => match quiet_until.filter(|until| *until > now) {
                Some(until) => {
                    let reason = "it asked to wait".to_owned();
                    return Admission::Park { until, reason, fault: false };
                }
                None => false,
            },
            Some(outage) if outage.probing || now < outage.probe_at => {
                let until = outage.probe_at.max(after(now, outage.pace.first));
                return Admission::Park { until, reason: outage.reason.clone(), fault: true };
            }
            Some(outage) => {
                outage.probing = true;
                true
            }
        };
        Admission::Send(Ticket { breaker: Arc::clone(self), probe, reported: false })
    }

    /// Whether work that begins here may be taken up.
    pub(crate) fn gate(&self, now: Timestamp) -> Gate {
        let entry = self.rest.as_ref().map_or(Entry::Open, |rest| rest.entry(now));
        match (entry, self.own_gate(now)) {
            (Entry::Shut(until), _) => Gate::Shut(until),
            (Entry::Trying, _) => Gate::Probing,
            (Entry::Due, Gate::Open) => Gate::Probe,
            (Entry::Due | Entry::Open, gate) => gate,
        }
    }

    fn own_gate(&self, now: Timestamp) -> Gate {
        let state = self.lock();
        match (&state.open, state.quiet_until) {
            (None, Some(until)) if until > now => Gate::Shut(until),
            (None, _) => Gate::Open,
            (Some(outage), _) if outage.probing => Gate::Probing,
            (Some(outage), _) if now < outage.probe_at => Gate::Shut(outage.probe_at),
            (Some(_), _) => Gate::Probe,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Whether it is the one request by which a target at fault is tried.
    pub(crate) fn is_probe(&self) -> bool {
        self.probe
    }

    /// Reports what an attempt said about the target.
    pub(crate) fn report(mut self, run: RunId, health: Health, now: Timestamp) -> Effect {
        if let (Health::Fault(_), Some(rest)) = (&health, &self.breaker.rest) {
            // It is known to all by now; of the target itself nothing was learnt.
            return Effect { park: Some(rest.park_until(now)), ..Effect::none() };
        }
        self.reported = true;
        let mut state = self.breaker.lock();
        match state.open {
            Some(_) if self.probe => state.end_probe(run, health, now),
            Some(_) => state.late(&health, now),
            None => state.count(run, health, now),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.probe
            && !self.reported
            && let Some(outage) = &mut self.breaker.lock().open
        {
            outage.probing = false;
        }
    }
}

impl State {
    /// An answer while the breaker is closed.
    fn count(&mut self, run: RunId, health: Health, now: Timestamp) -> Effect {
        let mut effect = Effect { recovered_at: self.closed_at, ..Effect::none() };
        match health {
            Health::Well => self.clear(run),
            Health::Silent => {}
            Health::Busy(asked) => {
                self.forbidden.clear();
                self.quieten(asked, now);
            }
            Health::Ill(_) | Health::Forbidden(_) | Health::Fault(_) if self.suspects.contains_key(&run) => {
                effect.condemned = self.fails_again(run);
            }
            Health::Ill(reason) => {
                self.forbidden.clear();
                if in_a_row(&mut self.ill, run, ILL_RUNS) {
                    self.open(reason, ILL_PACE, now, &mut effect);
                }
            }
            Health::Forbidden(reason) => {
                self.ill.clear();
                if in_a_row(&mut self.forbidden, run, FORBIDDEN_RUNS) {
                    self.open(reason, FAULT_PACE, now, &mut effect);
                }
            }
            Health::Fault(reason) => self.open(reason, FAULT_PACE, now, &mut effect),
        }
        effect
    }

    /// Whether that is once too often for a suspect. Its failures say nothing about the target.
    fn fails_again(&mut self, run: RunId) -> bool {
        let failures = self.suspects.entry(run).or_default();
        *failures += 1;
        let condemned = *failures >= SUSPECT_FAILURES;
        if condemned {
            self.suspects.remove(&run);
        }
        condemned
    }

    /// An answer to a request that left before the breaker opened.
    fn late(&self, health: &Health, now: Timestamp) -> Effect {
        let park = match health {
            Health::Well | Health::Silent | Health::Busy(_) => None,
            Health::Ill(_) | Health::Forbidden(_) | Health::Fault(_) => {
                self.open.as_ref().map(|outage| outage.probe_at.max(after(now, outage.pace.first)))
            }
        };
        Effect { park, ..Effect::none() }
    }

    fn end_probe(&mut self, run: RunId, health: Health, now: Timestamp) -> Effect {
        let Some(mut outage) = self.open.take() else { return Effect::none() };
        let reason = match health {
            Health::Well => return self.close(run, outage, now),
            Health::Silent => {
                outage.probing = false;
                self.open = Some(outage);
                return Effect { wake: true, ..Effect::none() };
            }
            Health::Busy(asked) => {
                outage.next_probe(now, asked.unwrap_or_default());
                self.open = Some(outage);
                return Effect { wake: true, ..Effect::none() };
            }
            Health::Ill(reason) | Health::Forbidden(reason) | Health::Fault(reason) => reason,
        };
        outage.reason = reason;
        outage.next_probe(now, Duration::ZERO);
        if outage.failed_probes.len() < PROBES_KEPT || outage.failed_probes.contains_key(&run) {
            *outage.failed_probes.entry(run).or_default() += 1;
        }
        // One step behind the others, so that the next probe is another run.
        let park = after(outage.probe_at, Duration::from_millis(1));
        self.open = Some(outage);
        Effect { park: Some(park), wake: true, ..Effect::none() }
    }

    fn open(&mut self, reason: String, pace: Pace, now: Timestamp, effect: &mut Effect) {
        let probe_at = after(now, pace.first);
        self.clear_rows();
        self.open = Some(Outage {
            reason: reason.clone(),
            since: now,
            pace,
            probes: 0,
            probe_at,
            probing: false,
            failed_probes: HashMap::new(),
        });
        effect.change = Some(Change::Opened { reason, probe_at });
        effect.park = Some(after(probe_at, Duration::from_millis(1)));
        effect.wake = true;
    }

    fn close(&mut self, run: RunId, outage: Outage, now: Timestamp) -> Effect {
        let suspects = outage.failed_probes.into_iter().filter(|(_, failed)| *failed >= SUSPECT_PROBES);
        self.suspects = suspects.map(|(run, _)| (run, 0)).collect();
        self.clear(run);
        self.closed_at = Some(now);
        self.quiet_until = None;
        let open_for = Duration::try_from(now.duration_since(outage.since)).unwrap_or_default();
        Effect { change: Some(Change::Closed { open_for }), wake: true, ..Effect::none() }
    }

    fn clear(&mut self, run: RunId) {
        self.clear_rows();
        self.suspects.remove(&run);
    }

    fn clear_rows(&mut self) {
        self.ill.clear();
        self.forbidden.clear();
    }

    fn quieten(&mut self, asked: Option<Duration>, now: Timestamp) {
        let Some(asked) = asked else { return };
        let until = after(now, asked.min(LONGEST_PAUSE));
        self.quiet_until = Some(self.quiet_until.map_or(until, |already| already.max(until)));
    }
}

impl Outage {
    fn next_probe(&mut self, now: Timestamp, at_least: Duration) {
        self.probing = false;
        self.probes = self.probes.saturating_add(1);
        self.probe_at = after(now, self.pace.after(self.probes).max(at_least.min(LONGEST_PAUSE)));
    }
}

impl Effect {
    fn none() -> Effect {
        Effect { change: None, park: None, condemned: false, wake: false, recovered_at: None }
    }
}

/// Notes a run in a row of different ones and says whether the row is full.
fn in_a_row(row: &mut Vec<RunId>, run: RunId, full: usize) -> bool {
    if !row.contains(&run) {
        row.push(run);
    }
    row.len() >= full
}

/// A later instant; the end of time where that would be passed.
pub(crate) fn after(at: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| at.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
