//! Triggers: which rows of the CRM make which events.
//!
//! Each kind is one file and one entry of [`KINDS`]: what it asks, which rows it takes, and when a row is news
//! (polling rule "what is new"). All of it is a pure function of rows and instants.

mod cancelled;
mod decline;
mod kind;
mod new_lead;
mod new_sale;
mod query;
mod refund;
mod sale_date;
#[cfg(test)]
mod tests;

pub use kind::{KINDS, Kind, Options, Verdict, When, kind};
pub use query::{DateRange, Endpoint, Narrowing, Query};
pub use sale_date::{FirstSale, sale_lookup, sale_lookup_fields};
