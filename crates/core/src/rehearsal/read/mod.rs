//! Reading the tests of a project: those in zaps, and those in files of their own.

mod expect;
mod fixture;
mod given;
mod one;
mod several;

pub(super) use fixture::written;

use std::collections::{HashMap, HashSet};

use super::case::Case;
use crate::definition::{TestFile, Zap};
use crate::diagnostic::{Diagnostic, Severity, code, did_you_mean};
use crate::load::{File, Loaded, Mended, ZapFile, unread, with_traps};
use crate::schema::{self, Document};
use crate::source::{FileId, SourceMap, Span};
use crate::value::Value;
use crate::yaml::{self, Kind, NodeId, Parsed, Tree};
use crate::{load, pointer};

/// Where fixtures come from.
pub trait Fixtures {
    /// The bytes of a file, by its path within the project, or why they cannot be read.
    ///
    /// # Errors
    /// Plain words, as a fragment.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The names of the files in a folder of the project; none where it cannot be listed.
    fn list(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }
}

/// Reads the tests of every zap that could be read, and of the files `*.test.yaml`. What is wrong with them joins the
/// findings; a test with a finding is left out.
pub fn read_tests(loaded: &mut Loaded, files: &[File], fixtures: &dyn Fixtures) -> Vec<Case> {
    let Loaded { sources, zaps, project, diagnostics, ignores, .. } = loaded;
    let vars = project.as_ref().map(|project| {
        let entries = project.definition.vars.map_or(&[][..], |vars| project.tree.entries(vars.0));
        entries.iter().map(|entry| entry.key.to_string()).collect()
    });
    let mut reader = Reader {
        sources,
        fixtures,
        known: HashMap::new(),
        vars,
        findings: Vec::new(),
        names: HashSet::new(),
        cases: Vec::new(),
    };
    for zap in zaps.iter() {
        let nodes = |zap: &Zap| zap.tests.iter().map(|test| test.0).collect::<Vec<NodeId>>();
        match (&zap.definition, &zap.tree, &zap.mended) {
            (Some(definition), Some(tree), _) => {
                reader.all(tree, zap.file, definition, &nodes(definition), diagnostics);
            }
            (None, _, Some(mended)) => {
                let tests = nodes(&mended.definition);
                reader.all_mended((&mended.tree, zap.file), mended, zap, &tests, diagnostics);
            }
            _ => {}
        }
    }
    let mut scalars = Vec::new();
    for file in files {
        scalars.extend(reader.file(file, zaps));
    }
    let Reader { mut findings, cases, .. } = reader;
    ignores.add(sources, &scalars);
    diagnostics.append(&mut findings);
    cases
}

struct Reader<'a> {
    sources: &'a mut SourceMap,
    fixtures: &'a dyn Fixtures,
    /// Fixtures that were read, by their path; nothing for those with a finding.
    known: HashMap<String, Option<Value>>,
    /// The names of the project's `vars`; nothing when they are not known.
    vars: Option<Vec<String>>,
    findings: Vec<Diagnostic>,
    /// The tests there are, by zap and name.
    names: HashSet<(String, String)>,
    cases: Vec<Case>,
}

type Scalars = (FileId, Vec<(usize, usize)>);

