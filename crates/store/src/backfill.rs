//! Backfills: asked for by other programs or the one that holds the state, worked off by the latter.
//!
//! Whoever asks takes no lease. A row that has not ended is the request; whoever asked may look how far it is, and stop it.

use crate::asked;
use crate::codes::At;
use crate::fault;
use crate::swept::{count, number};
use crate::writer::Tx;
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use zaprun_engine::ports::{Backfill, BackfillId, BackfillStep, StoreError, ZapId};

const COLUMNS: &str = "SELECT id, zap, first, last, rows, fired FROM backfill";

/// What waits to be worked off.
const OPEN: &str = "SELECT id, zap, first, last, rows, fired FROM backfill INDEXED BY backfill_open WHERE ended = 0 ORDER BY id";

const READ: i64 = 1;
const STOPPED: i64 = 2;

/// See `Store::place_backfill`.
pub(crate) fn place(
    tx: &Tx<'_>,
    zap: ZapId,
    first: Date,
    last: Date,
    now: Timestamp,
) -> Result<Backfill, StoreError> {
    let placed = insert(tx.conn, zap, first, last, now).map_err(|error| tx.fault(&error))?;
    with_places(tx.conn, placed).map_err(|error| tx.fault(&error))
}

/// The one of the same days that is not over, or a new one.
fn insert(
    conn: &Connection,
    zap: ZapId,
    first: Date,
    last: Date,
    now: Timestamp,
) -> rusqlite::Result<Backfill> {
    let days = params![zap.0, first.to_string(), last.to_string()];
    let same = format!("{COLUMNS} WHERE ended = 0 AND zap = ?1 AND first = ?2 AND last = ?3");
    if let Some(known) = conn.query_row(&same, days, read).optional()? {
        return Ok(known);
    }
    conn.query_row(
        "INSERT INTO backfill (zap, first, last, at) VALUES (?1, ?2, ?3, ?4)
         RETURNING id, zap, first, last, rows, fired",
        params![zap.0, first.to_string(), last.to_string(), At(now)],
        read,
    )
}

/// See `Store::next_backfill`.
pub(crate) fn next(conn: &Connection, path: &Path, zaps: &[ZapId]) -> Result<Option<Backfill>, StoreError> {
    let next = || -> rusqlite::Result<Option<Backfill>> {
        let mut statement = conn.prepare_cached(OPEN)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let backfill = read(row)?;
            if zaps.contains(&backfill.zap) {
                return with_places(conn, backfill).map(Some);
            }
        }
        Ok(None)
    };
    next().map_err(|error| fault::sql(path, &error))
}

fn with_places(conn: &Connection, mut backfill: Backfill) -> rusqlite::Result<Backfill> {
    let mut statement =
        conn.prepare_cached("SELECT query, next FROM backfill_place WHERE backfill = ?1 ORDER BY query")?;
    let places = statement.query_map([backfill.id.0], |row| Ok((row.get(0)?, day(row, 1)?)))?;
    backfill.places = places.collect::<rusqlite::Result<_>>()?;
    Ok(backfill)
}

/// That a page of a backfill may still be committed.
pub(crate) fn check_open(tx: &Tx<'_>, id: BackfillId) -> Result<(), StoreError> {
    let open = tx.first("SELECT 1 FROM backfill WHERE id = ?1 AND ended = 0", [id.0], |_| Ok(()))?;
    open.ok_or_else(|| fault::refused(format!("backfill {} is over", id.0)))
}

/// A page of it is committed.
pub(crate) fn step(tx: &Tx<'_>, step: &BackfillStep, fired: u64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE backfill SET rows = rows + ?2, fired = fired + ?3 WHERE id = ?1",
        params![step.id.0, number(step.rows), number(fired)],
    )?;
    if let Some(next) = step.next {
        tx.execute(
            "INSERT OR REPLACE INTO backfill_place (backfill, query, next) VALUES (?1, ?2, ?3)",
            params![step.id.0, step.query, next.to_string()],
        )?;
    }
    Ok(())
}

