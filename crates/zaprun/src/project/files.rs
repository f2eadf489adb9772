//! Which files a project holds, and their bytes. What cannot be read is told as a finding later, never a crash.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{DirEntry, WalkBuilder};
use zaprun_core::load::{File, Overlay};
use zaprun_core::rehearsal::Fixtures;

use super::PROJECT_FILE;
use crate::error::io_words;

/// No file of a project is read beyond this; the loader refuses far smaller ones with better words.
pub(super) const MOST_BYTES: u64 = 64 * 1024 * 1024;
const LEADS_OUT: &str = "it is a link that leads out of the project";
/// How deep folders may stand in each other under `zaps/`.
const DEEPEST: usize = 32;

/// The files that make a project.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// `zaprun.yaml`
    pub(crate) project: File,
    /// `zaprun.ENV.yaml` by environment, sorted.
    pub(crate) overlays: Vec<Overlay>,
    /// `zaps/**/*.yaml`, sorted.
    pub(crate) zaps: Vec<File>,
    /// `zaps/**/*.test.yaml`, sorted.
    pub(crate) tests: Vec<File>,
    /// `tables/*.csv` and `tables/*.yaml`, sorted.
    pub(crate) tables: Vec<File>,
    /// What looks like a zap or an overlay and is not read.
    pub(crate) strays: Vec<Stray>,
}

/// Something that looks like a part of the project and is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    /// Its path within the project.
    pub(crate) path: String,
    /// Why it is not read.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) help: &'static str,
}

impl Stray {
    fn new(path: impl Into<String>, reason: impl Into<String>, help: &'static str) -> Stray {
        Stray { path: path.into(), reason: reason.into(), help }
    }
}

/// Where the files of a project come from: a folder, or a revision of it.
pub(crate) trait Origin: Fixtures {
    /// Those that make the project.
    fn files(&self) -> Files;
}

/// Reads the files of the project in `root`.
fn read(root: &Path) -> Files {
    let real_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut strays = Vec::new();
    let overlays = overlays(root, &real_root, &mut strays);
    let (tests, zaps) =
        zaps(root, &real_root, &mut strays).into_iter().partition(|file| is_tests(&file.path));
    let project =
        File { path: PROJECT_FILE.to_owned(), content: content(&root.join(PROJECT_FILE), &real_root) };
    let tables = tables(root, &real_root, &mut strays);
    Files { project, overlays, zaps, tests, tables, strays }
}

/// The files of a project by their path in it, for what other files of it name.
pub(crate) struct Within {
    root: PathBuf,
    real_root: PathBuf,
}

impl Within {
    /// The files of the project in `root`.
    pub(crate) fn new(root: &Path) -> Within {
        Within { root: root.to_owned(), real_root: root.canonicalize().unwrap_or_else(|_| root.to_owned()) }
    }
}

impl Origin for Within {
    fn files(&self) -> Files {
        read(&self.root)
    }
}

impl Fixtures for Within {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        content(&self.root.join(path), &self.real_root)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
        files.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

/// Whether a file holds tests of a zap.
pub(super) fn is_tests(path: &str) -> bool {
    path.ends_with(".test.yaml")
}

/// The records that lie under `zaps/`, in folders called `fixtures`: their paths in the project, sorted.
pub(crate) fn fixtures(root: &Path) -> Vec<String> {
    let walk = WalkBuilder::new(root.join("zaps"))
        .standard_filters(false)
        .hidden(true)
        .max_depth(Some(DEEPEST))
        .build();
    let is_record = |path: &String| {
        path.contains("/fixtures/") && [".json", ".yaml"].iter().any(|ending| path.ends_with(ending))
    };
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut paths: Vec<String> = files.map(|entry| within(entry.path(), root)).filter(is_record).collect();
    paths.sort_unstable();
    paths
}

fn overlays(root: &Path, real_root: &Path, strays: &mut Vec<Stray>) -> Vec<Overlay> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) => {
            let reason = format!("overlays are not read: the folder cannot be listed: {}", io_words(&error));
            strays.push(Stray::new(
                PROJECT_FILE,
                reason,
                "let whoever runs zaprun list the project's folder",
            ));
            return Vec::new();
        }
    };
    let mut overlays = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let Some(middle) = name.strip_prefix("zaprun.") else { continue };
        if middle.ends_with(".yml") {
            let reason = format!("{name} is not read: overlays end in .yaml");
            strays.push(Stray::new(name, reason, "rename it to .yaml, or remove it"));
        }
        let Some(env) = middle.strip_suffix(".yaml") else { continue };
        let file = File { path: name.to_owned(), content: content(&entry.path(), real_root) };
        overlays.push(Overlay { env: env.to_owned(), file });
    }
    overlays.sort_by(|one, other| one.env.cmp(&other.env));
    overlays
}

