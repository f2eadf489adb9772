//! Whole copies of a state, and whether one holds together.

use crate::place::{self, beside, open_private};
use crate::schema::{self, Stamp};
use crate::source::Source;
use crate::{fault, history};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;
use zaprun_engine::ports::{Counts, StoreError};

const BUSY: Duration = Duration::from_secs(5);

/// What a state was found to hold, after every page of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// The version of its schema.
    pub version: u32,
    /// Events.
    pub events: u64,
    /// Runs and primed entries, as its rows say.
    pub counts: Counts,
    /// Whether the counts that it keeps agree with its rows.
    pub adds_up: bool,
    /// When a run last changed: what happened later is not in it.
    pub last: Option<Timestamp>,
}

/// Reads every page of the state at `path`, which an engine may be writing. Changes nothing.
///
/// # Errors
/// `Missing`, `Newer`; `Unusable` when it is no state or does not hold together.
pub fn check(path: &Path) -> Result<Holds, StoreError> {
    let source = Source::find(path)?;
    source.with_uri(|uri| {
        let conn = open(uri, source.path())?;
        // All of it is looked at as it is now.
        conn.execute_batch("BEGIN DEFERRED").map_err(|error| fault::sql(source.path(), &error))?;
        examine(&conn, source.path())
    })
}

/// Writes a whole copy of the state at `path`, which an engine may be writing, to a file that is not there yet. It is
/// readable by the owner only, and it is there only once it was read back and found whole.
///
/// # Errors
/// As [`check`]; `Refused` when the file is there; `Io` when it cannot be written.
pub fn back_up(path: &Path, to: &Path) -> Result<Holds, StoreError> {
    let source = Source::find(path)?;
    let to = place::resolve(to, false)?;
    let taken = || fault::refused(format!("{} is there already; nothing was written", to.display()));
    if fs::symlink_metadata(&to).is_ok() {
        return Err(taken());
    }
    let part = beside(&to, ".part");
    let file = open_private(&part).map_err(|error| fault::file(&part, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(fault::refused(format!("{} is being written by another zaprun", to.display())));
        }
        Err(TryLockError::Error(error)) => return Err(fault::file(&part, &error)),
    }
    let whole = copy(&source, &part).and_then(|()| check(&part)).and_then(|holds| {
        name(&part, &to).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(),
            _ => fault::file(&to, &error),
        })?;
        Ok(holds)
    });
    // Whatever came of it; what stays there is used by the next one.
    let _ = fs::remove_file(&part);
    sync_folder(&to);
    whole
}

/// Gives a file that is ready its name, unless something has it.
fn name(part: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(part, to) {
        // Where files have one name only, as in many shared folders; then one that comes just now is not seen.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && fs::symlink_metadata(to).is_err() => {
            fs::rename(part, to)
        }
        named => named,
    }
}

/// Writes a whole copy to a file of ours, whatever is in it, and flushes it.
pub(crate) fn copy(source: &Source, to: &Path) -> Result<(), StoreError> {
    let written = |error: io::Error| fault::file(to, &error);
    let target = to.to_str().ok_or_else(|| fault::unusable(to, "its path is not text"))?;
    source.with_uri(|uri| {
        // SQLite writes into an empty file only.
        open_private(to).and_then(|file| file.set_len(0)).map_err(written)?;
        let conn = open(uri, source.path())?;
        conn.execute("VACUUM INTO ?1", [target]).map_err(|error| fault::sql(source.path(), &error))?;
        Ok(())
    })?;
    File::open(to).and_then(|file| file.sync_all()).map_err(written)
}

pub(crate) fn sync_folder(path: &Path) {
    // Where a folder cannot be flushed, a new name may be lost with the power, and nothing else.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
}

/// Opens a state of this or an older version to read it.
fn open(uri: &str, path: &Path) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, Stamp)> {
        let conn = Connection::open_with_flags(uri, flags)?;
        schema::common(&conn, BUSY)?;
        let stamp = Stamp::read(&conn, "main")?;
        Ok((conn, stamp))
    };
    let (conn, stamp) = open().map_err(|error| fault::sql(path, &error))?;
    if stamp.is_blank() {
        return Err(StoreError::Missing { path: path.display().to_string() });
    }
    stamp.check(path)?;
    Ok(conn)
}

fn examine(conn: &Connection, path: &Path) -> Result<Holds, StoreError> {
    let sql = |error: rusqlite::Error| fault::sql(path, &error);
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if verdict != "ok" {
        return Err(fault::damaged(path));
    }
    let lost = conn.prepare("PRAGMA foreign_key_check").and_then(|mut lost| lost.exists([])).map_err(sql)?;
    if lost {
        return Err(fault::damaged(path));
    }
    let number = |text: &str| conn.query_row(text, [], |row| row.get::<_, i64>(0));
    let version = number("PRAGMA user_version").map_err(sql)?;
    let events = number("SELECT count(*) FROM event").map_err(sql)?;
    let last: Option<i64> =
        conn.query_row("SELECT max(updated_at) FROM run", [], |row| row.get(0)).map_err(sql)?;
    let counts = history::recount(conn, path)?;
    Ok(Holds {
        version: u32::try_from(version).unwrap_or_default(),
        events: u64::try_from(events).unwrap_or_default(),
        adds_up: history::counts(conn, path)? == counts,
        counts,
        last: last.and_then(|micros| Timestamp::from_microsecond(micros).ok()),
    })
}
