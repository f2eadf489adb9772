//! The engine's complaints in the words of this program.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Diagnostic, code};
use crate::source::{FileId, Span};

/// The finding for `{{ … }}` that stands without quotes.
pub(super) fn unquoted_template(span: Span, text: &str) -> Diagnostic {
    let quoted = if text.contains('"') && !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('"', "'"))
    };
    Diagnostic::new(&code::UNQUOTED_TEMPLATE, "`{{ … }}` without quotes is a YAML map, not a template")
        .at(span)
        .help(format!("write {quoted}"))
}

/// The finding for a syntax error.
pub(super) fn syntax(file: FileId, text: &str, error: &ScanError) -> Diagnostic {
    let at = boundary(text, error.marker().byte_offset().unwrap_or(0));
    if let Some((start, end)) = template_on_line(text, at) {
        return unquoted_template(Span::new(file, start, end), &text[start..end]);
    }
    if let Some(found) = scheme_alone(file, text, at) {
        return found;
    }
    let length = text[at..].chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
    let span = Span::new(file, at, at + length);
    let (code, message, help) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            return Diagnostic::new(&code::TAB, "a tab stands where YAML wants spaces")
                .at(tab(text, at).map_or(span, |at| Span::new(file, at, at + 1)))
                .help("indent with spaces, two for each level");
        }
        ErrorKind::UnknownAnchor => (
            &code::ALIAS,
            "`*` begins an alias, and no anchor of that name comes before it".to_owned(),
            "put text that begins with `*` in quotes",
        ),
        ErrorKind::RecursionLimitExceeded => (
            &code::YAML_LIMIT,
            format!("lists and maps stand more than {} deep", super::MAX_DEPTH),
            "write fewer levels",
        ),
        kind => {
            let (message, help) = described(kind);
            (&code::YAML_SYNTAX, message, help)
        }
    };
    Diagnostic::new(code, message).at(span).help(help)
}

/// `state: sqlite:` with nothing after the second colon.
fn scheme_alone(file: FileId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let line = text[start..].lines().next()?;
    let (key, value) = line.split_once(": ")?;
    let value = value.split(" #").next().unwrap_or(value).trim();
    let word = value.strip_suffix(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !plain(word) || !plain(key.trim_start().trim_start_matches("- ")) {
        return None;
    }
    let help = match word {
        "sqlite" => "write the path of the state after it: sqlite:state/zaprun.db".to_owned(),
        _ => format!("write what follows `{value}`, or put it in quotes: \"{value}\""),
    };
    let from = start + line.find(value)?;
    let message = format!("nothing follows `{value}`, so YAML takes it for a key");
    Some(
        Diagnostic::new(&code::YAML_SYNTAX, message).at(Span::new(file, from, from + value.len())).help(help),
    )
}

fn described(kind: &ErrorKind) -> (String, &'static str) {
    let (message, help) = match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a `:` is not expected here",
            "put text that holds `: ` in quotes, or check the indentation of the line",
        ),
        ErrorKind::UnclosedQuotedScalar => ("a quote is opened here and never closed", "close the quote"),
        ErrorKind::DocumentIndicatorInQuotedScalar => ("a quote is still open at `---`", "close the quote"),
        ErrorKind::UnclosedFlowCollection { open } => {
            return (
                format!("a `{open}` is opened here and never closed"),
                "close the bracket, or put text that begins with it in quotes",
            );
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("`{open}` is closed by `{close}`"), "close each bracket with its like");
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("a `,` or a closing bracket is missing", "put text that holds brackets or commas in quotes")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                format!("text cannot begin with `{}`", character.escape_debug()),
                "put the text in quotes",
            );
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ("something follows the closing quote", "put the whole text in one pair of quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => (
            "an escape that does not exist stands in double quotes",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => {
            ("the line is not indented like its neighbours", "give the keys of one map the same indentation")
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::MappingKeyNotAllowed => (
            "a `key: value` is expected here",
            "check the indentation and the `:` of this line and the one above",
        ),
        ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidBlockEntryWhitespace
        | ErrorKind::BlockEntryInFlowCollection
        | ErrorKind::PlainScalarStartsWithDashFlowIndicator => (
            "a `- ` of a list does not fit here",
            "indent every `-` of one list alike, with a space after it",
        ),
        ErrorKind::BomInsideDocument => {
            ("a byte-order mark stands inside the file", "remove the invisible character")
        }
        _ => ("this is not YAML", "check the indentation and the quotes of this line and the one above"),
    };
    (message.to_owned(), help)
}

/// The tab in the indentation of the line of `at` or the next one: the engine notices some only afterwards.
fn tab(text: &str, at: usize) -> Option<usize> {
    let mut start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    for line in text[start..].split_inclusive('\n').take(2) {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indentation].find('\t') {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A value on the line of `at` that begins with `{{` and has no quotes.
fn template_on_line(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let line = text[start..end].trim_end();
    let open = line.find("{{")?;
    let before = line[..open].trim_end();
    let begins_value = before.is_empty() || before.ends_with([':', '-', ',', '[']);
    // In `text: Order: {{ … }}` the value begins further to the left.
    let goes_on = before.matches(": ").count() > 0 && !before.contains(['{', '[', '"', '\'']);
    if !begins_value || goes_on || before.contains('#') {
        return None;
    }
    // The text that was meant goes on to the end of the line, unless a comment follows.
    let value = &line[open..];
    let length = match value.rfind("}}").map(|close| close + 2) {
        Some(close) => value[close..].find(" #").map_or(value.len(), |comment| close + comment),
        None => value.len(),
    };
    Some((start + open, start + open + value[..length].trim_end().len()))
}
