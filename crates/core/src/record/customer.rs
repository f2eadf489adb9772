//! Rows of `customer/query`.

use super::schema::{Class, Field, FieldType, Schema, field};

/// A row of `customer/query` (contract §3).
pub static CUSTOMER: Schema = Schema { name: "customer", fields: FIELDS };

const FIELDS: &[Field] = &[
    field("customerId", FieldType::Id, Class::Plain, "the customer's id"),
    field("dateCreated", FieldType::Timestamp, Class::Plain, "when it was made"),
    field("dateUpdated", FieldType::Timestamp, Class::Plain, "when it last changed"),
];
