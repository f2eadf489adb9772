//! `zaprun demo`

mod project;
mod score;
mod stage;

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zaprun_core::zap::{Target, Trigger, Zap};
use zaprun_engine::ports::{Clock, History, RunState};
use zaprun_engine::{Engine, EngineError, Options, Ports};
use zaprun_sandbox::{Config, Control, Running, run_generator};
use zaprun_store::SqliteStore;

use crate::clock::SystemClock;
use crate::commands::runs::state_error;
use crate::commands::{run, sandbox};
use crate::context::Context;
use crate::error::{CommandError, Exit, io_words};
use crate::loading::{Started, load_input, start_from};
use crate::output::{count, thousands};
use crate::watch::Watch;
use crate::wiring;
use project::Sandboxed;
use score::Score;
use stage::Stage;

/// How often each zap polls here; an account is asked every minute or so.
const EVERY: Duration = Duration::from_secs(1);
/// How long the last deliveries may take once nothing more happens.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events before the demo begins: rows that are there and are no news.
const HISTORY: u32 = 40;

/// See it all at work: a stand-in CRM, a sink, the example zaps, nothing to configure
///
/// Starts the sandbox and the engine in one process, lets business happen, shows each delivery, and ends with a summary.
/// Its state is a real one, in a temporary folder.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 all delivered once, 1 a run is dead, held or pending, or the sink took one twice, 130 on Ctrl-C."
)]
pub(crate) struct Args {
    /// How long business goes on
    #[arg(long = "for", value_name = "DURATION", env = "ZAPRUN_FOR", default_value = "20s", value_parser = run::parse_duration)]
    duration: Duration,

    /// End after so many business events instead
    #[arg(long, value_name = "N", env = "ZAPRUN_RECORDS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    records: Option<u64>,

    /// Go on until Ctrl-C
    #[arg(long, env = "ZAPRUN_KEEP", conflicts_with = "records", value_parser = BoolishValueParser::new())]
    keep: bool,

    /// Decides names, amounts and the order of things: the same seed gives the same business
    #[arg(long, value_name = "N", env = "ZAPRUN_SEED", default_value_t = 1)]
    seed: u64,

    /// Pace of business events
    #[arg(long, value_name = "RATE", env = "ZAPRUN_RATE", default_value = "8/s")]
    rate: zaprun_sandbox::Rate,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let folder = tempfile::Builder::new().prefix("zaprun-demo-").tempdir().map_err(|error| {
        CommandError::failure(format!("no temporary folder can be made: {}", io_words(&error)))
    })?;
    context.block_on_threads(async {
        let config = Config { seed: args.seed, history: HISTORY, ..Config::default() };
        let running = sandbox::start(config).await?;
        let ended = play(context, args, folder.path(), &running).await;
        running.shutdown().await;
        ended
    })
}

/// Everything that is on stage.
struct Cast {
    stage: Arc<Stage>,
    watch: Watch,
    store: Arc<SqliteStore>,
    zaps: Vec<Arc<Zap>>,
}

async fn play(
    context: &Context,
    args: &Args,
    folder: &Path,
    running: &Running,
) -> Result<Exit, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let values = Sandboxed { crm: running.base_url(), sink: running.sink_url() };
    let loading = load_input(&project::input(), Some(&values));
    let Started { root, project, mut zaps, .. } = start_from(context, folder.to_owned(), loading)?;
    for zap in &mut zaps {
        if let Trigger::Crm(trigger) = &mut zap.trigger {
            trigger.every = EVERY;
        }
    }
    let wired = wiring::wire(&project.definition, &root, &clock, None)?;
    let state = wiring::state_path(&project.definition, &root);
    let store = SqliteStore::open_engine(&state, &zaprun_store::Options::default())
        .map_err(|error| state_error(&error, &state))?;
    let zaps: Vec<Arc<Zap>> = zaps.into_iter().map(Arc::new).collect();
    // Before the line that moves begins, which would stay above it.
    introduce(context, running, &zaps, args);
    let watch = Watch::start_quiet(context.printer, &wired.masker);
    let score = Arc::new(Score::default());
    let stage = Arc::new(Stage::new(score, watch.clone(), context.printer));
    let cast = Cast { stage, watch, store: Arc::new(store), zaps };

    let options = Options { mask: Arc::clone(&wired.masker) as _, seed: args.seed, ..Options::default() };
    let ports = Ports {
        crms: wired.readers(),
        writers: wired.writers(),
        sender: wired.sender as _,
        store: Arc::clone(&cast.store) as _,
        clock,
        observer: Arc::clone(&cast.stage) as _,
    };
    let engine = Engine::new(cast.zaps.clone(), ports, options);
    let ended = perform(engine, args, &cast, running.control()).await;
    cast.watch.finish();
    let interrupted = ended?;
    let exit = summarise(context, &cast, &running.control(), interrupted).await?;
    // What was answered before is kept, whatever closing says; the folder goes away in any case.
    let _ = cast.store.close().await;
    Ok(exit)
}

fn introduce(context: &Context, running: &Running, zaps: &[Arc<Zap>], args: &Args) {
    let printer = &context.printer;
    let paint = printer.err();
    let length = match (args.keep, args.records) {
        (true, _) => "until Ctrl-C".to_owned(),
        (false, Some(records)) => format!("{} business events", thousands(records)),
        (false, None) => format!("{} of business", zaprun_http::duration_text(args.duration)),
    };
    printer.note(&format!(
        "{}: {}, {length} at {}\na stand-in CRM; a sink that shows what arrives: {}\n",
        paint.bold("zaprun demo"),
        count(zaps.len() as u64, "zap", "zaps"),
        args.rate,
        running.sink_url(),
    ));
}

