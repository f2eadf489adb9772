//! A run's book: what has happened on this journey and is not yet durable, and how it becomes so.

use super::journey::{Ended, Journey, Unit, reason};
use super::keep;
use super::shared::count;
use crate::measure::Measure;
use crate::ports::{
    AttemptRecord, BegunAttempt, RunReason, RunState, RunUpdate, StepOutcome, StepRecord, StoreError, Touched,
};
use crate::report::Event;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::PoisonError;

/// What is not yet durable.
#[derive(Debug, Default)]
pub(super) struct Book {
    settled: Vec<StepRecord>,
    failed: Vec<AttemptRecord>,
    touched: Vec<Touched>,
    fresh: Option<Bytes>,
}

/// What is kept of an answer.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// For people.
    pub(super) reply: Option<Bytes>,
    /// For later steps.
    pub(super) response: Option<Bytes>,
    /// Why it was given up.
    pub(super) why: Option<RunReason>,
}

/// What an attempt left behind.
#[derive(Debug, Default, Clone)]
pub(super) struct Trace {
    /// HTTP status.
    pub(super) status: Option<u16>,
    /// The answer kept for people.
    pub(super) reply: Option<Bytes>,
}

impl Kept {
    fn of(why: RunReason) -> Kept {
        Kept { why: Some(why), ..Kept::default() }
    }
}

impl Book {
    /// Whether something waits to become durable.
    pub(super) fn is_open(&self) -> bool {
        !self.settled.is_empty() || !self.failed.is_empty() || self.fresh.is_some()
    }

    /// The steps that ended on this journey since it was last saved.
    pub(super) fn settled(&self) -> &[StepRecord] {
        &self.settled
    }

    /// Notes an order that a step made or changed.
    pub(super) fn touch(&mut self, touched: Touched) {
        self.touched.push(touched);
    }

    /// Notes the record as it was read again.
    pub(super) fn renew(&mut self, record: Bytes) {
        self.fresh = Some(record);
    }
}

