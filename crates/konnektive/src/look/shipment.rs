//! `fulfillment/update`: do the parcels say what they were told?

use super::charges::{Turn, marks, turn};
use super::facts::{Order, any, day, same, shown, text};
use super::search::Since;
use super::{Before, Look, SHIPMENTS, UNKNOWN_BEFORE, blind, sight, unclear};
use crate::find::Ask;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zaprun_core::record::Row;
use zaprun_core::trigger::DateRange;
use zaprun_core::value::Value;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen: what the parcels say, and the money that went back.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    since: Since,
    parcels: BTreeMap<String, String>,
    refunds: BTreeSet<String>,
}

/// The parcels that a request is about.
struct Parcels {
    rows: Vec<Row>,
    order: String,
    customer: String,
    shown: Value,
}

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    match (look.param("orderId"), look.param("fulfillmentId")) {
        (Some(order), parcel) => in_order(look, order, parcel, before).await,
        (None, Some(parcel)) => alone(look, parcel, before).await,
        (None, None) => Ok(blind("the request names no order and no shipment")),
    }
}

async fn in_order(
    look: &Look<'_>,
    id: &str,
    parcel: Option<&str>,
    before: Option<&str>,
) -> Result<Sight, ReadError> {
    let then = Before::<State>::read(before);
    let since = if let Before::Saw(then) = &then { then.since } else { look.first_day() };
    let Some(order) = look.order(id).await? else {
        let now = State { since, parcels: BTreeMap::new(), refunds: BTreeSet::new() };
        let seen = match then {
            // The CRM will say so itself.
            Before::NotSent => Seen::NotHappened,
            _ => unclear(format!("order {id} is not in the CRM")),
        };
        return Ok(sight(&now, seen));
    };
    let parcels = Parcels::of(&order, parcel);
    let money = look.param("refundAmount").is_some();
    let refunds = if money {
        let mut ledger = look.ledger_of(&order).await?;
        ledger.txns.retain(super::facts::Txn::gives_back);
        Some(ledger)
    } else {
        None
    };
    let now = State {
        since,
        parcels: parcels.state(),
        refunds: refunds.iter().flat_map(|ledger| marks(&ledger.txns)).collect(),
    };
    let seen = match &then {
        // Money is asked for beside: that this was done before says nothing of it.
        Before::NotSent if money => Seen::NotHappened,
        Before::NotSent if parcels.all_fit(look) => parcels.happened(look, None),
        Before::NotSent => Seen::NotHappened,
        Before::Unreadable => unclear(UNKNOWN_BEFORE),
        Before::Saw(then) => match parcels.since(look, then, money) {
            Seen::NotHappened => {
                let paid = refunds.as_ref().map(|ledger| turn(&ledger.txns, &then.refunds, ledger.at));
                match paid {
                    Some(Turn::Succeeded(_) | Turn::Open(_)) => {
                        unclear(format!("money of order {id} went back, but no shipment shows the change"))
                    }
                    _ => Seen::NotHappened,
                }
            }
            seen => seen,
        },
    };
    Ok(sight(&now, seen))
}

/// A shipment whose order is not named is found among those that were touched since.
async fn alone(look: &Look<'_>, id: &str, before: Option<&str>) -> Result<Sight, ReadError> {
    let then = Before::<State>::read(before);
    let since = if let Before::Saw(then) = &then { then.since } else { look.first_day() };
    let days = Some(look.days_since(since, DateRange::Updated));
    let found = match look.rows(Ask { path: SHIPMENTS, filters: Vec::new(), days }).await {
        Ok(found) => found.rows,
        // Not every API user may read shipments by themselves, and an update needs no such leave.
        Err(ReadError::Permission { text } | ReadError::Vendor { text }) => {
            return Ok(blind(&format!("shipments without their order cannot be read: {text}")));
        }
        Err(error) => return Err(error),
    };
    let mut parcels =
        Parcels { rows: Vec::new(), order: String::new(), customer: String::new(), shown: Value::Null };
    for raw in &found {
        let row = any(raw)?;
        if is_parcel(&row, id) {
            parcels.order = text(&row, "orderId");
            look.is_about_id("orderId", &parcels.order);
            parcels.customer = text(&row, "customerId");
            parcels.shown = shown(raw);
            parcels.rows.push(row);
        }
    }
    let now = State { since, parcels: parcels.state(), refunds: BTreeSet::new() };
    let seen = match &then {
        Before::NotSent if parcels.all_fit(look) && look.param("refundAmount").is_none() => {
            parcels.happened(look, None)
        }
        Before::NotSent => Seen::NotHappened,
        Before::Unreadable => unclear(UNKNOWN_BEFORE),
        // Whether an update moves `dateUpdated` is not known (contract §9.11), so absence proves nothing.
        Before::Saw(_) if parcels.rows.is_empty() => unclear(format!(
            "shipment {id} is not among those that were changed lately; name its order as well"
        )),
        Before::Saw(then) => parcels.since(look, then, look.param("refundAmount").is_some()),
    };
    Ok(sight(&now, seen))
}

