#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use super::examples::{ACTIONS, Example, MORE, PROJECT, Records, TRIGGERS};
use super::*;
use crate::definition::Action;
use crate::diagnostic::Diagnostic;
use crate::expression::{Shape, Type};
use crate::load::{File, Input, Loaded, load};
use crate::rehearsal::read_tests;
use crate::schema::Document;
use crate::trigger::KINDS;
use crate::value::Value;
use crate::zap::{self, ProjectFacts, Zap};

fn all() -> impl Iterator<Item = (String, &'static Example)> {
    let folders = [("triggers", TRIGGERS), ("actions", ACTIONS), ("more", MORE)];
    folders.into_iter().flat_map(|(folder, examples)| {
        examples.iter().map(move |example| (format!("zaps/{folder}/{}.yaml", example.of), example))
    })
}

fn loaded() -> Loaded {
    loaded_with(all().map(|(path, example)| (path, example.text.to_owned())).collect())
}

fn loaded_with(zaps: Vec<(String, String)>) -> Loaded {
    let file = |path: String, text: String| File { path, content: Ok(text.into()) };
    let input = Input {
        project: file("zaprun.yaml".to_owned(), PROJECT.to_owned()),
        overlays: Vec::new(),
        zaps: zaps.into_iter().map(|(path, text)| file(path, text)).collect(),
        tables: Vec::new(),
        env: None,
    };
    load(&input, None)
}

/// What is wrong with zaps, and those that compile, by their files.
fn findings(loaded: &Loaded) -> (Vec<String>, BTreeMap<String, Zap>) {
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let mut found = Vec::new();
    let mut zaps = BTreeMap::new();
    for file in &loaded.zaps {
        let (Some(definition), Some(tree)) = (&file.definition, &file.tree) else { continue };
        let compiled = zap::compile(definition, tree, &facts);
        found.extend(compiled.diagnostics);
        let path = loaded.sources.file(file.file).path.clone();
        zaps.extend(compiled.zap.map(|zap| (path, zap)));
    }
    let findings = loaded.conclude(found);
    let place = |finding: &Diagnostic| {
        let at = finding
            .span
            .map(|span| (&loaded.sources.file(span.file).path, loaded.sources.range(span).0.line));
        format!("{at:?}: {} {}", finding.code.id, finding.message)
    };
    (findings.iter().map(place).collect(), zaps)
}

/// The examples by their files.
fn compiled() -> BTreeMap<String, Zap> {
    let (findings, zaps) = findings(&loaded());
    assert_eq!(findings, [""; 0]);
    zaps
}

#[test]
fn every_example_is_a_zap_without_findings() {
    let zaps = compiled();
    let missing: Vec<String> = all().map(|(path, _)| path).filter(|path| !zaps.contains_key(path)).collect();
    assert_eq!(missing, [""; 0]);
}

/// The tests that stand in the examples.
#[test]
fn every_example_does_what_its_tests_say() {
    let mut loaded = loaded();
    let cases = read_tests(&mut loaded, &[], &Records);
    let (findings, zaps) = findings(&loaded);
    assert_eq!(findings, [""; 0]);
    let mut untested: BTreeSet<&str> = zaps.values().map(|zap| zap.name.as_str()).collect();
    let mut failed = Vec::new();
    for case in &cases {
        let zap = zaps.values().find(|zap| zap.name == case.zap).unwrap();
        failed.extend(case.check(zap).into_iter().map(|difference| (&zap.name, &case.name, difference)));
        untested.remove(zap.name.as_str());
    }
    assert_eq!(failed, []);
    assert_eq!(untested, BTreeSet::new());
}

#[test]
fn every_kind_of_trigger_has_an_example_of_it() {
    let zaps = compiled();
    let in_crm: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name()).collect();
    let others =
        keys::kinds(Document::Zap, "Trigger").into_iter().filter(|kind| triggers::events(kind).is_empty());
    let wanted: BTreeSet<&str> = in_crm.into_iter().chain(others).collect();
    let there: BTreeSet<&str> = TRIGGERS.iter().map(|example| example.of).collect();
    assert_eq!(there, wanted);
    for example in TRIGGERS {
        let zap = &zaps[&format!("zaps/triggers/{}.yaml", example.of)];
        assert_eq!(zap.trigger.kind(), example.of);
    }
}

#[test]
fn every_kind_of_action_has_an_example_of_it() {
    let kinds: BTreeSet<&str> = Action::kinds().collect();
    assert_eq!(kinds, keys::kinds(Document::Zap, "Action").into_iter().collect());
    let wanted: BTreeSet<&str> = kinds.iter().map(|kind| actions::short(kind)).collect();
    let there: BTreeSet<&str> = ACTIONS.iter().map(|example| example.of).collect();
    assert_eq!(there, wanted);
    let loaded = loaded();
    for file in &loaded.zaps {
        let path = &loaded.sources.file(file.file).path;
        let Some(of) = path.strip_prefix("zaps/actions/").and_then(|path| path.strip_suffix(".yaml")) else {
            continue;
        };
        let actions = &file.definition.as_ref().unwrap().actions;
        assert!(
            actions.iter().any(|action| actions::short(action.kind()) == of),
            "{path} shows another action"
        );
    }
}

