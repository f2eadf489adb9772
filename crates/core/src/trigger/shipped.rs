//! An order of which a parcel is on its way.

use jiff::tz::TimeZone;

use super::kind::{is_test, some_time_that_day};
use super::{Kind, Options, Query, Verdict, When, sale};
use crate::record::{Moment, ORDER, Row, Schema};

/// Shipped orders, of either type: once per order, with its first parcel. A second one fires nothing.
#[derive(Debug)]
pub(super) struct Shipped;

impl Kind for Shipped {
    fn name(&self) -> &'static str {
        "shipped"
    }

    fn summary(&self) -> &'static str {
        "the first parcel of an order is on its way; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "cardType", "dateCreated", "dateUpdated", "fulfillments"]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        // The CRM does not select orders by the state of their parcels.
        sale::queries(None)
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        row.rows("fulfillments").any(|parcel| left(&parcel)) && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        let first = first_shipment(row, zone);
        let updated = row.moment("dateUpdated", zone);
        match first {
            // Shipping moves dateUpdated, and dateShipped may be a day without a time.
            Some(first) if updated.is_some_and(|updated| !updated.may_be_since(when.boundary_there())) => {
                Verdict::Prime { at: first.at }
            }
            Some(first) => Verdict::dated(first, when),
            None => Verdict::by_update(row, when, zone),
        }
    }
}

/// Whether a parcel has left the house, also one that has come back since.
fn left(parcel: &Row) -> bool {
    match parcel.text("status").as_deref() {
        Some("SHIPPED" | "DELIVERED") => true,
        Some("RMA_PENDING" | "RETURNED") => parcel.text("dateShipped").is_some(),
        _ => false,
    }
}

fn first_shipment(row: &Row, zone: &TimeZone) -> Option<Moment> {
    let parcels = row.rows("fulfillments").filter(left);
    parcels
        .filter_map(|parcel| parcel.moment("dateShipped", zone))
        .min()
        .map(|at| some_time_that_day(at, zone))
}
