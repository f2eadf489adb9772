//! The page about records that are made up.

use super::Page;
use super::examples::{self, find};
use super::keys::Keys;
use super::markdown::{Doc, word, words};
use crate::property::{LAWS, always_there};
use crate::schema::Document;

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Cases");
    doc.block(include_str!("prose/cases.md"));
    doc.section("Laws");
    doc.table(["law", "what it says"], LAWS.iter().map(|law| [word(law.name), law.meaning.to_owned()]));
    doc.section("Properties");
    doc.block(include_str!("prose/properties.md"));
    doc.code("yaml", find(examples::MORE, "properties"));
    if let Some(keys) = Keys::named(Document::Zap, "Property") {
        keys.write(&mut doc, |_| true);
    }
    doc.section("What is usual");
    doc.block(include_str!("prose/usual.md"));
    let row = |(row, fields): (&str, Vec<&str>)| [word(row), words(fields.iter().copied(), "and")];
    doc.table(["row", "what it never lacks"], always_there().map(row));
    Page::new("cases", "Records that are made up, the laws that runs keep, and laws of your own.", doc)
}
