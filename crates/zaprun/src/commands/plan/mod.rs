//! `zaprun plan`

mod compare;
mod deployed;
mod leaves;
mod markdown;
mod records;
mod report;
mod text;
mod trigger;
mod veil;
mod written;
mod zaps;

use std::path::Path;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use zaprun_core::diagnostic::{Diagnostic, Severity, did_you_mean};
use zaprun_engine::ports::RunDetail;
use zaprun_store::SqliteStore;

use crate::commands::render::{bytes, read};
use crate::commands::runs::{read_state, state_error};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{self, Loading, open};
use crate::output::{Printer, count, pretty};
use crate::project::{Origin, Repository};
use crate::render::{self, Findings};
use records::{Records, Wanted};
pub(crate) use report::RecordPlan;
use report::{Against, Change, Report};
use veil::StandIns;
use zaps::Pair;

/// Show what a change would do, before it is made
///
/// Lays the project as it is now beside a git revision, or beside what has run, and says which zaps come, go or change,
/// what a changed trigger does to what counts as new, and of which records other requests would be made. Nothing is
/// sent. Personal data and secrets are replaced by stand-ins, so that it can be posted where others read it.
///
/// Without --against or --deployed it is laid beside the commit at which HEAD left origin/main, main, origin/master or
/// master, the first that there is; without any, beside HEAD. Changes that are not committed count.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 shown, 1 the project is not valid or, with --exit-code, something changes, 2 bad usage."
)]
pub(crate) struct Args {
    /// The zaps to look at [default: all]
    #[arg(value_name = "ZAP")]
    zaps: Vec<String>,

    /// Revision to compare with: a branch, a tag, a commit
    /// [default: where HEAD left origin/main or main (else master); where there is none, HEAD]
    #[arg(long, value_name = "REV", env = "ZAPRUN_AGAINST", conflicts_with = "deployed")]
    against: Option<String>,

    /// Compare with what the state says has run, as far as git has it
    #[arg(long, env = "ZAPRUN_DEPLOYED", value_parser = BoolishValueParser::new())]
    deployed: bool,

    /// Records to try: the newest N that the state has, or those of a JSON or YAML file
    /// [default: those of the zaps' tests, and the fixtures beside them]
    #[arg(long, value_name = "N|FILE", env = "ZAPRUN_RECORDS")]
    records: Option<Wanted>,

    /// How to write it: for people, for a comment on a pull request, as JSON
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,

    /// Exit with 1 when something changes
    #[arg(long, env = "ZAPRUN_EXIT_CODE", value_parser = BoolishValueParser::new())]
    exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

/// The other side.
struct Other {
    against: Against,
    notes: Vec<String>,
    /// The project as a revision has it; nothing where there was none.
    project: Option<Loading>,
    /// What has run, where that is the other side.
    deployed: Option<deployed::Ran>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let root = context.find_project()?;
    let new = loading::load_tests(&root, context.env.as_deref(), false);
    loading::readable(context, &new)?;
    let other = match args.deployed {
        true => deployed(context, &root, &new)?,
        false => revision(context, &root, args.against.as_deref())?,
    };
    let after = zaps::of_project(&new);
    let before = match (&other.deployed, &other.project) {
        (Some(ran), _) => ran.sides(),
        (None, Some(project)) => zaps::of_project(project),
        (None, None) => Vec::new(),
    };
    let pairs = zaps::pairs(&before, &after);
    let chosen = choose(&pairs, &args.zaps)?;
    let records = records(context, &root, args, (&new, other.project.as_ref()), &chosen)?;
    let mut stand_ins = StandIns::default();
    let mut report = Report { against: other.against, notes: other.notes, ..Report::default() };
    if let (Some(old), true) = (&other.project, args.zaps.is_empty()) {
        report.project = zaps::project(old, &new);
    }
    for pair in &chosen {
        let mut plan = zaps::plan(pair, &pairs);
        if tries(&plan, pair) {
            let given = records.of(context, pair, &pairs)?;
            plan.tried = given.len();
            // Of what is removed none is expected.
            if given.is_empty() && pair.new.is_some() {
                plan.notes.push(records.none_of());
            }
            let (old, new) =
                (pair.old.and_then(|side| side.edition()), pair.new.and_then(|side| side.edition()));
            let different =
                given.iter().filter_map(|given| compare::compare(given, old, new, &mut stand_ins));
            plan.records = different.collect();
            plan.settle();
        }
        report.zaps.push(plan);
    }
    show(context, args, &report)?;
    let valid = tell(context, &new, &args.zaps);
    Ok(Exit::findings(!valid || args.exit_code && report.has_changes()))
}

/// Whether records tell more than is known. What is the same gives the same; what only ever ran gives nothing new.
fn tries(plan: &report::ZapPlan, pair: &Pair<'_>) -> bool {
    let old_is_known = pair.old.is_none_or(|side| side.zap.is_some());
    !matches!(plan.change, Change::Unchanged | Change::Switched | Change::Invalid | Change::Gone)
        && old_is_known
}

/// What of a run's requests is different with the zap as it is now; nothing where all is as it was.
pub(crate) fn of_run(run: &RunDetail, old: Option<&Loading>, new: &Loading) -> Option<RecordPlan> {
    fn edition<'a>(loading: &'a Loading, named: Option<&str>) -> Option<compare::Edition<'a>> {
        let sides = zaps::of_project(loading);
        sides.iter().find(|side| named.is_none_or(|name| side.name == name))?.edition()
    }
    let given = compare::Given {
        from: format!("run {}", run.summary.id),
        occasion: crate::commands::render::stored(run),
        case: None,
        known: false,
    };
    // What is recorded is one zap, whatever it was called.
    let old = old.and_then(|old| edition(old, None));
    compare::compare(&given, old, edition(new, Some(&run.summary.zap)), &mut StandIns::default())
}

