//! Where the state lies, and what is found there before SQLite touches it.

use crate::{fault, schema};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zaprun_engine::ports::StoreError;

/// What stands in a state's place while its former log is taken away and the restored one is not there yet.
pub(crate) const BROKEN_OFF: &[u8] =
    b"A restore of this state of zaprun was broken off. Run `zaprun state restore FILE` again.\n";

/// What lies at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No file.
    Nothing,
    /// A file without a byte: ours to initialise.
    Empty,
    /// A SQLite database that may be a state.
    Database,
}

/// A neighbour of the database: `path` with something appended.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The real path, so that one state has one lock whatever links lead to it. The parent folder is made if `create`.
pub(crate) fn resolve(path: &Path, create: bool) -> Result<PathBuf, StoreError> {
    if let Ok(real) = fs::canonicalize(path) {
        return Ok(real);
    }
    let Some(name) = path.file_name() else {
        return Err(fault::unusable(path, "it is not the path of a file"));
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if create {
        create_private_folder(parent).map_err(|error| {
            let StoreError::Io { reason } = fault::file(parent, &error) else {
                return fault::file(parent, &error);
            };
            StoreError::Io { reason: format!("its folder cannot be made: {reason}") }
        })?;
    }
    Ok(fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned()).join(name))
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Looks at the file's head, by plain reading.
///
/// # Errors
/// What is certainly no state, or one that must not be opened lest something be lost.
pub(crate) fn inspect(path: &Path) -> Result<Found, StoreError> {
    let length = match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => return Err(fault::unusable(path, "it is a directory")),
        // A pipe or device would block or swallow what is written.
        Ok(meta) if !meta.is_file() => return Err(fault::unusable(path, "it is not a regular file")),
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            orphaned_log(path)?;
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(fault::file(path, &error)),
    };
    if length == 0 {
        orphaned_log(path)?;
        return Ok(Found::Empty);
    }
    let mut head = Vec::with_capacity(100);
    File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut head))
        .map_err(|error| fault::file(path, &error))?;
    check_head(path, &head)?;
    Ok(Found::Database)
}

/// SQLite throws a log away whose database is empty; what was committed to it would be lost silently.
fn orphaned_log(path: &Path) -> Result<(), StoreError> {
    let log = beside(path, "-wal");
    match fs::metadata(&log) {
        Ok(meta) if meta.len() > 0 => Err(fault::unusable(
            path,
            format!(
                "it is empty, yet its log {} holds data; restore the file, or move the log away to start anew",
                log.display()
            ),
        )),
        _ => Ok(()),
    }
}

/// Offsets of the SQLite file format: magic at 0, user version at 60, application id at 68.
fn check_head(path: &Path, head: &[u8]) -> Result<(), StoreError> {
    if head == BROKEN_OFF {
        let reason = "a restore of it was broken off; run `zaprun state restore FILE` again";
        return Err(fault::unusable(path, reason));
    }
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(fault::unusable(path, "it is not a state of zaprun"));
    }
    let number = |at: usize| -> Option<u32> {
        head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    };
    let (Some(version), Some(application)) = (number(60), number(68)) else {
        return Err(fault::damaged(path));
    };
    match application {
        schema::APPLICATION_ID => schema::newer(path, version),
        // Made by a zaprun that died before its first commit reached the main file, or by another program: the
        // tables tell, and reading them needs SQLite.
        0 => Ok(()),
        _ => Err(fault::unusable(path, "it is a database of another program")),
    }
}

/// That the file has all the pages its head speaks of. SQLite takes a last page that is cut for one that ends in
/// zeroes. Only under the lease: an engine that folds its log lengthens the file.
pub(crate) fn check_length(path: &Path) -> Result<(), StoreError> {
    let log_holds_data = fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
    if log_holds_data {
        // Died while folding, perhaps: the log makes the file whole.
        return Ok(());
    }
    let read = || -> io::Result<(u64, Vec<u8>)> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut head = Vec::with_capacity(100);
        file.take(100).read_to_end(&mut head)?;
        Ok((length, head))
    };
    let (length, head) = read().map_err(|error| fault::file(path, &error))?;
    // Offsets of the file format: page size at 16 (1 means 65,536), number of pages at 28.
    let (Some([high, low]), Some(pages)) = (head.get(16..18), head.get(28..32)) else { return Ok(()) };
    let size = match u16::from_be_bytes([*high, *low]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = pages.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    if length < size * pages { Err(fault::damaged(path)) } else { Ok(()) }
}

/// Makes the file when it is not there, readable by its owner only: it holds personal data. SQLite gives its log and
/// index files the mode of the database.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
    open_private(path).map(drop).map_err(|error| fault::file(path, &error))?;
    // The new name itself must survive a power cut; where a folder cannot be flushed, nothing is lost but that.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Opens a file for reading and writing without cutting it, made with mode 0600.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes rights of others away from files that some earlier copy or restore left open to them. Best effort: files of
/// another owner stay as they are.
pub(crate) fn tighten(path: &Path) {
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm", ".lock"] {
        use std::os::unix::fs::PermissionsExt;
        let file = beside(path, suffix);
        let Ok(meta) = fs::metadata(&file) else { continue };
        if meta.permissions().mode() & 0o077 != 0 {
            let _ = fs::set_permissions(&file, fs::Permissions::from_mode(0o600));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
