//! When an order was first charged, told by its transactions.

use jiff::tz::TimeZone;

use super::{DateRange, Endpoint, Query};
use crate::record::{Moment, ReadSet, Row};

/// What an order's transactions say of its first charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstSale {
    /// Its first successful SALE or CAPTURE.
    At(Moment),
    /// It has transactions, none of them a successful charge with a date.
    OnlyOthers,
    /// It has none: PREPAID or COD.
    NoTransactions,
}

impl FirstSale {
    /// Reads it off the rows of [`sale_lookup`].
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>, zone: &TimeZone) -> Self {
        let mut first = FirstSale::NoTransactions;
        for row in rows {
            let charged = matches!(row.text("txnType").as_deref(), Some("SALE" | "CAPTURE"))
                && row.text("responseType").as_deref() == Some("SUCCESS");
            let at = charged.then(|| row.moment("dateCreated", zone)).flatten();
            first = match (first, at) {
                (FirstSale::At(earlier), Some(at)) => FirstSale::At(earlier.min(at)),
                (FirstSale::At(earlier), None) => FirstSale::At(earlier),
                (_, Some(at)) => FirstSale::At(at),
                (_, None) => FirstSale::OnlyOthers,
            };
        }
        first
    }
}

/// Asks for an order's transactions; needs no window (contract §1.6).
pub fn sale_lookup(order_id: &str) -> Query {
    Query {
        endpoint: Endpoint::Transactions,
        seen_through: DateRange::Created,
        params: vec![("orderId", order_id.to_owned())],
    }
}

/// The fields that [`FirstSale::of`] reads.
pub fn sale_lookup_fields() -> ReadSet {
    ReadSet::of(["txnType", "responseType", "dateCreated"])
}
