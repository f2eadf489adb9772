//! An order that was cancelled.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{Moment, ORDER, Row, Schema};

/// Cancellations.
#[derive(Debug)]
pub(super) struct Cancelled;

impl Kind for Cancelled {
    fn name(&self) -> &'static str {
        "cancelled"
    }

    fn summary(&self) -> &'static str {
        "an order was cancelled; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "cardType", "dateCreated", "dateUpdated", "items"]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        vec![Query {
            endpoint: Endpoint::Orders,
            seen_through: DateRange::Updated,
            params: vec![("orderStatus", "CANCELLED".to_owned())],
        }]
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        row.text("orderStatus").as_deref() == Some("CANCELLED") && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        if let Some(at) = last_cancellation(row, zone) {
            return Verdict::dated(at, when);
        }
        Verdict::by_update(row, when, zone)
    }
}

fn last_cancellation(row: &Row, zone: &TimeZone) -> Option<Moment> {
    row.rows("items").filter_map(|item| item.moment("lastCancellationDate", zone)).max()
}
