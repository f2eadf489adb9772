//! One connection: its queries, walked one after another, and what is learnt from each walk.

use super::absent::{self, Group};
use super::course::Course;
use super::health::Health;
use super::look::{self, Print, Sight};
use super::marks::Marks;
use super::problems::Problems;
use super::reader::Reader;
use super::rider::{Rider, Watched};
use super::trips::{Route, Trip, Trouble, trips};
use super::walk::{Going, Passenger, Walk, Walked};
use super::{Connection, Place, Polled, Ports};
use crate::ports::{StoreError, ZapId};
use crate::report::{Event, Tally, WalkFailure};
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
    /// Where its cursors stand, for the deep sweep.
    pub(super) marks: Arc<Marks>,
    /// Between two walks it only looks whether anything has changed. Not where it polls once: nobody looks again.
    pub(super) looks: bool,
    /// That the clocks disagree has been said.
    pub(super) skew_said: bool,
    pub(super) first_runs: Vec<FirstRun>,
    /// Zaps that were switched off, of which nobody was told yet what happened meanwhile.
    pub(super) groups: Vec<Group>,
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
        let (name, riders) = (query.name(), Vec::new());
        routes.push(Route { name, query, riders, behind, not_before, trouble, print: None });
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
        marks: Arc<Marks>,
        seed: u64,
    ) -> Option<Line> {
        let zone = zaps.first()?.trigger.zone.clone();
        let mut routes: Vec<Route> = Vec::new();
        for zap in zaps {
            for query in zap.trigger.queries() {
                let rider = Rider::new(Arc::clone(zap), &query.name());
                if let Some(cursor) = rider.cursor {
                    marks.set(zap.state.id, &query.name(), cursor);
                }
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
            marks,
            looks: false,
            skew_said: false,
            first_runs,
            groups: zaps.iter().filter_map(|zap| Group::of(zap)).collect(),
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
            if let Some(print) = &mut route.print {
                print.walked_at = back(print.walked_at);
            }
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
            let began = self.ports.clock.now();
            let sight = match self.look(&trip).await {
                Ok(sight) => sight,
                Err(failed) => {
                    self.arrived(&trip, &failed, polled).await?;
                    continue;
                }
            };
            if self.has_seen(&trip, sight.as_ref()) {
                self.looked(&trip, began);
                self.mind_the_clock(self.seen);
                continue;
            }
            let mut going = self.begin(&trip);
            while going.next().is_some() {
                Box::pin(self.step(&trip, &mut going)).await;
            }
            let print = sight.filter(|_| going.walked.clean());
            let began = going.walked.began;
            self.routes[trip.route].print = print.map(|sight| Print::of(sight, &self.routes, &trip, began));
            self.arrived(&trip, &going.walked, polled).await?;
        }
        Ok(())
    }

    /// What is to be seen before a walk, or in its place; nothing where nobody will compare it.
    ///
    /// # Errors
    /// What a walk would have come to that failed at once.
    async fn look(&mut self, trip: &Trip) -> Result<Option<Sight>, Walked> {
        let now = self.ports.clock.now();
        let Some(request) = look::request(&self.routes, trip, now).filter(|_| self.looks) else {
            return Ok(None);
        };
        match self.reader().read(&request).await {
            Ok(timed) => Ok(look::sight(&request, &timed)),
            Err(error) => {
                self.routes[trip.route].print = None;
                let mut walked = Walked::nothing(now, trip.seats.len());
                walked.end = Err(WalkFailure::Read(error));
                Err(walked)
            }
        }
    }

    /// Whether a walk would find nothing: what is to be seen was there before the last one.
    fn has_seen(&self, trip: &Trip, sight: Option<&Sight>) -> bool {
        let now = self.ports.clock.now();
        let print = self.routes[trip.route].print.as_ref();
        sight.zip(print).is_some_and(|(sight, print)| print.covers(sight, &self.routes, trip, now))
    }

    fn reader(&self) -> Reader<'_> {
        Reader { crm: self.connection.crm.as_ref(), clock: self.ports.clock.as_ref(), seed: self.seed }
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
            self.arrived(&trip, &going.walked, polled).await?;
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

    async fn arrived(&mut self, trip: &Trip, walked: &Walked, polled: &mut Polled) -> Result<(), StoreError> {
        polled.walks += 1;
        polled.tally += walked.tally;
        polled.failed += u64::from(walked.end.is_err() || !walked.stable);
        self.learn(trip, walked)?;
        // After what was learnt, which may be dated by the clock as it was when the walk began.
        self.mind_the_clock(self.seen);
        self.tell_groups().await
    }

    /// Tells what happened while zaps were switched off, of those for which all of it was read.
    async fn tell_groups(&mut self) -> Result<(), StoreError> {
        let ready = |group: &Group| group.waiting.is_empty();
        while let Some(at) = self.groups.iter().position(ready) {
            let Group { zap, name, .. } = &self.groups[at];
            match absent::tell(&self.ports, *zap, name).await {
                Ok(()) => drop(self.groups.swap_remove(at)),
                Err(error @ StoreError::Io { .. }) => {
                    self.health.trouble(&self.ports, &error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn begin(&self, trip: &Trip) -> Going {
        Going::begin(Course::Follow, self.ports.clock.now(), &passengers(&self.routes, trip))
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
            course: Course::Follow,
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
