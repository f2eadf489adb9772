//! Pages about what all zaps have in common.

use super::Page;
use super::examples::{self, find, find_whole};
use super::keys::{self, Keys};
use super::markdown::{Doc, sentence, word};
use crate::definition::{FAULTS, FaultWord};
use crate::schema::Document;

/// `zaprun.yaml`.
pub(super) fn project() -> Page {
    let mut doc = Doc::new("zaprun.yaml");
    let keys = Keys::of(Document::Project);
    doc.block(&sentence(keys.summary()));
    doc.block("The examples of this reference are zaps of this project:");
    doc.code("yaml", examples::PROJECT);
    doc.block(include_str!("prose/project.md"));
    doc.section("Keys");
    keys.write(&mut doc, |_| true);
    for kind in keys::kinds(Document::Project, "Connection") {
        let Some(keys) = Keys::of_kind(Document::Project, "Connection", kind) else { continue };
        doc.section(&format!("A connection of type {}", word(kind)));
        doc.block(&sentence(keys.summary()));
        keys.write(&mut doc, |_| true);
    }
    Page::new("project", "Connections, variables, addresses: the project's file.", doc)
}

/// A zap file.
pub(super) fn zap() -> Page {
    let mut doc = Doc::new("A zap");
    doc.block("One zap per file, under `zaps/`.");
    Keys::of(Document::Zap).write_flat(&mut doc);
    doc.block(include_str!("prose/zap.md"));
    Page::new("zap", "The keys of a zap file.", doc)
}

/// What every step has.
pub(super) fn steps() -> Page {
    let mut doc = Doc::new("Steps");
    doc.block(include_str!("prose/steps.md"));
    doc.code("yaml", find(examples::MORE, "steps"));
    doc.section("Keys of every step");
    let common = keys::common(Document::Zap, "Action");
    // What is common to all is told by any.
    let any = keys::kinds(Document::Zap, "Action").first().copied();
    if let Some(keys) = any.and_then(|kind| Keys::of_kind(Document::Zap, "Action", kind)) {
        keys.write(&mut doc, |key| common.contains(&key));
    }
    doc.block(include_str!("prose/steps_order.md"));
    Page::new("steps", "What every step has: delay, conditions, loops, retries, failure.", doc)
}

/// Tests of zaps.
pub(super) fn tests() -> Page {
    let mut doc = Doc::new("Tests");
    doc.block(include_str!("prose/tests.md"));
    doc.code("yaml", find_whole(examples::MORE, "tests"));
    for (name, title) in [("Test", "Keys of a test"), ("Expectation", "Keys of what is expected of a step")] {
        doc.section(title);
        if let Some(keys) = Keys::named(Document::Zap, name) {
            keys.write(&mut doc, |_| true);
        }
    }
    doc.block(include_str!("prose/tests_after.md"));
    doc.section("Faults");
    let row = |fault: &FaultWord| {
        let of = if fault.http_only { "`http`" } else { "all" };
        [word(fault.word), of.to_owned(), fault.meaning.to_owned()]
    };
    doc.table(["fault", "of steps", "meaning"], FAULTS.iter().map(row));
    Page::new("tests", "How a zap is tested, offline.", doc)
}

/// Look-up tables.
pub(super) fn lookup_tables() -> Page {
    let mut doc = Doc::new("Look-up tables");
    doc.block(include_str!("prose/lookup_tables.md"));
    Page::new("lookup-tables", "Values that are looked up: accounts by SKU, names by country.", doc)
}

/// What became of everything, and what to do about it.
pub(super) fn history() -> Page {
    let mut doc = Doc::new("What happened, and repair");
    doc.block(include_str!("prose/repair.md"));
    Page::new("history", "What became of every event: find it, repair it, keep it, forget it.", doc)
}

/// How values are written.
pub(super) fn mapping() -> Page {
    let mut doc = Doc::new("Values");
    doc.block("How a value is written in `map`, `json`, `form`, `query`, `headers` and `let`.");
    doc.code("yaml", find(examples::MORE, "mapping"));
    doc.block(include_str!("prose/mapping.md"));
    Page::new("mapping", "How a value is written: expressions, templates, JSONPath, `$each`, `$if`.", doc)
}
