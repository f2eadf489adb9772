//! One connection: its queries, walked one after another, and what is learnt from each walk.

use super::health::Health;
use super::problems::Problems;
use super::reader::Reader;
use super::rider::{Rider, Watched};
use super::trips::{Route, Trip, Trouble, trips};
use super::walk::{Passenger, Walk, Walked};
use super::{Connection, Place, Polled, Ports};
use crate::ports::{StoreError, ZapId};
use crate::report::Tally;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zaprun_core::trigger::Query;

/// An unstable query keeps its cursors for so long.
const UNSTABLE_FOR: SignedDuration = SignedDuration::from_hours(48);

/// A connection under way.
pub(super) struct Line {
    pub(super) ports: Ports,
    pub(super) connection: Connection,
    pub(super) zone: TimeZone,
    pub(super) seed: u64,
    pub(super) routes: Vec<Route>,
    pub(super) problems: Problems,
    pub(super) health: Arc<Health>,
    /// The CRM refuses us.
    pub(super) stopped: Option<Stop>,
    /// That the clocks disagree has been said.
    pub(super) skew_said: bool,
    pub(super) first_runs: Vec<FirstRun>,
}

/// Nothing works on a connection until a person acts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) since: Timestamp,
    pub(super) tries: u32,
    pub(super) retry_at: Timestamp,
}

/// A zap that has not yet read all its queries once.
pub(super) struct FirstRun {
    pub(super) zap: ZapId,
    pub(super) name: String,
    /// The queries not yet read.
    pub(super) waiting: Vec<String>,
    pub(super) tally: Tally,
}

impl FirstRun {
    fn new(zap: &Watched) -> Self {
        FirstRun {
            zap: zap.state.id,
            name: zap.name.clone(),
            waiting: zap.trigger.queries().iter().map(Query::name).collect(),
            tally: Tally::default(),
        }
    }
}

/// Puts a zap on the route of one of its queries.
fn board(routes: &mut Vec<Route>, query: Query, zap: &Arc<Watched>) {
    let name = query.name();
    let rider = Rider::new(Arc::clone(zap), &name);
    match routes.iter_mut().find(|route| route.query == query) {
        Some(route) => route.riders.push(rider),
        None => routes.push(Route {
            query,
            name,
            riders: vec![rider],
            not_before: Timestamp::MIN,
            trouble: Trouble::default(),
        }),
    }
}

impl Line {
    /// A connection and the zaps on it; `None` when there is none.
    pub(super) fn new(
        ports: Ports,
        connection: Connection,
        zaps: &[Arc<Watched>],
        health: Arc<Health>,
        seed: u64,
    ) -> Option<Line> {
        let zone = zaps.first()?.trigger.zone.clone();
        let mut routes: Vec<Route> = Vec::new();
        for zap in zaps {
            for query in zap.trigger.queries() {
                board(&mut routes, query, zap);
            }
        }
        let first_runs = zaps.iter().filter(|zap| zap.never_read()).map(|zap| FirstRun::new(zap)).collect();
        Some(Line {
            ports,
            connection,
            zone,
            seed,
            routes,
            problems: Problems::default(),
            health,
            stopped: None,
            skew_said: false,
            first_runs,
        })
    }

    /// When something on this connection is due.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let rest = self.stopped.map_or(Timestamp::MIN, |stop| stop.retry_at).max(self.health.rests_until());
        self.routes.iter().filter_map(Route::due_at).min().map(|due| due.max(rest))
    }

    /// Walks all that is due now.
    ///
    /// # Errors
    /// When the state cannot be used any more; what can be tried again is reported and waits for the next round.
    pub(super) async fn round(&mut self, polled: &mut Polled) -> Result<(), StoreError> {
        for trip in trips(&self.routes, self.ports.clock.now()) {
            if self.due_at().is_none_or(|due| due > self.ports.clock.now()) {
                // Stopped or resting since this round began.
                polled.failed += 1;
                continue;
            }
            let walked = Box::pin(self.walk(&trip)).await;
            polled.walks += 1;
            polled.tally += walked.tally;
            polled.failed += u64::from(walked.end.is_err() || !walked.stable);
            self.learn(&trip, &walked)?;
        }
        Ok(())
    }

    async fn walk(&mut self, trip: &Trip) -> Walked {
        let (routes, now) = (&self.routes, self.ports.clock.now());
        let route = &routes[trip.route];
        let passengers: Vec<Passenger<'_>> = trip
            .seats
            .iter()
            .map(|(route, rider)| Passenger {
                rider: &routes[*route].riders[*rider],
                query: &routes[*route].name,
            })
            .collect();
        let given_up = |since: Timestamp| now.duration_since(since) >= UNSTABLE_FOR;
        let walk = Walk {
            ports: &self.ports,
            place: Place { connection: &self.connection.name, query: &route.name },
            reader: Reader {
                crm: self.connection.crm.as_ref(),
                clock: self.ports.clock.as_ref(),
                seed: self.seed,
            },
            query: &route.query,
            zone: &self.zone,
            passengers: &passengers,
            moves_on: route.trouble.unstable.is_some_and(|(since, _)| given_up(since)),
            problems: &mut self.problems,
        };
        walk.run().await
    }
}
