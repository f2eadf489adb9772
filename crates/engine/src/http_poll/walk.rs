//! One walk over the pages of an API, into the ledger.

use super::Ports;
use super::ask::{Answer, ask};
use super::feed::Followed;
use crate::key;
use crate::polling::skew::skew;
use crate::ports::{CursorMove, EventKey, Fate, NewEvent, PageCommit, StoreError, Target};
use crate::report::{Event, FeedFailure, ItemProblem, Tally};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use zaprun_core::mapping::MapError;
use zaprun_core::zap::{Item, Place};

/// The kind of the events, and the name under which the cursor is kept.
pub(crate) const KIND: &str = "http";

/// A walk has no more pages than this; an API that sends more does not end.
const MOST_PAGES: u32 = 10_000;
/// So many pages in a row that hold nothing but the page before: the API does not turn pages.
const REPEATS: u32 = 3;

/// What is said of items, each once.
#[derive(Debug, Default)]
pub(super) struct Said {
    no_key: bool,
    doubled: bool,
    undated: bool,
    card: bool,
}

/// A walk under way.
pub(super) struct Walk<'a> {
    pub(super) ports: &'a Ports,
    pub(super) zap: &'a Followed,
    /// Where the last completed walk began.
    pub(super) cursor: Option<Timestamp>,
    pub(super) seed: u64,
    pub(super) said: &'a mut Said,
    pub(super) walked: Walked,
    /// Why the first item that has no key has none, and whether any item has one. One page says nothing of the others.
    pub(super) keyless: Option<MapError>,
    pub(super) any_key: bool,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) tally: Tally,
    pub(super) pages: u32,
    /// Where the cursor was moved to.
    pub(super) moved_to: Option<Timestamp>,
}

