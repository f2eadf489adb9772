//! `zaprun status`

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zaprun_core::zap::{Trigger, Zap};
use zaprun_engine::ports::{Clock, History, RunState, Swept, ZapStatus};

use super::runs::list::Format;
use super::runs::{STATES, read_state, state_error};
use crate::clock::SystemClock;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;
use crate::output::{Printer, Table, Tone, count, pretty};

/// Say how the zaps stand: counts, what waits, what needs a person
///
/// The counts add up: each entry of a zap's ledger is a run in one state, was there before the zap began (primed), or is a
/// run whose time was over (pruned). Here that is proven, entry by entry.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 all is well, 1 a trigger is overdue, a run is dead or held, or counts do not add up, 2 bad usage or no project."
)]
pub(crate) struct Args {
    /// How to write it
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,

    /// Short for --format json
    #[arg(long, env = "ZAPRUN_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

/// Triggers that poll are overdue when they have not been read to their end for so many times `every`, and for this long.
const TIMES: i32 = 3;
/// See [`TIMES`].
const LEAST: SignedDuration = SignedDuration::from_hours(1);

/// What the project says of a zap that the state knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Runs,
    SwitchedOff,
    /// The project has no valid zap of that name.
    Removed,
}

/// A zap as machines read it.
#[derive(Serialize)]
struct Line {
    zap: String,
    standing: Standing,
    pending: u64,
    delivered: u64,
    filtered: u64,
    held: u64,
    dead: u64,
    dropped: u64,
    primed: u64,
    pruned: u64,
    /// Entries of the ledger: the sum of the above.
    ledger: u64,
    adds_up: bool,
    oldest_pending_at: Option<String>,
    last_success_at: Option<String>,
    /// Up to when its trigger has been read.
    read_up_to: Option<String>,
    overdue: bool,
}

/// The latest deep sweep of a query, as machines read it.
#[derive(Serialize)]
struct SweepLine {
    connection: String,
    query: String,
    at: String,
    rows: u64,
    late: u64,
    /// The completeness figure.
    unknown: u64,
}

#[derive(Serialize)]
struct Report {
    well: bool,
    zaps: Vec<Line>,
    sweeps: Vec<SweepLine>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let (status, sweeps) = context.block_on(async {
        let looked = async { Ok((reader.status(true).await?, reader.sweeps().await?)) };
        looked.await.map_err(|error| state_error(&error, &opened.state))
    })?;
    let now = SystemClock.now();
    let zaps: Vec<Line> = status.zaps.iter().map(|status| line(status, &opened.zaps, now)).collect();
    let whole = sweeps.queries.iter().all(|swept| swept.unknown == 0);
    let well = whole && zaps.iter().all(|zap| !zap.overdue && zap.dead == 0 && zap.held == 0 && zap.adds_up);
    let swept = |swept: &Swept| SweepLine {
        connection: swept.connection.clone(),
        query: swept.query.clone(),
        at: format!("{:.0}", swept.at),
        rows: swept.rows,
        late: swept.late,
        unknown: swept.unknown,
    };
    let report = Report { well, zaps, sweeps: sweeps.queries.iter().map(swept).collect() };
    if args.json || args.format == Format::Json {
        context.printer.data(&opened.masker.text(&pretty(&report)))?;
    } else {
        if !report.zaps.is_empty() {
            context.printer.data(&opened.masker.text(&table(
                &report,
                &status.zaps,
                now,
                &context.printer,
            )))?;
        }
        if !sweeps.queries.is_empty() {
            context.printer.data(&format!("\n{}", swept_table(&sweeps.queries, now, &context.printer)))?;
        }
        report.zaps.iter().for_each(|zap| tell(zap, &context.printer));
        for swept in sweeps.queries.iter().filter(|swept| swept.unknown > 0) {
            let rows = count(swept.unknown, "row is", "rows are");
            let (connection, query) = (&swept.connection, &swept.query);
            context
                .printer
                .warning(&format!("{connection}: {rows} not in the ledger after a deep sweep of {query}"));
        }
    }
    Ok(Exit::findings(!well))
}

fn line(status: &ZapStatus, zaps: &[Zap], now: Timestamp) -> Line {
    let zap = zaps.iter().find(|zap| zap.name == status.name);
    let standing = match zap {
        None => Standing::Removed,
        Some(zap) if zap.enabled => Standing::Runs,
        Some(_) => Standing::SwitchedOff,
    };
    let text = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
    let ledger = status.ledger.unwrap_or_default();
    Line {
        zap: status.name.clone(),
        standing,
        pending: status.count(RunState::Pending),
        delivered: status.count(RunState::Delivered),
        filtered: status.count(RunState::Filtered),
        held: status.count(RunState::Held),
        dead: status.count(RunState::Dead),
        dropped: status.count(RunState::Dropped),
        primed: status.primed,
        pruned: status.pruned,
        ledger,
        adds_up: ledger == status.sum(),
        oldest_pending_at: text(status.oldest_pending),
        last_success_at: text(status.last_success),
        read_up_to: text(status.cursor),
        overdue: zap.filter(|zap| zap.enabled).is_some_and(|zap| overdue(zap, status, now)),
    }
}

