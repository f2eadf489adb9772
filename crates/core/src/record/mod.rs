//! Records: what the CRM's rows hold, described once.
//!
//! The description gives the typed view, the published schemas and the checks of field names.

mod order;
mod schema;
mod transaction;

pub use order::{FULFILLMENT, FULFILLMENT_ITEM, ITEM, ORDER};
pub use schema::{Class, Field, FieldType, Schema};
pub use transaction::{TRANSACTION, TRANSACTION_ITEM};
