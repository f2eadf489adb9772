//! Failures as fixtures and tests.

use std::fs;
use std::path::Path;

use zaprun_core::property::Saved;

use super::Tried;
use crate::context::Context;
use crate::error::{CommandError, io_words};
use crate::output::clean;
use crate::project::{create, replace};

/// Writes each failure of a zap beside it: a fixture, and a test that fails until the zap is mended.
pub(super) fn save(context: &Context, root: &Path, tried: &Tried<'_>) -> Result<(), CommandError> {
    for failure in &tried.search.failures {
        let Some(saved) = Saved::of(tried.zap, failure) else {
            let failure = clean(&failure.message);
            context
                .printer
                .note(&format!("{}: no test can show this by one record: {failure}", tried.zap.name));
            continue;
        };
        let zap = root.join(tried.file);
        let text = read(&zap, tried.file)?;
        let beside = tried.file.strip_suffix(".yaml").unwrap_or(tried.file).to_owned() + ".test.yaml";
        let other = root.join(&beside);
        let more = if other.exists() { Some(read(&other, &beside)?) } else { None };
        if saved.is_in(&text) || more.as_deref().is_some_and(|more| saved.is_in(more)) {
            context.printer.note(&format!("{}: the test `{}` is there already", tried.zap.name, saved.name));
            continue;
        }
        if let Some((name, fixture)) = &saved.fixture {
            let path = format!("{}/fixtures/{name}", folder(tried.file));
            write(root, &path, fixture)?;
            context.printer.note(&format!("wrote {path}"));
        }
        let (path, text) = match (saved.added_to(&text), more) {
            (Some(text), _) => (tried.file, text),
            (None, Some(more)) => match saved.added_to(&more) {
                Some(more) => (beside.as_str(), more),
                None => {
                    let message = format!("a test cannot be added to {beside}");
                    return Err(CommandError::failure(message).hint("write its `tests:` as a list of maps"));
                }
            },
            (None, None) => (beside.as_str(), saved.alone(&tried.zap.name)),
        };
        write(root, path, &text)?;
        context.printer.note(&format!("added the test `{}` to {path}", saved.name));
    }
    Ok(())
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

fn read(path: &Path, shown: &str) -> Result<String, CommandError> {
    fs::read_to_string(path)
        .map_err(|error| CommandError::failure(format!("{shown} cannot be read: {}", io_words(&error))))
}

fn write(root: &Path, path: &str, text: &str) -> Result<(), CommandError> {
    let written = match fs::symlink_metadata(root.join(path)) {
        Ok(_) => replace(root, path, text.as_bytes()),
        Err(_) => create(root, Path::new(path), text.as_bytes()),
    };
    written.map_err(|reason| CommandError::failure(format!("{path} cannot be written: {reason}")))
}
