//! A person's word on held runs.

use super::{Done, Found};
use crate::aside::{self, Aside};
use crate::codes::{At, PENDING, state_code};
use crate::writer::Tx;
use crate::{begun, runs};
use jiff::Timestamp;
use rusqlite::params;
use zaprun_engine::ports::{CAUGHT_UP, LIMIT, Resolution, RunReason, RunState, StoreError};

/// Resolves a held run. Its open attempt becomes a finished step, and the run goes on after it. One that is held for
/// another reason goes on as it is, or ends by way of its `on_failure` steps.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    run: &Found,
    outcome: Resolution,
    now: Timestamp,
) -> Result<Done, StoreError> {
    if run.state != RunState::Held {
        return Ok(Err("it is not held".to_owned()));
    }
    let open = begun::of(tx, run.id)?;
    if let Some(open) = &open {
        let steps = runs::steps(tx.conn, run.id).map_err(|error| tx.fault(&error))?;
        let record = open.resolved(outcome, &run.was, run.attempts, &steps, now);
        runs::insert_step(tx, run.id, run.settled, &record, true)?;
        begun::keep(tx, run.id, None)?;
    }
    tx.execute(
        // What was counted for the retries of the settled step does not count for the next one.
        "UPDATE run SET state = 0, word = 'queued', detail = '', due_at = ?2, updated_at = ?2,
                settled = settled + ?3, attempts = iif(?3, 0, attempts),
                retrying_since = iif(?3, NULL, retrying_since)
         WHERE id = ?1",
        params![run.id.0, At(now), open.is_some()],
    )?;
    let known = aside::read(tx.conn, run.id, run.aside).map_err(|error| tx.fault(&error))?;
    // A person has looked at the chain; it counts anew.
    let mut now = Aside { depth: 0, ..known.clone() };
    now.let_through |= [LIMIT, CAUGHT_UP].contains(&run.was.word.as_str()) && outcome == Resolution::Done;
    if open.is_none() && outcome == Resolution::Failed {
        let word = run.was.word.clone();
        now.failing.get_or_insert(RunReason { word, detail: "given up by a person".to_owned() });
    }
    if now != known {
        aside::keep(tx, run.id, &now)?;
    }
    tx.count(run.zap, state_code(RunState::Held), -1);
    tx.count(run.zap, PENDING, 1);
    Ok(Ok(run.zap))
}

/// `run.state` of pending runs is spelt `0` above.
const _: () = assert!(PENDING == 0);
