//! A compiled `http` action: from a run's scope to requests, and from an answer to yes or no.

use std::time::Duration;

use super::key;
use super::scope::{RESPONSE, STEP, Scope};
use super::url::{UrlTemplate, host_allowed};
use crate::expression::{Condition, Frame};
use crate::mapping::{MapError, Mapped, Mapping, Slots, elements};
use crate::request::{Body, Destination, HttpRequest, Method};
use crate::value::Value;

/// One step of a zap.
#[derive(Debug)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// How long and how often to try again.
    pub retry: Retry,
    /// What to do when nobody knows whether a request arrived.
    pub on_uncertain: OnUncertain,
    /// Whether later steps run when this one is dead.
    pub continue_on_error: bool,
    pub(super) http: Http,
    pub(super) when: Option<Condition>,
    pub(super) each: Option<(Mapping, Slots)>,
    pub(super) success: Option<Condition>,
    pub(super) reads_body: bool,
    pub(super) reads_response: bool,
    pub(super) place: String,
}

/// How long and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Given up after this long.
    pub for_: Duration,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            for_: Duration::from_secs(24 * 60 * 60),
            first: Duration::from_secs(1),
            max_delay: Duration::from_secs(15 * 60),
        }
    }
}

/// What to do when nobody knows whether a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUncertain {
    /// Send it again with the same key.
    Retry,
    /// Hold the run for a person.
    Hold,
}

/// Whose pace and breaker an action is under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A connection, by name.
    Connection(String),
    /// A host: the action has a URL of its own.
    Host(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Connection(name) | Target::Host(name) => f.write_str(name),
        }
    }
}

/// What an action is for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing to send.
    Skip {
        /// Why, in plain words.
        why: String,
    },
    /// One request.
    One(Box<HttpRequest>),
    /// One request per element, with the element's key.
    Each(Vec<(String, HttpRequest)>),
}

/// An answer, as `success:` sees it.
#[derive(Debug, Clone, Copy)]
pub struct ResponseFacts<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers with lowercase names.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Http {
    pub(super) method: Method,
    pub(super) address: Address,
    pub(super) query: Option<Mapping>,
    pub(super) headers: Option<Mapping>,
    pub(super) body: Option<Payload>,
}

#[derive(Debug)]
pub(super) enum Address {
    Connection { name: String, path: Option<UrlTemplate> },
    Url { url: UrlTemplate, host: String, allow_hosts: Vec<String> },
}

#[derive(Debug)]
pub(super) enum Payload {
    Json(Mapping),
    Form(Mapping),
    Text(Mapping),
}

impl Action {
    /// Whose pace and breaker it is under.
    pub fn target(&self) -> Target {
        match &self.http.address {
            Address::Connection { name, .. } => Target::Connection(name.clone()),
            Address::Url { host, .. } => Target::Host(host.clone()),
        }
    }

    /// Whether a repeat after an unknown outcome is safe, by its method or because its author said so.
    pub fn repeats_safely(&self) -> bool {
        self.http.method.repeats_safely() || self.on_uncertain == OnUncertain::Retry
    }

    /// Whether it has a written `success:`.
    pub fn has_success(&self) -> bool {
        self.success.is_some()
    }

    /// Whether `success:` or a later step reads the body of its answer.
    pub fn reads_body(&self) -> bool {
        self.reads_body
    }

    /// Whether a later step reads its answer.
    pub fn reads_response(&self) -> bool {
        self.reads_response
    }

    /// Renders what is to be sent.
    ///
    /// # Errors
    /// A [`MapError`] that names the place in the zap.
    pub fn plan(&self, scope: &Scope) -> Result<Plan, MapError> {
        let mut values = scope.values.clone();
        let Some((each, slots)) = &self.each else {
            if !self.wanted(&mut values, scope, None)? {
                return Ok(Plan::Skip { why: "`when` is false".to_owned() });
            }
            return Ok(Plan::One(Box::new(self.request(&mut values, scope, None)?)));
        };
        bind_step(&mut values, &self.id, "");
        let source = each.eval(&mut values, &scope.settings)?.map_or(Value::Null, Mapped::into_value);
        let elements = elements(&source).ok_or_else(|| {
            MapError::new(each.place(), format!("each needs a list or an object, not {}", source.kind()))
                .help("give an empty list where there is none: `| default([])`")
        })?;
        let mut requests = Vec::new();
        for element in &elements {
            let request = slots.bound(&mut values, element, |values| {
                let key = Some(element.key.as_str());
                let wanted = self.wanted(values, scope, key)?;
                wanted.then(|| self.request(values, scope, key)).transpose()
            })?;
            requests.extend(request.map(|request| (element.key.clone(), request)));
        }
        Ok(match (requests.is_empty(), elements.is_empty()) {
            (true, true) => Plan::Skip { why: "`each` has no element".to_owned() },
            (true, false) => Plan::Skip { why: "`when` is false for every element".to_owned() },
            (false, _) => Plan::Each(requests),
        })
    }

