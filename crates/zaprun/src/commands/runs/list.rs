//! `zaprun runs list`

use std::collections::BTreeSet;

use clap::ValueEnum;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zaprun_core::definition::Duration;
use zaprun_core::diagnostic::did_you_mean;
use zaprun_engine::ports::{Clock, History, RunFilter, RunReason, RunState, RunSummary, StoreError};
use zaprun_store::SqliteReader;

use super::show::attempts;
use super::{STATES, read_state, state_error, state_word};
use crate::clock::SystemClock;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{Opened, open};
use crate::output::{Printer, Table, Tone, count};
use crate::watch::reason_text;

/// List runs, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,

    /// At most so many
    #[arg(long, value_name = "N", env = "ZAPRUN_LIMIT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// How to write them
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

/// Which runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Filter {
    /// Only this zap
    #[arg(long, value_name = "NAME", env = "ZAPRUN_ZAP")]
    zap: Option<String>,

    /// Only these states: pending, delivered, filtered, held, dead, dropped
    #[arg(long, value_name = "STATE", env = "ZAPRUN_STATUS", value_delimiter = ',', value_parser = parse_state)]
    status: Vec<RunState>,

    /// Only runs made since: 24h, 7d, a date (from midnight UTC) or an RFC 3339 time
    #[arg(long, value_name = "WHEN", env = "ZAPRUN_SINCE", value_parser = parse_since)]
    since: Option<Since>,

    /// Only runs made before
    #[arg(long, value_name = "WHEN", env = "ZAPRUN_UNTIL", value_parser = parse_since)]
    until: Option<Since>,

    /// Only runs whose reason, event or record as received holds this text, in upper or lower case
    #[arg(long, value_name = "TEXT", env = "ZAPRUN_TEXT")]
    text: Option<String>,
}

impl Filter {
    /// Whether it names nothing.
    pub(super) fn is_empty(&self) -> bool {
        let Filter { zap, status, since, until, text } = self;
        zap.is_none() && status.is_empty() && since.is_none() && until.is_none() && text.is_none()
    }

    /// What it means now, without a limit.
    pub(super) fn meant(&self) -> RunFilter {
        RunFilter {
            zap: self.zap.clone(),
            states: self.status.clone(),
            since: self.since.map(Since::at),
            until: self.until.map(Since::at),
            text: self.text.clone(),
            limit: usize::MAX,
        }
    }

