//! Pages about the rows that records are made of.

use super::Page;
use super::markdown::{Doc, prose, sentence, word, words};
use crate::record::{Class, Field, FieldType, Schema};
use crate::trigger::Endpoint;

/// The page of an endpoint's rows.
pub(super) fn page(endpoint: Endpoint) -> Page {
    let schema = endpoint.schema();
    let mut doc = Doc::new(&format!("The {}", schema.name));
    doc.block(&format!(
        "A row of `{}`, for which the API user needs the permission *{}*. Fields marked *may be null* are so in some \
         rows, and `zaprun validate` asks what then: `| default(…)`, or a `filter` that lets only those pass that have \
         it. The others are in practice always there, though the CRM promises nothing. The marks *personal*, *card* and \
         *secret* say what may go where: `may_receive` at a connection, `allow` at an action.",
        endpoint.path(),
        endpoint.permission()
    ));
    fields(&mut doc, schema);
    Page::new(path(endpoint), &sentence(&format!("the fields of a row of `{}`", endpoint.path())), doc)
}

/// Where it is.
pub(super) fn path(endpoint: Endpoint) -> String {
    format!("records/{}", endpoint.schema().name)
}

fn fields(doc: &mut Doc, schema: &'static Schema) {
    let row = |field: &Field| row(schema, field);
    doc.table(["field", "is", "meaning", ""], schema.fields.iter().map(row));
    for field in schema.fields {
        if let FieldType::List(inner) = field.ty {
            doc.section(&format!("In {}", word(field.name)));
            fields(doc, inner);
        }
    }
}

fn row(schema: &Schema, field: &Field) -> [String; 4] {
    let is = match field.ty {
        FieldType::Enum(known) => words(known.iter().copied(), "or"),
        FieldType::List(_) => "a list, see below".to_owned(),
        other => other.words().to_owned(),
    };
    let class = match field.class {
        Class::Plain => None,
        Class::Personal => Some("personal"),
        Class::Card => Some("card"),
        Class::Secret => Some("secret"),
    };
    let list = matches!(field.ty, FieldType::List(_));
    let gap = (!list && !schema.always_has(field.name)).then_some("may be null");
    let marks: Vec<&str> = gap.into_iter().chain(class).collect();
    [word(field.name), is, prose(field.meaning), marks.join(", ")]
}
