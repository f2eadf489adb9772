//! A transaction, as changes see it.

use crate::fault;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::path::Path;
use zaprun_engine::ports::{StoreError, ZapId};

/// A transaction as a change sees it.
pub(crate) struct Tx<'a> {
    /// The connection, within the transaction.
    pub(crate) conn: &'a Connection,
    /// The database, for messages.
    pub(crate) path: &'a Path,
    /// Numbers of kinds, as far as known.
    pub(super) kinds: &'a mut HashMap<String, i64>,
    /// Whether zaprun has touched any order, as far as known; most states know of none.
    pub(crate) touches: &'a mut bool,
    /// What is to be counted with the commit, by zap and state.
    pub(super) tally: &'a mut HashMap<(i64, i64), i64>,
    /// The id of the next run.
    pub(super) next_run: i64,
}

impl Tx<'_> {
    /// Turns an error of SQLite into the port's.
    pub(crate) fn fault(&self, error: &rusqlite::Error) -> StoreError {
        fault::sql(self.path, error)
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.conn.prepare_cached(sql).and_then(|mut s| s.execute(params)).map_err(|e| self.fault(&e))
    }

    /// The first row of a query, when it has one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params, row).optional())
            .map_err(|e| self.fault(&e))
    }

    /// The number of a kind of event, given now if it has none.
    pub(crate) fn kind(&mut self, name: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.kinds.get(name) {
            return Ok(*id);
        }
        self.execute("INSERT OR IGNORE INTO kind (name) VALUES (?1)", [name])?;
        let id = self
            .first("SELECT id FROM kind WHERE name = ?1", [name], |row| row.get(0))?
            .ok_or_else(|| fault::damaged(self.path))?;
        self.kinds.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Counts `by` more of a state (or of a `TALLY_…`) for a zap.
    pub(crate) fn count(&mut self, zap: ZapId, state: i64, by: i64) {
        *self.tally.entry((zap.0, state)).or_default() += by;
    }

    /// The id of the next run to be made.
    pub(crate) fn new_run(&mut self) -> i64 {
        let id = self.next_run;
        self.next_run += 1;
        id
    }
}