/// The look-up tables: the files of `tables/` itself, not of folders in it, since a table is called as its file is.
fn tables(root: &Path, real_root: &Path, strays: &mut Vec<Stray>) -> Vec<File> {
    let folder = root.join("tables");
    if fs::symlink_metadata(&folder).is_err() {
        return Vec::new();
    }
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => {
            let reason = format!("the folder cannot be listed: {}", io_words(&error));
            strays.push(Stray::new("tables", reason, "let zaprun read the folder"));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = within(&entry.path(), root);
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match path.rsplit_once('.') {
            _ if hidden => {}
            Some((_, "csv" | "yaml")) => {
                files.push(File { content: content(&entry.path(), real_root), path });
            }
            _ => strays.push(Stray::new(
                path,
                "tables end in .csv or .yaml",
                "rename it, or move it elsewhere",
            )),
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn zaps(root: &Path, real_root: &Path, strays: &mut Vec<Stray>) -> Vec<File> {
    let folder = root.join("zaps");
    if fs::symlink_metadata(&folder).is_err() {
        return Vec::new();
    }
    let inside = real_root.to_owned();
    let (leaving, left) = mpsc::channel();
    let walk = WalkBuilder::new(&folder)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .max_depth(Some(DEEPEST))
        .sort_by_file_path(Path::cmp)
        .filter_entry(move |entry| enters(entry, &inside, &leaving))
        .build();
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) => {
                if let Some(file) = zap_file(&entry, root, real_root, &mut seen, strays) {
                    files.push(file);
                }
            }
            Err(error) => files.extend(unreadable(&error, root)),
        }
    }
    // Zaps behind such a link are believed to run, so it is not passed over in silence.
    files.extend(
        left.try_iter().map(|path| File { path: within(&path, root), content: Err(LEADS_OUT.to_owned()) }),
    );
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Whether the walk looks at an entry: not into `fixtures/`, nor through a link that leads up or leaves the project;
/// the last is reported.
fn enters(entry: &DirEntry, real_root: &Path, leaving: &mpsc::Sender<PathBuf>) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_folder {
        return true;
    }
    if entry.depth() > 0 && entry.file_name() == "fixtures" {
        return false;
    }
    if entry.depth() == 0 || !entry.path_is_symlink() {
        return true;
    }
    let Ok(real) = entry.path().canonicalize() else { return false };
    let stays = real.starts_with(real_root);
    if !stays && !real_root.starts_with(&real) {
        // The receiver lives as long as the walk.
        let _ = leaving.send(entry.path().to_owned());
    }
    stays && !real_root.join("zaps").starts_with(real)
}

fn zap_file(
    entry: &DirEntry,
    root: &Path,
    real_root: &Path,
    seen: &mut HashSet<PathBuf>,
    strays: &mut Vec<Stray>,
) -> Option<File> {
    let path = within(entry.path(), root);
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if entry.depth() == 0 {
        // `zaps` itself: a folder, or nothing that can hold zaps.
        return (!is_folder)
            .then(|| File { path, content: Err("it is a file, and should be a folder".to_owned()) });
    }
    if entry.depth() == DEEPEST && is_folder {
        let reason = format!("{path} is not read: folders stand more than {DEEPEST} deep in each other");
        strays.push(Stray::new(path, reason, "move what is in it further up"));
        return None;
    }
    if path.ends_with(".yml") && !is_folder {
        let reason = format!("{path} is not read: zaps end in .yaml");
        strays.push(Stray::new(path, reason, "rename it to .yaml, or move it out of zaps/"));
        return None;
    }
    if !path.ends_with(".yaml") {
        return None;
    }
    // A file that is linked to from another name is one file.
    if let Ok(real) = entry.path().canonicalize()
        && !is_folder
        && !seen.insert(real)
    {
        return None;
    }
    Some(File { path, content: content(entry.path(), real_root) })
}

/// A finding for what the walk could not enter; a loop of links is none, since all its files were seen.
fn unreadable(error: &ignore::Error, root: &Path) -> Option<File> {
    let path = match error {
        ignore::Error::WithPath { path, .. } => path,
        ignore::Error::WithDepth { err, .. } => return unreadable(err, root),
        _ => return None,
    };
    // Asked again, since the walk keeps its reason in words of its own.
    let reason = fs::metadata(path).and_then(|_| fs::read_dir(path)).err()?;
    let shown = within(path, root);
    // A dangling link of another kind of file concerns nobody.
    let concerns = path.is_dir() || shown.ends_with(".yaml");
    concerns.then(|| File { path: shown, content: Err(io_words(&reason)) })
}

/// A path within the project, as a person writes it.
fn within(path: &Path, root: &Path) -> String {
    let within = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = within.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// The bytes of a file that lies inside the project.
fn content(path: &Path, real_root: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| io_words(&error);
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err("it is a folder, not a file".to_owned());
    }
    // A pipe or a device would be waited for without end.
    if !metadata.is_file() {
        return Err("it is a pipe or a device, not a file".to_owned());
    }
    let real = path.canonicalize().map_err(cannot)?;
    if !real.starts_with(real_root) {
        return Err(LEADS_OUT.to_owned());
    }
    if metadata.len() > MOST_BYTES {
        return Err(format!("it has {} bytes", metadata.len()));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)).map_err(cannot)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
