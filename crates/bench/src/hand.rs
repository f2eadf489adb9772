//! The job as a programmer would write it once, for this one mapping: structs that borrow from the order.

use std::borrow::Cow;
use std::fmt;
use std::num::ParseIntError;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An order that cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// It is not the JSON that was expected.
    #[error("the order cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Its id is no number.
    #[error("the id is no number: {0}")]
    Id(#[from] ParseIntError),
    /// Its date is not written as the CRM writes dates.
    #[error("`{0}` is not a date and a time")]
    Date(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainOrder<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    date_created: Cow<'a, str>,
    #[serde(borrow)]
    order_status: Cow<'a, str>,
    #[serde(borrow)]
    order_type: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    email_address: Cow<'a, str>,
    #[serde(borrow)]
    phone_number: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
    #[serde(borrow)]
    total_amount: Cow<'a, str>,
    items: Quantities,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WholeOrder<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    date_created: Cow<'a, str>,
    #[serde(borrow)]
    order_status: Cow<'a, str>,
    #[serde(borrow)]
    order_type: Cow<'a, str>,
    #[serde(borrow)]
    first_name: Cow<'a, str>,
    #[serde(borrow)]
    last_name: Cow<'a, str>,
    #[serde(borrow)]
    email_address: Cow<'a, str>,
    #[serde(borrow)]
    phone_number: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
    #[serde(borrow)]
    total_amount: Cow<'a, str>,
    items: Quantities,
}

#[derive(Deserialize)]
struct Item {
    qty: u64,
}

/// What the mappings need of the items.
#[derive(Default)]
struct Quantities {
    first: u64,
    sum: u64,
}

impl<'de> Deserialize<'de> for Quantities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Quantities;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("items by their id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Quantities, A::Error> {
        let mut quantities: Option<Quantities> = None;
        while let Some((IgnoredAny, Item { qty })) = map.next_entry()? {
            let so_far = quantities.get_or_insert(Quantities { first: qty, sum: 0 });
            so_far.sum = so_far.sum.saturating_add(qty);
        }
        Ok(quantities.unwrap_or_default())
    }
}

#[derive(Serialize)]
struct Out<'a, Id> {
    id: Id,
    created_at: &'a str,
    status: &'a str,
    r#type: &'a str,
    full_name: &'a str,
    email: &'a str,
    phone: &'a str,
    city: &'a str,
    country: &'a str,
    // Money keeps its digits.
    amount: &'a RawValue,
    item_count: u64,
    source: &'a str,
}

/// The twelve fields as they are.
///
/// # Errors
/// [`HandError`].
pub fn plain(order: &[u8], out: &mut Vec<u8>) -> Result<(), HandError> {
    let order: PlainOrder<'_> = serde_json::from_slice(order)?;
    let body = Out {
        id: &order.order_id,
        created_at: &order.date_created,
        status: &order.order_status,
        r#type: &order.order_type,
        full_name: &order.name,
        email: &order.email_address,
        phone: &order.phone_number,
        city: &order.city,
        country: &order.country,
        amount: serde_json::from_str(&order.total_amount)?,
        item_count: order.items.first,
        source: "konnektive",
    };
    Ok(serde_json::to_writer(out, &body)?)
}

/// The twelve fields computed.
///
/// # Errors
/// [`HandError`].
pub fn whole(order: &[u8], out: &mut Vec<u8>) -> Result<(), HandError> {
    let order: WholeOrder<'_> = serde_json::from_slice(order)?;
    let body = Out {
        id: order.order_id.parse::<u64>()?,
        created_at: &rfc_3339(&order.date_created)?,
        status: &order.order_status,
        r#type: &order.order_type,
        full_name: &format!("{} {}", order.first_name, order.last_name),
        email: &order.email_address.to_lowercase(),
        phone: &order.phone_number,
        city: &order.city,
        country: &order.country,
        amount: serde_json::from_str(&order.total_amount)?,
        item_count: order.items.sum,
        source: "konnektive",
    };
    Ok(serde_json::to_writer(out, &body)?)
}

/// The account's zone is UTC, so only the form changes.
fn rfc_3339(text: &str) -> Result<String, HandError> {
    match text.split_once(' ') {
        Some((day, time)) if text.len() == 19 => Ok(format!("{day}T{time}Z")),
        _ => Err(HandError::Date(text.to_owned())),
    }
}
