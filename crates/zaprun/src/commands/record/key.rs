//! The key of a project's stand-ins: kept beside its state, so that nobody who has only the fixtures can try addresses
//! until one gives the same stand-in.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::path::Path;

use crate::error::io_words;

/// Its name in the folder of the state.
const NAME: &str = "stand-ins.key";

/// The key of the project whose state is there; made where there is none yet.
///
/// # Errors
/// Plain words, as a fragment.
pub(super) fn of_project(state: &Path) -> Result<[u8; 32], String> {
    let folder = state.parent().unwrap_or(Path::new("."));
    let path = folder.join(NAME);
    let cannot = |error: std::io::Error| io_words(&error);
    match std::fs::read(&path) {
        Ok(bytes) if bytes.is_empty() => return Err(format!("{} is empty", path.display())),
        Ok(bytes) => return Ok(blake3::derive_key("zaprun stand-ins", &bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let bytes = random();
    // Only its owner may read it; another call that is faster has made it.
    let mut file = tempfile::Builder::new().prefix(".zaprun-").tempfile_in(folder).map_err(cannot)?;
    file.write_all(&bytes).map_err(cannot)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(blake3::derive_key("zaprun stand-ins", &bytes)),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => of_project(state),
        Err(error) => Err(io_words(&error.error)),
    }
}

/// Bytes that nobody can guess: the standard library draws the keys of its hashers from the system.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    for (number, part) in bytes.chunks_exact_mut(8).enumerate() {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_usize(number);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    bytes
}
