//! `leads/import`: is the person there as a lead?
//!
//! An open lead is used again by a second import (contract §5.1), so that repeating one is harmless as long as the
//! person has not bought: then another lead would be opened.

use super::facts::{Order, day, text};
use super::fields::{Comparison, compare};
use super::sale::Stage;
use super::search::{Search, Since};
use super::{Before, Look, UNKNOWN_BEFORE, blind, refused, sight, unclear};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    since: Since,
    orders: BTreeMap<String, One>,
}

/// What was seen of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct One {
    status: String,
    updated: String,
    fields: String,
}

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let then = Before::<State>::read(before);
    let since = if let Before::Saw(then) = &then { then.since } else { look.first_day() };
    let by_id = look.param("orderId");
    let search = Search::of(look);
    let orders = match (by_id, &search) {
        (Some(id), _) => look.order(id).await?.into_iter().collect(),
        (None, Some(search)) => look.orders_of(search, since).await?,
        (None, None) => {
            return Ok(blind("without orderId, emailAddress or phoneNumber nothing would find the lead"));
        }
    };
    let compared: Vec<(Order, Comparison)> = orders
        .into_iter()
        .map(|order| {
            let comparison = compare(look, &order.row);
            (order, comparison)
        })
        .collect();
    // Where the key alone is searched for, leads of others are no business of this state.
    let ours = |order: &Order| search.as_ref().and_then(|search| search.carries_key(order)) == Some(true);
    let counted =
        |order: &Order| by_id.is_some() || ours(order) || search.as_ref().is_some_and(Search::names_buyer);
    let orders = compared.iter().filter(|(order, _)| counted(order));
    let now =
        State { since, orders: orders.map(|(order, fields)| (order.id(), One::of(order, fields))).collect() };
    let keyed = compared.iter().find(|(order, _)| by_id.is_none() && ours(order));
    let seen = match (&then, by_id, keyed) {
        // An attempt of which there is no record any more, or this one.
        (_, _, Some((order, _))) => happened(look, order),
        (Before::Unreadable, ..) => unclear(UNKNOWN_BEFORE),
        (Before::NotSent, Some(id), _) => unsent(id, compared.first()),
        (Before::NotSent, None, _) => Seen::NotHappened,
        (Before::Saw(_), Some(id), _) => updated(look, id, compared.first()),
        (Before::Saw(then), None, _) => made(look, then, &now, &compared),
    };
    Ok(sight(&now, seen))
}

impl One {
    fn of(order: &Order, fields: &Comparison) -> One {
        One { status: order.status(), updated: text(&order.row, "dateUpdated"), fields: fields.hash.clone() }
    }
}

/// Whether a named lead may be imported again.
fn unsent(id: &str, found: Option<&(Order, Comparison)>) -> Seen {
    let status = found.map(|(order, _)| order.status()).unwrap_or_default();
    match Stage::of(&status) {
        Stage::Open => Seen::NotHappened,
        Stage::Sold => refused(format!("order {id} is sold already ({status}), no lead any more")),
        Stage::Cancelled => refused(format!("order {id} is cancelled, no lead any more")),
    }
}

/// Whether a named lead shows what was set.
fn updated(look: &Look<'_>, id: &str, found: Option<&(Order, Comparison)>) -> Seen {
    let Some((order, fields)) = found else { return unclear(format!("order {id} is not in the CRM")) };
    match Stage::of(&order.status()) {
        _ if fields.all_equal() => happened(look, order),
        // Importing it once more gives the same.
        Stage::Open => Seen::NotHappened,
        Stage::Sold | Stage::Cancelled => {
            refused(format!("order {id} is {} by now, no lead any more", order.status()))
        }
    }
}

/// Whether a lead came up.
fn made(look: &Look<'_>, then: &State, now: &State, orders: &[(Order, Comparison)]) -> Seen {
    let first_day = String::from(then.since);
    let mut new = orders.iter().filter(|(order, _)| {
        let id = order.id();
        // An old order that was only touched since is no new lead; an old lead that was touched is one used again.
        let lead = Stage::of(&order.status()) == Stage::Open || day(&order.row, "dateCreated") >= first_day;
        lead && now.orders.contains_key(&id) && !then.orders.contains_key(&id)
    });
    match (new.next(), new.next()) {
        (Some((order, _)), None) => return happened(look, order),
        (Some(_), Some(_)) => return unclear("more than one lead of the same person came up meanwhile"),
        (None, _) => {}
    }
    for (order, fields) in orders {
        let id = order.id();
        let (Some(was), Some(is)) = (then.orders.get(&id), now.orders.get(&id)) else { continue };
        let bought = Stage::of(&was.status) == Stage::Open && Stage::of(&is.status) != Stage::Open;
        // Bought since: the lead was there, and another import would open a new one.
        if bought || (was.updated != is.updated && fields.all_equal()) {
            return happened(look, order);
        }
    }
    Seen::NotHappened
}

fn happened(look: &Look<'_>, order: &Order) -> Seen {
    let id = order.id();
    look.happened(&order.shown(), &[("orderId", Some(&id))])
}
