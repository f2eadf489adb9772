//! How a command ends: exit codes and errors.

use std::io;
use std::process::ExitCode;

/// A command that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain about: 0.
    Fine,
    /// It found or met something that is wrong: 1.
    Findings,
    /// It was interrupted and ended in order: 130.
    Interrupted,
}

impl Exit {
    /// `Findings` when there are any.
    pub(crate) fn findings(any: bool) -> Exit {
        if any { Exit::Findings } else { Exit::Fine }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Interrupted => INTERRUPTED,
        })
    }
}

/// What a shell reports for a program that ended by SIGINT.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bad usage or an unreadable project.
    Usage,
    /// The same, and what was printed says it already.
    Told,
    /// It was asked well and could not be done.
    Failure,
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// The reader of our output went away, which is its right.
    BrokenPipe,
}

/// A command that could not do what it was asked: a lowercase fragment, and hints apart from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CommandError {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

impl CommandError {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        CommandError { kind, message: message.into(), hints: Vec::new() }
    }

    /// Bad usage or an unreadable project: exit 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An unreadable project whose findings say why: exit 2, without another word.
    pub(crate) fn told() -> Self {
        Self::new(Kind::Told, "the project cannot be read")
    }

    /// Asked well, but could not be done: exit 1.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// Ended by Ctrl-C before it was done: exit 130.
    pub(crate) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// Ended at once by a signal, without waiting for what was in flight.
    pub(crate) fn ended_at_once() -> Self {
        Self::new(Kind::Interrupted, "ended at once")
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What to do about it.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Whether a person needs to be told.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.kind, Kind::BrokenPipe | Kind::Interrupted | Kind::Told)
    }

    /// 0, 1, 2 or 130.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::BrokenPipe => 0,
            Kind::Failure => 1,
            Kind::Usage | Kind::Told => 2,
            Kind::Interrupted => INTERRUPTED,
        })
    }
}

/// From writing output.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::BrokenPipe, "the output was closed"),
            _ => Self::failure(format!("the output cannot be written: {}", io_words(&error))),
        }
    }
}

/// An I/O error in the words of a person: without the number of the operating system.
pub(crate) fn io_words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_read_as_fragments() {
        assert_eq!(io_words(&io::Error::from_raw_os_error(2)), "no such file or directory");
        assert_eq!(io_words(&io::Error::other("Disk on fire")), "disk on fire");
    }

    #[test]
    fn a_closed_pipe_is_success() {
        let error = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(error.is_silent());
        assert_eq!(format!("{:?}", error.exit_code()), format!("{:?}", ExitCode::SUCCESS));
    }
}
