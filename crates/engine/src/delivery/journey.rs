//! One run, from where it stands to its next resting state.

use super::facts::{facts, once_value, restore, show};
use super::keep;
use super::lane::Lane;
use super::shared::count;
use crate::ports::{
    AttemptRecord, BegunAttempt, ClaimedRun, OnceOutcome, RunReason, RunState, RunUpdate, StepOutcome,
    StepRecord, StoreError,
};
use crate::report::Event;
use jiff::Timestamp;
use std::ops::ControlFlow;
use std::sync::PoisonError;
use zaprun_core::mapping::MapError;
use zaprun_core::request::HttpRequest;
use zaprun_core::zap::{Action, Pass, Plan, RunFacts, Scope};

/// Whether to go on with the next step; `Break`: the run rests, and that is durable.
pub(super) type Flow = ControlFlow<()>;

const ON: Flow = ControlFlow::Continue(());
const REST: Flow = ControlFlow::Break(());

/// Takes a run through its steps until it rests. Each finished step is durable before the next is sent; the last
/// one together with the run's end.
///
/// # Errors
/// When the state is lost for good.
pub(super) async fn travel(lane: &Lane, run: ClaimedRun) -> Result<(), StoreError> {
    let mut journey = Journey::new(lane, run);
    if let Some(begun) = journey.run.begun.take() {
        return journey.hold_unfinished(begun).await;
    }
    let mut scope = match lane.zap.scope(&journey.facts()) {
        Ok(scope) => scope,
        Err(error) => return journey.broken(&error).await,
    };
    lane.report_misfits(&journey.run, scope.misfits());
    if journey.enter(&mut scope).await?.is_break() {
        return Ok(());
    }
    for (place, action) in lane.zap.actions.iter().enumerate() {
        if journey.outcome_of(&action.id, None).is_some() {
            continue;
        }
        if journey.step(place, action, &mut scope).await?.is_break() {
            return Ok(());
        }
    }
    journey.arrive().await
}

/// A word and its detail.
pub(super) fn reason(word: &str, detail: impl Into<String>) -> RunReason {
    RunReason { word: word.to_owned(), detail: detail.into() }
}

/// A run on its way, with what is not yet durable.
pub(super) struct Journey<'a> {
    pub(super) lane: &'a Lane,
    pub(super) run: ClaimedRun,
    /// Attempts of the unfinished step or element so far.
    pub(super) attempts: u32,
    pub(super) retrying_since: Option<Timestamp>,
    settled: Vec<StepRecord>,
    failed: Vec<AttemptRecord>,
    /// Attempts of all finished steps, failed ones included.
    sent: u32,
    /// Why the run will end dead, although later steps still run.
    failure: Option<RunReason>,
}

/// A step, or one element of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'a> {
    pub(super) place: usize,
    pub(super) action: &'a Action,
    pub(super) element: Option<&'a str>,
}

/// How a unit ended.
pub(super) enum Ended {
    /// Sent and accepted.
    Done,
    /// Given up.
    Dead(RunReason),
    /// Not ended: the run rests.
    Resting,
}

impl<'a> Journey<'a> {
    fn new(lane: &'a Lane, run: ClaimedRun) -> Self {
        let given_up = run.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
        let failure = given_up.map(|step| reason("refused", format!("step `{}` failed", step.step)));
        let sent = run.steps.iter().map(|step| step.attempts).fold(0, u32::saturating_add);
        Journey {
            lane,
            attempts: run.attempts,
            retrying_since: run.retrying_since,
            settled: Vec::new(),
            failed: Vec::new(),
            sent,
            failure,
            run,
        }
    }

