//! The requests of a run, rendered again: mapping is deterministic, so record and zap give what was sent.

use zaprun_core::mapping::MapError;
use zaprun_core::request::Request;
use zaprun_core::zap::{Action, EventFacts, Pass, Plan, RunFacts, Scope, StepFacts, Zap};
use zaprun_engine::ports::{RunDetail, RunReason, RunState, StepOutcome, StepRecord};

/// What a step sent, or would send.
pub(super) struct Rendered {
    /// The step's id.
    pub(super) step: String,
    /// Its requests, with the element's key under `each`.
    pub(super) requests: Vec<(Option<String>, Request)>,
    /// Why there is none, or not for sure.
    pub(super) note: Option<String>,
}

/// The requests of each step, and why there are none.
pub(super) fn render(zap: &Zap, run: &RunDetail) -> Result<Vec<Rendered>, MapError> {
    let mut scope = zap.scope(&facts(run))?;
    if let Pass::No { .. } = zap.passes(&scope)? {
        return Ok(Vec::new());
    }
    zap.bind(&mut scope)?;
    let mut rendered = Vec::new();
    // Answers are kept only until the run ends; a step that reads one can then not be rendered again.
    let mut forgotten = false;
    if let Some(why) = given_up(zap, run) {
        let failed = run.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
        scope.set_failure(failed.map(|step| step.step.as_str()), &why.detail);
    }
    for action in shown(zap, run) {
        rendered.push(step(action.id.clone(), action.plan(&scope), forgotten));
        let records: Vec<&StepRecord> = run.steps.iter().filter(|record| record.step == action.id).collect();
        forgotten |= action.reads_response() && records.iter().all(|record| record.response.is_none());
        if records.is_empty() {
            scope.set_step(&action.id, StepFacts { outcome: "done", response: None, element: None });
        }
        records.iter().for_each(|record| restore(&mut scope, record));
    }
    Ok(rendered)
}

/// Why a run is or will be dead, where its zap has steps for that.
fn given_up<'a>(zap: &Zap, run: &'a RunDetail) -> Option<&'a RunReason> {
    let dead = (run.summary.state == RunState::Dead).then_some(&run.summary.reason);
    run.failing.as_ref().or(dead).filter(|_| !zap.on_failure.is_empty())
}

/// The steps of a run; those of `on_failure` only where it failed.
fn shown<'a>(zap: &'a Zap, run: &RunDetail) -> impl Iterator<Item = &'a Action> {
    let failed = given_up(zap, run).is_some();
    zap.actions.iter().chain(zap.on_failure.iter().filter(move |_| failed))
}

fn step(id: String, plan: Result<Plan, MapError>, forgotten: bool) -> Rendered {
    let mut rendered = Rendered { step: id, requests: Vec::new(), note: None };
    match plan {
        Ok(Plan::Skip { why }) => rendered.note = Some(format!("skipped: {why}")),
        Ok(Plan::One(request)) => rendered.requests.push((None, *request)),
        Ok(Plan::Each(elements)) => {
            rendered.requests.extend(elements.into_iter().map(|(key, request)| (Some(key), request)));
        }
        Err(error) if forgotten => {
            rendered.note = Some(format!("depends on an answer that is no longer kept ({error})"));
        }
        Err(error) => rendered.note = Some(error.to_string()),
    }
    rendered
}

fn facts(run: &RunDetail) -> RunFacts<'_> {
    let event = &run.event;
    RunFacts {
        record: run.fresh.as_ref().unwrap_or(&event.record),
        event: EventFacts {
            id: event.key.to_string(),
            kind: event.key.kind.clone(),
            key: event.key.id.clone(),
            at: event.at,
        },
        context: event.context.as_deref(),
        run_id: run.summary.id.to_string(),
        started_at: run.summary.created_at,
        key_base: run.key_base,
        depth: run.depth,
    }
}

fn restore(scope: &mut Scope, record: &StepRecord) {
    let outcome = outcome_word(record.outcome);
    let facts =
        StepFacts { outcome, response: record.response.as_deref(), element: record.element.as_deref() };
    scope.set_step(&record.step, facts);
}

/// A step's outcome as zaps read it.
pub(super) fn outcome_word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Skipped => "skipped",
        StepOutcome::Failed => "failed",
    }
}
