//! The elements that `each` and `$each` go over.

use std::collections::HashSet;

use crate::value::Value;

/// One element with the key that tells it from its siblings, in every attempt and after every restart.
pub(crate) struct Element {
    pub(crate) key: String,
    pub(crate) index: usize,
    pub(crate) value: Value,
}

/// The elements of a list or of an object's values; nothing when the value is neither.
///
/// The key is the member's name in an object. In a list it is the items' own `key` where each has one and no two are
/// alike, as the record's lists have: it stays with its item when the CRM lists them in another order. Else it is
/// the index.
pub(crate) fn elements(source: &Value) -> Option<Vec<Element>> {
    match source {
        Value::Object(object) => Some(
            object
                .iter()
                .enumerate()
                .map(|(index, (name, value))| Element { key: name.to_string(), index, value: value.clone() })
                .collect(),
        ),
        Value::List(items) => {
            let keys = own_keys(items);
            Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Element {
                        key: keys.as_ref().map_or_else(|| index.to_string(), |keys| keys[index].to_owned()),
                        index,
                        value: value.clone(),
                    })
                    .collect(),
            )
        }
        _ => None,
    }
}

/// One key per item, in order, when all have one and they differ.
fn own_keys(items: &[Value]) -> Option<Vec<&str>> {
    let keys: Vec<&str> = items
        .iter()
        .map(|item| item.as_object().and_then(|object| object.get("key")).and_then(Value::as_text))
        .collect::<Option<_>>()?;
    let distinct: HashSet<&str> = keys.iter().copied().collect();
    (distinct.len() == keys.len()).then_some(keys)
}
