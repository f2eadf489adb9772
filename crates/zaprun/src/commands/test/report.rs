//! Results for people, and as JSON.

use serde::Serialize;

use super::Outcome;
use crate::output::{Paint, clean, pretty};

/// A line for each test; below one that fails, its place and what differs.
pub(super) fn text(outcomes: &[Outcome<'_>], paint: Paint, quiet: bool) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let name = format!("{}: {}", outcome.case.zap, outcome.case.name);
        if outcome.passed() {
            if !quiet {
                out.push_str(&format!("{} {}\n", paint.green("✓"), clean(&name)));
            }
            continue;
        }
        out.push_str(&format!("{} {}\n", paint.red("✗"), clean(&name)));
        out.push_str(&format!("  {}\n", paint.dim(&format!("{}:{}", clean(outcome.file), outcome.line))));
        for difference in &outcome.differences {
            // What is written somewhere is told with its line.
            let line = difference.span.map(|span| (outcome.line_of)(span));
            let line = line.map(|line| paint.dim(&format!(" :{line}"))).unwrap_or_default();
            out.push_str(&format!("  {}{line}\n", clean(&difference.place)));
            out.push_str(&format!("    expected  {}\n", paint.green(&clean(&difference.expected))));
            out.push_str(&format!("    got       {}\n", paint.red(&clean(&difference.got))));
            if let Some(help) = &difference.help {
                out.push_str(&format!("    {} {}\n", paint.cyan("hint:"), clean(help)));
            }
        }
    }
    out
}

#[derive(Serialize)]
struct Report<'a> {
    valid: bool,
    passed: usize,
    failed: usize,
    tests: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    zap: &'a str,
    name: &'a str,
    file: &'a str,
    line: usize,
    passed: bool,
    differences: Vec<DifferenceEntry<'a>>,
}

#[derive(Serialize)]
struct DifferenceEntry<'a> {
    place: &'a str,
    line: Option<usize>,
    expected: &'a str,
    got: &'a str,
    help: Option<&'a str>,
}

/// One object. `valid`: the project has no error.
pub(super) fn json(outcomes: &[Outcome<'_>], valid: bool) -> String {
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let tests = outcomes.iter().map(|outcome| Entry {
        zap: &outcome.case.zap,
        name: &outcome.case.name,
        file: outcome.file,
        line: outcome.line,
        passed: outcome.passed(),
        differences: outcome
            .differences
            .iter()
            .map(|difference| DifferenceEntry {
                place: &difference.place,
                line: difference.span.map(|span| (outcome.line_of)(span)),
                expected: &difference.expected,
                got: &difference.got,
                help: difference.help.as_deref(),
            })
            .collect(),
    });
    pretty(&Report { valid, passed, failed: outcomes.len() - passed, tests: tests.collect() })
}
