//! From a folder to compiled zaps. Every command that looks at a project comes through here, so what `validate` calls
//! valid is what `run` starts.

use std::path::{Path, PathBuf};

use zaprun_core::diagnostic::{Diagnostic, Severity};
use zaprun_core::load::{self, Input, LoadedProject};
use zaprun_core::source::SourceMap;
use zaprun_core::variables::{Lookup, Needed};
use zaprun_core::zap::Zap;

use crate::context::Context;
use crate::error::{CommandError, io_words};
use crate::output::count;
use crate::project;
use crate::render::{Findings, Format};

/// A secret file is a line or a key, not a book.
const MOST_SECRET_BYTES: u64 = 64 * 1024;

/// A project, read and compiled as far as it can be.
pub(crate) struct Loading {
    /// All texts.
    pub(crate) sources: SourceMap,
    /// All findings, in the order of their places.
    pub(crate) findings: Vec<Diagnostic>,
    /// The project file with its overlay; `None` when it cannot be read.
    pub(crate) project: Option<LoadedProject>,
    /// The zaps that could be compiled, switched off ones too.
    pub(crate) zaps: Vec<Zap>,
    /// What a deployment must set.
    pub(crate) needed: Vec<Needed>,
    /// What looks like a part of the project and is not read.
    pub(crate) strays: Vec<String>,
    /// How many overlays there are.
    pub(crate) overlays: usize,
    /// How many zap files there are.
    pub(crate) zap_files: usize,
}

impl Loading {
    /// Whether it may start.
    pub(crate) fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// Loads the project in `root`. Without a lookup no variable is needed.
pub(crate) fn load(root: &Path, env: Option<&str>, lookup: Option<&dyn Lookup>) -> Loading {
    let files = project::read(root);
    let (overlays, zap_files) = (files.overlays.len(), files.zaps.len());
    let input = Input {
        project: files.project,
        overlays: files.overlays,
        zaps: files.zaps,
        env: env.map(str::to_owned),
    };
    let mut loading = load_input(&input, lookup);
    (loading.strays, loading.overlays, loading.zap_files) = (files.strays, overlays, zap_files);
    loading
}

/// Loads a project from the bytes of its files.
pub(crate) fn load_input(input: &Input, lookup: Option<&dyn Lookup>) -> Loading {
    let loaded = load::load(input, lookup);
    let (zaps, found) = zaprun_core::zap::compile(&loaded);
    let findings = loaded.conclude(found);
    Loading {
        findings,
        sources: loaded.sources,
        project: loaded.project,
        zaps,
        needed: loaded.needed,
        strays: Vec::new(),
        overlays: input.overlays.len(),
        zap_files: input.zaps.len(),
    }
}

/// A project that may start: valid, its variables replaced.
pub(crate) struct Started {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// The project.
    pub(crate) project: LoadedProject,
    /// Its zaps, switched off ones too.
    pub(crate) zaps: Vec<Zap>,
}

/// Loads the project of this command with the environment's values.
///
/// # Errors
/// When there is no project, or it is not valid: its findings go to stderr.
pub(crate) fn start(context: &Context) -> Result<Started, CommandError> {
    let root = context.find_project()?;
    let loading = load(&root, context.env.as_deref(), Some(&Environment { root: root.clone() }));
    start_from(context, root, loading)
}

/// What of a loaded project may start.
///
/// # Errors
/// When it is not valid: its findings go to stderr.
pub(crate) fn start_from(
    context: &Context,
    root: PathBuf,
    loading: Loading,
) -> Result<Started, CommandError> {
    if !loading.is_valid() || !context.printer.is_quiet() {
        let findings = Findings { sources: &loading.sources, diagnostics: &loading.findings, prefix: "" };
        context.printer.report(&findings.render(Format::Text, &context.printer));
        loading.strays.iter().for_each(|stray| context.printer.warning(stray));
    }
    let valid = loading.is_valid();
    match loading.project {
        Some(project) if valid => Ok(Started { root, project, zaps: loading.zaps }),
        _ => {
            let errors =
                loading.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
            Err(CommandError::failure(format!("the project has {}", count(errors as u64, "error", "errors"))))
        }
    }
}

/// The process's environment and the project's files.
struct Environment {
    root: PathBuf,
}

impl Lookup for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.root.join(path);
        let metadata = std::fs::metadata(&path).map_err(|error| io_words(&error))?;
        if metadata.is_dir() {
            return Err("it is a folder".to_owned());
        }
        if metadata.len() > MOST_SECRET_BYTES {
            return Err(format!("it has {} bytes, more than a secret has", metadata.len()));
        }
        let bytes = std::fs::read(&path).map_err(|error| io_words(&error))?;
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
    }
}
