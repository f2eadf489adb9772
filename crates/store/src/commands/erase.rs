//! Taking a person out of history.

use super::{Done, Found};
use crate::codes::{At, state_code};
use crate::keys;
use crate::mention::mentions;
use crate::writer::Tx;
use jiff::Timestamp;
use rusqlite::params;
use zaprun_engine::ports::{RunState, StoreError};

/// What of a run may tell of a person. Names of steps, outcomes, times and counts stay.
const OF_RUN: [&str; 6] = [
    "DELETE FROM response WHERE run = ?1",
    "UPDATE step SET reply = NULL, element = NULL, detail = iif(word IS NULL, NULL, '') WHERE run = ?1",
    "UPDATE attempt SET reply = NULL, element = NULL, error = '' WHERE run = ?1",
    "UPDATE aside SET fresh = NULL, failing_detail = iif(failing_word IS NULL, NULL, '') WHERE run = ?1",
    "UPDATE spent SET element = NULL WHERE run = ?1",
    "UPDATE run SET detail = '' WHERE id = ?1",
];

/// Erases what a run that is over tells of a person, its event too. A dead run, which could only be replayed with what is
/// gone, is dropped.
pub(super) fn run(
    tx: &mut Tx<'_>,
    run: &Found,
    values: &[String],
    now: Timestamp,
) -> Result<Done, StoreError> {
    let waits = "SELECT o.id FROM run r JOIN run o INDEXED BY run_event ON o.event = r.event
                 WHERE r.id = ?1 AND o.state IN (0, 3) LIMIT 1";
    match tx.first(waits, [run.id.0], |row| row.get::<_, i64>(0))? {
        Some(other) if other == run.id.0 => {
            let state = if run.state == RunState::Held { "held" } else { "pending" };
            return Ok(Err(format!("it is {state}; once it has ended or is dropped, it can be erased")));
        }
        Some(other) => return Ok(Err(format!("run {other}, of the same event, still waits"))),
        None => {}
    }
    for sql in OF_RUN {
        tx.execute(sql, [run.id.0])?;
    }
    let event = "SELECT e.id, e.kind, e.key FROM run r JOIN event e ON e.id = r.event WHERE r.id = ?1";
    let event = tx.first(event, [run.id.0], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
    })?;
    if let Some((event, kind, key)) = event {
        tx.execute("UPDATE event SET record = x'', context = NULL WHERE id = ?1", [event])?;
        if values.iter().any(|value| mentions(&key, &value.to_lowercase())) {
            let hash = hashed(tx, &key)?;
            tx.execute("UPDATE event SET key = ?2 WHERE id = ?1", params![event, hash])?;
            for zap in zaps(tx)? {
                tx.execute(
                    "UPDATE OR REPLACE ledger SET id = ?4 WHERE zap = ?1 AND id = ?2 AND kind = ?3",
                    params![zap, key, kind, hash],
                )?;
            }
        }
    }
    if run.state == RunState::Dead {
        tx.execute(
            "UPDATE run SET state = ?2, word = 'erased', updated_at = ?3 WHERE id = ?1",
            params![run.id.0, state_code(RunState::Dropped), At(now)],
        )?;
        tx.count(run.zap, state_code(RunState::Dead), -1);
        tx.count(run.zap, state_code(RunState::Dropped), 1);
    }
    Ok(Ok(run.zap))
}

/// Keeps of keys that are one of these values a hash only.
pub(super) fn keys(tx: &mut Tx<'_>, values: &[String]) -> Result<(), StoreError> {
    for value in values {
        let hash = hashed(tx, value)?;
        for zap in zaps(tx)? {
            for sql in [
                "UPDATE OR REPLACE once SET value = ?3 WHERE zap = ?1 AND value = ?2",
                "UPDATE OR REPLACE ledger SET id = ?3 WHERE zap = ?1 AND id = ?2",
            ] {
                tx.execute(sql, params![zap, value, hash])?;
            }
        }
    }
    Ok(())
}

fn hashed(tx: &Tx<'_>, key: &str) -> Result<String, StoreError> {
    tx.execute("UPDATE meta SET forgot = 1 WHERE forgot = 0", [])?;
    keys::hashed(tx.conn, key).map_err(|error| tx.fault(&error))
}

fn zaps(tx: &Tx<'_>) -> Result<Vec<i64>, StoreError> {
    let read = || -> rusqlite::Result<Vec<i64>> {
        let mut statement = tx.conn.prepare_cached("SELECT id FROM zap")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect()
    };
    read().map_err(|error| tx.fault(&error))
}
