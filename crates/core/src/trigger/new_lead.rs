//! A lead.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{LEAD, Row, Schema};

/// The states in which a lead that has bought is found, beside PARTIAL.
const BOUGHT: [&str; 4] = ["COMPLETE", "DECLINED", "REFUNDED", "CANCELLED"];

/// Leads: orders in PARTIAL (contract §3.7).
#[derive(Debug)]
pub(super) struct NewLead;

impl Kind for NewLead {
    fn name(&self) -> &'static str {
        "new_lead"
    }

    fn summary(&self) -> &'static str {
        "a lead came in; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &LEAD
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["orderId", "orderStatus", "orderType", "cardType", "dateCreated"]
    }

    fn queries(&self, options: Options) -> Vec<Query> {
        let mut queries = vec![query(vec![("orderStatus", "PARTIAL".to_owned())])];
        if options.include_bought {
            queries.extend(BOUGHT.map(|status| {
                query(vec![("orderStatus", status.to_owned()), ("orderType", "NEW_SALE".to_owned())])
            }));
        }
        queries
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let first = row.text("orderType").is_none_or(|kind| kind == "NEW_SALE");
        let lead = match row.text("orderStatus").as_deref() {
            Some("PARTIAL") => true,
            Some(status) => options.include_bought && first && BOUGHT.contains(&status),
            None => false,
        };
        lead && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        Verdict::by(row.moment("dateCreated", zone), when)
    }
}

fn query(params: Vec<(&'static str, String)>) -> Query {
    Query { endpoint: Endpoint::Orders, seen_through: DateRange::Updated, params }
}