impl Walk<'_> {
    /// Reads and commits page by page.
    pub(super) async fn run(&mut self) -> Result<(), FeedFailure> {
        let clock = self.ports.polling.clock.as_ref();
        let trigger = &self.zap.trigger;
        let mut goal = clock.now();
        let since = self.since(goal);
        let (mut place, mut before, mut repeats) = (Place::First, HashSet::new(), 0);
        loop {
            let request = trigger.request(&place, since);
            let Answer { reply, sent, received } =
                ask(self.ports, &request, &self.zap.name, self.seed).await?;
            if place == Place::First {
                // Their clock may be behind, and then what happens from now on is dated back.
                let behind = skew(sent, received, date(&reply.headers)).min(SignedDuration::ZERO);
                goal = sent.saturating_add(behind).unwrap_or(sent);
            }
            let read = trigger.read(&place, &reply.body, &reply.headers)?;
            self.walked.pages += 1;
            let keyed = self.keyed(read.items);
            if read.next.is_none() {
                self.judge_keys()?;
            }
            let keys: HashSet<String> = keyed.iter().map(|(key, _)| key.clone()).collect();
            self.commit(keyed, read.next.is_none().then_some(goal)).await.map_err(FeedFailure::Store)?;
            let Some(next) = read.next else { return Ok(()) };
            repeats = if !keys.is_empty() && keys.is_subset(&before) { repeats + 1 } else { 0 };
            let given = matches!(next, Place::Cursor(_) | Place::Link(_));
            if repeats >= REPEATS || (given && next == place) {
                return Err(FeedFailure::Stuck);
            }
            if self.walked.pages >= MOST_PAGES {
                return Err(FeedFailure::Endless { pages: MOST_PAGES });
            }
            (place, before) = (next, keys);
        }
    }

    /// What happened before is not asked for. The first walk asks for all there is: what is there must be known.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        // A cursor in the future is one of a clock that was set back.
        let cursor = self.cursor.filter(|_| self.zap.trigger.asks_since())?.min(now);
        Some(cursor.saturating_sub(self.zap.trigger.overlap()).unwrap_or(Timestamp::MIN))
    }

    /// The items that can be told apart, each key once.
    fn keyed(&mut self, items: Vec<Item>) -> Vec<(String, Item)> {
        let many = items.len();
        self.walked.tally.rows += many as u64;
        let mut keyed: Vec<(String, Item)> = Vec::with_capacity(many);
        let mut places: HashMap<String, usize> = HashMap::with_capacity(many);
        for item in items {
            let key = match &item.key {
                Ok(key) => key.clone(),
                Err(error) => {
                    self.keyless.get_or_insert_with(|| error.clone());
                    self.walked.tally.passed_over += 1;
                    continue;
                }
            };
            let known = places.get(&key).and_then(|place| keyed.get(*place));
            match known {
                None => {
                    places.insert(key.clone(), keyed.len());
                    keyed.push((key, item));
                }
                Some((_, same)) if same.record == item.record => {}
                Some(_) => {
                    self.walked.tally.passed_over += 1;
                    self.say(|said| &mut said.doubled, ItemProblem::Doubled { key });
                }
            }
        }
        self.any_key |= !keyed.is_empty();
        keyed
    }

    /// Says at the end of a walk which items had no key. A field that no item has is a mistake in the zap, or another
    /// API than it was.
    fn judge_keys(&mut self) -> Result<(), FeedFailure> {
        let Some(error) = self.keyless.take() else { return Ok(()) };
        let reason = words(&error);
        if !self.any_key {
            return Err(FeedFailure::NoKeys { reason });
        }
        self.say(|said| &mut said.no_key, ItemProblem::NoKey { reason });
        Ok(())
    }

    /// Commits what of a page is new, and the cursor with the last one.
    async fn commit(
        &mut self,
        keyed: Vec<(String, Item)>,
        last: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let store = self.ports.polling.store.as_ref();
        let zap = self.zap.state.id;
        let keys: Vec<String> = keyed.iter().map(|(key, _)| key.clone()).collect();
        let all = keys.len() as u64;
        let unknown: HashSet<String> = match keys.is_empty() {
            true => HashSet::new(),
            false => store.unknown(zap, KIND, keys).await?.into_iter().collect(),
        };
        let mut events = Vec::with_capacity(unknown.len());
        let mut tally = Tally { known: all - unknown.len() as u64, ..Tally::default() };
        for (key, item) in keyed.into_iter().filter(|(key, _)| unknown.contains(key)) {
            events.push(self.event(key, item, &mut tally));
        }
        let cursors: Vec<CursorMove> =
            last.into_iter().map(|at| CursorMove { zap, query: KIND.to_owned(), at }).collect();
        if !events.is_empty() || !cursors.is_empty() {
            store.commit_page(PageCommit { events, cursors }).await?;
        }
        self.walked.tally += tally;
        self.walked.moved_to = last;
        Ok(())
    }

    fn event(&mut self, key: String, item: Item, tally: &mut Tally) -> NewEvent {
        let seen_at = self.ports.polling.clock.now();
        if let Some(field) = item.card.into_iter().next() {
            self.say(|said| &mut said.card, ItemProblem::Card { field });
        }
        let happened = item.at.unwrap_or_else(|error| {
            self.say(|said| &mut said.undated, ItemProblem::Undated { reason: words(&error) });
            None
        });
        let fate = self.fate(happened);
        match fate {
            Fate::Fire => tally.fired += 1,
            Fate::Prime => tally.primed += 1,
            Fate::PrimeUndated => {
                tally.primed += 1;
                tally.undated += 1;
            }
        }
        let state = &self.zap.state;
        let key = EventKey { kind: KIND.to_owned(), id: key };
        NewEvent {
            at: happened.unwrap_or(seen_at),
            record: Bytes::from(item.record),
            seen_at,
            context: None,
            order: None,
            depth: 0,
            targets: vec![Target {
                zap: state.id,
                revision: state.revision,
                key_base: key::base(&state.first_name, &key),
                fate,
                once: item.once,
                own: true,
            }],
            key,
        }
    }

    /// What becomes of an item that the ledger does not hold. Only the first walk meets what was there before: what it
    /// finds fires if it is known to have happened since the boundary.
    fn fate(&self, happened: Option<Timestamp>) -> Fate {
        if self.cursor.is_some() || self.zap.takes_all() {
            return Fate::Fire;
        }
        let boundary = self.zap.state.boundary;
        let boundary = Timestamp::from_second(boundary.as_second()).unwrap_or(boundary);
        match happened {
            Some(at) if at >= boundary => Fate::Fire,
            Some(_) => Fate::Prime,
            None => Fate::PrimeUndated,
        }
    }

    /// Tells of a problem, unless it was told before.
    fn say(&mut self, which: impl Fn(&mut Said) -> &mut bool, problem: ItemProblem) {
        if !std::mem::replace(which(self.said), true) {
            self.ports.polling.observer.see(Event::ItemProblem { zap: self.zap.name.clone(), problem });
        }
    }
}

/// An error of an expression, without values.
fn words(error: &MapError) -> String {
    error.to_string()
}

/// The server's clock.
fn date(headers: &[(String, String)]) -> Option<Timestamp> {
    let (_, text) = headers.iter().find(|(name, _)| name == "date")?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}
