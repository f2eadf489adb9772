//! Runs, as they are documented.

use super::{Model, Run, Step, zap_id};
use crate::common::{at, write_of};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;
use zaprun_core::value::Decimal;
use zaprun_engine::ports::{
    Begun, BegunAttempt, Brake, ClaimedRun, Cost, EventKey, NewEvent, OnceOutcome, Own, RunDetail, RunId,
    RunReason, RunState, RunUpdate, Spend, Spent, StepRecord, StoredEvent, Target, ZapId,
};

impl Model {
    /// Pending runs that no earlier one of their zap and natural id blocks.
    fn ready(&self, zap: usize) -> Vec<&Run> {
        let pending = |run: &&Run| run.state == RunState::Pending && run.claimed.zap == zap_id(zap);
        let blocked = |run: &Run| self.waits_for(run.claimed.id.0).is_some();
        let mut ready: Vec<&Run> = self.runs.iter().filter(pending).filter(|run| !blocked(run)).collect();
        ready.sort_by_key(|run| (run.due, run.claimed.id));
        ready
    }

    /// The earliest run of the same zap and natural id that must come to its end before a pending one.
    fn waits_for(&self, run: i64) -> Option<(RunId, RunState)> {
        let Run { claimed, .. } = self.find(run).filter(|run| run.state == RunState::Pending)?;
        let strict = (0..self.zaps.len()).any(|zap| zap_id(zap) == claimed.zap && self.zaps[zap].strict);
        let blocks = |other: &&Run| match other.state {
            RunState::Pending => true,
            RunState::Held | RunState::Dead => strict,
            _ => false,
        };
        let earlier = |other: &&Run| {
            other.claimed.id < claimed.id
                && other.claimed.zap == claimed.zap
                && other.claimed.event.key.id == claimed.event.key.id
        };
        let first = self.runs.iter().filter(earlier).find(blocks)?;
        Some((first.claimed.id, first.state))
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

    pub(super) fn spend(&mut self, taken: &Step) -> String {
        let Step::Spend { run, most, cost, now, .. } = taken else { return String::new() };
        let Some(known) = self.find(*run) else { return "refused".to_owned() };
        if known.let_through {
            return "Yes".to_owned();
        }
        let zap = known.claimed.zap;
        let unit = spend_of(taken).unwrap();
        let mut of_run = self.counted.iter().filter(|counted| counted.1 == *run);
        let paid = of_run.clone().any(|counted| counted.5);
        let counted = of_run.any(|counted| counted.2 == unit.step && counted.3 == unit.element);
        let lately = |counted: &&(ZapId, i64, String, Option<String>, Timestamp, bool)| {
            counted.0 == zap && counted.4 > at(now - 3_600)
        };
        let lately = self.counted.iter().filter(lately).count();
        if !counted && most.is_some_and(|most| lately >= usize::try_from(most).unwrap()) {
            return format!("{:?}", Spent::Over(Brake::Writes));
        }
        let cost = cost.filter(|_| !paid);
        if let Some((day, amount, most)) = cost {
            let sum = self.days.entry((zap, day)).or_default();
            match amount {
                None => return format!("{:?}", Spent::Over(Brake::Unknown)),
                Some(amount) if *sum + amount > most => {
                    return format!("{:?}", Spent::Over(Brake::Money { spent: sum.to_string() }));
                }
                Some(amount) => *sum += amount,
            }
        }
        match self
            .counted
            .iter_mut()
            .find(|known| known.1 == *run && known.2 == unit.step && known.3 == unit.element)
        {
            Some(known) => known.5 |= cost.is_some(),
            None => self.counted.push((zap, *run, unit.step, unit.element, at(*now), cost.is_some())),
        }
        "Yes".to_owned()
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
        let waits_for = self.waits_for(run);
        let Run { claimed, state, past, .. } = self.find(run)?.clone();
        let ClaimedRun { event, reason, attempts, depth, failing, fresh, steps, begun, key_base, .. } =
            claimed;
        let again = (past, key_base);
        let context = event.context;
        Some((state, reason, attempts, context, depth, failing, fresh, steps, begun, again, waits_for))
    }
}

/// State, reason, attempts, context, depth, failing, fresh record, steps and open attempt of a run; the steps that count
/// no more, and the base of its keys; and for whom it waits.
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
    Option<(RunId, RunState)>,
);

/// What a look at a run must say.
pub fn told(run: RunDetail) -> Told {
    let RunDetail { summary, event, depth, failing, fresh, steps, past, begun, key_base, waits_for, .. } =
        run;
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
        waits_for,
    )
}

/// An attempt of an http step, or a write with or without a serial.
pub fn begun(write: Option<Option<u8>>) -> BegunAttempt {
    let serial = write.flatten().and_then(|serial| serial_of(Some(serial)));
    let attempt = write_of("step0", serial.as_deref());
    BegunAttempt { write: attempt.write.filter(|_| write.is_some()), ..attempt }
}

/// What a step spends; days are those after the first of 2026.
pub fn spend_of(taken: &Step) -> Option<Spend> {
    let Step::Spend { run, step, element, most, cost, now } = taken else { return None };
    let price = |(day, amount, most): &(u8, Option<u32>, u32)| Cost {
        day: jiff::civil::date(2026, 1, 1).saturating_add(jiff::Span::new().days(i64::from(*day))),
        amount: amount.map(|amount| Decimal::from(u64::from(amount))),
        max: Decimal::from(u64::from(*most)),
    };
    Some(Spend {
        run: RunId(*run),
        step: format!("step{step}"),
        element: element.map(|element| element.to_string()),
        writes_per_hour: *most,
        money: cost.as_ref().map(price),
        at: at(*now),
    })
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
    state: RunState,
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
            reason: match state {
                RunState::Pending => reason("queued", ""),
                _ => reason("caught_up", "it happened while the zap was switched off"),
            },
            depth,
            failing: None,
            fresh: None,
            pinned: None,
            attempts: 0,
            retrying_since: None,
            steps: Vec::new(),
            begun: None,
        },
        state,
        due: event.seen_at,
        changed: event.seen_at,
        let_through: false,
    }
}
