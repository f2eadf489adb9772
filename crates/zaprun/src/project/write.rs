//! Writing files of a project: whole or not at all, and never outside of it.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::error::io_words;

/// Replaces a file of the project, by its path in it. Whoever reads it meanwhile sees the old one or the new one.
///
/// # Errors
/// Plain words, as a fragment; the file is as it was then.
pub(crate) fn replace(root: &Path, path: &str, bytes: &[u8]) -> Result<(), String> {
    let cannot = |error: std::io::Error| io_words(&error);
    let real_root = root.canonicalize().map_err(cannot)?;
    // A link is followed, so that it stays one.
    let real = root.join(path).canonicalize().map_err(cannot)?;
    if !real.starts_with(&real_root) {
        return Err("it is a link that leads out of the project".to_owned());
    }
    let folder = real.parent().unwrap_or(&real_root);
    let mut file = tempfile::Builder::new().prefix(".zaprun-").tempfile_in(folder).map_err(cannot)?;
    let permissions = fs::metadata(&real).map_err(cannot)?.permissions();
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    fs::set_permissions(file.path(), permissions).map_err(cannot)?;
    file.persist(&real).map_err(|error| io_words(&error.error))?;
    Ok(())
}

/// Makes a new file of the project, by its path in it, with the folders above it.
///
/// # Errors
/// Plain words, as a fragment; also when the file is there already.
pub(crate) fn create(root: &Path, path: &Path, bytes: &[u8]) -> Result<(), String> {
    let cannot = |error: std::io::Error| io_words(&error);
    let whole = root.join(path);
    let folder = whole.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(cannot)?;
    let (real_root, real) = (root.canonicalize().map_err(cannot)?, folder.canonicalize().map_err(cannot)?);
    if !real.starts_with(&real_root) {
        return Err("its folder is a link that leads out of the project".to_owned());
    }
    let mut file = tempfile::Builder::new().prefix(".zaprun-").tempfile_in(&real).map_err(cannot)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    file.persist_noclobber(&whole).map_err(|error| io_words(&error.error))?;
    Ok(())
}
