//! `zaprun state backup`

use std::path::PathBuf;

use zaprun_store::back_up;

use super::{summary, when};
use crate::commands::runs::state_error;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Write a whole copy of the state to a file, also while zaprun runs
///
/// The file must not be there yet. It is readable by its owner only, since it holds personal data, and it appears only
/// once it was read back and found whole.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 the copy is there and whole, 1 it is not, 2 no project.")]
pub(crate) struct Args {
    /// The file to write
    file: PathBuf,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let holds = back_up(&opened.state, &args.file).map_err(|error| state_error(&error, &opened.state))?;
    let (file, what) = (args.file.display(), summary(&holds));
    context.printer.note(&format!("{file}: {what}; it knows what happened up to {}", when(holds.last)));
    if !holds.adds_up {
        context
            .printer
            .warning("the copy is whole, but the counts that the state keeps differ from its rows");
    }
    Ok(Exit::Fine)
}
