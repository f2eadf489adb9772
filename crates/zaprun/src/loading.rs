//! From a folder to compiled zaps. Every command that looks at a project comes through here, so what `validate` calls
//! valid is what `run` starts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use zaprun_core::definition::Secret;
use zaprun_core::diagnostic::{Diagnostic, Severity, code};
use zaprun_core::load::{self, File, Input, Loaded, LoadedProject, ZapFile};
use zaprun_core::rehearsal::{Case, Difference, Fixtures, check_policy, read_tests};
use zaprun_core::source::{SourceMap, Span};
use zaprun_core::variables::{Lookup, Needed};
use zaprun_core::zap::{self, Documents, ProjectFacts, Zap};
use zaprun_engine::trial;

use crate::context::Context;
use crate::env;
use crate::error::{CommandError, io_words};
use crate::mask::Masker;
use crate::output::count;
use crate::project::{Origin, Stray, Within};
use crate::render::{Findings, Format};
use crate::wiring;

mod notes;

pub(crate) use notes::Inputs;
use notes::Notes;

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
    /// The file of each zap, by its name.
    pub(crate) places: Vec<(String, String)>,
    /// What a deployment must set.
    pub(crate) needed: Vec<Needed>,
    /// Whether zaprun.yaml itself could not be read from the disk, as a finding says: there is no project to speak of.
    pub(crate) unreadable: bool,
    /// How many overlays there are.
    pub(crate) overlays: usize,
    /// How many zap files there are.
    pub(crate) zap_files: usize,
    /// The zap files as they were read.
    pub(crate) files: Vec<ZapFile>,
    /// The tests of the zaps, where they were asked for.
    pub(crate) cases: Vec<Case>,
    /// What it was loaded from, where that was asked for.
    pub(crate) inputs: Inputs,
}

