//! Shows what a run would send, and sends nothing.

use super::facts::{facts, once_value, restore, show};
use super::journey::reason;
use super::lane::Lane;
use super::shared::count;
use crate::ports::{ClaimedRun, OnceOutcome, RunReason, RunState, RunUpdate, StepOutcome, StoreError};
use crate::report::{Event, WouldSend};
use zaprun_core::mapping::MapError;
use zaprun_core::zap::{Pass, Plan, Scope};

/// Renders a run's requests, reports them, and marks the run as shown in the (copied) state.
///
/// # Errors
/// When the state is lost for good.
pub(super) async fn show_run(lane: &Lane, run: ClaimedRun) -> Result<(), StoreError> {
    let shared = &lane.shared;
    let name = lane.name(&run);
    let (state, why, event) = match render(lane, &run).await? {
        Ok(Shown::Requests(steps)) => {
            count(&shared.counters.delivered);
            (RunState::Delivered, reason("dry_run", ""), Event::WouldSend { run: name, steps })
        }
        Ok(Shown::Filtered(why)) => {
            count(&shared.counters.filtered);
            (RunState::Filtered, why.clone(), Event::Filtered { run: name, reason: why })
        }
        Err(error) => {
            lane.alert(&error);
            count(&shared.counters.dead);
            let why = reason("mapping", error.to_string());
            (RunState::Dead, why.clone(), Event::Dead { run: name, reason: why })
        }
    };
    let now = shared.clock.now();
    let update = RunUpdate {
        run: run.id,
        steps: Vec::new(),
        failed: Vec::new(),
        touched: Vec::new(),
        begun: None,
        failing: None,
        fresh: None,
        state,
        reason: why,
        due_at: now,
        attempts: run.attempts,
        retrying_since: run.retrying_since,
        at: now,
    };
    shared.insist(|| shared.store.update_run(update.clone())).await?;
    shared.observer.see(event);
    Ok(())
}

enum Shown {
    Requests(Vec<WouldSend>),
    Filtered(RunReason),
}

async fn render(lane: &Lane, run: &ClaimedRun) -> Result<Result<Shown, MapError>, StoreError> {
    let mut scope = match lane.zap.scope(&facts(run)) {
        Ok(scope) => scope,
        Err(error) => return Ok(Err(error)),
    };
    match lane.zap.passes(&scope) {
        Ok(Pass::Yes) => {}
        Ok(Pass::No { why }) => return Ok(Ok(Shown::Filtered(reason("filter", why)))),
        Err(error) => return Ok(Err(error)),
    }
    if let Some(value) = once_value(lane, run) {
        let shared = &lane.shared;
        let taken = shared.insist(|| shared.store.take_once(run.zap, &value, run.id)).await?;
        if taken != OnceOutcome::Taken {
            return Ok(Ok(Shown::Filtered(reason("once_per", "another row has it"))));
        }
    }
    Ok(steps(lane, run, &mut scope).map(Shown::Requests))
}

fn steps(lane: &Lane, run: &ClaimedRun, scope: &mut Scope) -> Result<Vec<WouldSend>, MapError> {
    lane.zap.bind(scope)?;
    restore(scope, &run.steps);
    let mut shown = Vec::new();
    // Whether a later step reads an answer that nobody has given.
    let mut unanswered = false;
    for action in &lane.zap.actions {
        if run.steps.iter().any(|done| done.step == action.id && done.element.is_none()) {
            continue;
        }
        let mut would = WouldSend { step: action.id.clone(), requests: Vec::new(), note: None };
        match action.plan(scope) {
            Ok(Plan::Skip { .. }) => {
                show(scope, &action.id, None, StepOutcome::Skipped, None);
                continue;
            }
            Ok(Plan::One(request)) => would.requests.push(*request),
            Ok(Plan::Each(elements)) => {
                would.requests.extend(elements.into_iter().map(|(_, request)| request));
            }
            Err(error) if unanswered => {
                would.note = Some(format!("depends on the answer to a step that was not sent: {error}"));
            }
            Err(error) => return Err(error),
        }
        show(scope, &action.id, None, StepOutcome::Done, None);
        unanswered |= action.reads_response();
        shown.push(would);
    }
    Ok(shown)
}
