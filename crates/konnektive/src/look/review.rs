//! `order/qa`: is the order through quality assurance, or turned down?

use super::charges::{Turn, decline_words, marks, turn};
use super::facts::{Order, text};
use super::order::Ledger;
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    status: String,
    review: String,
    charges: BTreeSet<String>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Approved,
    Declined,
    /// In none of these states.
    Elsewhere,
}

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("orderId") else { return Ok(blind("the request names no order")) };
    let then = Before::<State>::read(before);
    let Some(order) = look.order(id).await? else {
        let seen = match then {
            // The CRM will say so itself.
            Before::NotSent => Seen::NotHappened,
            _ => unclear(format!("order {id} is not in the CRM")),
        };
        return Ok(sight(&State::default(), seen));
    };
    let mut ledger = look.ledger_of(&order).await?;
    ledger.txns.retain(|txn| txn.charges() && !txn.rebill);
    let now = State { status: order.status(), review: order.review(), charges: marks(&ledger.txns) };
    let wanted = match look.param("action") {
        Some("APPROVE") => Verdict::Approved,
        Some("DECLINE") => Verdict::Declined,
        _ => return Ok(blind("the request neither approves nor declines")),
    };
    let was_open = matches!(&then, Before::Saw(then) if then.status == "PENDING");
    let seen = match (&then, verdict(&order, was_open)) {
        (Before::Unreadable, _) => unclear(UNKNOWN_BEFORE),
        (_, stands) if stands == wanted => happened(look, &order),
        (_, Verdict::Open) => still_open(&order, &ledger, &then, wanted),
        (_, Verdict::Approved | Verdict::Declined | Verdict::Elsewhere) => {
            refused(format!("order {} is not in quality assurance ({})", order.id(), now.status))
        }
    };
    Ok(sight(&now, seen))
}

fn verdict(order: &Order, was_open: bool) -> Verdict {
    match (order.review().as_str(), order.status().as_str()) {
        ("APPROVED", _) => Verdict::Approved,
        // Where the CRM does not show the review.
        ("", "COMPLETE") if was_open => Verdict::Approved,
        ("DECLINED", _) | (_, "DECLINED") => Verdict::Declined,
        (_, "PENDING" | "") | ("PENDING", _) => Verdict::Open,
        _ => Verdict::Elsewhere,
    }
}

fn still_open(order: &Order, ledger: &Ledger, then: &Before<State>, wanted: Verdict) -> Seen {
    let (Before::Saw(then), Verdict::Approved) = (then, wanted) else { return Seen::NotHappened };
    match turn(&ledger.txns, &then.charges, ledger.at) {
        Turn::Nothing => Seen::NotHappened,
        Turn::Open(why) => unclear(why),
        Turn::Declined(txn) => refused(decline_words(txn)),
        Turn::Succeeded(_) => {
            unclear(format!("order {} was charged, but is still in quality assurance", order.id()))
        }
    }
}

fn happened(look: &Look<'_>, order: &Order) -> Seen {
    let (id, customer) = (order.id(), text(&order.row, "customerId"));
    let customer = Some(customer.as_str()).filter(|id| !id.is_empty());
    look.happened(&order.shown(), &[("orderId", Some(&id)), ("customerId", customer)])
}
