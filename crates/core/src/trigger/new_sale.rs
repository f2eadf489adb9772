//! An order that was sold.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{DateRange, Endpoint, FirstSale, Kind, Options, Query, Verdict, When};
use crate::record::{ORDER, Row, Schema};

/// Sales: orders that reached COMPLETE, also those that were refunded or cancelled before they were seen.
#[derive(Debug)]
pub(super) struct NewSale;

impl Kind for NewSale {
    fn name(&self) -> &'static str {
        "new_sale"
    }

    fn summary(&self) -> &'static str {
        "an order was sold; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "orderType", "cardType", "dateCreated", "dateUpdated"]
    }

    fn queries(&self, options: Options) -> Vec<Query> {
        ["COMPLETE", "REFUNDED", "CANCELLED"].map(|status| query(status, options)).into()
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let sold = matches!(row.text("orderStatus").as_deref(), Some("COMPLETE" | "REFUNDED" | "CANCELLED"));
        let cycle = options.all_cycles || row.text("orderType").as_deref() == Some("NEW_SALE");
        sold && cycle && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        let Some(created) = row.moment("dateCreated", zone) else {
            return Verdict::PrimeUndated { at: when.boundary };
        };
        let updated = row.moment("dateUpdated", zone);
        let complete = row.text("orderStatus").as_deref() == Some("COMPLETE");
        if complete && created.may_be_since(when.boundary_there()) {
            // Rows from before the first run have no instant at which they were first seen.
            let seen = updated.filter(|updated| updated.may_be_since(when.opened_there()));
            return Verdict::Fire { at: seen.unwrap_or(created).at };
        }
        // A charge moves dateUpdated, so an order last touched before the boundary was charged before it: no look-up,
        // which keeps a first run on a busy day to the pages it reads.
        if updated.is_some_and(|updated| !updated.may_be_since(when.boundary_there())) {
            return Verdict::Prime { at: created.at };
        }
        row.text("orderId").map_or(Verdict::PrimeUndated { at: when.boundary }, |order_id| Verdict::LookUp {
            order_id: order_id.into_owned(),
        })
    }

    fn judge_sale(&self, row: &Row, first: FirstSale, when: &When, zone: &TimeZone) -> Verdict {
        let created = row.moment("dateCreated", zone).map_or(when.boundary, |created| created.at);
        let complete = row.text("orderStatus").as_deref() == Some("COMPLETE");
        match first {
            FirstSale::At(moment) => Verdict::dated(moment, when),
            FirstSale::NoTransactions if complete => Verdict::PrimeUndated { at: created },
            FirstSale::NoTransactions | FirstSale::OnlyOthers => Verdict::Prime { at: created },
        }
    }
}

fn query(status: &str, options: Options) -> Query {
    let mut params = vec![("orderStatus", status.to_owned())];
    if !options.all_cycles {
        params.push(("orderType", "NEW_SALE".to_owned()));
    }
    Query { endpoint: Endpoint::Orders, seen_through: DateRange::Updated, params }
}
