//! What the mapping of a run is told.

use super::lane::Lane;
use crate::ports::{ClaimedRun, StepOutcome, StepRecord};
use zaprun_core::mapping::MapError;
use zaprun_core::record::Row;
use zaprun_core::zap::{EventFacts, RunFacts, Scope, StepFacts, Trigger};

/// The facts of a run that mapping may see. They are the same at every attempt.
pub(super) fn facts(run: &ClaimedRun) -> RunFacts<'_> {
    RunFacts {
        record: run.fresh.as_ref().unwrap_or(&run.event.record),
        event: EventFacts {
            id: run.event.key.to_string(),
            kind: run.event.key.kind.clone(),
            key: run.event.key.id.clone(),
            at: run.event.at,
        },
        context: run.event.context.as_deref(),
        run_id: run.id.to_string(),
        started_at: run.created_at,
        key_base: run.key_base,
        depth: run.depth,
    }
}

/// The value of `once_per` that a run would take, when its zap has one and its record has it.
///
/// # Errors
/// When it cannot be computed.
pub(super) fn once_value(lane: &Lane, run: &ClaimedRun) -> Result<Option<String>, MapError> {
    let trigger = match &lane.zap.trigger {
        Trigger::Crm(trigger) => trigger,
        Trigger::Webhook(trigger) => return trigger.once(&run.event.record, run.event.context.as_deref()),
        Trigger::Http(trigger) => return trigger.once(&run.event.record),
        Trigger::Schedule(_) => return Ok(None),
    };
    if !trigger.has_once() {
        return Ok(None);
    }
    // An unreadable record fails in the mapping, with its reason.
    let row = Row::decode(&run.event.record, trigger.schema(), &trigger.fields()).ok();
    Ok(row.and_then(|row| trigger.once(&row)))
}

/// Lets later steps see what earlier journeys finished. An `each` step shows its elements.
pub(super) fn restore(scope: &mut Scope, steps: &[StepRecord]) {
    for step in steps {
        let elements = step.element.is_none()
            && steps.iter().any(|other| other.step == step.step && other.element.is_some());
        if !elements {
            show(scope, &step.step, step.element.as_deref(), step.outcome, step.response.as_deref());
        }
    }
}

/// Lets later steps see how a step ended.
pub(super) fn show(
    scope: &mut Scope,
    step: &str,
    element: Option<&str>,
    outcome: StepOutcome,
    response: Option<&[u8]>,
) {
    let outcome = match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Skipped => "skipped",
        StepOutcome::Failed => "failed",
    };
    scope.set_step(step, StepFacts { outcome, response, element });
}
