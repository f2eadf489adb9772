//! The typed view over a row as received.

use std::borrow::Cow;
use std::sync::Arc;

use super::{FieldType, ReadSet, Schema};
use crate::value::{Decimal, JsonError, Object, Value, json};

/// A row that cannot be viewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The bytes are not UTF-8.
    #[error("the row is not UTF-8")]
    NotUtf8,
    /// The bytes are not a JSON object.
    #[error("the row is not a JSON object: {0}")]
    NotJson(#[from] JsonError),
}

/// The members of `raw` that `fields` names, by the types of `schema`. What the schema does not know stays as received.
/// Values that do not fit their type stay as received too, and the names of their fields are added to `misfits`.
///
/// # Errors
/// When the bytes are no JSON object.
pub fn view(
    raw: &[u8],
    schema: &'static Schema,
    fields: &ReadSet,
    misfits: &mut Vec<&'static str>,
) -> Result<Object, RowError> {
    let text = std::str::from_utf8(raw).map_err(|_| RowError::NotUtf8)?;
    Ok(object(text, schema, fields, None, misfits)?)
}

fn object(
    text: &str,
    schema: &'static Schema,
    fields: &ReadSet,
    key: Option<&str>,
    misfits: &mut Vec<&'static str>,
) -> Result<Object, JsonError> {
    let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(match fields {
        ReadSet::All => schema.fields.len(),
        ReadSet::Only(names) => names.len(),
    });
    if let Some(key) = key {
        members.push((Arc::from("key"), Value::text(key)));
    }
    for member in json::members(text)? {
        let (name, value) = member?;
        if !fields.contains(&name) {
            continue;
        }
        let value = match schema.field(&name) {
            Some(field) => typed(value, field.ty, field.name, misfits)?,
            None => Value::from_json(value)?,
        };
        members.push((Arc::from(name), value));
    }
    for field in schema.fields {
        // A list that the CRM left out has no members; a mapping may go over it.
        let list = matches!(field.ty, FieldType::List(_)) && fields.contains(field.name);
        if list && !members.iter().any(|(name, _)| **name == *field.name) {
            members.push((Arc::from(field.name), Value::list(Vec::new())));
        }
    }
    Ok(Object::new(members, Some(schema)))
}

fn typed(
    text: &str,
    ty: FieldType,
    name: &'static str,
    misfits: &mut Vec<&'static str>,
) -> Result<Value, JsonError> {
    if let FieldType::List(schema) = ty {
        return list(text, schema, name, misfits);
    }
    let received = Value::from_json(text)?;
    if let Some(value) = fit(&received, ty) {
        return Ok(value);
    }
    misfit(name, misfits);
    Ok(received)
}

fn misfit(name: &'static str, misfits: &mut Vec<&'static str>) {
    if !misfits.contains(&name) {
        misfits.push(name);
    }
}

