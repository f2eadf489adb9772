//! `zaprun test`

mod cases;
mod junit;
mod report;
mod update;

use std::sync::Arc;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use zaprun_core::diagnostic::{Diagnostic, Severity, did_you_mean};
use zaprun_core::rehearsal::{Case, Difference};
use zaprun_core::source::Span;
use zaprun_core::zap::Zap;
use zaprun_engine::trial;

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{self, Loading};
use crate::output::count;
use crate::render::{self, Findings};

/// Run the tests of the zaps, without network or secrets
///
/// Each test gives a record and says what is to come of it: it is mapped as a run would map it, and what would be sent is
/// compared. Tests stand under `tests:` of a zap, or of a file *.test.yaml with `zap:` and its name.
///
/// With --cases records are made up instead, of every shape that the trigger's rows have: no run may be given up by a
/// usual one, and what is sent must be what its target takes, and as the zap's `properties:` say.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 all pass, 1 a test or a case fails, or the project is not valid, 2 no project."
)]
pub(crate) struct Args {
    /// The zaps whose tests are run [default: all]
    #[arg(value_name = "ZAP")]
    zaps: Vec<String>,

    /// Only tests whose names hold this text
    #[arg(long, value_name = "TEXT", env = "ZAPRUN_FILTER")]
    filter: Option<String>,

    /// Name the tests, and run none
    #[arg(long, env = "ZAPRUN_LIST", value_parser = BoolishValueParser::new())]
    list: bool,

    /// Take so many records that are made up through each zap, instead of its tests, and tell what they break
    #[arg(long, value_name = "N", env = "ZAPRUN_CASES", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cases: Option<u32>,

    /// With --cases: what the records are made from; the same seed makes the same [default: another each time, told]
    #[arg(long, value_name = "S", env = "ZAPRUN_SEED")]
    seed: Option<u64>,

    /// With --cases: write each failure as a fixture and a test of its zap, which fails until the zap is mended
    #[arg(long, env = "ZAPRUN_SAVE", value_parser = BoolishValueParser::new())]
    save: bool,
    /// Rewrite the expectations of tests that fail, in their files; comments and everything else stay as they are
    #[arg(long, env = "ZAPRUN_UPDATE", value_parser = BoolishValueParser::new(), conflicts_with_all = ["list", "cases"])]
    update: bool,

    /// How to write the results: for people, as JSON, as the JUnit XML that CI systems read
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    // For people: a line for each test, and what differs
    #[default]
    Text,
    // One JSON object
    Json,
    // JUnit XML
    Junit,
}

impl Args {
    /// Whether a test is one of those that are asked for.
    fn wants(&self, case: &Case) -> bool {
        let chosen = self.zaps.is_empty() || self.zaps.contains(&case.zap);
        chosen && self.filter.as_deref().is_none_or(|text| case.name.contains(text))
    }
}

/// A test and what came of it.
struct Outcome<'a> {
    case: &'a Case,
    file: &'a str,
    line: usize,
    /// The line of a place in that file.
    line_of: Box<dyn Fn(Span) -> usize + 'a>,
    differences: Vec<Difference>,
}

impl Outcome<'_> {
    fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let root = context.find_project()?;
    if args.update {
        update::update(context, &root, &|case| args.wants(case))?;
    }
    let mut project = loading::load_tests(&root, context.env.as_deref(), false);
    if project.unreadable {
        findings(context, &project, &|_| true);
        return Err(CommandError::told());
    }
    known(&project, &args.zaps)?;
    let chosen = |name: &str| args.zaps.is_empty() || args.zaps.iter().any(|zap| zap == name);
    if let Some(number) = args.cases {
        return cases::run(context, args, &root, &project, number, &chosen);
    }
    if args.save {
        let error = CommandError::usage("`--save` writes what `--cases` finds");
        return Err(error.hint("add `--cases 256`"));
    }
    let zaps: Vec<Arc<Zap>> = std::mem::take(&mut project.zaps).into_iter().map(Arc::new).collect();
    let cases: Vec<&Case> = project.cases.iter().filter(|case| args.wants(case)).collect();
    if args.list {
        let names: String = cases.iter().map(|case| format!("{}: {}\n", case.zap, case.name)).collect();
        context.printer.data(&crate::output::clean(&names))?;
        return Ok(Exit::Fine);
    }
    let errors = findings(context, &project, &chosen);
    if let (true, Some(text)) = (cases.is_empty() && errors == 0, &args.filter) {
        return Err(CommandError::usage(format!("no test has a name that holds `{text}`"))
            .hint("`zaprun test --list` names them"));
    }
    let outcomes: Vec<Outcome<'_>> = cases.iter().filter_map(|case| outcome(&project, &zaps, case)).collect();
    let text = match args.format {
        Format::Text => report::text(&outcomes, context.printer.out(), context.printer.is_quiet()),
        Format::Json => report::json(&outcomes, errors == 0),
        Format::Junit => junit::render(&outcomes, errors),
    };
    context.printer.data(&text)?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    summary(context, outcomes.len(), failed);
    Ok(Exit::findings(failed > 0 || errors > 0))
}

/// Refuses names of zaps that the project does not have.
fn known(project: &Loading, wanted: &[String]) -> Result<(), CommandError> {
    let compiled = project.zaps.iter().map(|zap| zap.name.as_str());
    // One that has an error is not compiled, and has a finding.
    let broken = project.findings.iter().filter_map(|finding| finding.zap.as_deref());
    let names: Vec<&str> = compiled.chain(broken).collect();
    match wanted.iter().find(|zap| !names.contains(&zap.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let error = CommandError::usage(format!("there is no zap `{unknown}`"));
            Err(match did_you_mean(unknown, names) {
                Some(like) => error.hint(format!("did you mean {like}?")),
                None => error,
            })
        }
    }
}

/// Tells what is wrong with the zaps that were chosen and with the project; gives the number of errors.
fn findings(context: &Context, project: &Loading, chosen: &dyn Fn(&str) -> bool) -> usize {
    let concerns = |finding: &&Diagnostic| {
        let shown = finding.severity == Severity::Error || !context.printer.is_quiet();
        shown && finding.zap.as_deref().is_none_or(chosen)
    };
    let diagnostics: Vec<Diagnostic> = project.findings.iter().filter(concerns).cloned().collect();
    let findings = Findings { sources: &project.sources, diagnostics: &diagnostics, prefix: "" };
    context.printer.report(&findings.render(render::Format::Text, &context.printer));
    findings.counts().0
}

/// Runs a test. The zap of one that could not be compiled has its findings instead.
fn outcome<'a>(project: &'a Loading, zaps: &[Arc<Zap>], case: &'a Case) -> Option<Outcome<'a>> {
    let zap = zaps.iter().find(|zap| zap.name == case.zap)?;
    Some(Outcome {
        case,
        file: &project.sources.file(case.span.file).path,
        line: project.sources.range(case.span).0.line,
        line_of: Box::new(|span| project.sources.range(span).0.line),
        differences: trial::check(case, zap),
    })
}

fn summary(context: &Context, all: usize, failed: usize) {
    let paint = context.printer.err();
    let tests = count(all as u64, "test", "tests");
    match (all, failed) {
        (0, _) => context.printer.note("no tests: they stand under `tests:` of a zap"),
        (_, 0) => context.printer.note(&format!("{} {tests}", paint.green("passed:"))),
        (_, failed) => context.printer.report(&format!("{} {failed} of {tests}", paint.red("failed:"))),
    }
}
