//! An order that was sold.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{Charges, Kind, Options, Query, Verdict, When, sale};
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
        sale::FIELDS
    }

    fn queries(&self, options: Options) -> Vec<Query> {
        sale::queries((!options.all_cycles).then_some("NEW_SALE"))
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let cycle = options.all_cycles || row.text("orderType").as_deref() == Some("NEW_SALE");
        sale::sold(row) && cycle && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        sale::judge(row, when, zone)
    }

    fn judge_charges(&self, row: &Row, charges: &Charges, when: &When, zone: &TimeZone) -> Verdict {
        sale::judge_charges(row, charges, when, zone)
    }
}
