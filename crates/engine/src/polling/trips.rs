//! Which walks serve the zaps that are due: as few as possible.
//!
//! Zaps with an equal query share its walk. A query that only adds a condition to another one that is due anyway is not
//! walked at all, since every zap checks its rows itself.

use super::look::Print;
use super::rider::Rider;
use super::walk::narrowing;
use jiff::Timestamp;
use zaprun_core::trigger::{Endpoint, Narrowing, Query};

/// A query and the zaps on it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) query: Query,
    /// The query's stable name.
    pub(super) name: String,
    pub(super) riders: Vec<Rider>,
    /// Its riders have days to read before they keep up with those on the other route of this query.
    pub(super) behind: bool,
    /// Not to be walked before, whoever is due.
    pub(super) not_before: Timestamp,
    pub(super) trouble: Trouble,
    /// What was to be seen before its last walk, where that was whole.
    pub(super) print: Option<Print>,
}

/// What has gone wrong on a route of late.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble {
    /// Walks failed since then, so many in a row.
    pub(super) failing: Option<(Timestamp, u32)>,
    /// The endpoint is not permitted: since then, tried so many times.
    pub(super) stopped: Option<(Timestamp, u32)>,
    /// The endpoint of look-ups is not permitted.
    pub(super) look_ups: bool,
    /// No walk was stable since then, so many in a row.
    pub(super) unstable: Option<(Timestamp, u32)>,
}

/// One walk and whom it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trip {
    /// The route whose query is walked.
    pub(super) route: usize,
    /// Route and rider of each zap served.
    pub(super) seats: Vec<(usize, usize)>,
}

impl Trouble {
    /// A walk reached its end: since when none had, if so.
    pub(super) fn over(&mut self) -> Option<Timestamp> {
        self.look_ups = false;
        let failing = self.failing.take().map(|(since, _)| since);
        let stopped = self.stopped.take().map(|(since, _)| since);
        failing.into_iter().chain(stopped).min()
    }
}

/// One more of the same, the first of them now.
pub(super) fn once_more(trouble: &mut Option<(Timestamp, u32)>, now: Timestamp) -> (Timestamp, u32) {
    let (since, times) = trouble.unwrap_or((now, 0));
    *trouble.insert((since, times.saturating_add(1)))
}

impl Trip {
    /// The routes it serves, each once.
    pub(super) fn routes(&self) -> impl Iterator<Item = usize> {
        let mut routes: Vec<usize> = self.seats.iter().map(|(route, _)| *route).collect();
        routes.dedup();
        routes.into_iter()
    }
}

impl Route {
    /// The endpoint that it may not use.
    pub(super) fn lacks(&self) -> Option<Endpoint> {
        let own = self.trouble.stopped.map(|_| self.query.endpoint);
        own.or(self.trouble.look_ups.then_some(Endpoint::Transactions))
    }

    /// When it wants to be walked.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.riders.iter().map(|rider| rider.due_at).min().map(|due| due.max(self.not_before))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// The riders a walk at `now` serves: those due, and those that would be before long.
    fn aboard(&self, now: Timestamp) -> impl Iterator<Item = usize> + '_ {
        (0..self.riders.len()).filter(move |rider| self.riders[*rider].nearly_due(now))
    }

    fn narrowing(&self, now: Timestamp) -> Narrowing {
        let riders: Vec<&Rider> = self.aboard(now).map(|rider| &self.riders[rider]).collect();
        narrowing(&riders)
    }

    /// Whether a walk of this route reads all that a walk of `other` would, and is narrowed no less by it.
    fn covers(&self, other: &Route, now: Timestamp) -> bool {
        let (mine, theirs) = (&self.query, &other.query);
        self.behind == other.behind
            && mine.endpoint == theirs.endpoint
            && mine.seen_through == theirs.seen_through
            && mine.params.len() < theirs.params.len()
            && mine.params.iter().all(|param| theirs.params.contains(param))
            && is_within(&other.narrowing(now), &self.narrowing(now))
    }
}

fn is_within(inner: &Narrowing, outer: &Narrowing) -> bool {
    let within = |inner: &[String], outer: &[String]| {
        outer.is_empty() || (!inner.is_empty() && inner.iter().all(|id| outer.contains(id)))
    };
    within(&inner.campaign_ids, &outer.campaign_ids)
        && within(&inner.campaign_product_ids, &outer.campaign_product_ids)
}

/// The walks that serve what is due at `now` and holds for `which`, longest waiting first.
pub(super) fn trips(routes: &[Route], now: Timestamp, which: impl Fn(usize) -> bool) -> Vec<Trip> {
    let due: Vec<usize> =
        (0..routes.len()).filter(|route| which(*route) && routes[*route].is_due(now)).collect();
    let mut trips: Vec<Trip> = Vec::new();
    for &route in &due {
        // The broadest query that covers it, itself if none does. What covers it is covered by nothing broader, or the
        // broader one would cover this route too.
        let walked = due
            .iter()
            .copied()
            .filter(|other| routes[*other].covers(&routes[route], now))
            .min_by_key(|other| routes[*other].query.params.len())
            .unwrap_or(route);
        let seats = routes[route].aboard(now).map(|rider| (route, rider));
        match trips.iter_mut().find(|trip| trip.route == walked) {
            Some(trip) => trip.seats.extend(seats),
            None => trips.push(Trip { route: walked, seats: seats.collect() }),
        }
    }
    trips.sort_by_key(|trip| trip.routes().filter_map(|route| routes[route].due_at()).min());
    trips
}
