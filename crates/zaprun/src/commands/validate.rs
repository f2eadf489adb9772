//! `zaprun validate`

use std::collections::BTreeSet;

use clap::builder::BoolishValueParser;
use zaprun_core::diagnostic::{CODES, Code, did_you_mean};
use zaprun_core::variables::Reference;

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{self, Loading};
use crate::output::count;
use crate::render::{Findings, Format, prefix_in_repository};

/// Check every file of the project, without network or secrets
///
/// Finds what is wrong in zaprun.yaml, its overlays and all zaps, all of it at once, with the place and what to write
/// instead. Needs no variable to be set; it lists those that a deployment must set.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 valid, 1 findings, 2 no project.")]
pub(crate) struct Args {
    /// How to write the findings: for people, as JSON, as annotations of a GitHub workflow, as SARIF 2.1.0
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,

    /// Let warnings fail too
    #[arg(long, env = "ZAPRUN_STRICT", value_parser = BoolishValueParser::new())]
    strict: bool,

    /// Run the tests of the zaps too; each that fails is a finding
    #[arg(long, env = "ZAPRUN_TESTS", value_parser = BoolishValueParser::new())]
    tests: bool,

    /// Explain a code such as ZR0101, and check nothing
    #[arg(long, value_name = "CODE", env = "ZAPRUN_EXPLAIN")]
    explain: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if let Some(wanted) = &args.explain {
        return explain(context, wanted);
    }
    let root = context.find_project()?;
    let project = loading::load_tests(&root, context.env.as_deref(), args.tests);
    let prefix = match args.format {
        Format::Github | Format::Sarif => prefix_in_repository(&root),
        Format::Text | Format::Json => String::new(),
    };
    let findings = Findings { sources: &project.sources, diagnostics: &project.findings, prefix: &prefix };
    context.printer.data(&findings.render(args.format, &context.printer))?;
    summary(context, &project, &findings, args.tests);
    if project.unreadable {
        return Err(CommandError::told());
    }
    let (errors, warnings) = findings.counts();
    Ok(Exit::findings(errors > 0 || args.strict && warnings > 0))
}

fn explain(context: &Context, wanted: &str) -> Result<Exit, CommandError> {
    let name = wanted.trim().to_uppercase();
    // `106` and `ZR106` have one meaning.
    let digits = name.trim_start_matches("ZR");
    let padded = format!("ZR{digits:0>4}");
    let Some(code) = CODES.iter().find(|code| code.id == name || code.id == padded) else {
        let error = CommandError::usage(format!("there is no code `{wanted}`"));
        let ids = CODES.iter().map(|code| code.id);
        return Err(match did_you_mean(&name, ids) {
            Some(like) => error.hint(format!("did you mean {like}?")),
            None => error,
        });
    };
    context.printer.data(&explanation(context, code))?;
    Ok(Exit::Fine)
}

fn explanation(context: &Context, code: &Code) -> String {
    let paint = context.printer.out();
    let indented = |text: &str| -> String { text.lines().map(|line| format!("  {line}\n")).collect() };
    format!(
        "{} {}\n\n{}\n\n{}\n{}\n{}\n{}",
        paint.bold(code.id),
        paint.bold(code.title),
        code.why,
        paint.red("bad"),
        indented(code.bad),
        paint.green("good"),
        indented(code.good),
    )
}

fn summary(context: &Context, project: &Loading, findings: &Findings<'_>, tests: bool) {
    let printer = &context.printer;
    let (errors, warnings) = findings.counts();
    let checked = checked(project, tests);
    let found: Vec<String> = [(errors, "error", "errors"), (warnings, "warning", "warnings")]
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| count(*number as u64, one, many))
        .collect();
    let paint = printer.err();
    let found = found.join(" and ");
    match (errors, found.as_str()) {
        (_, "") => printer.note(&format!("{} {checked}", paint.green("valid:"))),
        (0, _) => printer.note(&format!("{} {checked}, with {found}", paint.green("valid:"))),
        _ => printer.note(&format!("{} in {checked}", paint.red(&found))),
    }
    variables(context, project);
}

/// `zaprun.yaml, 2 overlays and 14 zaps`, and of tests that were run how many there are.
fn checked(project: &Loading, tests: bool) -> String {
    let zaps = count(project.zap_files as u64, "zap", "zaps");
    let tests = match tests {
        true => format!(", {} run", count(project.cases.len() as u64, "test", "tests")),
        false => String::new(),
    };
    match project.overlays {
        0 => format!("zaprun.yaml and {zaps}{tests}"),
        overlays => {
            let overlays = count(overlays as u64, "overlay", "overlays");
            format!("zaprun.yaml, {overlays} and {zaps}{tests}")
        }
    }
}

/// What a deployment must set, and what it may.
fn variables(context: &Context, project: &Loading) {
    let mut must = BTreeSet::new();
    let mut may = BTreeSet::new();
    for needed in &project.needed {
        let name = match &needed.reference {
            Reference::Variable(name) => name.clone(),
            Reference::File(path) => format!("the file {path}"),
        };
        if needed.default.is_some() {
            may.insert(name)
        } else {
            must.insert(name)
        };
    }
    // With a default in one place and none in another, it must be set.
    may.retain(|name| !must.contains(name));
    for (names, words) in [(must, "a deployment must set"), (may, "and may set")] {
        if !names.is_empty() {
            let names: Vec<String> = names.into_iter().collect();
            context.printer.note(&format!("{words} {}", names.join(", ")));
        }
    }
}
