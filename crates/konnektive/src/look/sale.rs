//! `order/import`: was it sold?
//!
//! With an order's id, that order and its charges say so. Without one the order has to be found: by a key that the
//! request put into a custom field, else by buyer and campaign, where one new order is the request's and two are
//! nobody's.

use super::charges::{Turn, decline_words, marks, turn};
use super::facts::{Order, Txn, day, same, text};
use super::order::Ledger;
use super::search::{Search, Since};
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zaprun_core::value::Value;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A lead, or a sale that was declined.
    Open,
    /// Sold, in whatever state it is since. So is a state that nobody knows: in doubt it is not sold again.
    Sold,
    /// Cancelled, as a lead or as a sale.
    Cancelled,
}

impl Stage {
    pub(super) fn of(status: &str) -> Stage {
        match status {
            "" | "PARTIAL" | "DECLINED" => Stage::Open,
            "CANCELLED" => Stage::Cancelled,
            _ => Stage::Sold,
        }
    }
}

/// What was seen of one order: its status and its charges.
#[derive(Debug, Default, Serialize, Deserialize)]
struct One {
    status: String,
    charges: BTreeSet<String>,
}

/// What was seen of a buyer's orders since a day: their statuses, and the charges.
#[derive(Debug, Serialize, Deserialize)]
struct Several {
    since: Since,
    orders: BTreeMap<String, String>,
    charges: BTreeSet<String>,
}

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    match look.param("orderId") {
        Some(id) => by_id(look, id, before).await,
        None => by_buyer(look, before).await,
    }
}

async fn by_id(look: &Look<'_>, id: &str, before: Option<&str>) -> Result<Sight, ReadError> {
    let then = Before::<One>::read(before);
    let Some(order) = look.order(id).await? else {
        let seen = match then {
            // The CRM will say so itself.
            Before::NotSent => Seen::NotHappened,
            _ => unclear(format!("order {id} is not in the CRM")),
        };
        return Ok(sight(&One::default(), seen));
    };
    let ledger = first_charges(look, &order).await?;
    let now = One { status: order.status(), charges: marks(&ledger.txns) };
    let seen = match &then {
        Before::NotSent => unsent(&order, &ledger),
        Before::Unreadable => unclear(UNKNOWN_BEFORE),
        Before::Saw(then) => since(look, &order, &ledger, then),
    };
    Ok(sight(&now, seen))
}

/// The charges of an order's first cycle.
async fn first_charges(look: &Look<'_>, order: &Order) -> Result<Ledger, ReadError> {
    let mut ledger = look.ledger_of(order).await?;
    ledger.txns.retain(|txn| txn.charges() && !txn.rebill);
    Ok(ledger)
}

/// Those of the days that are looked at: a lead that is sold again may have been declined long ago.
async fn recent_charges(look: &Look<'_>, order: &Order, since: Since) -> Result<Ledger, ReadError> {
    let mut ledger = first_charges(look, order).await?;
    let since = String::from(since);
    ledger.txns.retain(|txn| txn.day.is_empty() || txn.day >= since);
    Ok(ledger)
}

/// Whether an order may be sold at all.
fn unsent(order: &Order, ledger: &Ledger) -> Seen {
    let (id, status) = (order.id(), order.status());
    match Stage::of(&status) {
        Stage::Sold => return refused(format!("order {id} is sold already ({status})")),
        Stage::Cancelled => return refused(format!("order {id} is cancelled, no lead any more")),
        Stage::Open => {}
    }
    // A reservation is what a lead whose card is preauthorised has; a charge is not.
    let charge = ledger.txns.iter().find(|txn| txn.succeeded() && txn.kind != "AUTHORIZE");
    match charge {
        Some(txn) => refused(format!("order {id} is charged already (transaction {})", txn.id)),
        None => Seen::NotHappened,
    }
}