impl Loading {
    /// Whether it may start.
    pub(crate) fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// Loads the project in `root`. Without a lookup no variable is needed.
pub(crate) fn load(root: &Path, env: Option<&str>, lookup: Option<&dyn Lookup>) -> Loading {
    load_of_with(&Within::new(root), env, lookup)
}

/// Loads the project in `root` with the tests of its zaps, which no variable may stand in the way of. With `run` each
/// test that fails is a finding.
pub(crate) fn load_tests(root: &Path, env: Option<&str>, run: bool) -> Loading {
    load_tests_of(&Within::new(root), env, run)
}

/// The same of a project that lies elsewhere than in a folder.
pub(crate) fn load_tests_of(origin: &dyn Origin, env: Option<&str>, run: bool) -> Loading {
    let (input, files) = input(origin, env);
    load_with(&input, &files, origin, None, run)
}

/// Loads a project from the bytes of its files, with the tests of its zaps and what its policy asks for.
fn load_with(
    input: &Input,
    files: &Beside,
    fixtures: &dyn Fixtures,
    lookup: Option<&dyn Lookup>,
    run: bool,
) -> Loading {
    let (mut loaded, mut compiled) = read(input, lookup, fixtures);
    let cases = read_tests(&mut loaded, &files.tests, fixtures);
    compiled.1.extend(check_policy(&loaded, &cases));
    if run {
        let zaps: Vec<Arc<Zap>> = compiled.0.into_iter().map(Arc::new).collect();
        compiled.1.extend(failures(&zaps, &cases));
        // Nobody else has kept one.
        compiled.0 = zaps.into_iter().filter_map(Arc::into_inner).collect();
    }
    compiled.1.extend(beside(&mut loaded, &files.strays));
    conclude(input, loaded, compiled, cases)
}

/// Loads the project in `root` with the tests of its zaps, with other texts in some of its files.
pub(crate) fn load_tests_with(root: &Path, env: Option<&str>, texts: &HashMap<String, Vec<u8>>) -> Loading {
    let within = Within::new(root);
    let (mut input, mut files) = input(&within, env);
    for file in input.zaps.iter_mut().chain(&mut files.tests) {
        if let Some(text) = texts.get(&file.path) {
            file.content = Ok(text.clone());
        }
    }
    let (mut loaded, compiled) = read(&input, None, &within);
    let cases = read_tests(&mut loaded, &files.tests, &within);
    conclude(&input, loaded, compiled, cases)
}

/// Loads the project in `root` as it would be with one more file, and runs the tests.
pub(crate) fn load_tests_and(root: &Path, env: Option<&str>, zap: File) -> Loading {
    let within = Within::new(root);
    let (mut input, files) = input(&within, env);
    input.zaps.push(zap);
    load_with(&input, &Beside { strays: Vec::new(), ..files }, &within, None, true)
}

/// Loads a project, wherever it lies, with the environment's values. `root` is where its secret files are.
pub(crate) fn load_of(origin: &dyn Origin, root: &Path, env: Option<&str>) -> Loading {
    load_of_with(origin, env, Some(&Environment { root: root.to_owned() }))
}

fn load_of_with(origin: &dyn Origin, env: Option<&str>, lookup: Option<&dyn Lookup>) -> Loading {
    let (input, files) = input(origin, env);
    let (mut loaded, mut compiled) = read(&input, lookup, origin);
    compiled.1.extend(beside(&mut loaded, &files.strays));
    conclude(&input, loaded, compiled, Vec::new())
}

/// Loads a project from the bytes of its files, as the environment of this program has its variables. The files that its
/// zaps name are those in `root`.
pub(crate) fn load_recorded(input: &Input, root: &Path) -> Loading {
    let (loaded, compiled) = read(input, Some(&Environment { root: root.to_owned() }), &Within::new(root));
    conclude(input, loaded, compiled, Vec::new())
}

/// Loads a project from the bytes of its files, whose zaps name no others.
pub(crate) fn load_input(input: &Input, lookup: Option<&dyn Lookup>) -> Loading {
    let (loaded, compiled) = read(input, lookup, &NoFiles);
    conclude(input, loaded, compiled, Vec::new())
}

/// What a project's files hold, and what else they hold that is not part of that.
fn input(origin: &dyn Origin, env: Option<&str>) -> (Input, Beside) {
    let files = origin.files();
    let input = Input {
        project: files.project,
        overlays: files.overlays,
        zaps: files.zaps,
        tables: files.tables,
        env: env.map(str::to_owned),
    };
    (input, Beside { tests: files.tests, strays: files.strays })
}

struct Beside {
    tests: Vec<File>,
    strays: Vec<Stray>,
}

/// What a project holds that does nothing: files that are not read, zaps of which none is switched on.
fn beside(loaded: &mut Loaded, strays: &[Stray]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for stray in strays {
        let file = loaded.sources.add(stray.path.clone(), "");
        let finding = Diagnostic::new(&code::NOT_READ, stray.reason.clone()).help(stray.help);
        found.push(finding.at(Span::new(file, 0, 0)));
    }
    // A file that cannot be read may hold a zap that runs.
    let idle = loaded.zaps.iter().all(|zap| zap.name.is_some() && !zap.enabled);
    if let Some(project) = loaded.project.as_ref().filter(|_| idle) {
        let (message, help) = match loaded.zaps.as_slice() {
            [] => ("the project has no zap, so nothing runs", "write one: a .yaml file under zaps/"),
            _ => ("every zap is switched off, so nothing runs", "let one of them say `enabled: true`"),
        };
        let finding = Diagnostic::new(&code::NOTHING_RUNS, message).help(help);
        found.push(finding.at(Span::new(project.file, 0, 0)));
    }
    found
}

type Compiled = (Vec<Zap>, Vec<Diagnostic>);

/// There are none.
struct NoFiles;

impl Fixtures for NoFiles {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("it is not there".to_owned())
    }
}

fn read(input: &Input, lookup: Option<&dyn Lookup>, files: &dyn Fixtures) -> (Loaded, Compiled) {
    let loaded = load::load(input, lookup);
    let compiled = compile(&loaded, files);
    (loaded, compiled)
}

