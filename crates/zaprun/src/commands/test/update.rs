//! `zaprun test --update`: expectations that do not hold any more, rewritten where they stand.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

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
    let env = context.env.as_deref();
    let mut texts: HashMap<String, Vec<u8>> = HashMap::new();
    let before = Round::of(loading::load_tests_with(root, env, &texts));
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let round = Round::of(loading::load_tests_with(root, env, &texts));
        let mut changed = false;
        for (file, tests) in round.wanted(chosen) {
            let path = &round.loading.sources.file(file).path;
            let text = round.loading.sources.file(file).text.to_string();
            let fixes: Vec<(Span, Vec<Fix>)> =
                tests.iter().map(|(span, found)| (*span, fixes(found))).collect();
            let next = rewrite(path, &text, &fixes);
            if next != text {
                let lines = tests.iter().flat_map(|(_, found)| found).filter(|one| one.fix.is_some());
                told.entry(path.clone()).or_default().extend(lines.map(|one| round.line(one)));
                texts.insert(path.clone(), next.into_bytes());
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    // A file is written if all of its tests that passed still do: an anchor may be of use to several.
    let after = Round::of(loading::load_tests_with(root, env, &texts));
    for (path, lines) in &told {
        let printer = &context.printer;
        if let Some((zap, name)) = before.spoilt(&after, path) {
            printer.warning(&format!("{path} is left alone: `{zap}: {name}` would not pass any more"));
            continue;
        }
        let Some(bytes) = texts.get(path) else { continue };
        replace(root, path, bytes)
            .map_err(|reason| CommandError::failure(format!("{path} cannot be written: {reason}")))?;
        let many = count(lines.len() as u64, "expectation", "expectations");
        printer.note(&format!("{} {many} in {path}", printer.err().green("rewrote:")));
        lines.iter().for_each(|line| printer.note(&format!("  {}", clean(line))));
    }
    Ok(())
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
    fn wanted(
        &self,
        chosen: &dyn Fn(&Case) -> bool,
    ) -> BTreeMap<zaprun_core::source::FileId, Vec<(Span, Vec<Difference>)>> {
        let mut wanted: BTreeMap<_, Vec<(Span, Vec<Difference>)>> = BTreeMap::new();
        for case in self.loading.cases.iter().filter(|case| chosen(case)) {
            let found = self.of_test(case);
            if let Some(span) = case.expectation().filter(|_| !found.is_empty()) {
                wanted.entry(span.file).or_default().push((span, found.to_vec()));
            }
        }
        wanted
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
        let still = |case: &&Case| {
            let known = after.found.iter().find(|((zap, name), _)| *zap == case.zap && *name == case.name);
            known.is_some_and(|(_, found)| found.is_empty())
        };
        let spoilt = passed.filter(|case| !still(case)).map(|case| (&case.zap, &case.name)).next()?;
        self.found.iter().map(|(key, _)| key).find(|(zap, name)| (zap, name) == spoilt)
    }
}