    fn facts(&self) -> RunFacts<'_> {
        facts(&self.run)
    }

    /// Filter, `once_per`, `let`, and what earlier journeys finished.
    async fn enter(&mut self, scope: &mut Scope) -> Result<Flow, StoreError> {
        // A run that has finished a step has passed before; an edited filter does not stop it half-way.
        if self.run.steps.is_empty() && self.turned_away(scope).await?.is_break() {
            return Ok(REST);
        }
        if let Err(error) = self.lane.zap.bind(scope) {
            self.broken(&error).await?;
            return Ok(REST);
        }
        restore(scope, &self.run.steps);
        Ok(ON)
    }

    async fn turned_away(&mut self, scope: &mut Scope) -> Result<Flow, StoreError> {
        match self.lane.zap.passes(scope) {
            Ok(Pass::Yes) => {}
            Ok(Pass::No { why }) => {
                self.end(RunState::Filtered, reason("filter", why)).await?;
                return Ok(REST);
            }
            Err(error) => {
                self.broken(&error).await?;
                return Ok(REST);
            }
        }
        let Some(value) = once_value(self.lane, &self.run) else { return Ok(ON) };
        let shared = &self.lane.shared;
        let taken = shared.insist(|| shared.store.take_once(self.run.zap, &value, self.run.id)).await?;
        let detail = match taken {
            OnceOutcome::Taken => return Ok(ON),
            OnceOutcome::TakenBy(Some(run)) => format!("run {run} has it"),
            OnceOutcome::TakenBy(None) => "a row from before the start has it".to_owned(),
        };
        self.end(RunState::Filtered, reason("once_per", detail)).await?;
        Ok(REST)
    }

    async fn step(&mut self, place: usize, action: &Action, scope: &mut Scope) -> Result<Flow, StoreError> {
        let unit = Unit { place, action, element: None };
        match action.plan(scope) {
            Err(error) => {
                let why = self.mapping(&error);
                self.give_up(unit, why.detail.clone(), None);
                self.conclude(unit, Ended::Dead(why), scope).await
            }
            Ok(Plan::Skip { .. }) => self.skip(unit, scope),
            Ok(Plan::Each(elements)) if elements.is_empty() => self.skip(unit, scope),
            Ok(Plan::One(request)) => {
                let ended = self.attempt(unit, &request, scope).await?;
                self.conclude(unit, ended, scope).await
            }
            Ok(Plan::Each(elements)) => self.each(unit, &elements, scope).await,
        }
    }

    fn skip(&mut self, unit: Unit<'_>, scope: &mut Scope) -> Result<Flow, StoreError> {
        self.settle(unit, StepOutcome::Skipped, None, 0, Kept::default());
        show(scope, &unit.action.id, None, StepOutcome::Skipped, None);
        Ok(ON)
    }

    /// Goes on after a step, or ends the run with it.
    async fn conclude(
        &mut self,
        unit: Unit<'_>,
        ended: Ended,
        scope: &mut Scope,
    ) -> Result<Flow, StoreError> {
        match ended {
            Ended::Done => Ok(ON),
            Ended::Resting => Ok(REST),
            Ended::Dead(why) if unit.action.continue_on_error => {
                show(scope, &unit.action.id, unit.element, StepOutcome::Failed, None);
                self.failure.get_or_insert(why);
                Ok(ON)
            }
            Ended::Dead(why) => {
                self.end(RunState::Dead, why).await?;
                Ok(REST)
            }
        }
    }

    /// Every element with its own key; finished ones are never sent again.
    async fn each(
        &mut self,
        unit: Unit<'_>,
        elements: &[(String, HttpRequest)],
        scope: &mut Scope,
    ) -> Result<Flow, StoreError> {
        let step = &unit.action.id;
        let mut whole = StepOutcome::Done;
        for (element, request) in elements {
            let unit = Unit { element: Some(element), ..unit };
            match self.outcome_of(step, Some(element)) {
                Some(StepOutcome::Failed) => whole = StepOutcome::Failed,
                Some(_) => {}
                None => {
                    let ended = self.attempt(unit, request, scope).await?;
                    if matches!(ended, Ended::Dead(_)) {
                        whole = StepOutcome::Failed;
                    }
                    if self.conclude(unit, ended, scope).await?.is_break() {
                        return Ok(REST);
                    }
                }
            }
        }
        // Later steps see the elements, of which the scope makes the whole.
        self.settle(unit, whole, None, 0, Kept::default());
        Ok(ON)
    }

    async fn arrive(mut self) -> Result<(), StoreError> {
        if let Some(failure) = self.failure.take() {
            return self.end(RunState::Dead, failure).await;
        }
        let mut steps = self.run.steps.iter().chain(&self.settled);
        let word =
            if steps.all(|step| step.outcome == StepOutcome::Skipped) { "skipped" } else { "delivered" };
        self.end(RunState::Delivered, reason(word, "")).await
    }

    /// The process died while this was being sent, and it may not be repeated.
    async fn hold_unfinished(mut self, begun: BegunAttempt) -> Result<(), StoreError> {
        let error =
            format!("the process ended while step `{}` was being sent; its outcome is unknown", begun.step);
        self.failed.push(AttemptRecord {
            step: begun.step,
            element: begun.element,
            number: self.attempts.saturating_add(1),
            // When it left, by which a person finds it in the target's own log.
            at: begun.at,
            status: None,
            error: error.clone(),
            reply: None,
        });
        self.end(RunState::Held, reason("uncertain", error)).await
    }

    /// The record cannot be mapped: dead at once.
    async fn broken(&mut self, error: &MapError) -> Result<(), StoreError> {
        let why = self.mapping(error);
        self.end(RunState::Dead, why).await
    }

    /// The reason for a mapping error, of which one alert is given per zap.
    pub(super) fn mapping(&self, error: &MapError) -> RunReason {
        self.lane.alert(error);
        reason("mapping", error.to_string())
    }

    /// The recorded outcome of a step or element that an earlier journey finished.
    fn outcome_of(&self, step: &str, element: Option<&str>) -> Option<StepOutcome> {
        let mut steps = self.run.steps.iter();
        steps.find(|done| done.step == step && done.element.as_deref() == element).map(|done| done.outcome)
    }

    /// Notes a unit's end, to become durable with the next write.
    pub(super) fn settle(
        &mut self,
        unit: Unit<'_>,
        outcome: StepOutcome,
        status: Option<u16>,
        attempts: u32,
        kept: Kept,
    ) {
        self.sent = self.sent.saturating_add(attempts);
        self.attempts = 0;
        self.retrying_since = None;
        self.settled.push(StepRecord {
            step: unit.action.id.clone(),
            element: unit.element.map(str::to_owned),
            outcome,
            status,
            attempts,
            at: self.lane.shared.clock.now(),
            reply: kept.reply,
            response: kept.response,
        });
    }

    /// Notes a failed attempt.
    pub(super) fn fail(
        &mut self,
        unit: Unit<'_>,
        error: String,
        status: Option<u16>,
        reply: Option<bytes::Bytes>,
    ) {
        count(&self.lane.shared.counters.failed_attempts);
        self.failed.push(AttemptRecord {
            step: unit.action.id.clone(),
            element: unit.element.map(str::to_owned),
            number: self.attempts.saturating_add(1),
            at: self.lane.shared.clock.now(),
            status,
            error: keep::text(&*self.lane.shared.mask, error),
            reply,
        });
    }

    /// Notes that a unit is given up without having been sent.
    fn give_up(&mut self, unit: Unit<'_>, error: String, status: Option<u16>) {
        self.fail(unit, error, status, None);
        self.settle(unit, StepOutcome::Failed, status, 0, Kept::default());
    }

    /// Whether finished steps wait to become durable.
    pub(super) fn unsaved(&self) -> bool {
        !self.settled.is_empty() || !self.failed.is_empty()
    }

    /// Makes what is finished durable; the run goes on.
    pub(super) async fn save(&mut self) -> Result<(), StoreError> {
        let now = self.lane.shared.clock.now();
        self.write(RunState::Pending, reason("queued", ""), now).await
    }

    /// Puts the run back to wait.
    pub(super) async fn wait(&mut self, why: RunReason, due_at: Timestamp) -> Result<Ended, StoreError> {
        self.write(RunState::Pending, why, due_at).await?;
        let waiting = &self.lane.shared.counters.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(self.run.id);
        Ok(Ended::Resting)
    }

    /// Ends the run.
    pub(super) async fn end(&mut self, state: RunState, why: RunReason) -> Result<(), StoreError> {
        let now = self.lane.shared.clock.now();
        let why = RunReason { detail: keep::text(&*self.lane.shared.mask, why.detail), ..why };
        self.write(state, why.clone(), now).await?;
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

    async fn write(
        &mut self,
        state: RunState,
        reason: RunReason,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.lane.shared;
        let update = RunUpdate {
            run: self.run.id,
            steps: std::mem::take(&mut self.settled),
            failed: std::mem::take(&mut self.failed),
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

/// What is kept of an answer.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// For people.
    pub(super) reply: Option<bytes::Bytes>,
    /// For later steps.
    pub(super) response: Option<bytes::Bytes>,
}
