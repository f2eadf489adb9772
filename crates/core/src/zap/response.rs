//! An answer as expressions see it.

use super::ResponseFacts;
use crate::value::Value;

/// Headers that hold secrets of the other side and never enter a scope or the store.
const SECRET_HEADERS: [&str; 4] = ["set-cookie", "authorization", "proxy-authenticate", "www-authenticate"];

/// `{status, headers, body}`: the body parsed when it is JSON, else as text; null when there is none.
pub(crate) fn value(response: &ResponseFacts<'_>) -> Value {
    let mut headers: Vec<(std::sync::Arc<str>, Value)> = Vec::new();
    for (name, text) in response.headers {
        if SECRET_HEADERS.contains(&name.as_str()) {
            continue;
        }
        match headers.iter_mut().find(|(known, _)| **known == **name) {
            Some((_, value)) => {
                let joined = format!("{}, {text}", value.as_text().unwrap_or_default());
                *value = Value::text(joined);
            }
            None => headers.push((name.as_str().into(), Value::text(text.as_str()))),
        }
    }
    Value::object(vec![
        ("status".into(), Value::from(i64::from(response.status))),
        ("headers".into(), Value::object(headers)),
        ("body".into(), body(response)),
    ])
}

fn body(response: &ResponseFacts<'_>) -> Value {
    if response.body.is_empty() {
        return Value::Null;
    }
    let text = String::from_utf8_lossy(response.body);
    let named = response.headers.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
    let looks = text.trim_start().starts_with(['{', '[']);
    match Value::from_json(&text) {
        Ok(value) if named || looks => value,
        _ => Value::text(&*text),
    }
}

/// The same as JSON bytes, as the store keeps it for later steps.
pub fn response_json(response: &ResponseFacts<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Nothing in an answer is absent, so it can always be written.
    let _written = value(response).write_json(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(content_type: &str, body: &str) -> String {
        let headers = [
            ("content-type".to_owned(), content_type.to_owned()),
            ("set-cookie".to_owned(), "s=1".to_owned()),
        ];
        let facts = ResponseFacts { status: 200, headers: &headers, body: body.as_bytes() };
        String::from_utf8(response_json(&facts)).unwrap_or_default()
    }

    #[test]
    fn a_body_is_parsed_when_it_is_json() {
        assert_eq!(
            json("application/json", r#"{"a":1.50}"#),
            r#"{"status":200,"headers":{"content-type":"application/json"},"body":{"a":1.50}}"#
        );
        assert!(json("text/html", "ok").ends_with(r#""body":"ok"}"#));
        assert!(json("text/plain", "[1]").ends_with(r#""body":[1]}"#));
        assert!(json("text/plain", "12").ends_with(r#""body":"12"}"#));
        assert!(json("application/json", "{").ends_with(r#""body":"{"}"#));
        assert!(json("application/json", "").ends_with(r#""body":null}"#));
    }
}
