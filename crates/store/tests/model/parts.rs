//! Deep sweeps and backfills in the model.

use super::{Model, Step, all_ids, zap_id};
use crate::common::at;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use zaprun_engine::ports::{
    Backfill, BackfillId, BackfillStep, EventKey, Part, RunState, Sweeps, Swept, ZapId,
};

/// What is kept of them.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Whether each is not over.
    backfills: Vec<(Backfill, bool)>,
    swept: BTreeMap<String, Swept>,
    late: BTreeMap<usize, u64>,
}

impl Parts {
    pub(super) fn late(&mut self, zap: usize) {
        *self.late.entry(zap).or_default() += 1;
    }
}

/// The days that a small number stands for.
pub fn days(number: i8) -> (Date, Date) {
    (date(2026, 1, 1), date(2026, 1, 10 + number))
}

pub fn swept(query: u8, late: u64) -> Swept {
    let query = format!("q{query}");
    Swept { connection: "crm".to_owned(), query, at: at(600), rows: 7, late, unknown: late / 2 }
}

impl Model {
    pub fn backfills(&self) -> i64 {
        i64::try_from(self.parts.backfills.len()).unwrap()
    }

    /// What a page of a step is part of.
    pub fn part_of(&self, step: &Step) -> Option<Part> {
        let Step::Part { events, backfill, last } = step else { return None };
        let page = self.page(step)?;
        Some(match backfill {
            Some(id) => Part::Backfill(BackfillStep {
                id: BackfillId(*id),
                query: format!("q{}", events.len() % 2),
                rows: events.len() as u64,
                next: last.then(|| date(2026, 1, 2 + i8::try_from(events.len()).unwrap())),
            }),
            None => {
                let late = |event: &zaprun_engine::ports::NewEvent| -> Vec<(ZapId, EventKey)> {
                    event.targets.iter().map(|target| (target.zap, event.key.clone())).collect()
                };
                Part::Sweep(page.events.iter().flat_map(late).collect())
            }
        })
    }

    pub(super) fn commit_part(&mut self, step: &Step) -> String {
        let (page, part) = (self.page(step).unwrap(), self.part_of(step).unwrap());
        let known = |parts: &Parts, id: BackfillId| {
            parts.backfills.iter().position(|(backfill, open)| *open && backfill.id == id)
        };
        let index = match &part {
            Part::Backfill(step) => match known(&self.parts, step.id) {
                None => return "refused".to_owned(),
                found => found,
            },
            Part::Sweep(_) => None,
        };
        let done = self.commit(&page, Some(&part));
        if let (Part::Backfill(step), Some(index)) = (part, index) {
            let backfill = &mut self.parts.backfills[index].0;
            backfill.rows += step.rows;
            backfill.fired += done.fired;
            let mut places: BTreeMap<String, Date> = backfill.places.drain(..).collect();
            places.extend(step.next.map(|next| (step.query, next)));
            backfill.places.extend(places);
        }
        format!("{done:?}")
    }

    pub(super) fn without_run(&self, zap: usize, kind: &str) -> Vec<String> {
        let run = |id: &String| self.ledger.get(&(zap, kind.to_owned(), id.clone())).copied().flatten();
        all_ids().into_iter().filter(|id| run(id).is_none()).collect()
    }

    pub(super) fn place(&mut self, zap: usize, number: i8) -> Backfill {
        let (first, last) = days(number);
        let zap = zap_id(zap);
        let same = |(known, open): &&(Backfill, bool)| *open && known.zap == zap && known.last == last;
        if let Some((known, _)) = self.parts.backfills.iter().find(same) {
            return known.clone();
        }
        let id = BackfillId(self.backfills() + 1);
        let backfill = Backfill { id, zap, first, last, places: Vec::new(), rows: 0, fired: 0 };
        self.parts.backfills.push((backfill.clone(), true));
        backfill
    }

    pub(super) fn next_backfill(&self, zap: usize) -> Option<Backfill> {
        let next = self.parts.backfills.iter().find(|(known, open)| *open && known.zap == zap_id(zap));
        next.map(|(backfill, _)| backfill.clone())
    }

    pub(super) fn end_backfill(&mut self, id: i64) -> String {
        for (_, open) in self.parts.backfills.iter_mut().filter(|(known, _)| known.id.0 == id) {
            *open = false;
        }
        "()".to_owned()
    }

    /// How many runs of a zap are pending.
    pub fn pending(&self, zap: usize) -> u64 {
        let pending = |run: &&super::Run| run.claimed.zap == zap_id(zap) && run.state == RunState::Pending;
        self.runs.iter().filter(pending).count() as u64
    }

    pub(super) fn keep_swept(&mut self, query: u8, late: u64) -> String {
        let swept = swept(query, late);
        self.parts.swept.insert(swept.query.clone(), swept.clone());
        format!("{:?}", Some(swept))
    }

    pub(super) fn sweeps(&self) -> Sweeps {
        let late = self.parts.late.iter().map(|(zap, n)| (self.zaps[*zap].name.clone(), *n));
        let mut late: Vec<(String, u64)> = late.collect();
        late.sort();
        Sweeps { queries: self.parts.swept.values().cloned().collect(), late }
    }
}
