//! Whether every trigger is looked at as often as its zap asks for.

use crate::delivery::after;
use crate::http_poll;
use crate::measure::{Measure, Witness};
use crate::ports::{Clock, ZapId};
use crate::report::Event;
use crate::schedule;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zaprun_core::trigger::Query;
use zaprun_core::zap::{ScheduleTrigger, Trigger, Zap};

/// A trigger is overdue once nothing came of so many of its intervals, and this time besides.
const INTERVALS: u32 = 3;
/// What a poll may take over its interval: retries, a slow answer.
const SLACK: Duration = Duration::from_secs(2 * 60);
/// A walk whose pages still come in may take so long.
const LONGEST_WALK: SignedDuration = SignedDuration::from_hours(1);
/// Pages that come no further apart than this are those of a walk under way.
const PAGES_APART: SignedDuration = SignedDuration::from_mins(2);

/// Knows when each trigger was last dealt with. It is told by the engine, and asked by whoever watches it.
pub struct Pulse {
    clock: Arc<dyn Clock>,
    hearts: Mutex<BTreeMap<ZapId, Heart>>,
}

/// One zap's trigger.
struct Heart {
    zap: String,
    connection: Option<String>,
    beat: Beat,
    /// By query: when all that was there was last dealt with.
    seen: BTreeMap<String, Seen>,
    /// When a page of its connection was last read.
    paged: Option<Timestamp>,
}

/// When a query was last dealt with.
#[derive(Clone, Copy)]
struct Seen {
    at: Timestamp,
    /// Since the start; else that is when the start was.
    really: bool,
}

/// When a trigger is due.
enum Beat {
    /// So long after it was last dealt with.
    Every(Duration),
    /// At its times.
    Times(Box<ScheduleTrigger>),
}

/// A trigger that is overdue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The zap.
    pub zap: String,
    /// The query that has waited longest, where the trigger has several.
    pub query: String,
    /// When it was last dealt with.
    pub last: Timestamp,
    /// Since when it is overdue.
    pub since: Timestamp,
}

impl Pulse {
    /// Knows of no zap yet.
    pub fn new(clock: Arc<dyn Clock>) -> Pulse {
        Pulse { clock, hearts: Mutex::default() }
    }

    /// What is overdue now, each zap once.
    pub fn overdue(&self) -> Vec<Overdue> {
        let now = self.clock.now();
        self.hearts().values().filter_map(|heart| heart.overdue(now)).collect()
    }

    /// When each trigger's queries were all last dealt with, by zap.
    pub fn last_looks(&self) -> Vec<(String, Timestamp)> {
        let hearts = self.hearts();
        hearts
            .values()
            .filter_map(|heart| Some((heart.zap.clone(), heart.seen.values().map(|seen| seen.at).min()?)))
            .collect()
    }

    /// Whether all queries of a zap were looked at to their end since the start; a zap that has none to be looked at, or
    /// does not run any more, has been.
    pub fn has_looked(&self, zap: &str) -> bool {
        let hearts = self.hearts();
        hearts
            .values()
            .filter(|heart| heart.zap == zap)
            .all(|heart| heart.seen.values().all(|seen| seen.really))
    }

    /// A query was looked at, and nothing is left to deal with.
    pub fn looked(&self, zap: ZapId, query: &str) {
        let at = self.clock.now();
        if let Some(heart) = self.hearts().get_mut(&zap) {
            match heart.seen.get_mut(query) {
                Some(seen) => *seen = Seen { at, really: true },
                None => drop(heart.seen.insert(query.to_owned(), Seen { at, really: true })),
            }
        }
    }

    /// The same for all zaps that read the query of a connection.
    fn looked_at(&self, connection: &str, query: &str) {
        let at = self.clock.now();
        let mut hearts = self.hearts();
        let reads = |heart: &&mut Heart| heart.connection.as_deref() == Some(connection);
        for seen in hearts.values_mut().filter(reads).filter_map(|heart| heart.seen.get_mut(query)) {
            *seen = Seen { at, really: true };
        }
    }

    fn opened(&self, id: ZapId, zap: &Zap) {
        let at = self.clock.now();
        let (beat, queries) = match &zap.trigger {
            Trigger::Crm(trigger) => {
                let queries: Vec<String> = trigger.queries().iter().map(Query::name).collect();
                (Beat::Every(trigger.every), queries)
            }
            Trigger::Http(trigger) => (Beat::Every(trigger.every), vec![http_poll::KIND.to_owned()]),
            Trigger::Schedule(trigger) => (Beat::Times(trigger.clone()), vec![schedule::KIND.to_owned()]),
            // Whether anybody calls is not for us to say.
            Trigger::Webhook(_) => return self.closed(id),
        };
        let connection = zap.trigger.crm().map(|trigger| trigger.connection.clone());
        let seen = queries.into_iter().map(|query| (query, Seen { at, really: false })).collect();
        let heart = Heart { zap: zap.name.clone(), connection, beat, seen, paged: None };
        self.hearts().insert(id, heart);
    }

    fn closed(&self, id: ZapId) {
        self.hearts().remove(&id);
    }

    fn paged(&self, connection: &str) {
        let at = self.clock.now();
        for heart in self.hearts().values_mut() {
            if heart.connection.as_deref() == Some(connection) {
                heart.paged = Some(at);
            }
        }
    }

    fn hearts(&self) -> MutexGuard<'_, BTreeMap<ZapId, Heart>> {
        // Nothing panics while it is held, and its values are whole at any time.
        self.hearts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heart {
    fn overdue(&self, now: Timestamp) -> Option<Overdue> {
        let late = self.seen.iter().filter_map(|(query, seen)| {
            let last = seen.at;
            let since = self.patience(last)?;
            let walking = self.paged.is_some_and(|paged| now.duration_since(paged) <= PAGES_APART)
                && now.duration_since(since) < LONGEST_WALK;
            let late = now > since && !walking;
            late.then(|| Overdue { zap: self.zap.clone(), query: query.clone(), last, since })
        });
        late.min_by_key(|overdue| overdue.since)
    }

    /// Until when nothing need come of a query that was last dealt with then; `None`: for ever.
    fn patience(&self, last: Timestamp) -> Option<Timestamp> {
        match &self.beat {
            Beat::Every(every) => Some(after(last, every.saturating_mul(INTERVALS).saturating_add(SLACK))),
            Beat::Times(times) => Some(after(times.next(last)?, SLACK)),
        }
    }
}

impl Witness for Pulse {
    fn note(&self, event: &Event) {
        match event {
            Event::Page { connection, .. } => self.paged(connection),
            // Nothing has changed since the last walk, so all that is there was dealt with.
            Event::Looked { connection, query, .. } => self.looked_at(connection, query),
            _ => {}
        }
    }

    fn measure(&self, measure: Measure<'_>) {
        match measure {
            Measure::Opened { zap, state } => self.opened(state.id, zap),
            Measure::Closed { zap } => self.closed(zap),
            Measure::Cursor { zap, query, .. } => self.looked(zap, query),
            Measure::Committed(_) | Measure::Attempt { .. } | Measure::Step { .. } => {}
        }
    }
}
