//! What a connection learns from a walk: where it stands, when to look again, and what to say of it.

use super::absent::Group;
use super::backoff::{doubled, full_jitter, seed};
use super::line::{FirstRun, Line};
use super::reader::{asked_rest, later};
use super::trips::{Trip, once_more};
use super::walk::Walked;
use super::window::MARGIN;
use crate::ports::{ReadError, StoreError};
use crate::report::{Event, WalkFailure};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use zaprun_core::trigger::Endpoint;

/// A failed walk is tried again after at most so long, or after the zap's interval where that is longer.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// Where a person has to act, the engine looks again only after so long, doubled each time.
pub(crate) const FIRST_LOOK: Duration = Duration::from_secs(15 * 60);
pub(crate) const LAST_LOOK: Duration = Duration::from_secs(6 * 60 * 60);

impl Line {
    /// Takes note of what a walk came to.
    ///
    /// # Errors
    /// When the state cannot be used any more.
    pub(super) fn learn(&mut self, trip: &Trip, walked: &Walked) -> Result<(), StoreError> {
        self.note_cursors(trip, walked);
        match &walked.end {
            Ok(()) => self.ended(trip, walked),
            Err(WalkFailure::Store(error @ StoreError::Io { .. })) => self.health.trouble(&self.ports, error),
            Err(WalkFailure::Store(error)) => return Err(error.clone()),
            // The connection's rest says when it is read again. While it is refused, whatever else goes wrong does not
            // make the engine knock more often.
            Err(WalkFailure::Read(error))
                if error.stops_connection() || self.connection.rest.is_refused() => {}
            Err(WalkFailure::Read(error @ ReadError::Permission { .. })) => self.forbidden(trip, error),
            Err(cause) => self.failed(trip, walked, cause),
        }
        Ok(())
    }

    fn see(&self, event: Event) {
        self.ports.observer.see(event);
    }

    fn note_skew(&mut self, skew: SignedDuration) {
        let far = skew.abs() > MARGIN;
        if far && !self.skew_said {
            self.see(Event::ClockSkew { connection: self.connection.name.clone(), skew });
        }
        self.skew_said = far;
    }

    /// Slices that were whole have moved their cursors, also where the walk failed later.
    fn note_cursors(&mut self, trip: &Trip, walked: &Walked) {
        for (((route, rider), cursor), tally) in trip.seats.iter().zip(&walked.cursors).zip(&walked.tallies) {
            // A trip's seats are indices into these routes, which never lose an entry.
            let route = &mut self.routes[*route];
            let rider = &mut route.riders[*rider];
            rider.cursor = rider.cursor.max(*cursor);
            if let Some(at) = rider.cursor {
                self.marks.set(rider.zap.state.id, &route.name, at);
            }
            let read = walked.end.is_ok() && cursor.is_some();
            let zap = rider.zap.state.id;
            if let Some(first) = self.first_runs.iter_mut().find(|first| first.zap == zap) {
                first.tally += *tally;
                first.waiting.retain(|query| !read || *query != route.name);
            }
            match self.groups.iter_mut().find(|group| group.zap == zap) {
                Some(group) => group.waiting.retain(|query| !read || *query != route.name),
                // A row that appears late.
                None if tally.held + tally.dropped > 0 => {
                    let name = rider.zap.name.clone();
                    self.groups.push(Group { zap, name, waiting: Vec::new() });
                }
                None => {}
            }
        }
        let all = std::mem::take(&mut self.first_runs);
        let (done, waiting): (Vec<FirstRun>, _) = all.into_iter().partition(|first| first.waiting.is_empty());
        self.first_runs = waiting;
        for first in done {
            let FirstRun { name, tally, .. } = first;
            self.see(Event::FirstRun { zap: name, primed: tally.primed, fired: tally.fired });
        }
    }

    /// A look has shown nothing new.
    pub(super) fn looked(&mut self, trip: &Trip, began: Timestamp) {
        self.served(trip, began, false);
    }

    /// The CRM answers, and those on the trip know all that there is.
    fn served(&mut self, trip: &Trip, began: Timestamp, walked: bool) {
        for (route, rider) in &trip.seats {
            let rider = &mut self.routes[*route].riders[*rider];
            rider.due_at = later(began, rider.zap.trigger.every);
        }
        for route in trip.routes() {
            let query = self.routes[route].name.clone();
            self.see(Event::Looked { connection: self.connection.name.clone(), query, at: began, walked });
        }
    }

