//! A customer.

use jiff::tz::TimeZone;

use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{CUSTOMER, Row, Schema};

/// Customers that are new. The CRM makes one with the first lead or order of a person (contract §5.1).
#[derive(Debug)]
pub(super) struct NewCustomer;

impl Kind for NewCustomer {
    fn name(&self) -> &'static str {
        "new_customer"
    }

    fn summary(&self) -> &'static str {
        "a customer is new; once per customer, ever"
    }

    fn schema(&self) -> &'static Schema {
        &CUSTOMER
    }

    fn key_field(&self) -> &'static str {
        "customerId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["customerId", "dateCreated"]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        vec![Query { endpoint: Endpoint::Customers, seen_through: DateRange::Created, params: Vec::new() }]
    }

    fn takes(&self, _row: &Row, _options: Options) -> bool {
        true
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        Verdict::by(row.moment("dateCreated", zone), when)
    }
}