/// What becomes of records, for people.
pub(crate) fn records_text(records: &[RecordPlan], printer: &Printer) -> String {
    text::records(records, printer)
}

fn show(context: &Context, args: &Args, report: &Report) -> Result<(), CommandError> {
    let text = match args.format {
        Format::Text => text::render(report, &context.printer),
        Format::Markdown => markdown::render(report),
        Format::Json => pretty(report),
    };
    context.printer.data(&text)
}

/// What is wrong with the project as it is now; whether it is valid.
fn tell(context: &Context, new: &Loading, chosen: &[String]) -> bool {
    let concerns = |finding: &&Diagnostic| {
        finding.severity == Severity::Error
            && finding.zap.as_ref().is_none_or(|zap| chosen.is_empty() || chosen.contains(zap))
    };
    let errors: Vec<Diagnostic> = new.findings.iter().filter(concerns).cloned().collect();
    if errors.is_empty() {
        return true;
    }
    let findings = Findings { sources: &new.sources, diagnostics: &errors, prefix: "" };
    context.printer.report(&findings.render(render::Format::Text, &context.printer));
    let errors = count(errors.len() as u64, "error", "errors");
    context
        .printer
        .report(&format!("{} as it is now", context.printer.err().red(&format!("{errors} in the project"))));
    false
}

/// The zaps to look at.
fn choose<'a>(pairs: &[Pair<'a>], wanted: &[String]) -> Result<Vec<Pair<'a>>, CommandError> {
    let called = |pair: &Pair<'_>, name: &str| {
        [pair.new, pair.old].into_iter().flatten().any(|side| side.name == name)
    };
    if let Some(unknown) = wanted.iter().find(|name| !pairs.iter().any(|pair| called(pair, name))) {
        let error = CommandError::usage(format!("neither side has a zap `{unknown}`"));
        return Err(match did_you_mean(unknown, pairs.iter().map(Pair::name)) {
            Some(like) => error.hint(format!("did you mean `{like}`?")),
            None => error,
        });
    }
    let chosen = |pair: &&Pair<'a>| wanted.is_empty() || wanted.iter().any(|name| called(pair, name));
    Ok(pairs.iter().filter(chosen).copied().collect())
}

/// The project as a revision has it.
fn revision(context: &Context, root: &Path, against: Option<&str>) -> Result<Other, CommandError> {
    let repository = Repository::of(root)?;
    let named = match against {
        Some(name) => repository.named(name)?,
        None => repository.usual()?,
    };
    let revision = repository.revision(&named.commit)?;
    let mut notes: Vec<String> = named.note.clone().into_iter().collect();
    let project = revision.is_project().then(|| load(context, &revision));
    match &project {
        None => notes.push("there was no zaprun.yaml: every zap is new".to_owned()),
        Some(project) => notes.extend(invalid(project)),
    }
    let against = Against { name: named.name, commit: Some(named.commit) };
    Ok(Other { against, notes, project, deployed: None })
}

fn load(context: &Context, origin: &dyn Origin) -> Loading {
    loading::load_tests_of(origin, context.env.as_deref(), false)
}

/// That the other side is not valid.
fn invalid(project: &Loading) -> Option<String> {
    let errors = project.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors > 0).then(|| {
        format!(
            "the other side has {}: what of it is not valid is not compared",
            count(errors as u64, "error", "errors")
        )
    })
}

/// What has run.
fn deployed(context: &Context, root: &Path, new: &Loading) -> Result<Other, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let known = context
        .block_on(async { reader.deployed().await.map_err(|error| state_error(&error, &opened.state)) })?;
    let ran = deployed::Ran::find(context, root, known, new);
    let notes = vec![ran.note()];
    let against = Against { name: "what is deployed".to_owned(), commit: None };
    Ok(Other { against, notes, project: None, deployed: Some(ran) })
}

fn records<'a>(
    context: &Context,
    root: &Path,
    args: &Args,
    (new, old): (&'a Loading, Option<&'a Loading>),
    chosen: &[Pair<'a>],
) -> Result<Records<'a>, CommandError> {
    match &args.records {
        None => Ok(Records::of_project(root, new, old)),
        Some(Wanted::File(path)) => {
            let records = read(context, path, &bytes(path)?)?;
            let name = path.file_name().map_or_else(|| "record".into(), |name| name.to_string_lossy());
            Ok(Records::File { name: name.into_owned(), records, whole: chosen.len() == 1 })
        }
        Some(Wanted::Stored(most)) => {
            let opened = open(context)?;
            let reader = SqliteStore::open_reader(&opened.state)
                .map_err(|error| state_error(&error, &opened.state))?;
            Ok(Records::Stored { reader, state: opened.state, most: *most })
        }
    }
}

#[cfg(test)]
mod tests;
