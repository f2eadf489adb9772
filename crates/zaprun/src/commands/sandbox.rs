//! `zaprun sandbox`

use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use jiff::SignedDuration;
use zaprun_core::diagnostic::did_you_mean;
use zaprun_sandbox::{
    Config, Error, ExportError, ExportProfile, FAULT_OPTIONS, FAULTS, FaultError, FaultRule, Rate, Running,
    Sandbox, state::Route,
};

use crate::commands::run::parse_duration;
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit, io_words};
use crate::watch::lag_text;

/// Serve a stand-in of the CRM, and a sink that records what arrives
///
/// The CRM answers at `/`, the sink at /sink with a page that lists what arrived. Login and password are `sandbox`. All
/// state is in memory and gone when it ends. Stop it with Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = faults_help())]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "ZAPRUN_LISTEN", default_value = "127.0.0.1:8585")]
    listen: SocketAddr,

    /// Decides names, amounts, ids and chances: the same seed gives the same business
    #[arg(long, value_name = "N", env = "ZAPRUN_SEED", default_value_t = 1)]
    seed: u64,

    /// Business events as time goes on, such as 2/s or 30/m; 0 for none
    #[arg(long, value_name = "RATE", env = "ZAPRUN_RATE", default_value = "30/m", value_parser = parse_rate)]
    rate: Pace,

    /// Business events of the three days before the start
    #[arg(long, value_name = "N", env = "ZAPRUN_HISTORY", default_value_t = 100)]
    history: u32,

    /// Lets something go wrong, as listed below; may be given several times
    #[arg(long = "fault", value_name = "FAULT", env = "ZAPRUN_FAULT", value_delimiter = ';', value_parser = parse_fault)]
    faults: Vec<FaultRule>,

    /// Tells a URL what happens, as the CRM's export profiles do: all, or only the routes listed below; may be given
    /// several times
    #[arg(long = "push", value_name = "[ROUTE+ROUTE=]URL", env = "ZAPRUN_PUSH", value_delimiter = ';', value_parser = parse_push)]
    pushes: Vec<ExportProfile>,

    /// Time between two batches of pushes, or `now` to send each at once
    #[arg(long, value_name = "DURATION", env = "ZAPRUN_PUSH_EVERY", default_value = "15m", value_parser = parse_batch)]
    push_every: Duration,

    /// Posts JSON; otherwise a push is a GET with its fields in the query
    #[arg(long, env = "ZAPRUN_PUSH_JSON", value_parser = BoolishValueParser::new())]
    push_json: bool,

    /// Adds a field to every push, or a header as `header:NAME=VALUE`; may be given several times
    #[arg(long = "push-set", value_name = "NAME=VALUE", env = "ZAPRUN_PUSH_SET", hide_env_values = true, value_delimiter = ';', value_parser = parse_set)]
    push_sets: Vec<(String, String)>,

    /// The account's time zone
    #[arg(long, value_name = "ZONE", env = "ZAPRUN_ZONE", default_value = "America/New_York")]
    zone: String,
}

/// A rate, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace(pub(crate) Option<Rate>);

pub(crate) fn parse_rate(text: &str) -> Result<Pace, String> {
    if matches!(text.trim(), "0" | "none") {
        return Ok(Pace(None));
    }
    text.parse().map(|rate| Pace(Some(rate))).map_err(|error: Error| error.to_string())
}

fn parse_fault(text: &str) -> Result<FaultRule, String> {
    text.parse().map_err(|error: FaultError| {
        let name = text.split(':').next().unwrap_or(text);
        match did_you_mean(name, FAULTS.iter().map(|fault| fault.name)) {
            Some(like) if like != name => format!("{error}; did you mean `{like}`?"),
            _ => match &error {
                FaultError::Value { what, .. } if what == "DURATION" => {
                    format!("{error}; write a whole number and its unit: 500ms, 90s, 15m")
                }
                _ => error.to_string(),
            },
        }
    })
}

fn parse_push(text: &str) -> Result<ExportProfile, String> {
    text.parse().map_err(|error: ExportError| match &error {
        ExportError::Route(name) => match did_you_mean(name, Route::ALL.iter().map(|(_, word)| *word)) {
            Some(like) if like != *name => format!("{error}; did you mean `{like}`?"),
            _ => error.to_string(),
        },
        _ => error.to_string(),
    })
}

fn parse_batch(text: &str) -> Result<Duration, String> {
    if text == "now" { Ok(Duration::ZERO) } else { parse_duration(text) }
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    let set = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = set.ok_or_else(|| "a value is written NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The profiles with what holds for all of them.
fn exports(args: &Args) -> Vec<ExportProfile> {
    let whole = |profile: &ExportProfile| {
        let profile = ExportProfile { every: args.push_every, ..profile.clone() };
        let profile = if args.push_json { profile.json() } else { profile };
        args.push_sets.iter().fold(profile, |profile, (name, value)| profile.set(name, value))
    };
    args.pushes.iter().map(whole).collect()
}

/// Starts a sandbox.
pub(crate) async fn start(config: Config) -> Result<Running, CommandError> {
    Sandbox::start(config).await.map_err(|error| match &error {
        Error::Listen { source, .. } => {
            let told = CommandError::failure(format!("{error}: {}", io_words(source)));
            if source.kind() == std::io::ErrorKind::AddrInUse {
                told.hint("another sandbox may be running; `--listen 127.0.0.1:0` takes a free port")
            } else {
                told
            }
        }
        _ => CommandError::usage(error.to_string()),
    })
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let config = Config {
        listen: args.listen,
        seed: args.seed,
        rate: args.rate.0,
        history: args.history,
        faults: args.faults.clone(),
        zone: args.zone.clone(),
        exports: exports(args),
        ..Config::default()
    };
    context.block_on(async {
        let zone = config.zone.clone();
        let running = start(config).await?;
        announce(context, &running, &zone, args)?;
        let waited = interruptible(terminated()).await;
        running.shutdown().await;
        waited
    })
}

/// Ends with SIGTERM, which is how a service is stopped in order.
async fn terminated() -> Result<Exit, CommandError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut signal) = signal(SignalKind::terminate()) {
            signal.recv().await;
            return Ok(Exit::Fine);
        }
    }
    std::future::pending().await
}