/// See `Store::end_backfill`.
pub(crate) fn end(tx: &Tx<'_>, id: BackfillId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE backfill SET ended = ?2, ended_at = ?3 WHERE id = ?1 AND ended = 0",
        params![id.0, READ, At(now)],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Backfill> {
    Ok(Backfill {
        id: BackfillId(row.get(0)?),
        zap: ZapId(row.get(1)?),
        first: day(row, 2)?,
        last: day(row, 3)?,
        places: Vec::new(),
        rows: count(row, 4)?,
        fired: count(row, 5)?,
    })
}

fn day(row: &Row<'_>, at: usize) -> rusqlite::Result<Date> {
    let text: String = row.get(at)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// A backfill as another program sees it that has asked for it.
#[derive(Debug)]
pub struct Backfilling {
    conn: Connection,
    path: PathBuf,
    id: BackfillId,
}

/// What became of asking for one.
#[derive(Debug)]
pub enum Placing {
    /// It is durable, also where the same days were asked for before and are not read yet.
    Placed(Backfilling),
    /// No engine has run the zap here yet.
    NoZap,
    /// The zap last ran with another trigger.
    OtherTrigger,
}

/// How far a backfill is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The backfill.
    pub backfill: Backfill,
    /// It is over.
    pub ended: bool,
    /// It was stopped before it had read all its days.
    pub stopped: bool,
}

impl Backfilling {
    /// Asks for a backfill of a zap of this name and selection.
    ///
    /// # Errors
    /// `Missing` when there is no state; `Unusable` when the file is not a state, damaged, or of another version; `Io`
    /// when it cannot be written.
    pub fn place(
        path: &Path,
        (name, selection): (&str, &str),
        (first, last): (Date, Date),
        now: Timestamp,
    ) -> Result<Placing, StoreError> {
        let (mut conn, path) = asked::open(path)?;
        let mut place = || -> rusqlite::Result<Result<BackfillId, Placing>> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let zap = tx
                .query_row("SELECT id, selection FROM zap WHERE name = ?1", [name], |row| {
                    Ok((ZapId(row.get(0)?), row.get::<_, String>(1)?))
                })
                .optional()?;
            let id = match zap {
                None => return Ok(Err(Placing::NoZap)),
                Some((_, known)) if known != selection => return Ok(Err(Placing::OtherTrigger)),
                Some((zap, _)) => insert(&tx, zap, first, last, now)?.id,
            };
            tx.commit()?;
            Ok(Ok(id))
        };
        Ok(match place().map_err(|error| fault::sql(&path, &error))? {
            Ok(id) => Placing::Placed(Backfilling { conn, path, id }),
            Err(why) => why,
        })
    }

    /// How far it is.
    ///
    /// # Errors
    /// As any look at the state.
    pub fn progress(&self) -> Result<Progress, StoreError> {
        let look = || -> rusqlite::Result<Progress> {
            let ended: i64 = self
                .conn
                .prepare_cached("SELECT ended FROM backfill WHERE id = ?1")?
                .query_row([self.id.0], |row| row.get(0))?;
            let known = format!("{COLUMNS} WHERE id = ?1");
            let backfill = self.conn.prepare_cached(&known)?.query_row([self.id.0], read)?;
            let backfill = with_places(&self.conn, backfill)?;
            Ok(Progress { backfill, ended: ended != 0, stopped: ended == STOPPED })
        };
        look().map_err(|error| fault::sql(&self.path, &error))
    }

    /// Stops all backfills of a zap that are not over, and says how many there were. What they found stays.
    ///
    /// # Errors
    /// As [`Backfilling::place`].
    pub fn stop(path: &Path, zap: &str, now: Timestamp) -> Result<usize, StoreError> {
        let (conn, path) = asked::open(path)?;
        conn.execute(
            "UPDATE backfill SET ended = ?2, ended_at = ?3
             WHERE ended = 0 AND zap = (SELECT id FROM zap WHERE name = ?1)",
            params![zap, STOPPED, At(now)],
        )
        .map_err(|error| fault::sql(&path, &error))
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    /// The engine asks once a second, whatever was backfilled before.
    #[test]
    fn what_is_asked_for_is_told_by_an_index() -> Result<(), rusqlite::Error> {
        let plan = plan(super::OPEN)?;
        assert!(plan.contains("USING INDEX backfill_open") && !plan.contains("B-TREE"), "{plan}");
        Ok(())
    }
}
