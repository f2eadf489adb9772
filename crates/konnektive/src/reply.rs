//! From the bytes of an answer to a page or a reason.

use crate::classify::{TextClass, classify, rejected_address};
use crate::envelope::{Envelope, Message, Object};
use crate::mask::Mask;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use zaprun_engine::ports::{Page, ReadError};
use zaprun_http::{Answer, End, date, retry_after};

/// Bytes of an answer at most. 200 rows are half a megabyte; this leaves room for what nobody has seen yet.
pub(crate) const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Reads an answer. `now` serves only for a `Retry-After` date from a server that does not tell its own time.
pub(crate) fn read(answer: &Answer, mask: &Mask, now: Timestamp) -> Result<Page, ReadError> {
    let fault =
        |text: String| ReadError::Transport { text, retry_after: retry_after(&answer.headers, || now) };
    match &answer.end {
        End::Whole => {}
        End::Truncated => {
            return Err(fault(format!(
                "the CRM's answer is larger than {} MiB",
                LARGEST_ANSWER / 1024 / 1024
            )));
        }
        End::Cut(reason) => {
            return Err(fault(format!("the CRM's answer ended after {} bytes: {reason}", answer.body.len())));
        }
    }
    if answer.status == 200 { ok(answer, mask, fault) } else { Err(not_ok(answer, mask, fault)) }
}

fn ok(answer: &Answer, mask: &Mask, fault: impl Fn(String) -> ReadError) -> Result<Page, ReadError> {
    let envelope =
        envelope(&answer.body).map_err(|what| fault(format!("the CRM answered HTTP 200 with {what}")))?;
    let Some(result) = envelope.result else {
        return Err(fault("the CRM answered JSON without a `result`".to_owned()));
    };
    let server_time = date(&answer.headers);
    let no_rows = || Ok(Page { total: 0, rows: Vec::new(), server_time });
    match result.trim().to_ascii_uppercase().as_str() {
        "SUCCESS" => {
            let (total, rows) = rows(&envelope.message).map_err(|what| fault(what.to_owned()))?;
            // A row shares the answer's memory instead of being copied out of it.
            let rows: Vec<Bytes> =
                rows.iter().map(|row| answer.body.slice_ref(row.get().as_bytes())).collect();
            Ok(Page { total, rows, server_time })
        }
        "ERROR" => match error_text(&envelope.message) {
            None => Err(fault("the CRM answered ERROR without a message".to_owned())),
            Some(text) if classify(&text) == TextClass::Empty => no_rows(),
            Some(text) => Err(refusal(&text, mask)),
        },
        _ => Err(ReadError::Vendor { text: mask.words(&format!("`{}` instead of rows", result.trim())) }),
    }
}

/// A status other than 200 is a fault of the way there, whatever the body says (contract §1.3). The one exception:
/// where it still says that the credentials or the address are refused, asking again may lock the user (§1.2).
fn not_ok(answer: &Answer, mask: &Mask, fault: impl Fn(String) -> ReadError) -> ReadError {
    let what = match envelope(&answer.body) {
        Err(what) => what,
        Ok(envelope) => {
            let error = envelope.result.is_some_and(|result| result.trim().eq_ignore_ascii_case("error"));
            let text = error_text(&envelope.message).filter(|_| error);
            let refusal = text.map(|text| refusal(&text, mask));
            if let Some(refusal) = refusal.filter(ReadError::stops_connection) {
                return refusal;
            }
            "JSON"
        }
    };
    fault(format!("the CRM answered HTTP {} with {what}", answer.status))
}

/// The envelope, or what stands in its place.
pub(crate) fn envelope(body: &Bytes) -> Result<Envelope<'_>, &'static str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| "bytes that are not UTF-8 text")?.trim();
    if text.is_empty() {
        return Err("nothing");
    }
    if text.starts_with('<') {
        return Err("HTML, not JSON");
    }
    match serde_json::from_str(text) {
        Ok(envelope) => Ok(envelope),
        Err(error) if error.is_eof() => Err("JSON that breaks off"),
        Err(error) if error.is_data() => Err("JSON that is not a Konnektive reply"),
        Err(_) => Err("something that is not JSON"),
    }
}

/// The rows of a successful query and how many there are in all.
fn rows<'e, 'a>(message: &'e Message<'a>) -> Result<(u64, &'e [&'a RawValue]), &'static str> {
    match message {
        // Summaries answer with a list (contract §1.3); PHP writes an empty object as one, too.
        Message::List(rows) => Ok((count(rows), rows)),
        Message::Object(object) => object_rows(object),
        Message::Text(_) | Message::Nothing => Err("the CRM answered SUCCESS without rows"),
    }
}

fn object_rows<'e, 'a>(object: &'e Object<'a>) -> Result<(u64, &'e [&'a RawValue]), &'static str> {
    let total = object.count("totalResults");
    match (&object.data, total) {
        (Some(rows), total) => Ok((total.unwrap_or_else(|| count(rows)), rows)),
        (None, Some(0)) => Ok((0, &[])),
        (None, None) if object.members.is_empty() => Ok((0, &[])),
        // Taking this for a short page would end a walk that has not seen its rows.
        (None, Some(_)) => Err("the CRM announced rows and sent none"),
        (None, None) => Err("the CRM answered SUCCESS without rows"),
    }
}

fn count(rows: &[&RawValue]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}

/// The text of an error: as it stands, or `field: text` for each field (contract §1.3). `None`: a bare ERROR.
pub(crate) fn error_text(message: &Message<'_>) -> Option<String> {
    let all = match message {
        Message::Nothing => return None,
        Message::Text(text) => text.to_string(),
        Message::List(values) => values.iter().map(|value| plain(value)).collect::<Vec<_>>().join("; "),
        Message::Object(object) => {
            let fields: Vec<_> =
                object.members.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
            fields.join("; ")
        }
    };
    (!all.trim().is_empty()).then_some(all)
}

/// The texts in a value, however deep; what is shown must be unescaped, or a credential could hide in it.
fn plain(value: &RawValue) -> String {
    let mut texts = Vec::new();
    if let Ok(value) = serde_json::from_str(value.get()) {
        leaves(&value, &mut texts);
    }
    texts.join(", ")
}

/// Goes no deeper than the parser did.
fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) => texts.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => texts.push(value.to_string()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, texts)),
        Value::Object(members) => members.values().for_each(|value| leaves(value, texts)),
    }
}

fn refusal(text: &str, mask: &Mask) -> ReadError {
    let words = mask.words(text);
    match classify(text) {
        TextClass::Credentials => ReadError::Credentials { text: words },
        TextClass::Whitelist => ReadError::Whitelist { address: rejected_address(text), text: words },
        TextClass::Permission => ReadError::Permission { text: words },
        TextClass::Declined | TextClass::Unknown | TextClass::Empty => ReadError::Vendor { text: words },
    }
}

#[cfg(test)]
mod tests;
