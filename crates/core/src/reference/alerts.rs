//! The page about who is told when something needs a person.

use super::Page;
use super::keys::Keys;
use super::markdown::{Doc, word};
use crate::schema::Document;
use crate::zap::{ALERT_FIELDS, ALERT_KINDS};

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Alerts");
    doc.block(include_str!("prose/alerts.md"));
    doc.section("Kinds");
    doc.table(
        ["kind", "raised", "over when"],
        ALERT_KINDS.iter().map(|kind| [word(kind.word), kind.raised.to_owned(), kind.over.to_owned()]),
    );
    doc.section("What templates see");
    doc.block("Beside `vars`, and nothing of any record:");
    doc.table(
        ["member of `alert`", "holds"],
        ALERT_FIELDS.iter().map(|(name, holds)| [word(name), (*holds).to_owned()]),
    );
    doc.section("Keys");
    if let Some(keys) = Keys::named(Document::Project, "Alerts") {
        keys.write_flat(&mut doc);
    }
    if let Some(keys) = Keys::named(Document::Project, "AlertTarget") {
        doc.block("Each of `to`:");
        keys.write_flat(&mut doc);
    }
    Page::new("alerts", "Who is told when something needs a person.", doc)
}
