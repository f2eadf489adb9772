//! `zaprun runs resolve`

use std::future::Future;
use std::path::Path;
use std::pin::pin;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use zaprun_engine::ports::{Clock, Resolution, RunDetail, RunId, RunState, Store, StoreError};
use zaprun_store::{Answer, Asked, Asking, SqliteStore};

use super::{find, named, parse_id, read_state, state_error, state_word};
use crate::clock::SystemClock;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Say what became of a held run's open step, and let the run go on
///
/// A run is held when its request may have had an effect and nobody can find out. Look at the target first: `zaprun runs
/// show ID` says what was sent, and when. As done, the run goes on after the step; as failed, the step has failed and is
/// not sent again. A run that is held for another reason is let through, or given up.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 resolved, 1 there is no such run, it is not held, or the running engine did not answer, 2 bad usage or no project, 130 on Ctrl-C."
)]
pub(crate) struct Args {
    /// The run, as `runs list` numbers it
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: i64,

    /// What became of it: done, failed
    #[arg(long = "as", value_name = "OUTCOME", env = "ZAPRUN_AS", hide_possible_values = true)]
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    Done,
    Failed,
}

impl Outcome {
    fn of(resolution: Resolution) -> Outcome {
        match resolution {
            Resolution::Done => Outcome::Done,
            Resolution::Failed => Outcome::Failed,
        }
    }

    fn resolution(self) -> Resolution {
        match self {
            Outcome::Done => Resolution::Done,
            Outcome::Failed => Resolution::Failed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
        }
    }
}

/// How long a running engine has time to answer. It looks once a second; on a full disk it waits longer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How often the answer is looked for.
const EVERY: SignedDuration = SignedDuration::from_millis(200);

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let desk = Desk { state: &opened.state, clock: &SystemClock, patience: PATIENCE };
    let (run, by) = context.block_on(async {
        let run = held(find(&reader, &opened.state, args.id).await?)?;
        let interrupted = async {
            // Where no signal can be heard, none interrupts.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let by = desk.resolve(run.summary.id, args.outcome, interrupted).await?;
        Ok::<_, CommandError>((run, by))
    })?;
    context.printer.note(&opened.masker.text(&said(&run, args.outcome, by)));
    Ok(Exit::Fine)
}

/// Only what waits for a person takes a person's word.
fn held(run: RunDetail) -> Result<RunDetail, CommandError> {
    if run.summary.state == RunState::Held {
        return Ok(run);
    }
    let (id, state) = (run.summary.id, state_word(run.summary.state));
    Err(CommandError::failure(format!("run {id} is not held, it is {state}"))
        .hint("`zaprun runs list --status held` shows the runs that wait for a person"))
}

/// What has been done, and what comes next.
fn said(run: &RunDetail, outcome: Outcome, by: By) -> String {
    let id = run.summary.id;
    let done = match (&run.begun, outcome) {
        (Some(begun), _) => {
            let step = named(&begun.step, begun.element.as_deref());
            format!("step {step} counts as {}{}", outcome.word(), answer(run, outcome))
        }
        (None, Outcome::Done) => "it is let through".to_owned(),
        (None, Outcome::Failed) => "it is given up".to_owned(),
    };
    let next = match by {
        By::Engine => "the running engine takes it from there",
        By::Us => "the next `zaprun run` takes it from there",
    };
    format!("run {id}: {done}; {next}")
}

/// What later steps see of an answer that nobody has.
fn answer(run: &RunDetail, outcome: Outcome) -> String {
    let Some(begun) = run.begun.as_ref().filter(|begun| begun.write.is_some()) else { return String::new() };
    if outcome == Outcome::Failed {
        return String::new();
    }
    let ids = begun.known_ids(&run.steps);
    if ids.is_empty() {
        return " (of its answer nothing is known; a later step that reads it fails)".to_owned();
    }
    let ids: Vec<String> = ids.iter().map(|(name, id)| format!("{name} {id}")).collect();
    format!(" (of its answer {} is known, and nothing else)", ids.join(", "))
}

/// Who has resolved a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The engine that holds the state.
    Engine,
    /// This program, since no engine runs.
    Us,
}

