//! What other programs ask of the state in memory.

use super::store::MemoryRun;
use super::store_runs::Runs;
use crate::ports::{
    Answer, CAUGHT_UP, Chosen, Command, LIMIT, Obeyed, Replay, Resolution, RunId, RunReason, RunState, ZapId,
    drop_refusal, dropped,
};
use jiff::Timestamp;

/// How a command knows what the rest of the state says.
pub(super) struct Around<'a> {
    pub(super) now: Timestamp,
    pub(super) busy: &'a [RunId],
    /// The content of the zap that a run was made with.
    pub(super) content: &'a dyn Fn(&MemoryRun) -> Option<String>,
}

impl Runs {
    /// Does the oldest thing that is asked.
    pub(super) fn obey(&mut self, around: &Around<'_>) -> Obeyed {
        let Some(command) = self.next_asked() else { return Obeyed::default() };
        let (mut answer, mut zaps) = (Answer::default(), Vec::new());
        for chosen in command.runs() {
            let done = self.carry_out(&command, *chosen, around);
            zaps.extend(done.as_ref().ok().copied());
            answer.add(chosen.run, done.map(drop));
        }
        self.answered.push(answer);
        Obeyed { zaps, more: true }
    }

    fn carry_out(&mut self, command: &Command, chosen: Chosen, around: &Around<'_>) -> Result<ZapId, String> {
        if around.busy.contains(&chosen.run) {
            return Err("it is being worked on just now".to_owned());
        }
        let run = self.find(chosen.run).ok_or("there is no such run")?;
        let changed_at = run.updated_at.as_microsecond();
        if chosen.changed_at.is_some_and(|at| at != changed_at) {
            return Err("it has changed meanwhile".to_owned());
        }
        match command {
            Command::Resolve { outcome, .. } => resolve(run, *outcome, around.now)?,
            Command::Drop { .. } => give_up(run, around.now)?,
            Command::Replay { how, .. } => {
                let content = (around.content)(run);
                replay(run, how, content, around.now)?;
                if how.counts_anew() {
                    self.set_free(chosen.run);
                }
            }
            // Nobody's history is kept here.
            Command::Erase { .. } => {}
        }
        let run = self.find(chosen.run).ok_or("there is no such run")?;
        run.updated_at = around.now;
        Ok(run.zap)
    }
}

fn wake(run: &mut MemoryRun, detail: &str, now: Timestamp) {
    run.state = RunState::Pending;
    run.depth = 0;
    run.reason = RunReason { word: "queued".to_owned(), detail: detail.to_owned() };
    run.due_at = now;
}

fn resolve(run: &mut MemoryRun, outcome: Resolution, now: Timestamp) -> Result<(), String> {
    if run.state != RunState::Held {
        return Err("it is not held".to_owned());
    }
    match run.begun.take() {
        Some(begun) => {
            let step = begun.resolved(outcome, &run.reason, run.attempts, &run.steps, now);
            run.steps.push(step);
            // What was counted for its retries does not count for the next step.
            run.attempts = 0;
            run.retrying_since = None;
        }
        None if outcome == Resolution::Failed => {
            let detail = "given up by a person".to_owned();
            run.failing.get_or_insert(RunReason { word: run.reason.word.clone(), detail });
        }
        None => {}
    }
    let released = [LIMIT, CAUGHT_UP].contains(&run.reason.word.as_str());
    run.let_through |= released && outcome == Resolution::Done;
    wake(run, "", now);
    Ok(())
}

fn give_up(run: &mut MemoryRun, now: Timestamp) -> Result<(), String> {
    if let Some(why) = drop_refusal(run.state) {
        return Err(why);
    }
    if let Some(begun) = run.begun.take().filter(|begun| begun.has_left()) {
        let step = begun.abandoned(&run.reason, run.attempts, now);
        run.steps.push(step);
    }
    run.failing = None;
    run.state = RunState::Dropped;
    run.reason = dropped(&run.reason);
    Ok(())
}

fn replay(run: &mut MemoryRun, how: &Replay, content: Option<String>, now: Timestamp) -> Result<(), String> {
    if let Some(why) = how.refusal(run.state, &run.steps) {
        return Err(why);
    }
    run.past.extend(run.steps.extract_if(.., |step| how.does_again(step)));
    run.attempts = 0;
    run.retrying_since = None;
    run.failing = None;
    run.let_through &= !how.counts_anew();
    run.pinned = content.filter(|_| !how.latest);
    run.key_base = how.key_base(run.key_base, now);
    wake(run, "replayed", now);
    Ok(())
}
