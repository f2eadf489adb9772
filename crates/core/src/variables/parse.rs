//! The notation of variables.

use std::fmt;
use std::ops::Range;

/// What a `${…}` reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A variable of the environment.
    Variable(String),
    /// A file's text.
    File(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Variable(name) => f.write_str(name),
            Reference::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// A piece of a scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is; `$$` has become `$`.
    Literal(String),
    /// A reference.
    Reference {
        /// What is read.
        reference: Reference,
        /// What is taken when the variable is not set or empty.
        default: Option<String>,
        /// The bytes of the scalar's value that it takes up.
        range: Range<usize>,
    },
}

/// What is wrong with one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The bytes of the scalar's value.
    pub range: Range<usize>,
}

/// Splits a scalar into literals and references.
///
/// # Errors
/// Every malformed reference.
pub fn parse(text: &str) -> Result<Vec<Part>, Vec<Malformed>> {
    let mut parts = Vec::new();
    let mut errors = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find('$') {
        literal.push_str(&text[at..at + offset]);
        at += offset;
        let rest = &text[at + 1..];
        if rest.starts_with('$') {
            literal.push('$');
            at += 2;
        } else if rest.starts_with('{') {
            let length = rest.find('}').map_or(rest.len() + 1, |close| close + 2);
            let range = at..at + length;
            match reference(&text[range.clone()]) {
                Ok((reference, default)) => {
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Reference { reference, default, range });
                }
                Err((message, help)) => errors.push(Malformed { message, help: help.to_owned(), range }),
            }
            at += length;
        } else if rest.starts_with(is_start) {
            let length = 1 + name_length(rest);
            let name = &rest[..length - 1];
            errors.push(Malformed {
                message: format!("`${name}` has no braces"),
                help: format!("write ${{{name}}} for the variable, or $${name} for the text"),
                range: at..at + length,
            });
            at += length;
        } else {
            literal.push('$');
            at += 1;
        }
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    if errors.is_empty() { Ok(parts) } else { Err(errors) }
}

type Read = (Reference, Option<String>);

/// Reads `${…}`, braces included.
fn reference(text: &str) -> Result<Read, (String, &'static str)> {
    let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Err(("`${` is never closed".to_owned(), "write ${NAME}, or $${ for the text"));
    };
    if let Some(path) = inner.strip_prefix("file:") {
        if path.trim().is_empty() || path.contains(['$', '{']) {
            return Err((format!("`{}` names no file", short(text)), "write ${file:PATH}"));
        }
        return Ok((Reference::File(path.to_owned()), None));
    }
    let length = name_length(inner);
    let (name, rest) = inner.split_at(length);
    let forms = "write ${NAME}, ${NAME:-default} or ${file:PATH}";
    if name.is_empty() || !name.starts_with(is_start) {
        return Err((format!("`{}` names no variable", short(text)), forms));
    }
    let default = match (rest, rest.strip_prefix(":-")) {
        ("", _) => None,
        (_, Some(default)) if default.contains("${") => {
            return Err((
                format!("the default of `{}` holds another variable", short(name)),
                "write a plain text after :-",
            ));
        }
        (_, Some(default)) => Some(default.to_owned()),
        _ => return Err((format!("`{}` is not a variable", short(text)), forms)),
    };
    Ok((Reference::Variable(name.to_owned()), default))
}

fn is_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// The head of a text that may be of any length.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first place in a text where a reference seems to be meant; one after a `$$` is none.
pub fn looks_like_reference(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    // Kept between the turns: looking for it from every `$` anew would take the square of the length.
    let mut close = text.find('}')?;
    while let Some(offset) = text[at..].find('$') {
        at += offset;
        if text[at..].starts_with("$$") {
            at += 2;
            continue;
        }
        if close < at {
            close = at + text[at..].find('}')?;
        }
        if text[at..].starts_with("${") && reference(&text[at..=close]).is_ok() {
            return Some(at..close + 1);
        }
        at += 1;
    }
    None
}