fn conclude(input: &Input, loaded: Loaded, (zaps, found): Compiled, cases: Vec<Case>) -> Loading {
    let findings = loaded.conclude(found);
    let place = |zap: &load::ZapFile| Some((zap.name.clone()?, loaded.sources.file(zap.file).path.clone()));
    Loading {
        findings,
        places: loaded.zaps.iter().filter_map(place).collect(),
        sources: loaded.sources,
        project: loaded.project,
        zaps,
        needed: loaded.needed,
        unreadable: input.project.content.is_err(),
        overlays: input.overlays.len(),
        zap_files: input.zaps.len(),
        files: loaded.zaps,
        cases,
        inputs: Inputs::default(),
    }
}

/// Compiles every zap that could be read, whatever is wrong with the others. What is found only in an environment that
/// was not chosen is told too: the zap would not start there.
fn compile(loaded: &Loaded, files: &dyn Fixtures) -> Compiled {
    let documents: Vec<Documents> = loaded.zaps.iter().map(|file| documents(loaded, file, files)).collect();
    let project = loaded.project.as_ref().or(loaded.mended.as_ref());
    let (zaps, mut found) = compile_with(loaded, project, &documents);
    for other in &loaded.others {
        let mut more = load::only_with(other.file, &found, compile_with(loaded, Some(other), &documents).1);
        found.append(&mut more);
    }
    (zaps, found)
}

/// The files that a zap names.
fn documents(loaded: &Loaded, file: &ZapFile, files: &dyn Fixtures) -> Documents {
    let whole = file.definition.as_ref().zip(file.tree.as_ref());
    let mended = file.mended.as_ref().map(|mended| (&mended.definition, &mended.tree));
    let Some((definition, tree)) = whole.or(mended) else { return Documents::default() };
    Documents::read(definition, tree, &loaded.sources.file(file.file).path, files)
}

/// `documents` are those of each zap file, in their order.
/// Who is told of alerts, where the project says so, and what is wrong with that. Tables are for zaps.
pub(crate) fn alerts(project: &LoadedProject) -> (Option<zap::Alerts>, Vec<Diagnostic>) {
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    zap::compile_alerts(&project.definition, &project.tree, &facts)
}

fn compile_with(loaded: &Loaded, project: Option<&LoadedProject>, documents: &[Documents]) -> Compiled {
    let facts = project
        .map_or_else(ProjectFacts::unknown, |project| ProjectFacts::of(&project.definition, &project.tree))
        .with_tables(&loaded.tables);
    let (mut zaps, mut found) = (Vec::new(), Vec::new());
    // What a project with mistakes says of alerts has its finding where it has one.
    if let Some(project) = project.filter(|_| loaded.project.is_some()) {
        found.extend(alerts(project).1);
    }
    for (file, documents) in loaded.zaps.iter().zip(documents) {
        let (Some(definition), Some(tree)) = (&file.definition, &file.tree) else {
            // Of a zap with mistakes the rest is looked at, and nothing of it is run.
            if let Some(mended) = &file.mended {
                let compiled = zap::compile_with(&mended.definition, &mended.tree, &facts, documents);
                let mut more = compiled.diagnostics;
                more.iter_mut().for_each(|finding| finding.zap.clone_from(&file.name));
                found.extend(mended.keep(&loaded.diagnostics, more));
            }
            continue;
        };
        let compiled = zap::compile_with(definition, tree, &facts, documents);
        found.extend(compiled.diagnostics);
        // The project may switch what the zap says of itself.
        zaps.extend(compiled.zap.map(|mut zap| {
            zap.enabled = file.enabled;
            zap
        }));
    }
    (zaps, found)
}

/// A finding for each test that fails.
fn failures(zaps: &[Arc<Zap>], cases: &[Case]) -> Vec<Diagnostic> {
    let failing = |case: &Case| {
        let zap = zaps.iter().find(|zap| zap.name == case.zap)?;
        let differences = trial::check(case, zap);
        let Difference { place, expected, got, help, .. } = differences.first()?;
        let more = match differences.len() {
            1 => String::new(),
            all => format!(" ({} more)", all - 1),
        };
        let message = format!("the test fails: {place}: expected {expected}, got {got}{more}");
        let finding = Diagnostic::new(&code::TEST_FAILS, message).at(case.span).zap(&case.zap);
        Some(finding.maybe_help(help.clone()))
    };
    cases.iter().filter_map(failing).collect()
}

