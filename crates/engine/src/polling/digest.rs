//! What a page holds that is new.

use super::Ports;
use super::lookup::{LookUps, Told};
use super::problems::Problems;
use super::rider::Rider;
use crate::key;
use crate::ports::{EventKey, Fate, NewEvent, StoreError, Target, ZapId};
use crate::report::Tally;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashSet, VecDeque};
use zaprun_core::card;
use zaprun_core::record::{ReadSet, Row, Schema};
use zaprun_core::trigger::{Verdict, When};
use zaprun_core::zap::CrmTrigger;

/// Rows are told from repeats against so many pages before; the ledger knows the rest.
const PAGES_REMEMBERED: usize = 8;

/// Turns pages into news for the zaps a walk serves.
pub(super) struct Digest<'a> {
    pub(super) ports: &'a Ports,
    pub(super) connection: &'a str,
    pub(super) riders: &'a [&'a Rider],
    pub(super) schema: &'static Schema,
    pub(super) fields: ReadSet,
    pub(super) problems: &'a mut Problems,
    pub(super) look_ups: LookUps<'a>,
    /// By rider: the CRM's clock less ours when its boundary was set.
    pub(super) skews: Vec<SignedDuration>,
    pub(super) lens: Lens,
    /// The CRM's clock less ours now.
    pub(super) skew: SignedDuration,
    recent: VecDeque<HashSet<String>>,
    repeats: u32,
    left_out: u64,
    passed_over: u64,
}

/// How the rows of a walk are looked at.
#[derive(Debug, Clone)]
pub(super) enum Lens {
    /// As news, against each zap's boundary.
    News,
    /// The same; and what a walk has gone by was missed.
    Missed {
        /// The field that says when a row changed.
        dated: &'static str,
        /// By rider: where its cursor stands.
        cursors: Vec<Option<Timestamp>>,
    },
    /// As what happened long ago: all that the zap takes fires unless it has fired, from an instant on.
    Old {
        /// The beginning of the slice.
        since: Timestamp,
    },
}

/// What is new on a page.
pub(super) struct News {
    pub(super) events: Vec<NewEvent>,
    /// By rider, in their order.
    pub(super) tallies: Vec<Tally>,
    /// By rider: the ids that it takes.
    pub(super) wanted: Vec<Vec<String>>,
    /// What of it comes too late, if it becomes a run.
    pub(super) late: Vec<(ZapId, EventKey)>,
}

struct Seen {
    id: String,
    row: Row,
    raw: Bytes,
}

