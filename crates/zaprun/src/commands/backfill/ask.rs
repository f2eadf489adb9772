//! Asking before much is sent.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use crate::error::CommandError;
use crate::output::{Printer, clean};

/// Whether somebody is there who can answer.
pub(super) fn is_terminal(printer: &Printer) -> bool {
    stdin().is_terminal() && printer.is_live()
}

/// Goes on only with a yes.
///
/// # Errors
/// When the answer is another, or there is none.
pub(super) fn confirm(printer: &Printer, question: &str) -> Result<(), CommandError> {
    ask(&mut stdin().lock(), &mut stderr().lock(), &printer.err().bold("Go on?"), question)
}

fn ask(
    answers: &mut impl BufRead,
    questions: &mut impl Write,
    go_on: &str,
    question: &str,
) -> Result<(), CommandError> {
    write!(questions, "{}\n{go_on} [y/N] ", clean(question))?;
    questions.flush()?;
    let mut answer = String::new();
    let read = answers.read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        // The end of the input: Ctrl-D.
        _ if read == 0 => Err(CommandError::interrupted()),
        _ => Err(CommandError::failure("nothing was read or sent").hint("`--yes` goes on without asking")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> (bool, String) {
        let mut asked = Vec::new();
        let went_on = ask(&mut text.as_bytes(), &mut asked, "Go on?", "`sales`: 90 days.").is_ok();
        (went_on, String::from_utf8_lossy(&asked).into_owned())
    }

    #[test]
    fn only_a_yes_goes_on() {
        assert_eq!(answered("y\n"), (true, "`sales`: 90 days.\nGo on? [y/N] ".to_owned()));
        assert!(answered("YES\n").0);
        for no in ["n\n", "\n", "yesterday\n", ""] {
            assert!(!answered(no).0, "{no:?}");
        }
    }
}
