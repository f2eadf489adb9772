//! One engine at a time: a lock of the operating system on `<state>.lock`.
//!
//! The lock goes with the process, however it ends, so a killed engine leaves nothing to clean up. The file itself
//! stays: removing it would let two engines lock two files of one name. Should somebody remove it all the same, the
//! fencing number in the database stops the earlier engine.

use crate::{fault, place};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zaprun_engine::ports::StoreError;

/// The lock, held until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    file: File,
}

impl Lease {
    /// Takes the lock of the state at `path`.
    ///
    /// # Errors
    /// `Busy` with what the holder wrote about itself; `Io` when the lock's file cannot be made.
    pub(crate) fn take(path: &Path) -> Result<Lease, StoreError> {
        let lock = place::beside(path, ".lock");
        // The file may be replaced between opening and locking it; a lock on a file without a name guards nothing.
        for _ in 0..16 {
            let file = place::open_private(&lock).map_err(|error| fault::file(&lock, &error))?;
            match file.try_lock() {
                Ok(()) if is_named(&file, &lock) => return Ok(Lease::signed(file)),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Busy { path: path.display().to_string(), holder: holder(file) });
                }
                Err(TryLockError::Error(error)) => return Err(fault::file(&lock, &error)),
            }
        }
        Err(fault::file(&lock, &io::Error::other("it changes too often")))
    }

    fn signed(mut file: File) -> Lease {
        // Only for the message that another engine shows; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id()));
        Lease { file }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn holder(mut file: File) -> Option<String> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(200).read_to_string(&mut text).ok()?;
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.dev() == named.dev() && held.ino() == named.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_named(_: &File, path: &Path) -> bool {
    fs::metadata(path).is_ok()
}
