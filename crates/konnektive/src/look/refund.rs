//! `order/refund` and `transactions/refund`: did the money go back?

use super::charges::{Turn, marks, turn};
use super::facts::{Txn, money, same, text};
use super::money::{Balance, sum};
use super::order::Ledger;
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use zaprun_core::value::{Decimal, Value};
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen: the order's status, and the money that went back.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    status: String,
    refunds: BTreeSet<String>,
}

/// What is to be refunded, as it is now.
struct Subject<'a> {
    look: &'a Look<'a>,
    /// `order X`
    name: String,
    /// Whether all of it went back.
    returned: bool,
    ledger: &'a Ledger,
    ids: Vec<(&'static str, String)>,
}

pub(super) async fn order(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("orderId") else { return Ok(blind("the request names no order")) };
    let then = Before::<State>::read(before);
    let Some(order) = look.order(id).await? else { return Ok(missing(&then, &format!("order {id}"))) };
    let ledger = look.ledger_of(&order).await?;
    let now = State { status: order.status(), refunds: refunds(&ledger) };
    let subject = Subject {
        look,
        name: format!("order {}", order.id()),
        returned: now.status == "REFUNDED" || Balance::of(&ledger.txns).is_returned(),
        ledger: &ledger,
        ids: vec![("orderId", order.id()), ("customerId", text(&order.row, "customerId"))],
    };
    let seen = subject.seen(&then);
    Ok(sight(&now, seen))
}

pub(super) async fn transaction(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("transactionId") else { return Ok(blind("the request names no transaction")) };
    let then = Before::<State>::read(before);
    let found = match look.ledger(vec![("transactionId", id)]).await {
        // That this filter works without days is not attested (contract §3.2).
        Err(ReadError::Vendor { text }) => {
            return Ok(blind(&format!("the transaction cannot be read by its id: {text}")));
        }
        found => found?,
    };
    let Some(txn) = found.find(id) else { return Ok(missing(&then, &format!("transaction {id}"))) };
    if txn.order.is_empty() {
        return Ok(blind("the CRM does not show the transaction's order, and so not its refunds"));
    }
    look.is_about_id("orderId", &txn.order);
    let mut ledger = look.ledger(vec![("orderId", &txn.order)]).await?;
    // Refunds of other charges of the order are no business of this one; one that names no charge may be.
    ledger.txns.retain(|other| {
        same(&other.id, &txn.id)
            || (other.gives_back() && (other.parent.is_empty() || same(&other.parent, &txn.id)))
    });
    let own: Vec<Txn> = ledger
        .txns
        .iter()
        .filter(|other| !other.parent.is_empty() || same(&other.id, &txn.id))
        .cloned()
        .collect();
    let now = State { status: String::new(), refunds: refunds(&ledger) };
    let subject = Subject {
        look,
        name: format!("transaction {}", txn.id),
        returned: Balance::of(&own).is_returned(),
        ledger: &ledger,
        ids: vec![
            ("transactionId", txn.id.clone()),
            ("orderId", txn.order.clone()),
            ("customerId", txn.customer.clone()),
        ],
    };
    let seen = subject.seen(&then);
    Ok(sight(&now, seen))
}

fn missing(then: &Before<State>, name: &str) -> Sight {
    let seen = match then {
        // The CRM will say so itself.
        Before::NotSent => Seen::NotHappened,
        _ => unclear(format!("{name} is not in the CRM")),
    };
    sight(&State::default(), seen)
}

fn refunds(ledger: &Ledger) -> BTreeSet<String> {
    marks(ledger.txns.iter().filter(|txn| txn.gives_back()))
}

impl Subject<'_> {
    fn seen(&self, then: &Before<State>) -> Seen {
        match then {
            Before::NotSent if self.returned => refused(format!("{} is refunded in full already", self.name)),
            Before::NotSent => Seen::NotHappened,
            Before::Unreadable => unclear(UNKNOWN_BEFORE),
            Before::Saw(then) => self.since(then),
        }
    }

    fn since(&self, then: &State) -> Seen {
        let back = self.ledger.txns.iter().filter(|txn| txn.gives_back());
        match turn(back, &then.refunds, self.ledger.at) {
            Turn::Nothing => Seen::NotHappened,
            Turn::Open(why) => unclear(why),
            Turn::Declined(txn) => {
                refused(format!("the refund of {} was declined: {}", self.name, txn.words))
            }
            Turn::Succeeded(txns) if self.is_all(&txns) => self.happened(&txns),
            Turn::Succeeded(txns) => {
                let id = txns.first().map(|txn| txn.id.as_str()).unwrap_or_default();
                unclear(format!(
                    "money of {} went back (transaction {id}), but not what was asked for",
                    self.name
                ))
            }
        }
    }

    /// Whether what went back since is what was asked for.
    fn is_all(&self, txns: &[&Txn]) -> bool {
        if self.look.flag("fullRefund") {
            return self.returned;
        }
        let Some(wanted) = self.look.param("refundAmount").and_then(|text| money(&Value::text(text))) else {
            return false;
        };
        let one = txns.iter().any(|txn| txn.amount.as_ref() == Some(&wanted));
        one || sum(txns.iter().copied()).is_some_and(|sum: Decimal| sum == wanted)
    }

    fn happened(&self, txns: &[&Txn]) -> Seen {
        let ids: Vec<&str> = txns.iter().map(|txn| txn.id.as_str()).collect();
        let words = format!("{} is refunded (transaction {})", self.name, ids.join(", "));
        let mut named: Vec<(&str, Option<&str>)> = self
            .ids
            .iter()
            .map(|(name, id)| (*name, Some(id.as_str()).filter(|id| !id.is_empty())))
            .collect();
        if let ([refund], false) = (&*ids, named.iter().any(|(name, _)| *name == "transactionId")) {
            named.push(("transactionId", Some(*refund)));
        }
        self.look.happened(&Value::text(words), &named)
    }
}