/// The export lines are data, so that `eval` can take them; the rest is for people.
fn announce(context: &Context, running: &Running, zone: &str, args: &Args) -> Result<(), CommandError> {
    let printer = &context.printer;
    let paint = printer.err();
    printer.note(&format!(
        "{}   {}\n{}  {}  (open it in a browser)\nlogin and password `sandbox`, zone {zone}\n",
        paint.bold("CRM"),
        running.base_url(),
        paint.bold("sink"),
        running.sink_url(),
    ));
    for profile in &args.pushes {
        let when = match args.push_every {
            Duration::ZERO => "at once".to_owned(),
            every => format!("every {}", lag_text(SignedDuration::try_from(every).unwrap_or_default())),
        };
        // A query may hold a key.
        let url = profile.url.split('?').next().unwrap_or_default();
        printer.note(&format!("{}  {url}  ({}, {when})\n", paint.bold("push"), routes(profile)));
    }
    printer.note("in another terminal:");
    printer.data(&variables(&running.base_url(), &running.sink_url()))?;
    printer.note("\nCtrl-C ends it");
    Ok(())
}

fn routes(profile: &ExportProfile) -> String {
    let words: Vec<&str> = profile.routes.iter().map(|route| route.as_str()).collect();
    if words.is_empty() { "all that happens".to_owned() } else { words.join(", ") }
}

/// What the project of `zaprun init` needs to run against a sandbox.
fn variables(base_url: &str, sink_url: &str) -> String {
    format!(
        "export KONNEKTIVE_URL={base_url}\nexport KONNEKTIVE_LOGIN_ID=sandbox\nexport KONNEKTIVE_PASSWORD=sandbox\nexport SINK_URL={sink_url}\n"
    )
}

/// The faults as help lists them.
fn faults_help() -> String {
    let name = |fault: &zaprun_sandbox::FaultSpec| match fault.value {
        "" => fault.name.to_owned(),
        value => format!("{}[:{value}]", fault.name),
    };
    let names: Vec<String> = FAULTS.iter().map(name).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut help = "Faults:\n".to_owned();
    for (name, fault) in names.iter().zip(FAULTS) {
        let default =
            if fault.default.is_empty() { String::new() } else { format!(" [default: {}]", fault.default) };
        help.push_str(&format!("  {name:width$}  {}{default}\n", fault.does));
    }
    help.push_str(
        "\nEach takes conditions after the colon: --fault sink-500:first=3, --fault slow:2s,p=10%\n",
    );
    for (name, does) in FAULT_OPTIONS {
        help.push_str(&format!("  {name:width$}  {does}\n"));
    }
    let words: Vec<&str> = Route::ALL.iter().map(|(_, word)| *word).collect();
    help.push_str(&format!("\nRoutes of --push:\n  {}\n", words.join(", ")));
    help
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    #[test]
    fn help_lists_every_fault() {
        let help = faults_help();
        for fault in FAULTS {
            assert!(help.contains(fault.does), "{}", fault.name);
        }
    }

    #[test]
    fn a_duration_without_a_unit_is_told_what_to_write() {
        assert!(parse_fault("slow:5").unwrap_err().ends_with("500ms, 90s, 15m"));
        assert!(parse_fault("slow:5s").is_ok());
    }

    #[test]
    fn pushes_take_what_holds_for_all() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let line =
            ["sandbox", "--push", "new_sale+shipped=http://127.0.0.1:1/a", "--push", "http://127.0.0.1:1/b"];
        let shared = ["--push-json", "--push-every", "now", "--push-set", "header:X-Key=a=b"];
        let all = exports(&<Line as clap::Parser>::parse_from(line.into_iter().chain(shared)).args);
        assert_eq!(all[0].routes, [Route::NewSale, Route::Shipped]);
        assert!(all.iter().all(|profile| profile.every.is_zero() && profile.check().is_ok()));
        assert_eq!(all[1].statics.last().unwrap(), &("header:X-Key".to_owned(), "a=b".to_owned()));
        let fails = parse_push("new_sales=http://127.0.0.1:1").unwrap_err();
        assert_eq!(fails, "unknown route `new_sales`; did you mean `new_sale`?");
        assert!(parse_set("=x").is_err() && parse_set("x").is_err() && parse_batch("5").is_err());
    }

    #[test]
    fn a_rate_may_be_none() {
        assert!(parse_rate("0").unwrap().0.is_none());
        assert!(parse_rate("2/s").unwrap().0.is_some());
        assert!(parse_rate("often").is_err());
    }
}
