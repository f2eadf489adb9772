//! `zaprun state check`

use std::path::PathBuf;

use zaprun_store::check;

use super::{summary, when};
use crate::commands::runs::state_error;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Read all of the state, or of a copy, and say whether it holds together
///
/// Reads every page, checks that what belongs together is there, and counts all rows against the counts that the state
/// keeps. Changes nothing, and may run beside zaprun.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 it is whole, 1 it is not, 2 no project.")]
pub(crate) struct Args {
    /// A copy [default: the project's state]
    file: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let path = match &args.file {
        Some(file) => file.clone(),
        None => open(context)?.state,
    };
    let holds = check(&path).map_err(|error| state_error(&error, &path))?;
    let text = format!("{}: whole, {}, up to {}\n", path.display(), summary(&holds), when(holds.last));
    context.printer.data(&text)?;
    if !holds.adds_up {
        context.printer.warning("the counts that the state keeps differ from its rows");
    }
    Ok(Exit::findings(!holds.adds_up))
}
