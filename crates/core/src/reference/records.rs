//! Pages about the rows that records are made of.

use super::Page;
use super::markdown::{Doc, prose, sentence, word, words};
use crate::record::{Field, FieldType, Schema};
use crate::trigger::Endpoint;

/// The page of an endpoint's rows.
pub(super) fn page(endpoint: Endpoint) -> Page {
    let schema = endpoint.schema();
    let mut doc = Doc::new(&format!("The {}", schema.name));
    doc.block(&format!(
        "A row of `{}`, for which the API user needs the permission *{}*. Any field may be absent or null: what a \
         zap cannot do without it reads plainly, for the rest there is `| default(…)`.",
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
    doc.table(["field", "is", "meaning"], schema.fields.iter().map(row));
    for field in schema.fields {
        if let FieldType::List(inner) = field.ty {
            doc.section(&format!("In {}", word(field.name)));
            fields(doc, inner);
        }
    }
}

fn row(field: &Field) -> [String; 3] {
    let is = match field.ty {
        FieldType::Enum(known) => words(known.iter().copied(), "or"),
        FieldType::List(_) => "a list, see below".to_owned(),
        other => other.words().to_owned(),
    };
    [word(field.name), is, prose(field.meaning)]
}
