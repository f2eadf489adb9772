//! Runs, as they are documented.

use super::{Model, Run, zap_id};
use crate::common::write_of;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;
use zaprun_engine::ports::{
    Begun, BegunAttempt, ClaimedRun, EventKey, NewEvent, OnceOutcome, Own, RunDetail, RunId, RunReason,
    RunState, RunUpdate, StepRecord, StoredEvent, Target,
};

impl Model {
    /// Pending runs that no earlier one of their zap and natural id blocks.
    fn ready(&self, zap: usize) -> Vec<&Run> {
        let pending = |run: &&Run| run.state == RunState::Pending && run.claimed.zap == zap_id(zap);
        let blocked = |run: &Run| {
            self.runs.iter().filter(pending).any(|earlier| {
                earlier.claimed.id < run.claimed.id
                    && earlier.claimed.event.key.id == run.claimed.event.key.id
            })
        };
        let mut ready: Vec<&Run> = self.runs.iter().filter(pending).filter(|run| !blocked(run)).collect();
        ready.sort_by_key(|run| (run.due, run.claimed.id));
        ready
    }

    pub(super) fn claim(
        &self,
        zap: usize,
        now: Timestamp,
        limit: usize,
        busy: &BTreeSet<i64>,
    ) -> Vec<ClaimedRun> {
        let free = |run: &&Run| run.due <= now && !busy.contains(&run.claimed.id.0);
        self.ready(zap).into_iter().filter(free).take(limit).map(|run| run.claimed.clone()).collect()
    }

    pub(super) fn next_due(&self, busy: &BTreeSet<i64>) -> Option<Timestamp> {
        let free = |run: &&Run| !busy.contains(&run.claimed.id.0);
        (0..self.zaps.len()).flat_map(|zap| self.ready(zap)).filter(free).map(|run| run.due).min()
    }

    pub(super) fn find(&self, run: i64) -> Option<&Run> {
        self.runs.iter().find(|known| known.claimed.id.0 == run)
    }

    pub(super) fn begin(&mut self, run: i64, begun: &BegunAttempt) -> String {
        if self.find(run).is_none_or(|known| known.state != RunState::Pending) {
            return "refused".to_owned();
        }
        let serials = serials(begun);
        let shares =
            |begun: &BegunAttempt| self::serials(begun).iter().any(|serial| serials.contains(serial));
        let open = |known: &&mut Run| known.claimed.begun.as_ref().is_some_and(shares);
        let mut others = self.runs.iter_mut().filter(|known| known.claimed.id.0 != run);
        if let Some(other) = others.find(open) {
            return format!("{:?}", Begun::Waits(other.claimed.id));
        }
        self.runs.iter_mut().filter(|known| known.claimed.id.0 == run).for_each(|known| {
            known.claimed.begun = Some(begun.clone());
        });
        format!("{:?}", Begun::Yes)
    }

    pub fn own(&self, order: &str, serial: Option<String>) -> Own {
        let mut open = self.runs.iter().filter_map(|run| run.claimed.begun.as_ref()).flat_map(serials);
        Own {
            made: self.touched.get(order).is_some_and(|(made, ..)| *made),
            sold: self.touched.get(order).is_some_and(|(.., sold)| *sold),
            open: serial.is_some_and(|serial| open.any(|other| *other == serial)),
        }
    }

    pub(super) fn update(&mut self, change: &RunUpdate) -> String {
        let Some(run) = self.runs.iter_mut().find(|known| known.claimed.id == change.run) else {
            return "refused".to_owned();
        };
        run.state = change.state;
        run.due = change.due_at;
        run.changed = change.at;
        let claimed = &mut run.claimed;
        claimed.reason = change.reason.clone();
        claimed.attempts = change.attempts;
        claimed.retrying_since = change.retrying_since;
        claimed.begun = change.begun.clone();
        claimed.failing = change.failing.clone();
        claimed.fresh = change.fresh.clone().or(claimed.fresh.take());
        claimed.steps.extend(change.steps.clone());
        if matches!(change.state, RunState::Delivered | RunState::Filtered) {
            claimed.steps.iter_mut().for_each(|step| step.response = None);
        }
        for touched in &change.touched {
            let known = self.touched.entry(touched.order.clone()).or_default();
            *known = (known.0 || touched.made, known.1.max(touched.depth), known.2 || touched.sold);
        }
        "()".to_owned()
    }

