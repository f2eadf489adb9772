//! `tests/zaps`: broken zaps with what is found in them, and good ones in which nothing is. A case is a file, or a
//! folder with a `zaprun.yaml`; `tests/zaps/README.md` says how a case says what it expects.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use zaprun_core::definition::Action;
use zaprun_core::diagnostic::{CODES, Diagnostic, Severity};
use zaprun_core::expression::tests_table::TESTS;
use zaprun_core::load::{File, Input};
use zaprun_core::rehearsal::Fixtures;
use zaprun_core::variables::Lookup;

use super::{Beside, Loading, load_with};
use crate::project::{self, Origin, PROJECT_FILE};

/// How many cases there are at least; fewer means that some are no longer found.
const LEAST_INVALID: usize = 290;
const LEAST_VALID: usize = 80;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/zaps")
}

/// One case: its files, and what is expected of them.
struct Case {
    /// Path below `tests/zaps`.
    name: String,
    input: Input,
    beside: Beside,
    fixtures: Within,
    /// The values of variables, where the case is loaded as `run` loads it.
    variables: Option<Variables>,
    expected: Vec<Expected>,
}

/// The files that zaps name, below a folder that stands for the project's.
struct Within {
    root: PathBuf,
    /// What a path begins with that is not there below `root`.
    without: &'static str,
}

impl Fixtures for Within {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = path.strip_prefix(self.without).unwrap_or(path);
        fs::read(self.root.join(path)).map_err(|_| "no such file".to_owned())
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let folder = folder.strip_prefix(self.without).unwrap_or(folder);
        project::Within::new(&self.root).list(folder)
    }
}

/// The variables of a case; no file can be read.
#[derive(Default)]
struct Variables(BTreeMap<String, String>);

impl Lookup for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("no such file or directory".to_owned())
    }
}

/// A finding that a case expects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Expected {
    path: String,
    line: usize,
    /// First column and the one past the last.
    columns: Option<(usize, usize)>,
    severity: Option<&'static str>,
    code: String,
    words: String,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)?;
        if let Some((first, end)) = self.columns {
            write!(f, ":{first}-{end}")?;
        }
        write!(f, " {} {} {}", self.severity.unwrap_or(""), self.code, self.words)
    }
}

/// Reads `ZR0101`, `error ZR0101`, `warning ZR0101: some of its words`; nothing when it is none of these.
fn said(text: &str) -> Option<(Option<&'static str>, String, String)> {
    let (severity, rest) = match text.split_once(' ') {
        Some(("error", rest)) => (Some("error"), rest.trim_start()),
        Some(("warning", rest)) => (Some("warning"), rest.trim_start()),
        _ => (None, text),
    };
    let code = rest.get(..6)?;
    let words = match rest.get(6..)?.trim_end() {
        "" => "",
        more => more.strip_prefix(": ")?,
    };
    let known = code.starts_with("ZR") && code[2..].bytes().all(|byte| byte.is_ascii_digit());
    known.then(|| (severity, code.to_owned(), words.to_owned()))
}

/// The expectations that comments of a YAML file hold: `… # ZR0202` for its own line, `# ^^^^ ZR0202` for what the
/// carets point at in the line above.
fn marked(path: &str, text: &str) -> Vec<Expected> {
    let mut all = Vec::new();
    let mut above = 0;
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        let carets =
            line.trim_start().strip_prefix('#').map(str::trim_start).filter(|rest| rest.starts_with('^'));
        if let Some(rest) = carets {
            let written = rest.trim_start_matches('^').trim_start();
            let first = line.chars().position(|character| character == '^').unwrap_or_default() + 1;
            let count = line.chars().filter(|character| *character == '^').count();
            let (severity, code, words) =
                said(written).unwrap_or_else(|| panic!("{path}:{line_number}: carets without a code"));
            let columns = Some((first, first + count));
            all.push(Expected { path: path.to_owned(), line: above, columns, severity, code, words });
            continue;
        }
        above = line_number;
        let Some((_, comment)) = line.rsplit_once("# ") else { continue };
        for part in comment.split(" + ") {
            if let Some((severity, code, words)) = said(part.trim()) {
                let path = path.to_owned();
                all.push(Expected { path, line: line_number, columns: None, severity, code, words });
            }
        }
    }
    all
}

/// What the lines of an `expected` file say.
#[derive(Default)]
struct Written {
    findings: Vec<Expected>,
    env: Option<String>,
    variables: Option<Variables>,
    /// A file, and the size to which it is filled up with a comment.
    fill: Option<(String, usize)>,
}

/// Reads an `expected` file. A place without a path is in `path`.
fn written(text: &str, path: &str) -> Written {
    let mut all = Written::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(env) = line.strip_prefix("env: ") {
            all.env = Some(env.to_owned());
        } else if let Some(set) = line.strip_prefix("set: ") {
            let (name, value) = set.split_once('=').unwrap();
            let variables = all.variables.get_or_insert_with(Variables::default);
            variables.0.insert(name.to_owned(), value.to_owned());
        } else if let Some(fill) = line.strip_prefix("fill: ") {
            let (path, size) = fill.split_once(' ').unwrap();
            all.fill = Some((path.to_owned(), size.parse().unwrap()));
        } else {
            all.findings.push(finding(line, path));
        }
    }
    all
}

