//! Opening a state to look at it, without changing it, beside a running engine or without one.
//!
//! A database with a log (`-wal`) is opened read-only in the ordinary way: SQLite's locks in the `-shm` file then keep
//! the engine from folding pages into the file under the reader's eyes.
//! A database without a log was closed cleanly and is complete by itself. An ordinary open would make a log and an
//! index beside it (or fail in a folder that cannot be written), so it is opened as immutable, which takes no locks;
//! afterwards it is checked that no engine came meanwhile, else the look is repeated.

use crate::place::{self, Found};
use crate::schema::Stamp;
use crate::{fault, schema};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use zaprun_engine::ports::StoreError;

const BUSY: Duration = Duration::from_secs(5);

/// How often a look is repeated when engines start and end under it.
const TRIES: usize = 8;

/// What would differ if an engine had written to the file.
#[derive(PartialEq, Eq)]
struct Still {
    length: u64,
    modified: Option<SystemTime>,
}

/// A state file to look at.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    path: PathBuf,
}

impl Source {
    /// Finds the file.
    ///
    /// # Errors
    /// `Missing` when there is no file or nothing in it; `Unusable` when it is no state.
    pub(crate) fn find(path: &Path) -> Result<Source, StoreError> {
        let path = place::resolve(path, false)?;
        match place::inspect(&path)? {
            Found::Database => Ok(Source { path }),
            Found::Nothing | Found::Empty => Err(StoreError::Missing { path: path.display().to_string() }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks through a connection of its own, within one snapshot.
    pub(crate) fn look<T>(
        &self,
        mut body: impl FnMut(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_uri(|uri| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let conn = Connection::open_with_flags(uri, flags).map_err(|e| self.fault(&e))?;
            let prepare = || -> rusqlite::Result<Stamp> {
                schema::common(&conn, BUSY)?;
                conn.execute_batch("PRAGMA query_only = ON; BEGIN DEFERRED;")?;
                Stamp::read(&conn, "main")
            };
            prepare().map_err(|e| self.fault(&e))?.check_for_reading(&self.path)?;
            body(&conn)
        })
    }

    /// Calls `body` with the URI by which the file can be opened just now; again, when an engine came meanwhile.
    pub(crate) fn with_uri<T>(
        &self,
        mut body: impl FnMut(&str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..TRIES {
            if self.has_log() {
                return body(&uri(&self.path, "mode=ro"));
            }
            let before = self.still()?;
            let result = body(&uri(&self.path, "mode=ro&immutable=1"));
            if !self.has_log() && self.still()? == before {
                return result;
            }
        }
        Err(StoreError::Io { reason: "the state changes too often to be looked at".to_owned() })
    }

    fn has_log(&self) -> bool {
        place::beside(&self.path, "-wal").exists()
    }

    fn still(&self) -> Result<Still, StoreError> {
        let meta = fs::metadata(&self.path).map_err(|error| fault::file(&self.path, &error))?;
        Ok(Still { length: meta.len(), modified: meta.modified().ok() })
    }

    fn fault(&self, error: &rusqlite::Error) -> StoreError {
        fault::sql(&self.path, error)
    }
}

/// A `file:` URI. Bytes that mean something in a URI are escaped, whatever the file is called.
fn uri(path: &Path, query: &str) -> String {
    use std::fmt::Write;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push('?');
    uri.push_str(query);
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_called_anything() {
        assert_eq!(uri(Path::new("/a b/50%?#.db"), "mode=ro"), "file:/a%20b/50%25%3F%23.db?mode=ro");
        assert_eq!(uri(Path::new("/ü.db"), "x=1"), "file:/%C3%BC.db?x=1");
    }
}