/// Whether a trigger that polls has not been read to its end for long.
fn overdue(zap: &Zap, status: &ZapStatus, now: Timestamp) -> bool {
    let every = match &zap.trigger {
        // Where nothing changes a walk comes with each `sweep` only.
        Trigger::Crm(trigger) => trigger.every.max(trigger.sweep),
        Trigger::Http(trigger) => trigger.every,
        // Nothing says when a webhook must come; a schedule catches up by itself.
        Trigger::Webhook(_) | Trigger::Schedule(_) => return false,
    };
    let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
    let limit = every.checked_mul(TIMES).unwrap_or(SignedDuration::MAX).max(LEAST);
    now.duration_since(status.cursor.unwrap_or(status.opened_at)) > limit
}

fn table(report: &Report, status: &[ZapStatus], now: Timestamp, printer: &Printer) -> String {
    let mut headings = vec!["zap"];
    headings.extend(STATES.iter().map(|(word, _)| *word));
    headings.extend(["primed", "pruned", "ledger", "oldest pending", "last success", "read up to"]);
    let right: Vec<usize> = (1..=9).collect();
    let mut table = Table::new(printer, &headings).right(&right);
    for (line, status) in report.zaps.iter().zip(status) {
        let mut cells = vec![(line.zap.clone(), Tone::Plain)];
        for (_, state) in STATES {
            let n = status.count(*state);
            let tone = match state {
                RunState::Dead | RunState::Held if n > 0 => Tone::Bad,
                _ if n == 0 => Tone::Quiet,
                _ => Tone::Plain,
            };
            cells.push((n.to_string(), tone));
        }
        for n in [line.primed, line.pruned, line.ledger] {
            cells.push((n.to_string(), Tone::Quiet));
        }
        let oldest = status.oldest_pending.map(|at| ago(now, at)).unwrap_or_default();
        let last = status.last_success.map(|at| ago(now, at)).unwrap_or_default();
        cells.push((oldest, Tone::Plain));
        cells.push((last, Tone::Plain));
        let read = status.cursor.map(|at| ago(now, at)).unwrap_or_default();
        cells.push((read, if line.overdue { Tone::Bad } else { Tone::Plain }));
        table.toned(cells);
    }
    table.render()
}

/// What the latest deep sweeps have shown: late rows, and what no ledger knows after them, which must be nothing.
fn swept_table(sweeps: &[Swept], now: Timestamp, printer: &Printer) -> String {
    let headings = ["connection", "deep sweep of", "when", "rows", "late", "unknown"];
    let mut table = Table::new(printer, &headings).right(&[3, 4, 5]);
    for swept in sweeps {
        let late = if swept.late > 0 { Tone::Plain } else { Tone::Quiet };
        let unknown = if swept.unknown > 0 { Tone::Bad } else { Tone::Quiet };
        table.toned(vec![
            (swept.connection.clone(), Tone::Plain),
            (swept.query.clone(), Tone::Plain),
            (ago(now, swept.at), Tone::Plain),
            (swept.rows.to_string(), Tone::Quiet),
            (swept.late.to_string(), late),
            (swept.unknown.to_string(), unknown),
        ]);
    }
    table.render()
}

/// `3m ago`, in the largest unit that fits.
fn ago(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "m"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number}{unit} ago")
}

/// What a person has to look at.
fn tell(zap: &Line, printer: &Printer) {
    let name = &zap.zap;
    let warn = |text: String| printer.warning(&text);
    if !zap.adds_up {
        warn(format!("`{name}`: its counts do not add up to the {} entries of its ledger", zap.ledger));
    }
    if zap.overdue {
        warn(match &zap.read_up_to {
            Some(at) => format!("`{name}` is overdue: what it reads has not been read to its end since {at}"),
            None => format!("`{name}` is overdue: what it reads has never been read to its end"),
        });
    }
    let person = zap.held + zap.dead;
    if person > 0 {
        let runs = count(person, "run needs", "runs need");
        warn(format!("`{name}`: {runs} a person; `zaprun runs list --zap {name} --status held,dead`"));
    }
    let nobody = match zap.standing {
        Standing::Runs => return,
        Standing::SwitchedOff => "it is switched off",
        Standing::Removed => "the project has no such valid zap",
    };
    if zap.pending > 0 {
        let runs = count(zap.pending, "run waits", "runs wait");
        warn(format!("`{name}`: {runs} and nobody delivers: {nobody}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
        let ages = [0, 59, 60, 3_599, 3_600, 172_799, 172_800].map(|seconds| ago(at(seconds), at(0)));
        assert_eq!(ages, ["0s ago", "59s ago", "1m ago", "59m ago", "1h ago", "47h ago", "2d ago"]);
        // A clock that was set back.
        assert_eq!(ago(at(0), at(9)), "0s ago");
    }
}