/// `path:line:first-end CODE`, of which the path and the columns may be left out.
fn finding(line: &str, path: &str) -> Expected {
    let (place, rest) =
        line.split_once(' ').unwrap_or_else(|| panic!("{path}: `{line}` is not an expectation"));
    let (severity, code, words) = said(rest).unwrap_or_else(|| panic!("{path}: `{line}` names no code"));
    let mut parts: Vec<&str> = place.split(':').collect();
    let named = parts.first().is_some_and(|first| first.parse::<usize>().is_err());
    let path = if named { parts.remove(0).to_owned() } else { path.to_owned() };
    let columns = parts.get(1).map(|columns| {
        let (first, end) = columns.split_once('-').unwrap();
        (first.parse().unwrap(), end.parse().unwrap())
    });
    Expected { path, line: parts[0].parse().unwrap(), columns, severity, code, words }
}

/// All cases below a folder of `tests/zaps`, by name.
fn cases(below: &str) -> Vec<Case> {
    let mut all = Vec::new();
    gather(&folder().join(below), &mut all);
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn gather(at: &Path, all: &mut Vec<Case>) {
    if at.join(PROJECT_FILE).exists() {
        all.push(project_case(at));
        return;
    }
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => gather(&path, all),
            Some("yaml") => all.push(zap_case(&path)),
            Some("expected") => {
                assert!(path.with_extension("yaml").exists(), "{}: no such case", path.display());
            }
            _ => panic!("{}: a case is a .yaml file or a folder with {PROJECT_FILE}", path.display()),
        }
    }
}

fn name(path: &Path) -> String {
    path.strip_prefix(folder()).unwrap().display().to_string()
}

fn text_of(file: &File) -> String {
    file.content.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// One zap in the project that all of them share.
fn zap_case(at: &Path) -> Case {
    let shared = project::Within::new(&folder()).files();
    let path = format!("zaps/{}", at.file_name().unwrap().to_str().unwrap());
    let file = File { path: path.clone(), content: Ok(fs::read(at).unwrap()) };
    let mut expected = marked(&path, &text_of(&file));
    let beside = fs::read_to_string(at.with_extension("expected")).unwrap_or_default();
    expected.append(&mut written(&beside, &path).findings);
    let input = Input {
        project: shared.project,
        overlays: Vec::new(),
        zaps: vec![file],
        tables: shared.tables,
        env: None,
    };
    let fixtures = Within { root: folder(), without: "zaps/" };
    let beside = Beside { tests: Vec::new(), strays: Vec::new() };
    Case { name: name(at), input, beside, fixtures, variables: None, expected }
}

/// A whole project.
fn project_case(at: &Path) -> Case {
    let mut files = project::Within::new(at).files();
    let said = written(&fs::read_to_string(at.join("expected")).unwrap_or_default(), PROJECT_FILE);
    let mut expected = said.findings;
    let overlays = files.overlays.iter().map(|overlay| &overlay.file);
    let all = [&files.project]
        .into_iter()
        .chain(overlays)
        .chain(&files.zaps)
        .chain(&files.tests)
        .chain(&files.tables);
    for file in all.filter(|file| file.path.ends_with(".yaml")) {
        expected.append(&mut marked(&file.path, &text_of(file)));
    }
    if let Some((path, size)) = &said.fill {
        let mut files = files.zaps.iter_mut().chain(&mut files.tables);
        let content = &mut files.find(|file| file.path == *path).unwrap().content;
        content.as_mut().unwrap().resize(*size, b'#');
    }
    let input = Input {
        project: files.project,
        overlays: files.overlays,
        zaps: files.zaps,
        tables: files.tables,
        env: said.env,
    };
    let fixtures = Within { root: at.to_owned(), without: "" };
    let beside = Beside { tests: files.tests, strays: files.strays };
    Case { name: name(at), input, beside, fixtures, variables: said.variables, expected }
}

impl Case {
    fn load(&self) -> Loading {
        let lookup = self.variables.as_ref().map(|variables| variables as &dyn Lookup);
        load_with(&self.input, &self.beside, &self.fixtures, lookup, true)
    }

    /// What is found, each with the words that an expectation may quote.
    fn found(&self) -> Vec<(Expected, Diagnostic)> {
        let loading = self.load();
        let place = |finding: &Diagnostic| {
            let span =
                finding.span.unwrap_or_else(|| panic!("{}: {} has no place", self.name, finding.message));
            let (first, end) = loading.sources.range(span);
            let last = if end.line == first.line { end.column } else { usize::MAX };
            Expected {
                path: loading.sources.file(span.file).path.clone(),
                line: first.line,
                columns: Some((first.column, last)),
                severity: Some(match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                }),
                code: finding.code.id.to_owned(),
                words: finding.message.clone(),
            }
        };
        loading.findings.iter().map(|finding| (place(finding), finding.clone())).collect()
    }

    /// What is found and not expected, and what is expected and not found.
    fn differences(&self) -> Vec<String> {
        let mut missing = self.expected.clone();
        let mut differences = Vec::new();
        for (found, _) in self.found() {
            match missing.iter().position(|expected| fits(expected, &found)) {
                Some(at) => drop(missing.remove(at)),
                None => differences.push(format!("{}: found, not expected: {found}", self.name)),
            }
        }
        let not_found =
            missing.iter().map(|missing| format!("{}: expected, not found: {missing}", self.name));
        differences.extend(not_found);
        differences
    }
}

