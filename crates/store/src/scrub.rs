//! Getting what was deleted out of the files.
//!
//! SQLite overwrites what is deleted (`secure_delete`), but the log still holds pages as they were, and a state that an
//! older zaprun has written holds what was deleted then. The log is folded and emptied, and such a state is once written
//! anew.

use crate::fault;
use rusqlite::Connection;
use std::path::Path;
use zaprun_engine::ports::StoreError;

/// Overwrites what was deleted.
pub(crate) fn scrub(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |error: rusqlite::Error| fault::sql(path, &error);
    let clean: bool = conn.query_row("SELECT clean FROM meta", [], |row| row.get(0)).map_err(sql)?;
    if !clean {
        conn.execute_batch("VACUUM; UPDATE meta SET clean = 1;").map_err(sql)?;
    }
    // The first column says whether somebody was in the way; the time to wait for that is the connection's.
    let busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(sql)?;
    match busy {
        false => Ok(()),
        true => Err(StoreError::Io {
            reason: "what was deleted is still in its log, which another program reads; do it again"
                .to_owned(),
        }),
    }
}
