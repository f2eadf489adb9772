//! Findings as text for people and as the formats that machines read.

mod github;
mod json;
mod sarif;
mod text;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use zaprun_core::diagnostic::{Diagnostic, Severity};
use zaprun_core::source::SourceMap;

use crate::output::Printer;

/// How findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // For people: the source line with the place underlined
    #[default]
    Text,
    // One JSON object
    Json,
    // Annotations of a GitHub workflow
    Github,
    // SARIF 2.1.0, as code scanning reads it
    Sarif,
}

/// Findings with the texts they are about.
pub(crate) struct Findings<'a> {
    /// The texts.
    pub(crate) sources: &'a SourceMap,
    /// What was found.
    pub(crate) diagnostics: &'a [Diagnostic],
    /// The project's folder within its repository, ending in `/`; empty where they are the same.
    pub(crate) prefix: &'a str,
}

impl Findings<'_> {
    /// Whether any makes the project invalid.
    pub(crate) fn any_error(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Errors and warnings.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let errors = self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        (errors, self.diagnostics.len() - errors)
    }

    /// As log lines of machines, a JSON object each.
    pub(crate) fn log_lines(&self, at: Timestamp) -> String {
        json::lines(self, at)
    }

    /// The whole output.
    pub(crate) fn render(&self, format: Format, printer: &Printer) -> String {
        match format {
            Format::Text => text::render(self, printer.out().0, printer.columns()),
            Format::Json => json::render(self),
            Format::Github => github::render(self),
            Format::Sarif => sarif::render(self),
        }
    }
}

/// The project's folder within the repository that holds it, as [`Findings::prefix`] wants it. Those who read
/// annotations and SARIF know files by their path in the repository.
pub(crate) fn prefix_in_repository(project: &Path) -> String {
    let workspace = crate::env::variable("GITHUB_WORKSPACE").map(PathBuf::from);
    prefix_below(project, workspace.as_deref(), std::env::current_dir().ok().as_deref())
}

/// The same, with the folder that a workflow has checked out and the current one, for a project outside of a repository.
fn prefix_below(project: &Path, workspace: Option<&Path>, current: Option<&Path>) -> String {
    let Ok(project) = project.canonicalize() else { return String::new() };
    let repository = project.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let others = [workspace, current].into_iter().flatten().filter_map(|folder| folder.canonicalize().ok());
    let within = |top: PathBuf| project.strip_prefix(top).ok().map(Path::to_owned);
    let Some(within) = repository.into_iter().chain(others).find_map(within) else { return String::new() };
    within.components().map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect()
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests;
