//! `zaprun run`

mod admin;
mod changes;
mod dry;
pub(super) mod git;
mod reload;
mod signals;
mod webhooks;

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zaprun_core::definition;
use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::zap::Zap;
use zaprun_engine::ports::{Clock, History, RunState, StoreError};
use zaprun_engine::{Engine, EngineError, Options, Ports, Summary};
use zaprun_http::duration_text;
use zaprun_store::SqliteStore;

use crate::clock::SystemClock;
use crate::commands::runs::state_error;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{Started, start};
use crate::output::count;
use crate::recall::Recaller;
use crate::watch::{LogFormat, Watch};
use crate::wiring;
use admin::Watchers;
use reload::{Origin, Present, Reloader};
use signals::{Hangups, Signal, Signals};
use webhooks::Doors;

/// Run the zaps until told to stop
///
/// Polls the CRM, delivers what is new, and keeps in its state what was seen and sent. SIGINT (Ctrl-C) and SIGTERM end it
/// in order; a second one ends it at once, and nothing is lost by that either. Where no zap is switched on it waits.
///
/// SIGHUP loads the project again, its secret files too, and so does a change of its files with --watch. What is in flight
/// ends as it began. A project with errors changes nothing: they are shown, and what ran runs on. Another place of the
/// state, another `listen.admin`, and other environment variables need a restart.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 fine, 1 it cannot run or, with --once, something failed, 2 no project, 130 on Ctrl-C."
)]
pub(crate) struct Args {
    /// Poll once, deliver all that is due, and end
    #[arg(long, env = "ZAPRUN_ONCE", value_parser = BoolishValueParser::new())]
    once: bool,

    /// Show the requests for what is new; send and record nothing
    #[arg(long, env = "ZAPRUN_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,

    /// Load the project again when a file of it changes, as SIGHUP does
    #[arg(long, env = "ZAPRUN_WATCH", value_parser = BoolishValueParser::new())]
    watch: bool,

    /// Run only these zaps
    #[arg(long, value_name = "ZAP", env = "ZAPRUN_ONLY", value_delimiter = ',')]
    only: Vec<String>,

    /// Log lines instead of a progress line: text, json; a dry run then writes its requests in that form too
    /// [default: text, where there is no terminal]
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_LOG_FORMAT", hide_possible_values = true)]
    log_format: Option<LogFormat>,

    /// How long work in flight may take to end once told to stop
    #[arg(long, value_name = "DURATION", env = "ZAPRUN_GRACE", default_value = "30s", value_parser = parse_duration)]
    grace: Duration,
}

/// A duration with its unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    text.parse::<definition::Duration>()
        .map(|duration| duration.0)
        .map_err(|_| "write a whole number and its unit: 500ms, 90s, 15m".to_owned())
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let logged = (args.log_format == Some(LogFormat::Json)).then(|| clock.now());
    let Started { root, project, zaps, inputs, written } = start(context, logged)?;
    let Chosen { zaps, off, warnings } = choose(zaps, &args.only)?;
    warnings.iter().for_each(|warning| context.printer.warning(warning));
    let state = wiring::state_path(&project.definition, &root);
    let store = open_state(&state, args.dry_run).map_err(|error| state_error(&error, &state))?;
    let store = Arc::new(store);
    // What a dry run works on is thrown away, and a refresh token with it.
    let vault = (!args.dry_run).then(|| Arc::clone(&store) as _);
    let wired = Arc::new(wiring::wire(&project.definition, &root, &clock, vault)?);
    if !args.dry_run {
        context.block_on(openable(&wired))?;
    }
    let watch = Watch::start(context.printer, args.log_format, &wired.masker, args.once);
    let opening = opening(zaps.len() as u64, &state, args);
    let observer = if args.dry_run {
        dry::Shown::over(&watch, context.printer, args.log_format == Some(LogFormat::Json))
    } else {
        watch.observer()
    };
    let watchers = Watchers::new(&project, &zaps, args, &store, &wired, (&clock, &observer));
    let observer = watchers.beside(observer);
    let recaller = Recaller::of(&root, context.env.as_deref());
    let options = Options {
        git: git::revision(&root),
        mask: Arc::clone(&wired.masker) as _,
        dry_run: args.dry_run,
        seed: seed(clock.now()),
        sources: recaller.sources(&written, &*wired.masker),
        recall: Arc::new(recaller),
        history: history(&project.definition),
        ..Options::default()
    };
    let ports = Ports {
        crms: wired.readers(),
        writers: wired.writers(),
        sender: Arc::clone(&wired.sender) as _,
        store: Arc::clone(&store) as _,
        clock,
        observer,
    };
    let (clock, observer) = (Arc::clone(&ports.clock), Arc::clone(&ports.observer));
    let engine = Engine::new([zaps.clone(), off].concat(), ports, options);
    let doors = Doors {
        intake: engine.intake(),
        mask: Arc::clone(&wired.masker) as _,
        clock: Arc::clone(&clock),
        observer: Arc::clone(&observer),
        watch: watch.clone(),
        taken: !args.once && !args.dry_run,
        drain: drain(&project.definition, args),
        present: None,
        serving: JoinSet::new(),
    };
    let tokens = wired.tokens.clone();
    let inputs = inputs.and(&wiring::files(&project.definition, &root));
    let reloader = Reloader {
        origin: Origin { root, env: context.env.clone(), only: args.only.clone(), clock },
        present: Present { zaps, inputs, wired, state: reload::real(&state) },
        reloads: engine.reloads(),
        store: Arc::clone(&store),
        watch: watch.clone(),
        printer: context.printer,
        format: args.log_format,
        observer,
        watchers,
        sends: !args.dry_run,
        refused: None,
    };
    let mut stage = Stage { doors, reloader, project: project.definition };
    let ended = context.block_on(async {
        let mut ended = drive(engine, &mut stage, args, &watch, &opening).await;
        if let Ok((summary, _)) = &mut ended
            && !args.dry_run
        {
            let names = stage.reloader.present.zaps.iter().map(|zap| zap.name.clone()).collect();
            summary.pending = waiting(&store, &names).await.unwrap_or(summary.pending);
        }
        // A refresh token that was given is not lost with the process.
        tokens.settle().await;
        // What was answered before is kept, whatever closing says.
        let _ = store.close().await;
        ended
    });
    watch.finish();
    let (summary, signal) = ended.map_err(|error| match error {
        Stopped::Engine(EngineError::Store(error)) => state_error(&error, &state),
        Stopped::Engine(error) => CommandError::failure(error.to_string()),
        Stopped::Command(error) => error,
    })?;
    watch.say(&closing(&summary, args.dry_run));
    Ok(exit(&summary, signal, args.once))
}

