//! Reading the items of an answer.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{HttpTrigger, Place, link};
use crate::card;
use crate::expression::{Frame, Key};
use crate::mapping::MapError;
use crate::record::Moment;
use crate::request::Destination;
use crate::value::{JsonError, Value, json};

/// What an answer holds.
#[derive(Debug, Clone)]
pub struct Read {
    /// Its items, in its order.
    pub items: Vec<Item>,
    /// The next page; `None`: this is the last.
    pub next: Option<Place>,
}

/// One item.
#[derive(Debug, Clone)]
pub struct Item {
    /// As received, where it stands in a plain list; else as a path found it.
    pub record: Vec<u8>,
    /// What makes it the same as another.
    pub key: Result<String, MapError>,
    /// When it happened, where the trigger says how that is found.
    pub at: Result<Option<Timestamp>, MapError>,
    /// The value of `once_per`.
    pub once: Option<String>,
    /// Fields from which card data was taken out.
    pub card: Vec<String>,
}

/// Why an answer has no items to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotItems {
    /// Not text.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the answer is not JSON: {0}")]
    NotJson(#[from] JsonError),
    /// The path leads to nothing.
    #[error("the answer has nothing at `{path}`")]
    Nothing {
        /// The path of the items.
        path: String,
    },
    /// The path leads to something else.
    #[error("`{path}` of the answer is {found}, not a list")]
    NoList {
        /// The path.
        path: String,
        /// What is there.
        found: String,
    },
    /// The path cannot be followed.
    #[error("`{path}` cannot be followed: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        reason: String,
    },
    /// The next page is not where this one is.
    #[error("the next page is on another host")]
    OtherHost,
}

impl HttpTrigger {
    /// Reads an answer to the request for a page.
    ///
    /// # Errors
    /// When it does not hold what the trigger says.
    pub fn read(&self, place: &Place, body: &[u8], headers: &[(String, String)]) -> Result<Read, NotItems> {
        let text = std::str::from_utf8(body).map_err(|_| NotItems::NotUtf8)?;
        let text = text.trim_start_matches('\u{feff}');
        let whole = match self.items.list_steps() {
            Some(_) if !self.paging.reads_body() => None,
            _ => Some(Value::from_json(text)?),
        };
        let items = match (self.items.list_steps(), &whole) {
            (Some(steps), _) => self.plain(text, steps)?,
            (None, Some(whole)) => self.found(whole)?,
            (None, None) => Vec::new(),
        };
        let many = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let next = self.paging.next(place, many, whole.as_ref().unwrap_or(&Value::Null), link::next(headers));
        let next = next.map(|next| self.stays(place, next)).transpose()?;
        Ok(Read { items, next })
    }

    /// The elements of a list at a plain path, byte for byte.
    fn plain(&self, text: &str, steps: &[Key]) -> Result<Vec<Item>, NotItems> {
        let path = || self.items.source().to_owned();
        let list = descend(text, steps)?.ok_or_else(|| NotItems::Nothing { path: path() })?;
        let raws: Vec<&str> = match list.trim_start().as_bytes().first() {
            Some(b'[') => json::elements(list)?.collect::<Result<_, _>>()?,
            // The members of an object are a list only to a path that says so.
            Some(b'{') if !self.items.is_singular() => {
                json::members(list)?.map(|member| member.map(|(_, value)| value)).collect::<Result<_, _>>()?
            }
            _ => match Value::from_json(list)? {
                Value::Null => Vec::new(),
                other => return Err(NotItems::NoList { path: path(), found: other.kind().to_string() }),
            },
        };
        raws.into_iter()
            .map(|raw| Ok(self.item(raw.trim().as_bytes().to_vec(), Value::from_json(raw)?)))
            .collect()
    }

    /// What any other path finds.
    fn found(&self, whole: &Value) -> Result<Vec<Item>, NotItems> {
        let found = self.items.find(whole).map_err(|fault| NotItems::Path {
            path: self.items.source().to_owned(),
            reason: fault.message,
        })?;
        let items = found.as_list().unwrap_or_default();
        let item = |item: &Value| {
            let mut record = Vec::new();
            // What was read from JSON can be written as JSON.
            let _written = item.write_json(&mut record);
            self.item(record, item.clone())
        };
        Ok(items.iter().map(item).collect())
    }

