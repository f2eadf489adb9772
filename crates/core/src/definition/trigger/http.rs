//! A JSON API that is polled.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::definition::action::Method;
use crate::definition::formats::Duration;
use crate::definition::tagged::{self, Branch};
use crate::yaml::{MapRef, NodeRef, Spanned};

/// Fires once per item of a JSON API that is polled.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HttpTrigger {
    /// The connection of type http to read.
    pub connection: Option<Spanned<String>>,
    /// The address, when there is no connection.
    pub url: Option<Spanned<String>>,
    /// Appended to the connection's address.
    pub path: Option<Spanned<String>>,
    /// The method. Default: GET.
    pub method: Option<Spanned<Method>>,
    /// Query parameters; values may use `vars`.
    pub query: Option<MapRef>,
    /// Headers; values may use `vars`.
    pub headers: Option<MapRef>,
    /// The body as JSON; values may use `vars`.
    pub json: Option<NodeRef>,
    /// The items in the answer: a JSONPath, for example $.data[*].
    pub items: Spanned<String>,
    /// What makes two items the same: an expression over `record`, the item, for example "{{ record.id }}".
    pub key: Spanned<String>,
    /// When the item happened: an expression over `record` that gives an instant. Default: when it was first seen. With
    /// it, what came between the zap's start and its first read fires too.
    pub at: Option<Spanned<String>>,
    /// How often to look. Default: 5m.
    pub every: Option<Spanned<Duration>>,
    /// What counts as new when the zap first runs: now (default): what is there already does not fire; beginning: it does.
    pub start: Option<Spanned<HttpStart>>,
    /// How the pages of a list are asked for. Default: there is one page.
    pub pagination: Option<Spanned<Pagination>>,
    /// How only later items are asked for.
    pub since: Option<Spanned<Since>>,
    /// Fire once per value of this expression.
    pub once_per: Option<Spanned<String>>,
    /// What the records are: a JSON Schema, or the path of one from the folder of this file. Fields that it does not know
    /// are findings, and what need not be there is known. `x-class: personal`, `card` or `secret` beside a field's `type` says
    /// who may see it.
    #[serde(default)]
    #[schemars(schema_with = "crate::definition::trigger::outline")]
    pub schema: Option<NodeRef>,
    /// Instead of a schema: records like those to come, a path or a list of paths, of which the last part may hold a `*`.
    #[serde(default)]
    #[schemars(schema_with = "crate::definition::trigger::samples")]
    pub infer_from: Option<NodeRef>,
}

/// What counts as new when a polled API is first read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpStart {
    /// What is there already does not fire.
    Now,
    /// Everything fires.
    Beginning,
}

crate::definition::formats_of_words!(
    HttpStart,
    "HttpStart",
    "What counts as new when the zap first runs.",
    ["now", "beginning"]
);

/// How the pages of a list are asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pagination {
    /// By number.
    Page(NumberedPages),
    /// By the number of items before.
    Offset(OffsetPages),
    /// By a word that the answer gives.
    Cursor(CursorPages),
    /// By the address that the answer gives.
    Link(LinkPages),
}

impl JsonSchema for Pagination {
    fn schema_name() -> Cow<'static, str> {
        "Pagination".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![
            Branch::of::<NumberedPages>(generator, "page", "Pages have numbers."),
            Branch::of::<OffsetPages>(generator, "offset", "A page is asked for by the items before it."),
            Branch::of::<CursorPages>(generator, "cursor", "The answer holds what asks for the next page."),
            Branch::of::<LinkPages>(generator, "link", "The answer holds the next page's address."),
        ];
        tagged::by_key("How the pages of a list are asked for: one of page, offset, cursor, link.", branches)
    }
}

/// Pages have numbers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NumberedPages {
    /// The query parameter of the page's number.
    pub param: Spanned<String>,
    /// The first page's number. Default: 1.
    pub first: Option<Spanned<u32>>,
    /// Items on a full page: a page with fewer is the last. Without it the last page is an empty one.
    #[schemars(range(min = 1))]
    pub size: Option<Spanned<u32>>,
    /// The query parameter that asks for `size` items.
    pub size_param: Option<Spanned<String>>,
}

/// A page is asked for by the number of items before it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OffsetPages {
    /// The query parameter of the number of items before the page.
    pub param: Spanned<String>,
    /// Items on a full page: a page with fewer is the last.
    #[schemars(range(min = 1))]
    pub size: Spanned<u32>,
    /// The query parameter that asks for `size` items.
    pub size_param: Option<Spanned<String>>,
}

/// The answer holds what asks for the next page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CursorPages {
    /// The query parameter that takes it.
    pub param: Spanned<String>,
    /// Where it stands in the answer: a JSONPath. Absent, null or empty: the page is the last.
    pub next: Spanned<String>,
}

/// The answer holds the next page's address, on the same host.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LinkPages {
    /// Where it stands in the answer: a JSONPath. Default: the `Link` header with rel="next".
    pub next: Option<Spanned<String>>,
}

/// How only later items are asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Since {
    /// The query parameter.
    pub param: Spanned<String>,
    /// How the instant is written: a strftime pattern, unix or iso (default).
    pub format: Option<Spanned<String>>,
    /// How far back beyond the last read to ask, for items that appear late. Default: 15m.
    pub overlap: Option<Spanned<Duration>>,
}
