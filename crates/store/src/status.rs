//! How the zaps stand.

use crate::codes::{At, TALLY_PRIMED, TALLY_PRUNED, state_of};
use crate::fault;
use rusqlite::{Connection, OptionalExtension, Row};
use std::path::Path;
use zaprun_engine::ports::{Status, StoreError, ZapStatus};

const ZAPS: &str = "SELECT z.id, z.name, z.opened_at,
        (SELECT min(c.at) FROM cursor c WHERE c.zap = z.id HAVING count(*) >= z.queries)
    FROM zap z ORDER BY z.name";

const TALLY: &str = "SELECT state, n FROM tally WHERE zap = ?1 AND n <> 0 ORDER BY state";

/// Pending runs are found by their index; the oldest has the smallest id.
const OLDEST: &str = "SELECT created_at FROM run WHERE id =
    (SELECT min(id) FROM run INDEXED BY run_due WHERE zap = ?1 AND state = 0)";

const LAST: &str = "SELECT updated_at FROM run INDEXED BY run_history
    WHERE zap = ?1 AND state = 1 AND state > 0 ORDER BY updated_at DESC LIMIT 1";

const LEDGER: &str = "SELECT count(*) FROM ledger WHERE zap = ?1";

/// See `History::status`.
pub(crate) fn status(conn: &Connection, path: &Path, prove: bool) -> Result<Status, StoreError> {
    let read = || -> rusqlite::Result<Status> {
        let mut statement = conn.prepare(ZAPS)?;
        let zaps = statement.query_map([], |row| zap(conn, row, prove))?;
        Ok(Status { zaps: zaps.collect::<Result<_, _>>()? })
    };
    read().map_err(|error| fault::sql(path, &error))
}

fn zap(conn: &Connection, row: &Row<'_>, prove: bool) -> rusqlite::Result<ZapStatus> {
    let id: i64 = row.get(0)?;
    let instant = |sql: &str| -> rusqlite::Result<_> {
        let found = conn.prepare_cached(sql)?.query_row([id], |row| row.get::<_, At>(0)).optional()?;
        Ok(found.map(|at| at.0))
    };
    let number = |n: i64| u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, n));
    let mut status = ZapStatus {
        name: row.get(1)?,
        opened_at: row.get::<_, At>(2)?.0,
        runs: Vec::new(),
        primed: 0,
        pruned: 0,
        ledger: None,
        cursor: row.get::<_, Option<At>>(3)?.map(|at| at.0),
        oldest_pending: instant(OLDEST)?,
        last_success: instant(LAST)?,
    };
    if prove {
        status.ledger = Some(number(conn.prepare_cached(LEDGER)?.query_row([id], |row| row.get(0))?)?);
    }
    let mut tally = conn.prepare_cached(TALLY)?;
    let mut rows = tally.query([id])?;
    while let Some(row) = rows.next()? {
        let (code, n) = (row.get::<_, i64>(0)?, number(row.get(1)?)?);
        match (state_of(code), code) {
            (Some(state), _) => status.runs.push((state, n)),
            (None, TALLY_PRIMED) => status.primed = n,
            (None, TALLY_PRUNED) => status.pruned = n,
            (None, _) => {}
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    #[test]
    fn what_is_asked_of_a_zap_is_found_by_an_index() -> Result<(), rusqlite::Error> {
        for sql in [super::OLDEST, super::LAST, super::TALLY, super::LEDGER] {
            let plan = plan(sql)?;
            assert!(!plan.contains("SCAN") && !plan.contains("B-TREE"), "{sql}: {plan}");
        }
        Ok(())
    }
}
