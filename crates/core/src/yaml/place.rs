//! From a range inside a text's value back to the bytes that were written.
//!
//! Quoting, escaping, folding and indenting change white space and escapes only: the characters that are
//! not white space stand in the same order in the value and in the source. So the two are walked side by
//! side, and any disagreement gives up rather than underlining a wrong place.

use std::ops::Range;

use super::tree::Style;

/// One character of the value as it was written.
struct Unit {
    range: Range<usize>,
    decoded: char,
}

/// The longest scalar, in bytes, that is walked for one underline.
const LONGEST: usize = 64 * 1024;

/// The bytes of `raw` that wrote `range` of `value`.
pub(super) fn find(raw: &str, value: &str, style: Style, range: &Range<usize>) -> Option<Range<usize>> {
    value.get(range.clone())?;
    if raw.len() > LONGEST {
        return None;
    }
    let units = match style {
        Style::Variable => return None,
        Style::Plain | Style::Literal | Style::Folded => plain(raw, 0, raw.len()),
        Style::Single => single(raw)?,
        Style::Double => double(raw)?,
    };
    let mut written = units.iter().filter(|unit| !unit.decoded.is_whitespace());
    let mut start = None;
    let mut end = None;
    // End of the last character that was matched, in the value and in the source.
    let mut last = (0, units.first().map_or(0, |unit| unit.range.start));
    for (at, character) in value.char_indices().filter(|(_, character)| !character.is_whitespace()) {
        let unit = written.next()?;
        if unit.decoded != character {
            return None;
        }
        if start.is_none() && at >= range.start {
            start = Some(between(last, (at, unit.range.start), range.start));
        }
        if end.is_none() && at >= range.end {
            end = Some(between(last, (at, unit.range.start), range.end));
        }
        last = (at + character.len_utf8(), unit.range.end);
    }
    let stop = units.last().map_or(0, |unit| unit.range.end);
    let start = start.unwrap_or_else(|| between(last, (value.len(), stop), range.start));
    let end = end.unwrap_or_else(|| between(last, (value.len(), stop), range.end));
    // White space is only counted, and some of it is wider than a byte.
    let start = (0..=start.min(raw.len())).rev().find(|at| raw.is_char_boundary(*at))?;
    let end = (end..=raw.len()).find(|at| raw.is_char_boundary(*at))?;
    (start <= end).then_some(start..end)
}

/// The source position of a value position that lies in white space between two known ones.
fn between(before: (usize, usize), after: (usize, usize), at: usize) -> usize {
    if at >= after.0 {
        return after.1;
    }
    before.1.saturating_add(at.saturating_sub(before.0)).min(after.1)
}

fn plain(raw: &str, from: usize, to: usize) -> Vec<Unit> {
    raw.get(from..to)
        .unwrap_or("")
        .char_indices()
        .map(|(at, decoded)| Unit { range: from + at..from + at + decoded.len_utf8(), decoded })
        .collect()
}

fn single(raw: &str) -> Option<Vec<Unit>> {
    let inner = raw.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut units = Vec::new();
    let mut rest = inner.char_indices().peekable();
    while let Some((at, decoded)) = rest.next() {
        let mut end = at + decoded.len_utf8();
        if decoded == '\'' {
            // Inside single quotes a quote is written twice.
            end = rest.next()?.0 + 1;
        }
        units.push(Unit { range: at + 1..end + 1, decoded });
    }
    Some(units)
}

fn double(raw: &str) -> Option<Vec<Unit>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(character) = inner.get(at..)?.chars().next() {
        let (length, decoded) =
            if character == '\\' { escape(inner.get(at..)?)? } else { (character.len_utf8(), character) };
        units.push(Unit { range: at + 1..at + 1 + length, decoded });
        at += length;
    }
    Some(units)
}

/// Length and meaning of the escape at the head of `text`.
fn escape(text: &str) -> Option<(usize, char)> {
    let letter = text.chars().nth(1)?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            let decoded = match letter {
                '0' => '\0',
                'a' => '\u{7}',
                'b' => '\u{8}',
                'v' => '\u{b}',
                'f' => '\u{c}',
                'e' => '\u{1b}',
                // An escaped line break joins lines: white space, as the other letters left out here.
                'n' | 't' | 'r' | 'N' | '_' | 'L' | 'P' | '\n' | '\r' => ' ',
                other => other,
            };
            return Some((1 + letter.len_utf8(), decoded));
        }
    };
    let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
    // A surrogate pair is one character in two escapes: not worth following.
    Some((2 + digits, char::from_u32(code)?))
}
