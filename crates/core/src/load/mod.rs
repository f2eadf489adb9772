//! A whole project: from the files' bytes to typed definitions and every finding on the way.
//!
//! Nothing here stops at the first mistake: a file that cannot be read hides no other file, and a definition
//! with a wrong key is still read, so that later checks can look at the rest of it.

mod action;
mod admin;
mod alerts;
mod ignore;
mod mend;
mod names;
mod oauth2;
mod overlay;
mod project;
mod secrets;
mod table;
mod trigger;
mod webhooks;
mod zap;

pub(crate) use project::{is_address, unread};
pub(crate) use secrets::in_zap as secrets_in;

#[cfg(test)]
mod tests;

pub use ignore::Ignores;
pub use mend::Mended;
pub use oauth2::is_private_way;
pub use secrets::{is_secret_name, secret_in_line};

use std::collections::HashSet;

use crate::definition::{Project, Zap};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::source::{FileId, SourceMap, Span};
use crate::table::Tables;
use crate::variables::{Lookup, Needed};
use crate::yaml::{self, NodeId, Parsed, Tree};

/// A file as it was found.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path relative to the project, with `/` between its parts.
    pub path: String,
    /// Its bytes, or why they cannot be read.
    pub content: Result<Vec<u8>, String>,
}

/// An overlay: `zaprun.<env>.yaml`.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The environment it is for.
    pub env: String,
    /// The file.
    pub file: File,
}

/// The files of a project.
#[derive(Debug, Clone)]
pub struct Input {
    /// `zaprun.yaml`.
    pub project: File,
    /// Every overlay; all are checked.
    pub overlays: Vec<Overlay>,
    /// The zap files, without `*.test.yaml` and what is under `fixtures/`.
    pub zaps: Vec<File>,
    /// The look-up tables, `tables/NAME.csv` and `tables/NAME.yaml`.
    pub tables: Vec<File>,
    /// The environment whose overlay is merged in.
    pub env: Option<String>,
}

/// The project file with its overlay merged in and its variables replaced.
#[derive(Debug, Clone)]
pub struct LoadedProject {
    /// What it says.
    pub definition: Project,
    /// The tree that the definition's nodes belong to.
    pub tree: Tree,
    /// `zaprun.yaml`; of an environment that was not chosen, its overlay.
    pub file: FileId,
}

/// A zap file.
#[derive(Debug, Clone)]
pub struct ZapFile {
    /// The file.
    pub file: FileId,
    /// The zap's name, when one can be read.
    pub name: Option<String>,
    /// Whether it runs: its own `enabled`, unless the project switches it.
    pub enabled: bool,
    /// What it says; `None` when it cannot be read as a zap, and then a finding says why.
    pub definition: Option<Zap>,
    /// What can be read of it all the same, for checks of the rest.
    pub mended: Option<Box<Mended<Zap>>>,
    /// The tree that the definition's nodes belong to; `None` when the file is not YAML.
    pub tree: Option<Tree>,
}

/// A project that was read, as far as it can be.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All texts.
    pub sources: SourceMap,
    /// The project; `None` when `zaprun.yaml` cannot be read as one, and then a finding says why.
    pub project: Option<LoadedProject>,
    /// What of the project can be read all the same when it cannot be read whole: zaps are checked against it.
    pub mended: Option<LoadedProject>,
    /// The project as the environments that were not chosen have it: zaps are checked against each, none is run.
    pub others: Vec<LoadedProject>,
    /// The zaps in the order of the input.
    pub zaps: Vec<ZapFile>,
    /// The look-up tables.
    pub tables: Tables,
    /// What is wrong so far. What is shown to a person comes from [`Loaded::conclude`].
    pub diagnostics: Vec<Diagnostic>,
    /// What a deployment must set, each once.
    pub needed: Vec<Needed>,
    /// The comments that silence findings.
    pub ignores: Ignores,
}

impl Loaded {
    /// All findings: those of loading and `more`, silenced where a comment says so, in the order of their places.
    pub fn conclude(&self, more: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = self.diagnostics.iter().cloned().chain(more).collect();
        secrets::mask(&self.sources, &mut all);
        let mut findings = self.ignores.apply(&self.sources, all);
        findings.sort_by(|a, b| {
            let order = |finding: &Diagnostic| finding.span.map(|span| (span.file, span.start, span.end));
            order(a).cmp(&order(b)).then_with(|| a.code.id.cmp(b.code.id))
        });
        findings
    }

    /// The zap file of a name.
    pub fn zap(&self, name: &str) -> Option<&ZapFile> {
        self.zaps.iter().find(|zap| zap.name.as_deref() == Some(name))
    }
}

