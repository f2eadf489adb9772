//! What can be written to the CRM: each endpoint is described once, in a file of its own.
//!
//! From a description come the check before sending, the schema and the reference page of its action, the meaning of
//! `$clear`, and what may be repeated after an unknown outcome.

mod check;
mod convert;
mod day;
mod describe;
mod lookup;
mod payment;
pub mod serial;
mod shared;
pub(crate) mod states;

mod add_note;
mod blacklist_customer;
mod cancel_order;
mod cancel_purchase;
mod confirm_order;
mod create_lead;
mod create_sale;
mod create_upsale;
mod qa_order;
mod refund_order;
mod refund_transaction;
mod update_customer;
mod update_fulfillment;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use check::{Breach, Held, broken};
pub(crate) use convert::{CLEARED, Wrong, WrongKind, takes, write};
pub(crate) use day::day;
pub use describe::{Endpoint, Given, Param, ParamType, Repeat, ReplyField, Rule};
pub use lookup::{LOOKUPS, Lookup, lookup};
pub use payment::WAYS_TO_PAY;
pub(crate) use payment::{BANK, CARD, refused_param, refused_value};

pub use create_lead::CREATE_LEAD;
pub use create_sale::CREATE_SALE;

/// Every endpoint that actions write to, those of the vendor's own app first.
pub static ENDPOINTS: &[&Endpoint] = &[
    &CREATE_SALE,
    &CREATE_LEAD,
    &update_fulfillment::UPDATE_FULFILLMENT,
    &cancel_order::CANCEL_ORDER,
    &update_customer::UPDATE_CUSTOMER,
    &create_upsale::CREATE_UPSALE,
    &confirm_order::CONFIRM_ORDER,
    &refund_order::REFUND_ORDER,
    &qa_order::QA_ORDER,
    &cancel_purchase::CANCEL_PURCHASE,
    &refund_transaction::REFUND_TRANSACTION,
    &blacklist_customer::BLACKLIST_CUSTOMER,
    &add_note::ADD_NOTE,
];

/// The endpoint of an action's `type`.
pub fn endpoint(action: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().copied().find(|endpoint| endpoint.action == action)
}
