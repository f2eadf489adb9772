//! A person's word on held runs.

use crate::aside::{self, Aside};
use crate::codes::{At, PENDING, ResolutionColumn, state_code};
use crate::writer::Tx;
use crate::{begun, fault, runs};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::path::Path;
use zaprun_engine::ports::{CAUGHT_UP, LIMIT, Resolution, RunId, RunReason, RunState, StoreError, ZapId};

/// What waits for an answer.
const OPEN: &str = "SELECT id, run, resolution FROM asked INDEXED BY asked_open WHERE answer IS NULL";

/// The attempt that a person is to settle.
const OPEN_ATTEMPT: &str = concat!("SELECT ", begun::begun_columns!(), " FROM begun b WHERE b.run = ?1");

/// Whether other programs have asked for anything.
pub(crate) fn asked(conn: &Connection, path: &Path) -> Result<bool, StoreError> {
    conn.prepare_cached(OPEN).and_then(|mut open| open.exists([])).map_err(|error| fault::sql(path, &error))
}

/// Does what other programs have asked for, and answers them. See `Store::obey`.
pub(crate) fn obey(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<ZapId>, StoreError> {
    let mut zaps = Vec::new();
    for (id, run, resolution) in open(tx)? {
        let zap = resolve(tx, run, resolution, now)?;
        tx.execute("UPDATE asked SET answer = ?2 WHERE id = ?1", params![id, zap.is_some()])?;
        zaps.extend(zap);
    }
    Ok(zaps)
}

fn open(tx: &Tx<'_>) -> Result<Vec<(i64, RunId, Resolution)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let mut statement = tx.conn.prepare_cached(OPEN)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, RunId(row.get(1)?), row.get::<_, ResolutionColumn>(2)?.0))
        })?;
        rows.collect()
    };
    read().map_err(|error| tx.fault(&error))
}

/// Resolves a run; `None` when it is not held. Its open attempt becomes a finished step, and the run goes on after it.
/// One that is held for another reason goes on as it is, or ends by way of its `on_failure` steps.
pub(crate) fn resolve(
    tx: &mut Tx<'_>,
    run: RunId,
    resolution: Resolution,
    now: Timestamp,
) -> Result<Option<ZapId>, StoreError> {
    let before = runs::before(tx, run)?;
    if before.state != RunState::Held {
        return Ok(None);
    }
    let (attempts, was) = counted(tx, run)?;
    let open = tx.first(OPEN_ATTEMPT, [run.0], |row| begun::read(row, 0))?.flatten();
    if let Some(open) = &open {
        let steps = runs::steps(tx.conn, run).map_err(|error| tx.fault(&error))?;
        let record = open.resolved(resolution, &was, attempts, &steps, now);
        runs::insert_step(tx, run, before.settled, &record, true)?;
        begun::keep(tx, run, None)?;
    }
    tx.execute(
        // What was counted for the retries of the settled step does not count for the next one.
        "UPDATE run SET state = 0, word = 'queued', detail = '', due_at = ?2, updated_at = ?2,
                settled = settled + ?3, attempts = iif(?3, 0, attempts),
                retrying_since = iif(?3, NULL, retrying_since)
         WHERE id = ?1",
        params![run.0, At(now), open.is_some()],
    )?;
    let known = aside::read(tx.conn, run, before.aside).map_err(|error| tx.fault(&error))?;
    // A person has looked at the chain; it counts anew.
    let mut now = Aside { depth: 0, ..known.clone() };
    now.let_through |= [LIMIT, CAUGHT_UP].contains(&was.word.as_str()) && resolution == Resolution::Done;
    if open.is_none() && resolution == Resolution::Failed {
        now.failing.get_or_insert(RunReason { word: was.word, detail: "given up by a person".to_owned() });
    }
    if now != known {
        aside::keep(tx, run, &now)?;
    }
    tx.count(before.zap, state_code(RunState::Held), -1);
    tx.count(before.zap, PENDING, 1);
    Ok(Some(before.zap))
}

/// Attempts of the unfinished step, and why the run is held.
fn counted(tx: &Tx<'_>, run: RunId) -> Result<(u32, RunReason), StoreError> {
    tx.first("SELECT attempts, word, detail FROM run WHERE id = ?1", [run.0], |row| {
        Ok((row.get(0)?, RunReason { word: row.get(1)?, detail: row.get(2)? }))
    })?
    .ok_or_else(|| fault::damaged(tx.path))
}

/// `run.state` of pending runs is spelt `0` above.
const _: () = assert!(PENDING == 0);

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    /// The engine asks once a second.
    #[test]
    fn whether_anything_is_asked_is_told_by_an_index() -> Result<(), rusqlite::Error> {
        assert!(plan(super::OPEN)?.contains("USING INDEX asked_open"));
        Ok(())
    }
}
