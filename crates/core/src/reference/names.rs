//! The page about the names that expressions may use.

use super::Page;
use super::markdown::{Doc, prose, word};

/// A name, what it is and where it is known.
pub(super) struct Name {
    /// As an expression writes it, with capitals for what an author names.
    pub(super) name: &'static str,
    is: &'static str,
    meaning: &'static str,
}

const fn name(name: &'static str, is: &'static str, meaning: &'static str) -> Name {
    Name { name, is, meaning }
}

/// Those that are known everywhere.
pub(super) const EVERYWHERE: &[Name] = &[
    name(
        "record",
        "an object",
        "what the trigger found, by the types of its fields; `$` in a JSONPath is the same",
    ),
    name("record_raw", "an object", "the same as it was received, byte for byte"),
    name("vars.NAME", "any value", "a value of `vars:` in zaprun.yaml"),
    name("let.NAME", "any value", "a value of `let:`, in order: each sees those before it"),
    name("steps.ID.outcome", "text", "`done`, `skipped` or `failed`, of a step before"),
    name("steps.ID.response", "an object", "its answer; what it holds is on the action's page"),
    name(
        "steps.ID.items",
        "a list",
        "of a step with `each`, instead: `key`, `outcome` and `response` of each element",
    ),
    name("event.id", "text", "kind and key of the event"),
    name("event.kind", "text", "its kind: `new_sale`, `decline`, `webhook`, …"),
    name("event.key", "text", "its natural id: of an order, a transaction, a request, an item, a time"),
    name("event.at", "an instant", "when it happened; frozen when the event was taken in"),
    name("event.headers", "an object", "of a webhook: the request's headers"),
    name("event.query", "an object", "of a webhook: the request's query"),
    name("run.id", "text", "the run's id, as `zaprun runs list` shows it"),
    name("run.started_at", "an instant", "when the run was made; the same on every attempt"),
    name(
        "connection.name",
        "text",
        "the trigger's connection, where it has one; nothing secret of it is seen",
    ),
    name("connection.type", "text", "its type"),
    name("connection.base_url", "text", "of a konnektive trigger: its address"),
    name("connection.timezone", "text", "of a konnektive trigger: the account's zone"),
    name("connection.currency", "text", "of a konnektive trigger: the account's currency"),
];

/// Those that are known in some places only, and where.
pub(super) const SOMEWHERE: &[(&str, Name)] = &[
    ("in actions", name("step.id", "text", "the step's id")),
    ("in actions", name("step.key", "text", "the step's idempotency key, the same on every attempt")),
    ("`success`, `stop_if`", name("response", "an object", "the answer to this step")),
    ("under `each`, `$each`", name("item", "any value", "the element; `as:`, `$as` give it another name")),
    ("under `each`, `$each`", name("index", "a number", "its place, from 0")),
    ("under `each`, `$each`", name("key", "text", "of an object's member, its name")),
    ("`match`", name("item", "an object", "a row that was found")),
    ("`on_failure`", name("failure.step", "text", "the step that was given up")),
    ("`on_failure`", name("failure.reason", "text", "why")),
];

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Names in scope");
    doc.block(
        "What an expression may use. There is no clock, no randomness and no environment: the same record gives the \
         same request, so that retries and replays are equal.",
    );
    doc.table(
        ["name", "is", "meaning"],
        EVERYWHERE.iter().map(|name| [word(name.name), name.is.to_owned(), prose(name.meaning)]),
    );
    doc.section("In some places");
    let row = |(place, name): &(&str, Name)| {
        [word(name.name), (*place).to_owned(), name.is.to_owned(), prose(name.meaning)]
    };
    doc.table(["name", "where", "is", "meaning"], SOMEWHERE.iter().map(row));
    doc.block(include_str!("prose/names_missing.md"));
    Page::new("names", "What an expression may use.", doc)
}
