//! Findings as annotations of a GitHub workflow.

use zaprun_core::diagnostic::Diagnostic;

use super::{Findings, severity_word};
use crate::output::clean;

pub(super) fn render(findings: &Findings<'_>) -> String {
    findings.diagnostics.iter().map(|diagnostic| line(findings, diagnostic)).collect()
}

fn line(findings: &Findings<'_>, diagnostic: &Diagnostic) -> String {
    let mut properties = vec![("title", diagnostic.code.id.to_owned())];
    if let Some(span) = diagnostic.span {
        let (start, end) = findings.sources.range(span);
        let path = format!("{}{}", findings.prefix, findings.sources.file(span.file).path);
        properties.extend([
            ("file", path),
            ("line", start.line.to_string()),
            ("col", start.column.to_string()),
            ("endLine", end.line.to_string()),
        ]);
        // GitHub knows columns only of places within one line.
        if start.line == end.line {
            properties.push(("endColumn", end.column.to_string()));
        }
    }
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let message = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    format!("::{} {}::{}\n", severity_word(diagnostic.severity), properties.join(","), data(&message))
}

/// Escaped for the text of a workflow command.
fn data(text: &str) -> String {
    clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escaped for a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
