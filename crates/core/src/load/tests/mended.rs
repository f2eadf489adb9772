//! One mistake hides no other, and brings about none.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::diagnostic::code;
use crate::yaml::{NodeId, Tree};
use crate::zap::{self, ProjectFacts};

/// All findings of a project, as `validate` has them.
fn findings(loaded: &Loaded) -> Vec<Diagnostic> {
    let project = loaded.project.as_ref().or(loaded.mended.as_ref());
    let facts = project
        .map_or_else(ProjectFacts::unknown, |project| ProjectFacts::of(&project.definition, &project.tree));
    let mut found = Vec::new();
    for zap in &loaded.zaps {
        match (&zap.definition, &zap.mended, &zap.tree) {
            (Some(definition), _, Some(tree)) => {
                found.extend(zap::compile(definition, tree, &facts).diagnostics);
            }
            (None, Some(mended), _) => {
                let more = zap::compile(&mended.definition, &mended.tree, &facts).diagnostics;
                found.extend(mended.keep(&loaded.diagnostics, more));
            }
            _ => {}
        }
    }
    loaded.conclude(found)
}

/// The findings as text: `line:col code message`.
fn told(zap: &str) -> String {
    let loaded = with_zaps(&[zap]);
    let mut out = String::new();
    for finding in findings(&loaded) {
        let at = loaded.sources.range(finding.span.unwrap()).0;
        let _ = writeln!(out, "{}:{} {} {}", at.line, at.column, finding.code.id, finding.message);
    }
    out
}

const ZAP: &str = "\
name: new-sale
description: tells of sales
trigger:
  type: konnektive.orders
  connection: crm
  order_type: new_sale
  every: 1m
  start: now
filter: \"{{ record.totalAmount > }}\"
let:
  who: \"{{ record.firstNam }}\"
