//! Giving runs up.

use super::{Done, Found};
use crate::aside::{self, Aside};
use crate::codes::{At, capped_text, state_code};
use crate::writer::Tx;
use crate::{begun, runs};
use jiff::Timestamp;
use rusqlite::params;
use zaprun_engine::ports::{BegunAttempt, RunState, StoreError, drop_refusal, dropped};

/// Drops a run that waits or was given up. An attempt of which nobody knows how it ended becomes a failed step that says
/// so, and holds no other run up any more.
pub(super) fn drop(tx: &mut Tx<'_>, run: &Found, now: Timestamp) -> Result<Done, StoreError> {
    if let Some(why) = drop_refusal(run.state) {
        return Ok(Err(why));
    }
    let open = begun::of(tx, run.id)?;
    begun::keep(tx, run.id, None)?;
    let left = open.filter(BegunAttempt::has_left);
    if let Some(open) = &left {
        let record = open.abandoned(&run.was, run.attempts, now);
        runs::insert_step(tx, run.id, run.settled, &record, false)?;
    }
    let known = aside::read(tx.conn, run.id, run.aside).map_err(|error| tx.fault(&error))?;
    if known.failing.is_some() {
        aside::keep(tx, run.id, &Aside { failing: None, ..known })?;
    }
    let why = dropped(&run.was);
    tx.execute(
        "UPDATE run SET state = ?2, word = ?3, detail = ?4, due_at = NULL, updated_at = ?5, settled = settled + ?6
         WHERE id = ?1",
        params![
            run.id.0,
            state_code(RunState::Dropped),
            why.word,
            capped_text(&why.detail),
            At(now),
            left.is_some()
        ],
    )?;
    tx.count(run.zap, state_code(run.state), -1);
    tx.count(run.zap, state_code(RunState::Dropped), 1);
    Ok(Ok(run.zap))
}
