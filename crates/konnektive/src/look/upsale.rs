//! `upsale/import`: is the product in the order?

use super::charges::{Turn, decline_words, marks, turn};
use super::facts::{Order, Txn, same, text};
use super::order::Ledger;
use super::sale::products;
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zaprun_core::record::Row;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen: the order's status, its lines by product, and its charges.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    status: String,
    lines: BTreeMap<String, BTreeSet<String>>,
    charges: BTreeSet<String>,
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
    let now = State { status: order.status(), lines: lines(&order), charges: marks(&ledger.txns) };
    let seen = match &then {
        Before::NotSent => Seen::NotHappened,
        Before::Unreadable => unclear(UNKNOWN_BEFORE),
        Before::Saw(then) => since(look, &order, &ledger, then, &now),
    };
    Ok(sight(&now, seen))
}

/// Lines by product; a declined one is none.
fn lines(order: &Order) -> BTreeMap<String, BTreeSet<String>> {
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in order.row.rows("items") {
        if !text(&item, "responseType").to_uppercase().contains("DECLINE") {
            lines.entry(product(&item)).or_default().insert(format!(
                "{} {}",
                text(&item, "orderItemId"),
                text(&item, "qty")
            ));
        }
    }
    lines
}

fn product(item: &Row) -> String {
    let product = text(item, "productId");
    if product.is_empty() { text(item, "key") } else { product }
}

fn since(look: &Look<'_>, order: &Order, ledger: &Ledger, then: &State, now: &State) -> Seen {
    let wanted = products(look);
    // A line that was not there before, or in another quantity.
    let added = |product: &String| {
        let (was, is) = (then.lines.get(product), now.lines.get(product));
        is.is_some_and(|is| was.is_none_or(|was| !is.is_subset(was)))
    };
    let there = wanted.iter().filter(|product| added(product)).count();
    let turn = turn(&ledger.txns, &then.charges, ledger.at);
    if there > 0 && there == wanted.len() {
        return happened(look, order, &wanted, turn);
    }
    let id = order.id();
    match turn {
        _ if there > 0 => unclear(format!("only {there} of {} products are in order {id}", wanted.len())),
        Turn::Succeeded(txns) => {
            let txn = txns.first().map(|txn| txn.id.as_str()).unwrap_or_default();
            unclear(format!("transaction {txn} succeeded, but the product is not in order {id}"))
        }
        Turn::Open(why) => unclear(why),
        Turn::Declined(txn) => refused(decline_words(txn)),
        Turn::Nothing => Seen::NotHappened,
    }
}

fn happened(look: &Look<'_>, order: &Order, wanted: &[String], turn: Turn<'_>) -> Seen {
    let txn = match turn {
        Turn::Succeeded(txns) => txns.last().map(|txn: &&Txn| txn.id.clone()),
        _ => None,
    };
    let mut lines = order.row.rows("items").filter(|item| wanted.iter().any(|id| same(&product(item), id)));
    let purchase =
        lines.next().map(|item| text(&item, "purchaseId")).filter(|id| !id.is_empty() && wanted.len() == 1);
    look.happened(&order.shown(), &[("transactionId", txn.as_deref()), ("purchaseId", purchase.as_deref())])
}
