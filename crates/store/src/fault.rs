//! What SQLite and the file system say, in the words of the port.

use rusqlite::ErrorCode;
use std::io;
use std::path::Path;
use zaprun_engine::ports::StoreError;

/// Turns an error of SQLite on the database at `path` into the port's.
pub(crate) fn sql(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(code, text) => failure(path, code.code, text.as_deref()),
        // The file holds a value that this program never writes there.
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => damaged(path),
        other => StoreError::Io { reason: format!("unexpected answer of the database: {other}") },
    }
}

fn failure(path: &Path, code: ErrorCode, text: Option<&str>) -> StoreError {
    let io = |reason: &str| StoreError::Io { reason: reason.to_owned() };
    match code {
        ErrorCode::DatabaseCorrupt => damaged(path),
        ErrorCode::NotADatabase => unusable(path, "it is not a state of zaprun, or it is damaged"),
        ErrorCode::DiskFull => io("the disk is full"),
        ErrorCode::ReadOnly => io("it is read-only"),
        ErrorCode::PermissionDenied => io("permission denied"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            io("another program has it locked")
        }
        ErrorCode::CannotOpen => io("the file or its folder cannot be opened"),
        ErrorCode::TooBig => io("a value is too large"),
        ErrorCode::OutOfMemory => io("out of memory"),
        // The messages of SQLite name tables and columns, never values.
        ErrorCode::ConstraintViolation => StoreError::Refused {
            reason: format!(
                "this does not fit the state: {}",
                text.unwrap_or("a rule of the schema is broken")
            ),
        },
        ErrorCode::SystemIoFailure => {
            StoreError::Io { reason: format!("the disk failed: {}", text.unwrap_or("input or output error")) }
        }
        _ => StoreError::Io { reason: text.unwrap_or("the database failed").to_owned() },
    }
}

/// The file is ours but does not hold together.
pub(crate) fn damaged(path: &Path) -> StoreError {
    unusable(path, "the file is damaged; restore a backup, or move it away to start anew")
}

/// The file cannot be the state.
pub(crate) fn unusable(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::Unusable { path: path.display().to_string(), reason: reason.into() }
}

/// An error of the file system while doing something with `path`.
pub(crate) fn file(path: &Path, error: &io::Error) -> StoreError {
    let what = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::AlreadyExists => "it is a file, and should be a folder".to_owned(),
        _ => words(error),
    };
    StoreError::Io { reason: format!("{}: {what}", path.display()) }
}

/// An I/O error as a fragment, without the number of the operating system.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let mut chars = text.split(" (os error").next().unwrap_or(&text).chars();
    chars.next().map_or_else(|| "unknown".to_owned(), |first| first.to_lowercase().chain(chars).collect())
}

/// The store was closed, or its writer ended.
pub(crate) fn gone() -> StoreError {
    StoreError::Io { reason: "the store is closed".to_owned() }
}

/// The caller asked for what makes no sense.
pub(crate) fn refused(reason: impl Into<String>) -> StoreError {
    StoreError::Refused { reason: reason.into() }
}
