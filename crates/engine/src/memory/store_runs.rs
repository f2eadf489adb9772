//! Runs of the state in memory.

use super::store::MemoryRun;
use crate::ports::{
    Answer, Begun, BegunAttempt, Brake, ClaimedRun, Command, NewEvent, OnceOutcome, Own, RunId, RunReason,
    RunState, RunUpdate, Spend, Spent, StoredEvent, Target, ZapId,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Runs and the values of `once_per`.
#[derive(Default)]
pub(super) struct Runs {
    runs: Vec<MemoryRun>,
    /// How many were ever made.
    made: i64,
    /// Who has the value; `None`: a primed row.
    once: BTreeMap<(ZapId, String), Option<RunId>>,
    /// Orders that zaprun made or changed: whether made, the depth, and whether sold.
    touched: BTreeMap<String, (bool, u32, bool)>,
    /// Writes that count towards limits: of which zap, run, step and element, when, and whether with the run's money.
    spent: Vec<Counted>,
    /// What a zap's day has cost.
    days: BTreeMap<(ZapId, jiff::civil::Date), String>,
    /// What other programs have asked for.
    asked: VecDeque<Command>,
    /// What they were answered.
    pub(super) answered: Vec<Answer>,
    /// Zaps of which a dead or held run keeps later ones of its natural id waiting.
    pub(super) strict: BTreeSet<ZapId>,
}

struct Counted {
    zap: ZapId,
    run: RunId,
    unit: (String, Option<String>),
    at: Timestamp,
    money: bool,
}

impl Runs {
    pub(super) fn all(&self) -> &[MemoryRun] {
        &self.runs
    }

    pub(super) fn make(
        &mut self,
        event: &NewEvent,
        target: &Target,
        depth: u32,
        (state, reason): (RunState, RunReason),
    ) {
        self.made += 1;
        self.runs.push(MemoryRun {
            id: RunId(self.made),
            zap: target.zap,
            revision: target.revision,
            event: StoredEvent {
                key: event.key.clone(),
                at: event.at,
                seen_at: event.seen_at,
                record: event.record.clone(),
                context: event.context.clone(),
            },
            depth,
            let_through: false,
            failing: None,
            fresh: None,
            key_base: target.key_base,
            state,
            reason,
            created_at: event.seen_at,
            updated_at: event.seen_at,
            due_at: event.seen_at,
            attempts: 0,
            retrying_since: None,
            pinned: None,
            steps: Vec::new(),
            past: Vec::new(),
            failed: Vec::new(),
            begun: None,
        });
    }

    pub(super) fn prime_once(&mut self, zap: ZapId, value: Option<String>) {
        if let Some(value) = value {
            self.once.entry((zap, value)).or_insert(None);
        }
    }

    /// A primed row has it no longer: it becomes a run.
    pub(super) fn release_once(&mut self, zap: ZapId, value: Option<&String>) {
        if let Some(value) = value {
            let held = (zap, value.clone());
            if self.once.get(&held) == Some(&None) {
                self.once.remove(&held);
            }
        }
    }

    pub(super) fn pending(&self, zap: ZapId) -> u64 {
        self.runs.iter().filter(|run| run.zap == zap && run.state == RunState::Pending).count() as u64
    }

    pub(super) fn claim(&self, zap: ZapId, now: Timestamp, limit: usize, busy: &[RunId]) -> Vec<ClaimedRun> {
        let mut due: Vec<&MemoryRun> =
            self.ready(busy).filter(|run| run.zap == zap && run.due_at <= now).collect();
        due.sort_by_key(|run| (run.due_at, run.id));
        due.into_iter().take(limit).map(claimed).collect()
    }

    pub(super) fn next_due(&self, zaps: &[ZapId], busy: &[RunId]) -> Option<Timestamp> {
        self.ready(busy).filter(|run| zaps.contains(&run.zap)).map(|run| run.due_at).min()
    }

    /// Pending runs that are nobody's and wait for no earlier run of their natural id.
    fn ready(&self, busy: &[RunId]) -> impl Iterator<Item = &MemoryRun> {
        self.runs
            .iter()
            .filter(move |run| run.state == RunState::Pending && !busy.contains(&run.id) && !self.waits(run))
    }

    fn waits(&self, run: &MemoryRun) -> bool {
        self.runs.iter().take_while(|earlier| earlier.id < run.id).any(|earlier| {
            let strict = self.strict.contains(&run.zap);
            let blocks = match earlier.state {
                RunState::Pending => true,
                RunState::Held | RunState::Dead => strict,
                RunState::Delivered | RunState::Filtered | RunState::Dropped => false,
            };
            blocks && earlier.zap == run.zap && earlier.event.key.id == run.event.key.id
        })
    }

    pub(super) fn change(&mut self, id: RunId, change: impl FnOnce(&mut MemoryRun)) {
        // The engine speaks of runs it was given.
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            change(run);
        }
    }

    pub(super) fn update(&mut self, update: RunUpdate) {
        for touched in update.touched {
            let known =
                self.touched.entry(touched.order).or_insert((touched.made, touched.depth, touched.sold));
            *known = (known.0 || touched.made, touched.depth.max(known.1), known.2 || touched.sold);
        }
        self.change(update.run, |run| {
            run.begun = update.begun;
            run.failing = update.failing;
            run.fresh = update.fresh.or(run.fresh.take());
            run.steps.extend(update.steps);
            run.failed.extend(update.failed);
            run.state = update.state;
            run.reason = update.reason;
            run.updated_at = update.at;
            run.due_at = update.due_at;
            run.attempts = update.attempts;
            run.retrying_since = update.retrying_since;
        });
    }

    pub(super) fn begin(&mut self, id: RunId, begun: BegunAttempt) -> Begun {
        let mine = serials(&begun);
        let shares = |begun: &BegunAttempt| serials(begun).iter().any(|serial| mine.contains(serial));
        let open = self.runs.iter().find(|run| run.id != id && run.begun.as_ref().is_some_and(shares));
        if let Some(run) = open {
            return Begun::Waits(run.id);
        }
        self.change(id, |run| run.begun = Some(begun));
        Begun::Yes
    }

    pub(super) fn spend(&mut self, spend: Spend) -> Spent {
        let Some(run) = self.runs.iter().find(|run| run.id == spend.run && !run.let_through) else {
            return Spent::Yes;
        };
        let zap = run.zap;
        let unit = (spend.step, spend.element);
        let of_run = || self.spent.iter().filter(|counted| counted.run == spend.run);
        let known = of_run().any(|counted| counted.unit == unit);
        let cost = spend.money.filter(|_| !of_run().any(|counted| counted.money));
        let since = spend.at - SignedDuration::from_hours(1);
        let lately = self.spent.iter().filter(|counted| counted.zap == zap && counted.at > since).count();
        if !known && spend.writes_per_hour.is_some_and(|most| lately >= most as usize) {
            return Spent::Over(Brake::Writes);
        }
        if let Some(cost) = &cost {
            let day = (zap, cost.day);
            match cost.added(self.days.get(&day).map(String::as_str)) {
                Ok(sum) => drop(self.days.insert(day, sum)),
                Err(brake) => return Spent::Over(brake),
            }
        }
        let money = cost.is_some();
        match self.spent.iter_mut().find(|counted| counted.run == spend.run && counted.unit == unit) {
            Some(counted) => counted.money |= money,
            None => self.spent.push(Counted { zap, run: spend.run, unit, at: spend.at, money }),
        }
        Spent::Yes
    }

    /// What a run has used up stays used up, and is no longer known as its own. No run has the number 0.
    pub(super) fn set_free(&mut self, run: RunId) {
        self.spent.iter_mut().filter(|counted| counted.run == run).for_each(|counted| counted.run = RunId(0));
    }

    pub(super) fn own(&self, order: &str, serial: Option<&str>) -> Own {
        let mut open = self.runs.iter().filter_map(|run| run.begun.as_ref()).flat_map(serials);
        Own {
            made: self.touched.get(order).is_some_and(|(made, ..)| *made),
            sold: self.touched.get(order).is_some_and(|(.., sold)| *sold),
            open: serial.is_some_and(|serial| open.any(|open| open == serial)),
        }
    }

    /// How many of zaprun's own writes led to what happens to an order, and whether one of them made it.
    pub(super) fn origin(&self, order: Option<&String>) -> (bool, u32) {
        let known = order.and_then(|order| self.touched.get(order)).copied().unwrap_or_default();
        (known.0, known.1)
    }

    pub(super) fn prune(&mut self, before: Timestamp, most: usize) -> u64 {
        let all = self.runs.len();
        let over = |run: &MemoryRun| {
            let ended = matches!(run.state, RunState::Delivered | RunState::Filtered | RunState::Dropped);
            ended && run.updated_at < before
        };
        let mut left = most;
        self.runs.retain(|run| {
            let goes = left > 0 && over(run);
            left -= usize::from(goes);
            !goes
        });
        (all - self.runs.len()) as u64
    }

    pub(super) fn ask(&mut self, command: Command) {
        self.asked.push_back(command);
    }

    pub(super) fn next_asked(&mut self) -> Option<Command> {
        self.asked.pop_front()
    }

    pub(super) fn find(&mut self, id: RunId) -> Option<&mut MemoryRun> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    pub(super) fn take_once(&mut self, zap: ZapId, value: &str, run: RunId) -> OnceOutcome {
        match *self.once.entry((zap, value.to_owned())).or_insert(Some(run)) {
            Some(holder) if holder == run => OnceOutcome::Taken,
            other => OnceOutcome::TakenBy(other),
        }
    }
}

fn serials(begun: &BegunAttempt) -> &[String] {
    begun.write.as_ref().map_or(&[], |write| &write.serials)
}

fn claimed(run: &MemoryRun) -> ClaimedRun {
    ClaimedRun {
        id: run.id,
        zap: run.zap,
        event: run.event.clone(),
        key_base: run.key_base,
        created_at: run.created_at,
        reason: run.reason.clone(),
        depth: run.depth,
        failing: run.failing.clone(),
        fresh: run.fresh.clone(),
        pinned: run.pinned.clone(),
        attempts: run.attempts,
        retrying_since: run.retrying_since,
        steps: run.steps.clone(),
        begun: run.begun.clone(),
    }
}
