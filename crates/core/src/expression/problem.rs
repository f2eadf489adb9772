//! What can be wrong with an expression: when it is compiled, and when it is evaluated.

use std::fmt;
use std::ops::Range;

use crate::diagnostic::Code;

/// A finding within one source string.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Entry of the table of codes.
    pub code: &'static Code,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Bytes within the source string.
    pub range: Range<usize>,
}

impl Problem {
    /// A finding of `code` at `range`.
    pub fn new(code: &'static Code, message: impl Into<String>, range: Range<usize>) -> Self {
        Problem { code, message: message.into(), help: None, range }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to write instead, when something is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

/// Why an evaluation gave no value. The message names fields, filters and kinds, never what a record holds; the
/// value that caused it, where that helps, is kept apart in [`EvalError::value`] so that it can be masked.
#[derive(Clone, PartialEq)]
pub struct EvalError(Box<Inner>);

#[derive(Clone, PartialEq)]
struct Inner {
    message: String,
    help: Option<String>,
    value: Option<String>,
    range: Range<usize>,
}

impl EvalError {
    /// An error at `range` of the source string.
    pub fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        EvalError(Box::new(Inner { message: message.into(), help: None, value: None, range }))
    }

    pub(crate) fn from_fault(fault: Fault, name: &str, range: Range<usize>) -> Self {
        let Fault { message, help, value } = fault;
        EvalError(Box::new(Inner { message: format!("{name}: {message}"), help, value, range }))
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The same error at another range.
    #[must_use]
    pub(crate) fn moved(mut self, range: Range<usize>) -> Self {
        self.0.range = range;
        self
    }

    /// What went wrong: a lowercase fragment without record values.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to write instead.
    pub fn hint(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The value that caused it, at most 40 characters of it. It may be personal data.
    pub fn value(&self) -> Option<&str> {
        self.0.value.as_deref()
    }

    /// Bytes within the source string.
    pub fn range(&self) -> Range<usize> {
        self.0.range.clone()
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// Without the value, which may be personal.
impl fmt::Debug for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvalError")
            .field("message", &self.0.message)
            .field("help", &self.0.help)
            .field("range", &self.0.range)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for EvalError {}

/// Why an operator or a filter gave no value; whoever called it knows the place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) value: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Fault { message: message.into(), help: None, value: None }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Keeps the beginning of the value that caused it.
    #[must_use]
    pub(crate) fn value(mut self, value: &str) -> Self {
        self.value = Some(shorten(value));
        self
    }
}

impl From<crate::value::DecimalError> for Fault {
    fn from(error: crate::value::DecimalError) -> Self {
        Fault::new(error.to_string())
    }
}

/// At most 40 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text.to_owned(),
    }
}
