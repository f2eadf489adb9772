//! Rows and replies in the order of the recorded samples.

mod customers;
mod fulfillments;
mod import;
mod orders;
mod purchases;
mod transactions;

pub(crate) use customers::{customer_row, history_row};
pub(crate) use fulfillments::fulfillment_row;
pub(crate) use import::{lead_reply, sale_reply};
pub(crate) use orders::{Style, order_row};
pub(crate) use purchases::purchase_row;
pub(crate) use transactions::transaction_row;
