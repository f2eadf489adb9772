//! Runs of the state in memory.

use super::store::MemoryRun;
use crate::ports::{
    ClaimedRun, NewEvent, OnceOutcome, RunId, RunReason, RunState, RunUpdate, StoredEvent, Target, ZapId,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Runs and the values of `once_per`.
#[derive(Default)]
pub(super) struct Runs {
    runs: Vec<MemoryRun>,
    /// Who has the value; `None`: a primed row.
    once: BTreeMap<(ZapId, String), Option<RunId>>,
}

impl Runs {
    pub(super) fn all(&self) -> &[MemoryRun] {
        &self.runs
    }

    pub(super) fn make(&mut self, event: &NewEvent, target: &Target) {
        self.runs.push(MemoryRun {
            id: RunId(self.runs.len() as i64 + 1),
            zap: target.zap,
            revision: target.revision,
            event: StoredEvent {
                key: event.key.clone(),
                at: event.at,
                seen_at: event.seen_at,
                record: event.record.clone(),
            },
            key_base: target.key_base,
            state: RunState::Pending,
            reason: RunReason { word: "queued".to_owned(), detail: String::new() },
            created_at: event.seen_at,
            due_at: event.seen_at,
            attempts: 0,
            retrying_since: None,
            steps: Vec::new(),
            failed: Vec::new(),
            begun: None,
        });
    }

    pub(super) fn prime_once(&mut self, zap: ZapId, value: Option<String>) {
        if let Some(value) = value {
            self.once.entry((zap, value)).or_insert(None);
        }
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
            earlier.state == RunState::Pending
                && earlier.zap == run.zap
                && earlier.event.key.id == run.event.key.id
        })
    }

    pub(super) fn change(&mut self, id: RunId, change: impl FnOnce(&mut MemoryRun)) {
        let run = self.runs.iter_mut().find(|run| run.id == id);
        change(run.expect("the engine speaks of runs it was given"));
    }

    pub(super) fn update(&mut self, update: RunUpdate) {
        self.change(update.run, |run| {
            run.begun = None;
            run.steps.extend(update.steps);
            run.failed.extend(update.failed);
            run.state = update.state;
            run.reason = update.reason;
            run.due_at = update.due_at;
            run.attempts = update.attempts;
            run.retrying_since = update.retrying_since;
        });
    }

    pub(super) fn take_once(&mut self, zap: ZapId, value: &str, run: RunId) -> OnceOutcome {
        match *self.once.entry((zap, value.to_owned())).or_insert(Some(run)) {
            Some(holder) if holder == run => OnceOutcome::Taken,
            other => OnceOutcome::TakenBy(other),
        }
    }
}

fn claimed(run: &MemoryRun) -> ClaimedRun {
    ClaimedRun {
        id: run.id,
        zap: run.zap,
        event: run.event.clone(),
        key_base: run.key_base,
        created_at: run.created_at,
        attempts: run.attempts,
        retrying_since: run.retrying_since,
        steps: run.steps.clone(),
        begun: run.begun.clone(),
    }
}
