//! Rows of `purchase/query`.

use super::schema::{Class, Field, FieldType, Schema, field};

/// A row of `purchase/query` (contract §3).
pub static PURCHASE: Schema = Schema { name: "purchase", fields: FIELDS };

const FIELDS: &[Field] = &[
    field("purchaseId", FieldType::Id, Class::Plain, "the purchase's id"),
    field("dateCreated", FieldType::Timestamp, Class::Plain, "when it was made"),
    field("dateUpdated", FieldType::Timestamp, Class::Plain, "when it last changed"),
];
