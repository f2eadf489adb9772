//! Commands, as they are documented.

use super::runs::reason;
use super::{Model, Run};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;
use zaprun_engine::ports::{
    Answer, BegunAttempt, Chosen, Command, Obeyed, Refused, Replay, Resolution, RunId, RunState, StepOutcome,
    StepRecord, ZapId,
};

/// What may be asked, in a small number.
pub fn command(runs: &[i64], what: u8) -> Command {
    let runs = runs.iter().map(|run| Chosen::any(RunId(*run))).collect();
    let replay = |from_start, new_key, repeat| Replay {
        latest: new_key,
        from_start,
        new_key,
        repeat,
        once: vec!["step1".to_owned()],
        on_failure: vec!["step2".to_owned()],
    };
    match what {
        0 => Command::Resolve { runs, outcome: Resolution::Done },
        1 => Command::Resolve { runs, outcome: Resolution::Failed },
        2 => Command::Drop { runs },
        3 => Command::Replay { runs, how: replay(false, false, false) },
        4 => Command::Replay { runs, how: replay(false, true, false) },
        5 => Command::Replay { runs, how: replay(true, false, false) },
        _ => Command::Replay { runs, how: replay(true, true, true) },
    }
}

/// The small numbers.
pub const COMMANDS: u8 = 7;

impl Model {
    pub(super) fn obey(&mut self, now: Timestamp, busy: &BTreeSet<i64>) -> Obeyed {
        if self.asked.is_empty() {
            return Obeyed { zaps: Vec::new(), more: false };
        }
        let command = self.asked.remove(0);
        Obeyed { zaps: self.carry_out(&command, now, busy).1, more: true }
    }

    pub(super) fn carry_out(
        &mut self,
        command: &Command,
        now: Timestamp,
        busy: &BTreeSet<i64>,
    ) -> (Answer, Vec<ZapId>) {
        let (mut answer, mut zaps) = (Answer { done: 0, refused: Vec::new(), failed: None }, Vec::new());
        for chosen in command.runs() {
            let run = self.runs.iter_mut().find(|run| run.claimed.id == chosen.run);
            let done = match run {
                None => Err("there is no such run".to_owned()),
                Some(_) if busy.contains(&chosen.run.0) => Err("it is being worked on just now".to_owned()),
                Some(run) => one(run, command, now).map(|()| run.claimed.zap),
            };
            let counts_anew = matches!(command, Command::Replay { how, .. } if how.from_start || how.new_key);
            if done.is_ok() && counts_anew {
                let own = self.counted.iter_mut().filter(|counted| counted.1 == chosen.run.0);
                own.for_each(|counted| counted.1 = 0);
            }
            match done {
                Ok(zap) => {
                    answer.done += 1;
                    if !zaps.contains(&zap) {
                        zaps.push(zap);
                    }
                }
                Err(why) => answer.refused.push(Refused { run: chosen.run, why }),
            }
        }
        (answer, zaps)
    }
}

fn one(run: &mut Run, command: &Command, now: Timestamp) -> Result<(), String> {
    match command {
        Command::Resolve { outcome, .. } => resolve(run, *outcome, now),
        Command::Drop { .. } => give_up(run, now),
        Command::Replay { how, .. } => replay(run, how, now),
        Command::Erase { .. } => unreachable!("the model asks for none"),
    }
}

fn resolve(run: &mut Run, outcome: Resolution, now: Timestamp) -> Result<(), String> {
    if run.state != RunState::Held {
        return Err("it is not held".to_owned());
    }
    let claimed = &mut run.claimed;
    let (word, ended) = [("done", StepOutcome::Done), ("failed", StepOutcome::Failed)][outcome as usize];
    match claimed.begun.take() {
        Some(begun) => {
            let why = format!("{word} by a person's word; before: {}", claimed.reason.detail);
            let answer = begun.write.as_ref().filter(|_| outcome == Resolution::Done).map(|_| {
                // Its parameters name no id.
                Bytes::from_static(b"{\"result\":\"SUCCESS\"}")
            });
            let step = ended_step(begun, ended, claimed.attempts, now, &claimed.reason.word, &why);
            claimed.steps.push(StepRecord { response: answer, ..step });
            (claimed.attempts, claimed.retrying_since) = (0, None);
        }
        None if outcome == Resolution::Failed => {
            let given_up = reason(&claimed.reason.word, "given up by a person");
            claimed.failing.get_or_insert(given_up);
        }
        None => {}
    }
    let released = ["limit", "caught_up"].contains(&claimed.reason.word.as_str());
    run.let_through |= released && outcome == Resolution::Done;
    claimed.depth = 0;
    claimed.reason = reason("queued", "");
    (run.state, run.due, run.changed) = (RunState::Pending, now, now);
    Ok(())
}

