//! Writes that change what is there: they move the state and say so (contract §5.3 to §5.6).

mod customer;
mod fulfillment;
mod order;

use super::check::{Field, Form, field, flag};
use super::params::Params;
use super::reply::{self, Reply};
use crate::money::Money;
use crate::state::moves::Refusal;

pub(crate) use customer::{customer_addnote, customer_blacklist, customer_update};
pub(crate) use fulfillment::fulfillment_update;
pub(crate) use order::{
    order_cancel, order_confirm, order_qa, order_refund, purchase_cancel, transaction_refund,
};

/// How much money goes back.
const REFUND: &[Field] = &[field("refundAmount", Form::Amount), flag("fullRefund")];

/// The amount to give back; `None` for all of it.
fn refund_amount(params: &Params) -> Result<Option<Money>, Reply> {
    if params.flag("fullRefund") {
        return Ok(None);
    }
    let amount = params.get("refundAmount").and_then(Money::parse);
    amount.map(Some).ok_or_else(|| reply::required(&["refundAmount"]))
}

/// A move that the state refused, in the vendor's words where they are known.
pub(crate) fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::NoProducts => reply::error("No products exist in the order"),
        Refusal::NoCustomer(_) => reply::error("Customer not found"),
        other => reply::placeholder(other),
    }
}

/// What a move answers, in words of our own.
fn answer<T>(moved: Result<T, Refusal>, text: &str) -> Reply {
    match moved {
        Ok(_) => reply::done(text),
        Err(refusal) => refused(&refusal),
    }
}