    /// An item: what is kept of it, and what it is known by.
    pub(crate) fn item(&self, mut record: Vec<u8>, mut value: Value) -> Item {
        let mut card = Vec::new();
        if let Some(redacted) = card::redact(&record, None) {
            // A value in the place of another leaves JSON what it is.
            value = Value::from_json(&String::from_utf8_lossy(&redacted.row)).unwrap_or(Value::Null);
            (record, card) = (redacted.row, redacted.fields);
        }
        let values = [value, self.vars.clone()];
        let key = self.key.eval(&values, &self.settings);
        let once =
            self.once.as_ref().and_then(|once| once.eval_optional(&values, &self.settings).ok().flatten());
        Item { record, key, at: self.at(&values), once, card }
    }

    fn at(&self, values: &[Value]) -> Result<Option<Timestamp>, MapError> {
        let Some(at) = &self.at else { return Ok(None) };
        let frame = Frame { values, settings: &self.settings };
        let value = at.eval(&frame).map_err(|error| MapError::of("trigger.at", &error))?;
        let read = match &value {
            Value::Instant(instant) => Some(instant.timestamp()),
            Value::Number(seconds) => {
                seconds.to_i64().and_then(|seconds| Timestamp::from_second(seconds).ok())
            }
            Value::Text(text) => instant(text, &self.settings.zone),
            _ => None,
        };
        read.map(Some).ok_or_else(|| {
            MapError::new("trigger.at", "the value is no time")
                .help("read it with `| datetime`, or with `| datetime('%d/%m/%Y %H:%M')`")
        })
    }

    /// The next page, which is asked for only where this one came from.
    fn stays(&self, place: &Place, next: Place) -> Result<Place, NotItems> {
        let (Place::Link(link), Destination::Url { url, .. }) = (&next, &self.request.destination) else {
            // Whoever knows the connection's address looks at a link of it.
            return Ok(next);
        };
        let asked = match place {
            Place::Link(asked) => asked,
            _ => url,
        };
        let first = url::Url::parse(url).map_err(|_| NotItems::OtherHost)?;
        let resolved = url::Url::parse(asked).and_then(|asked| asked.join(link));
        match resolved {
            Ok(url)
                if url.origin() == first.origin()
                    && url.username().is_empty()
                    && url.password().is_none() =>
            {
                Ok(Place::Link(url.into()))
            }
            _ => Err(NotItems::OtherHost),
        }
    }
}

/// A time as text: with an offset, else by the clocks of the zone.
fn instant(text: &str, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
    text.trim().parse().ok().or_else(|| Moment::parse(text, zone).map(|moment| moment.at))
}

/// The text of the value that plain steps lead to.
fn descend<'t>(text: &'t str, steps: &[Key]) -> Result<Option<&'t str>, JsonError> {
    let mut here = text;
    for step in steps {
        let next = match step {
            Key::Name(name) => member(here, name)?,
            Key::At(at) => element(here, *at)?,
        };
        let Some(next) = next else { return Ok(None) };
        here = next;
    }
    if steps.is_empty() {
        // Nothing has been read yet that would show that the text ends where it should.
        Value::from_json(text)?;
    }
    Ok(Some(here))
}

fn member<'t>(text: &'t str, wanted: &str) -> Result<Option<&'t str>, JsonError> {
    if !text.trim_start().starts_with('{') {
        return Value::from_json(text).map(|_| None);
    }
    let mut found = None;
    for member in json::members(text)? {
        let (name, value): (Cow<'_, str>, &str) = member?;
        // Of two of one name the last counts, as everywhere.
        found = if name == wanted { Some(value) } else { found };
    }
    Ok(found)
}

fn element(text: &str, at: i64) -> Result<Option<&str>, JsonError> {
    if !text.trim_start().starts_with('[') {
        return Value::from_json(text).map(|_| None);
    }
    let all: Vec<&str> = json::elements(text)?.collect::<Result<_, _>>()?;
    let from_end = || usize::try_from(at.unsigned_abs()).ok().and_then(|back| all.len().checked_sub(back));
    let index = if at < 0 { from_end() } else { usize::try_from(at).ok() };
    Ok(index.and_then(|index| all.get(index).copied()))
}
