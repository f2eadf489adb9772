//! Looking whether anything has changed, for the price of one small request.
//!
//! Between two walks of a query its newest rows are compared with those of a look that was made just before the last
//! walk began: what has come since then shows as a difference, what came between the two was walked over, and in either
//! case a walk settles it. One row may enter as another leaves, so that now and then a walk is made regardless.

use super::reader::Timed;
use super::rider::Rider;
use super::trips::{Route, Trip};
use super::walk::narrowing;
use super::window;
use crate::ports::{DayWindow, Page, PageRequest, ZapId};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;
use zaprun_core::record::{ReadSet, Row, Schema};
use zaprun_core::trigger::{Endpoint, Narrowing, Query};

/// Rows that a look asks for.
const ROWS: u32 = 25;

/// What a look has shown of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    window: DayWindow,
    narrowing: Narrowing,
    total: u64,
    rows: BTreeSet<Seen>,
}

/// What of a row a look compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// Id, status, and when it was updated.
    Row(Option<String>, Option<String>, Option<String>),
    /// One that cannot be read: its hash.
    Bytes([u8; 32]),
}

/// What was to be seen before a walk that was whole, and for whom that walk was.
#[derive(Debug, Clone)]
pub(super) struct Print {
    sight: Sight,
    seats: BTreeSet<(ZapId, String)>,
    /// When the walk began.
    pub(super) walked_at: Timestamp,
}

impl Print {
    /// A walk that was whole has followed this sight.
    pub(super) fn of(sight: Sight, routes: &[Route], trip: &Trip, walked_at: Timestamp) -> Print {
        Print { sight, seats: seats(routes, trip), walked_at }
    }

    /// Whether those on the trip have been served all that there is to see, and the last walk is not long ago.
    pub(super) fn covers(&self, sight: &Sight, routes: &[Route], trip: &Trip, now: Timestamp) -> bool {
        let due = self.walked_at.saturating_add(sweep(routes, trip)).unwrap_or(Timestamp::MAX);
        self.sight == *sight && now < due && seats(routes, trip).is_subset(&self.seats)
    }
}

/// How long those on the trip go without a walk.
fn sweep(routes: &[Route], trip: &Trip) -> Duration {
    riders(routes, trip).map(|(_, rider)| rider.zap.trigger.sweep).min().unwrap_or_default()
}

fn riders<'a>(routes: &'a [Route], trip: &'a Trip) -> impl Iterator<Item = (&'a Route, &'a Rider)> {
    trip.seats.iter().map(|(route, rider)| (&routes[*route], &routes[*route].riders[*rider]))
}

/// Who is served, and of which query.
fn seats(routes: &[Route], trip: &Trip) -> BTreeSet<(ZapId, String)> {
    riders(routes, trip).map(|(route, rider)| (rider.zap.state.id, route.name.clone())).collect()
}

/// What a look asks for: the newest rows of all that a walk of this trip would read now.
pub(super) fn request(routes: &[Route], trip: &Trip, now: Timestamp) -> Option<PageRequest> {
    let aboard: Vec<&Rider> = riders(routes, trip).map(|(_, rider)| rider).collect();
    let first = aboard.iter().map(|rider| rider.first_day(now)).min()?;
    let zone = &aboard.first()?.zap.trigger.zone;
    Some(PageRequest {
        query: routes[trip.route].query.clone(),
        narrowing: narrowing(&aboard),
        window: Some(DayWindow { first, last: window::last_day(now, zone) }),
        page: 1,
        per_page: ROWS,
        ascending: false,
    })
}

/// What the answer shows.
pub(super) fn sight(request: &PageRequest, timed: &Timed) -> Option<Sight> {
    let Page { total, rows, .. } = &timed.page;
    Some(Sight {
        window: request.window?,
        narrowing: request.narrowing.clone(),
        total: *total,
        rows: rows.iter().map(|raw| Seen::of(raw, &request.query)).collect(),
    })
}

/// The natural id and the status of a row.
fn members(endpoint: Endpoint) -> (&'static str, Option<&'static str>) {
    match endpoint {
        Endpoint::Orders => ("orderId", Some("orderStatus")),
        Endpoint::Transactions => ("transactionId", Some("responseType")),
        Endpoint::Purchases => ("purchaseId", Some("status")),
        Endpoint::Customers => ("customerId", None),
    }
}

impl Seen {
    fn of(raw: &Bytes, query: &Query) -> Seen {
        const UPDATED: &str = "dateUpdated";
        let schema: &'static Schema = query.endpoint.schema();
        let (id, status) = members(query.endpoint);
        let fields = ReadSet::of([id, UPDATED].into_iter().chain(status));
        let Ok(row) = Row::decode(raw, schema, &fields) else {
            return Seen::Bytes(*blake3::hash(raw).as_bytes());
        };
        let text = |field: &str| row.text(field).map(std::borrow::Cow::into_owned);
        Seen::Row(text(id), status.and_then(text), text(UPDATED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_compares_is_in_every_schema() {
        for endpoint in Endpoint::ALL {
            let (id, status) = members(endpoint);
            let known = |field: &str| endpoint.schema().field(field).is_some();
            assert!(known(id) && known("dateUpdated") && status.is_none_or(known), "{endpoint:?}");
        }
    }
}
