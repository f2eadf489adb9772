//! Asking a person whether something is meant.

use std::io::{BufRead, IsTerminal, Write};

use crate::error::CommandError;
use crate::output::clean;

/// Asks whether to go on. `question` names what would be done, and with how much: `drop 3 runs`.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    terminal(question, "--yes does it without asking")?;
    match answer(&format!("{question}? [y/N] "))?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CommandError::failure("nothing was done")),
    }
}

/// Asks for words that nobody types by mistake; `given` has them in a script.
///
/// # Errors
/// When other words come, or nobody can be asked.
pub(crate) fn confirm_words(given: Option<&str>, question: &str, words: &str) -> Result<(), CommandError> {
    let said = match given {
        Some(given) => given.trim().to_owned(),
        None => {
            terminal(question, &format!("--confirm \"{words}\" does it without asking"))?;
            answer(&format!("{question}; type `{words}` to go on: "))?
        }
    };
    if said == words {
        return Ok(());
    }
    Err(CommandError::failure("nothing was done: these are not the words")
        .hint(format!("the words are `{words}`")))
}

fn terminal(question: &str, hint: &str) -> Result<(), CommandError> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(CommandError::failure(format!("nobody is there to confirm: {question}; nothing was done")).hint(hint))
}

fn answer(question: &str) -> Result<String, CommandError> {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(clean(question).as_bytes())?;
    stderr.flush()?;
    let mut line = String::new();
    // The end of the input: Ctrl-D.
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(CommandError::interrupted());
    }
    Ok(line.trim().to_owned())
}
