//! What is read beside the work of the day: looks, deep sweeps, backfills.

use zaprun_engine::ports::Swept;
use zaprun_engine::report::Event;

use super::{Told, Weight, lag_text, tried_again};
use crate::output::{count, thousands};

pub(super) fn tell(event: &Event, once: bool) -> Told {
    match event {
        Event::Looked { connection, query, walked, .. } => {
            let text = if *walked { "read to its end" } else { "nothing has changed" };
            Told::new(Weight::Detail, text).at(connection).of(query)
        }
        Event::DeepSwept { swept, took } => {
            let Swept { connection, query, rows, late, unknown, .. } = swept;
            let text = format!(
                "read the last 48 hours of {query} again, {} in {}: {} late, {} unknown",
                count(*rows, "row", "rows"),
                lag_text(*took),
                thousands(*late),
                thousands(*unknown),
            );
            let (weight, hint) = match (late, unknown) {
                (0, 0) => (Weight::Detail, None),
                (_, 0) => (Weight::Warning, Some("they are dealt with now; the CRM showed them too late")),
                _ => (Weight::Trouble, Some("these rows are in no ledger; it is tried again")),
            };
            Told::new(weight, text).at(connection).of(query).hint(hint.map(str::to_owned))
        }
        Event::SweepFailed { connection, query, cause, retry_at } => {
            let text =
                format!("the last 48 hours could not be read again: {cause}{}", tried_again(*retry_at, once));
            Told::new(Weight::Warning, text).at(connection).of(query)
        }
        Event::Backfilling { zap, next, last, rows, fired, .. } => {
            let text = format!(
                "backfill is at {next}, up to {last}: {}, {} new",
                count(*rows, "record", "records"),
                thousands(*fired)
            );
            Told::new(Weight::Note, text).zap(zap)
        }
        Event::Backfilled { zap, first, last, rows, fired, unstable } => {
            let text = format!(
                "backfill from {first} to {last} is done: {}, {} new",
                count(*rows, "record", "records"),
                thousands(*fired)
            );
            let hint = unstable.then(|| {
                "rows left while they were read; the same backfill once more finds what slipped by".to_owned()
            });
            Told::new(Weight::Note, text).zap(zap).hint(hint)
        }
        Event::BackfillFailed { zap, cause, retry_at } => {
            let text = format!("backfill cannot go on: {cause}{}", tried_again(*retry_at, once));
            Told::new(Weight::Warning, text).zap(zap)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}
