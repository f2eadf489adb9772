//! Asking the program that holds a state to do something, from another one.
//!
//! Whoever asks takes no lease and writes to one table only. The holder looks there once a second; what becomes of a run
//! is written by nobody but it.

use crate::codes::{At, ResolutionColumn};
use crate::place::{self, Found};
use crate::schema::Stamp;
use crate::{fault, schema};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zaprun_engine::ports::{Resolution, RunId, StoreError};

const BUSY: Duration = Duration::from_secs(5);

/// Answers that nobody has fetched for so long are thrown away: whoever asked has died.
const UNFETCHED: SignedDuration = SignedDuration::from_hours(24);

/// A request to resolve a run, as it lies in the state.
#[derive(Debug)]
pub struct Asked {
    conn: Connection,
    path: PathBuf,
    id: i64,
}

/// What became of asking.
#[derive(Debug)]
pub enum Asking {
    /// It is durable.
    Placed(Asked),
    /// Somebody has asked for that run before, and has no answer yet. Nothing was written.
    Already {
        /// What was asked.
        resolution: Resolution,
        /// When.
        at: Timestamp,
    },
}

/// What the holder of the state has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The run is resolved.
    Resolved,
    /// The run was not held, and stays as it is.
    NotHeld,
}

impl Asked {
    /// Asks to resolve a run of the state at `path`.
    ///
    /// # Errors
    /// `Missing` when there is no state; `Unusable` when the file is not a state, damaged, or of another version;
    /// `Refused` when there is no such run; `Io` when it cannot be written.
    pub fn place(
        path: &Path,
        run: RunId,
        resolution: Resolution,
        now: Timestamp,
    ) -> Result<Asking, StoreError> {
        let (mut conn, path) = open(path)?;
        let known =
            conn.prepare("SELECT 1 FROM run WHERE id = ?1").and_then(|mut known| known.exists([run.0]));
        if !known.map_err(|error| fault::sql(&path, &error))? {
            return Err(fault::refused(format!("there is no run {run}")));
        }
        let mut place = || -> rusqlite::Result<Result<i64, (Resolution, Timestamp)>> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = tx
                .query_row(
                    "SELECT resolution, at FROM asked WHERE run = ?1 AND answer IS NULL",
                    [run.0],
                    |row| Ok((row.get::<_, ResolutionColumn>(0)?.0, row.get::<_, At>(1)?.0)),
                )
                .optional()?;
            if let Some(before) = before {
                return Ok(Err(before));
            }
            let dead = now.checked_sub(UNFETCHED).unwrap_or(Timestamp::MIN);
            tx.execute("DELETE FROM asked WHERE answer IS NOT NULL AND at < ?1", [At(dead)])?;
            tx.execute(
                "INSERT INTO asked (run, resolution, at) VALUES (?1, ?2, ?3)",
                params![run.0, ResolutionColumn(resolution), At(now)],
            )?;
            let id = tx.last_insert_rowid();
            tx.commit()?;
            Ok(Ok(id))
        };
        Ok(match place().map_err(|error| fault::sql(&path, &error))? {
            Ok(id) => Asking::Placed(Asked { conn, path, id }),
            Err((resolution, at)) => Asking::Already { resolution, at },
        })
    }

    /// The answer, once there is one.
    ///
    /// # Errors
    /// As any look at the state.
    pub fn answer(&self) -> Result<Option<Answer>, StoreError> {
        let answer = self
            .conn
            .prepare_cached("SELECT answer FROM asked WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([self.id], |row| row.get(0)).optional())
            .map_err(|error| fault::sql(&self.path, &error))?;
        match answer {
            Some(answer) => Ok(read(answer)),
            None => Err(StoreError::Io { reason: "what was asked is not in the state any more".to_owned() }),
        }
    }

    /// Takes the request away, and the answer with it. `None`: there was none, and now nobody will do it.
    ///
    /// # Errors
    /// When the state cannot be written; the request may then still be done.
    pub fn withdraw(self) -> Result<Option<Answer>, StoreError> {
        self.conn
            .query_row("DELETE FROM asked WHERE id = ?1 RETURNING answer", [self.id], |row| row.get(0))
            .optional()
            .map(|answer| answer.and_then(read))
            .map_err(|error| fault::sql(&self.path, &error))
    }
}

fn read(answer: Option<bool>) -> Option<Answer> {
    answer.map(|held| if held { Answer::Resolved } else { Answer::NotHeld })
}

/// Opens a state of this version for writing, beside the program that holds it.
pub(crate) fn open(path: &Path) -> Result<(Connection, PathBuf), StoreError> {
    let path = place::resolve(path, false)?;
    match place::inspect(&path)? {
        Found::Database => {}
        Found::Nothing | Found::Empty => {
            return Err(StoreError::Missing { path: path.display().to_string() });
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, Stamp, bool)> {
        let conn = Connection::open_with_flags(&path, flags)?;
        conn.busy_timeout(BUSY)?;
        let (stamp, read_only) = (Stamp::read(&conn, "main")?, conn.is_readonly("main")?);
        Ok((conn, stamp, read_only))
    };
    let (conn, stamp, read_only) = open().map_err(|error| fault::sql(&path, &error))?;
    stamp.check_for_reading(&path)?;
    if read_only {
        return Err(StoreError::Io { reason: format!("{} is read-only", path.display()) });
    }
    schema::prepare_writer(&conn, BUSY, false).map_err(|error| fault::sql(&path, &error))?;
    Ok((conn, path))
}
