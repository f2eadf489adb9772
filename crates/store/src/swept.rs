//! What deep sweeps have come to.

use crate::codes::{At, TALLY_LATE};
use crate::fault;
use crate::writer::Tx;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;
use zaprun_engine::ports::{StoreError, Sweeps, Swept, ZapId};

const COLUMNS: &str = "SELECT connection, query, at, rows, late, unknown FROM swept";

/// See `Store::swept`.
pub(crate) fn swept(
    conn: &Connection,
    path: &Path,
    connection: &str,
    query: &str,
) -> Result<Option<Swept>, StoreError> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE connection = ?1 AND query = ?2"))
        .and_then(|mut statement| statement.query_row([connection, query], read).optional())
        .map_err(|error| fault::sql(path, &error))
}

/// See `Store::keep_swept`.
pub(crate) fn keep(tx: &Tx<'_>, swept: &Swept) -> Result<(), StoreError> {
    tx.execute(
        "INSERT OR REPLACE INTO swept (connection, query, at, rows, late, unknown) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            swept.connection,
            swept.query,
            At(swept.at),
            number(swept.rows),
            number(swept.late),
            number(swept.unknown)
        ],
    )?;
    Ok(())
}

/// See `History::sweeps`.
pub(crate) fn sweeps(conn: &Connection, path: &Path) -> Result<Sweeps, StoreError> {
    let all = || -> rusqlite::Result<Sweeps> {
        let mut statement = conn.prepare(&format!("{COLUMNS} ORDER BY connection, query"))?;
        let queries = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
        let mut statement = conn.prepare(
            "SELECT z.name, t.n FROM tally t JOIN zap z ON z.id = t.zap WHERE t.state = ?1 AND t.n <> 0
             ORDER BY z.name",
        )?;
        let late = statement.query_map([TALLY_LATE], |row| Ok((row.get(0)?, count(row, 1)?)))?;
        Ok(Sweeps { queries, late: late.collect::<rusqlite::Result<_>>()? })
    };
    all().map_err(|error| fault::sql(path, &error))
}

/// How much is counted for a zap under a state, or a `TALLY_…`.
pub(crate) fn tally(conn: &Connection, path: &Path, zap: ZapId, state: i64) -> Result<u64, StoreError> {
    conn.prepare_cached("SELECT n FROM tally WHERE zap = ?1 AND state = ?2")
        .and_then(|mut statement| statement.query_row(params![zap.0, state], |row| count(row, 0)).optional())
        .map(Option::unwrap_or_default)
        .map_err(|error| fault::sql(path, &error))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Swept> {
    Ok(Swept {
        connection: row.get(0)?,
        query: row.get(1)?,
        at: row.get::<_, At>(2)?.0,
        rows: count(row, 3)?,
        late: count(row, 4)?,
        unknown: count(row, 5)?,
    })
}

/// A count as a column; nobody counts beyond what it holds.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A column as a count.
pub(crate) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(at)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, n))
}
