//! Asking on a terminal: a question, a line in answer.

use std::io::{BufRead, Write};

use crate::error::CommandError;
use crate::output::{Paint, Printer, clean};

/// Somebody who answers.
pub(super) trait Asker {
    /// A text that is `good`; asked again until it is.
    ///
    /// # Errors
    /// When nobody answers.
    fn text(
        &mut self,
        question: &str,
        good: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, CommandError>;

    /// Which of some words: its place.
    ///
    /// # Errors
    /// When nobody answers.
    fn choice(&mut self, question: &str, words: &[&str]) -> Result<usize, CommandError>;
}

/// The person at the terminal. Questions go to stderr, so that stdout holds only what is written.
pub(super) struct Terminal(Lines<std::io::StdinLock<'static>, std::io::StderrLock<'static>>);

impl Terminal {
    pub(super) fn new(printer: Printer) -> Self {
        Terminal(Lines {
            answers: std::io::stdin().lock(),
            questions: std::io::stderr().lock(),
            paint: printer.err(),
        })
    }
}

impl Asker for Terminal {
    fn text(
        &mut self,
        question: &str,
        good: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, CommandError> {
        self.0.text(question, good)
    }

    fn choice(&mut self, question: &str, words: &[&str]) -> Result<usize, CommandError> {
        self.0.choice(question, words)
    }
}

/// Lines of answers to lines of questions.
struct Lines<R, W> {
    answers: R,
    questions: W,
    paint: Paint,
}

impl<R: BufRead, W: Write> Lines<R, W> {
    fn say(&mut self, text: &str) -> Result<(), CommandError> {
        self.questions.write_all(text.as_bytes())?;
        self.questions.flush()?;
        Ok(())
    }

    fn answer(&mut self) -> Result<String, CommandError> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line)?;
        // The end of the input: Ctrl-D.
        if read == 0 {
            return Err(CommandError::interrupted());
        }
        Ok(line.trim().to_owned())
    }
}

impl<R: BufRead, W: Write> Asker for Lines<R, W> {
    fn text(
        &mut self,
        question: &str,
        good: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, CommandError> {
        loop {
            self.say(&format!("{} ", self.paint.bold(question)))?;
            let answer = self.answer()?;
            match good(&answer) {
                Ok(()) => return Ok(answer),
                Err(why) => self.say(&format!("  {}\n", clean(&why)))?,
            }
        }
    }

    fn choice(&mut self, question: &str, words: &[&str]) -> Result<usize, CommandError> {
        let width = words.len().to_string().len();
        let listed: String = words
            .iter()
            .enumerate()
            .map(|(at, word)| format!("  {:>width$}  {}\n", at + 1, clean(word)))
            .collect();
        self.say(&format!("{}\n{listed}", self.paint.bold(question)))?;
        loop {
            self.say("number or word: ")?;
            let answer = self.answer()?;
            let by_number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let by_number = by_number.filter(|at| *at < words.len());
            let by_word = || words.iter().position(|word| *word == answer);
            match by_number.or_else(by_word) {
                Some(at) => return Ok(at),
                None => self.say("  that is none of them\n")?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(answers: &str) -> Lines<&[u8], Vec<u8>> {
        Lines { answers: answers.as_bytes(), questions: Vec::new(), paint: Paint(false) }
    }

    #[test]
    fn it_asks_until_the_answer_is_good() {
        let mut asked = lines("\nBad Name\n good \n");
        let good = |text: &str| if text == "good" { Ok(()) } else { Err(format!("`{text}` is bad")) };
        assert_eq!(asked.text("name?", &good), Ok("good".to_owned()));
        let told = String::from_utf8(asked.questions).unwrap();
        assert_eq!(told, "name?   `` is bad\nname?   `Bad Name` is bad\nname? ");
    }

    #[test]
    fn a_choice_is_a_number_or_a_word() {
        let words = ["http", "konnektive.query"];
        assert_eq!(lines("2\n").choice("what?", &words), Ok(1));
        assert_eq!(lines("3\n0\n-1\nx\nhttp\n").choice("what?", &words), Ok(0));
        let mut asked = lines("1\n");
        asked.choice("what?", &words).unwrap();
        let told = String::from_utf8(asked.questions).unwrap();
        assert_eq!(told, "what?\n  1  http\n  2  konnektive.query\nnumber or word: ");
    }

    #[test]
    fn the_end_of_the_input_ends_it() {
        assert!(lines("").choice("what?", &["a"]).unwrap_err().is_silent());
    }
}
