//! What is there, by metadata alone: cheap enough to be asked every few seconds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::WalkBuilder;

use super::Places;

/// How deep folders may stand in each other under `zaps/`; the loader goes no deeper.
const DEEPEST: usize = 32;

/// What was found at each place.
pub(super) type Stamp = BTreeMap<PathBuf, Option<Found>>;

/// What distinguishes a file from what was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Where links lead in the end.
    real: Option<PathBuf>,
    bytes: u64,
    written: Option<SystemTime>,
    inode: Inode,
}

/// The number of the file, and when its owner or rights last changed.
#[cfg(unix)]
type Inode = (u64, u64, i64, i64);
#[cfg(not(unix))]
type Inode = ();

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> Inode {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> Inode {}

/// Looks.
pub(super) fn stamp(places: &Places) -> Stamp {
    let mut paths: Vec<PathBuf> = places.files.iter().cloned().collect();
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("zaprun.") && name.ends_with(".yaml"))
    };
    paths.extend(listed(&places.root).into_iter().filter(named));
    paths.extend(listed(&places.root.join("tables")));
    paths.extend(entries(&places.root.join("zaps")));
    paths.into_iter().map(|path| (path.clone(), found(&path))).collect()
}

fn found(path: &Path) -> Option<Found> {
    let metadata = std::fs::metadata(path).ok()?;
    // A folder's own dates change with whatever an editor puts there for a moment.
    let folder = metadata.is_dir();
    Some(Found {
        real: path.canonicalize().ok(),
        bytes: if folder { 0 } else { metadata.len() },
        written: metadata.modified().ok().filter(|_| !folder),
        inode: if folder { Inode::default() } else { inode(&metadata) },
    })
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// All that lies below a folder, as far as the loader looks.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .max_depth(Some(DEEPEST))
        .build();
    let matters = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|ending| ending == "yaml");
    walk.flatten().map(ignore::DirEntry::into_path).filter(matters).collect()
}
