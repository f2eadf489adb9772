//! Parameters of a request: query string, urlencoded and multipart bodies, in any mixture (contract §1.1).

use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::Value;

/// What a request says, in the order in which it came. A later value of a name counts, as in PHP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// The value of a name; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a name, or nothing.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Whether a 0/1 switch is on.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true"))
    }

    /// A value as a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The same without what must not be kept: the password, and all of a card but its last four digits.
    pub(crate) fn without_secrets(&self) -> Vec<(String, String)> {
        let shown = |(key, value): &(String, String)| match key.as_str() {
            "password" => None,
            "cardNumber" => Some((key.clone(), last4(value))),
            "cardSecurityCode" | "achAccountNumber" | "iban" => Some((key.clone(), "***".to_owned())),
            _ => Some((key.clone(), value.clone())),
        };
        self.0.iter().filter_map(shown).collect()
    }
}

/// The last four characters behind a mask.
fn last4(number: &str) -> String {
    let skipped = number.chars().count().saturating_sub(4);
    format!("***{}", number.chars().skip(skipped).collect::<String>())
}

/// The parameters of the URL.
pub(crate) fn of_query(query: &str) -> Params {
    Params(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The parameters of URL and body. An unreadable body adds nothing.
pub(crate) async fn of_request(parts: Parts, body: Bytes, json_bodies: bool) -> Params {
    let mut all = of_query(parts.uri.query().unwrap_or_default());
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        all.0.extend(of_multipart(Request::from_parts(parts, Body::from(body))).await);
    } else if kind.starts_with("application/json") {
        if json_bodies {
            all.0.extend(of_json(&body));
        }
    } else {
        all.0.extend(form_urlencoded::parse(&body).into_owned());
    }
    all
}

async fn of_multipart(request: Request) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        return found;
    };
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let Ok(value) = field.bytes().await else { break };
        found.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    found
}

fn of_json(body: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    fields.into_iter().map(|(key, value)| (key, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_empty_is_absent() {
        let params = of_query("page=1&page=2&orderId=&name=%C3%89lo+ise&bad=%ff");
        assert_eq!(params.get("page"), Some("2"));
        assert_eq!(params.get("orderId"), None);
        assert_eq!(params.get("name"), Some("Élo ise"));
        assert_eq!(params.get("bad"), Some("\u{fffd}"));
    }

    #[test]
    fn kept_parameters_hold_no_secrets() {
        let params = of_query("loginId=me&password=secret&cardNumber=4111111111111111&cardSecurityCode=123");
        let kept = format!("{:?}", params.without_secrets());
        assert!(!kept.contains("secret") && !kept.contains("411111") && !kept.contains("123\""), "{kept}");
        assert!(kept.contains("***1111"), "{kept}");
    }
}
