//! `zaprun runs`

pub(crate) mod desk;
mod drop;
pub(crate) mod list;
pub(crate) mod pick;
mod render;
mod replay;
mod resolve;
mod show;
mod why;

use std::path::Path;

use clap::Subcommand;
use zaprun_engine::ports::{History, RunDetail, RunId, RunState, StoreError};
use zaprun_store::{SqliteReader, SqliteStore};

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::Opened;
use crate::output::clean;

/// See what happened to every event
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Runs,
}

#[derive(Debug, Subcommand)]
enum Runs {
    /// List runs, newest first
    List(list::Args),
    /// Show one run: its record, requests, replies and why it is where it is
    Show(show::Args),
    /// Find every run in which a value occurs, and say what happened and why
    Why(why::Args),
    /// Let runs that have ended go on, or begin anew
    Replay(replay::Args),
    /// Say what became of held runs' open steps, and let the runs go on
    Resolve(resolve::Args),
    /// Give up runs that wait or are dead
    Drop(drop::Args),
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Runs::List(args) => list::run(context, args),
        Runs::Show(args) => show::run(context, args),
        Runs::Why(args) => why::run(context, args),
        Runs::Replay(args) => replay::run(context, args),
        Runs::Resolve(args) => resolve::run(context, args),
        Runs::Drop(args) => drop::run(context, args),
    }
}

/// Looks at the state of a project.
pub(crate) fn read_state(opened: &Opened) -> Result<SqliteReader, CommandError> {
    SqliteStore::open_reader(&opened.state).map_err(|error| state_error(&error, &opened.state))
}

/// The number of a run.
pub(crate) fn parse_id(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| "a run has a number; `zaprun runs list` shows it".to_owned())
}

/// All that is kept of a run.
pub(crate) async fn find(reader: &impl History, state: &Path, id: i64) -> Result<RunDetail, CommandError> {
    let found = reader.run(RunId(id)).await.map_err(|error| state_error(&error, state))?;
    found.ok_or_else(|| {
        CommandError::failure(format!("there is no run {id}")).hint("`zaprun runs list` shows the newest")
    })
}

/// A step, or an element of one: `line[7]`
fn named(step: &str, element: Option<&str>) -> String {
    let name = element.map_or_else(|| step.to_owned(), |element| format!("{step}[{element}]"));
    clean(&name).into_owned()
}

/// A state that cannot be used, for people.
pub(crate) fn state_error(error: &StoreError, path: &Path) -> CommandError {
    let told = CommandError::failure(error.to_string());
    match error {
        StoreError::Missing { .. } => told.hint("nothing has run here yet: `zaprun run` makes the state"),
        StoreError::Busy { .. } => told
            .hint("one engine holds a state at a time; `zaprun run --dry-run` and `zaprun runs` only look"),
        StoreError::Newer { .. } => told.hint(
            "run the newer zaprun; nothing was changed, and the file must stay: it knows what was sent already",
        ),
        StoreError::Older { .. } => told.hint("`zaprun run` brings it up to date"),
        StoreError::Unusable { .. } => told.hint(format!(
            "nothing was changed; restore {} from a copy: without its state zaprun forgets what was sent",
            path.display()
        )),
        // It is about the place, not about the disk.
        StoreError::Io { reason } if names_folder(reason, path) => {
            told.hint("`state:` in zaprun.yaml says where the state is kept")
        }
        StoreError::Fenced | StoreError::Io { .. } | StoreError::Refused { .. } => told,
    }
}

/// Whether a reason names the folder of the state.
fn names_folder(reason: &str, state: &Path) -> bool {
    state.parent().is_some_and(|folder| reason.contains(&folder.display().to_string()))
}

/// The states by the words that people use.
pub(crate) const STATES: &[(&str, RunState)] = &[
    ("pending", RunState::Pending),
    ("delivered", RunState::Delivered),
    ("filtered", RunState::Filtered),
    ("held", RunState::Held),
    ("dead", RunState::Dead),
    ("dropped", RunState::Dropped),
];

pub(crate) fn state_word(state: RunState) -> &'static str {
    STATES.iter().find(|(_, known)| *known == state).map_or("unknown", |(word, _)| word)
}
