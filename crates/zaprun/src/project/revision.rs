//! The files of a project as a git revision has them. Git itself reads them, as a child process: nothing is checked
//! out, so neither the working tree nor the index is touched, and no hook or filter runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use zaprun_core::load::{File, Overlay};
use zaprun_core::rehearsal::Fixtures;
use zaprun_core::source::beside;

use super::PROJECT_FILE;
use super::files::{Files, MOST_BYTES, Origin, is_tests};
use crate::error::{CommandError, io_words};

/// Branches that others work from, the published one first.
const TRUNKS: [&str; 4] = ["origin/main", "main", "origin/master", "master"];
/// A link that leads to a link, and so on, is followed no further than this.
const MOST_LINKS: usize = 8;

/// The repository that a project lies in.
pub(crate) struct Repository<'a> {
    root: &'a Path,
    /// The project's folder within it, ending in `/`; empty where they are the same.
    prefix: Vec<u8>,
}

/// A revision, by the name a person knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// How it was chosen: `main`, `HEAD`, `where this branch left main`.
    pub(crate) name: String,
    /// The commit.
    pub(crate) commit: String,
    /// What a reader should know of the choice.
    pub(crate) note: Option<String>,
}

impl<'a> Repository<'a> {
    /// The repository of the project in `root`.
    ///
    /// # Errors
    /// When there is none, or git is not there.
    pub(crate) fn of(root: &'a Path) -> Result<Self, CommandError> {
        let bare = Repository { root, prefix: Vec::new() };
        let mut prefix = match bare.ask(["rev-parse", "--show-prefix"])? {
            Answer::Told(prefix) => prefix,
            Answer::Refused(why) if why.contains("not a git repository") => {
                return Err(CommandError::usage("the project is in no git repository").hint(
                    "`plan` compares with a revision; `zaprun plan --deployed` compares with what has run",
                ));
            }
            Answer::Refused(why) => return Err(CommandError::failure(format!("git says: {why}"))),
        };
        if prefix.last() == Some(&b'\n') {
            prefix.pop();
        }
        Ok(Repository { prefix, ..bare })
    }

    /// A revision that a person names.
    ///
    /// # Errors
    /// When there is no such revision.
    pub(crate) fn named(&self, name: &str) -> Result<Named, CommandError> {
        let unknown = || {
            let error = CommandError::usage(format!("there is no revision `{name}`"));
            if self.is_shallow() {
                error.hint("the clone is shallow; `git fetch --unshallow`, or fetch that revision")
            } else {
                error.hint("name a branch, a tag or a commit: `git branch --all` shows the branches")
            }
        };
        let commit = self.commit(name)?.ok_or_else(unknown)?;
        Ok(Named { name: name.to_owned(), commit, note: None })
    }

    /// What a reviewer compares with: where this branch left the trunk; without a trunk, the last commit.
    ///
    /// # Errors
    /// When there is no commit.
    pub(crate) fn usual(&self) -> Result<Named, CommandError> {
        let head = self.commit("HEAD")?.ok_or_else(|| {
            CommandError::usage("the repository has no commit to compare with").hint("commit first")
        })?;
        for trunk in TRUNKS {
            let Some(tip) = self.commit(trunk)? else { continue };
            if let Answer::Told(found) = self.ask(["merge-base", &tip, &head])? {
                let commit = text(&found);
                let name = if commit == tip { trunk.to_owned() } else { format!("where HEAD left {trunk}") };
                return Ok(Named { name, commit, note: None });
            }
            let why = if self.is_shallow() {
                "the clone is too shallow to tell where HEAD left it; compared with its tip"
            } else {
                "it shares no history with HEAD; compared with its tip"
            };
            return Ok(Named { name: trunk.to_owned(), commit: tip, note: Some(format!("{trunk}: {why}")) });
        }
        let note = "there is no main or master, here or at origin: only what is not committed shows; \
                    `--against` names a revision"
            .to_owned();
        Ok(Named { name: "HEAD".to_owned(), commit: head, note: Some(note) })
    }

    /// The project as a commit has it.
    ///
    /// # Errors
    /// When git cannot read it.
    pub(crate) fn revision(&self, commit: &str) -> Result<Revision, CommandError> {
        let mut entries = BTreeMap::new();
        // Twice: what lies beside the project's folders may be a whole other tree, which is not listed.
        for args in
            [&["ls-tree", "-z", "-l", "--full-tree"][..], &["ls-tree", "-r", "-z", "-l", "--full-tree"]]
        {
            let deep = args.contains(&"-r");
            let mut command = self.git();
            command.args(args).arg(commit).arg("--");
            for part in if deep { &["zaps/", "tables/"][..] } else { &[""] } {
                let path = [self.prefix.as_slice(), part.as_bytes()].concat();
                if !path.is_empty() {
                    command.arg(os(&path)?);
                }
            }
            match answer(command)? {
                Answer::Told(listed) => entries.extend(read_entries(&self.prefix, &listed)),
                Answer::Refused(why) => {
                    return Err(CommandError::failure(format!("git cannot list {commit}: {why}")));
                }
            }
        }
        let reader = self.reader()?;
        Ok(Revision {
            root: self.root.to_owned(),
            prefix: self.prefix.clone(),
            commit: commit.to_owned(),
            entries: RefCell::new(entries),
            looked: RefCell::default(),
            reader: RefCell::new(reader),
        })
    }