    /// By zap, then by state, then by when they ended.
    pub(super) fn prune(&mut self, before: Timestamp, most: usize) -> usize {
        let state = |run: &Run| match run.state {
            RunState::Delivered => Some(1),
            RunState::Filtered => Some(2),
            RunState::Dropped => Some(5),
            _ => None,
        };
        let mut over: Vec<_> = (self.runs.iter().filter(|run| run.changed < before))
            .filter_map(|run| Some((run.claimed.zap, state(run)?, run.changed, run.claimed.id)))
            .collect();
        over.sort();
        over.truncate(most);
        for (zap, _, _, id) in &over {
            self.runs.retain(|run| run.claimed.id != *id);
            *self.pruned.entry(super::index(*zap)).or_default() += 1;
        }
        over.len()
    }

    pub(super) fn take_once(&mut self, zap: usize, value: &str, run: i64) -> String {
        let key = (zap, value.to_owned());
        let of_zap = self.runs.iter().any(|r| r.claimed.id.0 == run && r.claimed.zap == zap_id(zap));
        let outcome = match self.once.get(&key) {
            Some(Some(holder)) if *holder == run => OnceOutcome::Taken,
            Some(holder) => OnceOutcome::TakenBy(holder.map(RunId)),
            None if !of_zap => return "refused".to_owned(),
            None => {
                self.once.insert(key, Some(run));
                OnceOutcome::Taken
            }
        };
        format!("{outcome:?}")
    }

    /// What [`told`] says of a run.
    pub fn detail(&self, run: i64) -> Option<Told> {
        let Run { claimed, state, past, .. } = self.find(run)?.clone();
        let ClaimedRun { event, reason, attempts, depth, failing, fresh, steps, begun, key_base, .. } =
            claimed;
        Some((state, reason, attempts, event.context, depth, failing, fresh, steps, begun, (past, key_base)))
    }
}

/// State, reason, attempts, context, depth, failing, fresh record, steps and open attempt of a run; the steps that count
/// no more, and the base of its keys.
pub type Told = (
    RunState,
    RunReason,
    u32,
    Option<Bytes>,
    u32,
    Option<RunReason>,
    Option<Bytes>,
    Vec<StepRecord>,
    Option<BegunAttempt>,
    (Vec<StepRecord>, Uuid),
);

/// What a look at a run must say.
pub fn told(run: RunDetail) -> Told {
    let RunDetail { summary, event, depth, failing, fresh, steps, past, begun, key_base, .. } = run;
    let again = (past, key_base);
    (
        summary.state,
        summary.reason,
        summary.attempts,
        event.context,
        depth,
        failing,
        fresh,
        steps,
        begun,
        again,
    )
}

/// An attempt of an http step, or a write with or without a serial.
pub fn begun(write: Option<Option<u8>>) -> BegunAttempt {
    let serial = write.flatten().and_then(|serial| serial_of(Some(serial)));
    let attempt = write_of("step0", serial.as_deref());
    BegunAttempt { write: attempt.write.filter(|_| write.is_some()), ..attempt }
}

pub fn serial_of(number: Option<u8>) -> Option<String> {
    number.map(|number| format!("buyer {number}"))
}

fn serials(begun: &BegunAttempt) -> &[String] {
    begun.write.as_ref().map_or(&[], |write| &write.serials)
}

pub(super) fn reason(word: &str, detail: &str) -> RunReason {
    RunReason { word: word.to_owned(), detail: detail.to_owned() }
}

pub(super) fn new_run(
    position: usize,
    event: &NewEvent,
    target: &Target,
    depth: u32,
    content: String,
) -> Run {
    Run {
        content,
        past: Vec::new(),
        claimed: ClaimedRun {
            id: RunId(i64::try_from(position).unwrap() + 1),
            zap: target.zap,
            event: StoredEvent {
                key: EventKey { kind: event.key.kind.clone(), id: event.key.id.clone() },
                at: event.at,
                seen_at: event.seen_at,
                record: event.record.clone(),
                context: event.context.clone(),
            },
            key_base: target.key_base,
            created_at: event.seen_at,
            reason: reason("queued", ""),
            depth,
            failing: None,
            fresh: None,
            pinned: None,
            attempts: 0,
            retrying_since: None,
            steps: Vec::new(),
            begun: None,
        },
        state: RunState::Pending,
        due: event.seen_at,
        changed: event.seen_at,
    }
}
