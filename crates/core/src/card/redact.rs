//! Taking card data out of a row before anything of it is stored.

use std::borrow::Cow;

use super::{by_name, in_field, in_text, in_typed};
use crate::record::{FieldType, Schema};
use crate::value::json::{elements, members};
use crate::value::{JsonError, Value};

/// What stands in the place of card data.
pub const REMOVED: &str = "[card data removed]";

/// A row without card data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The row: byte for byte but for the values that were replaced.
    pub row: Vec<u8>,
    /// Names of the fields that held some, each once.
    pub fields: Vec<String>,
}

/// The row with each value that is card data replaced by [`REMOVED`]; nothing when there is none, which is nearly
/// always. A row that is no JSON stays as it is: nobody can use it.
pub fn redact(row: &[u8], schema: Option<&'static Schema>) -> Option<Redacted> {
    if !may_hold_number(row) && !may_name_card(row) && !may_hide_letters(row) {
        return None;
    }
    let text = std::str::from_utf8(row).ok()?;
    let mut found = Finder { base: text.as_ptr() as usize, spans: Vec::new(), fields: Vec::new() };
    found.value(text, schema, None, "").ok()?;
    if found.spans.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(row.len());
    let mut written = 0;
    for (start, end) in &found.spans {
        out.extend_from_slice(&row[written..*start]);
        out.push(b'"');
        out.extend_from_slice(REMOVED.as_bytes());
        out.push(b'"');
        written = *end;
    }
    out.extend_from_slice(&row[written..]);
    Some(Redacted { row: out, fields: found.fields })
}

/// Whether bytes may hold a card number, told by a run of digits alone: a cheap first look.
fn may_hold_number(bytes: &[u8]) -> bool {
    let mut digits = 0_usize;
    bytes.iter().any(|byte| {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' => {}
            _ => digits = 0,
        }
        digits >= 12
    })
}

/// Whether bytes may hold a security code, told by the names of its fields: a cheap first look.
fn may_name_card(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    [&b"cv"[..], b"csc", b"code", b"verification"].into_iter().any(has)
}

/// Whether bytes may hold digits or letters of JSON's `\u0031` kind, which the looks above do not see.
fn may_hide_letters(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|part| matches!(part, [b'\\', b'u', b'0', b'0', b'2'..=b'7']))
}

struct Finder {
    base: usize,
    /// Bytes of the values to replace, in order.
    spans: Vec<(usize, usize)>,
    fields: Vec<String>,
}

impl Finder {
    /// `schema` describes the members of the value, `ty` the value itself.
    fn value(
        &mut self,
        text: &str,
        schema: Option<&'static Schema>,
        ty: Option<FieldType>,
        name: &str,
    ) -> Result<(), JsonError> {
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                for member in members(text)? {
                    let (key, value) = member?;
                    let field = schema.and_then(|schema| schema.field(&key));
                    let before = self.spans.len();
                    let seen = match field.map(|field| field.ty) {
                        Some(FieldType::List(rows)) => self.list(value, rows, &key),
                        ty => self.value(value, None, ty, &key),
                    };
                    if seen.is_err() {
                        self.spans.truncate(before);
                        self.unreadable(value, &key);
                    }
                }
            }
            Some(b'[') => {
                for element in elements(text)? {
                    self.value(element?, schema, ty, name)?;
                }
            }
            Some(b'"' | b'-' | b'0'..=b'9') => self.scalar(text, ty, name)?,
            _ => {}
        }
        Ok(())
    }

    /// A list of rows, which the CRM also writes as an object keyed by id.
    fn list(&mut self, text: &str, rows: &'static Schema, name: &str) -> Result<(), JsonError> {
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                for member in members(text)? {
                    self.value(member?.1, Some(rows), None, name)?;
                }
                Ok(())
            }
            _ => self.value(text, Some(rows), None, name),
        }
    }

    fn scalar(&mut self, text: &str, ty: Option<FieldType>, name: &str) -> Result<(), JsonError> {
        let value = Value::from_json(text)?;
        let content = match &value {
            Value::Text(text) => Cow::Borrowed(&**text),
            other => Cow::Owned(other.to_text().unwrap_or_default()),
        };
        let found = match ty {
            Some(ty) => in_typed(name, &content, ty),
            None => in_field(name, &content),
        };
        if found.is_some() {
            self.replace(text, name);
        }
        Ok(())
    }

    /// A value that is no JSON inside goes as a whole where it might hold card data.
    fn unreadable(&mut self, text: &str, name: &str) {
        if in_text(text).is_some() || by_name(name, text.trim_matches('"')).is_some() {
            self.replace(text, name);
        }
    }

    fn replace(&mut self, text: &str, name: &str) {
        let raw = text.trim();
        // Both point into the row.
        let start = raw.as_ptr() as usize - self.base;
        self.spans.push((start, start + raw.len()));
        let name = if name.is_empty() { "the value" } else { name };
        if !self.fields.iter().any(|known| known == name) {
            self.fields.push(name.to_owned());
        }
    }
}