    /// Refuses a zap that neither the state nor the project has.
    pub(super) async fn known_zap(&self, opened: &Opened, reader: &SqliteReader) -> Result<(), CommandError> {
        match &self.zap {
            Some(name) => known_zap(opened, reader, name).await,
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// A time, or so long before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    At(Timestamp),
    Ago(SignedDuration),
}

impl Since {
    fn at(self) -> Timestamp {
        match self {
            Since::At(at) => at,
            Since::Ago(duration) => SystemClock.now().checked_sub(duration).unwrap_or(Timestamp::MIN),
        }
    }
}

fn parse_state(text: &str) -> Result<RunState, String> {
    let words: Vec<&str> = STATES.iter().map(|(word, _)| *word).collect();
    let found = STATES.iter().find(|(word, _)| *word == text.trim());
    found.map(|(_, state)| *state).ok_or_else(|| format!("there are {}", words.join(", ")))
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(duration) = text.parse::<Duration>()
        && let Ok(duration) = SignedDuration::try_from(duration.0)
    {
        return Ok(Since::Ago(duration));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    let day = text.parse::<Date>().ok().filter(|_| text.len() == 10);
    let midnight = day.and_then(|day| day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    midnight
        .map(|zoned| Since::At(zoned.timestamp()))
        .ok_or_else(|| "write 24h, 7d, 2026-09-16 or 2026-09-16T14:00:00Z".to_owned())
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let filter = RunFilter { limit: args.limit as usize, ..args.filter.meant() };
    let reader = read_state(&opened)?;
    let refused = |error| state_error(&error, &opened.state);
    let runs = context.block_on(async { reader.runs(filter).await.map_err(refused) })?;
    if runs.is_empty() {
        context.block_on(args.filter.known_zap(&opened, &reader))?;
    }
    match args.format {
        Format::Json => {
            let attempts = context.block_on(async { all_attempts(&reader, &runs).await.map_err(refused) })?;
            context.printer.data(&opened.masker.text(&json(&runs, &attempts)))?;
        }
        Format::Text => {
            context.printer.data(&opened.masker.text(&table(&runs, &context.printer)))?;
            context.printer.note(&match runs.len() {
                0 => "no runs".to_owned(),
                shown if shown == args.limit as usize => {
                    format!("the newest {}; --limit shows more", count(shown as u64, "run", "runs"))
                }
                shown => count(shown as u64, "run", "runs"),
            });
        }
    }
    Ok(Exit::Fine)
}

/// Refuses a name that neither the state nor the project has.
async fn known_zap(opened: &Opened, reader: &SqliteReader, name: &str) -> Result<(), CommandError> {
    let ask = |zap: Option<&str>, limit| {
        let filter = RunFilter { zap: zap.map(str::to_owned), limit, ..RunFilter::default() };
        async { reader.runs(filter).await.map_err(|error| state_error(&error, &opened.state)) }
    };
    let mut names: BTreeSet<String> = opened.names.iter().cloned().collect();
    if names.contains(name) || !ask(Some(name), 1).await?.is_empty() {
        return Ok(());
    }
    names.extend(ask(None, RECENT).await?.into_iter().map(|run| run.zap));
    let error = CommandError::failure(format!("there is no zap `{name}` in the state"));
    Err(match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(likely) => error.hint(format!("did you mean `{likely}`?")),
        None => error,
    })
}

/// How many runs are looked at for the names of zaps.
const RECENT: usize = 1000;

/// The attempts of each run; a run that is gone meanwhile keeps those of its summary.
async fn all_attempts(reader: &SqliteReader, runs: &[RunSummary]) -> Result<Vec<u32>, StoreError> {
    let mut all = Vec::with_capacity(runs.len());
    for run in runs {
        all.push(match run.state {
            RunState::Pending | RunState::Filtered | RunState::Dropped => run.attempts,
            _ => reader.run(run.id).await?.map_or(run.attempts, |detail| attempts(&detail)),
        });
    }
    Ok(all)
}

/// The runs for people.
pub(crate) fn table(runs: &[RunSummary], printer: &Printer) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(printer, &["run", "state", "zap", "event", "made", "why"]).right(&[0]);
    for run in runs {
        let tone = match run.state {
            RunState::Delivered => Tone::Good,
            RunState::Dead | RunState::Held => Tone::Bad,
            RunState::Pending if run.attempts > 0 => Tone::Doubtful,
            RunState::Pending => Tone::Plain,
            RunState::Filtered | RunState::Dropped => Tone::Quiet,
        };
        table.toned([
            (run.id.to_string(), Tone::Plain),
            (state_word(run.state).to_owned(), tone),
            (run.zap.clone(), Tone::Plain),
            (run.event.to_string(), Tone::Plain),
            (run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), Tone::Quiet),
            (why(run), Tone::Plain),
        ]);
    }
    table.render()
}

/// Why a run is where it is; nothing where that needs no reason.
pub(super) fn why(run: &RunSummary) -> String {
    // What was delivered needs no reason, unless it was left half-way.
    if run.reason.word == "delivered" {
        return String::new();
    }
    let mut why = reason_text(&run.reason);
    if run.attempts > 0 {
        why.push_str(&format!(", {}", count(u64::from(run.attempts), "attempt", "attempts")));
    }
    // These are due already, or wait for another run.
    let waits = run.attempts > 0 || !matches!(run.reason.word.as_str(), "queued" | "failing");
    if let Some(due) = run.due_at.filter(|_| waits) {
        why.push_str(&format!(", next at {}", due.strftime("%Y-%m-%dT%H:%M:%SZ")));
    }
    why
}

#[derive(Serialize)]
struct List<'a> {
    runs: Vec<Summary<'a>>,
}

