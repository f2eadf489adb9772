//! Shows what a run would send, and sends nothing.

use super::facts::{facts, once_value, restore};
use super::journey::reason;
use super::lane::Lane;
use super::shared::count;
use crate::ports::{
    ClaimedRun, OnceOutcome, RunReason, RunState, RunUpdate, StepOutcome, StepRecord, StoreError,
};
use crate::report::{Event, WouldSend};
use zaprun_core::mapping::MapError;
use zaprun_core::rehearsal::{
    self, Answer, Did, Element, End, Ended, Failure, Rehearsal, Stage, rehearse_failure, rehearse_steps,
};
use zaprun_core::zap::Pass;

/// Renders a run's requests, reports them, and marks the run as shown in the (copied) state.
///
/// # Errors
/// When the state is lost for good.
pub(super) async fn show_run(lane: &Lane, run: ClaimedRun) -> Result<(), StoreError> {
    let shared = &lane.shared;
    let name = lane.name(&run);
    let shown = render(lane, &run).await?;
    if !shown.steps.is_empty() || matches!(shown.end, Close::Sent) {
        shared.observer.see(Event::WouldSend { run: name.clone(), steps: shown.steps });
    }
    let (state, why) = match shown.end {
        Close::Sent => {
            count(&shared.counters.delivered);
            (RunState::Delivered, reason("dry_run", ""))
        }
        Close::Filtered(why) => {
            count(&shared.counters.filtered);
            shared.observer.see(Event::Filtered { run: name, reason: why.clone() });
            (RunState::Filtered, why)
        }
        Close::Dead(why) => {
            count(&shared.counters.dead);
            shared.observer.see(Event::Dead { run: name, reason: why.clone() });
            (RunState::Dead, why)
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
    shared.insist(|| shared.store.update_run(update.clone())).await
}

/// What a run comes to.
struct Shown {
    steps: Vec<WouldSend>,
    end: Close,
}

/// How a run would end.
enum Close {
    Sent,
    Filtered(RunReason),
    Dead(RunReason),
}

impl Shown {
    fn filtered(word: &str, detail: impl Into<String>) -> Shown {
        Shown { steps: Vec::new(), end: Close::Filtered(reason(word, detail)) }
    }
}

async fn render(lane: &Lane, run: &ClaimedRun) -> Result<Shown, StoreError> {
    let zap = &lane.zap;
    let mut scope = match zap.scope(&facts(run)) {
        Ok(scope) => scope,
        Err(error) => return Ok(dead(lane, Vec::new(), &broken(error))),
    };
    restore(&mut scope, &run.steps);
    let stage = Behind { steps: &run.steps };
    if let Some(why) = &run.failing {
        let failure = Failure { step: stage.failed(), reason: why.detail.clone(), error: None };
        return Ok(conclude(lane, rehearse_failure(zap, &mut scope, &stage, failure)));
    }
    // A run that has finished a step has passed before.
    if run.steps.is_empty() {
        match zap.passes(&scope) {
            Ok(Pass::Yes) => {}
            Ok(Pass::No { why }) => return Ok(Shown::filtered("filter", why)),
            Err(error) => {
                let rehearsal = rehearse_failure(zap, &mut scope, &stage, broken(error));
                return Ok(conclude(lane, rehearsal));
            }
        }
        let value = match once_value(lane, run) {
            Ok(value) => value,
            Err(error) => {
                let rehearsal = rehearse_failure(zap, &mut scope, &stage, broken(error));
                return Ok(conclude(lane, rehearsal));
            }
        };
        if let Some(value) = value {
            let shared = &lane.shared;
            let taken = shared.insist(|| shared.store.take_once(run.zap, &value, run.id)).await?;
            if taken != OnceOutcome::Taken {
                return Ok(Shown::filtered("once_per", "another row has it"));
            }
        }
    }
    Ok(conclude(lane, rehearse_steps(zap, &mut scope, &stage)))
}

fn broken(error: MapError) -> Failure {
    Failure { step: None, reason: error.to_string(), error: Some(error) }
}

fn conclude(lane: &Lane, rehearsal: Rehearsal) -> Shown {
    let steps = rehearsal.steps.into_iter().filter_map(would_send).collect();
    match rehearsal.end {
        End::Delivered => Shown { steps, end: Close::Sent },
        End::Filtered { why } => Shown { steps, end: Close::Filtered(reason("filter", why)) },
        End::Dead(failure) => dead(lane, steps, &failure),
    }
}

fn dead(lane: &Lane, steps: Vec<WouldSend>, failure: &Failure) -> Shown {
    let word = match &failure.error {
        Some(error) => {
            lane.alert(error);
            "mapping"
        }
        None => "refused",
    };
    Shown { steps, end: Close::Dead(reason(word, failure.reason.clone())) }
}

/// A step as it is shown; skipped ones are left out.
fn would_send(step: rehearsal::Step) -> Option<WouldSend> {
    let (requests, trouble) = match step.did {
        Did::Skipped { .. } => return None,
        Did::Sent(sent) => (sent.into_iter().map(|sent| sent.request).collect(), None),
        Did::Broken(error) | Did::Unknown(error) => (Vec::new(), Some(error.to_string())),
    };
    let mut notes = Vec::new();
    if step.on_failure {
        notes.push("since the run is given up".to_owned());
    }
    if !step.needs.is_empty() {
        let needed: Vec<String> = step.needs.iter().map(|needed| format!("`{needed}`")).collect();
        notes.push(format!("depends on the answer to {}, which was not sent", needed.join(" and ")));
    }
    notes.extend(trouble);
    let note = (!notes.is_empty()).then(|| notes.join(": "));
    Some(WouldSend { step: step.id, requests, note })
}

/// The run as it stands: what is finished is not shown again, and nothing is answered.
struct Behind<'a> {
    steps: &'a [StepRecord],
}

impl Behind<'_> {
    fn failed(&self) -> Option<String> {
        let failed = self.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
        failed.map(|step| step.step.clone())
    }
}

impl Stage for Behind<'_> {
    fn answer(&self, _: &str, _: Option<Element<'_>>) -> Option<&Answer> {
        None
    }

    fn ended(&self, step: &str, element: Option<&str>) -> Option<Ended> {
        let record =
            self.steps.iter().find(|done| done.step == step && done.element.as_deref() == element)?;
        Some(match record.outcome {
            StepOutcome::Failed => Ended::Failed,
            StepOutcome::Done | StepOutcome::Skipped => Ended::Well,
        })
    }
}
