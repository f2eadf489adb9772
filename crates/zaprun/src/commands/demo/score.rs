//! What the demo counts: per zap, what became of its runs and how long they took.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use zaprun_engine::ports::{Counts, RunState};
use zaprun_engine::report::RunRef;
use zaprun_sandbox::Event as Business;

use crate::output::{Printer, Table, Tone, thousands};
use crate::watch::lag_text;

/// Lags beyond so many per zap are not kept: the newest replace the oldest.
const MOST_LAGS: usize = 100_000;
/// Moments beyond so many are forgotten: those rows concern no zap.
const MOST_MOMENTS: usize = 200_000;

/// Counts over one demo.
#[derive(Debug, Default)]
pub(super) struct Score(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    /// When an order or transaction came to be in the CRM, by id.
    moments: HashMap<String, Timestamp>,
    /// Milliseconds from there to the delivery, by zap.
    lags: HashMap<String, Vec<i128>>,
    events: u64,
    delivered: u64,
}

impl Score {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened in the CRM; how many such things did.
    pub(super) fn happened(&self, event: &Business, now: Timestamp) -> u64 {
        let mut books = self.books();
        books.events += 1;
        if books.moments.len() > MOST_MOMENTS {
            books.moments.clear();
        }
        for id in ids(event) {
            books.moments.insert(id, now);
        }
        books.events
    }

    /// A run was delivered; how long after its row came to be in the CRM, or else as the engine measured.
    pub(super) fn delivered(&self, run: &RunRef, engine: SignedDuration, now: Timestamp) -> SignedDuration {
        let mut books = self.books();
        books.delivered += 1;
        let lag = books.moments.get(&run.event.id).map_or(engine, |moment| now.duration_since(*moment));
        let lags = books.lags.entry(run.zap.clone()).or_default();
        if lags.len() >= MOST_LAGS {
            lags.remove(0);
        }
        lags.push(lag.as_millis());
        lag
    }

    /// Things that happened in the CRM, and runs that were delivered.
    pub(super) fn totals(&self) -> (u64, u64) {
        let books = self.books();
        (books.events, books.delivered)
    }

    /// The table per zap. `duplicates` tells how many requests the sink had seen before, by zap.
    pub(super) fn table(
        &self,
        zaps: &[String],
        counts: &Counts,
        duplicates: &HashMap<String, u64>,
        printer: &Printer,
    ) -> String {
        // Pending runs are shown where there are any: without them a line has 80 columns.
        let waits = counts.runs.iter().any(|(_, state, number)| *state == RunState::Pending && *number > 0);
        let pending = waits.then_some("pending");
        let headings: Vec<&str> = ["zap", "seen", "delivered", "filtered", "dead"]
            .into_iter()
            .chain(pending)
            .chain(["duplicates", "p50", "p95"])
            .collect();
        let numbers: Vec<usize> = (1..headings.len()).collect();
        let mut table = Table::new(printer, &headings).right(&numbers);
        let books = self.books();
        for zap in zaps {
            let of = |state: RunState| {
                let mine = counts.runs.iter().filter(|(name, found, _)| name == zap && *found == state);
                mine.map(|(.., number)| *number).sum::<u64>()
            };
            let seen: u64 =
                counts.runs.iter().filter(|(name, ..)| name == zap).map(|(.., number)| *number).sum();
            let lags = books.lags.get(zap).map_or(&[][..], Vec::as_slice);
            let repeated = duplicates.get(zap).copied().unwrap_or(0);
            let bad = |number: u64| if number > 0 { Tone::Bad } else { Tone::Plain };
            let number = |number: u64, tone: Tone| (thousands(number), tone);
            let dead = of(RunState::Dead) + of(RunState::Held);
            let mut row = vec![
                (zap.clone(), Tone::Plain),
                number(seen, Tone::Plain),
                number(of(RunState::Delivered), Tone::Good),
                number(of(RunState::Filtered), Tone::Plain),
                number(dead, bad(dead)),
            ];
            row.extend(pending.map(|_| number(of(RunState::Pending), Tone::Plain)));
            row.extend([
                number(repeated, bad(repeated)),
                (percentile(lags, 50), Tone::Plain),
                (percentile(lags, 95), Tone::Plain),
            ]);
            table.toned(row);
        }
        table.render()
    }
}

/// The ids by which zaps know what happened: sales by order, charges that failed or went back by transaction.
fn ids(event: &Business) -> Vec<String> {
    match event {
        Business::Lead { order_id }
        | Business::Sale { order_id, .. }
        | Business::Approved { order_id, .. }
        | Business::Cancelled { order_id } => vec![order_id.clone()],
        Business::Declined { transaction_id, .. } | Business::RebillDeclined { transaction_id, .. } => {
            vec![transaction_id.to_string()]
        }
        Business::Refunded { transaction_ids, .. } => {
            transaction_ids.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

/// The least lag that so many percent do not exceed.
fn percentile(lags: &[i128], percent: usize) -> String {
    let mut sorted = lags.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    let found = rank.checked_sub(1).and_then(|at| sorted.get(at));
    found.map_or("-".to_owned(), |millis| {
        lag_text(SignedDuration::from_millis(i64::try_from(*millis).unwrap_or(i64::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let lags: Vec<i128> = (1..=20).rev().map(|number| number * 10).collect();
        assert_eq!(percentile(&lags, 50), "100ms");
        assert_eq!(percentile(&lags, 95), "190ms");
        assert_eq!(percentile(&[7], 95), "7ms");
        assert_eq!(percentile(&[], 50), "-");
    }
}
