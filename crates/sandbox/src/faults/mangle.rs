//! Turning a true reply into a bad one.

use serde_json::{Map, Value};

/// All numbers, however deep, as strings.
pub(crate) fn numbers_as_strings(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(members) => members.iter_mut().for_each(numbers_as_strings),
        Value::Object(fields) => fields.values_mut().for_each(numbers_as_strings),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// `items` of every row as an array.
pub(crate) fn items_as_list(reply: &mut Value) {
    each_items(reply, |items| {
        if let Value::Object(fields) = items {
            *items = std::mem::take(fields).into_iter().map(|(_, item)| item).collect();
        }
    });
}

/// `items` of every row as an object keyed by product.
pub(crate) fn items_as_map(reply: &mut Value) {
    each_items(reply, |items| {
        if let Value::Array(members) = items {
            let keyed = std::mem::take(members).into_iter().map(|item| (product_key(&item), item));
            *items = Value::Object(keyed.collect::<Map<String, Value>>());
        }
    });
}

fn product_key(item: &Value) -> String {
    match item.get("productId") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn each_items(reply: &mut Value, change: impl Fn(&mut Value)) {
    let rows = reply.pointer_mut("/message/data").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        if let Some(items) = row.get_mut("items") {
            change(items);
        }
    }
}

/// At least `size` bytes: the filler goes where replies carry `params: null`, so that no row changes.
pub(crate) fn huge(reply: &mut Value, size: usize) {
    if let Some(Value::Object(message)) = reply.get_mut("message") {
        message.insert("params".to_owned(), Value::String("x".repeat(size)));
    }
}

/// The first part of the reply.
pub(crate) fn truncated(body: &[u8]) -> Vec<u8> {
    body.iter().copied().take(body.len() * 2 / 3).collect()
}

/// The reply with a Latin-1 letter inside a text, a first name where there is one.
pub(crate) fn non_utf8(body: &[u8]) -> Vec<u8> {
    let after =
        |mark: &[u8]| body.windows(mark.len()).position(|part| part == mark).map(|at| at + mark.len());
    let at = after(b"\"firstName\":\"").or_else(|| after(b":\"")).unwrap_or(0);
    let (head, tail) = body.split_at(at);
    [head, b"\xE9", tail].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_change_form_and_back() {
        let map = json!({"message": {"data": [{"items": {"7": {"productId": 7}, "5": {"productId": "5"}}}]}});
        let mut reply = map.clone();
        items_as_list(&mut reply);
        assert_eq!(reply, json!({"message": {"data": [{"items": [{"productId": 7}, {"productId": "5"}]}]}}));
        items_as_map(&mut reply);
        assert_eq!(reply, map);
    }

    #[test]
    fn numbers_become_strings_everywhere() {
        let mut value = json!({"a": 1, "b": [2.5, {"c": -3}], "d": true});
        numbers_as_strings(&mut value);
        assert_eq!(value, json!({"a": "1", "b": ["2.5", {"c": "-3"}], "d": true}));
    }

    #[test]
    fn bad_bytes_are_bad() {
        assert!(std::str::from_utf8(&non_utf8(br#"{"firstName":"Ada"}"#)).is_err());
        assert!(std::str::from_utf8(&non_utf8(b"")).is_err());
        assert!(serde_json::from_slice::<Value>(&truncated(br#"{"a":{"b":[1,2,3]}}"#)).is_err());
    }
}
