//! What a zap does.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::formats::{Duration, Word};
use super::tagged::{self, Branch};
use crate::yaml::{MapRef, NodeRef, Spanned};

/// What a zap does.
#[derive(Debug, Clone, Deserialize)]
pub enum Action {
    /// An HTTP request.
    // Boxed: it is many times larger than the kinds that will stand beside it.
    #[serde(rename = "http")]
    Http(Box<HttpAction>),
}

impl Action {
    /// Its id.
    pub fn id(&self) -> &Spanned<Word> {
        match self {
            Action::Http(action) => &action.id,
        }
    }
}

impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![Branch::of::<HttpAction>(generator, "http", "An HTTP request.")];
        tagged::by_type("One step of the zap.", "The kind of action.", branches)
    }
}

/// An HTTP request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HttpAction {
    /// The step's name. Idempotency keys hang on it: do not change it later.
    pub id: Spanned<Word>,
    /// The connection of type http to use; its address, headers and authentication are taken.
    pub connection: Option<Spanned<String>>,
    /// The address, when there is no connection. Its scheme and host are written out, not templated.
    pub url: Option<Spanned<String>>,
    /// Appended to the connection's address; a template.
    pub path: Option<Spanned<String>>,
    /// The method. Default: POST.
    pub method: Option<Spanned<Method>>,
    /// Query parameters: values of the mapping.
    pub query: Option<MapRef>,
    /// Headers: values of the mapping.
    pub headers: Option<MapRef>,
    /// The body as JSON: values of the mapping.
    pub json: Option<NodeRef>,
    /// The body as a form: values of the mapping.
    pub form: Option<MapRef>,
    /// The body as text: a template.
    pub text: Option<Spanned<String>>,
    /// Whether the reply means success: a boolean expression over `response`. Default: a status of 2xx.
    pub success: Option<Spanned<String>>,
    /// Skip the step unless this boolean expression holds.
    pub when: Option<Spanned<String>>,
    /// Do the step once for each element of a list or object.
    pub each: Option<NodeRef>,
    /// The element's name in expressions. Default: item.
    #[serde(rename = "as")]
    pub element: Option<Spanned<Word>>,
    /// How long and how often to try again.
    pub retry: Option<Spanned<Retry>>,
    /// What to do when nobody knows whether the request arrived: retry (default) or hold.
    pub on_uncertain: Option<Spanned<OnUncertain>>,
    /// Go on with the next step when this one is given up. Default: false.
    pub continue_on_error: Option<Spanned<bool>>,
    /// Hosts that a templated address may name, for example "*.example.com".
    #[serde(default)]
    pub allow_hosts: Vec<Spanned<String>>,
}

/// How long and how often to try again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Retry {
    /// Give up after this long. Default: 24h.
    #[serde(rename = "for")]
    pub give_up: Option<Spanned<Duration>>,
    /// The first pause. Default: 1s.
    pub first: Option<Spanned<Duration>>,
    /// The longest pause. Default: 15m.
    pub max_delay: Option<Spanned<Duration>>,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Create or do.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// What to do when nobody knows whether a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUncertain {
    /// Send it again with the same key.
    Retry,
    /// Hold the run for a person.
    Hold,
}

super::formats_of_words!(Method, "Method", "The HTTP method.", ["GET", "POST", "PUT", "PATCH", "DELETE"]);
super::formats_of_words!(
    OnUncertain,
    "OnUncertain",
    "What to do when nobody knows whether the request arrived.",
    ["retry", "hold"]
);
