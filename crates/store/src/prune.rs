//! Throwing ended runs away once their time is over. What dedupes stays for ever: ledger, `once`, touched orders.

use crate::codes::{At, TALLY_PRUNED, state_code};
use crate::writer::Tx;
use jiff::Timestamp;
use rusqlite::params;
use zaprun_engine::ports::{RunId, RunState, StoreError, ZapId};

/// The states that age. A pending or held run is not over, and a dead one waits for a person, who replays or drops it.
const AGEING: [RunState; 3] = [RunState::Delivered, RunState::Filtered, RunState::Dropped];

/// Runs of a zap in a state that last changed before an instant, the oldest first.
const OVER: &str = "SELECT id, event FROM run INDEXED BY run_history
     WHERE zap = ?1 AND state = ?2 AND state > 0 AND updated_at < ?3 ORDER BY updated_at LIMIT ?4";

/// All that hangs on a run; the run itself last. What it has used up of its zap's limits still counts and goes later, but
/// tells of nobody from now on: who is to be forgotten is looked for in runs.
const OF_RUN: [&str; 8] = [
    "UPDATE spent SET element = NULL WHERE run = ?1",
    "DELETE FROM begun WHERE run = ?1",
    "DELETE FROM serial WHERE run = ?1",
    "DELETE FROM response WHERE run = ?1",
    "DELETE FROM step WHERE run = ?1",
    "DELETE FROM attempt WHERE run = ?1",
    "DELETE FROM aside WHERE run = ?1",
    "DELETE FROM run WHERE id = ?1",
];

/// An event goes with its last run.
const EVENT: &str = "DELETE FROM event WHERE id = ?1
     AND NOT EXISTS (SELECT 1 FROM run INDEXED BY run_event WHERE event = ?1)";

/// See `Store::prune`.
pub(crate) fn prune(tx: &mut Tx<'_>, before: Timestamp, most: usize) -> Result<u64, StoreError> {
    let mut pruned = 0;
    for zap in zaps(tx)? {
        for state in AGEING {
            let left = most.saturating_sub(usize::try_from(pruned).unwrap_or(usize::MAX));
            if left == 0 {
                return Ok(pruned);
            }
            let over = over(tx, zap, state, before, left)?;
            for (run, event) in &over {
                for sql in OF_RUN {
                    tx.execute(sql, [run.0])?;
                }
                tx.execute(EVENT, [event])?;
            }
            // As many as a list in memory has.
            let gone = i64::try_from(over.len()).unwrap_or(i64::MAX);
            tx.count(zap, state_code(state), -gone);
            tx.count(zap, TALLY_PRUNED, gone);
            pruned += over.len() as u64;
        }
    }
    Ok(pruned)
}

fn zaps(tx: &Tx<'_>) -> Result<Vec<ZapId>, StoreError> {
    let read = || -> rusqlite::Result<Vec<ZapId>> {
        let mut statement = tx.conn.prepare_cached("SELECT id FROM zap ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok(ZapId(row.get(0)?)))?;
        rows.collect()
    };
    read().map_err(|error| tx.fault(&error))
}

fn over(
    tx: &Tx<'_>,
    zap: ZapId,
    state: RunState,
    before: Timestamp,
    most: usize,
) -> Result<Vec<(RunId, i64)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(RunId, i64)>> {
        let mut statement = tx.conn.prepare_cached(OVER)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values = params![zap.0, state_code(state), At(before), most];
        let rows = statement.query_map(values, |row| Ok((RunId(row.get(0)?), row.get(1)?)))?;
        rows.collect()
    };
    read().map_err(|error| tx.fault(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{self, plan};
    use rusqlite::{Connection, StatementStatus};

    #[test]
    fn what_is_over_is_found_by_a_seek_and_in_order() -> Result<(), rusqlite::Error> {
        let plan = plan(OVER)?;
        assert!(
            plan.contains("SEARCH run USING INDEX run_history (zap=? AND state=? AND updated_at<?)"),
            "{plan}"
        );
        assert!(!plan.contains("B-TREE"), "{plan}");
        Ok(())
    }

    /// A foreign key without an index would read every run for each event and run that goes.
    #[test]
    fn a_run_goes_at_the_same_cost_however_many_there_are() -> Result<(), rusqlite::Error> {
        let cost = |runs: i64| -> Result<i32, rusqlite::Error> {
            let conn = Connection::open_in_memory()?;
            schema::common(&conn, std::time::Duration::ZERO)?;
            schema::migrate(&conn, 0)?;
            conn.execute_batch(
                "INSERT INTO zap VALUES (1, 'a', 'a', 's', 0, 1, 0, NULL, 1, 0);
                 INSERT INTO revision VALUES (1, 1, 'c', NULL, 0);
                 INSERT INTO kind VALUES (1, 'new_sale');",
            )?;
            for run in 1..=runs {
                conn.execute_batch(&format!(
                    "INSERT INTO event (id, kind, key, at, seen_at, record) VALUES ({run}, 1, 'k{run}', 0, 0, x'7b7d');
                     INSERT INTO run (id, zap, event, revision, key_base, state, follows, created_at, updated_at, word, detail)
                        VALUES ({run}, 1, {run}, 1, zeroblob(16), 1, 0, 0, 0, 'delivered', '');"
                ))?;
            }
            let mut steps = 0;
            for sql in OF_RUN.into_iter().chain([EVENT]) {
                let mut statement = conn.prepare(sql)?;
                statement.execute([1])?;
                steps += statement.get_status(StatementStatus::VmStep);
            }
            Ok(steps)
        };
        let (few, many) = (cost(5)?, cost(500)?);
        assert!(many <= few + 50, "{few} steps among 5 runs, {many} among 500");
        Ok(())
    }
}
