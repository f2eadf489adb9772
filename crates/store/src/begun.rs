//! Attempts whose outcome is open: what was sent, and which other runs must wait for it.

use crate::codes::At;
use crate::runs::{self, Before};
use crate::writer::Tx;
use crate::{fault, touched};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;
use zaprun_engine::ports::{Begun, BegunAttempt, BegunWrite, Own, RunId, RunState, StoreError};

/// The columns of an attempt `b`, of an outer join.
macro_rules! begun_columns {
    () => {
        "b.step, b.element, b.at, b.params, b.before, b.looked, b.looked_at,
         (SELECT json_group_array(s.serial) FROM serial s WHERE s.run = b.run)"
    };
}
pub(crate) use begun_columns;

/// A run whose open attempt has this serial.
const OF_SERIAL: &str = "SELECT run FROM serial WHERE serial = ?1 AND run <> ?2";

/// Gives back what a run held when the process ended while it looked at the CRM: nothing had left, and its zap may be
/// gone. Between a lead and its sale the serials stay held.
const RELEASE: &[&str] = &[
    "DELETE FROM begun WHERE params IS NOT NULL AND before IS NULL AND NOT EXISTS (
        SELECT 1 FROM step s
        WHERE s.run = begun.run AND s.step = begun.step || '.lead' AND s.element IS begun.element)",
    "DELETE FROM serial WHERE NOT EXISTS (SELECT 1 FROM begun b WHERE b.run = serial.run)",
];

/// See [`RELEASE`].
pub(crate) fn release(conn: &Connection) -> rusqlite::Result<()> {
    RELEASE.iter().try_for_each(|sql| conn.execute(sql, []).map(drop))
}

/// Reads an attempt from [`begun_columns`], which begin at `first`.
pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<BegunAttempt>> {
    let Some(step) = row.get::<_, Option<String>>(first)? else { return Ok(None) };
    let write = match row.get::<_, Option<String>>(first + 3)? {
        None => None,
        Some(params) => Some(read_write(row, first, &params)?),
    };
    let (element, at) = (row.get(first + 1)?, row.get::<_, At>(first + 2)?.0);
    Ok(Some(BegunAttempt { step, element, at, write }))
}

fn read_write(row: &Row<'_>, first: usize, params: &str) -> rusqlite::Result<BegunWrite> {
    let broken = |error| rusqlite::Error::FromSqlConversionFailure(first + 3, Type::Text, Box::new(error));
    let looked = match row.get::<_, Option<String>>(first + 5)? {
        None => None,
        Some(state) => Some((state, row.get::<_, At>(first + 6)?.0)),
    };
    let serials: String = row.get(first + 7)?;
    Ok(BegunWrite {
        params: serde_json::from_str(params).map_err(broken)?,
        before: row.get(first + 4)?,
        serials: serde_json::from_str(&serials).map_err(broken)?,
        looked,
    })
}

/// The open attempt of a run.
pub(crate) fn of(tx: &Tx<'_>, run: RunId) -> Result<Option<BegunAttempt>, StoreError> {
    const OF_RUN: &str = concat!("SELECT ", begun_columns!(), " FROM begun b WHERE b.run = ?1");
    Ok(tx.first(OF_RUN, [run.0], |row| read(row, 0))?.flatten())
}

/// Keeps the one open attempt of a run, or that it has none.
pub(crate) fn keep(tx: &Tx<'_>, run: RunId, begun: Option<&BegunAttempt>) -> Result<(), StoreError> {
    let Some(begun) = begun else {
        // Nearly every run: nothing is open, and so no serial is held.
        if tx.execute("DELETE FROM begun WHERE run = ?1", [run.0])? > 0 {
            tx.execute("DELETE FROM serial WHERE run = ?1", [run.0])?;
        }
        return Ok(());
    };
    tx.execute("DELETE FROM serial WHERE run = ?1", [run.0])?;
    let write = begun.write.as_ref();
    // Pairs of texts always serialise.
    let params = write.map(|write| serde_json::to_string(&write.params).unwrap_or_default());
    let looked = write.and_then(|write| write.looked.as_ref());
    tx.execute(
        "INSERT OR REPLACE INTO begun (run, step, element, at, params, before, looked, looked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            run.0,
            begun.step,
            begun.element,
            At(begun.at),
            params,
            write.and_then(|write| write.before.as_ref()),
            looked.map(|(state, _)| state),
            looked.map(|(_, at)| At(*at)),
        ],
    )?;
    for serial in write.map(|write| write.serials.iter()).into_iter().flatten() {
        tx.execute("INSERT OR IGNORE INTO serial (serial, run) VALUES (?1, ?2)", params![serial, run.0])?;
    }
    Ok(())
}

/// See `Store::begin_attempt`.
pub(crate) fn begin(tx: &Tx<'_>, run: RunId, attempt: &BegunAttempt) -> Result<Begun, StoreError> {
    let Before { state, .. } = runs::before(tx, run)?;
    if state != RunState::Pending {
        return Err(fault::refused(format!("run {run} has ended; no attempt may begin")));
    }
    for serial in attempt.write.as_ref().map(|write| write.serials.iter()).into_iter().flatten() {
        if let Some(other) = tx.first(OF_SERIAL, params![serial, run.0], |row| row.get(0))? {
            return Ok(Begun::Waits(RunId(other)));
        }
    }
    keep(tx, run, Some(attempt))?;
    Ok(Begun::Yes)
}

/// See `Store::own`.
pub(crate) fn own(
    conn: &Connection,
    path: &Path,
    order: &str,
    serial: Option<&str>,
) -> Result<Own, StoreError> {
    let read = || -> rusqlite::Result<Own> {
        // No run has the id 0.
        let open = match serial {
            Some(serial) => conn.prepare_cached(OF_SERIAL)?.exists(params![serial, 0])?,
            None => false,
        };
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(2)?));
        let known = conn.prepare_cached(touched::FIND)?.query_row([order], read).optional()?;
        let (made, sold) = known.unwrap_or((false, false));
        Ok(Own { made, sold, open })
    };
    read().map_err(|error| fault::sql(path, &error))
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    #[test]
    fn an_open_serial_is_found_by_a_seek() -> Result<(), rusqlite::Error> {
        let plan = plan(super::OF_SERIAL)?;
        assert!(plan.starts_with("SEARCH serial USING PRIMARY KEY (serial=?"), "{plan}");
        Ok(())
    }
}