/// A project that may start: valid, its variables replaced.
pub(crate) struct Started {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// The project.
    pub(crate) project: LoadedProject,
    /// Its zaps, switched off ones too.
    pub(crate) zaps: Vec<Zap>,
    /// What it was loaded from, where that was asked for.
    pub(crate) inputs: Inputs,
    /// Name, path and text of each zap.
    pub(crate) written: Vec<(String, String, String)>,
}

/// Name, path and text of each zap file that has a name.
pub(crate) fn written(sources: &SourceMap, files: &[ZapFile]) -> Vec<(String, String, String)> {
    let written = |file: &ZapFile| {
        let source = sources.file(file.file);
        Some((file.name.clone()?, source.path.clone(), source.text.to_string()))
    };
    files.iter().filter_map(written).collect()
}

/// Loads the project in `root` with the environment's values, and notes from what.
pub(crate) fn load_noting(root: &Path, env: Option<&str>) -> Loading {
    let environment = Environment { root: root.to_owned() };
    let within = Within::new(root);
    let notes = Notes::over(&within, &environment, root);
    let loading = load_of_with(&notes, env, Some(&notes));
    Loading { inputs: notes.inputs(), ..loading }
}

/// Loads the project of this command with the environment's values. Where logs are for machines, the findings are log
/// lines too, of the given instant.
///
/// # Errors
/// When there is no project, or it is not valid: its findings go to stderr.
pub(crate) fn start(context: &Context, logged: Option<Timestamp>) -> Result<Started, CommandError> {
    let root = context.find_project()?;
    let mut loading = load_noting(&root, context.env.as_deref());
    if let Some(at) = logged
        && loading.is_valid()
    {
        let diagnostics = std::mem::take(&mut loading.findings);
        if !context.printer.is_quiet() {
            let findings = Findings { sources: &loading.sources, diagnostics: &diagnostics, prefix: "" };
            context.printer.report(&findings.log_lines(at));
        }
    }
    start_from(context, root, loading)
}

/// Loads the project of this command for trying its connections: zaprun.yaml must be valid, each zap need not be.
///
/// # Errors
/// When there is no project, or zaprun.yaml is not valid: its findings go to stderr.
pub(crate) fn start_connections(context: &Context) -> Result<Started, CommandError> {
    let root = context.find_project()?;
    let mut loading = load(&root, context.env.as_deref(), Some(&Environment { root: root.clone() }));
    let sources = &loading.sources;
    let in_zap = |finding: &Diagnostic| {
        finding.span.is_some_and(|span| sources.file(span.file).path.starts_with("zaps/"))
    };
    loading.findings.retain(|finding| !in_zap(finding));
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
    }
    if loading.unreadable {
        return Err(CommandError::told());
    }
    let valid = loading.is_valid();
    match loading.project {
        Some(project) if valid => {
            let written = written(&loading.sources, &loading.files);
            Ok(Started { root, project, zaps: loading.zaps, inputs: loading.inputs, written })
        }
        _ => {
            let errors =
                loading.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
            Err(CommandError::failure(format!("the project has {}", count(errors as u64, "error", "errors"))))
        }
    }
}

/// Refuses to go on with a project whose zaprun.yaml is not there or unreadable, and says what is wrong with it.
///
/// # Errors
/// When it is so.
pub(crate) fn readable(context: &Context, loading: &Loading) -> Result<(), CommandError> {
    if !loading.unreadable {
        return Ok(());
    }
    let findings = Findings { sources: &loading.sources, diagnostics: &loading.findings, prefix: "" };
    context.printer.report(&findings.render(Format::Text, &context.printer));
    Err(CommandError::told())
}

