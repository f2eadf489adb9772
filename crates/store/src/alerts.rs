//! What was told of alerts, and what they are made from.

use crate::codes::{At, StateColumn};
use crate::fault;
use crate::store::SqliteStore;
use crate::writer::Tx;
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::path::Path;
use zaprun_engine::ports::{AlertRow, AlertStore, RunId, Standing, StoreError};

const ALERTS: &str = "SELECT kind, subject, target, since, told, told_at, over FROM alert";

const KEEP: &str = "INSERT INTO alert (kind, subject, target, since, told, told_at, over)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
     ON CONFLICT (kind, subject, target) DO UPDATE
     SET since = excluded.since, told = excluded.told, told_at = excluded.told_at, over = excluded.over";

const FORGET: &str = "DELETE FROM alert WHERE kind = ?1 AND subject = ?2 AND target = ?3";

/// Runs that need a person are few, and have an index of their own.
const STANDING: &str = "SELECT z.name, s.state, s.many, s.first, s.last, r.word
     FROM (SELECT zap, state, count(*) AS many, min(id) AS first, max(id) AS last
           FROM run INDEXED BY run_attention WHERE state >= 3 AND state IN (3, 4) GROUP BY zap, state) s
     CROSS JOIN zap z ON z.id = s.zap
     CROSS JOIN run r ON r.id = s.last";

/// The last run made is the one of the highest id.
const LAST_MADE: &str = "SELECT l.name, r.created_at
     FROM (SELECT z.name, (SELECT max(id) FROM run INDEXED BY run_of_zap WHERE zap = z.id) AS run FROM zap z) l
     CROSS JOIN run r ON r.id = l.run";

fn alerts(conn: &Connection) -> rusqlite::Result<Vec<AlertRow>> {
    let mut statement = conn.prepare_cached(ALERTS)?;
    let rows = statement.query_map([], |row| {
        Ok(AlertRow {
            kind: row.get(0)?,
            subject: row.get(1)?,
            target: row.get(2)?,
            since: row.get::<_, At>(3)?.0,
            told: row.get::<_, i64>(4)?.unsigned_abs(),
            told_at: row.get::<_, Option<At>>(5)?.map(|at| at.0),
            over: row.get(6)?,
        })
    })?;
    rows.collect()
}

fn keep(tx: &Tx<'_>, rows: &[AlertRow]) -> Result<(), StoreError> {
    for row in rows {
        let told = i64::try_from(row.told).unwrap_or(i64::MAX);
        let (since, told_at) = (At(row.since), row.told_at.map(At));
        tx.execute(KEEP, params![row.kind, row.subject, row.target, since, told, told_at, row.over])?;
    }
    Ok(())
}

fn forget(tx: &Tx<'_>, rows: &[AlertRow]) -> Result<(), StoreError> {
    for row in rows {
        tx.execute(FORGET, params![row.kind, row.subject, row.target])?;
    }
    Ok(())
}

fn standing(conn: &Connection) -> rusqlite::Result<Vec<Standing>> {
    let mut statement = conn.prepare_cached(STANDING)?;
    let rows = statement.query_map([], |row| {
        Ok(Standing {
            zap: row.get(0)?,
            state: row.get::<_, StateColumn>(1)?.0,
            count: row.get::<_, i64>(2)?.unsigned_abs(),
            first: RunId(row.get(3)?),
            last: RunId(row.get(4)?),
            word: row.get(5)?,
        })
    })?;
    rows.collect()
}

fn last_made(conn: &Connection) -> rusqlite::Result<Vec<(String, Timestamp)>> {
    let mut statement = conn.prepare_cached(LAST_MADE)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)))?;
    rows.collect()
}

/// A look whose errors are the port's.
fn told<T>(
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> impl FnOnce(&Connection, &Path) -> Result<T, StoreError> {
    move |conn, path| read(conn).map_err(|error| fault::sql(path, &error))
}

#[async_trait]
impl AlertStore for SqliteStore {
    async fn alerts(&self) -> Result<Vec<AlertRow>, StoreError> {
        self.look(told(alerts)).await
    }

    async fn keep_alerts(&self, rows: Vec<AlertRow>) -> Result<(), StoreError> {
        self.mailbox.change(1 + rows.len(), move |tx| keep(tx, &rows)).await
    }

    async fn forget_alerts(&self, rows: Vec<AlertRow>) -> Result<(), StoreError> {
        self.mailbox.change(1 + rows.len(), move |tx| forget(tx, &rows)).await
    }

    async fn standing(&self) -> Result<Vec<Standing>, StoreError> {
        self.look(told(standing)).await
    }

    async fn last_made(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.look(told(last_made)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    #[test]
    fn no_look_reads_runs_that_ended_well() -> Result<(), rusqlite::Error> {
        assert!(plan(STANDING)?.contains("SEARCH run USING INDEX run_attention"), "{}", plan(STANDING)?);
        let made = plan(LAST_MADE)?;
        assert!(made.contains("COVERING INDEX run_of_zap (zap=?)"), "{made}");
        Ok(())
    }
}