/// Which zaps run.
pub(super) struct Chosen {
    /// Those that were named, or all.
    pub(super) zaps: Vec<Arc<Zap>>,
    /// Those that are switched off, whatever was named: the state keeps since when they are.
    pub(super) off: Vec<Arc<Zap>>,
    /// What to warn of.
    pub(super) warnings: Vec<String>,
}

/// Which of the zaps run.
///
/// # Errors
/// When one is named that is not there.
pub(super) fn choose(zaps: Vec<Zap>, only: &[String]) -> Result<Chosen, CommandError> {
    let mut warnings = Vec::new();
    for name in only {
        let Some(zap) = zaps.iter().find(|zap| zap.name == *name) else {
            let error = CommandError::usage(format!("there is no zap `{name}`"));
            let names: Vec<&str> = zaps.iter().map(|zap| zap.name.as_str()).collect();
            return Err(match did_you_mean(name, names.iter().copied()) {
                Some(like) => error.hint(format!("did you mean `{like}`?")),
                None => error.hint(listed(&names)),
            });
        };
        if !zap.enabled {
            warnings.push(format!("`{name}` is switched off and does not run"));
        }
    }
    let (mut zaps, off): (Vec<_>, Vec<_>) = zaps.into_iter().map(Arc::new).partition(|zap| zap.enabled);
    zaps.retain(|zap| only.is_empty() || only.contains(&zap.name));
    Ok(Chosen { zaps, off, warnings })
}

/// The zaps that there are.
fn listed(names: &[&str]) -> String {
    const MANY: usize = 20;
    let shown = names.iter().take(MANY).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "there are no zaps: they are the .yaml files under zaps/".to_owned(),
        1 => format!("the zap is {shown}"),
        all if all > MANY => format!("zaps are {shown} and {} more", all - MANY),
        _ => format!("zaps are {shown}"),
    }
}

/// The state, or in a dry run a copy of it that is thrown away.
fn open_state(path: &Path, dry_run: bool) -> Result<SqliteStore, StoreError> {
    if dry_run {
        return SqliteStore::copy_in_memory(path);
    }
    SqliteStore::open_engine(path, &zaprun_store::Options::default())
}

/// How long the project keeps runs that are over.
fn history(project: &definition::Project) -> Option<Duration> {
    project.history.as_ref().map(|history| history.value.0)
}

/// That all refresh tokens which are kept can be opened: without them their connections can do nothing.
async fn openable(wired: &wiring::Wired) -> Result<(), CommandError> {
    wired.sender.check_kept().await.map_err(|(name, denied)| {
        let error = CommandError::failure(format!("connection `{name}`: {denied}"));
        error.hint("nothing was changed: what is kept there is still good under the key that sealed it")
    })
}

/// Any number will do: it spreads the waits of engines that were started together.
pub(super) fn seed(now: Timestamp) -> u64 {
    u64::from(now.subsec_nanosecond().unsigned_abs()) ^ u64::from(std::process::id()) << 32
}

enum Stopped {
    Engine(EngineError),
    Command(CommandError),
}

impl From<CommandError> for Stopped {
    fn from(error: CommandError) -> Self {
        Stopped::Command(error)
    }
}

/// How long requests that have begun to arrive may take to end; a part of the grace.
const DRAIN: Duration = Duration::from_secs(2);