impl Journey<'_> {
    /// Notes a unit's end, to become durable with the next write.
    pub(super) fn settle(
        &mut self,
        unit: Unit<'_>,
        outcome: StepOutcome,
        status: Option<u16>,
        attempts: u32,
        kept: Kept,
    ) {
        let (zap, step) = (&self.lane.zap.name, &unit.action.id);
        self.lane.shared.observer.measure(Measure::Step { zap, step, outcome });
        self.sent = self.sent.saturating_add(attempts);
        self.attempts = 0;
        self.retrying_since = None;
        if self.open.as_ref().is_some_and(|open| unit.is_of(open)) {
            self.open = None;
        }
        let record = StepRecord {
            step: unit.step().into_owned(),
            element: unit.element.map(str::to_owned),
            outcome,
            status,
            attempts,
            at: self.lane.shared.clock.now(),
            reply: kept.reply,
            response: kept.response,
            why: kept.why.map(|why| self.masked(why)),
        };
        self.done_at = Some(record.at);
        self.book.settled.push(record);
    }

    /// Notes a failed attempt.
    pub(super) fn fail(&mut self, unit: Unit<'_>, error: String, trace: Trace) {
        let at = self.lane.shared.clock.now();
        self.fail_at(unit, error, trace, at);
    }

    /// Notes an attempt that failed when it was begun.
    pub(super) fn fail_at(&mut self, unit: Unit<'_>, error: String, trace: Trace, at: Timestamp) {
        count(&self.lane.shared.counters.failed_attempts);
        self.book.failed.push(AttemptRecord {
            step: unit.step().into_owned(),
            element: unit.element.map(str::to_owned),
            number: self.attempts.saturating_add(1),
            at,
            status: trace.status,
            error: keep::text(&*self.lane.shared.mask, error),
            reply: trace.reply,
        });
    }

    /// Notes an attempt of a step that the zap may no longer have.
    pub(super) fn fail_begun(&mut self, begun: &BegunAttempt, error: String) {
        count(&self.lane.shared.counters.failed_attempts);
        self.book.failed.push(AttemptRecord {
            step: begun.step.clone(),
            element: begun.element.clone(),
            number: self.attempts.saturating_add(1),
            // When it left, by which a person finds it in the target's own log.
            at: begun.at,
            status: None,
            error,
            reply: None,
        });
    }

    /// Notes that a unit is given up without having been sent.
    pub(super) fn give_up(&mut self, unit: Unit<'_>, why: RunReason) {
        self.fail(unit, why.detail.clone(), Trace::default());
        self.settle(unit, StepOutcome::Failed, None, 0, Kept::of(why));
    }

    /// Notes that a unit is given up after an attempt.
    pub(super) fn dead(&mut self, unit: Unit<'_>, trace: Trace, why: RunReason) -> Ended {
        let status = trace.status;
        let attempts = self.attempts.saturating_add(1);
        self.fail(unit, why.detail.clone(), trace);
        self.settle(unit, StepOutcome::Failed, status, attempts, Kept::of(why.clone()));
        Ended::Dead(why)
    }

    /// Makes what is finished durable; the run goes on.
    pub(super) async fn save(&mut self) -> Result<(), StoreError> {
        let now = self.lane.shared.clock.now();
        let why = match &self.failing {
            Some(why) => reason("failing", why.detail.clone()),
            None => reason("queued", ""),
        };
        self.write_book(RunState::Pending, why, now).await
    }

    /// Leaves the run as it is, for the next start.
    pub(super) async fn stay(&mut self) -> Result<Ended, StoreError> {
        if self.book.is_open() {
            self.save().await?;
        }
        Ok(Ended::Resting)
    }

    /// A reason without secrets.
    pub(super) fn masked(&self, why: RunReason) -> RunReason {
        RunReason { detail: keep::text(&*self.lane.shared.mask, why.detail), ..why }
    }

    /// Puts the run back to wait.
    pub(super) async fn wait(&mut self, why: RunReason, due_at: Timestamp) -> Result<Ended, StoreError> {
        let why = self.masked(why);
        self.write_book(RunState::Pending, why, due_at).await?;
        let waiting = &self.lane.shared.counters.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(self.run.id);
        Ok(Ended::Resting)
    }

    /// Waits for its target; attempts are not used up meanwhile.
    pub(super) async fn park(
        &mut self,
        target: &str,
        why: &str,
        until: Timestamp,
    ) -> Result<Ended, StoreError> {
        self.wait(reason("parked", format!("{target}: {why}")), until).await
    }

    /// Ends the run.
    pub(super) async fn end(&mut self, state: RunState, why: RunReason) -> Result<(), StoreError> {
        let now = self.lane.shared.clock.now();
        let why = self.masked(why);
        self.write_book(state, why.clone(), now).await?;
        let counters = &self.lane.shared.counters;
        counters.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run.id);
        let run = self.lane.name(&self.run);
        let (counter, event) = match state {
            RunState::Filtered => (&counters.filtered, Event::Filtered { run, reason: why }),
            RunState::Held => (&counters.held, Event::Held { run, reason: why }),
            RunState::Dead => (&counters.dead, Event::Dead { run, reason: why }),
            RunState::Delivered | RunState::Pending | RunState::Dropped => {
                let lag = now.duration_since(self.run.event.seen_at);
                (&counters.delivered, Event::Delivered { run, lag, attempts: self.sent })
            }
        };
        count(counter);
        self.lane.shared.observer.see(event);
        Ok(())
    }

    async fn write_book(
        &mut self,
        state: RunState,
        reason: RunReason,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.lane.shared;
        let Book { settled, failed, touched, fresh } = std::mem::take(&mut self.book);
        self.saved.extend_from_slice(&settled);
        let ends = !matches!(state, RunState::Pending | RunState::Held);
        let update = RunUpdate {
            run: self.run.id,
            steps: settled,
            failed,
            touched,
            // What nobody knows the outcome of stays with the run until somebody does.
            begun: self.open.clone().filter(|_| !ends),
            failing: self.failing.clone().filter(|_| !ends),
            fresh,
            state,
            reason,
            due_at,
            attempts: self.attempts,
            retrying_since: self.retrying_since,
            at: shared.clock.now(),
        };
        shared.insist(|| shared.store.update_run(update.clone())).await
    }
}
