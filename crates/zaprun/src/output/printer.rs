//! The only place that writes to stdout and stderr.

use std::io::{self, IsTerminal, Write};

use crate::cli::{ColorChoice, Global};
use crate::env;
use crate::error::CommandError;
use crate::output::style::{Paint, clean};

/// Writes data and messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: bool,
    out: Paint,
    err: Paint,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        let colored = |terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !env::no_color() && !env::dumb_terminal(),
        };
        Printer {
            quiet: global.quiet,
            verbose: global.verbose,
            out: Paint(colored(io::stdout().is_terminal())),
            err: Paint(colored(io::stderr().is_terminal())),
        }
    }

    /// Colours for data.
    pub(crate) fn out(&self) -> Paint {
        self.out
    }

    /// Colours for messages.
    pub(crate) fn err(&self) -> Paint {
        self.err
    }

    /// `--quiet`
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// `--verbose`
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether a person looks at the messages as they come.
    pub(crate) fn is_live(&self) -> bool {
        !self.quiet && io::stderr().is_terminal() && !env::dumb_terminal()
    }

    /// The columns of the terminal that shows the data; `None` in a pipe, where nothing is cut or folded.
    pub(crate) fn columns(&self) -> Option<usize> {
        comfy_table::Table::new().width().map(usize::from)
    }

    /// Data: stdout, ends with a line break.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe is success in the end.
    pub(crate) fn data(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') && !text.is_empty() {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()?;
        Ok(())
    }

    /// A message, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.message(text);
        }
    }

    /// Findings that keep a command from starting: said even with `--quiet`.
    pub(crate) fn report(&self, text: &str) {
        if !text.is_empty() {
            self.message(text.trim_end_matches('\n'));
        }
    }

    /// Something that may be wrong.
    pub(crate) fn warning(&self, text: &str) {
        self.message(&format!("{}: {}", self.err.yellow("warning"), clean(text)));
    }

    /// What to do about something.
    pub(crate) fn hint(&self, text: &str) {
        self.message(&format!("{}: {}", self.err.cyan("hint"), clean(text)));
    }

    /// Why a command could not do what it was asked, with its hints.
    pub(crate) fn error(&self, error: &CommandError) {
        if error.is_silent() {
            return;
        }
        self.message(&format!("{}: {}", self.err.red("error"), clean(&error.to_string())));
        error.hints().iter().for_each(|hint| self.hint(hint));
    }

    fn message(&self, text: &str) {
        // One write, so that no other program's line gets in between. Nobody is left to be told when stderr is gone.
        let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
    }
}