/// The part of the grace that requests under way have, where there may be any.
fn drain(project: &definition::Project, args: &Args) -> Duration {
    let listens = project.listen.as_ref().is_some_and(|listen| listen.webhooks.is_some());
    if listens { DRAIN.min(args.grace / 4) } else { Duration::ZERO }
}

/// What stands beside a running engine.
struct Stage {
    doors: Doors,
    reloader: Reloader,
    project: definition::Project,
}

/// Runs the engine, and the server of webhooks where there is one, to its end or to a signal.
async fn drive(
    engine: Engine,
    stage: &mut Stage,
    args: &Args,
    watch: &Watch,
    opening: &str,
) -> Result<(Summary, Option<Signal>), Stopped> {
    let mut signals = Signals::listen()?;
    let hangups = if args.once { None } else { Some(Hangups::listen()?) };
    let Stage { doors, reloader, project } = stage;
    let (_open, _told) = (reloader.watchers.open(&reloader.store, watch).await?, reloader.watchers.tell());
    // Whoever reads that Ctrl-C ends it may press it.
    watch.say(opening);
    let first = engine.intake().routes().to_vec();
    if !doors.taken && !first.is_empty() && project.listen.as_ref().is_some_and(|all| all.webhooks.is_some())
    {
        watch.say("webhooks are not taken in this run");
    }
    if args.watch && args.once {
        watch.say("changes of the project are not watched in this run");
    }
    if let Some(prepared) = doors.prepare(project, first).await? {
        doors.exchange(prepared)?;
    }
    let grace = args.grace.saturating_sub(doors.drain);
    let stop_engine = CancellationToken::new();
    let running = async {
        match args.once {
            true => engine.run_once(stop_engine.clone(), grace).await,
            false => engine.run(stop_engine.clone(), grace).await,
        }
    };
    let mut running = pin!(running);
    let signal = {
        let reloading = async {
            match hangups {
                Some(hangups) => reloader.run(doors, hangups, args.watch).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            summary = &mut running => return Ok((summary.map_err(Stopped::Engine)?, None)),
            signal = signals.next() => signal,
            never = reloading => match never {},
        }
    };
    watch.say(&format!(
        "stopping: work in flight has {} to end; once more ends at once",
        duration_text(args.grace)
    ));
    let ending = async {
        // First nothing more is taken in, then nothing more is taken up.
        tokio::select! {
            summary = &mut running => return summary,
            () = doors.close() => {}
        }
        stop_engine.cancel();
        running.await
    };
    tokio::select! {
        summary = ending => Ok((summary.map_err(Stopped::Engine)?, Some(signal))),
        _ = signals.next() => Err(CommandError::ended_at_once().into()),
    }
}

fn exit(summary: &Summary, signal: Option<Signal>, once: bool) -> Exit {
    let failed =
        summary.poll_failures + summary.passed_over + summary.dead + summary.held + summary.failed_attempts;
    match signal {
        Some(Signal::Interrupt) => Exit::Interrupted,
        Some(Signal::Terminate) => Exit::Fine,
        None => Exit::findings(once && failed > 0),
    }
}

/// The runs of these zaps that wait in the state, also those that were never taken up; `None` where it cannot be read.
/// So what is new and not in another of the closing counts is in this one.
async fn waiting(store: &SqliteStore, zaps: &BTreeSet<String>) -> Option<u64> {
    let counts = store.counts().await.ok()?;
    let ours = counts.runs.iter().filter(|(zap, state, _)| *state == RunState::Pending && zaps.contains(zap));
    Some(ours.map(|(_, _, number)| number).sum())
}

fn opening(zaps: u64, state: &Path, args: &Args) -> String {
    let zaps = count(zaps, "zap", "zaps");
    let state = state.display();
    match (args.dry_run, args.once) {
        (true, _) => format!("dry run of {zaps} on a copy of {state}: nothing is sent or recorded"),
        (false, true) => format!("running {zaps} once; state in {state}"),
        (false, false) => format!("running {zaps}; state in {state}; Ctrl-C ends it"),
    }
}

fn closing(summary: &Summary, dry_run: bool) -> String {
    let delivered = if dry_run { "would be sent" } else { "delivered" };
    let counts = [
        (summary.fired, ["new"; 2]),
        (summary.delivered, [delivered; 2]),
        (summary.filtered, ["filtered"; 2]),
        (summary.pending, ["still pending"; 2]),
        (summary.held, ["held"; 2]),
        (summary.dropped, ["dropped"; 2]),
        (summary.dead, ["dead"; 2]),
        (summary.failed_attempts, ["failed attempt", "failed attempts"]),
        (summary.poll_failures, ["failed poll", "failed polls"]),
        (summary.passed_over, ["unreadable row", "unreadable rows"]),
        (summary.primed, ["from before"; 2]),
    ];
    // The first two are always said.
    let said = counts.iter().enumerate().filter(|(at, (number, _))| *at < 2 || *number > 0);
    let said: Vec<String> = said.map(|(_, (number, [one, many]))| count(*number, one, many)).collect();
    said.join(", ")
}
