//! `zaprun forget`

use std::collections::BTreeSet;

use zaprun_engine::ports::{Answer, Command, History, RunId, RunState, RunSummary, StoreError};
use zaprun_store::SqliteReader;

use super::runs::desk::{Desk, PATIENCE, interrupted};
use super::runs::pick::{Manner, chosen};
use super::runs::{read_state, state_error, state_word};
use crate::clock::SystemClock;
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit};
use crate::loading::open;

/// Take a person out of history
///
/// Erases what is kept of the runs in which the address occurs: records, replies, reasons, what came with a webhook. That
/// a run was, when, and how it ended stays. Where the address itself is a key (`once_per`, a webhook's key), a hash of it
/// is kept, so that nothing is sent twice. A dead run of theirs is dropped; one that still waits is named and left: deliver
/// or drop it, and ask again. What is deleted is overwritten in the file and its log; copies of the file are yours to mind.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 erased, 1 something was left, 2 bad usage or no project, 130 on Ctrl-C.")]
pub(crate) struct Args {
    /// The person's e-mail address
    #[arg(value_name = "EMAIL")]
    email: String,

    /// Another value that only this person's records hold: a customer id, another address; may be repeated
    #[arg(long, value_name = "VALUE", env = "ZAPRUN_ALSO", value_delimiter = ',')]
    also: Vec<String>,

    #[command(flatten)]
    manner: Manner,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let email = args.email.trim();
    if !email.contains('@') {
        return Err(CommandError::usage(format!("`{email}` is no e-mail address")));
    }
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let mut values = BTreeSet::from([email.to_owned(), email.to_lowercase()]);
    values.extend(args.also.iter().map(|also| also.trim().to_owned()).filter(|also| !also.is_empty()));
    let found = interruptible(async {
        find(&reader, &mut values).await.map_err(|error| state_error(&error, &opened.state))
    });
    let found = context.block_on(found)?;
    let (mut runs, mut refused) = (Vec::new(), Answer::default());
    for run in found {
        match run.state {
            RunState::Pending | RunState::Held => {
                let why = format!("it is {}; deliver or drop it, and ask again", state_word(run.state));
                refused.add(run.id, Err(why));
            }
            _ => runs.push(run),
        }
    }
    // Keys may be all that is left of somebody.
    let keys = runs.is_empty() && refused.refused.is_empty();
    if keys && args.manner.dry_run {
        context.printer.note("no run has it; nothing was done");
        return Ok(Exit::Fine);
    }
    if !keys
        && let Some(exit) =
            args.manner.agree(context, &opened, "erase what tells of a person in", &runs, &refused)?
    {
        return Ok(exit);
    }
    let desk = Desk { state: &opened.state, clock: &SystemClock, patience: PATIENCE };
    let command = Command::Erase { runs: chosen(&runs), values: values.into_iter().collect() };
    let mut outcome = context.block_on(desk.carry_out(command, interrupted()))?;
    outcome.answer = refused.and(outcome.answer);
    args.manner.told(context, "erased", &outcome, None)
}

/// So many runs are read at a time.
const WINDOW: i64 = 10_000;

/// The runs in which one of the values occurs; and each spelling of them that their records have.
async fn find(reader: &SqliteReader, values: &mut BTreeSet<String>) -> Result<Vec<RunSummary>, StoreError> {
    let mut ids: BTreeSet<RunId> = BTreeSet::new();
    let asked: BTreeSet<String> = values.iter().map(|value| value.to_lowercase()).collect();
    for value in &asked {
        let mut from = None;
        loop {
            let window = reader.window(value, from, WINDOW).await?;
            ids.extend(window.runs);
            from = window.next;
            if from.is_none() {
                break;
            }
        }
    }
    let mut runs = Vec::new();
    for id in ids {
        // It may be gone since.
        let Some(detail) = reader.run(id).await? else { continue };
        let texts = [Some(&detail.event.record), detail.fresh.as_ref(), detail.event.context.as_ref()];
        for text in texts.into_iter().flatten() {
            let json: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
            spellings(&json, &asked, values);
        }
        runs.push(detail.summary);
    }
    Ok(runs)
}

fn spellings(json: &serde_json::Value, asked: &BTreeSet<String>, values: &mut BTreeSet<String>) {
    match json {
        serde_json::Value::String(text) if asked.contains(&text.trim().to_lowercase()) => {
            values.insert(text.clone());
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| spellings(item, asked, values)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|member| spellings(member, asked, values));
        }
        _ => {}
    }
}