#[test]
fn every_example_stands_on_one_page() {
    let pages = pages();
    for (path, example) in all() {
        let on: Vec<&str> = pages
            .iter()
            .filter(|page| page.text.contains(example.shown()))
            .map(|page| page.name.as_str())
            .collect();
        assert_eq!(on.len(), 1, "{path} is on {on:?}");
    }
}

#[test]
fn names_are_unique_and_links_lead_to_pages() {
    let pages = pages();
    let names: BTreeSet<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names.len(), pages.len());
    for page in &pages {
        assert!(page.text.ends_with('\n') && !page.text.ends_with("\n\n"), "{}", page.name);
        for link in links(&page.text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = match path.strip_prefix("../") {
                _ if path.is_empty() => page.name.clone(),
                Some(above) => above.to_owned(),
                None if folder.is_empty() => path.to_owned(),
                None => format!("{folder}/{path}"),
            };
            let target = target.trim_end_matches(ENDING);
            let found = pages.iter().find(|page| page.name == target);
            let found = found.unwrap_or_else(|| panic!("{} leads to {link}, which is no page", page.name));
            let heading = |line: &str| {
                line.trim_start_matches('#').trim().replace('`', "").replace(' ', "-").to_lowercase()
            };
            let there = anchor.is_empty()
                || found.text.lines().any(|line| line.starts_with('#') && heading(line) == anchor);
            assert!(there, "{} leads to {link}, which is no heading", page.name);
        }
    }
}

/// The targets of `](…)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

#[test]
fn the_readme_lists_every_trigger_and_action() {
    let readme = include_str!("../../../../README.md");
    let pages = pages();
    let file = |page: &Page| format!("docs/reference/{}{ENDING}", page.name);
    let linked: BTreeSet<&str> = links(readme).filter(|link| link.starts_with("docs/reference/")).collect();
    for page in pages.iter().filter(|page| page.name.contains("triggers/") || page.name.contains("actions/"))
    {
        assert!(linked.contains(file(page).as_str()), "README.md does not link {}", file(page));
    }
    let known: BTreeSet<String> = pages.iter().map(file).collect();
    for link in linked.iter().filter(|link| **link != "docs/reference/") {
        assert!(known.contains(*link), "README.md links {link}, which is no page");
    }
}

/// Each name of the page means something where the page says so.
#[test]
fn names_in_scope_are_names_in_scope() {
    let written = |name: &str| {
        let place = name.replace("vars.NAME", "vars.channel").replace("let.NAME", "let.a");
        place.replace("steps.ID.items", "steps.many.items").replace("steps.ID", "steps.one")
    };
    let members: String = names::EVERYWHERE
        .iter()
        .filter(|name| !name.name.contains("items"))
        .enumerate()
        .map(|(at, name)| format!("      m{at}: \"{{{{ {} }}}}\"\n", written(name.name)))
        .collect();
    let zap = |trigger: &str, members: &str| {
        format!(
            "name: a\ntrigger: {trigger}\nlet: {{ a: x }}\nactions:\n  - {{ id: one, type: http, connection: chat }}\n  \
             - {{ id: many, type: http, connection: chat, each: [1] }}\n  - id: last\n    type: http\n    \
             connection: chat\n    allow: [card, secret]\n    each: \"{{{{ steps.many.items }}}}\"\n    json:\n{members}"
        )
    };
    let webhook = "{ type: webhook, connection: shop, path: /a, key: \"{{ record.id }}\" }";
    let orders = "{ type: konnektive.orders, connection: crm, order_type: new_sale }";
    let (of_webhooks, of_all): (Vec<&str>, Vec<&str>) =
        members.lines().partition(|line| line.contains("event.headers") || line.contains("event.query"));
    for (trigger, lines) in [(webhook, of_webhooks), (orders, of_all)] {
        let text = zap(trigger, &format!("{}\n", lines.join("\n")));
        let loaded = loaded_with(vec![("zaps/a.yaml".to_owned(), text.clone())]);
        assert_eq!(findings(&loaded).0, [""; 0], "{text}");
    }
}

/// And each name in scope is on the page.
#[test]
fn every_name_in_scope_is_told_about() {
    let here = names::EVERYWHERE.iter().chain(names::SOMEWHERE.iter().map(|(_, name)| name));
    let told: BTreeSet<&str> = here.map(|name| name.name).collect();
    let connection = ["name", "type", "base_url", "timezone", "currency"];
    let connection = Value::object(connection.map(|name| (name.into(), Value::text("x"))).into());
    let scope = zap::names(Type::any(), Shape::Any, &connection, true);
    for root in scope.iter() {
        assert!(told.iter().any(|name| name.split('.').next() == Some(root)), "{root}");
        if let Shape::Members(members) = scope.of(scope.slot(root).unwrap()).shape {
            for (member, _) in members.iter() {
                assert!(told.contains(format!("{root}.{member}").as_str()), "{root}.{member}");
            }
        }
    }
}

#[test]
fn every_way_of_payment_is_told_about() {
    let told: Vec<&str> = paying::WAYS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(told, paying::sources());
}

#[test]
fn every_key_and_field_has_a_meaning() {
    for page in pages() {
        for line in page.text.lines().filter(|line| line.starts_with("| `")) {
            // The exceptions of a table may be empty.
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            assert!(!cells[1].is_empty() || page.name == "paying", "{}: {line}", page.name);
        }
    }
}
