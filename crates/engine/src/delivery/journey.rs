//! One run, from where it stands to its next resting state.

use super::book::{Book, Kept};
use super::facts::{facts, once_value, restore, show};
use super::lane::Lane;
use super::write::LEAD;
use crate::ports::{
    BegunAttempt, ClaimedRun, OnceOutcome, RunReason, RunState, StepOutcome, StepRecord, StoreError,
};
use jiff::Timestamp;
use std::borrow::Cow;
use std::ops::ControlFlow;
use zaprun_core::mapping::MapError;
use zaprun_core::request::Request;
use zaprun_core::zap::{Action, Pass, Plan, RunFacts, Scope};

/// Whether to go on with the next step; `Break`: the run rests, and that is durable.
pub(super) type Flow = ControlFlow<()>;

pub(super) const ON: Flow = ControlFlow::Continue(());
pub(super) const REST: Flow = ControlFlow::Break(());

/// A chain of zaprun's own writes that is longer is held: zaps must not feed each other for ever.
const LONGEST_CHAIN: u32 = 3;

/// Takes a run through its steps until it rests. Each finished step is durable before the next is sent; the last
/// one together with the run's end.
///
/// # Errors
/// When the state is lost for good.
pub(super) async fn travel(lane: &Lane, run: ClaimedRun) -> Result<(), StoreError> {
    let mut journey = Journey::new(lane, run);
    // An http request that may not be repeated, and that nobody can be asked about.
    if let Some(begun) = journey.open.take_if(|open| open.write.is_none()) {
        let error =
            format!("the process ended while step `{}` was being sent; its outcome is unknown", begun.step);
        return journey.hold(begun, error).await;
    }
    if journey.run.depth > LONGEST_CHAIN {
        let detail = format!(
            "{} of zaprun's own writes led here, one after another; `zaprun runs resolve {} --as done` lets it through",
            journey.run.depth, journey.run.id
        );
        return journey.end(RunState::Held, reason("chain", detail)).await;
    }
    if journey.ripen().await?.is_break() {
        return Ok(());
    }
    let mut scope = match lane.zap.scope(&journey.facts()) {
        Ok(scope) => scope,
        Err(error) => return journey.broken(&error).await,
    };
    lane.report_misfits(&journey.run, scope.misfits());
    if let Some(tap) = &lane.shared.tap {
        tap.prepare(&mut scope);
    }
    journey.through(&mut scope).await
}

/// Ends a run that cannot be mapped as its person wants it; one whose outcome is open waits for that person.
///
/// # Errors
/// When the state is lost for good.
pub(super) async fn give_back(lane: &Lane, run: ClaimedRun, why: String) -> Result<(), StoreError> {
    let mut journey = Journey::new(lane, run);
    match journey.open.take() {
        Some(begun) => journey.hold(begun, why).await,
        None => journey.end(RunState::Dead, reason("mapping", why)).await,
    }
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
    /// An attempt whose outcome is not known.
    pub(super) open: Option<BegunAttempt>,
    /// When the last step ended.
    pub(super) done_at: Option<Timestamp>,
    pub(super) book: Book,
    /// Steps of this journey that are durable already.
    pub(super) saved: Vec<StepRecord>,
    /// Attempts of all finished steps, failed ones included.
    pub(super) sent: u32,
    /// Why the run will end dead, although later steps still run.
    failure: Option<RunReason>,
    /// The same, once only the steps of `on_failure` are left.
    pub(super) failing: Option<RunReason>,
}

/// A step, or one element of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'a> {
    pub(super) place: usize,
    pub(super) action: &'a Action,
    pub(super) element: Option<&'a str>,
    /// What goes before the step itself, under a name of its own: `lead`.
    pub(super) sub: Option<&'static str>,
}

impl Unit<'_> {
    /// The name under which it is journalled.
    pub(super) fn step(&self) -> Cow<'_, str> {
        match self.sub {
            None => Cow::Borrowed(&self.action.id),
            // A step's id holds no dot.
            Some(sub) => Cow::Owned(format!("{}.{sub}", self.action.id)),
        }
    }

    /// Whether an attempt is one of this unit's.
    pub(super) fn is_of(&self, begun: &BegunAttempt) -> bool {
        begun.step == self.step() && begun.element.as_deref() == self.element
    }
}

