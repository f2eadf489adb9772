//! What an order's transactions say of it: when it was first charged, last refunded, last declined.

use jiff::tz::TimeZone;

use super::{DateRange, Endpoint, Query};
use crate::record::{Moment, ReadSet, Row};

/// What the transactions of one order say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charges {
    /// It has transactions at all. Orders that were PREPAID or are paid on delivery have none.
    pub any: bool,
    /// Its first successful SALE or CAPTURE.
    pub first_sale: Option<Moment>,
    /// Its last successful REFUND or VOID.
    pub last_refund: Option<Moment>,
    /// Its last charge that was declined.
    pub last_decline: Option<Moment>,
}

impl Charges {
    /// Reads it off the rows of [`charges_lookup`].
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>, zone: &TimeZone) -> Self {
        let mut charges = Charges::default();
        for row in rows {
            charges.any = true;
            let (Some(kind), Some(at)) = (row.text("txnType"), row.moment("dateCreated", zone)) else {
                continue;
            };
            match (&*kind, row.text("responseType").as_deref()) {
                ("SALE" | "CAPTURE", Some("SUCCESS")) => {
                    charges.first_sale = Some(charges.first_sale.map_or(at, |first| first.min(at)));
                }
                ("REFUND" | "VOID", Some("SUCCESS")) => {
                    charges.last_refund = charges.last_refund.max(Some(at));
                }
                ("SALE" | "AUTHORIZE" | "CAPTURE", Some("SOFT_DECLINE" | "HARD_DECLINE")) => {
                    charges.last_decline = charges.last_decline.max(Some(at));
                }
                _ => {}
            }
        }
        charges
    }
}

/// Asks for an order's transactions; needs no window (contract §1.6).
pub fn charges_lookup(order_id: &str) -> Query {
    Query {
        endpoint: Endpoint::Transactions,
        seen_through: DateRange::Created,
        params: vec![("orderId", order_id.to_owned())],
    }
}

/// The fields that [`Charges::of`] reads.
pub fn charges_lookup_fields() -> ReadSet {
    ReadSet::of(["txnType", "responseType", "dateCreated"])
}
