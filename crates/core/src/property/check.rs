//! The zap's own `properties:`, compiled and asked.

use std::sync::Arc;

use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Condition, Frame, Names, Shape, Type};
use crate::mapping::Compiler;
use crate::record::{self, ReadSet};
use crate::rehearsal::{Attempt, Did, End, Rehearsal};
use crate::request::{Destination, HttpRequest, Request};
use crate::value::{Kind, Value};
use crate::zap::{Scope, Zap};

/// Something that its author says of every run.
#[derive(Debug)]
pub(crate) struct Property {
    pub(super) name: String,
    check: Condition,
}

/// The members of an element of `requests`.
const REQUEST: [&str; 10] =
    ["step", "element", "method", "url", "path", "query", "headers", "json", "form", "text"];

/// Compiles the properties of a zap, which see what its expressions see and what came of them; nothing when one of them
/// has findings.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    names: Names,
) -> Option<Vec<Property>> {
    let request = REQUEST.into_iter().chain(["map"]).map(|member| (member, Shape::Any));
    let names = names
        .with("requests", Type::list_of(Shape::members(request).into()))
        .with("outcome", Shape::Scalar(Kind::Text));
    let mut properties = Some(Vec::new());
    for (at, written) in definition.properties.iter().enumerate() {
        let name = &written.value.name;
        let before = definition.properties.get(..at).unwrap_or_default();
        if let Some(other) = before.iter().find(|other| other.value.name.value == name.value) {
            let message = format!("another property of `{}` is called so", definition.name.value);
            let finding = Diagnostic::new(&code::DUPLICATE_TEST, message).at(compiler.tree.span(name.node));
            let other = compiler.tree.span(other.value.name.node);
            compiler.report(finding.related(other, "it is here").help("give one of the two another name"));
        }
        let check = compiler.condition(written.value.check.node, &names);
        match (check, &mut properties) {
            (Some(check), Some(properties)) => {
                properties.push(Property { name: name.value.clone(), check });
            }
            _ => properties = None,
        }
    }
    properties
}

/// What a property says of a run.
pub(super) enum Said {
    /// It does not hold.
    No,
    /// It has no answer, and why.
    Nothing(String),
}

/// The properties that do not hold of a run that ended so.
pub(super) fn broken<'z>(
    zap: &'z Zap,
    attempt: &Attempt,
    rehearsal: &Rehearsal,
    outcome: &str,
) -> Vec<(&'z Property, Said)> {
    if zap.properties.is_empty() {
        return Vec::new();
    }
    let Scope { values, settings, .. } = &attempt.scope;
    let mut values = values.clone();
    if let Some(schema) = zap.trigger.schema()
        && let Ok(record) = record::view(&attempt.record, schema, &ReadSet::All, &mut Vec::new())
    {
        values[crate::zap::RECORD] = Value::Object(record);
    }
    values.push(requests(rehearsal));
    values.push(Value::text(outcome));
    let frame = Frame { values: &values, settings };
    let ask = |property: &'z Property| match property.check.eval(&frame) {
        Ok(true) => None,
        Ok(false) => Some((property, Said::No)),
        Err(error) => Some((property, Said::Nothing(error.message().to_owned()))),
    };
    zap.properties.iter().filter_map(ask).collect()
}

/// How a run ended, by `outcome`.
pub(super) fn outcome(end: &End) -> &'static str {
    match end {
        End::Delivered => "delivered",
        End::Filtered { .. } => "filtered",
        End::Dead(_) => "dead",
    }
}

/// What would be sent, in order.
fn requests(rehearsal: &Rehearsal) -> Value {
    let mut requests = Vec::new();
    for step in &rehearsal.steps {
        let Did::Sent(sent) = &step.did else { continue };
        for sent in sent {
            requests.push(request(&step.id, sent.element.as_deref(), &sent.request));
        }
    }
    Value::list(requests)
}

fn request(step: &str, element: Option<&str>, request: &Request) -> Value {
    let mut told: Vec<(Arc<str>, Value)> = REQUEST.map(|name| (Arc::from(name), Value::Null)).to_vec();
    told.push(("map".into(), Value::Null));
    let mut set = |name: &str, value: Value| {
        if let Some((_, known)) = told.iter_mut().find(|(known, _)| **known == *name) {
            *known = value;
        }
    };
    set("step", Value::text(step));
    set("element", element.map_or(Value::Null, Value::text));
    match request {
        Request::Http(http) => self::http(http, &mut set),
        Request::Crm(crm) => {
            set("method", Value::text("POST"));
            set("path", Value::text(crm.endpoint.path));
            set("map", pairs(&crm.params));
        }
        Request::Find(find) => {
            set("method", Value::text("POST"));
            set("path", Value::text(find.endpoint.path()));
            set("map", pairs(&find.params));
        }
    }
    Value::object(told)
}

fn http(http: &HttpRequest, set: &mut dyn FnMut(&str, Value)) {
    set("method", Value::text(http.method.as_str()));
    match &http.destination {
        Destination::Url { url, .. } => set("url", Value::text(url.as_str())),
        Destination::Connection { path, .. } | Destination::Linked { path, .. } => {
            set("path", Value::text(path.as_str()));
        }
    }
    set("query", pairs(&http.query));
    set("headers", pairs(&http.headers));
    let Some(body) = &http.body else { return };
    let text = String::from_utf8_lossy(&body.bytes);
    match body.content_type {
        "application/json" => set("json", Value::from_json(&text).unwrap_or(Value::Null)),
        "application/x-www-form-urlencoded" => {
            let form: Vec<(String, String)> = url::form_urlencoded::parse(&body.bytes).into_owned().collect();
            set("form", pairs(&form));
        }
        _ => set("text", Value::text(&*text)),
    }
}

/// Names and values; a name that is repeated has a list of them.
fn pairs(pairs: &[(String, String)]) -> Value {
    let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let value = Value::text(value.as_str());
        match members.iter_mut().find(|(known, _)| **known == **name) {
            None => members.push((Arc::from(name.as_str()), value)),
            Some((_, known)) => {
                let mut all = known.as_list().map_or_else(|| vec![known.clone()], <[Value]>::to_vec);
                all.push(value);
                *known = Value::list(all);
            }
        }
    }
    Value::object(members)
}
