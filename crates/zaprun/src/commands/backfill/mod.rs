//! `zaprun backfill`

mod ask;
mod hand;
mod progress;

use std::path::Path;
use std::sync::Arc;

use clap::builder::BoolishValueParser;
use jiff::civil::Date;
use zaprun_core::zap::{CrmTrigger, Zap};
use zaprun_engine::polling::{Backfilled, backfill_days};
use zaprun_engine::ports::{Clock, DayWindow, History, StoreError};
use zaprun_engine::{Engine, EngineError, Options, Ports};
use zaprun_store::{Backfilling, SqliteStore};

use super::run::{choose, git, seed};
use super::runs::state_error;
use super::sample::refused;
use crate::clock::SystemClock;
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit};
use crate::loading::{Started, start};
use crate::output::{count, thousands};
use crate::wiring;
use progress::Shown;

/// Which days of which zap
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 all days are read, 1 they could not be, 2 bad usage or no project, 130 on Ctrl-C.\n\n\
                  Example: zaprun backfill new-sale --from 2026-01-01 --to 2026-04-01 --dry-run"
)]
pub(crate) struct Args {
    /// The zap, by name
    #[arg(value_name = "ZAP")]
    zap: String,

    /// The first day, by the record's `dateCreated`
    #[arg(long, value_name = "DATE", env = "ZAPRUN_FROM", value_parser = parse_date, required_unless_present = "stop")]
    from: Option<Date>,

    /// The day after the last one [default: to the present]
    #[arg(long, value_name = "DATE", env = "ZAPRUN_TO", value_parser = parse_date)]
    to: Option<Date>,

    /// Say how many would be sent; send and record nothing
    #[arg(long, env = "ZAPRUN_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,

    /// Do not ask
    #[arg(short, long, env = "ZAPRUN_YES", value_parser = BoolishValueParser::new())]
    yes: bool,

    /// Stop the backfills of the zap that are not over; what they have found stays
    #[arg(long, env = "ZAPRUN_STOP", value_parser = BoolishValueParser::new(), conflicts_with_all = ["from", "to", "dry_run"])]
    stop: bool,
}

fn parse_date(text: &str) -> Result<Date, String> {
    text.trim().parse().map_err(|_| "write a day like 2026-01-31".to_owned())
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let mut started = start(context, None)?;
    let state = wiring::state_path(&started.project.definition, &started.root);
    let zap = chosen(std::mem::take(&mut started.zaps), args)?;
    if args.stop {
        return stop(context, &state, &zap.name);
    }
    let trigger = polled(&zap)?;
    let days = days(args, trigger)?;
    let job = Job { context, started: &started, state: &state, zap: Arc::clone(&zap), days };
    if args.dry_run {
        return context.block_on(interruptible(job.try_out(trigger)));
    }
    if !args.yes {
        job.confirm()?;
    }
    context.block_on(job.work(trigger))
}

/// The zap that is meant, which must be one that runs.
fn chosen(zaps: Vec<Zap>, args: &Args) -> Result<Arc<Zap>, CommandError> {
    let chosen = choose(zaps, std::slice::from_ref(&args.zap))?;
    chosen.zaps.into_iter().next().ok_or_else(|| {
        CommandError::failure(format!("`{}` is switched off: nobody would deliver what is found", args.zap))
            .hint("let it say `enabled: true`")
    })
}

fn polled(zap: &Zap) -> Result<&CrmTrigger, CommandError> {
    zap.trigger.crm().ok_or_else(|| {
        CommandError::usage(format!("`{}` does not read the CRM", zap.name))
            .hint("`backfill` reads the past of triggers of type konnektive.*")
    })
}

fn days(args: &Args, trigger: &CrmTrigger) -> Result<DayWindow, CommandError> {
    // Clap wants it unless `--stop` is there.
    let from = args.from.ok_or_else(|| CommandError::usage("`--from` is missing"))?;
    let to = args.to.unwrap_or(Date::MAX);
    if let Some(to) = args.to.filter(|to| *to <= from) {
        return Err(CommandError::usage(format!("no day lies from {from} to before {to}"))
            .hint("`--to` is the day after the last one that is read"));
    }
    backfill_days(from, to, SystemClock.now(), &trigger.zone).ok_or_else(|| {
        CommandError::usage(format!("no day from {from} on has begun, or had a record"))
            .hint("records are read from 2000-01-01 to the present day")
    })
}

fn stop(context: &Context, state: &Path, zap: &str) -> Result<Exit, CommandError> {
    let stopped =
        Backfilling::stop(state, zap, SystemClock.now()).map_err(|error| state_error(&error, state))?;
    let text = match stopped {
        0 => format!("no backfill of `{zap}` is going on"),
        many => format!("stopped {}; what was found stays", count(many as u64, "backfill", "backfills")),
    };
    context.printer.note(&text);
    Ok(Exit::Fine)
}

/// What is to be done.
struct Job<'a> {
    context: &'a Context,
    started: &'a Started,
    state: &'a Path,
    zap: Arc<Zap>,
    days: DayWindow,
}

