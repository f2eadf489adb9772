//! `zaprun runs drop`

use zaprun_engine::ports::{Answer, Command, RunState, RunSummary, drop_refusal};

use super::desk::{Desk, PATIENCE, interrupted};
use super::pick::{Manner, Pick, chosen};
use super::read_state;
use crate::clock::SystemClock;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Give up runs that wait or are dead
///
/// A dropped run is not sent any more; `runs replay` brings it back. By a filter that names no state, held and dead runs
/// are meant: pending ones only where --status names them. One that is being sent just now is left as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 dropped, 1 some were not, 2 bad usage or no project, 130 on Ctrl-C.")]
pub(crate) struct Args {
    #[command(flatten)]
    pick: Pick,

    #[command(flatten)]
    manner: Manner,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let usual = [RunState::Held, RunState::Dead];
    let found = context.block_on(args.pick.find(&reader, &opened, &usual))?;
    let (runs, refused) = sort(found);
    if let Some(exit) = args.manner.agree(context, &opened, "drop", &runs, &refused)? {
        return Ok(exit);
    }
    let desk = Desk { state: &opened.state, clock: &SystemClock, patience: PATIENCE };
    let command = Command::Drop { runs: chosen(&runs) };
    let mut outcome = context.block_on(desk.carry_out(command, interrupted()))?;
    outcome.answer = refused.and(outcome.answer);
    args.manner.told(context, "dropped", &outcome, None)
}

/// Those that can be dropped, and why the others cannot.
fn sort(found: Vec<RunSummary>) -> (Vec<RunSummary>, Answer) {
    let (mut runs, mut refused) = (Vec::new(), Answer::default());
    for run in found {
        match drop_refusal(run.state) {
            None => runs.push(run),
            Some(why) => refused.add(run.id, Err(why)),
        }
    }
    (runs, refused)
}
