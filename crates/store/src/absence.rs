//! Times during which zaps were switched off.

use crate::codes::At;
use crate::fault;
use crate::writer::Tx;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::path::Path;
use zaprun_engine::ports::{Absence, Fate, OffZap, StoreError, ZapId};

/// See `Store::switched_off`.
pub(crate) fn begin(tx: &Tx<'_>, off: &OffZap) -> Result<(), StoreError> {
    let by_name = |name: &str| tx.first("SELECT id FROM zap WHERE name = ?1", [name], |row| row.get(0));
    let known: Option<i64> = match (by_name(&off.name)?, &off.formerly) {
        (None, Some(former)) => by_name(former)?,
        (known, _) => known,
    };
    let Some(zap) = known else { return Ok(()) };
    let open = "SELECT 1 FROM absence WHERE zap = ?1 AND until IS NULL";
    if tx.first(open, [zap], |_| Ok(()))?.is_none() {
        tx.execute(
            "INSERT INTO absence (zap, since) VALUES (?1, ?2) ON CONFLICT (zap, since) DO UPDATE SET until = NULL",
            params![zap, At(off.now)],
        )?;
    }
    Ok(())
}

/// The zap is switched on: it is not off any more from `now` on.
pub(crate) fn end(tx: &Tx<'_>, zap: ZapId, now: Timestamp) -> Result<Vec<Absence>, StoreError> {
    // A clock that was set back ends it when it began.
    tx.execute(
        "UPDATE absence SET until = max(since, ?2) WHERE zap = ?1 AND until IS NULL",
        params![zap.0, At(now)],
    )?;
    all(tx.conn, tx.path, zap)
}

/// See `Store::absences`.
pub(crate) fn all(conn: &Connection, path: &Path, zap: ZapId) -> Result<Vec<Absence>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Absence>> {
        let mut statement = conn.prepare_cached(
            "SELECT since, until, held, dropped, told FROM absence
             WHERE zap = ?1 AND until IS NOT NULL ORDER BY since",
        )?;
        let rows = statement.query_map([zap.0], |row| {
            Ok(Absence {
                since: row.get::<_, At>(0)?.0,
                until: row.get::<_, At>(1)?.0,
                held: row.get(2)?,
                dropped: row.get(3)?,
                told: row.get(4)?,
            })
        })?;
        rows.collect()
    };
    read().map_err(|error| fault::sql(path, &error))
}

/// Counts an event that was held or dropped in the time during which it happened; in the last one where their clock and
/// ours disagree about that.
pub(crate) fn count(tx: &Tx<'_>, zap: ZapId, at: Timestamp, fate: Fate) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE absence SET held = held + ?3, dropped = dropped + ?4 WHERE zap = ?1 AND since = (
            SELECT a.since FROM absence a WHERE a.zap = ?1 AND a.until IS NOT NULL
            ORDER BY (a.since <= ?2 AND ?2 < a.until) DESC, a.since DESC LIMIT 1)",
        params![zap.0, At(at), fate == Fate::Hold, fate == Fate::Drop],
    )?;
    Ok(())
}

/// See `Store::absences_told`.
pub(crate) fn told(tx: &Tx<'_>, zap: ZapId, absences: &[Absence]) -> Result<(), StoreError> {
    for absence in absences {
        tx.execute(
            "UPDATE absence SET told = ?3 WHERE zap = ?1 AND since = ?2",
            params![zap.0, At(absence.since), absence.held.saturating_add(absence.dropped)],
        )?;
    }
    Ok(())
}
