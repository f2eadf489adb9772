//! Writes other than order/import: they move the state and say so (contract §5).

use super::params::Params;
use super::reply::{self, Reply};
use crate::money::Money;
use crate::state::moves::Refusal;
use crate::state::{OrderStatus, State};

/// Answers order/qa.
pub(crate) fn order_qa(state: &mut State, params: &Params) -> Reply {
    let Some(order_id) = params.get("orderId") else {
        return reply::invalid([("orderId", "is a required value".to_owned())]);
    };
    match params.get("action") {
        None => reply::invalid([("action", "is a required value".to_owned())]),
        Some("APPROVE") => match state.approve(order_id) {
            Ok(_) => reply::success("Order QA Approved"),
            Err(refusal) => refused(&refusal),
        },
        Some("DECLINE") => match state.reject(order_id) {
            Ok(()) => reply::done("order QA declined"),
            Err(Refusal::Status { .. }) => {
                reply::error("Can only issue QA decline on orders in a Pending status")
            }
            Err(refusal) => refused(&refusal),
        },
        Some(_) => reply::not_one_of("action", ["APPROVE", "DECLINE"]),
    }
}

/// Answers order/cancel.
pub(crate) fn order_cancel(state: &mut State, params: &Params) -> Reply {
    let missing: Vec<&'static str> =
        ["orderId", "cancelReason"].into_iter().filter(|name| params.get(name).is_none()).collect();
    let Some(order_id) = params.get("orderId").filter(|_| missing.is_empty()) else {
        return reply::required(&missing);
    };
    if too_long(params, "cancelReason", 100) {
        return reply::invalid([("cancelReason", "must be at most 100 characters".to_owned())]);
    }
    if params.flag("afterNextBill") {
        return match state.cancel_after_next_bill(order_id) {
            Ok(()) => reply::done("order will be cancelled after the next bill"),
            Err(refusal) => refused(&refusal),
        };
    }
    if let Err(refusal) = state.cancel(order_id) {
        return refused(&refusal);
    }
    let money_left = state
        .order(order_id)
        .is_some_and(|order| order.status == OrderStatus::Cancelled && order.refundable() > Money::ZERO);
    if params.flag("fullRefund") && money_left {
        let reason = params.text("cancelReason");
        if let Err(refusal) = state.refund(order_id, None, &reason) {
            return refused(&refusal);
        }
    }
    reply::done("order cancelled")
}

/// Answers order/refund.
pub(crate) fn order_refund(state: &mut State, params: &Params) -> Reply {
    let Some(order_id) = params.get("orderId") else {
        return reply::required(&["orderId"]);
    };
    let amount = match refund_amount(params) {
        Ok(amount) => amount,
        Err(refusal) => return refusal,
    };
    match state.refund(order_id, amount, &params.text("refundReason")) {
        Ok(_) => reply::done("order refunded"),
        Err(refusal) => refused(&refusal),
    }
}

/// Answers transactions/refund.
pub(crate) fn transaction_refund(state: &mut State, params: &Params) -> Reply {
    let Some(transaction_id) = params.number("transactionId") else {
        return reply::required(&["transactionId"]);
    };
    let amount = match refund_amount(params) {
        Ok(amount) => amount,
        Err(refusal) => return refusal,
    };
    let order_id = state.transaction(transaction_id).map(|found| found.order_id.clone());
    if let Err(refusal) = state.refund_transaction(transaction_id, amount, &params.text("refundReason")) {
        return refused(&refusal);
    }
    if let Some(order_id) = order_id.filter(|_| params.flag("cancelPurchase")) {
        // The money is back in any case; an order that is over already needs no cancelling.
        let _ = state.cancel(&order_id);
    }
    reply::done("transaction refunded")
}

/// The amount to give back; `None` for all of it.
fn refund_amount(params: &Params) -> Result<Option<Money>, Reply> {
    if params.flag("fullRefund") {
        return Ok(None);
    }
    let Some(text) = params.get("refundAmount") else {
        return Err(reply::required(&["refundAmount"]));
    };
    match Money::parse(text) {
        Some(amount) => Ok(Some(amount)),
        None => Err(reply::invalid([("refundAmount", "must be a number".to_owned())])),
    }
}

pub(crate) fn too_long(params: &Params, name: &str, most: usize) -> bool {
    params.get(name).is_some_and(|value| value.chars().count() > most)
}

/// A move that the state refused, in the vendor's words where they are known.
pub(crate) fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::NoProducts => reply::error("No products exist in the order"),
        other => reply::placeholder(other),
    }
}
