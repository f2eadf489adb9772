//! What only few runs have, in a table of its own.

use crate::codes::{Blob, capped_text};
use crate::writer::Tx;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zaprun_engine::ports::{RunId, RunReason, StoreError};

/// What a run has beside the rest; most have nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Aside {
    /// How many of zaprun's own writes led to it.
    pub(crate) depth: u32,
    /// Why it will end dead.
    pub(crate) failing: Option<RunReason>,
    /// Its record, read again.
    pub(crate) fresh: Option<Bytes>,
    /// Whether a person let it through the limits of its zap.
    pub(crate) let_through: bool,
}

/// What a run has, whose `run.aside` is `there`.
pub(crate) fn read(conn: &Connection, run: RunId, there: bool) -> rusqlite::Result<Aside> {
    if !there {
        return Ok(Aside::default());
    }
    let mut statement = conn.prepare_cached(
        "SELECT depth, failing_word, failing_detail, fresh, let_through FROM aside WHERE run = ?1",
    )?;
    Ok(statement.query_row([run.0], read_row).optional()?.unwrap_or_default())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Aside> {
    let failing = match row.get(1)? {
        Some(word) => Some(RunReason { word, detail: row.get(2)? }),
        None => None,
    };
    let fresh = row.get::<_, Option<Blob>>(3)?.map(|blob| blob.0);
    Ok(Aside { depth: row.get(0)?, failing, fresh, let_through: row.get(4)? })
}

/// Keeps what a run has.
pub(crate) fn keep(tx: &Tx<'_>, run: RunId, aside: &Aside) -> Result<(), StoreError> {
    let Aside { depth, failing, fresh, let_through } = aside;
    tx.execute(
        "INSERT OR REPLACE INTO aside (run, depth, failing_word, failing_detail, fresh, let_through)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            run.0,
            depth,
            failing.as_ref().map(|failing| capped_text(&failing.word)),
            failing.as_ref().map(|failing| capped_text(&failing.detail)),
            fresh.as_deref(),
            let_through,
        ],
    )?;
    tx.execute("UPDATE run SET aside = 1 WHERE id = ?1 AND aside = 0", [run.0])?;
    Ok(())
}