impl<'a> Digest<'a> {
    pub(super) fn new(
        ports: &'a Ports,
        connection: &'a str,
        riders: &'a [&'a Rider],
        schema: &'static Schema,
        problems: &'a mut Problems,
        look_ups: LookUps<'a>,
    ) -> Self {
        let mut fields = ReadSet::default();
        for rider in riders {
            fields.union(&rider.zap.trigger.fields());
        }
        Digest {
            ports,
            connection,
            riders,
            schema,
            fields,
            problems,
            look_ups,
            skews: vec![SignedDuration::ZERO; riders.len()],
            lens: Lens::News,
            skew: SignedDuration::ZERO,
            recent: VecDeque::new(),
            repeats: 0,
            left_out: 0,
            passed_over: 0,
        }
    }

    /// Looks at rows in another way than as news.
    pub(super) fn through(mut self, lens: Lens) -> Self {
        match lens {
            Lens::Missed { dated, .. } => self.fields.add(dated),
            Lens::Old { .. } => self.fields.add(CREATED),
            Lens::News => {}
        }
        self.lens = lens;
        self
    }

    /// How many rows wait for the next walk, since their orders could not be looked up.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many rows cannot be read or have no id.
    pub(super) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// How many pages in a row held nothing but rows of the page before.
    pub(super) fn repeats(&self) -> u32 {
        self.repeats
    }

    /// Decodes the rows of a page and drops those that this walk has just seen.
    fn fresh(&mut self, raws: Vec<Bytes>) -> Vec<Seen> {
        let mut page = HashSet::with_capacity(raws.len());
        let mut fresh = Vec::with_capacity(raws.len());
        for raw in raws {
            let raw = self.without_cards(raw);
            let Some((id, row)) = self.decode(&raw) else {
                self.passed_over += 1;
                continue;
            };
            let repeated = self.recent.iter().any(|ids| ids.contains(&id));
            if page.insert(id.clone()) && !repeated {
                fresh.push(Seen { id, row, raw });
            }
        }
        let repeats = !page.is_empty() && self.recent.back().is_some_and(|before| page.is_subset(before));
        self.repeats = if repeats { self.repeats + 1 } else { 0 };
        if self.recent.len() == PAGES_REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(page);
        fresh
    }

    /// The row, byte for byte unless it holds card data: that is taken out before anything is kept.
    fn without_cards(&mut self, raw: Bytes) -> Bytes {
        let Some(redacted) = card::redact(&raw, Some(self.schema)) else { return raw };
        let observer = self.ports.observer.as_ref();
        for field in &redacted.fields {
            self.problems.card(observer, self.connection, self.schema, field);
        }
        Bytes::from(redacted.row)
    }

    fn decode(&mut self, raw: &Bytes) -> Option<(String, Row)> {
        let observer = self.ports.observer.as_ref();
        let row = match Row::decode(raw, self.schema, &self.fields) {
            Ok(row) => row,
            Err(error) => {
                self.problems.unreadable(observer, self.connection, self.schema, &error);
                return None;
            }
        };
        // All kinds made of one schema have one natural id.
        let Some(id) = self.riders.first().and_then(|rider| rider.zap.trigger.key(&row)) else {
            self.problems.no_id(observer, self.connection, self.schema);
            return None;
        };
        self.problems.misfits(observer, self.connection, self.schema, &row, &id);
        Some((id, row))
    }

    /// What of a page the zaps do not know yet.
    pub(super) async fn page(&mut self, raws: Vec<Bytes>) -> Result<News, StoreError> {
        let rows = self.fresh(raws);
        let mut tallies = vec![Tally::default(); self.riders.len()];
        let mut unknown = Vec::with_capacity(self.riders.len());
        let mut all_wanted = Vec::with_capacity(self.riders.len());
        for (rider, tally) in self.riders.iter().zip(&mut tallies) {
            let wanted: Vec<String> = rows
                .iter()
                .filter(|seen| rider.zap.trigger.wants(&seen.row))
                .map(|seen| seen.id.clone())
                .collect();
            tally.rows = wanted.len() as u64;
            all_wanted.push(wanted.clone());
            unknown.push(self.unknown(rider, wanted).await?);
        }
        let mut told = Told::new();
        let (mut events, mut late) = (Vec::new(), Vec::new());
        for seen in rows {
            late.extend(self.late(&seen, &unknown));
            self.row(seen, &unknown, &mut told, &mut tallies, &mut events).await;
        }
        for (tally, unknown) in tallies.iter_mut().zip(&unknown) {
            tally.known = tally.rows - unknown.len() as u64;
        }
        Ok(News { events, tallies, wanted: all_wanted, late })
    }

    /// For whom a row comes too late: it was there, as it is, when a walk went by.
    fn late(&self, seen: &Seen, unknown: &[HashSet<String>]) -> Vec<(ZapId, EventKey)> {
        let Lens::Missed { dated, cursors } = &self.lens else { return Vec::new() };
        let mut late = Vec::new();
        for ((rider, unknown), cursor) in self.riders.iter().zip(unknown).zip(cursors) {
            // A row that nothing dates was missed: it would be seen sooner if it were new.
            let moment = seen.row.moment(dated, &rider.zap.trigger.zone);
            let passed =
                cursor.is_some_and(|cursor| moment.is_none_or(|at| at.latest < whole_second(cursor)));
            if passed && unknown.contains(&seen.id) {
                let key = EventKey { kind: rider.zap.trigger.kind().to_owned(), id: seen.id.clone() };
                late.push((rider.zap.state.id, key));
            }
        }
        late
    }

    async fn unknown(&self, rider: &Rider, wanted: Vec<String>) -> Result<HashSet<String>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let kind = rider.zap.trigger.kind();
        let (store, zap) = (&self.ports.store, rider.zap.state.id);
        let ids = match self.lens {
            Lens::News | Lens::Missed { .. } => store.unknown(zap, kind, wanted).await?,
            Lens::Old { .. } => store.without_run(zap, kind, wanted).await?,
        };
        Ok(ids.into_iter().collect())
    }

    async fn row(
        &mut self,
        seen: Seen,
        unknown: &[HashSet<String>],
        told: &mut Told,
        tallies: &mut [Tally],
        events: &mut Vec<NewEvent>,
    ) {
        let first = events.len();
        let mut left_out = false;
        for (at, ((rider, unknown), tally)) in self.riders.iter().zip(unknown).zip(tallies).enumerate() {
            if !unknown.contains(&seen.id) {
                continue;
            }
            let Some((fate, at)) = self.verdict(rider, self.skew_of(at), &seen.row, told).await else {
                left_out = true;
                continue;
            };
            let fate = if matches!(self.lens, Lens::Old { .. }) {
                if fate != Fate::Fire {
                    // A backfill leaves alone what it does not send: it may yet become news.
                    continue;
                }
                // A person asked for it, also where the zap was switched off.
                fate
            } else {
                rider.zap.caught_up(fate, at, self.skew)
            };
            tally.count(fate);
            let key = EventKey { kind: rider.zap.trigger.kind().to_owned(), id: seen.id.clone() };
            let target = target(rider, &seen.row, &key, fate);
            // Zaps with different boundaries may see one event happen at different instants.
            match events.iter_mut().skip(first).find(|event| event.key == key && event.at == at) {
                Some(event) => event.targets.push(target),
                None => events.push(NewEvent {
                    key,
                    at,
                    record: seen.raw.clone(),
                    seen_at: self.ports.clock.now(),
                    context: None,
                    order: rider.zap.trigger.order(&seen.row),
                    depth: 0,
                    targets: vec![target],
                }),
            }
        }
        self.left_out += u64::from(left_out);
    }

    fn skew_of(&self, rider: usize) -> SignedDuration {
        self.skews.get(rider).copied().unwrap_or_default()
    }

    /// What becomes of a row that a zap does not know; `None` when it has to wait for a look-up that failed.
    async fn verdict(
        &mut self,
        rider: &Rider,
        skew: SignedDuration,
        row: &Row,
        told: &mut Told,
    ) -> Option<(Fate, Timestamp)> {
        let (trigger, state) = (&rider.zap.trigger, &rider.zap.state);
        let boundary = whole_second(state.boundary);
        let when = match self.lens {
            Lens::News | Lens::Missed { .. } => When { boundary, opened_at: state.opened_at, skew },
            // Nothing of it was seen as it happened.
            Lens::Old { since } => {
                When { boundary: since, opened_at: Timestamp::MAX, skew: SignedDuration::ZERO }
            }
        };
        let verdict = match trigger.judge(row, &when) {
            Verdict::LookUp { order_id } => {
                let charges = self.look_ups.charges(&order_id, &trigger.zone, told).await?;
                let verdict = trigger.judge_charges(row, &charges, &when);
                match (&self.lens, verdict) {
                    // Sales of a backfill are dated alike, whether they were looked up or not.
                    (Lens::Old { .. }, Verdict::Fire { at }) => {
                        let created = row.moment(CREATED, &trigger.zone).filter(|_| is_sale(trigger));
                        Verdict::Fire { at: created.map_or(at, |created| created.at) }
                    }
                    (_, verdict) => verdict,
                }
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::Fire { at } => Some((Fate::Fire, at)),
            Verdict::Prime { at } => Some((Fate::Prime, at)),
            Verdict::PrimeUndated { at } => Some((Fate::PrimeUndated, at)),
            // Not after a look-up; and if it were, the row would rather wait than be lost.
            Verdict::LookUp { .. } => None,
        }
    }
}

/// The field by which a backfill selects.
const CREATED: &str = "dateCreated";

/// Whether an event of this trigger is a sale, which happened when the order was begun unless more is known.
fn is_sale(trigger: &CrmTrigger) -> bool {
    matches!(trigger.kind(), "new_sale" | "rebill")
}

/// The CRM writes whole seconds: a row of the boundary's own second is news.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn target(rider: &Rider, row: &Row, key: &EventKey, fate: Fate) -> Target {
    let state = &rider.zap.state;
    Target {
        zap: state.id,
        revision: state.revision,
        key_base: key::base(&state.first_name, key),
        fate,
        once: rider.zap.trigger.once(row),
        own: rider.zap.trigger.own,
    }
}
