//! A row as it is shown to expressions once it was looked up.

use std::sync::Arc;

use super::{Class, FieldType, ReadSet, RowError, Schema, view};
use crate::value::{Object, Value};

/// The typed view of a row: without what never leaves, and with every field that its schema knows, null where the row
/// has none, since what is kept for later steps does not know the schema any more.
///
/// # Errors
/// When the bytes are no JSON object.
pub(crate) fn shown(raw: &[u8], schema: &'static Schema) -> Result<Object, RowError> {
    let row = view(raw, schema, &ReadSet::All, &mut Vec::new())?;
    Ok(completed(&row, schema))
}

fn completed(row: &Object, schema: &'static Schema) -> Object {
    let secret = |name: &str| schema.field(name).is_some_and(|field| field.class == Class::Secret);
    let mut members: Vec<(Arc<str>, Value)> = row
        .iter()
        .filter(|(name, _)| !secret(name))
        .map(|(name, value)| (Arc::clone(name), member(schema, name, value)))
        .collect();
    let missing =
        schema.fields.iter().filter(|field| field.class != Class::Secret && row.get(field.name).is_none());
    members.extend(missing.map(|field| (Arc::from(field.name), Value::Null)));
    Object::new(members, Some(schema))
}

fn member(schema: &'static Schema, name: &str, value: &Value) -> Value {
    let Some(FieldType::List(rows)) = schema.field(name).map(|field| field.ty) else { return value.clone() };
    let Value::List(items) = value else { return value.clone() };
    let complete = |item: &Value| match item {
        Value::Object(item) => Value::Object(completed(item, rows)),
        other => other.clone(),
    };
    Value::list(items.iter().map(complete).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::*;
    use crate::record::{CUSTOMER, ORDER, PURCHASE};

    #[test]
    fn what_never_leaves_is_gone_and_every_field_is_there() {
        let raw = br#"{"customerId":7,"eCommercePassword":"hunter2","eCommerceLogin":"x","paySources":[{"a":1}],"isBlacklisted":"1","own":2}"#;
        let row = shown(raw, &CUSTOMER).unwrap();
        let json = Value::Object(row.clone()).to_json().unwrap();
        assert!(
            !json.contains("hunter2") && !json.contains("paySources\"") && !json.contains("eCommerce"),
            "{json}"
        );
        assert_eq!(row.member("customerId"), &Value::text("7"));
        assert_eq!(row.member("isBlacklisted"), &Value::Bool(true));
        assert_eq!(row.member("own"), &Value::from(2_i64));
        assert_eq!(row.get("lastName"), Some(&Value::Null));
        assert_eq!(row.len(), CUSTOMER.fields.len() - 3 + 1);
    }

    #[test]
    fn rows_within_rows_are_complete_too() {
        let row = shown(br#"{"items":{"9":{"qty":"2"}},"achAccountNumber":"123"}"#, &ORDER).unwrap();
        let item = row.member("items").as_list().unwrap()[0].as_object().unwrap().clone();
        assert_eq!(item.get("productId"), Some(&Value::Null));
        assert_eq!(item.get("key"), Some(&Value::text("9")));
        assert_eq!(row.get("achAccountNumber"), None);
        assert_eq!(row.get("fulfillments"), Some(&Value::list(Vec::new())));
        let row = shown(br#"{"transactions":[{"transactionId":9,"isChargedback":"0"}]}"#, &PURCHASE).unwrap();
        let charge = row.member("transactions").as_list().unwrap()[0].as_object().unwrap().clone();
        assert_eq!(charge.get("key"), Some(&Value::text("9")));
        assert_eq!(charge.get("isChargedback"), Some(&Value::Bool(false)));
        assert!(shown(b"[]", &ORDER).is_err());
    }
}
