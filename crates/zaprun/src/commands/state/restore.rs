//! `zaprun state restore`

use std::path::PathBuf;

use zaprun_core::crm::Repeat;
use zaprun_core::zap::Zap;
use zaprun_engine::ports::{Clock, StoreError};
use zaprun_store::restore;

use super::{summary, when};
use crate::clock::SystemClock;
use crate::commands::runs::state_error;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Put a copy in the place of the state
///
/// Refused while zaprun runs. The copy is read through first and stays where it is; the former state is kept beside the
/// new one, under a name with the date.
///
/// A restored state does not know what was sent after the copy was made. Events since then are found again and their
/// steps done again: an http action with the same idempotency key as before, an update of a customer with the same
/// result. Other writes to the CRM are looked for first only where the copy knows that they had begun; a sale or a refund
/// of which it does not know is made again. Before zaps that move money run on a restored state, compare the CRM's own
/// orders since the copy, or switch those zaps off.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 restored, 1 it was not and nothing was changed, 2 no project.")]
pub(crate) struct Args {
    /// The copy, as `zaprun state backup` wrote it
    file: PathBuf,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let restored = restore(&opened.state, &args.file, SystemClock.now()).map_err(|error| match error {
        StoreError::Busy { .. } => CommandError::failure(error.to_string())
            .hint("end it first: what it knows would be lost under it"),
        StoreError::Missing { path } => CommandError::failure(format!("there is no copy at {path}")),
        _ => state_error(&error, &opened.state),
    })?;
    let (state, file) = (opened.state.display(), args.file.display());
    let printer = context.printer;
    printer.note(&format!("{state} is now what {file} holds: {}", summary(&restored.holds)));
    if let Some(former) = &restored.former {
        printer.note(&format!("the former state is kept as {}", former.display()));
    }
    let last = when(restored.holds.last);
    printer.warning(&format!("what was sent after {last} is not known any more and will be sent again"));
    printer.hint(
        "http actions are repeated with the same idempotency key; `zaprun state restore --help` says more",
    );
    let paying: Vec<String> = opened.zaps.iter().filter(|zap| moves_money(zap)).map(named).collect();
    if !paying.is_empty() {
        printer.warning(&format!(
            "{} {} money: a sale or a refund made after {last} would be made again",
            paying.join(", "),
            if paying.len() == 1 { "moves" } else { "move" },
        ));
        printer.hint("before `zaprun run`, compare the CRM's orders since then, or let these zaps say `enabled: false`");
    }
    Ok(Exit::Fine)
}

fn named(zap: &Zap) -> String {
    format!("`{}`", zap.name)
}

/// Whether one of its steps may not be repeated without proof.
fn moves_money(zap: &Zap) -> bool {
    let mut steps = zap.actions.iter().chain(&zap.on_failure);
    zap.enabled && steps.any(|step| step.endpoint().is_some() && step.repeat() == Repeat::Never)
}
