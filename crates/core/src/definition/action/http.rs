//! An HTTP request.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Common, OnUncertain, Retry, common};
use crate::definition::classes::Classes;
use crate::definition::formats::{Duration, Word};
use crate::yaml::{MapRef, NodeRef, Spanned};

common! {
    /// An HTTP request.
    pub struct HttpAction {
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
        /// What the body must be: a JSON Schema, or the path of one from the folder of this file.
        #[serde(default)]
        #[schemars(schema_with = "crate::definition::trigger::outline")]
        pub schema: Option<NodeRef>,
        /// The body as a form: values of the mapping.
        pub form: Option<MapRef>,
        /// The body as text: a template.
        pub text: Option<Spanned<String>>,
        /// Whether the reply means success: a boolean expression over `response`. Default: a status of 2xx.
        pub success: Option<Spanned<String>>,
        /// What to do when nobody knows whether the request arrived: retry (default) or hold.
        pub on_uncertain: Option<Spanned<OnUncertain>>,
        /// Kinds of data that this action may send although its connection is not marked for them: personal, card,
        /// secret.
        pub allow: Option<Spanned<Classes>>,
        /// Hosts that a templated address may name, for example "*.example.com".
        #[serde(default)]
        pub allow_hosts: Vec<Spanned<String>>,
    }
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

crate::definition::formats_of_words!(
    Method,
    "Method",
    "The HTTP method.",
    ["GET", "POST", "PUT", "PATCH", "DELETE"]
);
