//! Quality assurance, confirming, cancelling and refunds (contract §5.4, §5.6).

use super::{REFUND, answer, refund_amount, refused};
use crate::crm::check::{Field, Form, field, fields, flag, need, text};
use crate::crm::params::Params;
use crate::crm::reply::{self, Reply};
use crate::money::Money;
use crate::state::moves::Refusal;
use crate::state::{OrderStatus, State, catalog};

const ORDER: &[Field] = &[text("orderId", 30)];

const CANCEL: &[Field] = &[
    text("orderId", 30),
    text("purchaseId", 30),
    text("cancelReason", 100),
    flag("fullRefund"),
    flag("afterNextBill"),
];

const TRANSACTION: &[Field] = &[
    field("transactionId", Form::Whole),
    flag("cancelPurchase"),
    flag("externalRefund"),
    text("refundMerchantTxnId", 500),
];

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

/// Answers order/confirm.
pub(crate) fn order_confirm(state: &mut State, params: &Params) -> Reply {
    let checked = need(params, &["orderId"]).and_then(|()| fields(params, &[ORDER]));
    match checked {
        Ok(()) => answer(state.confirm(&params.text("orderId")), "order confirmed"),
        Err(refusal) => refusal,
    }
}

/// Answers order/cancel.
pub(crate) fn order_cancel(state: &mut State, params: &Params) -> Reply {
    let checked = need(params, &["orderId", "cancelReason"]).and_then(|()| fields(params, &[CANCEL]));
    if let Err(refusal) = checked {
        return refusal;
    }
    let (order_id, reason) = (params.text("orderId"), params.text("cancelReason"));
    if params.flag("afterNextBill") {
        let moved = state.cancel_after_next_bill(&order_id);
        return answer(moved, "order will be cancelled after the next bill");
    }
    if let Err(refusal) = state.cancel(&order_id, &reason) {
        return refused(&refusal);
    }
    let money_left = state
        .order(&order_id)
        .is_some_and(|order| order.status == OrderStatus::Cancelled && order.refundable() > Money::ZERO);
    if params.flag("fullRefund") && money_left {
        return answer(state.refund(&order_id, None, &reason), "order cancelled and refunded");
    }
    reply::done("order cancelled")
}

/// Answers purchase/cancel.
pub(crate) fn purchase_cancel(state: &mut State, params: &Params) -> Reply {
    let checked = need(params, &["purchaseId"]).and_then(|()| fields(params, &[CANCEL]));
    if let Err(refusal) = checked {
        return refusal;
    }
    let (purchase_id, reason) = (params.text("purchaseId"), params.text("cancelReason"));
    if params.flag("afterNextBill") {
        let moved = state.cancel_purchase(&purchase_id, &reason, true);
        return answer(moved, "purchase will be cancelled after the next bill");
    }
    if let Err(refusal) = state.cancel_purchase(&purchase_id, &reason, false) {
        return refused(&refusal);
    }
    let paid = state.purchase(&purchase_id).map(|(order, line)| {
        // Later cycles that ship are on orders of their own.
        let product = catalog::product(order.campaign_id, line.product_id);
        let cycles = if product.is_some_and(|product| product.ships_again) { 1 } else { line.cycle };
        (order.order_id.clone(), line.charge().times(cycles).min(order.refundable()))
    });
    if let Some((order_id, left)) = paid.filter(|(_, left)| params.flag("fullRefund") && *left > Money::ZERO)
    {
        return answer(state.refund(&order_id, Some(left), &reason), "purchase cancelled and refunded");
    }
    reply::done("purchase cancelled")
}

/// Answers order/refund.
pub(crate) fn order_refund(state: &mut State, params: &Params) -> Reply {
    let checked = need(params, &["orderId"])
        .and_then(|()| fields(params, &[ORDER, REFUND]))
        .and_then(|()| refund_amount(params));
    match checked {
        Ok(amount) => {
            let moved = state.refund(&params.text("orderId"), amount, &params.text("refundReason"));
            answer(moved, "order refunded")
        }
        Err(refusal) => refusal,
    }
}

/// Answers transactions/refund.
pub(crate) fn transaction_refund(state: &mut State, params: &Params) -> Reply {
    let checked = need(params, &["transactionId"])
        .and_then(|()| fields(params, &[TRANSACTION, REFUND]))
        .and_then(|()| refund_amount(params));
    let amount = match checked {
        Ok(amount) => amount,
        Err(refusal) => return refusal,
    };
    let Some(transaction_id) = params.number("transactionId") else {
        return reply::required(&["transactionId"]);
    };
    let order_id = state.transaction(transaction_id).map(|found| found.order_id.clone());
    let refund = match state.refund_transaction(transaction_id, amount, &params.text("refundReason")) {
        Ok(refund) => refund,
        Err(refusal) => return refused(&refusal),
    };
    if let Some(elsewhere) = params.get("refundMerchantTxnId") {
        state.edit_transaction(refund, |refund| elsewhere.clone_into(&mut refund.merchant_txn_id));
    }
    if let Some(order_id) = order_id.filter(|_| params.flag("cancelPurchase")) {
        stop_purchases(state, &order_id);
    }
    reply::done("transaction refunded")
}

/// Cancels what still runs of the order. The money is back in any case.
fn stop_purchases(state: &mut State, order_id: &str) {
    let lines = state.order(order_id).map(|order| order.lines.clone()).unwrap_or_default();
    for line in lines {
        // One that is over already needs no cancelling.
        let _ = state.cancel_purchase(&line.purchase_id, "refunded", false);
    }
}
