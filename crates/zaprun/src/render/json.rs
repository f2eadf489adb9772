//! Findings as one JSON object.

use jiff::Timestamp;
use serde::Serialize;
use zaprun_core::diagnostic::{Diagnostic, Severity};
use zaprun_core::source::Position;

use super::{Findings, severity_word};
use crate::output::pretty;

#[derive(Serialize)]
struct Report<'a> {
    valid: bool,
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    zap: Option<&'a str>,
    pointer: Option<&'a str>,
    file: Option<&'a str>,
    range: Option<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Serialize)]
struct Place {
    line: usize,
    column: usize,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Place { line: position.line, column: position.column }
    }
}

pub(super) fn render(findings: &Findings<'_>) -> String {
    let report = Report {
        valid: !findings.any_error(),
        diagnostics: findings.diagnostics.iter().map(|diagnostic| entry(findings, diagnostic)).collect(),
    };
    pretty(&report)
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    message: &'a str,
    code: &'a str,
    hint: Option<&'a str>,
    zap: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
}

/// One line for each finding, as log lines are written.
pub(super) fn lines(findings: &Findings<'_>, at: Timestamp) -> String {
    let line = |diagnostic: &Diagnostic| {
        let line = Line {
            timestamp: at.to_string(),
            level: if diagnostic.severity == Severity::Error { "ERROR" } else { "WARN" },
            message: &diagnostic.message,
            code: diagnostic.code.id,
            hint: diagnostic.help.as_deref(),
            zap: diagnostic.zap.as_deref(),
            file: diagnostic.span.map(|span| findings.sources.file(span.file).path.as_str()),
            line: diagnostic.span.map(|span| findings.sources.range(span).0.line),
        };
        serde_json::to_string(&line).unwrap_or_default() + "\n"
    };
    findings.diagnostics.iter().map(line).collect()
}

fn entry<'a>(findings: &'a Findings<'_>, diagnostic: &'a Diagnostic) -> Entry<'a> {
    Entry {
        code: diagnostic.code.id,
        severity: severity_word(diagnostic.severity),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        zap: diagnostic.zap.as_deref(),
        pointer: diagnostic.pointer.as_deref(),
        file: diagnostic.span.map(|span| findings.sources.file(span.file).path.as_str()),
        range: diagnostic.span.map(|span| {
            let (start, end) = findings.sources.range(span);
            Range { start: start.into(), end: end.into() }
        }),
    }
}
