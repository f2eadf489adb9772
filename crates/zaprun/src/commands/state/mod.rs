//! `zaprun state`

mod backup;
mod check;
mod rekey;
mod restore;

use clap::Subcommand;
use jiff::Timestamp;
use zaprun_engine::ports::RunState;
use zaprun_store::Holds;

use super::runs::state_word;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::output::count;

/// Copy the state, put a copy back, change the key of its secrets
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: State,
}

#[derive(Debug, Subcommand)]
enum State {
    /// Write a whole copy of the state to a file, also while zaprun runs
    Backup(backup::Args),
    /// Put a copy in the place of the state
    Restore(restore::Args),
    /// Seal the kept refresh tokens under a new key
    Rekey(rekey::Args),
    /// Read all of the state, or of a copy, and say whether it holds together
    Check(check::Args),
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        State::Backup(args) => backup::run(context, args),
        State::Restore(args) => restore::run(context, args),
        State::Rekey(args) => rekey::run(context, args),
        State::Check(args) => check::run(context, args),
    }
}

/// What a state holds, in a line: `12 events, 12 runs (10 delivered, 2 pending), 3 rows from before their start`
fn summary(holds: &Holds) -> String {
    let of = |state: RunState| {
        let ours = holds.counts.runs.iter().filter(|(_, known, _)| *known == state);
        ours.map(|(_, _, many)| many).sum::<u64>()
    };
    let states = [
        RunState::Pending,
        RunState::Delivered,
        RunState::Filtered,
        RunState::Held,
        RunState::Dead,
        RunState::Dropped,
    ];
    let parts: Vec<String> = states
        .into_iter()
        .filter(|state| of(*state) > 0)
        .map(|state| format!("{} {}", of(state), state_word(state)))
        .collect();
    let runs = count(states.into_iter().map(of).sum(), "run", "runs");
    let runs = if parts.is_empty() { runs } else { format!("{runs} ({})", parts.join(", ")) };
    let primed: u64 = holds.counts.primed.iter().map(|(_, many)| many).sum();
    let events = count(holds.events, "event", "events");
    format!("{events}, {runs}, {}", count(primed, "row from before", "rows from before"))
}

/// An instant for people.
fn when(last: Option<Timestamp>) -> String {
    last.map_or_else(|| "the beginning".to_owned(), |last| last.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
