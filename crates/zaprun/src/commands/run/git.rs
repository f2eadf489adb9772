//! The git revision of a project, read off the repository's own files.

use std::fs;
use std::path::{Path, PathBuf};

/// The commit that is checked out, when the project is in a repository. Says nothing of uncommitted changes.
pub(in crate::commands) fn revision(root: &Path) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let folder = root.ancestors().find_map(git_folder)?;
    let head = read(&folder.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return commit(&head) };
    // A work tree keeps its HEAD apart and shares the branches.
    let shared = read(&folder.join("commondir")).map_or_else(|| folder.clone(), |common| folder.join(common));
    let loose = [&folder, &shared].into_iter().find_map(|folder| read(&folder.join(reference)));
    loose.as_deref().and_then(commit).or_else(|| packed(&shared, reference))
}

fn git_folder(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    // A work tree or submodule names the folder in a file.
    let named = read(&git)?;
    Some(folder.join(named.strip_prefix("gitdir: ")?))
}

fn packed(folder: &Path, reference: &str) -> Option<String> {
    let packed = fs::read_to_string(folder.join("packed-refs")).ok()?;
    let line = packed.lines().find(|line| line.split_once(' ').is_some_and(|(_, name)| name == reference))?;
    commit(line.split_once(' ')?.0)
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn commit(text: &str) -> Option<String> {
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn the_commit_is_found_loose_packed_and_detached() {
        let root = tempfile::tempdir().unwrap();
        let git = root.path().join(".git");
        let shop = root.path().join("shop");
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::create_dir_all(&shop).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(revision(&shop), None);
        fs::write(git.join("packed-refs"), format!("# pack-refs\n{COMMIT} refs/heads/main\n")).unwrap();
        assert_eq!(revision(&shop).as_deref(), Some(COMMIT));
        let other = COMMIT.replace('0', "f");
        fs::write(git.join("refs/heads/main"), format!("{other}\n")).unwrap();
        assert_eq!(revision(&shop), Some(other));
        fs::write(git.join("HEAD"), format!("{COMMIT}\n")).unwrap();
        assert_eq!(revision(&shop).as_deref(), Some(COMMIT));
    }
}
