//! What came of a record, as the language of tests speaks of it.

use super::play::Arrived;
use super::stubs::Asked;
use crate::memory::MemoryRun;
use crate::ports::{RunState, StepOutcome, StepRecord};
use zaprun_core::mapping::MapError;
use zaprun_core::rehearsal::{Did, End, Failure, Judged, Played, PlayedRun, Rehearsal, Sent, Step, Turned};
use zaprun_core::zap::{Action, Zap};

/// What came of it.
pub(super) fn tell(zap: &Zap, arrived: Arrived, runs: &[MemoryRun], asked: &[Asked]) -> Played {
    match arrived {
        Arrived::Turned(turned) => Played::Turned(turned),
        Arrived::Known => Played::Known,
        Arrived::NotYet => Played::Turned(Turned::Unreadable("it never arrived".to_owned())),
        Arrived::Run(id) => match runs.iter().find(|run| run.id == id) {
            Some(run) => {
                let asked: Vec<&Asked> = asked.iter().filter(|asked| asked.run == id).collect();
                Played::Run(Box::new(of_run(zap, run, &asked)))
            }
            None => Played::Turned(Turned::Unreadable("it never became a run".to_owned())),
        },
    }
}

fn of_run(zap: &Zap, run: &MemoryRun, asked: &[&Asked]) -> PlayedRun {
    let judged = match run.state {
        RunState::Pending => Judged::Pending,
        RunState::Delivered => Judged::Delivered,
        RunState::Filtered => Judged::Filtered,
        RunState::Held => Judged::Held,
        RunState::Dead | RunState::Dropped => Judged::Dead,
    };
    let actions = zap.actions.iter().map(|action| (action, false));
    let on_failure = zap.on_failure.iter().map(|action| (action, true));
    let steps = actions.chain(on_failure).filter_map(|(action, late)| step(action, late, run, asked));
    let end = match judged {
        Judged::Filtered => End::Filtered { why: run.reason.detail.clone() },
        Judged::Dead => End::Dead(Failure {
            step: failed_step(zap, run, asked),
            reason: run.reason.detail.clone(),
            error: None,
        }),
        // How those end that do not is told beside.
        Judged::Delivered | Judged::Held | Judged::Pending => End::Delivered,
    };
    let mut times: Vec<(String, u64)> = Vec::new();
    for asked in asked {
        let more = asked.times as u64;
        match times.iter_mut().find(|(step, _)| *step == asked.step) {
            Some((_, times)) => *times += more,
            None => times.push((asked.step.clone(), more)),
        }
    }
    PlayedRun {
        judged,
        word: run.reason.word.clone(),
        detail: run.reason.detail.clone(),
        rehearsal: Rehearsal { steps: steps.collect(), end },
        asked: times,
    }
}

/// At which step a run was given up; none when it did not come to one.
fn failed_step(zap: &Zap, run: &MemoryRun, asked: &[&Asked]) -> Option<String> {
    let failed = run.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
    // A step's id holds no dot: what follows one is a part of it.
    let id = |step: &StepRecord| step.step.split('.').next().unwrap_or_default().to_owned();
    let of_actions = |asked: &&&Asked| zap.actions.iter().any(|action| action.id == asked.step);
    // Those of `on_failure` come after it.
    let early = failed.filter(|failed| zap.actions.iter().any(|action| action.id == id(failed)));
    early.map(id).or_else(|| asked.iter().rfind(of_actions).map(|asked| asked.step.clone()))
}

fn step(action: &Action, on_failure: bool, run: &MemoryRun, asked: &[&Asked]) -> Option<Step> {
    let record = |element: Option<&str>| {
        run.steps.iter().find(|step| step.step == action.id && step.element.as_deref() == element)
    };
    let error = |element: Option<&str>| {
        let of = |step: &str| step.split('.').next() == Some(&action.id);
        let failed =
            run.failed.iter().filter(|failed| of(&failed.step) && failed.element.as_deref() == element);
        failed.last().map(|failed| failed.error.clone()).unwrap_or_default()
    };
    let gave_up = |element: Option<&str>| {
        record(element).is_some_and(|step| step.outcome == StepOutcome::Failed).then(|| error(element))
    };
    let unanswered = |id: &String| asked.iter().any(|asked| asked.step == *id && asked.unanswered);
    let mut needs: Vec<String> = action.reads_of().all.iter().filter(|id| unanswered(id)).cloned().collect();
    let sent: Vec<Sent> = asked
        .iter()
        .filter(|asked| asked.step == action.id)
        .map(|asked| Sent {
            element: asked.element.clone(),
            request: asked.request.clone(),
            refused: gave_up(asked.element.as_deref()),
            sources: Vec::new(),
        })
        .collect();
    let did = match record(None).map(|step| step.outcome) {
        _ if !sent.is_empty() => {
            needs.extend(Some(action.id.clone()).filter(|id| action.has_stop_if() && unanswered(id)));
            Did::Sent(sent)
        }
        Some(StepOutcome::Skipped) => Did::Skipped { why: why(run) },
        Some(StepOutcome::Failed) => {
            let text = error(None);
            let (place, message) = text.split_once(": ").unwrap_or(("", &text));
            let error = MapError::new(place, message);
            if needs.is_empty() { Did::Broken(error) } else { Did::Unknown(error) }
        }
        Some(StepOutcome::Done) => Did::Sent(Vec::new()),
        None => return None,
    };
    Some(Step { id: action.id.clone(), on_failure, did, needs })
}

/// Why a step was skipped, as far as the run tells.
fn why(run: &MemoryRun) -> String {
    match run.reason.word.as_str() {
        "stopped" | "unless" => run.reason.detail.clone(),
        _ => "`when` is false, or `each` has nothing".to_owned(),
    }
}
