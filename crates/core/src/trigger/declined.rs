//! An order that was turned down for good.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{Charges, DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{ORDER, Row, Schema};

/// Orders that ended DECLINED: by the gateway, or in review. The single refusals are [`super::decline`].
#[derive(Debug)]
pub(super) struct Declined;

impl Kind for Declined {
    fn name(&self) -> &'static str {
        "declined"
    }

    fn summary(&self) -> &'static str {
        "an order was turned down for good; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "orderType", "reviewStatus", "cardType", "dateCreated", "dateUpdated"]
    }

    fn queries(&self, options: Options) -> Vec<Query> {
        let mut params = vec![("orderStatus", "DECLINED".to_owned())];
        if !options.all_cycles {
            params.push(("orderType", "NEW_SALE".to_owned()));
        }
        vec![Query { endpoint: Endpoint::Orders, seen_through: DateRange::Updated, params }]
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let cycle = options.all_cycles || row.text("orderType").as_deref() == Some("NEW_SALE");
        row.text("orderStatus").as_deref() == Some("DECLINED")
            && cycle
            && (options.include_test || !is_test(row))
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
        // A review that says no leaves no declined charge.
        let by_gateway = row.text("reviewStatus").is_none_or(|status| status != "DECLINED");
        match charges.last_decline {
            Some(moment) if by_gateway || moment.may_be_since(when.boundary_there()) => {
                Verdict::dated(moment, when)
            }
            _ => Verdict::by_update(row, when, zone),
        }
    }
}
