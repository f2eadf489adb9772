//! One connection: its queries, walked one after another, and what is learnt from each walk.

use super::health::Health;
use super::problems::Problems;
use super::reader::Reader;
use super::rider::{Rider, Watched};
use super::trips::{Route, Trip, Trouble, trips};
use super::walk::{Going, Passenger, Walk, Walked};
use super::{Connection, Place, Polled, Ports};
use crate::ports::{StoreError, ZapId};
use crate::report::{Event, Tally};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;
use zaprun_core::trigger::Query;

/// An unstable query keeps its cursors for so long.
const UNSTABLE_FOR: SignedDuration = SignedDuration::from_hours(48);

/// A clock set back by less is nobody's concern.
const STEP_SAID: SignedDuration = SignedDuration::from_secs(5);

/// How far a long walk has come is told so often at most.
const TOLD_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// A connection under way.
pub(super) struct Line {
    pub(super) ports: Ports,
    pub(super) connection: Connection,
    pub(super) zone: TimeZone,
    pub(super) seed: u64,
    pub(super) routes: Vec<Route>,
    pub(super) problems: Problems,
    pub(super) health: Arc<Health>,
    /// That the clocks disagree has been said.
    pub(super) skew_said: bool,
    pub(super) first_runs: Vec<FirstRun>,
    /// Walks of zaps that are behind, between two of their slices; the one that waits longest first.
    pub(super) going: VecDeque<(Trip, Going)>,
    /// When it was told how far such walks have come.
    told_at: Option<Timestamp>,
    /// The latest instant the clock has shown, or should have.
    seen: Timestamp,
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
fn board(routes: &mut Vec<Route>, query: Query, rider: Rider, now: Timestamp) -> &mut Route {
    let behind = rider.is_behind(now);
    let known = routes.iter().position(|route| route.query == query && route.behind == behind);
    let index = known.unwrap_or(routes.len());
    if known.is_none() {
        let (not_before, trouble) = (Timestamp::MIN, Trouble::default());
        routes.push(Route { name: query.name(), query, riders: Vec::new(), behind, not_before, trouble });
    }
    // Either found there, or just put there.
    let route = &mut routes[index];
    route.riders.push(rider);
    route
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
                let rider = Rider::new(Arc::clone(zap), &query.name());
                board(&mut routes, query, rider, ports.clock.now());
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
            skew_said: false,
            first_runs,
            going: VecDeque::new(),
            told_at: None,
            seen: Timestamp::MIN,
        })
    }

    /// When something on this connection is due.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let rest = self.connection.rest.until().max(self.health.rests_until());
        self.routes.iter().filter_map(Route::due_at).min().map(|due| due.max(rest))
    }

    /// Goes on where a line of other zaps on the same connection has stopped. A walk that it had under way is made again.
    pub(super) fn take_over(&mut self, old: Line, same: &dyn Fn(ZapId) -> bool) {
        for route in &mut self.routes {
            let known = || old.routes.iter().filter(|known| known.query == route.query);
            for rider in &mut route.riders {
                let id = rider.zap.state.id;
                let mut riders = known().flat_map(|known| &known.riders);
                if let Some(known) = riders.find(|known| known.zap.state.id == id && same(id)) {
                    rider.due_at = known.due_at;
                }
            }
            // What is wrong with a query is so whoever asks.
            if let Some(before) = known().find(|known| known.behind == route.behind) {
                route.not_before = before.not_before;
                route.trouble = before.trouble.clone();
            }
        }
        let first_runs = old.first_runs.into_iter().filter(|first| same(first.zap));
        for known in first_runs {
            if let Some(first) = self.first_runs.iter_mut().find(|first| first.zap == known.zap) {
                *first = known;
            }
        }
        (self.problems, self.skew_said, self.told_at) = (old.problems, old.skew_said, old.told_at);
        self.seen = old.seen;
    }

    /// Ready when it may be due earlier, or later, than it was.
    pub(super) async fn rest_changed(&self) {
        self.connection.rest.changed().await;
    }

    /// Walks all that is due now. Zaps that keep up come first, and again between the slices of those that do not.
    ///
    /// # Errors
    /// When the state cannot be used any more; what can be tried again is reported and waits for the next round.
    pub(super) async fn round(&mut self, polled: &mut Polled) -> Result<(), StoreError> {
        loop {
            self.mind_the_clock(self.seen);
            self.keep_up(polled).await?;
            if !self.catch_up(polled).await? {
                return Ok(());
            }
        }
    }

    /// It must be `expected` by now at least. If it is not, the clock was set back, and all that waits for an instant
    /// by the old one waits for the new one instead: polling must not pause for as long as the step.
    pub(super) fn mind_the_clock(&mut self, expected: Timestamp) {
        let now = self.ports.clock.now();
        let step = expected.duration_since(now);
        self.seen = now;
        if step <= SignedDuration::ZERO {
            return;
        }
        let back = |at: Timestamp| at.saturating_sub(step).unwrap_or(Timestamp::MIN);
        for route in &mut self.routes {
            route.not_before = back(route.not_before);
            route.riders.iter_mut().for_each(|rider| rider.due_at = back(rider.due_at));
        }
        self.connection.rest.set_back(step);
        self.health.set_back(now);
        if step >= STEP_SAID {
            self.ports
                .observer
                .see(Event::ClockSetBack { connection: self.connection.name.clone(), by: step });
        }
    }

    /// Walks what is due for zaps that keep up.
    async fn keep_up(&mut self, polled: &mut Polled) -> Result<(), StoreError> {
        self.regroup();
        let live = |route: usize| !self.routes[route].behind;
        for trip in trips(&self.routes, self.ports.clock.now(), live) {
            if self.rests() {
                // Stopped or resting since this round began.
                polled.failed += 1;
                continue;
            }
            let mut going = self.begin(&trip);
            while going.next().is_some() {
                Box::pin(self.step(&trip, &mut going)).await;
            }
            self.arrived(&trip, &going.walked, polled)?;
        }
        Ok(())
    }

    /// Walks one slice for zaps that are behind; false when there is none to walk now.
    async fn catch_up(&mut self, polled: &mut Polled) -> Result<bool, StoreError> {
        let under_way = |route: usize| self.going.iter().any(|(trip, _)| trip.routes().any(|r| r == route));
        let behind = |route: usize| self.routes[route].behind && !under_way(route);
        for trip in trips(&self.routes, self.ports.clock.now(), behind) {
            let going = self.begin(&trip);
            self.going.push_back((trip, going));
        }
        if self.rests() {
            polled.failed += self.going.len() as u64;
            return Ok(false);
        }
        let Some((trip, mut going)) = self.going.pop_front() else { return Ok(false) };
        self.tell(&trip, &going);
        Box::pin(self.step(&trip, &mut going)).await;
        if going.next().is_some() {
            self.going.push_back((trip, going));
        } else {
            self.arrived(&trip, &going.walked, polled)?;
        }
        Ok(true)
    }

    /// Whether nothing may be walked on this connection now: it is stopped, or the state cannot be written.
    fn rests(&self) -> bool {
        let rest = self.connection.rest.until().max(self.health.rests_until());
        rest > self.ports.clock.now()
    }

    /// Seats each zap with those that keep up or those that are behind, as it is now. A walk under way keeps its seats.
    fn regroup(&mut self) {
        let now = self.ports.clock.now();
        for route in 0..self.routes.len() {
            if self.going.iter().any(|(trip, _)| trip.routes().any(|taken| taken == route)) {
                continue;
            }
            let Route { riders, behind, query, not_before, trouble, .. } = &mut self.routes[route];
            let (stay, leave): (Vec<Rider>, _) =
                std::mem::take(riders).into_iter().partition(|rider| rider.is_behind(now) == *behind);
            *riders = stay;
            // What is wrong with the query goes with the last of them.
            let (query, rest) = (query.clone(), *not_before);
            let mut trouble = riders.is_empty().then(|| std::mem::take(trouble));
            for mut rider in leave {
                rider.due_at = rider.due_at.max(rest);
                let route = board(&mut self.routes, query.clone(), rider, now);
                if let (1, Some(trouble)) = (route.riders.len(), trouble.take()) {
                    route.trouble = trouble;
                }
            }
        }
    }

    /// Tells how far a long walk has come, now and then.
    fn tell(&mut self, trip: &Trip, going: &Going) {
        let now = self.ports.clock.now();
        let lately = self.told_at.is_some_and(|told| now.duration_since(told).abs() < TOLD_EVERY);
        let Some(from) = going.next().filter(|_| !lately) else { return };
        self.told_at = Some(now);
        self.ports.observer.see(Event::CatchingUp {
            connection: self.connection.name.clone(),
            query: self.routes[trip.route].name.clone(),
            from,
            slices: going.left,
        });
    }

    fn arrived(&mut self, trip: &Trip, walked: &Walked, polled: &mut Polled) -> Result<(), StoreError> {
        polled.walks += 1;
        polled.tally += walked.tally;
        polled.failed += u64::from(walked.end.is_err() || !walked.stable);
        self.learn(trip, walked)?;
        // After what was learnt, which may be dated by the clock as it was when the walk began.
        self.mind_the_clock(self.seen);
        Ok(())
    }

    fn begin(&self, trip: &Trip) -> Going {
        Going::begin(self.ports.clock.now(), &passengers(&self.routes, trip))
    }

    async fn step(&mut self, trip: &Trip, going: &mut Going) {
        let (routes, now) = (&self.routes, self.ports.clock.now());
        let route = &routes[trip.route];
        let passengers = passengers(routes, trip);
        let given_up = |since: Timestamp| now.duration_since(since) >= UNSTABLE_FOR;
        let mut walk = Walk {
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
        walk.step(going).await;
    }
}

/// Whom a trip serves.
fn passengers<'a>(routes: &'a [Route], trip: &Trip) -> Vec<Passenger<'a>> {
    let passenger = |(route, rider): &(usize, usize)| Passenger {
        rider: &routes[*route].riders[*rider],
        query: &routes[*route].name,
    };
    trip.seats.iter().map(passenger).collect()
}
