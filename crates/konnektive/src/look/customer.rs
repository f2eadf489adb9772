//! `customer/update`: does the customer's row show what was set?

use super::facts::{any, same, shown, text};
use super::fields::compare;
use super::{Look, blind, sight, unclear};
use crate::find::Ask;
use zaprun_core::trigger::Endpoint;
use zaprun_engine::ports::{ReadError, Seen, Sight};

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let Some(id) = look.param("customerId") else { return Ok(blind("the request names no customer")) };
    let ask = Ask { path: Endpoint::Customers.path(), filters: vec![("customerId", id)], days: None };
    for raw in &look.rows(ask).await?.rows {
        let row = any(raw)?;
        if !same(&text(&row, "customerId"), id) {
            continue;
        }
        let comparison = compare(look, &row);
        let seen = match (comparison.shown, comparison.all_equal()) {
            // The id alone.
            (0 | 1, _) => unclear("the CRM shows none of the fields that were set"),
            (_, true) => look.happened(&shown(raw), &[("customerId", Some(id))]),
            (_, false) => Seen::NotHappened,
        };
        return Ok(sight(&comparison.hash, seen));
    }
    let seen = match before {
        // The CRM will say so itself.
        None => Seen::NotHappened,
        Some(_) => unclear(format!("customer {id} is not in the CRM")),
    };
    Ok(sight(&"no such customer", seen))
}
