//! Findings: what is wrong, where, and what to write instead.
//!
//! A finding is data. The command line renders it; nothing here prints.

mod codes;

pub use codes::{CODES, Code, code};

use crate::source::Span;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Probably a mistake; the project still runs.
    Warning,
    /// The project is not valid.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Entry of the table of codes.
    pub code: &'static Code,
    /// Severity; the code's own unless the finding is only probable.
    pub severity: Severity,
    /// What is wrong: a short lowercase fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where; `None` only for what has no place in a file.
    pub span: Option<Span>,
    /// A second place that explains the first, with its words.
    pub related: Vec<(Span, String)>,
    /// The zap it belongs to, by name.
    pub zap: Option<String>,
    /// JSON pointer of the value within its document.
    pub pointer: Option<String>,
}

impl Diagnostic {
    /// A finding of `code` with its own severity.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity,
            message: clipped(message.into()),
            help: None,
            span: None,
            related: Vec::new(),
            zap: None,
            pointer: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(clipped(help.into()));
        self
    }

    /// Says what to write instead, when something is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.map(clipped).or(self.help);
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }

    /// Names the JSON pointer.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Names the zap.
    #[must_use]
    pub fn zap(mut self, zap: impl Into<String>) -> Self {
        self.zap = Some(zap.into());
        self
    }
}

/// Findings quote what was written, which may be of any length.
fn clipped(mut text: String) -> String {
    const LONGEST: usize = 500;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The candidate most like `word`, when one is like enough to be what was meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_clipped_between_characters() {
        let finding = Diagnostic::new(&code::UNREADABLE, "é".repeat(1000)).help("x".repeat(500));
        assert_eq!(finding.message.chars().count(), 501);
        assert_eq!(finding.help.map(|help| help.len()), Some(500));
    }

    #[test]
    fn only_what_is_alike_is_suggested() {
        assert_eq!(did_you_mean("fillter", ["filter", "formerly"]), Some("filter"));
        assert_eq!(did_you_mean("method", ["headers", "json"]), None);
    }
}
