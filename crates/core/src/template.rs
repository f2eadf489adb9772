//! Templates: text with expressions, conditions and loops in it.
//!
//! A template is parsed and resolved once; rendering writes values as text. A missing value, a list or an object in
//! text is an error, never `None` or `undefined`.

mod compile;
mod render;

use std::sync::Arc;

use crate::expression::ir::Part;
use crate::expression::{Access, EvalError, Frame, Names, Problem, Type};

/// Writes a value into what stands before it.
pub(crate) type Write<'w> = dyn FnMut(&mut String, &str) + 'w;

/// A compiled template.
pub struct Template {
    source: Arc<str>,
    /// Bytes of the given text that stand before `source`.
    dropped: usize,
    parts: Vec<Part>,
    locals: usize,
    reads: Vec<Access>,
    doubts: Vec<Problem>,
    of: Box<Type>,
}

impl Template {
    /// Compiles template text.
    ///
    /// # Errors
    /// Every problem found, with its byte range in `source`.
    pub fn compile(source: &str, names: &Names) -> Result<Self, Vec<Problem>> {
        compile::compile(source, 0, names)
    }

    /// Compiles `source` without its first `dropped` bytes; ranges count from its beginning.
    pub(crate) fn compile_within(source: &str, dropped: usize, names: &Names) -> Result<Self, Vec<Problem>> {
        compile::compile(source, dropped, names)
    }

    /// The text.
    ///
    /// # Errors
    /// When an expression fails, a value has no text, or a limit is reached.
    pub fn render(&self, frame: &Frame<'_>) -> Result<String, EvalError> {
        render::render(self, frame).map_err(|error| {
            let range = error.range();
            error.moved(range.start + self.dropped..range.end + self.dropped)
        })
    }

    /// The text, where `write` writes each value: it is given what stands before, the value's text, and where to
    /// write. Text of the template itself is never given to it.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub(crate) fn render_with(&self, frame: &Frame<'_>, write: &mut Write<'_>) -> Result<String, EvalError> {
        render::render_with(self, frame, Some(write)).map_err(|error| {
            let range = error.range();
            error.moved(range.start + self.dropped..range.end + self.dropped)
        })
    }

    /// The text of the template itself, without its values; a blank stands for each of them.
    pub(crate) fn literal(&self) -> String {
        let mut text = String::new();
        gather(&self.parts, &mut text);
        text
    }

    /// What is known of the text.
    pub fn of(&self) -> Type {
        (*self.of).clone()
    }

    /// What is probably wrong with it.
    pub fn doubts(&self) -> &[Problem] {
        &self.doubts
    }

    /// What it reads.
    pub fn reads(&self) -> &[Access] {
        &self.reads
    }
}

/// The text of parts that is written as it stands; what goes into a name or through a filter is a value.
fn gather(parts: &[Part], text: &mut String) {
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::If { then, otherwise, .. } => {
                gather(then, text);
                gather(otherwise, text);
            }
            Part::For(each) => {
                gather(&each.body, text);
                gather(&each.otherwise, text);
            }
            Part::With { body, .. } => gather(body, text),
            Part::Emit(_) | Part::Filtered { .. } => text.push(' '),
            Part::Set(..) | Part::SetText { .. } => {}
        }
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

#[cfg(test)]
#[path = "template/template_tests.rs"]
mod tests;
