//! What makes two arrivals the same: an expression that gives a short text.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Frame, Names, Problem, Settings, Text};
use crate::mapping::{Compiler, MapError};
use crate::value::Value;
use crate::yaml::Spanned;

/// The longest key, in bytes. It is kept for ever.
const LONGEST: usize = 255;

/// An expression whose value is a key.
#[derive(Debug, Clone)]
pub(in crate::zap) struct KeyExpression(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: Text,
    place: String,
}

impl KeyExpression {
    /// Compiles it; nothing when it has findings. What it reads is not counted among what the zap reads. `optional`:
    /// nothing is amiss where there is no key.
    pub(in crate::zap) fn compile(
        compiler: &mut Compiler<'_>,
        written: &Spanned<String>,
        names: &Names,
        place: &str,
        optional: bool,
    ) -> Option<Self> {
        let text = match Text::compile(&written.value, names) {
            Ok(text) => text,
            Err(problems) => return compiler.refuse(written.node, problems),
        };
        if text.reads().is_empty() {
            let finding = Diagnostic::new(&code::CONSTANT_KEY, format!("`{place}` is the same for all"));
            let help = "read what differs, in braces: \"{{ record.id }}\"";
            compiler.report(finding.at(compiler.tree.span(written.node)).help(help));
            return None;
        }
        if !optional {
            // Nothing comes before it that could let only those pass that have one.
            let alone = |problem: Problem| match problem.code == &code::MAY_BE_MISSING {
                true => Problem::new(
                    problem.code,
                    "this may be missing, and what comes without a key makes no event",
                    problem.range,
                )
                .help("take what is always there, or write `default(…)` with something else that differs"),
                false => problem,
            };
            compiler.doubt(written.node, text.doubts().into_iter().map(alone).collect());
        }
        Some(KeyExpression(Arc::new(Compiled { text, place: place.to_owned() })))
    }

    /// The key.
    ///
    /// # Errors
    /// When there is none, or it is no short text.
    pub(super) fn eval(&self, values: &[Value], settings: &Settings) -> Result<String, MapError> {
        let Compiled { text, place } = &*self.0;
        let value = text.eval(&Frame { values, settings }).map_err(|error| MapError::of(place, &error))?;
        key_text(&value, place)
    }

    /// The key; nothing when what it is made of is null or absent.
    ///
    /// # Errors
    /// When it cannot be computed, or is no short text.
    pub(super) fn eval_optional(
        &self,
        values: &[Value],
        settings: &Settings,
    ) -> Result<Option<String>, MapError> {
        let Compiled { text, place } = &*self.0;
        let frame = Frame { values, settings };
        let value = match text {
            Text::Expression(expression) => expression.eval_nullable(&frame),
            other => other.eval(&frame),
        };
        let value = value.map_err(|error| MapError::of(place, &error))?;
        if value.is_missing() { Ok(None) } else { key_text(&value, place).map(Some) }
    }
}

/// A value as the text of a key.
///
/// # Errors
/// When it is nothing, empty, a list, an object, or too long.
pub(super) fn key_text(value: &Value, place: &str) -> Result<String, MapError> {
    let wrong = |message: &str| MapError::new(place, message);
    if value.is_missing() {
        return Err(wrong("the key is missing"));
    }
    let text = value.to_text().map_err(|error| wrong(&format!("the key is no text: {error}")))?;
    if text.trim().is_empty() {
        return Err(wrong("the key is empty"));
    }
    if text.len() > LONGEST {
        let message = format!("the key has more than {LONGEST} bytes");
        return Err(wrong(&message).help("take its hash: `| sha256`"));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong("the key holds a control character").help("take its hash: `| sha256`"));
    }
    Ok(text)
}
