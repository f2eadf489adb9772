//! `zaprun runs why`

use std::collections::BTreeSet;

use clap::builder::BoolishValueParser;
use serde::Serialize;
use zaprun_engine::ports::{EventKey, History, RunId, RunSummary};
use zaprun_store::{EntryFate, SqliteReader};

use super::list::{Format, why};
use super::{read_state, state_error, state_word};
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit};
use crate::loading::open;
use crate::output::{Table, Tone, clean, count, pretty};

/// Find every run in which a value occurs, and say what happened and why
///
/// An order id, a transaction id, an e-mail address. Natural ids are looked up at once, in every zap, primed ones too:
/// what was there before the zap began. Then what is kept of each run is read, newest first: records, replies, reasons;
/// with a long history that takes a while, and --fast leaves it out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 found, 1 nothing was found, 2 bad usage or no project, 130 on Ctrl-C.")]
pub(crate) struct Args {
    /// An order id, an e-mail address, a transaction id, or any other value that stands alone
    #[arg(value_name = "VALUE")]
    value: String,

    /// Look in the ledgers only, not through what is kept of each run
    #[arg(long, env = "ZAPRUN_FAST", value_parser = BoolishValueParser::new())]
    fast: bool,

    /// At most so many runs
    #[arg(long, value_name = "N", env = "ZAPRUN_LIMIT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// How to write them
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

/// So many runs are read at a time.
pub(crate) const WINDOW: i64 = 10_000;

/// An event of a zap, and what became of it.
struct Found {
    run: Option<RunId>,
    state: &'static str,
    zap: String,
    event: EventKey,
    made: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct Told<'a> {
    found: Vec<Entry<'a>>,
    /// Whether all that is kept was looked through.
    complete: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    run: Option<i64>,
    state: &'a str,
    zap: &'a str,
    event: String,
    made_at: Option<&'a str>,
    why: &'a str,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let value = args.value.trim();
    if value.is_empty() {
        return Err(CommandError::usage("say what to look for"));
    }
    let reader = read_state(&opened)?;
    let most = args.limit as usize;
    let refused = |error| state_error(&error, &opened.state);
    let (found, complete) = context.block_on(interruptible(async {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in reader.entries(value).await.map_err(refused)? {
            let of = of_entry(entry);
            seen.extend(of.run);
            found.push(of);
        }
        if args.fast {
            return Ok((found, false));
        }
        let mut from = None;
        loop {
            let window = reader.window(value, from, WINDOW).await.map_err(refused)?;
            for run in window.runs {
                if found.len() < most && seen.insert(run) {
                    found.extend(of_run(&reader, run).await.map_err(refused)?);
                }
            }
            from = window.next;
            let Some(next) = from else { return Ok((found, true)) };
            if found.len() >= most {
                return Ok((found, false));
            }
            if context.printer.is_live() {
                let left = count(u64::try_from(next.0).unwrap_or_default(), "run", "runs");
                context.printer.note(&format!("{left} still to be looked through; Ctrl-C ends it"));
            }
        }
    }))?;
    match args.format {
        Format::Json => {
            let told = Told { found: found.iter().map(entry).collect(), complete };
            context.printer.data(&opened.masker.text(&pretty(&told)))?;
        }
        Format::Text => {
            if !found.is_empty() {
                let headings = ["run", "state", "zap", "event", "made", "why"];
                let mut table = Table::new(&context.printer, &headings).right(&[0]);
                found.iter().for_each(|found| table.toned(cells(found)));
                context.printer.data(&opened.masker.text(&table.render()))?;
            }
            context.printer.note(&match (found.len(), complete, args.fast) {
                (0, _, true) => {
                    "no ledger has it; without --fast what is kept of each run is looked through".to_owned()
                }
                (0, ..) => "nothing that is kept has it".to_owned(),
                (all, false, false) => format!("the newest {all}; --limit shows more"),
                (all, ..) => format!("found {}", count(all as u64, "time", "times")),
            });
        }
    }
    Ok(Exit::findings(found.is_empty()))
}

fn of_entry(entry: zaprun_store::Entry) -> Found {
    let (run, state, why) = match entry.fate {
        EntryFate::Run(run) => return of_summary(*run),
        EntryFate::Pruned(run) => (Some(run), "over", "its history was thrown away once its time was over"),
        EntryFate::Primed => (None, "primed", "it was there before the zap began, or zaprun made it itself"),
        EntryFate::Undated => (None, "primed", "nothing dates it, so it counts as from before the zap began"),
    };
    Found { run, state, zap: entry.zap, event: entry.event, made: None, why: why.to_owned() }
}

async fn of_run(
    reader: &SqliteReader,
    run: RunId,
) -> Result<Option<Found>, zaprun_engine::ports::StoreError> {
    Ok(reader.run(run).await?.map(|detail| of_summary(detail.summary)))
}

fn of_summary(run: RunSummary) -> Found {
    Found {
        run: Some(run.id),
        state: state_word(run.state),
        made: Some(run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        why: why(&run),
        zap: run.zap,
        event: run.event,
    }
}

fn entry(found: &Found) -> Entry<'_> {
    Entry {
        run: found.run.map(|run| run.0),
        state: found.state,
        zap: &found.zap,
        event: found.event.to_string(),
        made_at: found.made.as_deref(),
        why: &found.why,
    }
}

fn cells(found: &Found) -> [(String, Tone); 6] {
    let tone = match found.state {
        "delivered" => Tone::Good,
        "dead" | "held" => Tone::Bad,
        "pending" => Tone::Plain,
        _ => Tone::Quiet,
    };
    [
        (found.run.map(|run| run.to_string()).unwrap_or_default(), Tone::Plain),
        (found.state.to_owned(), tone),
        (found.zap.clone(), Tone::Plain),
        (found.event.to_string(), Tone::Plain),
        (found.made.clone().unwrap_or_default(), Tone::Quiet),
        (clean(&found.why).into_owned(), Tone::Plain),
    ]
}