/// How waiting for an engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Answered,
    /// The engine had ended, and this program has done its work.
    Obeyed,
    /// Nobody answered.
    InVain,
    /// Somebody pressed Ctrl-C.
    BrokenOff,
}

/// Where runs are resolved.
struct Desk<'a> {
    state: &'a Path,
    clock: &'a dyn Clock,
    patience: SignedDuration,
}

impl Desk<'_> {
    /// Resolves a run under the lease, or has it resolved by whoever holds that.
    async fn resolve(
        &self,
        run: RunId,
        outcome: Outcome,
        interrupted: impl Future<Output = ()>,
    ) -> Result<By, CommandError> {
        if let Some(store) = self.lease()? {
            // What others asked for before comes first.
            let resolved = async {
                store.obey(self.clock.now()).await?;
                store.resolve(run, outcome.resolution(), self.clock.now()).await
            };
            let resolved = resolved.await;
            // What was answered is kept, whatever closing says.
            let _ = store.close().await;
            return match resolved.map_err(|error| self.told(&error))? {
                Some(_) => Ok(By::Us),
                None => Err(not_held_any_more(run)),
            };
        }
        let asked = Asked::place(self.state, run, outcome.resolution(), self.clock.now());
        match asked.map_err(|error| self.told(&error))? {
            Asking::Already { resolution, at } => Err(asked_before(run, Outcome::of(resolution), at)),
            Asking::Placed(asked) => self.wait(asked, run, interrupted).await,
        }
    }

    /// Waits for the engine, and not for ever. What it has not done by then it will not do.
    async fn wait(
        &self,
        asked: Asked,
        run: RunId,
        interrupted: impl Future<Output = ()>,
    ) -> Result<By, CommandError> {
        let watched = self.watch(&asked, interrupted).await;
        let answer = asked.withdraw().map_err(|error| self.told(&error))?;
        match (answer, watched) {
            (Some(Answer::Resolved), Ok(Watched::Obeyed)) => Ok(By::Us),
            (Some(Answer::Resolved), _) => Ok(By::Engine),
            (Some(Answer::NotHeld), _) => Err(not_held_any_more(run)),
            (None, Err(error)) => Err(error),
            (None, Ok(Watched::BrokenOff)) => Err(CommandError::interrupted()),
            (None, Ok(_)) => Err(CommandError::failure(format!(
                "the running engine did not answer within {}s; run {run} stays held",
                self.patience.as_secs()
            ))
            .hint("look at what it logs; once it has ended, the same command does it at once")),
        }
    }

    async fn watch(
        &self,
        asked: &Asked,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Watched, CommandError> {
        let mut interrupted = pin!(interrupted);
        let end = self.clock.now().saturating_add(self.patience).unwrap_or(Timestamp::MAX);
        while asked.answer().map_err(|error| self.told(&error))?.is_none() {
            // The engine may have ended meanwhile.
            if let Some(store) = self.lease()? {
                let obeyed = store.obey(self.clock.now()).await;
                let _ = store.close().await;
                return obeyed.map(|_| Watched::Obeyed).map_err(|error| self.told(&error));
            }
            let now = self.clock.now();
            if now >= end {
                return Ok(Watched::InVain);
            }
            tokio::select! {
                () = self.clock.sleep_until(now.saturating_add(EVERY).unwrap_or(end)) => {}
                () = &mut interrupted => return Ok(Watched::BrokenOff),
            }
        }
        Ok(Watched::Answered)
    }

    /// The state, unless an engine has it.
    fn lease(&self) -> Result<Option<SqliteStore>, CommandError> {
        match SqliteStore::open_engine(self.state, &zaprun_store::Options::default()) {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::Busy { .. }) => Ok(None),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn told(&self, error: &StoreError) -> CommandError {
        state_error(error, self.state)
    }
}

fn not_held_any_more(run: RunId) -> CommandError {
    CommandError::failure(format!("run {run} is not held any more"))
        .hint(format!("`zaprun runs show {run}` says what has happened"))
}

fn asked_before(run: RunId, outcome: Outcome, at: Timestamp) -> CommandError {
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let word = outcome.word();
    CommandError::failure(format!(
        "run {run} was to be resolved as {word} at {at}, and the running engine has not done it yet"
    ))
    .hint(format!("`zaprun runs show {run}` says when it has"))
}

#[cfg(test)]
mod tests;
