//! Orders that were sold: what first sales and rebills have in common.

use jiff::tz::TimeZone;

use super::{Charges, DateRange, Endpoint, Query, Verdict, When};
use crate::record::Row;

/// The fields that [`judge`] and [`sold`] read.
pub(super) const FIELDS: &[&str] =
    &["orderId", "orderStatus", "orderType", "cardType", "dateCreated", "dateUpdated"];

/// Orders that reached COMPLETE, also those that were refunded or cancelled before they were seen. `None`: of either
/// type.
pub(super) fn queries(order_type: Option<&str>) -> Vec<Query> {
    let query = |status: &str| {
        let mut params = vec![("orderStatus", status.to_owned())];
        params.extend(order_type.map(|order_type| ("orderType", order_type.to_owned())));
        Query { endpoint: Endpoint::Orders, seen_through: DateRange::Updated, params }
    };
    ["COMPLETE", "REFUNDED", "CANCELLED"].map(query).into()
}

/// Whether the order is in one of those states.
pub(super) fn sold(row: &Row) -> bool {
    matches!(row.text("orderStatus").as_deref(), Some("COMPLETE" | "REFUNDED" | "CANCELLED"))
}

fn complete(row: &Row) -> bool {
    row.text("orderStatus").as_deref() == Some("COMPLETE")
}

/// News if the order was sold since the boundary: by its beginning where that tells it, else by its first charge.
pub(super) fn judge(row: &Row, when: &When, zone: &TimeZone) -> Verdict {
    let Some(created) = row.moment("dateCreated", zone) else {
        return Verdict::PrimeUndated { at: when.boundary };
    };
    if complete(row) && created.may_be_since(when.boundary_there()) {
        return Verdict::fire_as_seen(row, created, when, zone);
    }
    Verdict::look_up_if_touched(row, created, when, zone)
}

/// The same once the order's transactions are known.
pub(super) fn judge_charges(row: &Row, charges: &Charges, when: &When, zone: &TimeZone) -> Verdict {
    let created = row.moment("dateCreated", zone).map_or(when.boundary, |created| created.at);
    match charges.first_sale {
        Some(moment) => Verdict::dated(moment, when),
        None if !charges.any && complete(row) => Verdict::PrimeUndated { at: created },
        None => Verdict::Prime { at: created },
    }
}