/// What became of an order that was open.
fn since(look: &Look<'_>, order: &Order, ledger: &Ledger, then: &One) -> Seen {
    let (id, status) = (order.id(), order.status());
    let turn = turn(&ledger.txns, &then.charges, ledger.at);
    match (Stage::of(&status), turn) {
        (Stage::Sold, _) if Stage::of(&then.status) == Stage::Sold => {
            unclear(format!("order {id} was sold before this was sent"))
        }
        (Stage::Sold, _) | (Stage::Cancelled, Turn::Succeeded(_)) => sold(look, order, &ledger.txns),
        (Stage::Cancelled, _) => unclear(format!("order {id} is cancelled, and no charge is to be seen")),
        (Stage::Open, Turn::Succeeded(txns)) => {
            let txn = txns.first().map(|txn| txn.id.as_str()).unwrap_or_default();
            unclear(format!("transaction {txn} succeeded, but order {id} is not sold yet"))
        }
        (Stage::Open, Turn::Open(why)) => unclear(why),
        (Stage::Open, Turn::Declined(txn)) => refused(decline_words(txn)),
        (Stage::Open, Turn::Nothing) if status == "DECLINED" && then.status != "DECLINED" => {
            refused(format!("order {id} was declined"))
        }
        (Stage::Open, Turn::Nothing) => Seen::NotHappened,
    }
}

/// The order was sold.
fn sold(look: &Look<'_>, order: &Order, charges: &[Txn]) -> Seen {
    let charge = charges.iter().rfind(|txn| txn.succeeded() && order.is(&txn.order));
    let (id, txn) = (order.id(), charge.map(|txn| txn.id.as_str()));
    look.happened(&order.shown(), &[("orderId", Some(&id)), ("transactionId", txn)])
}

async fn by_buyer(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(search) = Search::of(look).filter(|search| search.names_payer() || search.has_key()) else {
        return Ok(blind(
            "without orderId, customerId, emailAddress or correlate_in nothing would find the sale",
        ));
    };
    let named = search.names_payer();
    let then = Before::<Several>::read(before);
    let since = if let Before::Saw(then) = &then { then.since } else { look.first_day() };
    let orders = look.orders_of(&search, since).await?;
    if named {
        orders.iter().for_each(|order| look.is_about_buyer_of(order));
    }
    if let (Before::NotSent, None, Some(customer)) =
        (&then, look.param("emailAddress"), look.param("customerId"))
    {
        look.is_about_customer(customer).await?;
    }
    let shows_key = orders.iter().any(|order| search.carries_key(order).is_some());
    let (ours, others): (Vec<Order>, Vec<Order>) =
        orders.into_iter().partition(|order| search.carries_key(order) == Some(true));
    let ledger = match ours.first() {
        Some(order) => recent_charges(look, order, since).await?,
        None if named => look.charges_of(&search, since).await?,
        None => Ledger { txns: Vec::new(), at: jiff::Timestamp::MIN },
    };
    // Where the key alone is searched for, orders of others are no business of this state.
    let seen_orders = ours.iter().chain(others.iter().filter(|_| named));
    let now = Several {
        since,
        orders: seen_orders.map(|order| (order.id(), order.status())).collect(),
        charges: marks(&ledger.txns),
    };
    let buyer = Buyer { look, shows_key, named, others: &others, ledger: &ledger };
    let seen = match (&*ours, &then) {
        // Where one is sold, that was an attempt of which there is no record any more.
        (ours, Before::NotSent) => ours
            .iter()
            .find(|order| Stage::of(&order.status()) != Stage::Open)
            .map_or(Seen::NotHappened, |order| sold(look, order, &ledger.txns)),
        (_, Before::Unreadable) => unclear(UNKNOWN_BEFORE),
        ([_, _, ..], _) => unclear("more than one order carries this request's key"),
        ([order], Before::Saw(then)) => self::since(look, order, &ledger, &then.of(order)),
        ([], Before::Saw(then)) => buyer.since(then).await?,
    };
    Ok(sight(&now, seen))
}

impl Several {
    fn of(&self, order: &Order) -> One {
        let status = self.orders.get(&order.id()).cloned().unwrap_or_default();
        One { status, charges: self.charges.clone() }
    }

    fn was_sold(&self, order: &str) -> bool {
        self.orders.iter().any(|(id, status)| same(id, order) && Stage::of(status) != Stage::Open)
    }
}

/// The orders of a buyer none of which is the request's beyond doubt.
struct Buyer<'a> {
    look: &'a Look<'a>,
    /// Whether the request's own order would carry its key visibly.
    shows_key: bool,
    /// Whether the orders are one buyer's.
    named: bool,
    others: &'a [Order],
    ledger: &'a Ledger,
}