impl Job<'_> {
    /// Reads into a copy of the state, which knows what has fired, and says how much would.
    async fn try_out(&self, trigger: &CrmTrigger) -> Result<Exit, CommandError> {
        let store = SqliteStore::copy_in_memory(self.state).map_err(|error| self.told(&error))?;
        let done = self.read(Arc::new(store), trigger, true).await?;
        let text =
            format!("{} of {} would be sent", thousands(done.fired), count(done.rows, "record", "records"));
        self.context.printer.data(&text)?;
        Ok(Exit::Fine)
    }

    /// Does it under the lease, or has it done by whoever holds that.
    async fn work(&self, trigger: &CrmTrigger) -> Result<Exit, CommandError> {
        match SqliteStore::open_engine(self.state, &zaprun_store::Options::default()) {
            Ok(store) => self.by_us(Arc::new(store), trigger).await,
            Err(StoreError::Busy { .. }) => self.by_engine().await,
            Err(error) => Err(self.told(&error)),
        }
    }

    async fn by_us(&self, store: Arc<SqliteStore>, trigger: &CrmTrigger) -> Result<Exit, CommandError> {
        let done = interruptible(self.read(Arc::clone(&store), trigger, false)).await;
        // What was answered before is kept, whatever closing says.
        let _ = store.close().await;
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                self.context
                    .printer
                    .note("its place is kept: the same command goes on from there, and so does `zaprun run`");
                return Err(error);
            }
        };
        self.say(&done, "the next `zaprun run` sends them");
        Ok(Exit::Fine)
    }

    /// Reads the days to their end, into this state.
    async fn read(
        &self,
        store: Arc<SqliteStore>,
        trigger: &CrmTrigger,
        dry_run: bool,
    ) -> Result<Backfilled, CommandError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let wired = wiring::wire(&self.started.project.definition, &self.started.root, &clock, None)?;
        let shown = Arc::new(Shown::start(self.context.printer, &wired.masker));
        let options = Options {
            git: git::revision(&self.started.root),
            mask: Arc::clone(&wired.masker) as _,
            dry_run,
            seed: seed(clock.now()),
            ..Options::default()
        };
        let ports = Ports {
            crms: wired.readers(),
            writers: wired.writers(),
            sender: Arc::clone(&wired.sender) as _,
            store: store as _,
            clock,
            observer: Arc::clone(&shown) as _,
        };
        let done = Engine::new(vec![Arc::clone(&self.zap)], ports, options).backfill(self.days).await;
        shown.finish();
        done.map_err(|error| match error {
            EngineError::Store(error) => self.told(&error),
            EngineError::Backfill(zaprun_engine::report::WalkFailure::Read(error)) => {
                refused(trigger, &error)
            }
            error => CommandError::failure(error.to_string()),
        })
    }

    fn say(&self, done: &Backfilled, next: &str) {
        let printer = &self.context.printer;
        let known = done.rows.saturating_sub(done.fired);
        let mut text = format!("{} new of {}", thousands(done.fired), count(done.rows, "record", "records"),);
        if known > 0 {
            text.push_str(&format!("; {} had a run before, or need none", thousands(known)));
        }
        if done.fired > 0 {
            text.push_str(&format!("; {next}"));
        }
        printer.note(&text);
        if done.unstable {
            printer.warning("rows left while they were read, again and again");
            printer.hint("the same command once more finds what slipped by; it sends nothing twice");
        }
    }

    /// Asks the person at the terminal, where there is one.
    fn confirm(&self) -> Result<(), CommandError> {
        if !ask::is_terminal(&self.context.printer) {
            return Ok(());
        }
        let known = self.known()?;
        let name = &self.zap.name;
        let DayWindow { first, last } = self.days;
        let days = last.duration_since(first).as_hours() / 24 + 1;
        let days = count(u64::try_from(days).unwrap_or(0), "day", "days");
        ask::confirm(
            &self.context.printer,
            &format!(
                "`{name}`: {days}, from {first} to {last}, by the day of creation. {known} What has no run yet is sent."
            ),
        )
    }

    /// What is known of the zap, in words.
    fn known(&self) -> Result<String, CommandError> {
        let counts = match SqliteStore::open_reader(self.state) {
            Ok(reader) => {
                self.context.block_on(async { reader.counts().await.map_err(|error| self.told(&error)) })?
            }
            Err(StoreError::Missing { .. }) => return Ok("It has not run yet.".to_owned()),
            Err(error) => return Err(self.told(&error)),
        };
        let name = self.zap.name.as_str();
        let runs: u64 = counts.runs.iter().filter(|(zap, ..)| zap == name).map(|(.., n)| n).sum();
        let primed: u64 = counts.primed.iter().filter(|(zap, _)| zap == name).map(|(_, n)| n).sum();
        Ok(format!(
            "It has {}, and knows {} from before its start.",
            count(runs, "run", "runs"),
            count(primed, "record", "records")
        ))
    }

    fn told(&self, error: &StoreError) -> CommandError {
        state_error(error, self.state)
    }
}
