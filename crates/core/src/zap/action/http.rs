//! A compiled `http` action: from a run's values to a request, and from an answer to yes or no.

use crate::card::{self, CardData, Found};
use crate::expression::{Condition, Frame};
use crate::mapping::{MapError, Mapping, Trace};
use crate::request::{Body, Destination, HttpRequest, Method};
use crate::value::Value;
use crate::zap::key;
use crate::zap::scope::Scope;
use crate::zap::url::{UrlTemplate, host_allowed};

#[derive(Debug)]
pub(in crate::zap) struct Http {
    pub(in crate::zap) method: Method,
    pub(in crate::zap) address: Address,
    pub(in crate::zap) query: Option<Mapping>,
    pub(in crate::zap) headers: Option<Mapping>,
    pub(in crate::zap) body: Option<Payload>,
    pub(in crate::zap) success: Option<Condition>,
}

#[derive(Debug)]
pub(in crate::zap) enum Address {
    Connection { name: String, path: Option<UrlTemplate> },
    Url { url: UrlTemplate, host: String, allow_hosts: Vec<String> },
}

#[derive(Debug)]
pub(in crate::zap) enum Payload {
    Json(Mapping),
    Form(Mapping),
    Text(Mapping),
}

impl Http {
    /// Renders the request.
    pub(super) fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        place: &str,
        idempotency_key: String,
        trace: &mut Trace,
    ) -> Result<HttpRequest, MapError> {
        let settings = &scope.settings;
        let mut pairs = |mapping: &Option<Mapping>, part: &str| {
            let Some(mapping) = mapping else { return Ok(Vec::new()) };
            let Some(mapped) = mapping.eval(values, settings)? else { return Ok(Vec::new()) };
            trace.pairs(part, &mapped);
            mapped.into_pairs(mapping.place())
        };
        let query = pairs(&self.query, "query")?;
        let headers = checked_headers(pairs(&self.headers, "headers")?, place)?;
        no_card_data(&query, &format!("{place}.query"))?;
        no_card_data(&headers, &format!("{place}.headers"))?;
        let body = match &self.body {
            None => None,
            Some(payload) => Some(payload.render(values, scope, trace)?),
        };
        let frame = Frame { values, settings };
        let destination = self.address.render(&frame, place)?;
        self.address.trace(&destination, trace);
        Ok(HttpRequest {
            method: self.method,
            destination,
            query,
            headers,
            body,
            idempotency_key,
            chain: scope.depth.saturating_add(1),
            trace: Some(key::trace(scope.key_base)),
        })
    }
}

/// Card data does not pass through, whatever carries it.
fn no_card_data(pairs: &[(String, String)], place: &str) -> Result<(), MapError> {
    let found = pairs.iter().find_map(|(name, text)| Some((name, card::in_field(name, text)?)));
    found.map_or(Ok(()), |(name, what)| Err(holds_card(&format!("{place}.{name}"), what)))
}

fn holds_card(place: &str, what: CardData) -> MapError {
    MapError::new(place, format!("the value holds {what}, which does not pass through zaprun"))
        .help("leave it out: the last four digits tell which card it was")
}

/// Headers whose values cannot end a header.
pub(in crate::zap) fn checked_headers(
    headers: Vec<(String, String)>,
    place: &str,
) -> Result<Vec<(String, String)>, MapError> {
    let control = |value: &str| value.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f);
    match headers.iter().find(|(_, value)| control(value)) {
        None => Ok(headers),
        Some((name, _)) => {
            let message = format!("the value of header `{name}` holds a line break or a control character");
            Err(MapError::new(format!("{place}.headers.{name}"), message)
                .help("take it out with `| replace('\\n', ' ')`"))
        }
    }
}

impl Address {
    /// Where a request goes.
    pub(in crate::zap) fn render(&self, frame: &Frame<'_>, place: &str) -> Result<Destination, MapError> {
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

impl Address {
    /// Says which template made the address.
    fn trace(&self, destination: &Destination, trace: &mut Trace) {
        match (self, destination) {
            (Address::Connection { path: Some(template), .. }, Destination::Connection { path, .. }) => {
                trace.address("path", template.node(), template.is_constant(), path);
            }
            (Address::Url { url: template, .. }, Destination::Url { url, .. }) => {
                trace.address("url", template.node(), template.is_constant(), url);
            }
            _ => {}
        }
    }
}

impl Payload {
    fn render(&self, values: &mut Vec<Value>, scope: &Scope, trace: &mut Trace) -> Result<Body, MapError> {
        let (Payload::Json(mapping) | Payload::Form(mapping) | Payload::Text(mapping)) = self;
        let mapped = mapping.eval(values, &scope.settings)?;
        let left_out =
            || MapError::new(mapping.place(), "the body is left out for this record").help("add `$else`");
        let mapped = mapped.ok_or_else(left_out)?;
        match self {
            Payload::Json(_) => {
                if let Some(Found { field, what }) = mapped.card_data() {
                    let point = if field.is_empty() || field.starts_with('[') { "" } else { "." };
                    return Err(holds_card(&format!("{}{point}{field}", mapping.place()), what));
                }
                trace.json("json", &mapped);
                let mut bytes = Vec::with_capacity(512);
                mapped
                    .write_json(&mut bytes)
                    .map_err(|error| MapError::new(mapping.place(), error.to_string()))?;
                Ok(Body { content_type: "application/json", bytes })
            }
            Payload::Form(_) => {
                trace.pairs("form", &mapped);
                let pairs = mapped.into_pairs(mapping.place())?;
                no_card_data(&pairs, mapping.place())?;
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                Ok(Body { content_type: "application/x-www-form-urlencoded", bytes: form.into_bytes() })
            }
            Payload::Text(_) => {
                let (node, fixed) = mapped.origin().unwrap_or((mapping.node(), false));
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
                if let Some(what) = card::in_text(&text) {
                    return Err(holds_card(mapping.place(), what));
                }
                trace.text("text", node, fixed, &text);
                Ok(Body { content_type: "text/plain; charset=utf-8", bytes: text.into_bytes() })
            }
        }
    }
}
