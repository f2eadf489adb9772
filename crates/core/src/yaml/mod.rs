//! YAML: from bytes to a tree in which every value knows its place.
//!
//! This is the only module that touches the YAML engine. It reads the engine's events rather than its
//! serde side, because events carry what a definition needs: exact places, the style of a scalar, the digits
//! as written, and every duplicate key instead of the first.

mod build;
mod de;
mod json;
mod place;
mod scalar;
mod spanned;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub use de::{DeError, from_node};
pub use scalar::is_json_number;
pub use spanned::{MapRef, NodeRef, Spanned, Table};
pub use tree::{Entry, Kind, Node, NodeId, Style, Tree, push_key};

use crate::diagnostic::{Diagnostic, code};
use crate::source::{FileId, SourceMap, Span};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most values a file may hold, counting each use of an alias.
pub const MAX_NODES: usize = 100_000;
/// How deep lists and maps may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// A file that was read.
#[derive(Debug)]
pub struct Parsed {
    /// Its id in the source map.
    pub file: FileId,
    /// What it holds; `None` when it is not YAML.
    pub tree: Option<Tree>,
    /// What is wrong with it, as YAML.
    pub diagnostics: Vec<Diagnostic>,
    /// What reads otherwise than its author may think. Kept apart, since a wrong type at the same node says
    /// the same thing and needs only one finding.
    pub(crate) traps: Vec<(NodeId, Diagnostic)>,
    /// The bytes of every scalar, in order: a `#` in them is no comment.
    pub(crate) scalars: Vec<(usize, usize)>,
}

/// Reads one file. Never fails: what cannot be read is a finding.
pub fn parse(sources: &mut SourceMap, path: &str, bytes: &[u8]) -> Parsed {
    let (text, refused) = match decode(path, bytes) {
        Ok(text) => (text, None),
        Err((text, finding)) => (text, Some(finding)),
    };
    let file = sources.add(path, text);
    if let Some((finding, place)) = refused {
        let finding = match place {
            Some((start, end)) => finding.at(Span::new(file, start, end)),
            None => finding,
        };
        return Parsed { file, tree: None, diagnostics: vec![finding], traps: Vec::new(), scalars: Vec::new() };
    }
    let text = sources.file(file).text.clone();
    build::build(file, &text)
}

/// What is shown of a refused file, and why it was refused and where.
type Refused = (String, (Diagnostic, Option<(usize, usize)>));

fn decode(path: &str, bytes: &[u8]) -> Result<String, Refused> {
    if bytes.len() > MAX_BYTES {
        let finding = Diagnostic::new(
            &code::TOO_LARGE,
            format!("{path} has {} bytes, more than the {MAX_BYTES} that are read", bytes.len()),
        )
        .help("a definition is a few kilobytes; keep records and tables in files of their own");
        return Err((String::new(), (finding, None)));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let finding = Diagnostic::new(&code::UNREADABLE, format!("{path} is UTF-16, not UTF-8"))
            .help("save the file as UTF-8");
        return Err((String::new(), (finding, None)));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(path, bytes, error.valid_up_to())),
    };
    let control = text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'));
    if let Some((at, character)) = control {
        let finding = Diagnostic::new(
            &code::CONTROL_CHARACTER,
            format!("a control character (U+{:04X}) stands in the file", u32::from(character)),
        )
        .help(format!("remove it, or write \"\\x{:02x}\" inside double quotes", u32::from(character)));
        return Err((text.to_owned(), (finding, Some((at, at + character.len_utf8())))));
    }
    Ok(text.to_owned())
}

/// Keeps the text up to the end of the broken line, so that it can be shown.
fn not_utf8(path: &str, bytes: &[u8], at: usize) -> Refused {
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
    let shown = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let finding = Diagnostic::new(&code::UNREADABLE, format!("{path} is not UTF-8 text"))
        .help("save the file as UTF-8");
    (shown, (finding, Some((at, at + char::REPLACEMENT_CHARACTER.len_utf8()))))
}
