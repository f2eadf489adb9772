//! Values on their way out: JSON bytes and text.

use std::fmt::Write as _;

use super::{Kind, Value};

/// Why a value has no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Nothing is there to write.
    #[error("a value is missing")]
    Missing,
    /// A list or an object has no text.
    #[error("{0} has no text form")]
    NoText(Kind),
}

impl Value {
    /// Appends the value as JSON. Decimals keep their scale in plain notation, instants are RFC 3339 text.
    ///
    /// # Errors
    /// [`Unwritable::Missing`] when the value, or one inside it, is absent; null is written.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Absent(_) => return Err(Unwritable::Missing),
            Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Number(number) => write_display(number, out),
            Value::Text(text) => write_json_text(text, out),
            Value::Instant(instant) => {
                out.push(b'"');
                write_display(instant, out);
                out.push(b'"');
            }
            Value::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write_json(out)?;
                }
                out.push(b']');
            }
            Value::Object(object) => {
                out.push(b'{');
                for (at, (name, value)) in object.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_json_text(name, out);
                    out.push(b':');
                    value.write_json(out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// The value as JSON text.
    ///
    /// # Errors
    /// As [`Self::write_json`].
    pub fn to_json(&self) -> Result<String, Unwritable> {
        let mut bytes = Vec::new();
        self.write_json(&mut bytes)?;
        // Only whole texts and ASCII are ever appended.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Appends the value as text: `true`, `19.90`, `2026-09-16T14:25:31-04:00`, text itself.
    ///
    /// # Errors
    /// When the value is missing, or is a list or an object.
    pub fn write_text(&self, out: &mut String) -> Result<(), Unwritable> {
        match self {
            Value::Null | Value::Absent(_) => return Err(Unwritable::Missing),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => push_display(number, out),
            Value::Text(text) => out.push_str(text),
            Value::Instant(instant) => push_display(instant, out),
            Value::List(_) | Value::Object(_) => return Err(Unwritable::NoText(self.kind())),
        }
        Ok(())
    }

    /// The value as text.
    ///
    /// # Errors
    /// As [`Self::write_text`].
    pub fn to_text(&self) -> Result<String, Unwritable> {
        let mut text = String::new();
        self.write_text(&mut text)?;
        Ok(text)
    }
}

fn push_display(value: &impl std::fmt::Display, out: &mut String) {
    // Writing into a string does not fail.
    let _written = write!(out, "{value}");
}

fn write_display(value: &impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing into a vector does not fail.
    let _written = std::io::Write::write_fmt(out, format_args!("{value}"));
}

/// Appends a JSON string. Only what JSON demands is escaped.
pub fn write_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"\\u00",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[written..at]);
        out.extend_from_slice(escape);
        if escape.len() == 4 {
            out.push(if byte < 0x10 { b'0' } else { b'1' });
            out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
        }
        written = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[written..]);
    out.push(b'"');
}
