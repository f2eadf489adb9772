//! Asking the program that holds a state to do something, from another one.
//!
//! Whoever asks takes no lease and writes to one table only. The holder looks there once a second; what becomes of a run
//! is written by nobody but it.

use crate::codes::At;
use crate::place::{self, Found};
use crate::schema::Stamp;
use crate::{fault, schema, scrub};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zaprun_engine::ports::{Answer, Command, StoreError};

const BUSY: Duration = Duration::from_secs(5);

/// Answers that nobody has fetched for so long are thrown away: whoever asked has died.
const UNFETCHED: SignedDuration = SignedDuration::from_hours(24);

/// Commands, as they lie in the state.
#[derive(Debug)]
pub struct Asked {
    conn: Connection,
    path: PathBuf,
    ids: Vec<i64>,
    /// What was asked tells of a person.
    personal: bool,
}

impl Asked {
    /// Asks whoever holds the state at `path` to carry these out, in their order.
    ///
    /// # Errors
    /// `Missing` when there is no state; `Unusable` when the file is not a state, damaged, or of another version; `Io`
    /// when it cannot be written.
    pub fn place(path: &Path, commands: &[Command], now: Timestamp) -> Result<Asked, StoreError> {
        let (mut conn, path) = open(path)?;
        let mut place = || -> rusqlite::Result<Vec<i64>> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let dead = now.checked_sub(UNFETCHED).unwrap_or(Timestamp::MIN);
            tx.execute("DELETE FROM asked WHERE answer IS NOT NULL AND at < ?1", [At(dead)])?;
            let mut ids = Vec::with_capacity(commands.len());
            for command in commands {
                // Numbers and texts always serialise.
                let what = serde_json::to_string(command).unwrap_or_default();
                tx.execute("INSERT INTO asked (what, at) VALUES (?1, ?2)", params![what, At(now)])?;
                ids.push(tx.last_insert_rowid());
            }
            tx.commit()?;
            Ok(ids)
        };
        let ids = place().map_err(|error| fault::sql(&path, &error))?;
        let personal = commands.iter().any(|command| matches!(command, Command::Erase { .. }));
        Ok(Asked { conn, path, ids, personal })
    }

    /// How many of them have an answer.
    ///
    /// # Errors
    /// As any look at the state.
    pub fn answered(&self) -> Result<usize, StoreError> {
        let look = || -> rusqlite::Result<Option<usize>> {
            let mut statement =
                self.conn.prepare_cached("SELECT answer IS NOT NULL FROM asked WHERE id = ?1")?;
            let mut answered = 0;
            for id in &self.ids {
                match statement.query_row([id], |row| row.get::<_, bool>(0)).optional()? {
                    // They are done in their order.
                    Some(false) => break,
                    Some(true) => answered += 1,
                    None => return Ok(None),
                }
            }
            Ok(Some(answered))
        };
        look().map_err(|error| fault::sql(&self.path, &error))?.ok_or_else(gone)
    }

    /// Takes the commands away, and their answers with them. `None`: there was none, and now nobody will do it.
    ///
    /// # Errors
    /// When the state cannot be written; the commands may then still be done.
    pub fn withdraw(mut self) -> Result<Vec<Option<Answer>>, StoreError> {
        let (ids, conn) = (&self.ids, &mut self.conn);
        let mut take = || -> rusqlite::Result<Vec<Option<String>>> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut answers = Vec::with_capacity(ids.len());
            for id in ids {
                let sql = "DELETE FROM asked WHERE id = ?1 RETURNING answer";
                let mut statement = tx.prepare_cached(sql)?;
                answers.push(statement.query_row([id], |row| row.get(0)).optional()?.flatten());
            }
            tx.commit()?;
            Ok(answers)
        };
        let answers = take().map_err(|error| fault::sql(&self.path, &error))?;
        let tells = |answer: &Option<String>| answer.is_some();
        if self.personal && answers.iter().any(tells) {
            scrub::scrub(&self.conn, &self.path)?;
        }
        let read = |answer: Option<String>| match answer {
            None => Ok(None),
            Some(answer) => serde_json::from_str(&answer).map(Some).map_err(|_| fault::damaged(&self.path)),
        };
        answers.into_iter().map(read).collect()
    }
}

fn gone() -> StoreError {
    StoreError::Io { reason: "what was asked is not in the state any more".to_owned() }
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