/// A run as machines read it.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    id: i64,
    zap: &'a str,
    event: String,
    state: &'static str,
    reason: Reason<'a>,
    made_at: String,
    changed_at: String,
    due_at: Option<String>,
    attempts: u32,
}

/// Why a run is in its state, or will be.
#[derive(Serialize)]
pub(super) struct Reason<'a> {
    word: &'a str,
    detail: &'a str,
}

impl<'a> Reason<'a> {
    pub(super) fn of(reason: &'a RunReason) -> Self {
        Reason { word: &reason.word, detail: &reason.detail }
    }
}

impl<'a> Summary<'a> {
    /// A run and the attempts made for it.
    pub(super) fn of(run: &'a RunSummary, attempts: u32) -> Self {
        Summary {
            id: run.id.0,
            zap: &run.zap,
            event: run.event.to_string(),
            state: state_word(run.state),
            reason: Reason::of(&run.reason),
            made_at: run.created_at.to_string(),
            changed_at: run.updated_at.to_string(),
            due_at: run.due_at.map(|at| at.to_string()),
            attempts,
        }
    }
}

fn json(runs: &[RunSummary], attempts: &[u32]) -> String {
    let runs = runs.iter().zip(attempts).map(|(run, attempts)| Summary::of(run, *attempts));
    crate::output::pretty(&List { runs: runs.collect() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    #[test]
    fn since_takes_durations_dates_and_times() {
        assert_eq!(parse_since("24h").unwrap(), Since::Ago(SignedDuration::from_hours(24)));
        assert_eq!(parse_since("2026-09-16").unwrap(), Since::At("2026-09-16T00:00:00Z".parse().unwrap()));
        assert_eq!(
            parse_since("2026-09-16T10:00:00-04:00").unwrap(),
            Since::At("2026-09-16T14:00:00Z".parse().unwrap())
        );
        for wrong in ["24", "yesterday", "2026-13-01", ""] {
            assert!(parse_since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reasons_say_what_a_run_waits_for() {
        let run = |state, word: &str, detail: &str, attempts| RunSummary {
            id: zaprun_engine::ports::RunId(7),
            zap: "chase".to_owned(),
            event: zaprun_engine::ports::EventKey { kind: "new_lead".to_owned(), id: "A".to_owned() },
            state,
            reason: RunReason { word: word.to_owned(), detail: detail.to_owned() },
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            due_at: (state == RunState::Pending).then_some(Timestamp::UNIX_EPOCH),
            attempts,
        };
        let (pending, delivered, held) = (RunState::Pending, RunState::Delivered, RunState::Held);
        let runs = [
            run(pending, "queued", "", 0),
            run(pending, "delayed", "step `chase` waits", 0),
            run(pending, "settling", "until the order has been quiet", 0),
            run(pending, "uncertain", "nothing of it is to be seen so far", 1),
            run(pending, "failing", "Do not honor", 0),
            run(delivered, "delivered", "", 0),
            run(delivered, "unless", "`unless` of `chase` holds", 0),
            run(delivered, "stopped", "`stop_if` of `ask` holds", 0),
            run(held, "chain", "4 of zaprun's own writes led here", 0),
            run(RunState::Filtered, "own", "zaprun made this lead itself", 0),
            run(RunState::Dead, "declined", "Do not honor", 0),
        ];
        let said: Vec<String> = runs.iter().map(why).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        queued
        delayed: step `chase` waits, next at 1970-01-01T00:00:00Z
        settling: until the order has been quiet, next at 1970-01-01T00:00:00Z
        uncertain: nothing of it is to be seen so far, 1 attempt, next at 1970-01-01T00:00:00Z
        failing: Do not honor

        unless: `unless` of `chase` holds
        stopped: `stop_if` of `ask` holds
        chain: 4 of zaprun's own writes led here
        own: zaprun made this lead itself
        declined: Do not honor
        ");
    }

    #[test]
    fn states_have_their_words() {
        for (word, state) in STATES {
            assert_eq!(parse_state(word).unwrap(), *state);
            assert_eq!(state_word(*state), *word);
        }
        assert!(parse_state("done").unwrap_err().contains("delivered"));
    }
}
