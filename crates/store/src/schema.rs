//! The tables, their history, and how a connection is set up.

use crate::fault;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use zaprun_engine::ports::StoreError;

/// `PRAGMA application_id` of a state of zaprun: the letters `zapr`.
pub(crate) const APPLICATION_ID: u32 = 0x7a61_7072;

/// Steps from one version of the schema to the next; the first makes an empty file a state. Only ever append.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
    include_str!("schema/v6.sql"),
    include_str!("schema/v7.sql"),
    include_str!("schema/v8.sql"),
    include_str!("schema/v9.sql"),
    include_str!("schema/v10.sql"),
];

/// The version this program reads and writes.
pub(crate) fn current_version() -> u32 {
    // A handful of migrations.
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// What a database says it is.
pub(crate) struct Stamp {
    pub(crate) application: u32,
    pub(crate) version: u32,
    pub(crate) tables: i64,
}

impl Stamp {
    /// Reads it from the schema called `schema` of a connection (`main`, or an attached one).
    pub(crate) fn read(conn: &Connection, schema: &str) -> rusqlite::Result<Stamp> {
        let number =
            |pragma: &str| conn.query_row(&format!("PRAGMA {schema}.{pragma}"), [], |row| row.get(0));
        Ok(Stamp {
            application: number("application_id")?,
            version: number("user_version")?,
            tables: conn
                .query_row(&format!("SELECT count(*) FROM {schema}.sqlite_schema"), [], |row| row.get(0))?,
        })
    }

    /// Nothing was ever written to it.
    pub(crate) fn is_blank(&self) -> bool {
        self.application == 0 && self.version == 0 && self.tables == 0
    }

    /// That it is a state, and none of a newer version.
    pub(crate) fn check(&self, path: &Path) -> Result<(), StoreError> {
        if self.application != APPLICATION_ID {
            return Err(fault::unusable(path, "it is a database of another program"));
        }
        newer(path, self.version)?;
        if self.version == 0 || self.tables == 0 {
            return Err(fault::damaged(path));
        }
        Ok(())
    }

    /// That a reader, who may not migrate, understands it.
    pub(crate) fn check_for_reading(&self, path: &Path) -> Result<(), StoreError> {
        if self.is_blank() {
            return Err(StoreError::Missing { path: path.display().to_string() });
        }
        self.check(path)?;
        if self.version < current_version() {
            return Err(StoreError::Older { path: path.display().to_string(), version: self.version });
        }
        Ok(())
    }
}

/// Refuses a schema that a later zaprun wrote.
pub(crate) fn newer(path: &Path, version: u32) -> Result<(), StoreError> {
    if version > current_version() {
        let known = current_version();
        return Err(StoreError::Newer { path: path.display().to_string(), version, known });
    }
    Ok(())
}

/// Settings for the connection that writes a file.
pub(crate) fn prepare_writer(conn: &Connection, busy: Duration, blank: bool) -> rusqlite::Result<()> {
    common(conn, busy)?;
    if blank {
        // Three records of 2 KB fit a page of 8 KiB nearly without waste; of 4 KiB they would waste almost half.
        conn.execute_batch("PRAGMA page_size = 8192;")?;
    }
    // WAL: readers look on while the engine writes, and a commit is one append.
    // FULL: the log is flushed at every commit. With NORMAL the last commits vanish on power loss, and what was
    // answered as kept (an attempt that moves money, a ledger key) would not be. fullfsync says the same to macOS.
    // What is deleted is overwritten: it tells of people.
    // A checkpoint every 16 MiB instead of 4: pages that change often are then copied back once, not four times.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA secure_delete = ON;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA wal_autocheckpoint = 2000;
         PRAGMA journal_size_limit = 67108864;",
    )
}

/// Settings that every connection takes, also to a database in memory.
pub(crate) fn common(conn: &Connection, busy: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy)?;
    conn.set_prepared_statement_cache_capacity(64);
    // The file is input like any other: its schema may not call functions, and a broken page is noticed on reading.
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;",
    )
}

