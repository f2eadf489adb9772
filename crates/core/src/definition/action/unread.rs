//! A step of a kind that cannot be told.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Common, Retry, common};
use crate::definition::formats::{Duration, Word};
use crate::yaml::{NodeRef, Spanned};

common! {
    /// A step whose `type` is missing or unknown: the parts of which something can be said all the same.
    pub struct UnreadAction {
        /// As a template.
        pub url: Option<NodeRef>,
        /// As a template.
        pub path: Option<NodeRef>,
        /// As a mapping.
        pub query: Option<NodeRef>,
        /// As a mapping.
        pub headers: Option<NodeRef>,
        /// As a mapping.
        pub json: Option<NodeRef>,
        /// As a mapping.
        pub form: Option<NodeRef>,
        /// As a template.
        pub text: Option<NodeRef>,
        /// As a mapping.
        pub map: Option<NodeRef>,
        /// As a mapping.
        pub by: Option<NodeRef>,
        /// As a condition over the answer.
        pub success: Option<Spanned<String>>,
    }
}

impl UnreadAction {
    /// What is mapped, each with its key.
    pub fn mapped(&self) -> impl Iterator<Item = (&'static str, NodeRef)> {
        let parts = [
            ("url", self.url),
            ("path", self.path),
            ("query", self.query),
            ("headers", self.headers),
            ("json", self.json),
            ("form", self.form),
            ("text", self.text),
            ("map", self.map),
            ("by", self.by),
        ];
        parts.into_iter().filter_map(|(key, node)| Some((key, node?)))
    }
}
