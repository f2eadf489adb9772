//! The example zaps, and a broken one in the place of one of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zaprun_core::diagnostic::Severity;
use zaprun_core::load::{File, Input, load};
use zaprun_core::rehearsal::{Case, Fixtures, read_tests};
use zaprun_core::source::SourceMap;
use zaprun_core::yaml::{self, Kind, NodeId, Tree};
use zaprun_core::zap::{ProjectFacts, Zap, compile};

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The project of the examples.
pub(crate) struct Project {
    file: Vec<u8>,
    /// Path within the project and text of each zap, sorted.
    pub(crate) zaps: Vec<(String, String)>,
}

/// A zap as it was read.
pub(crate) struct Tested {
    pub(crate) name: String,
    pub(crate) path: String,
    /// Nothing where it has an error.
    pub(crate) zap: Option<Zap>,
    pub(crate) cases: Vec<Case>,
    pub(crate) errors: Vec<String>,
    pub(crate) warnings: usize,
    /// What is written, without places.
    pub(crate) document: Value,
}

struct Beside;

impl Fixtures for Beside {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(root().join(path)).map_err(|error| error.to_string())
    }
}

impl Project {
    pub(crate) fn of_the_examples() -> Project {
        let root = root();
        let mut zaps = Vec::new();
        for folder in fs::read_dir(root.join("zaps")).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let named = path.to_string_lossy();
                if named.ends_with(".yaml") && !named.ends_with(".test.yaml") {
                    let within = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                    zaps.push((within, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        zaps.sort();
        Project { file: fs::read(root.join("zaprun.yaml")).unwrap(), zaps }
    }

    /// Reads one zap as the only one of the project.
    pub(crate) fn read(&self, path: &str, text: &str) -> Tested {
        let file = |path: &str, content: &[u8]| File { path: path.to_owned(), content: Ok(content.to_vec()) };
        let input = Input {
            project: file("zaprun.yaml", &self.file),
            overlays: Vec::new(),
            zaps: vec![file(path, text.as_bytes())],
            tables: Vec::new(),
            env: None,
        };
        let mut loaded = load(&input, None);
        // What is wrong with tests alone is no finding of `validate`.
        let mut findings = loaded.diagnostics.clone();
        let cases = read_tests(&mut loaded, &[], &Beside);
        let mut zap = None;
        if let (Some(project), [one]) = (&loaded.project, loaded.zaps.as_slice())
            && let (Some(definition), Some(tree)) = (&one.definition, &one.tree)
        {
            let compiled = compile(definition, tree, &ProjectFacts::of(&project.definition, &project.tree));
            findings.extend(compiled.diagnostics);
            zap = compiled.zap;
        }
        let (errors, warnings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.severity == Severity::Error);
        let mut sources = SourceMap::default();
        let tree = yaml::parse(&mut sources, path, text.as_bytes()).tree.unwrap();
        Tested {
            name: tree
                .get(tree.root(), "name")
                .and_then(|name| tree.text(name))
                .unwrap_or_default()
                .to_owned(),
            path: path.to_owned(),
            zap,
            cases,
            errors: errors.into_iter().map(|finding| finding.message).collect(),
            warnings: warnings.len(),
            document: plain(&tree, tree.root()),
        }
    }
}

fn plain(tree: &Tree, node: NodeId) -> Value {
    match &tree.node(node).kind {
        Kind::Null => Value::Null,
        Kind::Bool(truth) => Value::Bool(*truth),
        Kind::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::Null),
        Kind::Text { value, .. } | Kind::Hole(value) => Value::String(value.to_string()),
        Kind::List(items) => items.iter().map(|item| plain(tree, *item)).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.to_string(), plain(tree, entry.value))).collect()
        }
    }
}