/// Brings a database up to the present version, each step in its own transaction.
pub(crate) fn migrate(conn: &Connection, from: u32) -> rusqlite::Result<()> {
    for (version, step) in (1u32..).zip(MIGRATIONS) {
        if version <= from {
            continue;
        }
        let whole = format!(
            "BEGIN IMMEDIATE;\n{step}\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {version};\nCOMMIT;"
        );
        if let Err(error) = conn.execute_batch(&whole) {
            if !conn.is_autocommit() {
                // The first error is the one to tell; closing the connection rolls back as well.
                let _ = conn.execute_batch("ROLLBACK");
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Statements that empty every table but `meta`, children before parents.
pub(crate) fn wipe() -> String {
    const CHILDREN_FIRST: &[&str] = &[
        "tally",
        "asked",
        "attempt",
        "response",
        "step",
        "serial",
        "begun",
        "aside",
        "run",
        "event",
        "once",
        "ledger",
        "touched",
        "swept",
        "backfill_place",
        "backfill",
        "cursor",
        "spent",
        "spent_day",
        "absence",
        "source",
        "revision",
        "former",
        "zap",
        "kind",
        "alert",
        "vault",
    ];
    CHILDREN_FIRST.iter().map(|table| format!("DELETE FROM main.{table};")).collect()
}

/// How SQLite goes about a statement, a line for each loop.
#[cfg(test)]
pub(crate) fn plan(sql: &str) -> rusqlite::Result<String> {
    let conn = Connection::open_in_memory()?;
    migrate(&conn, 0)?;
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let values = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::begun;

    /// Who waited for a buyer's write still does.
    #[test]
    fn an_open_write_of_an_older_state_keeps_its_serial() -> Result<(), rusqlite::Error> {
        let conn = Connection::open_in_memory()?;
        common(&conn, Duration::ZERO)?;
        MIGRATIONS.iter().take(4).try_for_each(|step| conn.execute_batch(step))?;
        conn.execute_batch(
            "INSERT INTO zap VALUES (1, 'a', 'a', 's', 0, 1, 0, NULL, 1);
             INSERT INTO revision VALUES (1, 1, 'c', NULL, 0);
             INSERT INTO kind VALUES (1, 'new_sale');
             INSERT INTO event (id, kind, key, at, seen_at, record) VALUES (1, 1, 'k', 0, 0, x'7b7d');
             INSERT INTO run (id, zap, event, revision, key_base, state, follows, tries, created_at, updated_at, word, detail)
                VALUES (1, 1, 1, 1, zeroblob(16), 0, 0, 0, 0, 0, 'uncertain', '');
             INSERT INTO begun (run, step, at, params, before, serial) VALUES (1, 'sell', 7, '[]', 'seen', 'crm 12 a@b');",
        )?;
        migrate(&conn, 4)?;
        begun::release(&conn)?;
        let sql = concat!("SELECT ", begun::begun_columns!(), " FROM begun b");
        let kept = conn.query_row(sql, [], |row| begun::read(row, 0))?;
        let write = kept.and_then(|begun| begun.write);
        assert_eq!(write.map(|write| write.serials), Some(vec!["crm 12 a@b".to_owned()]));
        Ok(())
    }

    /// What a held run of an older state may hang on, told by its last failure.
    #[test]
    fn a_run_that_was_held_before_keeps_its_open_attempt() -> Result<(), rusqlite::Error> {
        let conn = Connection::open_in_memory()?;
        common(&conn, Duration::ZERO)?;
        MIGRATIONS.iter().take(3).try_for_each(|step| conn.execute_batch(step))?;
        conn.execute_batch(
            "INSERT INTO zap VALUES (1, 'a', 'a', 's', 0, 1, 0, NULL, 1);
             INSERT INTO revision VALUES (1, 1, 'c', NULL, 0);
             INSERT INTO kind VALUES (1, 'new_sale');",
        )?;
        for (run, state, word) in
            [(1, 3, "uncertain"), (2, 3, "other"), (3, 4, "uncertain"), (4, 0, "queued")]
        {
            conn.execute_batch(&format!(
                "INSERT INTO event VALUES ({run}, 1, 'k{run}', 0, 0, x'7b7d');
                 INSERT INTO run (id, zap, event, revision, key_base, state, follows, tries, created_at, updated_at, word, detail)
                    VALUES ({run}, 1, {run}, 1, zeroblob(16), {state}, 0, 2, 0, 0, '{word}', '');
                 INSERT INTO attempt VALUES ({run}, 0, 'before', NULL, 1, 5, NULL, 'e', NULL);
                 INSERT INTO attempt VALUES ({run}, 1, 'post', 'k', 2, 7, NULL, 'e', NULL);"
            ))?;
        }
        migrate(&conn, 3)?;
        let sql = concat!("SELECT b.run, ", begun::begun_columns!(), " FROM begun b");
        let mut kept = conn.prepare(sql)?;
        let kept: Vec<_> =
            kept.query_map([], |row| Ok((row.get::<_, i64>(0)?, begun::read(row, 1)?)))?.collect();
        let at = jiff::Timestamp::from_microsecond(7).unwrap_or_default();
        let begun = zaprun_engine::ports::BegunAttempt {
            step: "post".to_owned(),
            element: Some("k".to_owned()),
            at,
            write: None,
        };
        assert_eq!(kept, [Ok((1, Some(begun)))]);
        Ok(())
    }

    /// What was asked of an engine and not answered is still asked.
    #[test]
    fn what_was_asked_of_an_older_state_is_still_asked() -> Result<(), Box<dyn std::error::Error>> {
        use zaprun_engine::ports::{Chosen, Command, Resolution, RunId};
        let conn = Connection::open_in_memory()?;
        common(&conn, Duration::ZERO)?;
        MIGRATIONS.iter().take(5).try_for_each(|step| conn.execute_batch(step))?;
        conn.execute_batch(
            "INSERT INTO zap VALUES (1, 'a', 'a', 's', 0, 1, 0, NULL, 1);
             INSERT INTO revision VALUES (1, 1, 'c', NULL, 0);
             INSERT INTO kind VALUES (1, 'new_sale');
             INSERT INTO event (id, kind, key, at, seen_at, record) VALUES (1, 1, 'k', 0, 0, x'7b7d');
             INSERT INTO run (id, zap, event, revision, key_base, state, follows, created_at, updated_at, word, detail)
                VALUES (1, 1, 1, 1, zeroblob(16), 3, 0, 0, 0, 'uncertain', '');
             INSERT INTO asked (id, run, resolution, at, answer) VALUES (1, 1, 1, 7, NULL), (2, 1, 0, 6, 1);",
        )?;
        migrate(&conn, 5)?;
        let (id, what): (i64, String) =
            conn.query_row("SELECT id, what FROM asked", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let asked = Command::Resolve { runs: vec![Chosen::any(RunId(1))], outcome: Resolution::Failed };
        assert_eq!((id, serde_json::from_str::<Command>(&what)?), (1, asked));
        // What it has deleted so far may still be in its pages.
        assert!(!conn.query_row("SELECT clean FROM meta", [], |row| row.get::<_, bool>(0))?);
        Ok(())
    }
}
