//! Where the project is.

use std::path::{Path, PathBuf};

use crate::error::{CommandError, io_words};

/// The file that makes a folder a project.
pub(crate) const PROJECT_FILE: &str = "zaprun.yaml";

/// The project's folder: the one that was named, else the nearest upward that holds `zaprun.yaml`.
///
/// # Errors
/// When there is none, or the folder cannot be read: bad usage.
pub(crate) fn find(named: Option<&Path>, current: &Path) -> Result<PathBuf, CommandError> {
    match named {
        Some(folder) => at(&current.join(folder), folder),
        None => upward(current),
    }
}

fn at(folder: &Path, named: &Path) -> Result<PathBuf, CommandError> {
    let shown = named.display();
    let metadata = std::fs::metadata(folder)
        .map_err(|error| CommandError::usage(format!("{shown} cannot be read: {}", io_words(&error))))?;
    if !metadata.is_dir() {
        return Err(CommandError::usage(format!("{shown} is not a folder"))
            .hint(format!("-C takes the folder that holds {PROJECT_FILE}")));
    }
    if holds_project(folder)? {
        return Ok(folder.to_owned());
    }
    Err(misnamed(folder).unwrap_or_else(|| {
        CommandError::usage(format!("there is no {PROJECT_FILE} in {shown}"))
            .hint(format!("`zaprun init {shown}` makes one"))
    }))
}

fn upward(current: &Path) -> Result<PathBuf, CommandError> {
    for folder in current.ancestors() {
        if holds_project(folder)? {
            return Ok(folder.to_owned());
        }
    }
    Err(misnamed(current).unwrap_or_else(|| {
        CommandError::usage(format!("there is no {PROJECT_FILE} here or in any folder above"))
            .hint("`zaprun init` makes one; -C names the folder of another project")
    }))
}

fn holds_project(folder: &Path) -> Result<bool, CommandError> {
    let file = folder.join(PROJECT_FILE);
    // A dangling link is a project that cannot be read, not a folder without one.
    match std::fs::symlink_metadata(&file) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(CommandError::usage(format!("{} cannot be read: {}", folder.display(), io_words(&error))))
        }
        Err(_) => Ok(false),
    }
}

fn misnamed(folder: &Path) -> Option<CommandError> {
    let other = folder.join("zaprun.yml");
    other.exists().then(|| {
        CommandError::usage(format!("{} is not read", other.display()))
            .hint(format!("call it {PROJECT_FILE}: `mv zaprun.yml {PROJECT_FILE}`"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    #[test]
    fn the_nearest_project_upward_is_found() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        assert!(find(None, &inner).is_err());
        std::fs::write(root.path().join(PROJECT_FILE), "version: 1\n").unwrap();
        assert_eq!(find(None, &inner).unwrap(), root.path());
        std::fs::write(root.path().join("a").join(PROJECT_FILE), "version: 1\n").unwrap();
        assert_eq!(find(None, &inner).unwrap(), root.path().join("a"));
        // A named folder is taken as it is: nothing is searched.
        assert_eq!(find(Some(Path::new("..")), &inner).unwrap(), inner.join(".."));
        assert!(find(Some(&inner), root.path()).unwrap_err().to_string().contains("there is no zaprun.yaml"));
    }

    #[test]
    fn a_folder_that_is_none_is_bad_usage() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        let error = find(Some(Path::new("file")), root.path()).unwrap_err();
        assert_eq!(error.to_string(), "file is not a folder");
        let error = find(Some(Path::new("gone")), root.path()).unwrap_err();
        assert_eq!(error.to_string(), "gone cannot be read: no such file or directory");
        std::fs::write(root.path().join("zaprun.yml"), "").unwrap();
        let error = find(Some(root.path()), root.path()).unwrap_err();
        assert!(error.hints()[0].contains("mv zaprun.yml zaprun.yaml"), "{error:?}");
    }
}