impl Reader<'_> {
    /// Reads a file `*.test.yaml`.
    fn file(&mut self, file: &File, zaps: &[ZapFile]) -> Option<Scalars> {
        let bytes = match &file.content {
            Ok(bytes) => bytes,
            Err(problem) => {
                let id = self.sources.add(file.path.clone(), "");
                let message = format!("{} cannot be read: {problem}", file.path);
                self.findings.push(Diagnostic::new(&code::UNREADABLE, message).at(Span::new(id, 0, 0)));
                return None;
            }
        };
        let Parsed { file: id, tree, mut diagnostics, traps, scalars } =
            yaml::parse(self.sources, &file.path, bytes);
        for finding in &mut diagnostics {
            finding.span = finding.span.or(Some(Span::new(id, 0, 0)));
        }
        let unreadable = !diagnostics.is_empty();
        self.findings.append(&mut diagnostics);
        let Some(tree) = tree.filter(|tree| tree.node(tree.root()).kind != Kind::Null) else {
            if unreadable {
                return None;
            }
            let finding = Diagnostic::new(&code::EMPTY_FILE, format!("{} is empty", file.path));
            let help = "write `zap:` with the name of a zap and `tests:`, or remove the file";
            self.findings.push(finding.at(Span::new(id, 0, 0)).help(help));
            return None;
        };
        let mut findings = schema::check(Document::Tests, &tree);
        findings.extend(load::secrets_in(&tree));
        let definition = match yaml::from_node::<TestFile>(&tree, tree.root()) {
            Ok(definition) => Some(definition),
            Err(error) => {
                if findings.is_empty() {
                    findings.push(unread(&tree, &error));
                }
                None
            }
        };
        with_traps(&mut findings, traps);
        pointer::fill(&tree, &mut findings);
        let known = findings.clone();
        self.findings.append(&mut findings);
        let scalars = (id, scalars);
        let Some(definition) = definition else { return Some(scalars) };
        let name = definition.zap.value.as_str();
        match zaps.iter().find(|zap| zap.name.as_deref() == Some(name)) {
            // A zap that cannot be read has its own findings.
            Some(zap) => {
                let tests: Vec<NodeId> = definition.tests.iter().map(|test| test.0).collect();
                match (&zap.definition, &zap.mended) {
                    (Some(zap), _) => self.all(&tree, id, zap, &tests, &known),
                    (None, Some(mended)) => self.all_mended((&tree, id), mended, zap, &tests, &known),
                    (None, None) => {}
                }
            }
            // Neither can it be told whether one without a name is meant.
            None if zaps.iter().any(|zap| zap.name.is_none()) => {}
            None => {
                let names = zaps.iter().filter_map(|zap| zap.name.as_deref());
                let help = did_you_mean(name, names).map(|best| format!("did you mean `{best}`?"));
                let finding = Diagnostic::new(&code::UNKNOWN_ZAP, format!("there is no zap `{name}`"));
                let finding = finding.at(tree.span(definition.zap.node)).maybe_help(help).pointer("/zap");
                self.findings.push(finding);
            }
        }
        Some(scalars)
    }

    /// Looks at tests of a zap with mistakes, none of which can be run.
    fn all_mended(
        &mut self,
        (tree, file): (&Tree, FileId),
        mended: &Mended<Zap>,
        zap: &ZapFile,
        tests: &[NodeId],
        known: &[Diagnostic],
    ) {
        let (findings, cases) = (std::mem::take(&mut self.findings), std::mem::take(&mut self.cases));
        self.all(tree, file, &mended.definition, tests, known);
        let mut found = std::mem::replace(&mut self.findings, findings);
        self.cases = cases;
        found.iter_mut().for_each(|finding| finding.zap.clone_from(&zap.name));
        self.findings.append(&mut mended.keep(known, found));
    }

    /// Reads all tests of a list. `known` are the findings of the file's structure.
    fn all(&mut self, tree: &Tree, file: FileId, zap: &Zap, tests: &[NodeId], known: &[Diagnostic]) {
        for test in tests {
            let within = tree.span(*test);
            let inside =
                |span: Span| span.file == within.file && within.start <= span.start && span.end <= within.end;
            let broken = known
                .iter()
                .any(|finding| finding.severity == Severity::Error && finding.span.is_some_and(inside));
            let path = self.sources.file(file).path.clone();
            let mut one = one::Reading { reader: self, tree, path: &path, zap, findings: Vec::new() };
            let case = one.read(*test, broken);
            let mut findings = std::mem::take(&mut one.findings);
            let fine = findings.iter().all(|finding| finding.severity == Severity::Warning);
            pointer::fill(tree, &mut findings);
            for finding in &mut findings {
                finding.zap = Some(zap.name.as_str().to_owned());
            }
            self.findings.append(&mut findings);
            self.cases.extend(case.filter(|_| fine && !broken));
        }
    }
}