    fn commit(&self, name: &str) -> Result<Option<String>, CommandError> {
        // A name is never taken for an option.
        if name.is_empty() || name.starts_with('-') {
            return Ok(None);
        }
        let wanted = format!("{name}^{{commit}}");
        match self.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])? {
            Answer::Told(id) => Ok(Some(text(&id))),
            Answer::Refused(_) => Ok(None),
        }
    }

    fn is_shallow(&self) -> bool {
        let told = self.ask(["rev-parse", "--is-shallow-repository"]);
        matches!(told, Ok(Answer::Told(told)) if text(&told) == "true")
    }

    fn reader(&self) -> Result<Reader, CommandError> {
        let mut command = self.git();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(ask), Some(told)) => Ok(Reader { child, ask, told: BufReader::new(told) }),
            _ => Err(CommandError::failure("git cannot be talked to")),
        }
    }

    fn ask<const N: usize>(&self, args: [&str; N]) -> Result<Answer, CommandError> {
        let mut command = self.git();
        command.args(args);
        answer(command)
    }

    fn git(&self) -> Command {
        git(self.root)
    }
}

/// Git, so that it only looks: no hook, no pager, no question, no lock, no download.
fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["--no-pager", "--literal-pathspecs", "--no-optional-locks"]);
    git.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
    // Those of a hook that runs us point to where the hook runs, which may be elsewhere.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git.stdin(Stdio::null());
    git
}

/// What `git ls-tree -z -l` lists of a project that lies there.
fn read_entries(prefix: &[u8], listed: &[u8]) -> Vec<(String, Entry)> {
    listed.split(|byte| *byte == 0).filter_map(|line| read_entry(prefix, line)).collect()
}

/// `mode type id    size<tab>path`
fn read_entry(prefix: &[u8], line: &[u8]) -> Option<(String, Entry)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (facts, path) = (std::str::from_utf8(line.get(..tab)?).ok()?, line.get(tab + 1..)?);
    let path = path.strip_prefix(prefix)?;
    let mut facts = facts.split_ascii_whitespace();
    let (mode, kind, id, size) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    let kind = match (mode, kind) {
        ("120000", _) => EntryKind::Link,
        (_, "blob") => EntryKind::File,
        (_, "commit") => EntryKind::Module,
        _ => return None,
    };
    let entry = Entry { kind, id: id.to_owned(), size: size.parse().unwrap_or(0) };
    // A path that is no text is shown as what it is most like, as that of a file on the disk.
    Some((String::from_utf8_lossy(path).into_owned(), entry))
}

/// What git said.
enum Answer {
    Told(Vec<u8>),
    /// The first line of why not.
    Refused(String),
}

