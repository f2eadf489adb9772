//! What was sent, as JSON.

use bytes::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{HeaderMap, StatusCode};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::answer::Refusal;

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Pairs,
}

impl Form {
    /// What the headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Form, Refusal> {
        let unsupported = |reason: &str| Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        let encoded = headers
            .get(CONTENT_ENCODING)
            .is_some_and(|how| !how.as_bytes().eq_ignore_ascii_case(b"identity"));
        if encoded {
            return unsupported("a body is taken as it is, without content-encoding");
        }
        let Some(written) = headers.get(CONTENT_TYPE) else {
            return unsupported(
                "the body needs a content-type: application/json or application/x-www-form-urlencoded",
            );
        };
        let written = String::from_utf8_lossy(written.as_bytes()).to_ascii_lowercase();
        let mut parts = written.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let foreign = |part: &str| {
            let charset = part.strip_prefix("charset=").map(|charset| charset.trim_matches('"'));
            charset.is_some_and(|charset| !matches!(charset, "utf-8" | "utf8" | "us-ascii"))
        };
        if parts.any(foreign) {
            return unsupported("a body is taken in UTF-8 only");
        }
        match kind {
            "application/json" | "text/json" => Ok(Form::Json),
            "application/x-www-form-urlencoded" => Ok(Form::Pairs),
            kind if kind.starts_with("application/") && kind.ends_with("+json") => Ok(Form::Json),
            _ => unsupported("a body is application/json or application/x-www-form-urlencoded"),
        }
    }

    /// The body as a record. JSON stays byte for byte; whether it is JSON is seen when it is read.
    pub(crate) fn record(self, body: Bytes) -> Result<Bytes, Refusal> {
        match self {
            Form::Json => Ok(body),
            Form::Pairs => Ok(json(object(pairs(&body)?))),
        }
    }
}

/// Names and values of a form or a query.
pub(crate) fn pairs(written: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let parts = written.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
            let (name, value) = part.split_at(at);
            Ok((decoded(name)?, decoded(value.get(1..).unwrap_or_default())?))
        })
        .collect()
}

fn decoded(written: &[u8]) -> Result<String, Refusal> {
    let spaced: Vec<u8> = written.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect())
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the data is not UTF-8"))
}

/// An object of texts; a name that is repeated gets a list of them.
pub(crate) fn object(pairs: Vec<(String, String)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        if let Some((field, part)) = php_date(&name)
            && let Value::Object(date) = object.entry(field).or_insert_with(|| Value::Object(Map::new()))
        {
            date.insert(part.to_owned(), value);
            continue;
        }
        match object.get_mut(&name) {
            None => {
                object.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    object
}

/// PHP writes a date into a query or a form as `field[date]`, `field[timezone_type]` and `field[timezone]`; in JSON it is
/// an object, and a zap reads the same from both.
fn php_date(name: &str) -> Option<(&str, &str)> {
    let (field, part) = name.strip_suffix(']')?.split_once('[')?;
    (!field.is_empty() && ["date", "timezone_type", "timezone"].contains(&part)).then_some((field, part))
}

/// JSON bytes.
pub(crate) fn json(object: Map<String, Value>) -> Bytes {
    // Texts and lists of texts always serialise.
    serde_json::to_vec(&Value::Object(object)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn record(written: &str) -> String {
        Value::Object(object(pairs(written.as_bytes()).unwrap())).to_string()
    }

    #[test]
    fn a_php_date_is_an_object_as_in_json() {
        let date =
            "d%5Bdate%5D=2031-09-30+23%3A59%3A59.000000&d[timezone_type]=3&d[timezone]=America/New_York";
        assert_eq!(
            record(date),
            r#"{"d":{"date":"2031-09-30 23:59:59.000000","timezone_type":"3","timezone":"America/New_York"}}"#
        );
        for odd in ["d[x]=1", "[date]=1", "d[date=1", "d[date]x=1"] {
            let (name, _) = odd.split_once('=').unwrap();
            assert_eq!(record(odd), format!("{{\"{name}\":\"1\"}}"), "stays as it is");
        }
        assert_eq!(record("d=1&d[date]=2"), r#"{"d":"1","d[date]":"2"}"#, "nothing is lost");
        assert_eq!(record("a=1&a=2&b=3"), r#"{"a":["1","2"],"b":"3"}"#);
    }
}