fn fits(expected: &Expected, found: &Expected) -> bool {
    expected.path == found.path
        && expected.line == found.line
        && expected.code == found.code
        && expected.columns.is_none_or(|columns| Some(columns) == found.columns)
        && expected.severity.is_none_or(|severity| Some(severity) == found.severity)
        && found.words.contains(&expected.words)
}

#[test]
fn broken_zaps_have_the_findings_they_say_and_no_other() {
    let cases = cases("invalid");
    let differences: Vec<String> = cases.iter().flat_map(Case::differences).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for case in &cases {
        assert!(!case.expected.is_empty(), "{} expects nothing", case.name);
    }
    assert!(cases.len() >= LEAST_INVALID, "only {} cases", cases.len());
}

#[test]
fn good_zaps_have_no_findings() {
    let cases = cases("valid");
    let differences: Vec<String> = cases.iter().flat_map(Case::differences).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for case in &cases {
        assert!(case.expected.is_empty(), "{} expects findings", case.name);
        let zaps = case.load().zaps;
        assert_eq!(zaps.len(), case.input.zaps.len(), "{}: every zap of it compiles", case.name);
    }
    assert!(cases.len() >= LEAST_VALID, "only {} cases", cases.len());
}

#[test]
fn every_code_has_a_case() {
    let cases = cases("invalid");
    let expected: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.expected).map(|expected| expected.code.as_str()).collect();
    let missing: Vec<&str> = CODES.iter().map(|code| code.id).filter(|id| !expected.contains(id)).collect();
    assert!(missing.is_empty(), "no case in tests/zaps/invalid has {}", missing.join(", "));
}

#[test]
fn a_wrong_expectation_fails() {
    let broken = "name: a\nenabled: no  # ZR0201\n# ^^ ZR0107\n";
    let marks = marked("zaps/a.yaml", broken);
    assert_eq!(marks.len(), 2);
    assert_eq!((marks[0].line, marks[0].columns), (2, None));
    assert_eq!((marks[1].line, marks[1].columns), (2, Some((3, 5))));
    let found = Expected { words: "some words".to_owned(), columns: Some((10, 12)), ..marks[0].clone() };
    assert!(fits(&marks[0], &found));
    for wrong in [
        Expected { line: 3, ..marks[0].clone() },
        Expected { code: "ZR0202".to_owned(), ..marks[0].clone() },
        Expected { columns: Some((10, 13)), ..marks[0].clone() },
        Expected { words: "other".to_owned(), ..marks[0].clone() },
        Expected { path: "zaps/b.yaml".to_owned(), ..marks[0].clone() },
    ] {
        assert!(!fits(&wrong, &found), "{wrong}");
    }
    assert_eq!(finding("zaps/b.yaml:3:1-4 error ZR0101: no file", "zaps/a.yaml").columns, Some((1, 4)));
    assert_eq!(finding("7 ZR0104", "zaps/a.yaml").path, "zaps/a.yaml");
}

/// Every trigger, action, filter and test occurs in a case of which nothing is found.
#[test]
fn every_feature_has_a_good_case() {
    let text: String = cases("valid").iter().flat_map(|case| case.input.zaps.iter().map(text_of)).collect();
    let mut missing = Vec::new();
    let triggers = ["orders", "transactions", "customers"].map(|kind| format!("konnektive.{kind}"));
    let others = ["webhook", "http", "schedule"].map(str::to_owned);
    let actions = Action::kinds().map(str::to_owned);
    for kind in triggers.into_iter().chain(others).chain(actions) {
        if !text.contains(&format!("type: {kind}\n")) {
            missing.push(format!("type {kind}"));
        }
    }
    let word = |pattern: String| regex::Regex::new(&pattern).unwrap().is_match(&text);
    for filter in zaprun_core::filters::all().filter(|filter| !word(format!(r"(\| |\('){}\b", filter.name))) {
        missing.push(format!("filter {}", filter.name));
    }
    for test in TESTS.iter().filter(|test| !word(format!(r"( is | is not |, '|\('){}\b", test.name))) {
        missing.push(format!("test {}", test.name));
    }
    assert!(missing.is_empty(), "no good case has {}", missing.join(", "));
}