/// Reads a project. Without a lookup no variable is needed: one without a default then stands for any value.
pub fn load(input: &Input, lookup: Option<&dyn Lookup>) -> Loaded {
    let mut reader = Reader::default();
    let read = project::read(&mut reader, input, lookup);
    let mut zaps: Vec<ZapFile> = input.zaps.iter().map(|file| zap::read(&mut reader, file)).collect();
    let tables = table::read(&mut reader, &input.tables);
    names::check(&mut reader, &read, &zaps);
    if let Some(project) = &read.project {
        switch(project, &mut zaps);
    }
    let ignores = Ignores::collect(&reader.sources, &reader.scalars);
    Loaded {
        sources: reader.sources,
        project: read.project,
        mended: read.mended,
        others: read.others,
        zaps,
        tables,
        diagnostics: reader.findings,
        needed: read.needed,
        ignores,
    }
}

/// Lets the project's switches win over the zaps' own.
fn switch(project: &LoadedProject, zaps: &mut [ZapFile]) {
    for zap in zaps {
        if let Some(switch) = zap.name.as_deref().and_then(|name| project.definition.zaps.get(name)) {
            zap.enabled = *switch.enabled;
        }
    }
}

/// What the steps of loading share.
#[derive(Default)]
struct Reader {
    sources: SourceMap,
    findings: Vec<Diagnostic>,
    scalars: Vec<(FileId, Vec<(usize, usize)>)>,
    /// What [`Reader::add`] has added.
    added: HashSet<(&'static str, Option<Span>, String)>,
}

/// A file that is YAML, and what in it reads otherwise than its author may think.
struct Read {
    file: FileId,
    tree: Option<Tree>,
    traps: Vec<(NodeId, Diagnostic)>,
}

impl Reader {
    /// Reads one file as YAML. An empty file gives no tree; whether that is wrong is the caller's to say.
    fn read(&mut self, file: &File) -> Read {
        let bytes = match &file.content {
            Ok(bytes) => bytes,
            Err(problem) => {
                let id = self.sources.add(file.path.clone(), "");
                let message = format!("{} cannot be read: {problem}", file.path);
                self.findings.push(Diagnostic::new(&code::UNREADABLE, message).at(start(id)));
                return Read { file: id, tree: None, traps: Vec::new() };
            }
        };
        let Parsed { file, tree, mut diagnostics, traps, scalars } =
            yaml::parse(&mut self.sources, &file.path, bytes);
        for finding in &mut diagnostics {
            // A file without a text to point into is pointed at as a whole.
            finding.span = finding.span.or(Some(start(file)));
        }
        self.findings.append(&mut diagnostics);
        self.scalars.push((file, scalars));
        Read { file, tree, traps }
    }

    /// Whether a finding of error severity points into a file.
    fn is_broken(&self, file: FileId) -> bool {
        let in_file = |finding: &&Diagnostic| finding.span.is_some_and(|span| span.file == file);
        self.findings.iter().filter(in_file).any(|finding| finding.severity == Severity::Error)
    }

    /// Adds findings unless the same was added before, as each overlay's reading finds the base file's again.
    fn add(&mut self, findings: Vec<Diagnostic>) {
        for finding in findings {
            if self.added.insert((finding.code.id, finding.span, finding.message.clone())) {
                self.findings.push(finding);
            }
        }
    }
}

/// What of `found` is not among `known`, with a note that names the overlay it comes with.
pub fn only_with(overlay: FileId, known: &[Diagnostic], mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |finding: &Diagnostic| (finding.code.id, finding.span, finding.message.clone());
    let known: HashSet<_> = known.iter().map(key).collect();
    found.retain(|finding| !known.contains(&key(finding)));
    found.into_iter().map(|finding| finding.related(start(overlay), "with this overlay")).collect()
}

/// The head of a file.
fn start(file: FileId) -> Span {
    Span::new(file, 0, 0)
}

/// Adds traps to the findings of the structure. Where both say the same of one value, the structure's words stay
/// and the trap's advice joins them: it knows what was meant.
pub(crate) fn with_traps(structure: &mut Vec<Diagnostic>, traps: Vec<(NodeId, Diagnostic)>) {
    for (_, trap) in traps {
        let same = structure.iter_mut().find(|finding| finding.span == trap.span);
        match same {
            // That it is a secret matters more, and the advice for the other would repeat it.
            Some(finding) if finding.code == &code::PLAIN_SECRET => {}
            Some(finding) => finding.help = trap.help,
            None => structure.push(trap),
        }
    }
}
