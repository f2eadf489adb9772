//! What is taken through the zap.

use std::io::Read;
use std::path::Path;

use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::rehearsal::{Answer, Case, Element, KnownRun, Occasion, Stage, read_records};
use zaprun_core::source::SourceMap;
use zaprun_core::zap::{Trigger, Zap};
use zaprun_engine::ports::RunDetail;

use super::{Given, Rendered};
use crate::commands::runs::{find, read_state};
use crate::context::Context;
use crate::error::{CommandError, io_words};
use crate::loading::{Loading, open};
use crate::render::{Findings, Format};

/// No file of records is read beyond this.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Nobody answers.
pub(crate) struct Silent;

impl Stage for Silent {
    fn answer(&self, _: &str, _: Option<Element<'_>>) -> Option<&Answer> {
        None
    }

    fn traces(&self) -> bool {
        true
    }
}

/// Takes what was given through the zap.
pub(super) fn rehearse(
    context: &Context,
    project: &Loading,
    zap: &Zap,
    given: &Given,
) -> Result<Vec<Rendered>, CommandError> {
    if let Some(name) = &given.test {
        let case = test(&project.cases, zap, name)?;
        let occasion = case.occasion();
        let event = occasion.event(zap).ok();
        return Ok(vec![Rendered { event, came: case.rehearse(zap, &occasion, true) }]);
    }
    let occasions = if let Some(path) = &given.record {
        file(context, zap, path)?
    } else if let Some(id) = given.run {
        let opened = open(context)?;
        let reader = read_state(&opened)?;
        vec![stored(&context.block_on(find(&reader, &opened.state, id))?)]
    } else {
        vec![Occasion { tick: given.at, ..Occasion::default() }]
    };
    let rendered = |occasion: &Occasion| Rendered {
        event: occasion.event(zap).ok(),
        came: occasion.rehearse(zap, &Silent),
    };
    Ok(occasions.iter().map(rendered).collect())
}

fn test<'a>(cases: &'a [Case], zap: &Zap, name: &str) -> Result<&'a Case, CommandError> {
    let mut own = cases.iter().filter(|case| case.zap == zap.name);
    own.clone().find(|case| case.name == name).ok_or_else(|| {
        let error = CommandError::usage(format!("`{}` has no test `{name}`", zap.name));
        match did_you_mean(name, own.clone().map(|case| case.name.as_str())) {
            Some(like) => error.hint(format!("did you mean `{like}`?")),
            None if own.next().is_some() => error.hint("`zaprun test --list` names the tests"),
            None => error.hint("it has none; give a record: `--record FILE`"),
        }
    })
}

/// The records of a file.
fn file(context: &Context, zap: &Zap, path: &Path) -> Result<Vec<Occasion>, CommandError> {
    if matches!(zap.trigger, Trigger::Schedule(_)) {
        return Err(CommandError::usage(format!("`{}` has a schedule and takes no record", zap.name))
            .hint("say when it fires: `--at 2026-09-16T08:00:00-04:00`"));
    }
    let bytes = bytes(path)?;
    // Of what anything may arrive, a list is one body.
    let whole = zap.trigger.schema().is_none() && std::str::from_utf8(&bytes).is_ok_and(is_json);
    let records = if whole { vec![bytes] } else { read(context, path, &bytes)? };
    Ok(records.into_iter().map(|record| Occasion { record: Some(record), ..Occasion::default() }).collect())
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// The records that a file holds.
pub(crate) fn read(context: &Context, path: &Path, bytes: &[u8]) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut sources = SourceMap::default();
    let name = shown(path);
    read_records(&mut sources, &name, bytes).map_err(|findings| {
        let findings = Findings { sources: &sources, diagnostics: &findings, prefix: "" };
        context.printer.report(&findings.render(Format::Text, &context.printer));
        CommandError::usage(format!("{name} holds no record that can be read"))
    })
}

/// The bytes of a file; of standard input for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    let cannot = |error: std::io::Error| {
        CommandError::usage(format!("{} cannot be read: {}", shown(path), io_words(&error)))
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes).map_err(cannot)?;
        return Ok(bytes);
    }
    if path.is_dir() {
        return Err(CommandError::usage(format!("{} is a folder, not a file", shown(path))));
    }
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// What a run was made of.
pub(crate) fn stored(run: &RunDetail) -> Occasion {
    Occasion {
        record: Some(run.fresh.as_ref().unwrap_or(&run.event.record).to_vec()),
        context: run.event.context.as_ref().map(|context| context.to_vec()),
        // The record of a schedule says it too, but this is exact.
        tick: Some(run.event.at),
        at: Some(run.event.at),
        key: Some(run.event.key.id.clone()),
        vars: None,
        run: Some(KnownRun {
            id: run.summary.id.to_string(),
            started_at: run.summary.created_at,
            key_base: run.key_base,
            depth: run.depth,
        }),
    }
}