impl Parcels {
    fn of(order: &Order, parcel: Option<&str>) -> Parcels {
        let rows = order.row.rows("fulfillments");
        Parcels {
            rows: rows.filter(|row| parcel.is_none_or(|id| is_parcel(row, id))).collect(),
            order: order.id(),
            customer: text(&order.row, "customerId"),
            shown: order.row.value("fulfillments").clone(),
        }
    }

    fn state(&self) -> BTreeMap<String, String> {
        let line = |row: &Row| {
            let told = ["shipCarrier", "shipMethod", "rmaNumber"].map(|name| text(row, name)).join(" ");
            let days = [day(row, "dateShipped"), day(row, "dateReturned")].join(" ");
            format!("{} {} {days} {told}", text(row, "status"), text(row, "trackingNumber"))
        };
        self.rows.iter().map(|row| (number(row), line(row))).collect()
    }

    /// Whether there are parcels and all of them say already what they are told.
    fn all_fit(&self, look: &Look<'_>) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| fits(look, row))
    }

    fn since(&self, look: &Look<'_>, then: &State, money: bool) -> Seen {
        let state = self.state();
        let moved = |row: &&Row| fits(look, row) && then.parcels.get(&number(row)) != state.get(&number(row));
        let mut moved = self.rows.iter().filter(moved);
        match (moved.next(), moved.next()) {
            (Some(row), None) => self.happened(look, Some(&number(row))),
            (Some(_), Some(_)) => self.happened(look, None),
            (None, _) if self.all_fit(look) && !money => self.happened(look, None),
            (None, _) => Seen::NotHappened,
        }
    }

    fn happened(&self, look: &Look<'_>, parcel: Option<&str>) -> Seen {
        let ids = [("orderId", self.order.as_str()), ("customerId", self.customer.as_str())];
        let ids = ids.map(|(name, id)| (name, Some(id).filter(|id| !id.is_empty())));
        let [order, customer] = ids;
        let only = match &*self.rows {
            [row] => Some(number(row)),
            _ => None,
        };
        let parcel = parcel.map(str::to_owned).or(only);
        look.happened(&self.shown, &[order, customer, ("fulfillmentId", parcel.as_deref())])
    }
}

fn number(row: &Row) -> String {
    let id = text(row, "fulfillmentId");
    if id.is_empty() { text(row, "clientFulfillmentId") } else { id }
}

fn is_parcel(row: &Row, id: &str) -> bool {
    same(&text(row, "fulfillmentId"), id) || same(&text(row, "clientFulfillmentId"), id)
}

/// Whether a parcel says what the request tells it.
fn fits(look: &Look<'_>, row: &Row) -> bool {
    let status = text(row, "status").to_uppercase();
    let arrived = look.param("fulfillmentStatus").is_none_or(|wanted| {
        let later: &[&str] = match wanted {
            "SHIPPED" => &["DELIVERED"],
            "RMA_PENDING" => &["RETURNED"],
            _ => &[],
        };
        status == wanted || later.contains(&&*status)
    });
    let told =
        |name: &str| look.param(name).is_none_or(|wanted| text(row, name).eq_ignore_ascii_case(wanted));
    let dated = |name: &str| {
        look.param(name).and_then(written).is_none_or(|wanted| {
            let held = day(row, name);
            held.is_empty() || held == wanted.to_string()
        })
    };
    arrived && told("trackingNumber") && told("rmaNumber") && dated("dateShipped") && dated("dateReturned")
}

/// A day as requests write it (contract §1.6).
fn written(text: &str) -> Option<Date> {
    ["%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d"].iter().find_map(|form| Date::strptime(form, text).ok())
}
