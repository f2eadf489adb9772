//! The mutation check: each example zap is broken in every way that the operators know, and it is counted what finds
//! each break. `docs/mutation.md` tells the figures and what is found by nothing; it is written anew by
//! `just mutation`, and this test fails where it is stale.

#![allow(clippy::unwrap_used, reason = "tests")]

mod operators;
mod project;
mod report;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use operators::{Class, Mutant};
use project::{Project, Tested};
use zaprun_core::property;

/// As many as the command's own examples take.
const CASES: u32 = 256;
/// Any would do; it is fixed, so that the figures are.
const SEED: u64 = 1;

/// What finds a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// `validate`: it is an error.
    Error,
    /// `validate --strict`: it is a warning that the whole zap does not have.
    Warning,
    /// `test --cases 256`.
    Cases,
    /// The zap's own tests alone.
    Tests,
    /// Nothing, though it does something else for some record.
    Nothing,
    /// It does the same for every record.
    Same,
}

/// A break and what finds it.
struct Verdict {
    zap: String,
    mutant: Mutant,
    found: Found,
}

fn judged(project: &Project, whole: &Tested, mutant: &Mutant) -> Found {
    let broken = project.read(&whole.path, &mutant.text);
    let Some(zap) = broken.zap.filter(|_| broken.errors.is_empty()) else { return Found::Error };
    if broken.warnings > whole.warnings {
        return Found::Warning;
    }
    // Its tests are read off the broken zap: their expectations are as they were.
    if property::fails(&zap, &broken.cases, CASES, SEED) {
        return Found::Cases;
    }
    if broken.cases.iter().any(|case| !case.check(&zap).is_empty()) {
        return Found::Tests;
    }
    let before = whole.zap.as_ref().unwrap();
    match property::agree(before, &zap, &whole.cases, CASES, SEED) {
        true => Found::Same,
        false => Found::Nothing,
    }
}

fn verdicts() -> Vec<Verdict> {
    let project = Project::of_the_examples();
    let wholes: Vec<Tested> = project.zaps.iter().map(|(path, text)| project.read(path, text)).collect();
    let work: Vec<(&Tested, Mutant)> = wholes
        .iter()
        .flat_map(|whole| operators::all(&whole.document).into_iter().map(move |mutant| (whole, mutant)))
        .collect();
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Found)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((whole, mutant)) = work.get(at) else { break };
                    let verdict = judged(&project, whole, mutant);
                    found.lock().unwrap().push((at, verdict));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(at, _)| *at);
    work.into_iter()
        .zip(found)
        .map(|((whole, mutant), (_, found))| Verdict { zap: whole.name.clone(), mutant, found })
        .collect()
}

#[test]
#[ignore = "takes minutes: `just check-mutation`, as CI does"]
fn breaks_of_the_examples_are_found() {
    let verdicts = verdicts();
    let (page, table) = (report::markdown(&verdicts), report::json(&verdicts));
    let docs = project::root().join("docs");
    let files = [("mutation.md", page), ("mutation.json", table)];
    if std::env::var_os("ZAPRUN_BLESS").is_some() {
        for (name, text) in &files {
            std::fs::write(docs.join(name), text).unwrap();
        }
    }
    let rate = report::rate(&verdicts, |class| class.is_typed());
    assert!(rate.found * 100 >= rate.changed * 95, "{} of {} are found", rate.found, rate.changed);
    for (name, text) in &files {
        let committed = std::fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(committed == *text, "docs/{name} is stale: `just mutation` writes it anew");
    }
    // The check itself would find nothing if nothing were broken, or everything an error.
    assert!(verdicts.iter().any(|verdict| verdict.found == Found::Cases));
    assert!(Class::ALL.iter().all(|class| verdicts.iter().any(|verdict| verdict.mutant.class == *class)));
}
