//! Pages about actions.

use super::examples::{self, find};
use super::keys::{self, Keys};
use super::markdown::{Doc, prose, sentence, word};
use super::rules;
use super::{ENDING, Page, records};
use crate::crm::{self, CREATE_SALE, LOOKUPS, Lookup, ParamType, Repeat};
use crate::schema::Document;

/// A page for each kind.
pub(super) fn pages() -> Vec<Page> {
    keys::kinds(Document::Zap, "Action").into_iter().filter_map(page).collect()
}

fn page(kind: &'static str) -> Option<Page> {
    let keys = Keys::of_kind(Document::Zap, "Action", kind)?;
    let mut doc = Doc::new(&format!("Action {}", word(kind)));
    let endpoint = crm::endpoint(kind);
    match endpoint {
        Some(endpoint) => write(&mut doc, endpoint, keys),
        None => {
            doc.block(&sentence(keys.summary()));
            doc.code("yaml", find(examples::ACTIONS, short(kind)));
            own_keys(&mut doc, keys, |_| true);
            doc.section("Answer");
            doc.block(if kind == "http" { HTTP } else { QUERY });
            if kind != "http" {
                finds(&mut doc);
            }
        }
    }
    Some(Page::new(format!("actions/{kind}"), &sentence(keys.summary()), doc))
}

/// The name of a kind's example.
pub(super) fn short(kind: &str) -> &str {
    kind.strip_prefix("konnektive.").unwrap_or(kind)
}

const HTTP: &str = include_str!("prose/http_action.md");
const QUERY: &str = include_str!("prose/query.md");

/// What can be looked up, and by what.
fn finds(doc: &mut Doc) {
    let row = |lookup: &&Lookup| {
        let read = lookup.endpoint;
        let rows = format!("[{}](../{}{ENDING})", lookup.row, records::path(read));
        [word(lookup.find), word(read.path()), format!("*{}*", read.permission()), rows]
    };
    doc.table(["`find`", "asks", "permission", "its rows"], LOOKUPS.iter().map(row));
    doc.block(include_str!("prose/query_filters.md"));
    for lookup in LOOKUPS {
        doc.part(&word(lookup.find));
        let row = |param: &'static crm::Param| {
            let alone = if lookup.ids.contains(&param.name) { ", needs no days" } else { "" };
            [format!("{}{alone}", word(param.name)), rules::takes(param), prose(param.meaning)]
        };
        doc.table(["filter", "takes", "meaning"], lookup.params().map(row));
    }
}

fn own_keys(doc: &mut Doc, keys: Keys, wanted: impl Fn(&str) -> bool) {
    let common = keys::common(Document::Zap, "Action");
    doc.section("Keys");
    doc.block(&format!("Beside those that [every step](../steps{ENDING}) has:"));
    keys.write(doc, |key| !common.contains(&key) && wanted(key));
}

/// A write to the CRM.
fn write(doc: &mut Doc, endpoint: &'static crm::Endpoint, keys: Keys) {
    doc.block(&format!(
        "{} It calls `{}`, for which the API user needs the permission *{}*.",
        sentence(endpoint.summary),
        endpoint.path,
        endpoint.permission
    ));
    doc.code("yaml", find(examples::ACTIONS, endpoint.short_name()));
    if pays(endpoint) {
        doc.block(&format!(
            "Card numbers do not pass through zaprun: [paying without card data](../paying{ENDING})."
        ));
    }

    doc.section("Parameters");
    doc.block(
        "Under `map:`, by the vendor's names. What is null is left out; what is too long or cannot be converted is \
         refused, with the parameter's name.",
    );
    doc.table(["parameter", "takes", "meaning"], endpoint.params().map(|param| parameter(endpoint, param)));
    doc.list(rules::all(endpoint).into_iter().chain(notes(endpoint)));

    doc.section("After an unknown outcome");
    let to = |repeat: Repeat| format!("../unknown-outcomes{ENDING}#{}", rules::anchor(repeat));
    doc.block(&format!("{} [More](../unknown-outcomes{ENDING}).", rules::repeat(endpoint.repeat)));
    let other = |(given, repeat): &(crm::Given, Repeat)| {
        format!(
            "Where {}: [{}]({}).",
            rules::given(endpoint, *given),
            rules::repeat_word(*repeat),
            to(*repeat)
        )
    };
    doc.list(endpoint.repeat_if.iter().map(other));

    doc.section("Answer");
    let more = if endpoint.reply.is_empty() { "." } else { ", and, where the CRM names them:" };
    doc.block(&format!("`steps.ID.response` holds `result` and `message` as the CRM sent them{more}"));
    doc.table(
        ["field", "meaning"],
        endpoint.reply.iter().map(|field| [word(field.name), prose(field.meaning)]),
    );
    doc.block("An answer other than SUCCESS gives the step up, with the CRM's own words.");

    own_keys(doc, keys, |key| applies(endpoint, key));
}

fn parameter(endpoint: &crm::Endpoint, param: &crm::Param) -> [String; 3] {
    let needed = if endpoint.requires(param.name) { ", needed" } else { "" };
    [format!("{}{needed}", word(param.name)), rules::takes(param), prose(param.meaning)]
}

/// Whether it is a way to pay.
pub(super) fn pays(endpoint: &crm::Endpoint) -> bool {
    endpoint.param("paySource").is_some()
}

/// What is to be said of all parameters together.
fn notes(endpoint: &crm::Endpoint) -> Vec<String> {
    let mut notes = Vec::new();
    if endpoint.params().any(|param| param.ty == ParamType::Date) {
        notes.push("Of an instant, its day in the account's zone counts.".to_owned());
    }
    if endpoint.clears {
        notes.push(
            "`{ $clear: true }` empties a field; what is not given, or null, stays as it is.".to_owned(),
        );
    }
    notes
}

/// Whether a key says anything about an endpoint.
fn applies(endpoint: &'static crm::Endpoint, key: &str) -> bool {
    let mut repeats = endpoint.repeat_if.iter().map(|(_, repeat)| *repeat).chain([endpoint.repeat]);
    match key {
        "lead_first" | "correlate_in" => endpoint == &CREATE_SALE,
        "settle_after" => repeats.any(|repeat| repeat != Repeat::Safe),
        "on_uncertain" => repeats.any(|repeat| repeat == Repeat::LookFirst),
        _ => true,
    }
}
