//! The figures, and what is found by nothing, as a page and as a table for machines.

use serde_json::json;

use crate::operators::Class;
use crate::{CASES, Found, SEED, Verdict};

/// How many breaks change what a zap does, and how many of them are found before anything runs.
pub(crate) struct Rate {
    pub(crate) changed: usize,
    pub(crate) found: usize,
}

/// The rate of some classes: found by `validate` or by `test --cases`.
pub(crate) fn rate(verdicts: &[Verdict], of: impl Fn(Class) -> bool) -> Rate {
    let mine = || verdicts.iter().filter(|verdict| of(verdict.mutant.class));
    let found = |verdict: &&Verdict| matches!(verdict.found, Found::Error | Found::Warning | Found::Cases);
    Rate {
        changed: mine().filter(|verdict| verdict.found != Found::Same).count(),
        found: mine().filter(found).count(),
    }
}

fn percent(rate: &Rate) -> String {
    let tenths = (rate.found * 1000).checked_div(rate.changed).unwrap_or(1000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

pub(crate) fn markdown(verdicts: &[Verdict]) -> String {
    let typed = rate(verdicts, Class::is_typed);
    let mut page = format!(
        "# Mutation check

Each zap of `zaps/` is broken mechanically, one break at a time, and it is counted what finds the break: `validate`, \
`test --cases {CASES} --seed {SEED}`, the zap's own tests, or nothing. A break counts where it changes what the zap does \
for some record that is made up or given by a test, or is an error. This page is written by `just mutation`; a test \
fails where it is stale. `mutation.json` beside it has every break.

Of the breaks that can be told without knowing what was meant (the first five classes), \
**{} of {} are found by `validate` or by `test --cases {CASES}`: {}**.

The last two classes are mistakes that leave a zap as good as before: what a foreign API takes in its body, and what its \
author meant, neither descriptions nor made-up records can tell. They are what `tests:` and `properties:` are for.

| break | made | change nothing | change something | found by `validate` | a warning | found by `--cases` | found by its tests alone | found by nothing | `validate` or `--cases` |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
",
        typed.found,
        typed.changed,
        percent(&typed)
    );
    for class in Class::ALL {
        page.push_str(&row(verdicts, class.words(), |other| other == class));
    }
    page.push_str(&row(verdicts, "all of them", |_| true));
    page.push_str("\n## Found by its tests alone, or by nothing\n");
    for class in Class::ALL {
        let left = |found: Found| {
            verdicts.iter().filter(move |verdict| verdict.mutant.class == class && verdict.found == found)
        };
        if left(Found::Tests).count() + left(Found::Nothing).count() == 0 {
            continue;
        }
        page.push_str(&format!("\n### Where {}\n\n", class.words()));
        for (found, words) in [(Found::Nothing, "nothing"), (Found::Tests, "its tests")] {
            for verdict in left(found) {
                let what = verdict.mutant.what.replace('|', "\\|").replace('\n', " ");
                page.push_str(&format!("- {}: {} {what}\n", words, verdict.zap));
            }
        }
    }
    page
}

fn row(verdicts: &[Verdict], words: &str, of: impl Fn(Class) -> bool) -> String {
    let mine = || verdicts.iter().filter(|verdict| of(verdict.mutant.class));
    let count = |found: Found| mine().filter(|verdict| verdict.found == found).count();
    let rate = rate(verdicts, &of);
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        words,
        mine().count(),
        count(Found::Same),
        rate.changed,
        count(Found::Error),
        count(Found::Warning),
        count(Found::Cases),
        count(Found::Tests),
        count(Found::Nothing),
        percent(&rate)
    )
}

/// A line for each break.
pub(crate) fn json(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| {
        let found = match verdict.found {
            Found::Error => "validate",
            Found::Warning => "warning",
            Found::Cases => "cases",
            Found::Tests => "tests",
            Found::Nothing => "nothing",
            Found::Same => "same",
        };
        let class = format!("{:?}", verdict.mutant.class).to_lowercase();
        json!({ "zap": verdict.zap, "class": class, "break": verdict.mutant.what, "found": found })
            .to_string()
    };
    let lines: Vec<String> = verdicts.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}
