//! A request as names and values, so that two of them can be laid beside each other.

use zaprun_core::mapping::{Source, member};
use zaprun_core::record::Class;
use zaprun_core::rehearsal::Sent;
use zaprun_core::request::{Destination, HttpRequest, Request};
use zaprun_core::value::Value;

/// A part of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// `json.items[0].sku`
    pub(super) at: String,
    /// In `json` as JSON, elsewhere its text.
    pub(super) text: String,
    /// Whose it is by the description of the endpoint.
    pub(super) class: Class,
}

/// All parts of a request, in their order.
pub(super) fn leaves(request: &Request) -> Vec<Leaf> {
    let mut found = Vec::new();
    match request {
        Request::Http(request) => http(request, &mut found),
        Request::Crm(request) => {
            push(&mut found, "to", format!("{{{}}}/{}/", request.connection, request.endpoint.path));
            let class = |name: &str| request.endpoint.param(name).map_or(Class::Plain, |param| param.class);
            pairs("map", &request.params, class, &mut found);
            if let Some(lead) = &request.lead {
                pairs("lead", &lead.params, class, &mut found);
            }
        }
        Request::Find(request) => {
            push(&mut found, "to", format!("{{{}}}/{}/", request.connection, request.endpoint.path()));
            pairs("find", &request.params, |_| Class::Plain, &mut found);
            if let Some((first, last)) = request.days {
                push(&mut found, "from", first.to_string());
                push(&mut found, "to_day", last.to_string());
            }
        }
    }
    found
}

fn http(request: &HttpRequest, found: &mut Vec<Leaf>) {
    push(found, "method", request.method.as_str().to_owned());
    match &request.destination {
        Destination::Connection { name, path } | Destination::Linked { name, path, .. } => {
            push(found, "connection", name.clone());
            if !path.is_empty() {
                push(found, "path", path.clone());
            }
        }
        Destination::Url { url, .. } => push(found, "url", url.clone()),
    }
    pairs("query", &request.query, |_| Class::Plain, found);
    pairs("headers", &request.headers, |_| Class::Plain, found);
    let Some(body) = &request.body else { return };
    match body.content_type {
        "application/json" => {
            let value = std::str::from_utf8(&body.bytes).ok().and_then(|text| Value::from_json(text).ok());
            json("json", &value.unwrap_or_default(), found);
        }
        "application/x-www-form-urlencoded" => {
            let form: Vec<(String, String)> = form_urlencoded::parse(&body.bytes).into_owned().collect();
            pairs("form", &form, |_| Class::Plain, found);
        }
        _ => push(found, "text", String::from_utf8_lossy(&body.bytes).into_owned()),
    }
}

fn push(found: &mut Vec<Leaf>, at: impl Into<String>, text: String) {
    found.push(Leaf { at: at.into(), text, class: Class::Plain });
}

/// A name that is repeated counts its values.
fn pairs(part: &str, pairs: &[(String, String)], class: impl Fn(&str) -> Class, found: &mut Vec<Leaf>) {
    for (at, (name, text)) in pairs.iter().enumerate() {
        let same = |pairs: &[(String, String)]| pairs.iter().filter(|(other, _)| other == name).count();
        let mut place = member(part, name);
        if same(pairs) > 1 {
            place.push_str(&format!("[{}]", same(&pairs[..at])));
        }
        found.push(Leaf { at: place, text: text.clone(), class: class(name) });
    }
}

fn json(at: &str, value: &Value, found: &mut Vec<Leaf>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members.iter() {
                json(&member(at, name), value, found);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                json(&format!("{at}[{index}]"), item, found);
            }
        }
        scalar => push(found, at, scalar.to_json().unwrap_or_default()),
    }
}

/// What made a part, or the whole that it is in.
pub(super) fn source<'s>(sent: &'s Sent, at: &str) -> Option<&'s Source> {
    // What of a sale goes into the lead before it is made by the same.
    let at = at.strip_prefix("lead").map_or_else(|| at.to_owned(), |rest| format!("map{rest}"));
    let holds = |source: &&Source| {
        at.strip_prefix(source.at.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    sent.sources.iter().filter(holds).max_by_key(|source| source.at.len())
}
