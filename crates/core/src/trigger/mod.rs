//! Triggers: which rows of the CRM make which events.

mod query;

pub use query::{DateRange, Endpoint, Narrowing, Query};
