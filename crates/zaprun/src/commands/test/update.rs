//! `zaprun test --update`: expectations that do not hold any more, rewritten where they stand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use zaprun_core::diagnostic::{Diagnostic, Severity};
use zaprun_core::rehearsal::{Case, Difference, Fix, rewrite};
use zaprun_core::source::Span;
use zaprun_core::zap::Zap;
use zaprun_engine::trial;

use crate::context::Context;
use crate::error::CommandError;
use crate::loading::{self, Loading};
use crate::output::{clean, count};
use crate::project::replace;

/// What one change brings to light, the next mends; nobody has tests that need more.
const ROUNDS: usize = 8;

/// A test, by its zap and its name.
type Key = (String, String);

/// Rewrites what the chosen tests expect and does not come. Nothing is asked; what was done is told. The tests are then
/// to be run as ever.
pub(super) fn update(
    context: &Context,
    root: &Path,
    chosen: &dyn Fn(&Case) -> bool,
) -> Result<(), CommandError> {
    let printer = &context.printer;
    let before = Round::of(loading::load_tests_with(root, context.env.as_deref(), &HashMap::new()));
    // A test that does not pass after all stays as it was, and the others are rewritten without it.
    let mut left: HashSet<Key> = HashSet::new();
    let attempt = loop {
        let attempt = Attempt::of(context, root, &|case| chosen(case) && !left.contains(&key(case)));
        let failing: Vec<Key> =
            attempt.rewritten.iter().filter(|key| !attempt.after.passes(key)).cloned().collect();
        if failing.is_empty() {
            break attempt;
        }
        left.extend(failing);
    };
    let mut told: Vec<&Key> = left.iter().collect();
    told.sort_unstable();
    for (zap, name) in told {
        printer.warning(&format!("`{zap}: {name}` is left alone: it would not pass rewritten either"));
    }
    for (path, lines) in &attempt.told {
        // A file is written if it has no new finding and all of its tests that passed still do: an anchor may be of use
        // to several.
        if let Some(finding) = before.new_finding(&attempt.after, path) {
            printer.warning(&format!(
                "{path} is left alone: rewritten it would have an error: {}",
                finding.message
            ));
            continue;
        }
        if let Some((zap, name)) = before.spoilt(&attempt.after, path) {
            printer.warning(&format!("{path} is left alone: `{zap}: {name}` would not pass any more"));
            continue;
        }
        let Some(bytes) = attempt.texts.get(path) else { continue };
        replace(root, path, bytes)
            .map_err(|reason| CommandError::failure(format!("{path} cannot be written: {reason}")))?;
        let many = count(lines.len() as u64, "expectation", "expectations");
        printer.note(&format!("{} {many} in {path}", printer.err().green("rewrote:")));
        lines.iter().for_each(|line| printer.note(&format!("  {}", clean(line))));
    }
    Ok(())
}

fn key(case: &Case) -> Key {
    (case.zap.clone(), case.name.clone())
}

/// The files as they would be.
struct Attempt {
    /// By path, those that change.
    texts: HashMap<String, Vec<u8>>,
    /// By path, what is rewritten, in lines.
    told: BTreeMap<String, Vec<String>>,
    /// The tests that are rewritten.
    rewritten: HashSet<Key>,
    /// What comes of all tests then.
    after: Round,
}

impl Attempt {
    fn of(context: &Context, root: &Path, chosen: &dyn Fn(&Case) -> bool) -> Attempt {
        let load = |texts: &HashMap<String, Vec<u8>>| {
            Round::of(loading::load_tests_with(root, context.env.as_deref(), texts))
        };
        let mut texts: HashMap<String, Vec<u8>> = HashMap::new();
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut rewritten = HashSet::new();
        let mut round = load(&texts);
        for _ in 0..ROUNDS {
            let mut changed = false;
            for (file, tests) in round.wanted(chosen) {
                let path = &round.loading.sources.file(file).path;
                let text = round.loading.sources.file(file).text.to_string();
                let fixes: Vec<(Span, Vec<Fix>)> =
                    tests.iter().map(|wanted| (wanted.span, fixes(&wanted.found))).collect();
                let next = rewrite(path, &text, &fixes);
                for (wanted, made) in tests.iter().zip(&next.made) {
                    let fixable = wanted.found.iter().filter(|difference| difference.fix.is_some());
                    let made = fixable.zip(made).filter(|(_, made)| **made);
                    let lines: Vec<String> = made.map(|(difference, _)| round.line(difference)).collect();
                    if !lines.is_empty() {
                        rewritten.insert(wanted.key.clone());
                        told.entry(path.clone()).or_default().extend(lines);
                    }
                }
                if next.text != text {
                    texts.insert(path.clone(), next.text.into_bytes());
                    changed = true;
                }
            }
            if !changed {
                break;
            }
            round = load(&texts);
        }
        Attempt { texts, told, rewritten, after: round }
    }
}

