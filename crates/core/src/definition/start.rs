//! Instants, and what counts as new when a zap first runs.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

/// What counts as new when a zap first runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Start {
    /// What happens from the first run on.
    #[default]
    Now,
    /// Everything the CRM holds.
    Beginning,
    /// What happened from the first moment of a day in the account's zone.
    Date(Date),
    /// What happened from a local time in the account's zone.
    Local(DateTime),
    /// What happened from an instant.
    Instant(Timestamp),
}

impl Start {
    /// The form of a start.
    pub const PATTERN: &'static str = "^(now|beginning|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?)$";
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither now, beginning, a date nor a time");
        match text {
            "now" => return Ok(Start::Now),
            "beginning" => return Ok(Start::Beginning),
            _ => {}
        }
        let bytes = text.as_bytes();
        // jiff reads more forms than are promised here, so the shape is checked first.
        let shape = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        if !text.is_ascii() || !shape(4, b"-") || !shape(7, b"-") {
            return Err(wrong());
        }
        let absent = || format!("`{text}` does not exist in the calendar");
        if text.len() == 10 {
            return text.parse().map(Start::Date).map_err(|_| absent());
        }
        if !shape(10, b"T ") || !shape(13, b":") {
            return Err(wrong());
        }
        let zone = text[11..].find(['Z', '+', '-']).map(|at| at + 11);
        let local = &text[..zone.unwrap_or(text.len())];
        if !matches!(local.len(), 16 | 19) {
            return Err(wrong());
        }
        match zone {
            Some(zone) if text[zone..] == *"Z" || text[zone..].len() == 6 => {
                text.parse().map(Start::Instant).map_err(|_| absent())
            }
            Some(_) => Err(wrong()),
            None => text.parse().map(Start::Local).map_err(|_| absent()),
        }
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Start {
    fn schema_name() -> Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": Start::PATTERN,
            "description": "now, beginning, a date (2026-09-16) or a time (2026-09-16T14:00:00-04:00).",
        })
    }
}

/// An instant, written as RFC 3339 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// The form of an instant.
    pub const PATTERN: &'static str =
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$";
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A start may be more than an instant, and knows how to read one; it may be without a `T` and without seconds.
        let whole = text.as_bytes().get(10) == Some(&b'T') && text.as_bytes().get(16) == Some(&b':');
        match text.parse() {
            Ok(Start::Instant(at)) if whole => Ok(Moment(at)),
            _ => Err(format!("`{text}` is not an instant")),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": Moment::PATTERN,
            "description": "An instant with its offset: 2026-09-16T14:00:00-04:00.",
        })
    }
}