/// Whether an attempt holds its place between a lead and its sale. What else has not left is begun anew.
fn lead_is_done(steps: &[StepRecord], open: &BegunAttempt) -> bool {
    let lead = format!("{}.{LEAD}", open.step);
    steps.iter().any(|step| step.step == lead && step.element == open.element)
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

/// What a step says of the rest of the run.
enum Next {
    /// On.
    Go,
    /// The run rests.
    Rest,
    /// The run ends here, delivered.
    Stop(RunReason),
    /// The run is given up.
    Die(RunReason),
}

impl<'a> Journey<'a> {
    fn new(lane: &'a Lane, mut run: ClaimedRun) -> Self {
        let given_up = run.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
        let failure = given_up.map(|step| {
            // A state of before has no reasons.
            step.why.clone().unwrap_or_else(|| reason("refused", format!("step `{}` failed", step.step)))
        });
        let sent = run.steps.iter().map(|step| step.attempts).fold(0, u32::saturating_add);
        Journey {
            lane,
            attempts: run.attempts,
            retrying_since: run.retrying_since,
            open: run.begun.take().filter(|open| open.has_left() || lead_is_done(&run.steps, open)),
            done_at: run.steps.last().map(|step| step.at),
            book: Book::default(),
            saved: Vec::new(),
            sent,
            failure,
            failing: run.failing.take(),
            run,
        }
    }

    fn facts(&self) -> RunFacts<'_> {
        facts(&self.run)
    }

    /// Filter, steps, and what follows from them.
    async fn through(mut self, scope: &mut Scope) -> Result<(), StoreError> {
        let next = match self.failing.take() {
            Some(why) => {
                if let Err(error) = self.lane.zap.bind(scope) {
                    return self.broken(&error).await;
                }
                restore(scope, &self.run.steps);
                Next::Die(why)
            }
            None => match self.enter(scope).await? {
                Ok(ON) => self.actions(scope).await?,
                Ok(REST) => Next::Rest,
                Err(why) => Next::Die(why),
            },
        };
        match next {
            Next::Go => match self.failure.take() {
                // Later steps ran; it is given up all the same.
                Some(failure) => self.die(failure, scope).await,
                None => self.arrive().await,
            },
            Next::Rest => Ok(()),
            Next::Stop(why) => match self.failure.take() {
                Some(failure) => self.die(failure, scope).await,
                None => self.end(RunState::Delivered, why).await,
            },
            Next::Die(why) => self.die(why, scope).await,
        }
    }

    /// Filter, `once_per`, `let`, and what earlier journeys finished. The inner error is why the run is given up.
    async fn enter(&mut self, scope: &mut Scope) -> Result<Result<Flow, RunReason>, StoreError> {
        // A run that has finished a step has passed before; an edited filter does not stop it half-way.
        if self.run.steps.is_empty() && self.open.is_none() {
            match self.turned_away(scope).await? {
                Ok(ON) => {}
                other => return Ok(other),
            }
        }
        if let Err(error) = self.lane.zap.bind(scope) {
            return Ok(Err(self.mapping(&error)));
        }
        restore(scope, &self.run.steps);
        Ok(Ok(ON))
    }

    async fn turned_away(&mut self, scope: &mut Scope) -> Result<Result<Flow, RunReason>, StoreError> {
        match self.lane.zap.passes(scope) {
            Ok(Pass::Yes) => {}
            Ok(Pass::No { why }) => {
                let why = self.lane.zap.turned_away(scope).unwrap_or(why);
                self.end(RunState::Filtered, reason("filter", why)).await?;
                return Ok(Ok(REST));
            }
            Err(error) => return Ok(Err(self.mapping(&error))),
        }
        if self.own_doing().await?.is_break() {
            return Ok(Ok(REST));
        }
        let value = match once_value(self.lane, &self.run) {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(Ok(ON)),
            Err(error) => return Ok(Err(self.mapping(&error))),
        };
        let shared = &self.lane.shared;
        let taken = shared.insist(|| shared.store.take_once(self.run.zap, &value, self.run.id)).await?;
        let detail = match taken {
            OnceOutcome::Taken => return Ok(Ok(ON)),
            OnceOutcome::TakenBy(Some(run)) => format!("run {run} has it"),
            OnceOutcome::TakenBy(None) => "a row from before the start has it".to_owned(),
        };
        self.end(RunState::Filtered, reason("once_per", detail)).await?;
        Ok(Ok(REST))
    }

    /// The steps of the zap that are not finished.
    async fn actions(&mut self, scope: &mut Scope) -> Result<Next, StoreError> {
        let zap = &self.lane.zap;
        for (place, action) in zap.actions.iter().enumerate() {
            match self.outcome_of(&action.id, None) {
                // A person may have settled a step that stops the run.
                Some(StepOutcome::Failed) if !action.continue_on_error => {
                    let why = self.failure.take();
                    return Ok(Next::Die(why.unwrap_or_else(|| reason("refused", "a step failed"))));
                }
                Some(_) => continue,
                None => {}
            }
            match self.step(place, action, scope).await? {
                Next::Go => {}
                Next::Stop(why) => {
                    self.skip_rest(place + 1);
                    return Ok(Next::Stop(why));
                }
                other => return Ok(other),
            }
        }
        if let Some(open) = self.open.take().filter(BegunAttempt::has_left) {
            let error = format!(
                "the outcome of step `{}` is unknown, and the zap does not have that step any more",
                open.step
            );
            self.hold(open, error).await?;
            return Ok(Next::Rest);
        }
        Ok(Next::Go)
    }

    async fn step(&mut self, place: usize, action: &Action, scope: &mut Scope) -> Result<Next, StoreError> {
        let unit = Unit { place, action, element: None, sub: None };
        match self.pause(unit, scope).await? {
            super::pause::Due::Now => {}
            super::pause::Due::Later => return Ok(Next::Rest),
            super::pause::Due::Never(why) => {
                self.settle(unit, StepOutcome::Skipped, None, 0, Kept::default());
                return Ok(Next::Stop(why));
            }
            super::pause::Due::Broken(why) => {
                self.give_up(unit, why.clone());
                return Ok(self.conclude(unit, Ended::Dead(why), scope));
            }
        }
        match action.plan(scope) {
            Err(error) => {
                let why = self.mapping(&error);
                self.give_up(unit, why.clone());
                Ok(self.conclude(unit, Ended::Dead(why), scope))
            }
            Ok(Plan::Skip { .. }) => Ok(self.skip(unit, scope)),
            Ok(Plan::Each(elements)) if elements.is_empty() => Ok(self.skip(unit, scope)),
            Ok(Plan::One(request)) => {
                let ended = self.attempt(unit, &request, scope).await?;
                Ok(self.conclude(unit, ended, scope))
            }
            Ok(Plan::Each(elements)) => self.each(unit, &elements, scope).await,
        }
    }

    fn skip(&mut self, unit: Unit<'_>, scope: &mut Scope) -> Next {
        self.settle(unit, StepOutcome::Skipped, None, 0, Kept::default());
        show(scope, &unit.action.id, None, StepOutcome::Skipped, None);
        Next::Go
    }

    /// The steps after the one that ended the run are skipped.
    fn skip_rest(&mut self, from: usize) {
        let zap = &self.lane.zap;
        for (place, action) in zap.actions.iter().enumerate().skip(from) {
            if self.outcome_of(&action.id, None).is_none() {
                let unit = Unit { place, action, element: None, sub: None };
                self.settle(unit, StepOutcome::Skipped, None, 0, Kept::default());
            }
        }
    }

    /// Goes on after a step or element, or not.
    fn conclude(&mut self, unit: Unit<'_>, ended: Ended, scope: &mut Scope) -> Next {
        match ended {
            Ended::Done => {
                let response = self.response_of(unit);
                match unit.action.stops(scope, unit.element, response.as_deref()) {
                    Ok(false) => Next::Go,
                    Ok(true) => {
                        Next::Stop(reason("stopped", format!("`stop_if` of `{}` holds", unit.action.id)))
                    }
                    // The step is done; what follows cannot be told.
                    Err(error) => Next::Die(self.mapping(&error)),
                }
            }
            Ended::Resting => Next::Rest,
            Ended::Dead(why) if unit.action.continue_on_error => {
                show(scope, &unit.action.id, unit.element, StepOutcome::Failed, None);
                self.failure.get_or_insert(why);
                Next::Go
            }
            Ended::Dead(why) => {
                show(scope, &unit.action.id, unit.element, StepOutcome::Failed, None);
                Next::Die(why)
            }
        }
    }

    /// Every element with its own key; finished ones are never sent again.
    async fn each(
        &mut self,
        unit: Unit<'_>,
        elements: &[(String, Request)],
        scope: &mut Scope,
    ) -> Result<Next, StoreError> {
        let step = &unit.action.id;
        let mut whole = StepOutcome::Done;
        let mut last = Next::Go;
        for (element, request) in elements {
            let unit = Unit { element: Some(element), ..unit };
            match self.outcome_of(step, Some(element)) {
                Some(StepOutcome::Failed) => {
                    whole = StepOutcome::Failed;
                    if !unit.action.continue_on_error {
                        let why = self.failure.take();
                        last = Next::Die(why.unwrap_or_else(|| reason("refused", "a step failed")));
                        break;
                    }
                }
                Some(_) => {}
                None => {
                    let ended = self.attempt(unit, request, scope).await?;
                    if matches!(ended, Ended::Dead(_)) {
                        whole = StepOutcome::Failed;
                    }
                    match self.conclude(unit, ended, scope) {
                        Next::Go => {}
                        Next::Rest => return Ok(Next::Rest),
                        other => {
                            last = other;
                            break;
                        }
                    }
                }
            }
        }
        if !matches!(last, Next::Die(_)) {
            // Later steps see the elements, of which the scope makes the whole.
            self.settle(unit, whole, None, 0, Kept::default());
        }
        Ok(last)
    }

    async fn arrive(mut self) -> Result<(), StoreError> {
        let mut steps = self.run.steps.iter().chain(&self.saved).chain(self.book.settled());
        let word =
            if steps.all(|step| step.outcome == StepOutcome::Skipped) { "skipped" } else { "delivered" };
        self.end(RunState::Delivered, reason(word, "")).await
    }

    /// The run is given up: the steps of `on_failure` are done once, then it is dead.
    async fn die(&mut self, why: RunReason, scope: &mut Scope) -> Result<(), StoreError> {
        let zap = &self.lane.zap;
        let step = self.failed_step();
        // It is kept, and the steps of `on_failure` may send it on.
        let why = self.masked(why);
        scope.set_failure(step.as_deref(), &why.detail);
        self.failing = Some(why.clone());
        for (at, action) in zap.on_failure.iter().enumerate() {
            if self.outcome_of(&action.id, None).is_some() {
                continue;
            }
            match self.step(zap.actions.len() + at, action, scope).await? {
                Next::Go => {}
                Next::Rest => return Ok(()),
                // One that fails says so in the run's history; it stops no other and starts nothing anew.
                Next::Stop(_) => break,
                Next::Die(_) => show(scope, &action.id, None, StepOutcome::Failed, None),
            }
        }
        self.end(RunState::Dead, why).await
    }

    /// The step at which the run failed, where it was one.
    fn failed_step(&self) -> Option<String> {
        let steps = self.run.steps.iter().chain(&self.saved).chain(self.book.settled());
        let failed = steps.filter(|step| step.outcome == StepOutcome::Failed);
        failed.map(|step| step.step.clone()).next()
    }

    /// What became of a request is not known, and nothing can find out any more: a person has to.
    async fn hold(&mut self, begun: BegunAttempt, error: String) -> Result<(), StoreError> {
        self.fail_begun(&begun, error.clone());
        self.open = Some(begun);
        self.end(RunState::Held, reason("uncertain", error)).await
    }

    /// The record cannot be read: dead at once.
    async fn broken(&mut self, error: &MapError) -> Result<(), StoreError> {
        let why = self.mapping(error);
        self.end(RunState::Dead, why).await
    }

    /// The reason for a mapping error, of which one alert is given per zap.
    pub(super) fn mapping(&self, error: &MapError) -> RunReason {
        self.lane.alert(error);
        reason("mapping", error.to_string())
    }

    /// The record of a step or element that was finished, on this journey or an earlier one.
    pub(super) fn record_of(&self, step: &str, element: Option<&str>) -> Option<&StepRecord> {
        let mut steps = self.run.steps.iter().chain(&self.saved).chain(self.book.settled());
        steps.find(|done| done.step == step && done.element.as_deref() == element)
    }

    fn outcome_of(&self, step: &str, element: Option<&str>) -> Option<StepOutcome> {
        self.record_of(step, element).map(|done| done.outcome)
    }

    fn response_of(&self, unit: Unit<'_>) -> Option<bytes::Bytes> {
        self.record_of(&unit.step(), unit.element)?.response.clone()
    }
}
