//! A compiled trigger that polls an HTTP API.

mod compile;
mod items;
mod link;
mod pages;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

pub(in crate::zap) use compile::compile;
pub use items::{Item, NotItems, Read};
pub use pages::Place;

use super::key::KeyExpression;
use crate::definition::CatchUp;
use crate::expression::{Settings, Text};
use crate::mapping::MapError;
use crate::path::JsonPath;
use crate::request::{Destination, HttpRequest};
use crate::value::Value;
use pages::{Paging, Since};

/// A trigger that polls an HTTP API.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// Time between two polls.
    pub every: Duration,
    /// Whether everything fires that is there when the zap first runs; else what is there is primed.
    pub beginning: bool,
    /// What every page asks.
    request: HttpRequest,
    items: JsonPath,
    key: KeyExpression,
    at: Option<std::sync::Arc<Text>>,
    once: Option<KeyExpression>,
    paging: Paging,
    since: Option<Since>,
    vars: Value,
    settings: Settings,
    selection: String,
    /// What becomes of what happened while the zap was switched off.
    pub catch_up: CatchUp,
}

impl HttpTrigger {
    /// The connection that is asked; `None` where the zap names an address.
    pub fn connection(&self) -> Option<&str> {
        match &self.request.destination {
            Destination::Connection { name, .. } | Destination::Linked { name, .. } => Some(name),
            Destination::Url { .. } => None,
        }
    }

    /// Who is asked, as a person names it: a connection, or a host.
    pub fn source(&self) -> String {
        match &self.request.destination {
            Destination::Connection { name, .. } | Destination::Linked { name, .. } => name.clone(),
            Destination::Url { url, .. } => {
                let url = url::Url::parse(url).ok();
                url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
            }
        }
    }

    /// The request for a page. `since`: what happened before is not wanted.
    pub fn request(&self, place: &Place, since: Option<Timestamp>) -> HttpRequest {
        let mut request = self.request.clone();
        if let Place::Link(link) = place {
            // The link is the whole question.
            request.destination = self.linked(link);
            request.query = Vec::new();
            return request;
        }
        if let (Some(written), Some(since)) = (&self.since, since) {
            request.query.extend(written.pair(since));
        }
        request.query.extend(self.paging.pairs(place));
        request
    }

    /// Where the address that an answer gave leads: never beyond whom the zap asks.
    fn linked(&self, link: &str) -> Destination {
        match &self.request.destination {
            Destination::Connection { name, path } => {
                Destination::Linked { name: name.clone(), path: path.clone(), link: link.to_owned() }
            }
            // Resolved when it was read ([`Read::next`]).
            Destination::Url { .. } | Destination::Linked { .. } => {
                Destination::Url { url: link.to_owned(), allow_hosts: Vec::new() }
            }
        }
    }

    /// Whether it asks for later items only, once it was read.
    pub fn asks_since(&self) -> bool {
        self.since.is_some()
    }

    /// How far before the last read the next one begins.
    pub fn overlap(&self) -> Duration {
        self.since.as_ref().map_or(Duration::ZERO, |since| since.overlap)
    }

    /// The value of `once_per`, where the trigger has one and the item has it.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub fn once(&self, item: &[u8]) -> Result<Option<String>, MapError> {
        let Some(once) = &self.once else { return Ok(None) };
        // It was read when it was found, and has been kept since.
        let item = Value::from_json(&String::from_utf8_lossy(item))
            .map_err(|error| MapError::new("record", error.to_string()))?;
        once.eval_optional(&[item, self.vars.clone()], &self.settings)
    }

    /// What decides which items there are, and what tells them apart, in one text.
    pub(super) fn selection(&self) -> String {
        self.selection.clone()
    }
}
