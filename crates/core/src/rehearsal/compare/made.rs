//! Expectations, made of what came.

use std::sync::Arc;

use crate::rehearsal::case::StepExpect;
use crate::rehearsal::run::{Did, End, Rehearsal, Sent};
use crate::request::{Body, CrmRequest, Destination, HttpRequest, Request};
use crate::value::Value;

/// What a test would say of a run: what each step sends, and how it ends.
pub(super) fn run(rehearsal: &Rehearsal) -> Option<Value> {
    if matches!(rehearsal.end, End::Filtered { .. }) {
        return Some(Value::text("filtered"));
    }
    let mut members: Vec<(Arc<str>, Value)> = Vec::new();
    if let End::Dead(failure) = &rehearsal.end
        && failure.step.is_none()
    {
        members.push((Arc::from("$error"), Value::text(failure.reason.as_str())));
    }
    for step in &rehearsal.steps {
        let value = match &step.did {
            Did::Skipped { .. } => Value::text("skipped"),
            Did::Broken(error) => failed(&error.to_string()),
            // Nobody knows what it would be.
            Did::Unknown(_) => continue,
            Did::Sent(sent) => match sent.as_slice() {
                [one] if one.element.is_none() => of(one),
                elements => object(vec![("each", Value::list(elements.iter().map(of).collect()))]),
            },
        };
        members.push((Arc::from(step.id.as_str()), value));
    }
    (!members.is_empty()).then(|| Value::object(members))
}

/// What a test would say of a step that is given up. A reason that ends with what differs from run to run is still one.
pub(super) fn failed(reason: &str) -> Value {
    object(vec![("error", Value::text(reason))])
}

/// What a test would say of elements, in the parts that it speaks of.
pub(super) fn elements(expected: &[StepExpect], sent: &[Sent]) -> Value {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in expected.iter().flat_map(|element| &element.parts) {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    let element = |sent: &Sent| match &sent.refused {
        Some(reason) => failed(reason),
        None if keys.is_empty() => of(sent),
        None => {
            let parts = parts(&sent.request);
            object(parts.into_iter().filter(|(key, _)| keys.contains(key)).collect())
        }
    };
    Value::list(sent.iter().map(element).collect())
}

fn of(sent: &Sent) -> Value {
    match &sent.refused {
        Some(reason) => failed(reason),
        None => object(parts(&sent.request).into_iter().filter(|(key, _)| worth_saying(key)).collect()),
    }
}

/// What tells one request from another; the rest is the zap's own words again.
fn worth_saying(key: &str) -> bool {
    !matches!(key, "method" | "headers")
}

/// All that can be said of a request.
fn parts(request: &Request) -> Vec<(&'static str, Value)> {
    match request {
        Request::Http(request) => http(request),
        Request::Crm(CrmRequest { params, lead, .. }) => {
            let mut parts = vec![("map", pairs(params))];
            parts.extend(lead.as_ref().map(|lead| ("lead", pairs(&lead.params))));
            parts
        }
        Request::Find(request) => {
            let mut parts = vec![("find", pairs(&request.params))];
            if let Some((from, to)) = request.days {
                parts.push(("from", Value::text(from.to_string())));
                parts.push(("to", Value::text(to.to_string())));
            }
            parts
        }
    }
}

fn http(request: &HttpRequest) -> Vec<(&'static str, Value)> {
    let mut parts = vec![("method", Value::text(request.method.as_str()))];
    match &request.destination {
        Destination::Connection { path, .. } if path.is_empty() => {}
        Destination::Connection { path, .. } => parts.push(("path", Value::text(path.as_str()))),
        Destination::Url { url, .. } => parts.push(("url", Value::text(url.as_str()))),
        Destination::Linked { .. } => {}
    }
    if !request.query.is_empty() {
        parts.push(("query", pairs(&request.query)));
    }
    if !request.headers.is_empty() {
        parts.push(("headers", pairs(&request.headers)));
    }
    parts.extend(request.body.as_ref().and_then(body));
    parts
}

fn body(body: &Body) -> Option<(&'static str, Value)> {
    match body.content_type {
        "application/json" => {
            let text = std::str::from_utf8(&body.bytes).ok()?;
            Some(("json", Value::from_json(text).ok()?))
        }
        "application/x-www-form-urlencoded" => {
            let form: Vec<(String, String)> = url::form_urlencoded::parse(&body.bytes).into_owned().collect();
            Some(("form", pairs(&form)))
        }
        _ => Some(("text", Value::text(String::from_utf8_lossy(&body.bytes).into_owned()))),
    }
}

/// A repeated name is a list of its values.
fn pairs(pairs: &[(String, String)]) -> Value {
    let mut members: Vec<(Arc<str>, Value)> = Vec::new();
    for (name, _) in pairs {
        if members.iter().any(|(known, _)| **known == **name) {
            continue;
        }
        let mut values: Vec<Value> = pairs
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| Value::text(value.as_str()))
            .collect();
        let value = match values.len() {
            1 => values.remove(0),
            _ => Value::list(values),
        };
        members.push((Arc::from(name.as_str()), value));
    }
    Value::object(members)
}

fn object(members: Vec<(&str, Value)>) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Arc::from(name), value)).collect())
}