fn answer(mut command: Command) -> Result<Answer, CommandError> {
    let output = command.output().map_err(|error| no_git(&error))?;
    if output.status.success() {
        return Ok(Answer::Told(output.stdout));
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let first = told.lines().next().unwrap_or("nothing").trim_start_matches("fatal: ").to_owned();
    Ok(Answer::Refused(first))
}

fn no_git(error: &std::io::Error) -> CommandError {
    let told = CommandError::usage(format!("git cannot be started: {}", io_words(error)));
    match error.kind() {
        std::io::ErrorKind::NotFound => told.hint("`plan` reads the other revision with git: install it"),
        _ => told,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a path must be text")]
fn os(bytes: &[u8]) -> Result<&OsStr, CommandError> {
    Ok(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
}

#[cfg(not(unix))]
fn os(bytes: &[u8]) -> Result<&OsStr, CommandError> {
    std::str::from_utf8(bytes)
        .map(OsStr::new)
        .map_err(|_| CommandError::failure("the project's folder has a name that is no text"))
}

/// The files of a project as a commit has them.
pub(crate) struct Revision {
    root: PathBuf,
    /// The project's folder within the repository.
    prefix: Vec<u8>,
    commit: String,
    /// By their path within the project: those of its own folders, and those of others that were asked for.
    entries: RefCell<BTreeMap<String, Entry>>,
    /// The other folders that were asked for.
    looked: RefCell<HashSet<String>>,
    reader: RefCell<Reader>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: EntryKind,
    id: String,
    size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    File,
    Link,
    /// Another repository.
    Module,
}

impl Revision {
    /// Whether there is a project at all.
    pub(crate) fn is_project(&self) -> bool {
        self.entries.borrow().contains_key(PROJECT_FILE)
    }

    /// Lists a folder that files of the project name, where that is none of its own.
    fn look_into(&self, folder: &str) {
        let own =
            ["zaps", "tables"].iter().any(|own| folder == *own || folder.starts_with(&format!("{own}/")));
        if folder.is_empty() || own || !self.looked.borrow_mut().insert(folder.to_owned()) {
            return;
        }
        let path = [self.prefix.as_slice(), folder.as_bytes(), b"/"].concat();
        let mut command = git(&self.root);
        command.args(["ls-tree", "-z", "-l", "--full-tree", &self.commit, "--"]);
        let Ok(path) = os(&path) else { return };
        // What cannot be listed is not there, and whoever asks is told so.
        if let Ok(Answer::Told(listed)) = answer({
            command.arg(path);
            command
        }) {
            self.entries.borrow_mut().extend(read_entries(&self.prefix, &listed));
        }
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.look_into(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        self.entries.borrow().get(path).cloned()
    }

    fn paths(&self) -> Vec<String> {
        self.entries.borrow().keys().cloned().collect()
    }

    fn content(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let entry = self.entry(&path).ok_or("no such file or directory")?;
            if entry.size > MOST_BYTES {
                return Err(format!("it has {} bytes", entry.size));
            }
            match entry.kind {
                EntryKind::Module => return Err("it is another repository, not a file".to_owned()),
                EntryKind::File => return self.reader.borrow_mut().blob(&entry.id),
                EntryKind::Link => {
                    let target = self.reader.borrow_mut().blob(&entry.id)?;
                    let target = String::from_utf8(target).map_err(|_| "it is a link to nowhere")?;
                    path = beside(&path, &target).ok_or("it is a link that leads out of the project")?;
                }
            }
        }
        Err("it is a link that leads to links without end".to_owned())
    }

    fn file(&self, path: &str) -> File {
        File { path: path.to_owned(), content: self.content(path) }
    }
}

impl Origin for Revision {
    fn files(&self) -> Files {
        let overlay = |path: &String| {
            let env = path.strip_prefix("zaprun.")?.strip_suffix(".yaml").filter(|env| !env.contains('/'))?;
            Some(Overlay { env: env.to_owned(), file: self.file(path) })
        };
        let zap = |path: &&String| {
            let Some(inner) = path.strip_prefix("zaps/") else { return false };
            let mut parts = inner.split('/').rev();
            let name = parts.next().unwrap_or_default();
            let hidden = name.starts_with('.') || parts.clone().any(|part| part.starts_with('.'));
            name.ends_with(".yaml") && !hidden && !parts.any(|part| part == "fixtures")
        };
        let table = |path: &&String| {
            let name = path.strip_prefix("tables/").unwrap_or("/");
            !name.contains('/')
                && !name.starts_with('.')
                && (name.ends_with(".csv") || name.ends_with(".yaml"))
        };
        let paths = self.paths();
        let zaps = paths.iter().filter(zap).map(|path| self.file(path));
        let (tests, zaps) = zaps.partition(|file| is_tests(&file.path));
        Files {
            project: self.file(PROJECT_FILE),
            overlays: paths.iter().filter_map(overlay).collect(),
            zaps,
            tests,
            tables: paths.iter().filter(table).map(|path| self.file(path)).collect(),
            strays: Vec::new(),
        }
    }
}

impl Fixtures for Revision {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.content(path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let name = |path: &String| {
            let inner =
                if folder.is_empty() { path } else { path.strip_prefix(folder)?.strip_prefix('/')? };
            (!inner.contains('/')).then(|| inner.to_owned())
        };
        self.look_into(folder);
        self.paths().iter().filter_map(name).collect()
    }
}

/// `git cat-file --batch`: it is asked for one object, and told before it is asked for the next.
struct Reader {
    child: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Reader {
    fn blob(&mut self, id: &str) -> Result<Vec<u8>, String> {
        let cannot = |error: std::io::Error| format!("git cannot read it: {}", io_words(&error));
        self.ask.write_all(format!("{id}\n").as_bytes()).and_then(|()| self.ask.flush()).map_err(cannot)?;
        let mut head = String::new();
        self.told.read_line(&mut head).map_err(cannot)?;
        // `id blob size`, or `id missing`: a partial clone does not have it, and nothing is downloaded.
        let size = head.split_ascii_whitespace().nth(2).and_then(|size| size.parse::<usize>().ok());
        let Some(size) = size else { return Err("git does not have it here".to_owned()) };
        let mut bytes = vec![0; size];
        self.told.read_exact(&mut bytes).map_err(cannot)?;
        self.told.read_exact(&mut [0]).map_err(cannot)?;
        Ok(bytes)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It ends when nobody asks any more; what it would have told nobody wants.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_listing_is_read() {
        let prefix = b"my shop/";
        let line = b"100644 blob 0123abcd     417\tmy shop/zaps/a \"b\".yaml";
        let entry = Entry { kind: EntryKind::File, id: "0123abcd".to_owned(), size: 417 };
        assert_eq!(read_entry(prefix, line), Some(("zaps/a \"b\".yaml".to_owned(), entry)));
        assert_eq!(read_entry(prefix, b"040000 tree 0123abcd       -\tmy shop/zaps"), None);
        assert_eq!(read_entry(prefix, b"100644 blob 0123abcd      12\tother/zaprun.yaml"), None);
        assert_eq!(read_entry(prefix, b""), None);
    }
}