/// A test with what it expects and does not come.
struct Wanted {
    key: Key,
    /// Where its expectation is written.
    span: Span,
    found: Vec<Difference>,
}

fn fixes(found: &[Difference]) -> Vec<Fix> {
    found.iter().filter_map(|difference| difference.fix.clone()).collect()
}

/// All tests, as they are at one time.
struct Round {
    loading: Loading,
    /// What differs, by test.
    found: Vec<(Key, Vec<Difference>)>,
}

impl Round {
    fn of(mut loading: Loading) -> Round {
        let zaps: Vec<Arc<Zap>> = std::mem::take(&mut loading.zaps).into_iter().map(Arc::new).collect();
        let check = |case: &Case| {
            let zap = zaps.iter().find(|zap| zap.name == case.zap)?;
            Some(((case.zap.clone(), case.name.clone()), trial::check(case, zap)))
        };
        let found = loading.cases.iter().filter_map(check).collect();
        Round { loading, found }
    }

    fn of_test(&self, case: &Case) -> &[Difference] {
        let known = self.found.iter().find(|((zap, name), _)| *zap == case.zap && *name == case.name);
        known.map_or(&[], |(_, found)| found)
    }

    /// By file: the expectations that do not hold, each with what differs.
    fn wanted(&self, chosen: &dyn Fn(&Case) -> bool) -> BTreeMap<zaprun_core::source::FileId, Vec<Wanted>> {
        let mut wanted: BTreeMap<_, Vec<Wanted>> = BTreeMap::new();
        for case in self.loading.cases.iter().filter(|case| chosen(case)) {
            let found = self.of_test(case);
            if let Some(span) = case.expectation().filter(|_| !found.is_empty()) {
                let found = found.to_vec();
                wanted.entry(span.file).or_default().push(Wanted { key: key(case), span, found });
            }
        }
        wanted
    }

    /// Whether a test is there and passes.
    fn passes(&self, key: &Key) -> bool {
        self.found.iter().any(|(known, found)| known == key && found.is_empty())
    }

    fn errors(&self, path: &str) -> Vec<&Diagnostic> {
        let here = |finding: &&Diagnostic| {
            let file = finding.span.map(|span| &self.loading.sources.file(span.file).path);
            finding.severity == Severity::Error && file.is_some_and(|file| file == path)
        };
        self.loading.findings.iter().filter(here).collect()
    }

    /// An error in a file that it does not have now.
    fn new_finding<'a>(&self, after: &'a Round, path: &str) -> Option<&'a Diagnostic> {
        let known = self.errors(path);
        let is_known = |finding: &Diagnostic| {
            known.iter().any(|known| known.code == finding.code && known.message == finding.message)
        };
        after.errors(path).into_iter().find(|finding| !is_known(finding))
    }

    /// What is rewritten, in a line.
    fn line(&self, difference: &Difference) -> String {
        let Difference { place, expected, got, span, .. } = difference;
        let line = span.map_or(0, |span| self.loading.sources.range(span).0.line);
        format!("{line}: {place}: {expected} -> {got}")
    }

    /// A test of a file that passed before, and does not after.
    fn spoilt<'a>(&'a self, after: &Round, path: &str) -> Option<&'a Key> {
        let here = |case: &&Case| self.loading.sources.file(case.span.file).path == path;
        let passed = self.loading.cases.iter().filter(here).filter(|case| self.of_test(case).is_empty());
        let spoilt =
            passed.filter(|case| !after.passes(&key(case))).map(|case| (&case.zap, &case.name)).next()?;
        self.found.iter().map(|(key, _)| key).find(|(zap, name)| (zap, name) == spoilt)
    }
}
