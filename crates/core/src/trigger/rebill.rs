//! A later billing cycle that was sold.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{Charges, Kind, Options, Query, Verdict, When, sale};
use crate::record::{ORDER, Row, Schema};

/// Rebills: orders of type RECURRING that reached COMPLETE. The CRM makes such an order for a cycle that ships; one
/// that ships nothing is a transaction of the old order alone (contract §2.1), and no order to fire for.
#[derive(Debug)]
pub(super) struct Rebill;

impl Kind for Rebill {
    fn name(&self) -> &'static str {
        "rebill"
    }

    fn summary(&self) -> &'static str {
        "a later billing cycle was sold; once per order, ever"
    }

    fn schema(&self) -> &'static Schema {
        &ORDER
    }

    fn key_field(&self) -> &'static str {
        "orderId"
    }

    fn fields(&self) -> &'static [&'static str] {
        sale::FIELDS
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        sale::queries(Some("RECURRING"))
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let rebill = row.text("orderType").as_deref() == Some("RECURRING");
        sale::sold(row) && rebill && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        sale::judge(row, when, zone)
    }

    fn judge_charges(&self, row: &Row, charges: &Charges, when: &When, zone: &TimeZone) -> Verdict {
        sale::judge_charges(row, charges, when, zone)
    }
}
