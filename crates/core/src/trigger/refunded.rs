//! An order whose money went back.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{Charges, DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{ORDER, Row, Schema};

/// Orders that ended REFUNDED: all that was paid went back. The single refunds are [`super::refund`].
#[derive(Debug)]
pub(super) struct Refunded;

impl Kind for Refunded {
    fn name(&self) -> &'static str {
        "refunded"
    }

    fn summary(&self) -> &'static str {
        "all money of an order went back; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "cardType", "dateCreated", "dateUpdated"]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        vec![Query {
            endpoint: Endpoint::Orders,
            seen_through: DateRange::Updated,
            params: vec![("orderStatus", "REFUNDED".to_owned())],
        }]
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        row.text("orderStatus").as_deref() == Some("REFUNDED") && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        let Some(created) = row.moment("dateCreated", zone) else {
            return Verdict::PrimeUndated { at: when.boundary };
        };
        if created.may_be_since(when.boundary_there()) {
            return Verdict::fire_as_seen(row, created, when, zone);
        }
        Verdict::look_up_if_touched(row, created, when, zone)
    }

    fn judge_charges(&self, row: &Row, charges: &Charges, when: &When, zone: &TimeZone) -> Verdict {
        match charges.last_refund {
            Some(moment) => Verdict::dated(moment, when),
            // The money went back outside of the CRM.
            None => Verdict::by_update(row, when, zone),
        }
    }
}
