//! Pages about what all zaps have in common.

use super::examples::{self, find};
use super::keys::{self, Keys};
use super::markdown::{Doc, sentence, word};
use super::{ENDING, Page};
use crate::schema::Document;

/// `zaprun.yaml`.
pub(super) fn project() -> Page {
    let mut doc = Doc::new("zaprun.yaml");
    let keys = Keys::of(Document::Project);
    doc.block(&sentence(keys.summary()));
    doc.block("The examples of this reference are zaps of this project:");
    doc.code("yaml", examples::PROJECT);
    doc.block(
        "`${NAME}` is a variable of the environment, `${NAME:-default}` has a default, `${file:PATH}` is a file's \
         text and `$$` a dollar. `zaprun.ENV.yaml` is an overlay: with `--env ENV` its maps are merged in, its lists \
         and single values replace.",
    );
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
    Keys::of(Document::Zap).write(&mut doc, |_| true);
    doc.block(&format!(
        "A run of a zap is in one state, always: pending, delivered, filtered, held (waits for a person), dead (given \
         up) or dropped. [Names](names{ENDING}) says what `filter` and `let` see, [steps](steps{ENDING}) how `actions` and \
         `on_failure` are worked off."
    ));
    Page::new("zap", "The keys of a zap file.", doc)
}

/// What every step has.
pub(super) fn steps() -> Page {
    let mut doc = Doc::new("Steps");
    doc.block(
        "Steps run in the order in which they are written, as one durable run: each is recorded with its outcome \
         before the next begins, and after a crash the run goes on at the first that is not finished. A finished step \
         is never done again.",
    );
    doc.code("yaml", find(examples::MORE, "steps"));
    doc.section("Keys of every step");
    let common = keys::common(Document::Zap, "Action");
    let any = keys::kinds(Document::Zap, "Action")
        .first()
        .and_then(|kind| Keys::of_kind(Document::Zap, "Action", kind));
    if let Some(any) = any {
        any.write(&mut doc, |key| common.contains(&key));
    }
    doc.section("What happens in which order");
    doc.list(ORDER.iter().map(|&text| text.to_owned()));
    doc.section("When a step fails");
    doc.block(FAILURE);
    doc.section("Only for writes to the CRM");
    doc.block(&format!(
        "`on_uncertain`, `settle_after`, `lead_first` and `correlate_in` are about [unknown \
         outcomes](unknown-outcomes{ENDING}); the pages of the actions say which of them takes which."
    ));
    Page::new("steps", "What every step has: delay, conditions, loops, retries, failure.", doc)
}

const ORDER: &[&str] = &[
    "`delay` is waited for, counted from the end of the step before, or from the run's beginning. It survives restarts.",
    "`unless` is evaluated when the step is due. Where it holds the run ends here, delivered; for an order or a \
     transaction the record is read again by its id before, so that a lead that has bought meanwhile is not chased.",
    "`each` gives the elements: of a list, or of an object. Each has its own idempotency key, made of the step's id and \
     the element's key or index, and its own outcome.",
    "`when` is evaluated, for each element apart. Where it does not hold the step is skipped.",
    "The request is made and sent, and tried again by `retry`.",
    "`stop_if` sees the answer as `response`. Where it holds the run ends here, delivered.",
];

const FAILURE: &str = "A step that is given up ends the run: it is dead, and `zaprun runs list --status dead` lists it. \
With `continue_on_error: true` the later steps run all the same; the run still ends dead. A run of which every step was \
skipped is delivered.

Before a run becomes dead, the steps of `on_failure` run once. They see `failure.step` and `failure.reason`. What fails \
there does not run them again.

What zaprun writes may start zaps again. A run knows how many of zaprun's own writes led to it, and a chain deeper than \
three is held: zaps cannot feed each other for ever.";

/// How values are written.
pub(super) fn mapping() -> Page {
    let mut doc = Doc::new("Values");
    doc.block("How a value is written in `map`, `json`, `form`, `query`, `headers` and `let`.");
    doc.code("yaml", find(examples::MORE, "mapping"));
    doc.list(VALUES.iter().map(|&text| text.to_owned()));
    doc.section("Conditions");
    doc.block(
        "`filter`, `when`, `unless`, `success`, `stop_if`, `match` and `$if` are one expression in braces that is true \
         or false. Text against a number is an error, not a wrong answer.",
    );
    doc.section("Types on the way out");
    doc.list(TYPES.iter().map(|&text| text.to_owned()));
    Page::new("mapping", "How a value is written: expressions, templates, JSONPath, `$each`, `$if`.", doc)
}

const VALUES: &[&str] = &[
    "What is not text stays what it is, digits included.",
    "Text that is one `{{ expression }}` and nothing else keeps the expression's type.",
    "Text with braces among other text is a template, and gives text.",
    "Text that begins with `$.` or `$[` is a JSONPath (RFC 9535) into the record. One that can find only one place gives \
     its value, any other a list.",
    "Any other text is itself. A leading `$$` writes one dollar.",
    "A map with `$each` and `$map` makes a list; `$as` names the element. `$if`, `$then` and `$else` choose. \
     `$drop_null: true` leaves members out that are null. `$clear: true` empties a field of the CRM.",
];

const TYPES: &[&str] = &[
    "An amount is a decimal with the digits that the CRM wrote, never a float.",
    "An instant is RFC 3339 with the account's offset: `2026-09-16T14:25:31-04:00`; `| iso` gives UTC.",
    "In a form or a query null leaves the name out and a list repeats it.",
    "For the CRM a day becomes `m/d/Y` in the account's zone, true and false become 1 and 0, and a country is written in \
     capitals. A value that cannot be converted is refused, with the parameter's name.",
    "Nothing in a record can change the structure of an address, a header, a JSON or form body.",
];
