//! `${NAME}`, `${NAME:-default}`, `${file:PATH}` and `$$` in scalar values of the project's files.
//!
//! Replaced after parsing, so that a secret that holds YAML syntax breaks nothing. The result is always text;
//! a typed field reads it exactly.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

pub use parse::{Part, Reference, looks_like_reference, parse};

use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;
use crate::yaml::{Kind, MAX_FINDINGS, NodeId, Style, Tree};

/// Where the values of variables come from. The caller decides what the environment is.
pub trait Lookup {
    /// The value of a variable; `None` when it is not set.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file, its path relative to the project folder unless absolute.
    ///
    /// # Errors
    /// Why the file cannot be read, as a fragment.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// What a deployment must set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// What is read.
    pub reference: Reference,
    /// The value that is taken when it is not set.
    pub default: Option<String>,
    /// Where it was first asked for.
    pub span: Span,
}

/// What replacing the variables of a tree brought up.
#[derive(Debug, Default)]
pub struct Replaced {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What the tree asks for, in the order in which it stands; each once.
    pub needed: Vec<Needed>,
    seen: HashSet<Reference>,
    /// How the nodes that held references were written.
    pub(crate) written: BTreeMap<NodeId, Vec<Part>>,
}

/// Replaces the references in every scalar of a tree.
///
/// Without a lookup, a reference without a default leaves a hole, which stands for any value; so does one that
/// cannot be resolved, beside its finding.
pub fn replace(tree: &mut Tree, lookup: Option<&dyn Lookup>) -> Replaced {
    let mut replaced = Replaced::default();
    let ids: Vec<NodeId> = tree.ids().collect();
    for id in ids {
        let Kind::Text { value, style } = &tree.node(id).kind else { continue };
        if *style == Style::Variable || !value.contains('$') {
            continue;
        }
        let value = value.clone();
        let parts = match parse(&value) {
            Ok(parts) => parts,
            Err(errors) => {
                let room = MAX_FINDINGS.saturating_sub(replaced.diagnostics.len());
                for error in errors.into_iter().take(room) {
                    replaced.diagnostics.push(
                        Diagnostic::new(&code::VARIABLE_SYNTAX, error.message)
                            .at(tree.place(id, error.range))
                            .help(error.help),
                    );
                }
                tree.replace(id, Kind::Hole(value));
                continue;
            }
        };
        let kind = resolve(tree, id, &parts, lookup, &mut replaced).unwrap_or(Kind::Hole(value));
        tree.replace(id, kind);
        replaced.written.insert(id, parts);
    }
    replaced
}

/// The text that the parts make, or nothing when one of them is not known.
fn resolve(
    tree: &Tree,
    id: NodeId,
    parts: &[Part],
    lookup: Option<&dyn Lookup>,
    replaced: &mut Replaced,
) -> Option<Kind> {
    let mut text = Some(String::new());
    let mut references = false;
    for part in parts {
        let piece = match part {
            Part::Literal(literal) => Some(literal.clone()),
            Part::Reference { reference, default, range } => {
                references = true;
                let span = tree.place(id, range.clone());
                need(replaced, reference, default.as_deref(), span);
                match lookup {
                    Some(lookup) => look_up(lookup, reference, default.as_deref())
                        .map_err(|finding| replaced.diagnostics.push(finding.at(span)))
                        .ok(),
                    None => default.clone(),
                }
            }
        };
        text = match (text, piece) {
            (Some(text), Some(piece)) => Some(text + &piece),
            _ => None,
        };
    }
    let style = match (&tree.node(id).kind, references) {
        // Only `$$` was replaced: the text is the author's own.
        (Kind::Text { style, .. }, false) => *style,
        _ => Style::Variable,
    };
    text.map(|text| Kind::Text { value: text.into(), style })
}

fn need(replaced: &mut Replaced, reference: &Reference, default: Option<&str>, span: Span) {
    if replaced.seen.insert(reference.clone()) {
        let default = default.map(str::to_owned);
        replaced.needed.push(Needed { reference: reference.clone(), default, span });
    }
}

fn look_up(
    lookup: &dyn Lookup,
    reference: &Reference,
    default: Option<&str>,
) -> Result<String, Box<Diagnostic>> {
    let (code, message, help) = match reference {
        Reference::Variable(name) => match (lookup.variable(name), default) {
            (Some(value), None) => return Ok(value),
            // As in a shell, `:-` also stands in for a variable that is set to nothing.
            (Some(value), Some(_)) if !value.is_empty() => return Ok(value),
            (_, Some(default)) => return Ok(default.to_owned()),
            (None, None) => (
                &code::VARIABLE_UNSET,
                format!("the variable `{name}` is not set"),
                format!("set {name}, or write ${{{name}:-…}} with a default"),
            ),
        },
        Reference::File(path) => match lookup.file(path) {
            Ok(text) => return Ok(without_line_break(text)),
            Err(problem) => (
                &code::VARIABLE_FILE,
                format!("the file `{path}` cannot be read: {problem}"),
                "paths are relative to the project folder unless they begin with `/`".to_owned(),
            ),
        },
    };
    Err(Box::new(Diagnostic::new(code, message).help(help)))
}

/// Editors and `echo` end a file with a line break that is no part of the secret.
fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}
