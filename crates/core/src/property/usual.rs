//! What is usual: how fields are missing, and what the rows of a kind of event have in common.
//!
//! Known from recorded replies (contract §3: the shapes of 2016, 2022 and 2026), and from what the CRM itself demands
//! before it makes a row. Which fields a row never lacks is said by its schema, as `validate` takes it, but for what
//! some leave out.

use super::members::Habit;
use crate::record::{self, Always, Class, Field, FieldType, Schema};

/// Rows in which the CRM writes `""` where it has nothing to say: the fields of which it always says something.
const SAID: &[(&str, &[&str])] = &[
    ("item", &["productId", "name", "qty", "price"]),
    ("fulfillment item", &["fulfillmentItemId", "qty"]),
    ("transaction item", &["productId", "name", "qty", "price"]),
];

/// What some rows lack all the same: names and addresses that a wallet leaves out, where to ship to when it is the
/// buyer's address, and what the shape of 2016 does not have. `validate` is silent on these; a zap should bear it still.
const LEFT_OUT: &[&str] = &[
    "firstName",
    "lastName",
    "emailAddress",
    "shipFirstName",
    "shipLastName",
    "shipAddress1",
    "shipCity",
    "shipCountry",
    "shipPostalCode",
    "actualOrderId",
    "currencyCode",
    "hasUpsell",
];

/// How a field of a row is missing.
pub(super) fn habit(schema: &Schema, field: &Field) -> Habit {
    let said = SAID.iter().any(|(row, fields)| *row == schema.name && fields.contains(&field.name));
    let text = !matches!(field.ty, FieldType::List(_) | FieldType::Any);
    // The name of a product is there, a buyer's not always.
    let left_out = LEFT_OUT.contains(&field.name) || field.name == "name" && field.class == Class::Personal;
    let always = schema.always_has(field.name) && !left_out;
    Habit { lacks: !always, empty: text && !said && (!always || schema.always == Always::All) }
}

/// Each row and the fields that it never lacks.
pub(crate) fn always_there() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let rows = [
        ("order", &record::ORDER),
        ("order that is a lead", &record::LEAD),
        ("item", &record::ITEM),
        ("fulfillment", &record::FULFILLMENT),
        ("fulfillment item", &record::FULFILLMENT_ITEM),
        ("transaction", &record::TRANSACTION),
        ("transaction item", &record::TRANSACTION_ITEM),
        ("customer", &record::CUSTOMER),
        ("purchase", &record::PURCHASE),
        ("purchase transaction", &record::PURCHASE_TRANSACTION),
    ];
    rows.into_iter().map(|(name, schema)| {
        let sure = |field: &&Field| {
            let habit = habit(schema, field);
            field.name != "key" && !habit.lacks && !habit.empty
        };
        (name, schema.fields.iter().filter(sure).map(|field| field.name).collect())
    })
}

/// What a field of a row must be for the trigger to take it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pin {
    /// One of these words, or the digits of one of these numbers.
    Words(&'static [&'static str]),
    /// A list with at least one row, which has such fields.
    Rows(&'static [(&'static str, &'static [&'static str])]),
}

type Pins = &'static [(&'static str, Pin)];

const FIRST_SALE: (&str, Pin) = ("orderType", Pin::Words(&["NEW_SALE"]));
const SOLD: (&str, Pin) = ("orderStatus", Pin::Words(&["COMPLETE", "COMPLETE", "REFUNDED", "CANCELLED"]));

/// What the rows of each kind have in common, without the options of a trigger.
const PINS: &[(&str, Pins)] = &[
    ("new_sale", &[SOLD, FIRST_SALE]),
    ("cancelled", &[("orderStatus", Pin::Words(&["CANCELLED"]))]),
    ("new_lead", &[("orderStatus", Pin::Words(&["PARTIAL"]))]),
    ("rebill", &[SOLD, ("orderType", Pin::Words(&["RECURRING"]))]),
    ("declined", &[("orderStatus", Pin::Words(&["DECLINED"])), FIRST_SALE]),
    ("refunded", &[("orderStatus", Pin::Words(&["REFUNDED"]))]),
    ("shipped", &[SOLD, ("fulfillments", Pin::Rows(&[("status", &["SHIPPED", "DELIVERED"])]))]),
    (
        "decline",
        &[
            ("responseType", Pin::Words(&["SOFT_DECLINE", "HARD_DECLINE"])),
            ("txnType", Pin::Words(&["SALE", "AUTHORIZE"])),
            ("billingCycleNumber", Pin::Words(&["1"])),
            ("recycleNumber", Pin::Words(&["0"])),
        ],
    ),
    ("refund", &[("responseType", Pin::Words(&["SUCCESS"])), ("txnType", Pin::Words(&["REFUND"]))]),
    ("chargeback", &[("isChargedback", Pin::Words(&["1"]))]),
    ("new_customer", &[]),
];

/// What the rows of a kind have in common; nothing for a kind that is not in the table.
pub(super) fn pins(kind: &str) -> Option<Pins> {
    PINS.iter().find(|(name, _)| *name == kind).map(|(_, pins)| *pins)
}
