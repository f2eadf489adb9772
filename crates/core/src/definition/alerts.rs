//! Who is told when something needs a person.

use schemars::JsonSchema;
use serde::Deserialize;

use super::action::{HttpAction, Method};
use super::formats::{Duration, Word};
use crate::yaml::{MapRef, NodeRef, Spanned};

/// Who is told when something needs a person, and how often.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alerts {
    /// How often the same thing is told again while it gets worse. Default: 15m.
    pub every: Option<Spanned<Duration>>,
    /// Whom to tell: an HTTP request each, whose templates see `alert` and `vars`.
    #[schemars(length(min = 1, max = 20))]
    pub to: Vec<Spanned<AlertTarget>>,
}

/// An HTTP request that tells of an alert.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AlertTarget {
    /// Its name. What it was told hangs on it: do not change it later.
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
    /// Which alerts it is told: a boolean expression over `alert`. Default: all.
    pub when: Option<Spanned<String>>,
    /// Whether the reply means success: a boolean expression over `response`. Default: a status of 2xx.
    pub success: Option<Spanned<String>>,
}

impl AlertTarget {
    /// The same as a step of a zap.
    pub fn as_action(&self) -> HttpAction {
        HttpAction {
            id: self.id.clone(),
            connection: self.connection.clone(),
            url: self.url.clone(),
            path: self.path.clone(),
            method: self.method,
            query: self.query,
            headers: self.headers,
            json: self.json,
            schema: None,
            form: self.form,
            text: self.text.clone(),
            success: self.success.clone(),
            on_uncertain: None,
            allow: None,
            allow_hosts: Vec::new(),
            delay: None,
            unless: None,
            when: self.when.clone(),
            each: None,
            element: None,
            retry: None,
            continue_on_error: None,
            stop_if: None,
        }
    }
}
