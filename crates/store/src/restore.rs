//! Putting a copy in the place of a state.
//!
//! Whoever dies in between leaves the former state as it was, or a file that no engine takes and that says why; never an
//! older state in silence, and never none, which an engine would begin anew. What was there is kept beside it.

use crate::backup::{self, Holds, sync_folder};
use crate::fault;
use crate::lease::Lease;
use crate::place::{self, BROKEN_OFF, beside};
use crate::source::Source;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zaprun_engine::ports::StoreError;

/// What was put in the place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it holds.
    pub holds: Holds,
    /// Where the former state lies now; `None`: there was none.
    pub former: Option<PathBuf>,
}

/// Puts the copy `from` in the place of the state at `path`, while no engine holds it. The copy stays; what was in its
/// place is kept beside it under a name with the date.
///
/// # Errors
/// `Busy` while an engine holds the state; `Missing`, `Newer` and `Unusable` of the copy, and then nothing was changed;
/// `Io` when it cannot be written.
pub fn restore(path: &Path, from: &Path, now: Timestamp) -> Result<Restored, StoreError> {
    restore_by(path, from, now, |_| Ok(()))
}

/// The moments between which the files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Copied,
    PutAside,
    Barred,
    Cleared,
}

fn restore_by(
    path: &Path,
    from: &Path,
    now: Timestamp,
    mut at: impl FnMut(Moment) -> Result<(), StoreError>,
) -> Result<Restored, StoreError> {
    let source = Source::find(from)?;
    let path = place::resolve(path, true)?;
    if source.path() == path {
        return Err(fault::refused("that is the state itself, not a copy of it"));
    }
    let lease = Lease::take(&path)?;
    let fresh = beside(&path, ".restoring");
    backup::copy(&source, &fresh)?;
    let holds = backup::check(&fresh)?;
    at(Moment::Copied)?;
    let former = put_aside(&path, now)?;
    at(Moment::PutAside)?;
    if former.is_some() {
        // From here on no engine takes the file for the former state, whose log is about to go.
        bar(&path)?;
    }
    at(Moment::Barred)?;
    for suffix in ["-wal", "-shm"] {
        let file = beside(&path, suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault::file(&file, &error)),
            _ => {}
        }
    }
    sync_folder(&path);
    at(Moment::Cleared)?;
    fs::rename(&fresh, &path).map_err(|error| fault::file(&path, &error))?;
    sync_folder(&path);
    drop(lease);
    Ok(Restored { holds, former })
}

/// Gives what is there a second name; its log too, which may hold the last of it.
fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    let there = |file: &Path| fs::symlink_metadata(file).is_ok();
    let log = beside(path, "-wal");
    // An earlier restore has put it aside and was broken off.
    if is_barred(path) || (!there(path) && !there(&log)) {
        return Ok(None);
    }
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|number| match number {
        1 => beside(path, &format!(".replaced-{date}")),
        _ => beside(path, &format!(".replaced-{date}-{number}")),
    });
    let free = |name: &PathBuf| !there(name) && !there(&beside(name, "-wal"));
    let Some(name) = names.into_iter().find(free) else {
        return Err(fault::refused("there is no free name for the former state"));
    };
    for (file, second) in [(path.to_owned(), name.clone()), (log, beside(&name, "-wal"))] {
        if there(&file) {
            fs::hard_link(&file, &second).map_err(|error| fault::file(&second, &error))?;
        }
    }
    sync_folder(path);
    Ok(Some(name))
}

fn bar(path: &Path) -> Result<(), StoreError> {
    let bar = beside(path, ".barred");
    let write = || -> io::Result<()> {
        let mut file = place::open_private(&bar)?;
        file.set_len(0)?;
        file.write_all(BROKEN_OFF)?;
        file.sync_all()?;
        fs::rename(&bar, path)
    };
    write().map_err(|error| fault::file(path, &error))?;
    sync_folder(path);
    Ok(())
}

fn is_barred(path: &Path) -> bool {
    let mut head = Vec::new();
    let most = BROKEN_OFF.len() as u64;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut head)).is_ok() && head == BROKEN_OFF
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;
    use crate::{Options, SqliteStore};
    use tempfile::TempDir;
    use zaprun_engine::ports::Vault;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_engine(path, &Options::default())
    }

    /// What is kept under `a`: which of two states it is.
    fn which(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let store = open(path)?;
        let kept = wait(store.sealed("a"));
        // As after a kill: the log stays.
        drop(store);
        kept
    }

    /// A state, and a copy of what it was before.
    fn state_and_copy(folder: &Path) -> (PathBuf, PathBuf) {
        let (state, copy) = (folder.join("state.db"), folder.join("copy.db"));
        let store = open(&state).unwrap();
        wait(store.keep("a", b"before".to_vec(), Timestamp::UNIX_EPOCH)).unwrap();
        backup::back_up(&state, &copy).unwrap();
        wait(store.keep("a", b"after".to_vec(), Timestamp::UNIX_EPOCH)).unwrap();
        (state, copy)
    }

    /// Dying at each moment: the former state is there, or nothing is taken for a state; a second try ends it.
    #[test]
    fn a_restore_may_be_broken_off_anywhere() {
        for moment in [Moment::Copied, Moment::PutAside, Moment::Barred, Moment::Cleared] {
            let folder = TempDir::new().unwrap();
            let (state, copy) = state_and_copy(folder.path());
            // A log that was not folded in, as a kill leaves it.
            let log = beside(&state, "-wal");
            fs::write(&log, b"").unwrap();
            let died = restore_by(&state, &copy, Timestamp::UNIX_EPOCH, |at| match at == moment {
                true => Err(fault::gone()),
                false => Ok(()),
            });
            assert_eq!(died, Err(fault::gone()));
            let found = which(&state);
            match moment {
                Moment::Copied | Moment::PutAside => {
                    assert_eq!(found, Ok(Some(b"after".to_vec())), "{moment:?}");
                }
                Moment::Barred | Moment::Cleared => {
                    let Err(StoreError::Unusable { reason, .. }) = found else { panic!("{found:?}") };
                    assert!(reason.contains("broken off"), "{reason}");
                }
            }
            restore(&state, &copy, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(which(&state), Ok(Some(b"before".to_vec())), "{moment:?}");
            let former = beside(&state, ".replaced-19700101T000000Z");
            assert_eq!(which(&former), Ok(Some(b"after".to_vec())), "{moment:?}");
        }
    }

    #[test]
    fn the_state_is_no_copy_of_itself() {
        let folder = TempDir::new().unwrap();
        let (state, _) = state_and_copy(folder.path());
        let refused = restore(&state, &state, Timestamp::UNIX_EPOCH);
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
        assert_eq!(which(&state), Ok(Some(b"after".to_vec())));
    }
}