/// The value in its type, or nothing when it does not fit. The CRM writes numbers as text and text as numbers, and
/// `""` for what is empty (contract §1.8).
pub(crate) fn fit(received: &Value, ty: FieldType) -> Option<Value> {
    match (ty, received) {
        (FieldType::Any | FieldType::List(_), value) => Some(value.clone()),
        (_, Value::Null) => Some(Value::Null),
        (
            FieldType::Id | FieldType::Text | FieldType::Enum(_) | FieldType::Timestamp | FieldType::Date,
            Value::Text(_),
        ) => Some(received.clone()),
        (FieldType::Id | FieldType::Text, Value::Number(number)) => Some(Value::text(number.to_string())),
        (FieldType::Count | FieldType::Money | FieldType::Flag, Value::Text(text)) if text.is_empty() => {
            Some(Value::Null)
        }
        (FieldType::Count, value) => number(value).filter(Decimal::is_whole).map(Value::Number),
        (FieldType::Money, value) => number(value).map(Value::Number),
        (FieldType::Flag, value) => flag(value).map(Value::Bool),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::Text(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Text(text) => match &**text {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.to_i64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn list(
    text: &str,
    schema: &'static Schema,
    name: &'static str,
    misfits: &mut Vec<&'static str>,
) -> Result<Value, JsonError> {
    let mut rows = Vec::new();
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            for member in json::members(text)? {
                let (key, row) = member?;
                rows.push(element(row, schema, &key, misfits)?);
            }
        }
        Some(b'[') => {
            for (at, row) in json::elements(text)?.enumerate() {
                let row = row?;
                rows.push(element(row, schema, &key_of(row, schema, at)?, misfits)?);
            }
        }
        _ => {
            let received = Value::from_json(text)?;
            let empty =
                received.is_missing() || received.as_text() == Some("") || received.as_bool() == Some(false);
            if !empty {
                misfit(name, misfits);
                return Ok(received);
            }
        }
    }
    Ok(Value::list(rows))
}

fn element(
    row: &str,
    schema: &'static Schema,
    key: &str,
    misfits: &mut Vec<&'static str>,
) -> Result<Value, JsonError> {
    if row.trim_start().starts_with('{') {
        return object(row, schema, &ReadSet::All, Some(key), misfits).map(Value::Object);
    }
    Value::from_json(row)
}

/// In a list without keys a member's key is the id by which the CRM would have listed it, else its place.
fn key_of(row: &str, schema: &'static Schema, at: usize) -> Result<Cow<'static, str>, JsonError> {
    let id = schema.fields.iter().find(|field| field.ty == FieldType::Id && field.name != "key");
    if let (Some(id), true) = (id, row.trim_start().starts_with('{')) {
        for member in json::members(row)? {
            let (name, value) = member?;
            if name != id.name {
                continue;
            }
            if let Some(Value::Text(key)) = fit(&Value::from_json(value)?, FieldType::Id) {
                return Ok(Cow::Owned(key.to_string()));
            }
        }
    }
    Ok(Cow::Owned(at.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::super::{ORDER, TRANSACTION};
    use super::*;
    use proptest::prelude::*;

    fn order(raw: &str) -> (Object, Vec<&'static str>) {
        let mut misfits = Vec::new();
        let object = view(raw.as_bytes(), &ORDER, &ReadSet::All, &mut misfits).unwrap();
        (object, misfits)
    }

    #[test]
    fn ids_are_text_amounts_decimals_counts_whole_flags_boolean() {
        let (row, misfits) = order(
            r#"{"orderId":"8DF9","actualOrderId":49835,"totalAmount":"0.30","price":19.90,"hasUpsell":0,
                "isDeclineSave":"1","campaignId":459,"postalCode":10001,"salesTax":"","items":{"15271":{"qty":"2","price":0.3}}}"#,
        );
        assert!(misfits.is_empty(), "{misfits:?}");
        assert_eq!(
            Value::Object(row).to_json().unwrap(),
            r#"{"orderId":"8DF9","actualOrderId":"49835","totalAmount":0.30,"price":19.90,"hasUpsell":false,"isDeclineSave":true,"campaignId":"459","postalCode":"10001","salesTax":null,"items":[{"key":"15271","qty":2,"price":0.3}],"fulfillments":[]}"#
        );
    }

    #[test]
    fn items_are_a_list_with_keys_whatever_the_crm_wrote() {
        for raw in [
            r#"{"items":{"7":{"name":"a"}}}"#,
            r#"{"items":[{"productId":7,"name":"a"}]}"#,
            r#"{"items":[{"productId":"7","name":"a"}]}"#,
        ] {
            let (row, _) = order(raw);
            let items = row.member("items").as_list().unwrap().to_vec();
            assert_eq!(items[0].as_object().unwrap().member("key"), &Value::text("7"), "{raw}");
        }
        for raw in [r"{}", r#"{"items":null}"#, r#"{"items":[]}"#, r#"{"items":{}}"#, r#"{"items":""}"#] {
            assert_eq!(order(raw).0.member("items"), &Value::list(vec![]), "{raw}");
        }
        let (row, _) = order(r#"{"items":[{"name":"a"},{"name":"b"}]}"#);
        assert_eq!(
            row.member("items").as_list().unwrap()[1].as_object().unwrap().member("key"),
            &Value::text("1")
        );
    }

    #[test]
    fn what_does_not_fit_stays_as_received_and_is_named_once() {
        let (row, misfits) = order(
            r#"{"totalAmount":"n/a","hasUpsell":2,"orderId":{"a":1},"items":{"1":{"qty":1.5},"2":{"qty":"x"}}}"#,
        );
        assert_eq!(row.member("totalAmount"), &Value::text("n/a"));
        assert_eq!(row.member("hasUpsell"), &Value::from(2_i64));
        assert_eq!(misfits, ["totalAmount", "hasUpsell", "orderId", "qty"]);
    }

    #[test]
    fn only_what_is_read_is_decoded() {
        let mut misfits = Vec::new();
        let fields = ReadSet::of(["totalAmount"]);
        // The broken member is skipped by its brackets and never read.
        let row = view(
            br#"{"name":"x","items":{"1":{"qty":zzz}},"totalAmount":"5"}"#,
            &ORDER,
            &fields,
            &mut misfits,
        );
        assert_eq!(Value::Object(row.unwrap()).to_json().unwrap(), r#"{"totalAmount":5}"#);
    }

    #[test]
    fn a_member_that_is_not_identifier_is_a_member() {
        let mut misfits = Vec::new();
        let row = view(br#"{"3DTxnResult":"Y"}"#, &TRANSACTION, &ReadSet::All, &mut misfits).unwrap();
        assert_eq!(row.member("3DTxnResult"), &Value::text("Y"));
    }

    #[test]
    fn a_row_that_is_no_object_is_an_error() {
        for raw in [&b"[]"[..], b"1", b"", b"{", b"\xff{}", b"null"] {
            assert!(view(raw, &ORDER, &ReadSet::All, &mut Vec::new()).is_err());
        }
    }

    proptest! {
        #[test]
        fn viewing_is_total(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(view(&raw, &ORDER, &ReadSet::All, &mut Vec::new()));
        }

        #[test]
        fn amounts_keep_their_scale(units in 0_u64..1_000_000_000, cents in 0_u8..100, quoted: bool) {
            let amount = format!("{units}.{cents:02}");
            let raw = if quoted { format!(r#"{{"totalAmount":"{amount}"}}"#) } else { format!(r#"{{"totalAmount":{amount}}}"#) };
            let (row, misfits) = order(&raw);
            prop_assert!(misfits.is_empty());
            prop_assert_eq!(row.member("totalAmount").to_json().unwrap(), amount);
        }
    }
}