impl Buyer<'_> {
    async fn since(&self, then: &Several) -> Result<Seen, ReadError> {
        if !self.named {
            return Ok(if self.shows_key || self.others.is_empty() {
                Seen::NotHappened
            } else {
                unclear("the CRM does not show the field that `correlate_in` names")
            });
        }
        let charges = self.ledger.txns.iter().filter(|txn| !then.was_sold(&txn.order));
        let turn = turn(charges, &then.charges, self.ledger.at);
        let mut fresh = Vec::new();
        for order in self.others {
            let sold = Stage::of(&order.status()) != Stage::Open && !then.was_sold(&order.id());
            if sold && let Some(sure) = self.sold_since(order, then).await? {
                fresh.push((order, sure));
            }
        }
        Ok(match (&*fresh, turn) {
            ([(order, true)], _) if !self.shows_key && self.holds_products(order) => {
                sold(self.look, order, &self.ledger.txns)
            }
            ([(order, _), ..], _) => unclear(format!(
                "order {} of the same buyer was sold meanwhile; whether it is this one cannot be told",
                order.id()
            )),
            ([], Turn::Succeeded(txns)) => {
                let txn = txns.first().map(|txn| txn.id.as_str()).unwrap_or_default();
                unclear(format!("transaction {txn} of the same buyer succeeded, but no order is sold by it"))
            }
            ([], Turn::Open(why)) => unclear(why),
            ([], Turn::Declined(_)) if self.declined_orders(then) > 1 => {
                unclear("more than one order of the same buyer was declined meanwhile")
            }
            ([], Turn::Declined(txn)) => refused(decline_words(txn)),
            ([], Turn::Nothing) => Seen::NotHappened,
        })
    }

    fn declined_orders(&self, then: &Several) -> usize {
        let new = self.ledger.txns.iter().filter(|txn| {
            txn.declined() && !then.charges.contains(&txn.mark()) && !then.was_sold(&txn.order)
        });
        new.map(|txn| txn.order.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Whether an order that shows up as sold was sold since, rather than long ago and only touched since: `None`
    /// where it was not, `false` where nothing tells.
    async fn sold_since(&self, order: &Order, then: &Several) -> Result<Option<bool>, ReadError> {
        if self.charged_since(order, then) {
            return Ok(Some(true));
        }
        let sold = Stage::of(&order.status()) == Stage::Sold;
        if day(&order.row, "dateCreated") >= String::from(then.since) {
            // A lead can be cancelled too; then no charge is there.
            return Ok(Some(sold));
        }
        let paid_before = first_charges(self.look, order).await?.txns.iter().any(Txn::succeeded);
        Ok((!paid_before).then_some(false))
    }

    fn charged_since(&self, order: &Order, then: &Several) -> bool {
        let mut of_order = self.ledger.txns.iter().filter(|txn| order.is(&txn.order));
        of_order.any(|txn| txn.succeeded() && !then.charges.contains(&txn.mark()))
    }

    /// Whether the order holds what the request sells. Where the CRM shows no products there is nothing against it.
    fn holds_products(&self, order: &Order) -> bool {
        let bought: Vec<String> =
            order.row.rows("items").flat_map(|item| [text(&item, "productId"), text(&item, "key")]).collect();
        bought.is_empty() || products(self.look).iter().all(|wanted| bought.iter().any(|id| same(id, wanted)))
    }
}

/// The campaign products that a request names: `productId`, `product1_id`, …, `orderItems`.
pub(super) fn products(look: &Look<'_>) -> Vec<String> {
    let numbered = |name: &str| {
        name.strip_prefix("product")
            .and_then(|rest| rest.strip_suffix("_id"))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let params = look.request.params.iter();
    let mut ids: Vec<String> = params
        .filter(|(name, _)| name == "productId" || numbered(name))
        .map(|(_, id)| id.trim().to_owned())
        .collect();
    if let Some(Ok(Value::Object(items))) = look.param("orderItems").map(Value::from_json) {
        ids.extend(items.iter().map(|(id, _)| id.to_string()));
    }
    ids.retain(|id| !id.is_empty());
    ids
}
