//! `zaprun test --cases`

mod place;
mod report;
mod save;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;

use zaprun_core::property::{Failure, Search, Source, search};
use zaprun_core::zap::Zap;

use super::{Args, Format, findings};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::Loading;
use crate::output::{count, thousands};

/// A zap and what was found of it.
struct Tried<'a> {
    zap: &'a Zap,
    /// Its file within the project.
    file: &'a str,
    search: Search,
    /// The line of each failure.
    lines: Vec<usize>,
}

/// How the same records are made again.
#[derive(Clone, Copy)]
struct Asked {
    cases: u32,
    seed: u64,
}

impl Asked {
    fn again(self, zap: &str) -> String {
        format!("zaprun test {zap} --cases {} --seed {}", self.cases, self.seed)
    }
}

impl Tried<'_> {
    fn passed(&self) -> bool {
        self.search.failures.is_empty()
    }

    fn failures(&self) -> impl Iterator<Item = (&Failure, usize)> {
        self.search.failures.iter().zip(self.lines.iter().copied())
    }
}

pub(super) fn run(
    context: &Context,
    args: &Args,
    root: &Path,
    project: &Loading,
    cases: u32,
    chosen: &dyn Fn(&str) -> bool,
) -> Result<Exit, CommandError> {
    if args.filter.is_some() || args.list {
        let error = CommandError::usage("`--cases` makes records up and runs no tests");
        return Err(error.hint("leave out `--filter` and `--list`; name the zaps instead"));
    }
    let asked = Asked { cases, seed: args.seed.unwrap_or_else(any_seed) };
    let errors = findings(context, project, chosen);
    let tried: Vec<Tried<'_>> =
        project.zaps.iter().filter(|zap| chosen(&zap.name)).map(|zap| try_out(project, zap, asked)).collect();
    let text = match args.format {
        Format::Text => report::text(&tried, asked, &context.printer),
        Format::Json => report::json(&tried, asked, errors == 0),
        Format::Junit => report::junit(&tried, asked, errors),
    };
    context.printer.data(&text)?;
    for tried in &tried {
        warn(context, tried);
    }
    if args.save {
        tried.iter().try_for_each(|tried| save::save(context, root, tried))?;
    }
    summary(context, &tried, asked);
    Ok(Exit::findings(errors > 0 || tried.iter().any(|tried| !tried.passed())))
}

/// Told, so that whatever it finds can be found again. Six digits are as good as twenty, and can be read out.
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

fn try_out<'a>(project: &'a Loading, zap: &'a Zap, asked: Asked) -> Tried<'a> {
    let search = search(zap, &project.cases, asked.cases, asked.seed);
    let file = project.files.iter().find(|file| file.name.as_ref() == Some(&zap.name)).map(|file| file.file);
    let (path, lines) = match file {
        None => ("", vec![1; search.failures.len()]),
        Some(file) => {
            let source = project.sources.file(file);
            (source.path.as_str(), place::lines(&source.text, &search.failures))
        }
    };
    Tried { zap, file: path, search, lines }
}

fn warn(context: &Context, tried: &Tried<'_>) {
    if context.printer.is_quiet() {
        return;
    }
    let (name, search) = (&tried.zap.name, &tried.search);
    if search.source == Source::Nothing {
        context.printer.warning(&format!(
            "{name}: nothing to make records from: no table says what arrives, and no test has a record"
        ));
        context.printer.hint("write a test with a record that arrives, or `schema:` at the trigger");
    } else if search.is_filtered() {
        let taken = search.cases - search.ignored;
        context.printer.warning(&format!(
            "{name}: {} of {} records are filtered, so that its steps are hardly tried",
            search.filtered, taken
        ));
        context.printer.hint("write a test with a record that passes the filter: its values are used");
    } else if search.ignored > search.cases / 2 {
        context.printer.warning(&format!(
            "{name}: its trigger does not take {} of {} records",
            search.ignored, search.cases
        ));
    }
}

fn summary(context: &Context, tried: &[Tried<'_>], asked: Asked) {
    let paint = context.printer.err();
    let failed = tried.iter().filter(|tried| !tried.passed()).count();
    let records: u64 = tried.iter().map(|tried| u64::from(tried.search.cases)).sum();
    let zaps = count(tried.len() as u64, "zap", "zaps");
    let made = format!("{} made up, seed {}", thousands_of(records), asked.seed);
    match (tried.len(), failed) {
        (0, _) => context.printer.note("no zaps"),
        (_, 0) => context.printer.note(&format!("{} {zaps}, {made}", paint.green("passed:"))),
        (_, failed) => {
            context.printer.report(&format!("{} {failed} of {zaps}, {made}", paint.red("failed:")));
        }
    }
}

fn thousands_of(records: u64) -> String {
    let noun = if records == 1 { "record" } else { "records" };
    format!("{} {noun}", thousands(records))
}
