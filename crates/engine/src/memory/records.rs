//! What the state in memory keeps of deep sweeps and backfills.

use crate::ports::{Backfill, BackfillId, BackfillStep, Swept, ZapId};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Deep sweeps by connection and query; backfills in the order asked for.
#[derive(Default)]
pub(super) struct Records {
    swept: BTreeMap<(String, String), Swept>,
    late: BTreeMap<ZapId, u64>,
    /// Whether each is not over.
    backfills: Vec<(Backfill, bool)>,
}

impl Records {
    pub(super) fn swept(&self, connection: &str, query: &str) -> Option<Swept> {
        self.swept.get(&(connection.to_owned(), query.to_owned())).cloned()
    }

    pub(super) fn keep_swept(&mut self, swept: Swept) {
        self.swept.insert((swept.connection.clone(), swept.query.clone()), swept);
    }

    pub(super) fn late(&mut self, zap: ZapId) {
        *self.late.entry(zap).or_default() += 1;
    }

    pub(super) fn lates(&self, zap: ZapId) -> u64 {
        self.late.get(&zap).copied().unwrap_or_default()
    }

    pub(super) fn place(&mut self, zap: ZapId, first: Date, last: Date) -> Backfill {
        let same = |(known, open): &&(Backfill, bool)| {
            *open && (known.zap, known.first, known.last) == (zap, first, last)
        };
        if let Some((known, _)) = self.backfills.iter().find(same) {
            return known.clone();
        }
        let id = BackfillId(self.backfills.len() as i64 + 1);
        let backfill = Backfill { id, zap, first, last, places: Vec::new(), rows: 0, fired: 0 };
        self.backfills.push((backfill.clone(), true));
        backfill
    }

    pub(super) fn next(&self, zaps: &[ZapId]) -> Option<Backfill> {
        let next = self.backfills.iter().find(|(backfill, open)| *open && zaps.contains(&backfill.zap));
        next.map(|(backfill, _)| backfill.clone())
    }

    pub(super) fn is_open(&self, id: BackfillId) -> bool {
        self.backfills.iter().any(|(backfill, open)| *open && backfill.id == id)
    }

    pub(super) fn step(&mut self, step: BackfillStep, fired: u64) {
        let Some((backfill, _)) = self.backfills.iter_mut().find(|(known, _)| known.id == step.id) else {
            return;
        };
        backfill.rows += step.rows;
        backfill.fired += fired;
        if let Some(next) = step.next {
            backfill.places.retain(|(query, _)| *query != step.query);
            backfill.places.push((step.query, next));
            backfill.places.sort();
        }
    }

    pub(super) fn end(&mut self, id: BackfillId) {
        self.backfills.iter_mut().filter(|(known, _)| known.id == id).for_each(|(_, open)| *open = false);
    }
}
