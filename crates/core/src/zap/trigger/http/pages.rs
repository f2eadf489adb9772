//! How the pages of a list are asked for.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::path::JsonPath;
use crate::value::{Instant, Value};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The first.
    First,
    /// After so many pages and so many items.
    After {
        /// Pages read.
        pages: u64,
        /// Items read.
        items: u64,
    },
    /// What the answer before gave.
    Cursor(String),
    /// The address that the answer before gave.
    Link(String),
}

/// How pages are asked for.
#[derive(Debug, Clone)]
pub(super) enum Paging {
    /// There is one.
    None,
    /// By number.
    Number { param: String, first: u64, size: Option<u64>, size_param: Option<String> },
    /// By the items before.
    Offset { param: String, size: u64, size_param: Option<String> },
    /// By what the answer gives.
    Cursor { param: String, next: JsonPath },
    /// By the address that the answer gives: at a path of its body, else in its `Link` header.
    Link { next: Option<JsonPath> },
}

impl Paging {
    /// The query pairs that ask for a page.
    pub(super) fn pairs(&self, place: &Place) -> Vec<(String, String)> {
        let (pages, items) = match place {
            Place::After { pages, items } => (*pages, *items),
            Place::First | Place::Cursor(_) | Place::Link(_) => (0, 0),
        };
        let mut pairs = Vec::new();
        let mut push = |name: &String, value: String| pairs.push((name.clone(), value));
        match (self, place) {
            (Paging::Number { param, first, size, size_param }, _) => {
                push(param, first.saturating_add(pages).to_string());
                if let (Some(size), Some(size_param)) = (size, size_param) {
                    push(size_param, size.to_string());
                }
            }
            (Paging::Offset { param, size, size_param }, _) => {
                push(param, items.to_string());
                if let Some(size_param) = size_param {
                    push(size_param, size.to_string());
                }
            }
            (Paging::Cursor { param, .. }, Place::Cursor(cursor)) => push(param, cursor.clone()),
            (Paging::None | Paging::Cursor { .. } | Paging::Link { .. }, _) => {}
        }
        pairs
    }

    /// The page after one that held so many items; `None`: it was the last.
    pub(super) fn next(
        &self,
        place: &Place,
        items: u64,
        body: &Value,
        header: Option<&str>,
    ) -> Option<Place> {
        let counted = || {
            let (pages, before) = match place {
                Place::After { pages, items } => (*pages, *items),
                Place::First | Place::Cursor(_) | Place::Link(_) => (0, 0),
            };
            Place::After { pages: pages.saturating_add(1), items: before.saturating_add(items) }
        };
        match self {
            Paging::None => None,
            Paging::Number { size, .. } => {
                let full = size.map_or(items > 0, |size| items >= size);
                full.then(counted)
            }
            Paging::Offset { size, .. } => (items >= *size).then(counted),
            Paging::Cursor { next, .. } => told(next, body).map(Place::Cursor),
            Paging::Link { next: Some(next) } => told(next, body).map(Place::Link),
            Paging::Link { next: None } => header.map(|link| Place::Link(link.to_owned())),
        }
    }

    /// Whether where the pages go on stands in the body.
    pub(super) fn reads_body(&self) -> bool {
        matches!(self, Paging::Cursor { .. } | Paging::Link { next: Some(_) })
    }
}

/// What an answer says at a path; nothing where that is absent, null, false or empty.
fn told(path: &JsonPath, body: &Value) -> Option<String> {
    let found = path.find(body).ok()?;
    match &*found {
        Value::Text(text) if !text.is_empty() => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How only later items are asked for.
#[derive(Debug, Clone)]
pub(super) struct Since {
    pub(super) param: String,
    pub(super) form: Form,
    pub(super) overlap: Duration,
}

/// How an instant is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 3339 in UTC.
    Iso,
    /// Seconds since 1970.
    Unix,
    /// A strftime pattern, in UTC.
    Pattern(Arc<str>),
}

impl Form {
    /// The form of that name; nothing when it is neither a name nor a pattern.
    pub(super) fn parse(text: &str) -> Option<Form> {
        match text {
            "iso" => Some(Form::Iso),
            "unix" => Some(Form::Unix),
            pattern => {
                let form = Form::Pattern(Arc::from(pattern));
                let means = pattern.contains('%') && form.write(Timestamp::UNIX_EPOCH).is_some();
                means.then_some(form)
            }
        }
    }

    fn write(&self, at: Timestamp) -> Option<String> {
        match self {
            Form::Iso => Some(Instant::new(at, TimeZone::UTC).to_utc_text()),
            Form::Unix => Some(at.as_second().to_string()),
            Form::Pattern(pattern) => strtime::format(&**pattern, &at.to_zoned_datetime(TimeZone::UTC)).ok(),
        }
    }
}

impl Since {
    /// The query pair.
    pub(super) fn pair(&self, since: Timestamp) -> Option<(String, String)> {
        self.form.write(since).map(|text| (self.param.clone(), text))
    }
}
