//! Pages about triggers.

use super::examples::{self, find};
use super::keys::{self, Keys};
use super::markdown::{Doc, prose, sentence, word};
use super::{ENDING, Page, records};
use crate::schema::Document;
use crate::trigger::{Endpoint, KINDS, Kind, Options};

/// What no table knows of a kind of trigger.
struct About {
    kind: &'static str,
    /// The rows that it reads, where it reads the CRM.
    rows: Option<Endpoint>,
    /// What `record` and `event.key` are.
    record: &'static str,
    /// What else there is to know.
    more: &'static str,
}

const ABOUT: &[About] = &[
    About {
        kind: "konnektive.orders",
        rows: Some(Endpoint::Orders),
        record: "`event.key` is the order's id.",
        more: include_str!("prose/orders.md"),
    },
    About {
        kind: "konnektive.transactions",
        rows: Some(Endpoint::Transactions),
        record: "`event.key` is the transaction's id.",
        more: include_str!("prose/transactions.md"),
    },
    About {
        kind: "konnektive.customers",
        rows: Some(Endpoint::Customers),
        record: "`event.key` is the customer's id.",
        more: "",
    },
    About {
        kind: "webhook",
        rows: None,
        record: "`record` is the body: JSON as it came, a form as a map of texts (of lists where a name is repeated), \
                 for a GET the query. `event.headers` and `event.query` are maps of texts, the headers' names in \
                 small letters and without those that carry secrets; `event.key` is the value of `key`. Nothing is \
                 known of the record's fields before one arrives, so a misspelt one is found when a run needs it.",
        more: include_str!("prose/webhook.md"),
    },
    About {
        kind: "http",
        rows: None,
        record: "`record` is one item, `event.key` the value of `key`. Nothing is known of its fields before one is \
                 read.",
        more: include_str!("prose/http_trigger.md"),
    },
    About {
        kind: "schedule",
        rows: None,
        record: "`record.scheduled_at` is the time that was meant, as RFC 3339 text with the zone's offset; \
                 `event.at` is the same as an instant.",
        more: include_str!("prose/schedule.md"),
    },
];

/// A page for each kind.
pub(super) fn pages() -> Vec<Page> {
    keys::kinds(Document::Zap, "Trigger").into_iter().filter_map(page).collect()
}

/// The kinds of events that a kind of trigger finds in the CRM.
pub(super) fn events(kind: &str) -> Vec<&'static dyn Kind> {
    let rows = about(kind).and_then(|about| about.rows);
    KINDS
        .iter()
        .copied()
        .filter(|event| rows.is_some_and(|rows| event.schema().name == rows.schema().name))
        .collect()
}

fn about(kind: &str) -> Option<&'static About> {
    ABOUT.iter().find(|about| about.kind == kind)
}

fn page(kind: &'static str) -> Option<Page> {
    let keys = Keys::of_kind(Document::Zap, "Trigger", kind)?;
    let events = events(kind);
    let mut doc = Doc::new(&format!("Trigger {}", word(kind)));
    doc.block(&format!("Fires {}", lower(keys.summary())));
    fires(&mut doc, keys, &events);
    match events.as_slice() {
        [_, _, ..] => {}
        [event] => example(&mut doc, event.name()),
        [] => example(&mut doc, kind),
    }
    doc.section("Keys");
    keys.write(&mut doc, |_| true);
    if let Some(about) = about(kind) {
        doc.section("Record");
        if let Some(rows) = about.rows {
            let page = records::path(rows);
            let name = rows.schema().name;
            doc.block(&format!(
                "`record` is [the {name}](../{page}{ENDING}) as the CRM has it; {}",
                about.record
            ));
        } else {
            doc.block(about.record);
        }
        if !about.more.is_empty() {
            doc.section("What to know");
            doc.block(about.more);
        }
    }
    if events.len() > 1 {
        doc.section("Examples");
        for event in &events {
            doc.part(&word(event.name()));
            doc.code("yaml", find(examples::TRIGGERS, event.name()));
        }
    }
    Some(Page::new(format!("triggers/{kind}"), &sentence(keys.summary()), doc))
}

fn example(doc: &mut Doc, of: &str) {
    doc.code("yaml", find(examples::TRIGGERS, of));
}

/// What fires it, and what is asked of the CRM for it.
fn fires(doc: &mut Doc, keys: Keys, events: &[&dyn Kind]) {
    let asked = |event: &dyn Kind| {
        let queries = event.queries(Options::default());
        let query = |query: &crate::trigger::Query| {
            let params: String =
                query.params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            word(&format!("{}{params}", query.endpoint.path()))
        };
        queries.iter().map(query).collect::<Vec<_>>().join(", ")
    };
    let key = events.first().and_then(|event| keys.that_takes(event.name()));
    doc.table(
        [&key.map_or_else(|| "event".to_owned(), word), "fires when", "is asked of the CRM as"],
        events.iter().map(|event| [word(event.name()), prose(event.summary()), asked(*event)]),
    );
    if let Some(query) = events.first().and_then(|event| event.queries(Options::default()).pop()) {
        doc.block(&format!("The API user needs the permission *{}*.", query.endpoint.permission()));
    }
}

/// With its first letter small.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_about() {
        let known: Vec<&str> = ABOUT.iter().map(|about| about.kind).collect();
        assert_eq!(known, keys::kinds(Document::Zap, "Trigger"));
        let found: usize = known.iter().map(|kind| events(kind).len()).sum();
        assert_eq!(found, KINDS.len(), "an event is on no page or on two");
    }

    /// What a trigger calls its events must be what the table shows.
    #[test]
    fn words_of_events_are_those_of_the_keys() {
        for kind in keys::kinds(Document::Zap, "Trigger") {
            let page = page(kind).map(|page| page.text).unwrap_or_default();
            for event in events(kind).iter().filter(|_| events(kind).len() > 1) {
                let keys = page.split("## Keys").nth(1).unwrap_or_default();
                let keys = keys.split("## ").next().unwrap_or_default();
                assert!(keys.contains(&word(event.name())), "{kind} {}", event.name());
            }
        }
    }
}
