//! Letting runs that have ended go on, or begin anew.

use super::{Done, Found};
use crate::aside::{self, Aside};
use crate::codes::{At, PENDING, UuidColumn, state_code};
use crate::writer::Tx;
use crate::{fault, limits, runs};
use jiff::Timestamp;
use rusqlite::params;
use zaprun_engine::ports::{Replay, StoreError};

/// Replays a run: what of it is to be done again is set aside, and it is due now.
pub(super) fn replay(tx: &mut Tx<'_>, run: &Found, how: &Replay, now: Timestamp) -> Result<Done, StoreError> {
    let steps = runs::numbered_steps(tx.conn, run.id).map_err(|error| tx.fault(&error))?;
    let counted: Vec<_> = steps.iter().map(|(_, step)| step.clone()).collect();
    if let Some(why) = how.refusal(run.state, &counted) {
        return Ok(Err(why));
    }
    for (seq, _) in steps.iter().filter(|(_, step)| how.does_again(step)) {
        tx.execute("UPDATE step SET past = 1 WHERE run = ?1 AND seq = ?2", params![run.id.0, seq])?;
        tx.execute("DELETE FROM response WHERE run = ?1 AND seq = ?2", params![run.id.0, seq])?;
    }
    let before = tx
        .first("SELECT key_base FROM run WHERE id = ?1", [run.id.0], |row| row.get::<_, UuidColumn>(0))?
        .ok_or_else(|| fault::damaged(tx.path))?;
    tx.execute(
        "UPDATE run SET state = 0, word = 'queued', detail = 'replayed', due_at = ?2, updated_at = ?2, attempts = 0,
                retrying_since = NULL, key_base = ?3, pinned = ?4,
                revision = iif(?4, revision, (SELECT z.revision FROM zap z WHERE z.id = run.zap))
         WHERE id = ?1",
        params![run.id.0, At(now), UuidColumn(how.key_base(before.0, now)), !how.latest],
    )?;
    let anew = how.counts_anew();
    if anew {
        limits::set_free(tx, run.id)?;
    }
    let known = aside::read(tx.conn, run.id, run.aside).map_err(|error| tx.fault(&error))?;
    // A person has looked at the chain; it counts anew.
    let let_through = known.let_through && !anew;
    let now = Aside { depth: 0, failing: None, let_through, ..known.clone() };
    if now != known {
        aside::keep(tx, run.id, &now)?;
    }
    tx.count(run.zap, state_code(run.state), -1);
    tx.count(run.zap, PENDING, 1);
    Ok(Ok(run.zap))
}

/// `run.state` of pending runs is spelt `0` above.
const _: () = assert!(PENDING == 0);