    /// Whether the answer to a step, or to one element of it, means success: the written `success:`, else a status of
    /// 2xx.
    ///
    /// # Errors
    /// When `success:` has no answer itself.
    pub fn accepts(
        &self,
        scope: &Scope,
        element: Option<&str>,
        response: &ResponseFacts<'_>,
    ) -> Result<bool, MapError> {
        let Some(success) = &self.success else {
            return Ok((200..300).contains(&response.status));
        };
        let mut values = scope.values.clone();
        bind_step(&mut values, &self.id, &key::step(scope.key_base, &self.id, element).to_string());
        values.truncate(RESPONSE);
        values.push(super::response::value(response));
        let frame = Frame { values: &values, settings: &scope.settings };
        success.eval(&frame).map_err(|error| MapError::of(&format!("{}.success", self.place), &error))
    }

    fn wanted(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        element: Option<&str>,
    ) -> Result<bool, MapError> {
        let idempotency_key = key::step(scope.key_base, &self.id, element).to_string();
        bind_step(values, &self.id, &idempotency_key);
        let Some(when) = &self.when else { return Ok(true) };
        let frame = Frame { values, settings: &scope.settings };
        when.eval(&frame).map_err(|error| MapError::of(&format!("{}.when", self.place), &error))
    }

    /// `wanted` has bound the step's names.
    fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        element: Option<&str>,
    ) -> Result<HttpRequest, MapError> {
        let settings = &scope.settings;
        let mut pairs = |mapping: &Option<Mapping>| match mapping {
            None => Ok(Vec::new()),
            Some(mapping) => mapping
                .eval(values, settings)?
                .map_or(Ok(Vec::new()), |mapped| mapped.into_pairs(mapping.place())),
        };
        let query = pairs(&self.http.query)?;
        let headers = pairs(&self.http.headers)?;
        if let Some((name, _)) = headers
            .iter()
            .find(|(_, value)| value.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f))
        {
            let message = format!("the value of header `{name}` holds a line break or a control character");
            return Err(MapError::new(format!("{}.headers.{name}", self.place), message)
                .help("take it out with `| replace('\\n', ' ')`"));
        }
        let body = match &self.http.body {
            None => None,
            Some(payload) => Some(payload.render(values, scope)?),
        };
        let frame = Frame { values, settings };
        Ok(HttpRequest {
            method: self.http.method,
            destination: self.http.address.render(&frame, &self.place)?,
            query,
            headers,
            body,
            idempotency_key: key::step(scope.key_base, &self.id, element).to_string(),
        })
    }
}

impl Address {
    fn render(&self, frame: &Frame<'_>, place: &str) -> Result<Destination, MapError> {
        match self {
            Address::Connection { name, path } => Ok(Destination::Connection {
                name: name.clone(),
                path: path.as_ref().map_or(Ok(String::new()), |path| path.render(frame))?,
            }),
            Address::Url { url, allow_hosts, .. } => {
                let url = url.render(frame)?;
                if !allow_hosts.is_empty() && !host_allowed(&url, allow_hosts) {
                    return Err(MapError::new(
                        format!("{place}.url"),
                        "the address names a host that `allow_hosts` does not allow",
                    ));
                }
                Ok(Destination::Url { url, allow_hosts: allow_hosts.clone() })
            }
        }
    }
}

impl Payload {
    fn render(&self, values: &mut Vec<Value>, scope: &Scope) -> Result<Body, MapError> {
        let (Payload::Json(mapping) | Payload::Form(mapping) | Payload::Text(mapping)) = self;
        let mapped = mapping.eval(values, &scope.settings)?;
        let left_out =
            || MapError::new(mapping.place(), "the body is left out for this record").help("add `$else`");
        let mapped = mapped.ok_or_else(left_out)?;
        match self {
            Payload::Json(_) => {
                let mut bytes = Vec::with_capacity(512);
                mapped
                    .write_json(&mut bytes)
                    .map_err(|error| MapError::new(mapping.place(), error.to_string()))?;
                Ok(Body { content_type: "application/json", bytes })
            }
            Payload::Form(_) => {
                let pairs = mapped.into_pairs(mapping.place())?;
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                Ok(Body { content_type: "application/x-www-form-urlencoded", bytes: form.into_bytes() })
            }
            Payload::Text(_) => {
                let value = mapped.into_value();
                if value.is_missing() {
                    return Err(MapError::new(mapping.place(), "the text is null: there is nothing to send")
                        .help("write it as `{{ record.… | default('') }}`, or skip the step with `when`"));
                }
                let text = value.to_text();
                let text = text.map_err(|error| {
                    MapError::new(mapping.place(), error.to_string())
                        .help("write it as JSON text with `| tojson`")
                })?;
                Ok(Body { content_type: "text/plain; charset=utf-8", bytes: text.into_bytes() })
            }
        }
    }
}

/// Binds `step`, which follows the roots that are always there.
fn bind_step(values: &mut Vec<Value>, id: &str, key: &str) {
    if values.len() <= STEP {
        values.resize(STEP + 1, Value::Null);
    }
    values[STEP] = Value::object(vec![("id".into(), Value::text(id)), ("key".into(), Value::text(key))]);
}
