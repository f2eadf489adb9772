//! The parts of a request.

use super::values::{json_text, pairs, same_text, value};
use super::{At, Difference};
use crate::rehearsal::case::StepExpect;
use crate::request::{Body, Destination, HttpRequest, Request};
use crate::value::Value;

/// Compares what an expectation names of a request.
pub(super) fn compare(at: &At, expect: &StepExpect, request: &Request, found: &mut Vec<Difference>) {
    for (key, expected) in &expect.parts {
        let at = &at.part(key);
        let exact = expect.exact;
        match (request, *key) {
            (Request::Http(http), key) => self::http(at, key, expected, exact, http, found),
            (Request::Crm(crm), "map") => pairs(at, expected, &crm.params, exact, found),
            (Request::Crm(crm), "lead") => match &crm.lead {
                Some(lead) => pairs(at, expected, &lead.params, exact, found),
                None => {
                    let difference =
                        Difference::new(&at.place, json_text(expected), "nothing: no lead goes first");
                    found.push(difference.fix(at, None));
                }
            },
            (Request::Find(find), "find") => pairs(at, expected, &find.params, exact, found),
            (Request::Find(find), "from") => {
                same_text(at, expected, day(find.days.map(|days| days.0)), found);
            }
            (Request::Find(find), "to") => {
                same_text(at, expected, day(find.days.map(|days| days.1)), found);
            }
            // Reading a test refuses a part that its step does not have.
            (Request::Crm(_) | Request::Find(_), _) => {
                found.push(Difference::new(
                    &at.place,
                    json_text(expected),
                    "nothing: such a step does not have it",
                ));
            }
        }
    }
}

fn day(day: Option<jiff::civil::Date>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn http(
    at: &At,
    key: &str,
    expected: &Value,
    exact: bool,
    request: &HttpRequest,
    found: &mut Vec<Difference>,
) {
    match (key, &request.destination) {
        ("method", _) => same_text(at, expected, Some(request.method.as_str().to_owned()), found),
        ("url", Destination::Url { url, .. }) => same_text(at, expected, Some(url.clone()), found),
        ("path", Destination::Connection { path, .. }) => {
            // Between address and path there is one slash, whoever writes it.
            let bare = |path: &str| path.trim_start_matches('/').to_owned();
            if expected.as_text().is_none_or(|expected| bare(expected) != bare(path)) {
                let got = json_text(&Value::text(path.as_str()));
                let difference = Difference::new(&at.place, json_text(expected), got);
                found.push(difference.fix(at, Value::text(path.as_str())));
            }
        }
        ("url", Destination::Connection { name, .. }) => {
            let got = format!("the address of connection `{name}`");
            found
                .push(Difference::new(&at.place, json_text(expected), got).help("expect its `path` instead"));
        }
        ("path", Destination::Url { url, .. }) => {
            found.push(
                Difference::new(&at.place, json_text(expected), url.clone()).help("expect its `url` instead"),
            );
        }
        ("query", _) => pairs(at, expected, &request.query, exact, found),
        ("headers", _) => {
            // The names of headers are the same in any case: those that are expected stand as they are written.
            let wanted = expected.as_object();
            let named = |(name, value): &(String, String)| {
                let mut written = wanted.into_iter().flat_map(|wanted| wanted.iter().map(|(name, _)| name));
                let written = written.find(|written| written.eq_ignore_ascii_case(name));
                (written.map_or_else(|| name.to_ascii_lowercase(), |name| name.to_string()), value.clone())
            };
            let headers: Vec<(String, String)> = request.headers.iter().map(named).collect();
            pairs(at, expected, &headers, exact, found);
        }
        (_, _) => body(at, key, expected, exact, request.body.as_ref(), found),
    }
}

fn body(at: &At, key: &str, expected: &Value, exact: bool, body: Option<&Body>, found: &mut Vec<Difference>) {
    let kind = match body.map(|body| body.content_type) {
        None => "no body",
        Some("application/json") => "json",
        Some("application/x-www-form-urlencoded") => "form",
        Some(_) => "text",
    };
    let bytes = body.map_or(&[][..], |body| &body.bytes);
    if kind != key {
        found.push(Difference::new(&at.place, json_text(expected), kind));
        return;
    }
    match key {
        "json" => match std::str::from_utf8(bytes).ok().and_then(|text| Value::from_json(text).ok()) {
            Some(got) => value(at, expected, &got, exact, found),
            None => found.push(Difference::new(&at.place, json_text(expected), "a body that cannot be read")),
        },
        "form" => {
            let got: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().collect();
            pairs(at, expected, &got, exact, found);
        }
        _ => same_text(at, expected, Some(String::from_utf8_lossy(bytes).into_owned()), found),
    }
}
