//! `zaprun runs resolve`

use std::future::Future;

use clap::ValueEnum;
use zaprun_engine::ports::{Answer, Chosen, Command, Resolution, RunDetail, RunState};

use super::desk::{self, By, Desk, PATIENCE, interrupted};
use super::list::Format;
use super::pick::{Manner, Pick, chosen};
use super::{find, named, read_state, state_word};
use crate::clock::SystemClock;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Say what became of held runs' open steps, and let the runs go on
///
/// A run is held when its request may have had an effect and nobody can find out. Look at the target first: `zaprun runs
/// show ID` says what was sent, and when. As done, the run goes on after the step; as failed, the step has failed and is
/// not sent again. A run that is held for another reason is let through, or given up.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 resolved, 1 there is no such run, it is not held, or the running engine did not answer, 2 bad usage or no project, 130 on Ctrl-C."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pick: Pick,

    /// What became of it: done, failed
    #[arg(long = "as", value_name = "OUTCOME", env = "ZAPRUN_AS", hide_possible_values = true)]
    outcome: Outcome,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    Done,
    Failed,
}

impl Outcome {
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

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let found = context.block_on(args.pick.find(&reader, &opened, &[RunState::Held]))?;
    let desk = Desk { state: &opened.state, clock: &SystemClock, patience: PATIENCE };
    if let ([run], true, false, Format::Text) =
        (found.as_slice(), args.pick.by_number(), args.manner.dry_run, args.manner.format)
    {
        // Whoever names one run, and how it ended, has said all.
        let (run, by) = context.block_on(async {
            let run = held(find(&reader, &opened.state, run.id.0).await?)?;
            let by = one(&desk, &run, args.outcome).await?;
            Ok::<_, CommandError>((run, by))
        })?;
        context.printer.note(&opened.masker.text(&said(&run, args.outcome, by)));
        return Ok(Exit::Fine);
    }
    let (mut runs, mut refused) = (Vec::new(), Answer::default());
    for run in found {
        match run.state {
            RunState::Held => runs.push(run),
            state => refused.add(run.id, Err(format!("it is {}", state_word(state)))),
        }
    }
    if let Some(exit) = args.manner.agree(context, &opened, "resolve", &runs, &refused)? {
        return Ok(exit);
    }
    let command = Command::Resolve { runs: chosen(&runs), outcome: args.outcome.resolution() };
    let mut outcome = context.block_on(desk.carry_out(command, interrupted()))?;
    outcome.answer = refused.and(outcome.answer);
    let did = format!("resolved as {}", args.outcome.word());
    let next = outcome.by.next();
    args.manner.told(context, &did, &outcome, Some(next))
}

/// Resolves one run.
async fn one(desk: &Desk<'_>, run: &RunDetail, outcome: Outcome) -> Result<By, CommandError> {
    resolve(desk, run, outcome, interrupted()).await
}

async fn resolve(
    desk: &Desk<'_>,
    run: &RunDetail,
    outcome: Outcome,
    interrupted: impl Future<Output = ()>,
) -> Result<By, CommandError> {
    let id = run.summary.id;
    let runs = vec![Chosen::as_of(id, run.summary.updated_at)];
    let command = Command::Resolve { runs, outcome: outcome.resolution() };
    let desk::Outcome { answer, by, .. } = desk.carry_out(command, interrupted).await?;
    match answer.refused.first() {
        None => Ok(by),
        Some(refused) => Err(CommandError::failure(format!("run {id} is left as it is: {}", refused.why))
            .hint(format!("`zaprun runs show {id}` says what has happened"))),
    }
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
    let next = by.next();
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

#[cfg(test)]
mod tests;
