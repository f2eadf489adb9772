//! `order/cancel` and `purchase/cancel`: is it cancelled, and did the money go back where that was asked for?

use super::charges::{Turn, marks, turn};
use super::facts::{Order, money, purchase as purchase_row, same, shown, text, yes};
use super::money::Balance;
use super::order::Ledger;
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use crate::find::Ask;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zaprun_core::record::Row;
use zaprun_core::trigger::Endpoint;
use zaprun_core::value::{Decimal, Value};
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen: the status, the subscriptions, and the money that went back.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    status: String,
    lines: BTreeMap<String, String>,
    refunds: BTreeSet<String>,
}

/// What is to be cancelled, as it is now.
struct Subject<'a> {
    look: &'a Look<'a>,
    /// `order X`
    name: String,
    /// Whether it is cancelled, or will be where that was asked for.
    done: bool,
    /// Whether there is any need for money to go back.
    settled: bool,
    ledger: Option<Ledger>,
    shown: Value,
    ids: Vec<(&'static str, String)>,
}

pub(super) async fn order(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("orderId") else { return Ok(blind("the request names no order")) };
    let then = Before::<State>::read(before);
    let Some(order) = look.order(id).await? else { return Ok(missing(&then, &format!("order {id}"))) };
    let ledger = if look.flag("fullRefund") { Some(look.ledger_of(&order).await?) } else { None };
    let lines = order.row.rows("items").map(|item| (line_id(&item), line(&item))).collect();
    let now = State { status: order.status(), lines, refunds: refunds(ledger.as_ref()) };
    let remaining = money(order.row.value("refundRemaining"));
    let subject = Subject {
        look,
        name: format!("order {}", order.id()),
        done: order_done(look, &order, &then, &now),
        settled: now.status == "REFUNDED" || is_settled(ledger.as_ref(), remaining.as_ref()),
        ledger,
        shown: order.shown(),
        ids: vec![("orderId", order.id()), ("customerId", text(&order.row, "customerId"))],
    };
    let seen = subject.seen(&then);
    Ok(sight(&now, seen))
}

pub(super) async fn purchase(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("purchaseId") else { return Ok(blind("the request names no purchase")) };
    let then = Before::<State>::read(before);
    let ask = Ask { path: Endpoint::Purchases.path(), filters: vec![("purchaseId", id)], days: None };
    let mut found = None;
    for raw in &look.rows(ask).await?.rows {
        let row = purchase_row(raw)?;
        if ["purchaseId", "actualPurchaseId"].iter().any(|name| same(&text(&row, name), id)) {
            found = Some((row, shown(raw)));
            break;
        }
    }
    let Some((row, shown)) = found else { return Ok(missing(&then, &format!("purchase {id}"))) };
    let ledger =
        if look.flag("fullRefund") { Some(look.ledger(vec![("purchaseId", id)]).await?) } else { None };
    look.is_about_id("orderId", &text(&row, "orderId"));
    let status = text(&row, "status").to_uppercase();
    let scheduled = yes(row.value("cancellationScheduled"));
    let now = State {
        lines: BTreeMap::from([(text(&row, "purchaseId"), format!("{status} {}", u8::from(scheduled)))]),
        refunds: refunds(ledger.as_ref()),
        status: status.clone(),
    };
    let subject = Subject {
        look,
        name: format!("purchase {id}"),
        done: status == "CANCELLED" || (look.flag("afterNextBill") && scheduled),
        settled: is_settled(ledger.as_ref(), None),
        ledger,
        shown,
        ids: ["purchaseId", "orderId", "customerId"].map(|name| (name, text(&row, name))).into(),
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

fn line_id(item: &Row) -> String {
    let ids = ["purchaseId", "orderItemId", "key"].map(|name| text(item, name));
    ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default()
}

/// A subscription's status, and whether its end is scheduled.
fn line(item: &Row) -> String {
    let scheduled = yes(item.value("cancellationScheduled"));
    format!("{} {}", text(item, "purchaseStatus").to_uppercase(), u8::from(scheduled))
}

fn refunds(ledger: Option<&Ledger>) -> BTreeSet<String> {
    ledger.map(|ledger| marks(ledger.txns.iter().filter(|txn| txn.gives_back()))).unwrap_or_default()
}

/// Whether nothing is left to go back.
fn is_settled(ledger: Option<&Ledger>, remaining: Option<&Decimal>) -> bool {
    ledger.is_none_or(|ledger| {
        let balance = Balance::of(&ledger.txns);
        balance.is_free() || balance.is_returned() || remaining.is_some_and(Decimal::is_zero)
    })
}

fn order_done(look: &Look<'_>, order: &Order, then: &Before<State>, now: &State) -> bool {
    let was = if let Before::Saw(then) = then { then.status.as_str() } else { "" };
    let statuses: Vec<&str> = now.lines.values().filter_map(|line| line.split(' ').next()).collect();
    let any_cancelled = statuses.contains(&"CANCELLED");
    let live = |status: &&str| !matches!(*status, "" | "CANCELLED" | "COMPLETE" | "INACTIVE");
    match now.status.as_str() {
        "CANCELLED" => true,
        // In quality assurance a cancelled order ends as a declined one (contract §4).
        "DECLINED" => was == "PENDING",
        // Refunded by the same cancellation.
        "REFUNDED" => any_cancelled && !statuses.iter().any(live),
        _ => {
            let recurring =
                order.row.rows("items").filter(|item| live(&&*text(item, "purchaseStatus").to_uppercase()));
            let scheduled: Vec<bool> =
                recurring.map(|item| yes(item.value("cancellationScheduled"))).collect();
            look.flag("afterNextBill") && !scheduled.is_empty() && scheduled.iter().all(|yes| *yes)
        }
    }
}

impl Subject<'_> {
    fn seen(&self, then: &Before<State>) -> Seen {
        match then {
            Before::Unreadable => unclear(UNKNOWN_BEFORE),
            _ if self.done && self.settled => self.happened(),
            Before::NotSent => Seen::NotHappened,
            Before::Saw(then) => self.money(then),
        }
    }

    /// It is not all done: what does the money say?
    fn money(&self, then: &State) -> Seen {
        let name = &self.name;
        let Some(ledger) = &self.ledger else { return Seen::NotHappened };
        let back = ledger.txns.iter().filter(|txn| txn.gives_back());
        match (turn(back, &then.refunds, ledger.at), self.done) {
            (Turn::Nothing, false) => Seen::NotHappened,
            (Turn::Nothing, true) => unclear(format!("{name} is cancelled, but no refund is to be seen")),
            (Turn::Open(why), _) => unclear(why),
            (Turn::Succeeded(_), true) => {
                unclear(format!("{name} is cancelled, but only part of the money went back"))
            }
            (Turn::Succeeded(_), false) => {
                unclear(format!("money of {name} went back, but it is not cancelled"))
            }
            (Turn::Declined(txn), true) => {
                refused(format!("{name} is cancelled, but its refund was declined: {}", txn.words))
            }
            (Turn::Declined(txn), false) => {
                refused(format!("the refund of {name} was declined, and it is not cancelled: {}", txn.words))
            }
        }
    }

    fn happened(&self) -> Seen {
        let ids: Vec<(&str, Option<&str>)> = self
            .ids
            .iter()
            .map(|(name, id)| (*name, Some(id.as_str()).filter(|id| !id.is_empty())))
            .collect();
        self.look.happened(&self.shown, &ids)
    }
}
