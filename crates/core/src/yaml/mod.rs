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

use std::ops::Range;

use crate::diagnostic::{Diagnostic, code};
use crate::source::{FileId, SourceMap, Span};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most values a file may hold, counting each use of an alias.
pub const MAX_NODES: usize = 100_000;
/// How deep lists and maps may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// How many errors, and how many warnings, are told of one file: nobody reads more, and telling takes time.
pub const MAX_FINDINGS: usize = 200;

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
    match decode(path, bytes) {
        Ok(text) => {
            let file = sources.add(path, text);
            build::build(file, &sources.file(file).text.clone())
        }
        Err(refused) => {
            let file = sources.add(path, refused.shown);
            let finding = match refused.place {
                Some(place) => refused.finding.at(Span::new(file, place.start, place.end)),
                None => refused.finding,
            };
            let diagnostics = vec![finding];
            Parsed { file, tree: None, diagnostics, traps: Vec::new(), scalars: Vec::new() }
        }
    }
}

/// Why a file is not read further than its bytes.
struct Refused {
    finding: Diagnostic,
    /// What of its text can be shown.
    shown: String,
    /// Where the finding is in that.
    place: Option<Range<usize>>,
}

impl Refused {
    fn whole(finding: Diagnostic) -> Box<Self> {
        Box::new(Refused { finding, shown: String::new(), place: None })
    }
}

fn decode<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Refused>> {
    if bytes.len() > MAX_BYTES {
        let finding = Diagnostic::new(
            &code::TOO_LARGE,
            format!("{path} has {} bytes, more than the {MAX_BYTES} that are read", bytes.len()),
        );
        let help = "a definition is a few kilobytes; keep records and tables in files of their own";
        return Err(Refused::whole(finding.help(help)));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let finding = Diagnostic::new(&code::UNREADABLE, format!("{path} is UTF-16, not UTF-8"));
        return Err(Refused::whole(finding.help("save the file as UTF-8")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(path, bytes, error.valid_up_to()))?;
    match text.char_indices().find(|(_, character)| is_forbidden(*character)) {
        None => Ok(text),
        Some((at, character)) => {
            let number = u32::from(character);
            let finding = Diagnostic::new(
                &code::CONTROL_CHARACTER,
                format!("a control character (U+{number:04X}) stands in the file"),
            )
            .help(format!("remove it, or write \"\\x{number:02x}\" inside double quotes"));
            let place = Some(at..at + character.len_utf8());
            Err(Box::new(Refused { finding, shown: text.to_owned(), place }))
        }
    }
}

/// Control characters but for tabs and line breaks.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
}

/// Keeps the text up to the end of the broken line, so that it can be shown.
fn not_utf8(path: &str, bytes: &[u8], at: usize) -> Box<Refused> {
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
    Box::new(Refused {
        finding: Diagnostic::new(&code::UNREADABLE, format!("{path} is not UTF-8 text"))
            .help("save the file as UTF-8"),
        shown: String::from_utf8_lossy(&bytes[..end]).into_owned(),
        place: Some(at..at + char::REPLACEMENT_CHARACTER.len_utf8()),
    })
}