    /// A walk got to its end.
    fn ended(&mut self, trip: &Trip, walked: &Walked) {
        self.note_skew(walked.skew);
        self.health.recovered(&self.ports);
        self.served(trip, walked.began, true);
        for route in trip.routes() {
            let lacked = self.routes[route].lacks();
            let since = self.routes[route].trouble.over();
            // What was said once for an endpoint is taken back once.
            if let Some(since) = since.filter(|_| !lacked.is_some_and(|endpoint| self.lacks(endpoint))) {
                self.recovered(route, since);
            }
        }
        if walked.stable {
            self.stable(trip, walked);
        } else {
            self.unstable(trip, walked);
        }
    }

    fn stable(&mut self, trip: &Trip, walked: &Walked) {
        for route in trip.routes() {
            self.routes[route].trouble.unstable = None;
        }
        self.see(Event::WalkDone {
            connection: self.connection.name.clone(),
            query: self.routes[trip.route].name.clone(),
            tally: walked.tally,
            took: self.ports.clock.now().duration_since(walked.began),
        });
    }

    fn unstable(&mut self, trip: &Trip, walked: &Walked) {
        let now = self.ports.clock.now();
        let moved_on = walked.cursors.iter().any(Option::is_some);
        for route in trip.routes() {
            let (since, walks) = once_more(&mut self.routes[route].trouble.unstable, now);
            if moved_on {
                self.routes[route].trouble.unstable = None;
            }
            self.see(Event::Unstable {
                connection: self.connection.name.clone(),
                query: self.routes[route].name.clone(),
                since,
                walks,
                moved_on,
                tally: walked.tally,
            });
        }
    }

    fn recovered(&self, route: usize, since: Timestamp) {
        let query = Some(self.routes[route].name.clone());
        self.see(Event::Recovered { connection: self.connection.name.clone(), query, since });
    }

    /// Whether it is known, and has been said, that the API user may not use the endpoint.
    fn lacks(&self, endpoint: Endpoint) -> bool {
        self.routes.iter().any(|route| route.lacks() == Some(endpoint))
    }

    fn say_forbidden(&self, route: usize, endpoint: Endpoint, error: &ReadError, retry_at: Timestamp) {
        self.see(Event::Stopped {
            connection: self.connection.name.clone(),
            query: Some(self.routes[route].name.clone()),
            permission: Some(endpoint.permission()),
            error: error.clone(),
            retry_at,
        });
    }

    /// The API user may not use the endpoint: its queries rest, the others go on.
    fn forbidden(&mut self, trip: &Trip, error: &ReadError) {
        let now = self.ports.clock.now();
        for index in trip.routes() {
            let endpoint = self.routes[index].query.endpoint;
            let said = self.lacks(endpoint);
            let route = &mut self.routes[index];
            let (_, times) = once_more(&mut route.trouble.stopped, now);
            let retry_at = later(now, doubled(FIRST_LOOK, LAST_LOOK, times - 1));
            route.not_before = retry_at;
            if !said {
                self.say_forbidden(index, endpoint, error, retry_at);
            }
        }
    }

    fn failed(&mut self, trip: &Trip, walked: &Walked, cause: &WalkFailure) {
        let now = self.ports.clock.now();
        for index in trip.routes() {
            let base = self.seed;
            let route = &mut self.routes[index];
            let (_, failures) = once_more(&mut route.trouble.failing, now);
            let every =
                route.riders.iter().map(|rider| rider.zap.trigger.every).min().unwrap_or(LONGEST_DELAY);
            let jitter = seed(base, &route.name, u64::from(failures));
            let own = full_jitter(every, LONGEST_DELAY, failures, jitter).max(every);
            let asked = rest(cause).unwrap_or_default().min(LAST_LOOK);
            let retry_at = later(now, own.max(asked));
            route.not_before = retry_at;
            if let WalkFailure::LookUps { first: error @ ReadError::Permission { .. }, .. } = cause {
                let said = self.lacks(Endpoint::Transactions);
                self.routes[index].trouble.look_ups = true;
                if !said {
                    self.say_forbidden(index, Endpoint::Transactions, error, retry_at);
                }
                continue;
            }
            let event = Event::WalkFailed {
                connection: self.connection.name.clone(),
                query: route.name.clone(),
                cause: cause.clone(),
                failures,
                retry_at,
                tally: walked.tally,
            };
            self.see(event);
        }
    }
}

/// How long the server asked to wait.
fn rest(cause: &WalkFailure) -> Option<Duration> {
    match cause {
        WalkFailure::Read(error) => asked_rest(error),
        WalkFailure::LookUps { first, .. } => asked_rest(first),
        WalkFailure::Stuck | WalkFailure::Store(_) => None,
    }
}
