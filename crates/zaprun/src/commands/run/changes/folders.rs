//! The folders in which a change of the project shows.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::Places;
use super::stamp::entries;

/// Links that lead to links are followed so far.
const LINKS: usize = 40;

/// All of them that are there.
pub(super) fn folders(places: &Places) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let zaps = places.root.join("zaps");
    let inner = entries(&zaps).into_iter().chain([zaps, places.root.join("tables")]);
    for path in inner.chain(places.files.iter().cloned()).chain([places.root.clone()]) {
        follow(&path, LINKS, &mut found);
        if path.is_dir() {
            found.insert(path);
        }
    }
    // Each file that makes the project may be a link that is turned.
    let links = std::fs::read_dir(&places.root).into_iter().flatten().flatten();
    for entry in links.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
        if entry.file_name().to_string_lossy().starts_with("zaprun.") {
            follow(&entry.path(), LINKS, &mut found);
        }
    }
    found
}

/// The folder in which the last part of a path lies, and those in which the links on the way to it lie: where one of
/// them is not there, the nearest above it.
fn follow(path: &Path, links: usize, found: &mut BTreeSet<PathBuf>) {
    let mut way = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            // What is above a folder that a link led to is above the folder, not above the link.
            way = way.canonicalize().unwrap_or(way);
            way.pop();
            continue;
        }
        let before = way.clone();
        way.push(part);
        match std::fs::symlink_metadata(&way) {
            Ok(metadata) if metadata.is_symlink() => {
                found.insert(before.clone());
                if links > 0
                    && let Ok(target) = std::fs::read_link(&way)
                {
                    follow(&before.join(target), links - 1, found);
                }
            }
            Ok(_) => {}
            Err(_) => {
                if before.is_dir() {
                    found.insert(before);
                }
                return;
            }
        }
    }
    way.pop();
    if way.is_dir() {
        found.insert(way);
    }
}
