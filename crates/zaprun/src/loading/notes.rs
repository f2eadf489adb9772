//! From what a project was loaded, so that a second look can tell whether it is still the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zaprun_core::rehearsal::Fixtures;
use zaprun_core::variables::Lookup;

use crate::error::io_words;
use crate::project::{Files, Origin};

/// What a project was loaded from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// Hash of every file's content, those of secrets too. It stays in memory.
    pub(crate) print: String,
    /// Hash of the files that zaps name.
    pub(crate) documents: String,
    /// The files beside those that make the project: secrets, and what zaps name.
    pub(crate) files: BTreeSet<PathBuf>,
}

impl Inputs {
    /// The same with these files too.
    pub(crate) fn and(mut self, files: &BTreeSet<PathBuf>) -> Inputs {
        let mut print = Print::default();
        print.note("loaded", &self.print, Ok(&[]));
        for path in files {
            let content = std::fs::read(path).map_err(|error| io_words(&error));
            print.note("file", &path.to_string_lossy(), borrowed(&content));
        }
        self.print = print.text();
        self.files.extend(files.iter().cloned());
        self
    }
}

/// Hands everything on and notes what was read.
pub(super) struct Notes<'a> {
    origin: &'a dyn Origin,
    lookup: &'a dyn Lookup,
    root: &'a Path,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    all: Print,
    documents: Print,
    files: BTreeSet<PathBuf>,
}

/// A hash of what was read, in whatever order and however often.
#[derive(Default)]
struct Print(BTreeSet<[u8; 32]>);

impl Print {
    fn note(&mut self, kind: &str, name: &str, content: Result<&[u8], &str>) {
        let mut hasher = blake3::Hasher::new();
        for part in [kind.as_bytes(), name.as_bytes()] {
            hasher.update(&part.len().to_le_bytes()).update(part);
        }
        match content {
            Ok(bytes) => hasher.update(b"+").update(bytes),
            Err(reason) => hasher.update(b"-").update(reason.as_bytes()),
        };
        self.0.insert(*hasher.finalize().as_bytes());
    }

    fn text(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.0.iter().for_each(|hash| {
            hasher.update(hash);
        });
        hasher.finalize().to_hex().to_string()
    }
}

impl<'a> Notes<'a> {
    /// Notes of what is read of this project.
    pub(super) fn over(origin: &'a dyn Origin, lookup: &'a dyn Lookup, root: &'a Path) -> Notes<'a> {
        Notes { origin, lookup, root, noted: Mutex::default() }
    }

    /// All that was noted.
    pub(super) fn inputs(&self) -> Inputs {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        Inputs { print: noted.all.text(), documents: noted.documents.text(), files: noted.files.clone() }
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn borrowed(content: &Result<Vec<u8>, String>) -> Result<&[u8], &str> {
    content.as_ref().map(Vec::as_slice).map_err(String::as_str)
}

impl Origin for Notes<'_> {
    fn files(&self) -> Files {
        let files = self.origin.files();
        // The tests of zaps are none of the engine's business.
        let Files { project, overlays, zaps, tests: _, tables, strays } = &files;
        self.note(|noted| {
            let all = std::iter::once(project).chain(overlays.iter().map(|overlay| &overlay.file));
            for file in all.chain(zaps).chain(tables) {
                noted.all.note("file", &file.path, borrowed(&file.content));
            }
            for stray in strays {
                noted.all.note("stray", &stray.path, Err(&stray.reason));
            }
        });
        files
    }
}

impl Fixtures for Notes<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let content = self.origin.read(path);
        self.note(|noted| {
            noted.all.note("document", path, borrowed(&content));
            noted.documents.note("document", path, borrowed(&content));
            noted.files.insert(self.root.join(path));
        });
        content
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let names = self.origin.list(folder);
        let mut sorted = names.clone();
        sorted.sort();
        let listed = sorted.join("\n");
        self.note(|noted| {
            noted.all.note("folder", folder, Ok(listed.as_bytes()));
            noted.documents.note("folder", folder, Ok(listed.as_bytes()));
        });
        names
    }
}

impl Lookup for Notes<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        // The environment of a process does not change.
        self.lookup.variable(name)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let content = self.lookup.file(path);
        let bytes = content.as_ref().map(String::as_bytes).map_err(String::as_str);
        self.note(|noted| {
            noted.all.note("secret", path, bytes);
            noted.files.insert(self.root.join(path));
        });
        content
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::super::load_noting;

    #[test]
    fn whatever_a_project_is_made_of_is_noted() {
        let root = tempfile::tempdir().unwrap();
        let secret = tempfile::NamedTempFile::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let project = format!(
            "version: 1\nconnections:\n  crm: {{ type: konnektive, login_id: a, password: \"${{file:{}}}\", timezone: America/New_York }}\n",
            secret.path().display()
        );
        write("zaprun.yaml", &project);
        std::fs::write(secret.path(), "one").unwrap();
        let inputs = || load_noting(root.path(), None).inputs;
        let mut before = inputs();
        assert_eq!(before, inputs());
        assert!(before.files.contains(secret.path()));
        let mut differs = |what: &str| {
            let now = inputs();
            assert_ne!(now.print, before.print, "{what}");
            before = now;
        };
        std::fs::write(secret.path(), "two").unwrap();
        differs("a secret");
        write("zaps/a.yaml", "name: a\n");
        differs("a zap");
        write("tables/t.csv", "key,value\n");
        differs("a table");
        write("zaprun.prod.yaml", "vars: {}\n");
        differs("an overlay");
        std::fs::remove_file(secret.path()).unwrap();
        differs("a secret that is gone");
        write("zaps/a.test.yaml", "tests: []\n");
        assert_eq!(inputs().print, before.print, "tests do not run here");
    }
}
