//! What later steps see of a write: `{result, message, orderId?, …}`.

use bytes::Bytes;
use std::sync::Arc;
use zaprun_core::request::CrmRequest;
use zaprun_core::value::Value;

/// Ids that stand at the top level of an answer, where the message or the request names one.
pub(crate) const IDS: [&str; 5] = ["orderId", "customerId", "purchaseId", "transactionId", "fulfillmentId"];

/// The answer's JSON. `message` holds no secret any more.
pub(crate) fn response(request: &CrmRequest, result: &str, message: Value) -> Bytes {
    let mut members: Vec<(Arc<str>, Value)> = vec![("result".into(), Value::text(result))];
    let ids: Vec<(Arc<str>, Value)> = IDS
        .iter()
        .filter_map(|&name| Some((name.into(), Value::text(id(request, &message, name)?))))
        .collect();
    members.push(("message".into(), message));
    members.extend(ids);
    // Nothing in an answer is absent, so it can always be written.
    let mut bytes = Vec::new();
    let _written = Value::object(members).write_json(&mut bytes);
    Bytes::from(bytes)
}

/// The same, from an answer that was kept as it was received; nothing where it is no answer of the CRM.
pub fn recalled(request: &CrmRequest, reply: &[u8]) -> Option<Bytes> {
    let reply = Value::from_json(std::str::from_utf8(reply).ok()?).ok()?;
    let reply = reply.as_object()?;
    let result = reply.member("result").as_text()?;
    Some(response(request, result, reply.member("message").clone()))
}

/// An id out of the message, else the one that the request named: most messages are a mere text.
fn id(request: &CrmRequest, message: &Value, name: &str) -> Option<String> {
    let named = match message {
        Value::Object(object) => text(object.member(name)).or_else(|| {
            let items = (name == "purchaseId").then(|| object.member("items"))?;
            only(items, name)
        }),
        Value::List(items) => match &**items {
            [Value::Object(only)] => text(only.member(name)),
            _ => None,
        },
        _ => None,
    };
    named.or_else(|| request.param(name).filter(|id| !id.is_empty()).map(str::to_owned))
}

/// The id that all items share; `items` is a list or an object keyed by id (contract §1.8).
fn only(items: &Value, name: &str) -> Option<String> {
    let of = |item: &Value| text(item.as_object()?.member(name));
    let mut ids: Vec<String> = match items {
        Value::List(items) => items.iter().filter_map(of).collect(),
        Value::Object(items) => items.iter().filter_map(|(_, item)| of(item)).collect(),
        _ => return None,
    };
    ids.dedup();
    if ids.len() == 1 { ids.pop() } else { None }
}

/// Text that is not empty, or a number's digits.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(_) | Value::Number(_) => value.to_text().ok().filter(|text| !text.trim().is_empty()),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use std::time::Duration;
    use zaprun_core::crm;

    /// A write of these parameters.
    pub(crate) fn request(action: &str, params: &[(&str, &str)]) -> CrmRequest {
        let endpoint = crm::endpoint(action).unwrap_or_else(|| panic!("{action}"));
        CrmRequest {
            connection: "crm".into(),
            endpoint,
            params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            idempotency_key: "0b9d8f5e-key".into(),
            correlate_in: None,
            settle_after: Duration::from_secs(900),
            repeat: endpoint.repeat,
            serials: Vec::new(),
            lead: None,
        }
    }

    #[test]
    fn an_answer_that_was_kept_gives_the_same() {
        let request = request("konnektive.confirm_order", &[("orderId", "A")]);
        let message = Value::from_json(r#"{"customerId":7}"#).unwrap();
        let known = response(&request, "SUCCESS", message);
        let reply = br#"{"result":"SUCCESS","message":{"customerId":7}}"#;
        assert_eq!(recalled(&request, reply).unwrap(), known);
        assert_eq!(recalled(&request, &known).unwrap(), known, "what a look has found is kept as it is");
        for odd in [&b"<html>"[..], b"[1]", b"{}", b"{\"result\":1}", b"\xff"] {
            assert_eq!(recalled(&request, odd), None);
        }
    }

    #[test]
    fn ids_are_lifted_as_text() {
        let request = request("konnektive.cancel_order", &[("orderId", "AAAAAAAAAA"), ("cancelReason", "x")]);
        for (message, answer) in [
            (r#""Cancelled""#, r#"{"result":"SUCCESS","message":"Cancelled","orderId":"AAAAAAAAAA"}"#),
            (
                r#"{"orderId":"B","customerId":19241,"total":0.30,"items":[{"purchaseId":"P"},{"purchaseId":"P"}]}"#,
                r#"{"result":"SUCCESS","message":{"orderId":"B","customerId":19241,"total":0.30,"items":[{"purchaseId":"P"},{"purchaseId":"P"}]},"orderId":"B","customerId":"19241","purchaseId":"P"}"#,
            ),
            (
                r#"{"items":{"7":{"purchaseId":"P"},"8":{"purchaseId":"Q"}}}"#,
                r#"{"result":"SUCCESS","message":{"items":{"7":{"purchaseId":"P"},"8":{"purchaseId":"Q"}}},"orderId":"AAAAAAAAAA"}"#,
            ),
            (
                r#"[{"transactionId":7}]"#,
                r#"{"result":"SUCCESS","message":[{"transactionId":7}],"orderId":"AAAAAAAAAA","transactionId":"7"}"#,
            ),
            ("null", r#"{"result":"SUCCESS","message":null,"orderId":"AAAAAAAAAA"}"#),
            (
                r#"{"orderId":"","customerId":null}"#,
                r#"{"result":"SUCCESS","message":{"orderId":"","customerId":null},"orderId":"AAAAAAAAAA"}"#,
            ),
        ] {
            let got = response(&request, "SUCCESS", Value::from_json(message).unwrap());
            assert_eq!(String::from_utf8_lossy(&got), answer);
        }
    }
}
