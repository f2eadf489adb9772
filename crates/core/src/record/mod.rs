//! Records: what the CRM's rows hold, described once.
//!
//! The description gives the typed view, the published schemas and the checks of field names.

mod schema;

pub use schema::{Class, Field, FieldType, Schema};