actions:
  - id: send
    type: http
    connection: slck
    method: POST
    json: { order: $.orderI, to: \"{{ let.who | uper }}\" }
  - id: note
    type: http
    connection: slack
    when: \"{{ steps.sent.outcome == 'done' }}\"
    json: { id: \"{{ steps.send.response.body.id }}\" }
";

/// What is wrong with it besides, without the places.
const BESIDES: [&str; 6] = [
    "ZR0401 the expression ends too early",
    "ZR0404 `record` has no field `firstNam`",
    "ZR0303 there is no connection `slck`",
    "ZR0404 the record has no field `orderI`",
    "ZR0405 unknown filter `uper`",
    "ZR0404 `steps` has no field `sent`",
];

#[test]
fn a_mistake_in_the_structure_hides_none_below_it() {
    assert_eq!(told(ZAP).lines().map(|line| line.split_once(' ').unwrap().1).collect::<Vec<_>>(), BESIDES);
    let cases = [
        ("every: 1m", "every: 60", "ZR0201"),
        ("every: 1m", "every: 1m\n  evry: 1", "ZR0202"),
        ("description: tells of sales", "description: [a]", "ZR0201"),
        ("order_type: new_sale", "order_type: newsale", "ZR0204"),
        ("  order_type: new_sale\n", "", "ZR0203"),
        ("start: now", "start: 2026-13-45", "ZR0205"),
        ("method: POST", "method: post", "ZR0204"),
        ("konnektive.orders", "konnektive.order", "ZR0204"),
        ("  - id: note\n", "  - id: [note]\n", "ZR0201"),
        ("name: new-sale", "name: New Sale", "ZR0205"),
        ("name: new-sale", "enabled: yes", "ZR0203"),
        ("  - id: note\n    type: http", "  - id: note\n    type: htpp", "ZR0204"),
    ];
    for (part, by, code) in cases {
        assert!(ZAP.contains(part), "{part}");
        let told = told(&ZAP.replacen(part, by, 1));
        assert!(told.contains(code), "{by}: {told}");
        for finding in BESIDES {
            assert!(told.contains(finding), "{by} hides {finding}:\n{told}");
        }
        assert_eq!(told.lines().count(), BESIDES.len() + told.matches("ZR02").count(), "{by}:\n{told}");
    }
}

#[test]
fn a_kind_that_cannot_be_told_leaves_what_any_kind_has() {
    let told = told(&ZAP.replace("konnektive.orders", "sales").replace("type: http", "type: mail"));
    insta::assert_snapshot!(told, @r"
    4:9 ZR0204 `type` cannot be `sales`
    9:34 ZR0401 the expression ends too early
    14:11 ZR0204 `type` cannot be `mail`
    15:17 ZR0303 there is no connection `slck`
    17:48 ZR0405 unknown filter `uper`
    19:11 ZR0204 `type` cannot be `mail`
    21:15 ZR0404 `steps` has no field `sent`
    ");
}

#[test]
fn wrong_dates_stand_beside_unknown_keys() {
    let text = ZAP.replace("start: now", "start: 2026-13-45\n  settle: 99999999d\n  sttle_max: 1h");
    assert_eq!(told(&text).matches("ZR0202").count(), 1, "{}", told(&text));
    assert_eq!(told(&text).matches("ZR0205").count(), 2, "{}", told(&text));
}

#[test]
fn a_project_with_mistakes_is_looked_at_all_the_same() {
    let text =
        format!("{PROJECT}state: nowhere\nlisten: {{ webhooks: 999.0.0.1:80 }}\nvars: {{ channel: x }}\n");
    let zap = ZAP.replace("record.firstNam", "vars.chanel");
    let input = Input { zaps: vec![file("zaps/0.yaml", zap)], ..project(&text, &[]) };
    let loaded = load(&input, None);
    assert!(loaded.project.is_none(), "nothing of it is run");
    let messages: Vec<String> = findings(&loaded).into_iter().map(|finding| finding.message).collect();
    for wanted in [
        "`nowhere` is no place to keep the state",
        "`999.0.0.1:80` is not an IP address with a port",
        "`vars` has no field `chanel`",
    ] {
        assert!(messages.iter().any(|message| message == wanted), "{wanted}: {messages:#?}");
    }
}

macro_rules! examples {
    ($($name:literal)+) => {
        &[$(include_str!(concat!("../../reference/examples/", $name, ".yaml"))),+]
    };
}

const PROJECT_OF_EXAMPLES: &str = include_str!("../../reference/examples/zaprun.yaml");

static EXAMPLES: &[&str] = examples! {
    "triggers/new_sale" "triggers/new_lead" "triggers/refund" "triggers/new_customer" "triggers/shipped"
    "triggers/webhook" "triggers/http" "triggers/schedule"
    "actions/http" "actions/query" "actions/create_sale" "actions/update_fulfillment" "actions/cancel_order"
    "actions/refund_order" "actions/update_customer" "more/steps" "more/mapping" "more/on_file"
};

fn of_examples(zap: &str) -> Loaded {
    let input = Input { zaps: vec![file("zaps/0.yaml", zap)], ..project(PROJECT_OF_EXAMPLES, &[]) };
    load(&input, None)
}

/// Every value with the place of its key.
fn values(tree: &Tree) -> Vec<(NodeId, Span)> {
    let mut values = Vec::new();
    for id in tree.ids() {
        values.extend(tree.entries(id).iter().map(|entry| (entry.value, entry.key_span)));
        values.extend(tree.items(id).iter().map(|item| (*item, tree.span(*item))));
    }
    values
}

/// A zap in which a name is wrong in its filter and in the gate of its first step.
fn with_mistakes(zap: &str) -> String {
    let kept = |line: &&str| !line.starts_with("filter:") && !line.starts_with("    when:");
    let zap = zap.lines().filter(kept).fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        if line.trim_start().starts_with("- id:") && !text.contains("nope") {
            let indent = line.len() - line.trim_start().len() + 2;
            text.push_str(&format!("{:indent$}when: \"{{{{ nope }}}}\"\n", ""));
        }
        text
    });
    format!("{zap}filter: \"{{{{ nope }}}}\"\n")
}

/// Every value of the examples is replaced by ones of other types: what is then wrong is there and nowhere else, and
/// what is wrong elsewhere is found.
#[test]
fn a_wrong_value_brings_about_no_other_finding_and_hides_none() {
    let mut cases = 0;
    let mut failures = String::new();
    let mut helpless = BTreeSet::new();
    for (example, wrong) in EXAMPLES.iter().flat_map(|example| [(example, false), (example, true)]) {
        let text = if wrong { with_mistakes(example) } else { (*example).to_owned() };
        let loaded = of_examples(&text);
        let before: Vec<Diagnostic> = findings(&loaded);
        assert_eq!(before.len(), if wrong { 2 } else { 0 }, "{text}{before:#?}");
        let file = loaded.zaps[0].file;
        for (node, key) in values(loaded.zaps[0].tree.as_ref().unwrap()) {
            let span = loaded.zaps[0].tree.as_ref().unwrap().span(node);
            let written = &text[span.start..span.end];
            // Both halves meet every value; together they try each type.
            let values: &[&str] = if wrong { &["5", "null"] } else { &["word no", "[a, b]", "{ q: r }"] };
            for by in values {
                let by = if written.ends_with('\n') { format!("{by}\n") } else { (*by).to_owned() };
                let edited = format!("{}{by}{}", &text[..span.start], &text[span.end..]);
                let loaded = of_examples(&edited);
                let place = key.start.min(span.start)..span.start + by.len();
                let inside = |finding: &&Diagnostic| {
                    finding
                        .span
                        .is_some_and(|at| at.file == file && place.start <= at.start && at.end <= place.end)
                };
                let structure = loaded
                    .diagnostics
                    .iter()
                    .filter(inside)
                    .any(|finding| finding.code.id.starts_with("ZR02"));
                if !structure {
                    continue;
                }
                cases += 1;
                let found = findings(&loaded);
                let gained: Vec<&str> = found
                    .iter()
                    .filter(|finding| !inside(finding) && !finding.message.contains("`nope`"))
                    .map(|finding| finding.message.as_str())
                    .collect();
                let moved = |at: usize| if at < span.start { at } else { at + by.len() - written.len() };
                let lost: Vec<&str> = before
                    .iter()
                    .filter(|finding| {
                        let at = finding.span.unwrap();
                        let gone = span.start <= at.start && at.end <= span.end;
                        !gone && !found.iter().any(|found| found.span.unwrap().start == moved(at.start))
                    })
                    .map(|finding| finding.message.as_str())
                    .collect();
                for finding in found.iter().filter(|finding| finding.help.is_none()) {
                    helpless.insert(format!("{} {}", finding.code.id, finding.message));
                }
                if !gained.is_empty() || !lost.is_empty() {
                    let _ = writeln!(
                        failures,
                        "{}: {} -> {by}: gained {gained:?} lost {lost:?}",
                        text.lines().next().unwrap(),
                        &text[key.start..span.end]
                    );
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(helpless.is_empty(), "findings that do not say what to write: {helpless:#?}");
    assert!(cases > 800, "{cases} cases");
}

/// The same of the project: no zap has a finding because something else than it means is wrong.
#[test]
fn a_wrong_value_in_the_project_brings_about_no_other_finding() {
    let zaps: Vec<File> =
        EXAMPLES.iter().enumerate().map(|(at, zap)| file(&format!("zaps/{at}.yaml"), zap)).collect();
    let with = |text: &str| load(&Input { zaps: zaps.clone(), ..project(text, &[]) }, None);
    let base = with(PROJECT_OF_EXAMPLES);
    assert!(findings(&base).is_empty());
    let tree = &base.project.as_ref().unwrap().tree;
    let mut cases = 0;
    for (node, key) in values(tree) {
        let span = tree.span(node);
        let (head, rest) = PROJECT_OF_EXAMPLES.split_at(span.start);
        let (written, tail) = rest.split_at(span.end - span.start);
        for by in ["5", "word no", "[a, b]", "{ q: r }", "null"] {
            let by = if written.ends_with('\n') { format!("{by}\n") } else { by.to_owned() };
            let loaded = with(&format!("{head}{by}{tail}"));
            let inside = |finding: &&Diagnostic| {
                finding.span.is_some_and(|at| {
                    at.file == base.project.as_ref().unwrap().file
                        && key.start.min(span.start) <= at.start
                        && at.end <= span.start + by.len()
                })
            };
            if !loaded.diagnostics.iter().filter(inside).any(|found| found.code.id.starts_with("ZR02")) {
                continue;
            }
            cases += 1;
            // A connection that is gone or of another type is missed where it is named, and so is a listener.
            let missed = |finding: &&Diagnostic| {
                [&code::UNKNOWN_CONNECTION, &code::WRONG_CONNECTION, &code::NO_LISTENER]
                    .contains(&finding.code)
            };
            let found = findings(&loaded);
            let gained: Vec<_> = found
                .iter()
                .filter(|finding| !inside(finding) && !missed(finding))
                .map(|finding| &finding.message)
                .collect();
            assert!(gained.is_empty(), "{} -> {by}: {gained:?}", &PROJECT_OF_EXAMPLES[key.start..span.end]);
        }
    }
    assert!(cases > 50, "{cases} cases");
}
