//! `zaprun render`

mod given;
mod json;
mod text;

pub(crate) use given::{Silent, bytes, read, stored};

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use zaprun_core::diagnostic::{Diagnostic, Severity, did_you_mean};
use zaprun_core::rehearsal::{Came, End};
use zaprun_core::source::SourceMap;
use zaprun_core::yaml::{NodeId, Tree};
use zaprun_core::zap::{self, Zap};

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{self, Loading};
use crate::output::count;
use crate::render::{self, Findings};

/// Show the requests that one record makes, and what of the zap made each part
///
/// Works offline, as `zaprun test` does: nothing is sent, no variable is needed, and one that `vars` takes from the
/// environment shows as it is written. Shows personal data: it is your own terminal.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 shown, 1 the zap is not valid or the record makes it fail, 2 bad usage.")]
pub(crate) struct Args {
    /// The zap, by name
    #[arg(value_name = "ZAP")]
    zap: String,

    #[command(flatten)]
    given: Given,

    /// How to write it
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

/// What is taken through the zap: one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Given {
    /// A record as the CRM sends it, or a list of them: a JSON or YAML file, - for standard input
    #[arg(long, value_name = "FILE", env = "ZAPRUN_RECORD")]
    record: Option<PathBuf>,

    /// The record of a run, as `runs list` numbers it
    #[arg(long, value_name = "ID", env = "ZAPRUN_RUN", value_parser = crate::commands::runs::parse_id)]
    run: Option<i64>,

    /// The record of a test of the zap, by its name, with the replies that it gives
    #[arg(long, value_name = "NAME", env = "ZAPRUN_TEST")]
    test: Option<String>,

    /// For a schedule: the time at which it fires, for example 2026-09-16T08:00:00-04:00
    #[arg(long, value_name = "TIME", env = "ZAPRUN_AT")]
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What is shown: a zap, and what became of each record.
struct Shown<'a> {
    zap: &'a Zap,
    written: Written<'a>,
    came: Vec<Rendered>,
}

/// A record that was taken through the zap.
struct Rendered {
    /// `kind:key`, where it makes an event.
    event: Option<String>,
    came: Came,
}

/// The zap's file.
struct Written<'a> {
    sources: &'a SourceMap,
    tree: &'a Tree,
    path: &'a str,
}

/// A place in the zap's file.
struct Place {
    line: usize,
    column: usize,
    /// What is written there.
    text: String,
}

impl Written<'_> {
    fn place(&self, node: NodeId) -> Place {
        let span = self.tree.span(node);
        let at = self.sources.range(span).0;
        Place { line: at.line, column: at.column, text: self.sources.slice(span).trim_end().to_owned() }
    }

    /// Where a mapping error points to; nothing when it points to no value.
    fn located(&self, place: &str) -> Option<Place> {
        let node = zap::locate(self.tree, place);
        (node != self.tree.root()).then(|| self.place(node))
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let root = context.find_project()?;
    let project = loading::load_tests(&root, context.env.as_deref(), false);
    loading::readable(context, &project)?;
    let shown = Shown {
        zap: find(context, &project, &args.zap)?,
        written: written(&project, &args.zap)?,
        came: Vec::new(),
    };
    let came = given::rehearse(context, &project, shown.zap, &args.given)?;
    let shown = Shown { came, ..shown };
    let text = match args.format {
        Format::Text => text::render(&shown, &context.printer),
        Format::Json => json::render(&shown),
    };
    context.printer.data(&text)?;
    Ok(Exit::findings(shown.came.iter().any(|rendered| failed(&rendered.came))))
}

fn failed(came: &Came) -> bool {
    match came {
        Came::Ignored(_) => false,
        Came::Unreadable(_) => true,
        Came::Rehearsed(rehearsal) => matches!(rehearsal.end, End::Dead(_)),
    }
}

/// The zap of a name; what is wrong with it goes to stderr.
fn find<'a>(context: &Context, project: &'a Loading, name: &str) -> Result<&'a Zap, CommandError> {
    let file = project.files.iter().find(|file| file.name.as_deref() == Some(name));
    let Some(file) = file else {
        let error = CommandError::usage(format!("there is no zap `{name}`"));
        let names = project.files.iter().filter_map(|file| file.name.as_deref());
        return Err(match did_you_mean(name, names) {
            Some(like) => error.hint(format!("did you mean `{like}`?")),
            None => error.hint("zaps are the .yaml files under zaps/; `name:` is what they are called by"),
        });
    };
    // What is wrong with its tests does not matter here, nor what is wrong with other zaps.
    let concerns = |finding: &&Diagnostic| {
        let at = finding.span.map(|span| span.file);
        let elsewhere = at.is_some_and(|at| project.sources.file(at).path.starts_with("zaps/"));
        let tests = finding.pointer.as_deref().is_some_and(|pointer| pointer.starts_with("/tests"));
        finding.severity == Severity::Error && (at == Some(file.file) || !elsewhere) && !tests
    };
    let errors: Vec<Diagnostic> = project.findings.iter().filter(concerns).cloned().collect();
    let zap = project.zaps.iter().find(|zap| zap.name == name);
    match zap.filter(|_| errors.is_empty()) {
        Some(zap) => Ok(zap),
        None => {
            let findings = Findings { sources: &project.sources, diagnostics: &errors, prefix: "" };
            context.printer.report(&findings.render(render::Format::Text, &context.printer));
            let errors = count(errors.len() as u64, "error", "errors");
            Err(CommandError::failure(format!(
                "`{name}` cannot be rendered: {errors} in it or in zaprun.yaml"
            )))
        }
    }
}

fn written<'a>(project: &'a Loading, name: &str) -> Result<Written<'a>, CommandError> {
    let file = project.files.iter().find(|file| file.name.as_deref() == Some(name));
    let written = file.and_then(|file| {
        let path = project.sources.file(file.file).path.as_str();
        Some(Written { sources: &project.sources, tree: file.tree.as_ref()?, path })
    });
    written.ok_or_else(|| CommandError::failure(format!("`{name}` cannot be read")))
}
