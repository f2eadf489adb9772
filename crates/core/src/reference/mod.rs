//! The reference: pages of Markdown about everything that zaps can use.
//!
//! They are made from what the program itself goes by: the JSON Schemas of what is written, the kinds of events, the
//! descriptions of rows and endpoints, the filters, the findings. What no table knows stands here: the prose, and one
//! example for each kind of trigger and action. The examples are whole zaps with tests of their own, which a test runs;
//! pages show them without.

mod actions;
mod alerts;
mod cases;
mod concepts;
mod examples;
mod filters;
mod findings;
mod keys;
mod markdown;
mod names;
mod outcomes;
mod paying;
mod records;
mod rules;
pub mod starter;
mod triggers;

#[cfg(test)]
mod tests;

use crate::trigger::Endpoint;
use markdown::{Doc, word};

/// A page of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name, with `/` between its parts: `triggers/webhook`. The file is called so, with [`ENDING`].
    pub name: String,
    /// What it is about, in a sentence.
    pub summary: String,
    /// Its text in Markdown, ending in a line break.
    pub text: String,
}

/// What the file of a page ends in.
pub const ENDING: &str = ".md";

impl Page {
    fn new(name: impl Into<String>, summary: &str, doc: Doc) -> Self {
        Page { name: name.into(), summary: summary.to_owned(), text: doc.finish() }
    }

    /// The name without its folder: `webhook`.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Every page, the overview first.
pub fn pages() -> Vec<Page> {
    let triggers = triggers::pages();
    let actions = actions::pages();
    let records: Vec<Page> = Endpoint::ALL.into_iter().map(records::page).collect();
    let concepts = vec![
        concepts::project(),
        concepts::zap(),
        concepts::steps(),
        names::page(),
        concepts::mapping(),
        concepts::lookup_tables(),
        concepts::tests(),
        cases::page(),
        filters::page(),
        paying::page(),
        outcomes::page(),
        concepts::history(),
        alerts::page(),
        findings::page(),
    ];
    let parts = [
        ("Triggers", "What starts a zap.", triggers),
        ("Actions", "What a zap does.", actions),
        ("Records", "What the rows of the CRM hold.", records),
        ("Writing zaps", "What all of them have in common.", concepts),
    ];
    let overview = overview(&parts);
    std::iter::once(overview).chain(parts.into_iter().flat_map(|(.., pages)| pages)).collect()
}

/// The page that lists the others.
fn overview(parts: &[(&str, &str, Vec<Page>)]) -> Page {
    let mut doc = Doc::new("Reference");
    doc.block(
        "Made by `zaprun reference --write docs/reference` from what the program itself goes by; `zaprun reference \
         NAME` shows a page. Every example is compiled, and records are taken through it, by a test.",
    );
    for (title, about, pages) in parts {
        doc.section(title);
        doc.block(about);
        let link = |page: &Page| {
            [format!("[{}]({}{ENDING})", word(page.short_name()), page.name), page.summary.clone()]
        };
        doc.table(["page", "about"], pages.iter().map(link));
    }
    Page::new("README", "Lists the pages.", doc)
}
