//! `zaprun record`

mod key;
mod stand_ins;
mod walk;

use std::path::{Component, Path, PathBuf};

use clap::ValueEnum;
use zaprun_core::card;
use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::record::Schema;
use zaprun_core::zap::Zap;
use zaprun_engine::polling::preview;
use zaprun_engine::ports::{History, RunFilter, StoreError};
use zaprun_store::SqliteStore;

use self::stand_ins::StandIns;
use super::runs::state_error;
use super::sample::{account, refused};
use crate::clock::SystemClock;
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit};
use crate::loading::{self, start_connections};
use crate::output::{count, indent_json};
use crate::project::create;
use crate::wiring;

/// Make fixtures of real records, without the people in them
///
/// Takes the last records that the state holds of a zap; where it holds none, recent ones of the CRM. E-mail addresses,
/// names, telephone numbers, addresses are replaced, the same by the same, also from call to call; card data and secrets
/// are left out. Writes fixtures/ZAP-N.json beside the zap and prints their paths. Never overwrites.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The zap, by name
    #[arg(value_name = "ZAP")]
    zap: String,

    /// So many records, the newest
    #[arg(long, value_name = "N", env = "ZAPRUN_LAST", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=200))]
    last: u32,

    /// Where they come from [default: the state, and where that holds none the CRM]
    #[arg(long, value_name = "WHERE", env = "ZAPRUN_FROM")]
    from: Option<From>,

    /// The folder they are written to, within the project [default: fixtures beside the zap]
    #[arg(long, value_name = "DIR", env = "ZAPRUN_OUT")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    State,
    Crm,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let root = context.find_project()?;
    let looked = loading::load(&root, context.env.as_deref(), None);
    loading::readable(context, &looked)?;
    let zap = find(&looked.zaps, &args.zap)?;
    let place = looked.places.iter().find(|(name, _)| *name == zap.name).map(|(_, path)| path.as_str());
    let folder = folder(args.out.as_deref(), place.unwrap_or("zaps/"))?;
    let project = looked.project.as_ref().map(|project| &project.definition);
    let state =
        project.map_or_else(|| root.join("state/zaprun.db"), |project| wiring::state_path(project, &root));
    let records = records(context, args, zap, &state)?;
    if records.is_empty() {
        let none = CommandError::failure(format!("there is no record of `{}`", zap.name));
        return Err(none.hint("`zaprun sample` shows what the CRM has; `zaprun run` fills the state"));
    }
    let key = key::of_project(&state).map_err(|reason| {
        CommandError::failure(format!("the key of the stand-ins cannot be kept: {reason}"))
    })?;
    let stand_ins = StandIns::new(key);
    let mut next = 1;
    let mut paths = Vec::with_capacity(records.len());
    for record in &records {
        let text = made_anonymous(record, zap.trigger.schema(), &stand_ins)?;
        paths.push(write(&root, &folder, &zap.name, &mut next, text.as_bytes())?);
    }
    let made = count(paths.len() as u64, "fixture", "fixtures");
    context.printer.data(&paths.iter().map(|path| format!("{path}\n")).collect::<String>())?;
    context.printer.note(&format!("{made} without personal data; look at them before you commit them"));
    Ok(Exit::Fine)
}

fn find<'a>(zaps: &'a [Zap], name: &str) -> Result<&'a Zap, CommandError> {
    zaps.iter().find(|zap| zap.name == name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no valid zap `{name}`"));
        match did_you_mean(name, zaps.iter().map(|zap| zap.name.as_str())) {
            Some(like) => error.hint(format!("did you mean `{like}`?")),
            None => error.hint("`zaprun validate` says what is wrong with those that are not valid"),
        }
    })
}

/// The folder of the fixtures, within the project.
fn folder(out: Option<&Path>, zap: &str) -> Result<PathBuf, CommandError> {
    let Some(out) = out else {
        return Ok(Path::new(zap).parent().unwrap_or(Path::new("zaps")).join("fixtures"));
    };
    let inside = out.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        return Ok(out.to_owned());
    }
    Err(CommandError::usage(format!("{} leads out of the project", out.display()))
        .hint("write a folder of the project: --out zaps/fixtures"))
}

/// The newest records, the newest first.
fn records(context: &Context, args: &Args, zap: &Zap, state: &Path) -> Result<Vec<Vec<u8>>, CommandError> {
    let limit = args.last as usize;
    if args.from != Some(From::Crm) {
        let stored = context.block_on(interruptible(stored(zap, state, limit, args.from.is_some())))?;
        if !stored.is_empty() || args.from == Some(From::State) {
            return Ok(stored);
        }
    }
    let Some(trigger) = zap.trigger.crm() else {
        return Err(CommandError::usage(format!("`{}` does not read the CRM", zap.name))
            .hint("its records are in the state once it has run"));
    };
    let started = start_connections(context)?;
    let account = account(&started, trigger)?;
    let found = context.block_on(interruptible(async {
        preview(&account, &SystemClock, trigger, limit).await.map_err(|error| refused(trigger, &error))
    }))?;
    Ok(found.rows.iter().map(|row| row.to_vec()).collect())
}

/// Those of the state. Where there is none, and none is asked for, there are none.
async fn stored(zap: &Zap, state: &Path, limit: usize, wanted: bool) -> Result<Vec<Vec<u8>>, CommandError> {
    let cannot = |error: StoreError| state_error(&error, state);
    let reader = match SqliteStore::open_reader(state) {
        Ok(reader) => reader,
        Err(StoreError::Missing { .. }) if !wanted => return Ok(Vec::new()),
        Err(error) => return Err(cannot(error)),
    };
    let filter = RunFilter { zap: Some(zap.name.clone()), limit, ..RunFilter::default() };
    let mut records = Vec::new();
    for run in reader.runs(filter).await.map_err(cannot)? {
        if let Some(detail) = reader.run(run.id).await.map_err(cannot)? {
            records.push(detail.event.record.to_vec());
        }
    }
    Ok(records)
}

/// The record as it may be shown to anybody.
fn made_anonymous(
    record: &[u8],
    schema: Option<&'static Schema>,
    stand_ins: &StandIns,
) -> Result<String, CommandError> {
    let record = card::redact(record, schema).map_or_else(|| record.to_vec(), |redacted| redacted.row);
    let unreadable = || CommandError::failure("a record is not JSON");
    let text = std::str::from_utf8(&record).map_err(|_| unreadable())?;
    let value = zaprun_core::value::Value::from_json(text).map_err(|_| unreadable())?;
    let value = walk::replaced(&value, schema, stand_ins);
    let json = value.to_json().map_err(|_| unreadable())?;
    // What is shown to people ends somewhere, and a fixture must not.
    let lines = indent_json(&json);
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(&lines).is_ok();
    Ok(format!("{}\n", if whole { lines } else { json }))
}

/// Writes a fixture under the first number that is free.
fn write(
    root: &Path,
    folder: &Path,
    zap: &str,
    next: &mut u32,
    bytes: &[u8],
) -> Result<String, CommandError> {
    loop {
        let path = folder.join(format!("{zap}-{next}.json"));
        *next += 1;
        if std::fs::symlink_metadata(root.join(&path)).is_ok() {
            continue;
        }
        let shown = path.display().to_string();
        create(root, &path, bytes)
            .map_err(|reason| CommandError::failure(format!("{shown} cannot be written: {reason}")))?;
        return Ok(shown);
    }
}

#[cfg(test)]
mod tests;