fn ended_step(
    begun: BegunAttempt,
    outcome: StepOutcome,
    attempts: u32,
    at: Timestamp,
    word: &str,
    why: &str,
) -> StepRecord {
    StepRecord {
        step: begun.step,
        element: begun.element,
        outcome,
        status: None,
        attempts: attempts + 1,
        at,
        reply: None,
        response: None,
        why: Some(reason(word, why)),
    }
}

fn give_up(run: &mut Run, now: Timestamp) -> Result<(), String> {
    match run.state {
        RunState::Pending | RunState::Held | RunState::Dead => {}
        RunState::Delivered => return Err("it is delivered".to_owned()),
        RunState::Filtered => return Err("it is filtered".to_owned()),
        RunState::Dropped => return Err("it is dropped already".to_owned()),
    }
    let claimed = &mut run.claimed;
    let left =
        claimed.begun.take().filter(|begun| begun.write.as_ref().is_none_or(|write| write.before.is_some()));
    if let Some(begun) = left {
        let why = format!("dropped while its outcome was not known; before: {}", claimed.reason.detail);
        claimed.steps.push(ended_step(begun, StepOutcome::Failed, claimed.attempts, now, "unknown", &why));
    }
    claimed.failing = None;
    let was = [claimed.reason.word.as_str(), claimed.reason.detail.as_str()];
    let was = was.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    claimed.reason = reason("dropped", &format!("by a person; before: {was}"));
    run.state = RunState::Dropped;
    run.changed = now;
    Ok(())
}

fn replay(run: &mut Run, how: &Replay, now: Timestamp) -> Result<(), String> {
    let claimed = &mut run.claimed;
    match run.state {
        RunState::Pending => return Err("it is pending, and goes on by itself".to_owned()),
        RunState::Held => return Err("it is held; resolve or drop it first".to_owned()),
        RunState::Delivered if !how.from_start => {
            return Err("it is delivered, and nothing of it is unfinished".to_owned());
        }
        _ => {}
    }
    let unknown = |step: &&StepRecord| step.why.as_ref().is_some_and(|why| why.word == "unknown");
    if let (Some(step), false) = (claimed.steps.iter().find(unknown), how.repeat) {
        return Err(format!("what became of its step `{}` is not known", step.step));
    }
    let must_not = |step: &&StepRecord| step.step == "step1" && step.outcome == StepOutcome::Done;
    if let (Some(_), true, false) = (claimed.steps.iter().find(must_not), how.from_start, how.repeat) {
        return Err("its step `step1` is done, and must not be done twice".to_owned());
    }
    let again =
        |step: &StepRecord| how.from_start || step.outcome == StepOutcome::Failed || step.step == "step2";
    for mut step in claimed.steps.extract_if(.., |step| again(step)) {
        step.response = None;
        run.past.push(step);
    }
    (claimed.attempts, claimed.retrying_since, claimed.failing, claimed.depth) = (0, None, None, 0);
    claimed.pinned = Some(run.content.clone()).filter(|_| !how.latest);
    if how.new_key {
        claimed.key_base = Uuid::new_v5(&claimed.key_base, now.as_microsecond().to_string().as_bytes());
    }
    run.let_through &= !how.from_start && !how.new_key;
    claimed.reason = reason("queued", "replayed");
    (run.state, run.due, run.changed) = (RunState::Pending, now, now);
    Ok(())
}