/// A project that is looked at: where its state is, and what of it can be read. It need not be valid, since at three in
/// the morning it may not be.
pub(crate) struct Opened {
    /// The file of the state.
    pub(crate) state: PathBuf,
    /// The zaps that could be compiled.
    pub(crate) zaps: Vec<Zap>,
    /// Their names.
    pub(crate) names: Vec<String>,
    /// What hides the secrets that are set.
    pub(crate) masker: Masker,
    /// The key of what the state keeps sealed, where the project names one.
    pub(crate) state_key: Option<Secret>,
}

/// Opens the project of this command for looking at its state.
///
/// # Errors
/// When there is none, or its zaprun.yaml cannot be read.
pub(crate) fn open(context: &Context) -> Result<Opened, CommandError> {
    let (_, loading, opened) = open_whole(context)?;
    Ok(Opened { zaps: loading.zaps, ..opened })
}

/// The same with its folder and all that was loaded, in which its zaps are.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_whole(context: &Context) -> Result<(PathBuf, Loading, Opened), CommandError> {
    let root = context.find_project()?;
    let loading = load(&root, context.env.as_deref(), Some(&Environment { root: root.clone() }));
    match &loading.project {
        Some(project) => {
            let opened = Opened {
                state: wiring::state_path(&project.definition, &root),
                masker: wiring::masker(&project.definition),
                state_key: project.definition.state_key.as_ref().map(|key| key.value.clone()),
                zaps: Vec::new(),
                names: loading.zaps.iter().map(|zap| zap.name.clone()).collect(),
            };
            Ok((root, loading, opened))
        }
        None => match start_from(context, root, loading) {
            Err(error) => Err(error),
            Ok(_) => Err(CommandError::failure("zaprun.yaml cannot be read")),
        },
    }
}

/// The process's environment and the project's files.
struct Environment {
    root: PathBuf,
}

impl Lookup for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        env::variable(name)
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

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod explained;

#[cfg(test)]
mod tests {
    use zaprun_core::load::{File, Overlay};

    use super::*;

    const ZAP: &str = "name: a
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - { id: s, type: http, connection: api, json: { to: \"{{ vars.channel }}\" } }
";
    const PROJECT: &str = "version: 1
connections:
  crm: { type: konnektive, login_id: \"${L}\", password: \"${P}\", timezone: America/New_York }
  api: { type: http, base_url: \"${U}\" }
";

    fn findings(project: &str, overlays: &[(&str, &str)]) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
        let overlay = |(env, text): &(&str, &str)| Overlay {
            env: (*env).to_owned(),
            file: file(&format!("zaprun.{env}.yaml"), text),
        };
        let input = Input {
            project: file("zaprun.yaml", project),
            overlays: overlays.iter().map(overlay).collect(),
            zaps: vec![file("zaps/a.yaml", ZAP)],
            tables: Vec::new(),
            env: Some("prod".to_owned()).filter(|env| overlays.iter().any(|(known, _)| known == env)),
        };
        let loading = load_input(&input, None);
        let path = |span: zaprun_core::source::Span| loading.sources.file(span.file).path.clone();
        let shown = |finding: &Diagnostic| {
            let related: Vec<String> = finding.related.iter().map(|(span, _)| path(*span)).collect();
            format!("{} {}", finding.message, related.join(" ")).trim_end().to_owned()
        };
        loading.findings.iter().map(shown).collect()
    }

    #[test]
    fn a_project_that_cannot_be_read_hides_no_variable_of_zaps() {
        let broken = format!("{PROJECT}vars: {{ channel: x }}\nconnection: {{}}\n");
        assert_eq!(findings(&broken, &[]), ["unknown key `connection`"]);
        assert_eq!(findings(PROJECT, &[]), ["`vars` has no field `channel`"]);
    }

    #[test]
    fn zaps_are_checked_against_every_overlay() {
        let prod = ("prod", "vars: { channel: x }\n");
        assert_eq!(findings(PROJECT, &[prod]), [""; 0]);
        assert_eq!(
            findings(PROJECT, &[("dev", "vars: { chanel: x }\n"), prod]),
            ["`vars` has no field `channel` zaprun.dev.yaml"]
        );
    }
}