/// Lets business happen and the engine work, then lets the engine finish. Says whether somebody pressed Ctrl-C.
async fn perform(engine: Engine, args: &Args, cast: &Cast, control: Control) -> Result<bool, CommandError> {
    let stop = CancellationToken::new();
    let mut work = pin!(engine.run(stop.clone(), PATIENCE));
    let (curtain, fallen) = watch::channel(false);
    let mut interrupted = false;
    {
        let mut business = pin!(business(args, cast, control, fallen));
        let mut signal = pin!(tokio::signal::ctrl_c());
        tokio::select! {
            ended = &mut work => return Err(engine_error(ended.err())),
            () = &mut business => {}
            _ = &mut signal => interrupted = true,
        }
    }
    // Whoever made business happen is gone by now; telling nobody is fine.
    let _ = curtain.send(true);
    cast.stage.curtain();
    tokio::select! {
        ended = &mut work => return Err(engine_error(ended.err())),
        () = settled(cast) => {}
        () = tokio::time::sleep(PATIENCE) => {}
        _ = tokio::signal::ctrl_c() => return Err(CommandError::interrupted()),
    }
    stop.cancel();
    work.await.map_err(|error| engine_error(Some(error)))?;
    Ok(interrupted)
}

/// Business as the arguments want it: for a time, so many events, or without an end.
async fn business(args: &Args, cast: &Cast, control: Control, fallen: watch::Receiver<bool>) {
    let enough = CancellationToken::new();
    let (score, records, full) = (Arc::clone(&cast.stage.score), args.records, enough.clone());
    // Rows count as news from the moment at which the zaps were opened.
    while !matches!(cast.store.counts().await, Ok(counts) if counts.primed.len() + counts.runs.len() > 0) {
        if control.crm_count() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = move |event| {
        let events = score.happened(&event, SystemClock.now());
        if records.is_some_and(|records| events >= records) {
            full.cancel();
        }
    };
    let time = async {
        match (args.keep, args.records) {
            (false, None) => tokio::time::sleep(args.duration).await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = run_generator(control, args.rate, args.seed, fallen, seen) => {}
        () = enough.cancelled() => {}
        () = time => {}
    }
}

/// Ready once everything that happened was read and nothing is pending.
async fn settled(cast: &Cast) {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if !cast.stage.all_read() {
            continue;
        }
        let counts = cast.store.counts().await.unwrap_or_default();
        if counts.runs.iter().all(|(_, state, number)| *state != RunState::Pending || *number == 0) {
            return;
        }
    }
}

fn engine_error(error: Option<EngineError>) -> CommandError {
    CommandError::failure(
        error.map_or_else(|| "the engine ended by itself".to_owned(), |error| error.to_string()),
    )
}

async fn summarise(
    context: &Context,
    cast: &Cast,
    control: &Control,
    interrupted: bool,
) -> Result<Exit, CommandError> {
    let printer = &context.printer;
    let counts = cast.store.counts().await.map_err(|error| CommandError::failure(error.to_string()))?;
    let names: Vec<String> = cast.zaps.iter().map(|zap| zap.name.clone()).collect();
    let table = cast.stage.score.table(&names, &counts, &duplicates(&cast.zaps, control), printer);
    let sink = control.sink_summary();
    let (events, delivered) = cast.stage.score.totals();
    let primed: u64 = counts.primed.iter().map(|(_, number)| number).sum();
    printer.data(&format!(
        "\n{table}\n{}, {}; the sink took {}, {} twice\n",
        count(events, "business event", "business events"),
        count(delivered, "delivery", "deliveries"),
        count(sink.accepted, "request", "requests"),
        if sink.duplicates == 0 { "none".to_owned() } else { thousands(sink.duplicates) },
    ))?;
    printer.note(&format!(
        "p50, p95: time from the event in the CRM to the sink's answer, polling every {}\n{} from before the start {} not sent",
        zaprun_http::duration_text(EVERY),
        count(primed, "row", "rows"),
        if primed == 1 { "was" } else { "were" },
    ));
    let lost = counts.runs.iter().any(|(_, state, number)| {
        *number > 0 && matches!(state, RunState::Dead | RunState::Held | RunState::Pending)
    });
    if interrupted {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::findings(lost || sink.duplicates > 0))
}

/// Repeats at the sink by zap: a zap's connection is a part of the sink.
fn duplicates(zaps: &[Arc<Zap>], control: &Control) -> HashMap<String, u64> {
    let received = control.received();
    let repeated = |zap: &Arc<Zap>| {
        let mine = zap.actions.iter().filter_map(|action| match action.target() {
            Target::Connection(name) => Some(format!("/sink/{name}")),
            Target::Host(_) => None,
        });
        let places: Vec<String> = mine.collect();
        let repeats = received.iter().filter(|one| one.duplicate);
        let number =
            repeats.filter(|one| places.iter().any(|place| one.path.starts_with(place.as_str()))).count();
        (zap.name.clone(), number as u64)
    };
    zaps.iter().map(repeated).collect()
}
