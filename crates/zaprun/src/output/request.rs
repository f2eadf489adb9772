//! A rendered request, as a person reads it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use zaprun_core::request::{Destination, FindRequest, HttpRequest, Request};

use crate::output::style::{Paint, clean};

/// A longer body is shown up to here.
const MOST_BODY: usize = 64 * 1024;

/// Request line, headers and body, each line indented by four blanks. The connection stands for its base URL, which may
/// be a secret: `POST {slack}/path`.
pub(crate) fn request_text(request: &Request, paint: Paint) -> String {
    let lines = match request {
        Request::Http(request) => http_lines(request, paint),
        Request::Crm(request) => {
            let first = request
                .lead
                .iter()
                .map(|lead| call_lines(&lead.connection, lead.endpoint.path, &lead.params, paint));
            let call = call_lines(&request.connection, request.endpoint.path, &request.params, paint);
            first.flatten().chain(call).collect()
        }
        Request::Find(request) => {
            call_lines(&request.connection, request.endpoint.path(), &with_days(request), paint)
        }
    };
    lines.iter().map(|line| format!("    {}\n", clean_line(line, paint))).collect()
}

/// A call of the CRM: `POST {crm}/order/import/` and its parameters.
fn call_lines(connection: &str, path: &str, params: &[(String, String)], paint: Paint) -> Vec<String> {
    let mut lines = vec![format!("{} {}", paint.bold("POST"), call_address(connection, path))];
    lines.extend(params.iter().map(|(name, value)| format!("{name}: {value}")));
    lines
}

/// The parameters of a look-up, with the days that it is asked for.
fn with_days(request: &FindRequest) -> Vec<(String, String)> {
    let mut params = request.params.clone();
    if let Some((first, last)) = request.days {
        let day = |date: jiff::civil::Date| date.strftime("%m/%d/%Y").to_string();
        params.extend([("startDate".to_owned(), day(first)), ("endDate".to_owned(), day(last))]);
    }
    params
}

fn call_address(connection: &str, path: &str) -> String {
    format!("{{{connection}}}/{path}/")
}

fn http_lines(request: &HttpRequest, paint: Paint) -> Vec<String> {
    let mut lines = vec![format!("{} {}", paint.bold(request.method.as_str()), address(request))];
    lines.push(paint.dim(&format!("idempotency key {}", request.idempotency_key)));
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if let Some(body) = &request.body {
        lines.push(format!("content-type: {}", body.content_type));
        lines.extend(body_text(&body.bytes).lines().map(str::to_owned));
    }
    lines
}

/// Painted lines hold escapes of our own; the others must not steer the terminal.
fn clean_line(line: &str, paint: Paint) -> String {
    if paint.0 && line.starts_with('\u{1b}') { line.to_owned() } else { clean(line).into_owned() }
}

/// Where it goes: `{connection}/path?query`, or the URL.
fn address(request: &HttpRequest) -> String {
    let mut address = match &request.destination {
        Destination::Connection { name, path } if path.is_empty() => format!("{{{name}}}"),
        Destination::Connection { name, path } => format!("{{{name}}}/{}", path.trim_start_matches('/')),
        Destination::Linked { name, link, .. } => format!("{{{name}}} {link}"),
        Destination::Url { url, .. } => url.clone(),
    };
    for (at, (name, value)) in request.query.iter().enumerate() {
        address.push(if at == 0 && !address.contains('?') { '?' } else { '&' });
        address.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
        address.push('=');
        address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    clean(&address).into_owned()
}

/// A request as machines read it.
#[derive(Debug, Serialize)]
pub(crate) struct RequestEntry {
    method: &'static str,
    /// As [`address`] writes it.
    to: String,
    headers: Vec<(String, String)>,
    idempotency_key: String,
    content_type: Option<&'static str>,
    body: Option<String>,
}

impl From<&Request> for RequestEntry {
    fn from(request: &Request) -> Self {
        match request {
            Request::Http(request) => RequestEntry::from(request),
            Request::Crm(request) => RequestEntry {
                idempotency_key: request.idempotency_key.clone(),
                ..RequestEntry::call(&request.connection, request.endpoint.path, &request.params)
            },
            Request::Find(request) => {
                RequestEntry::call(&request.connection, request.endpoint.path(), &with_days(request))
            }
        }
    }
}

impl RequestEntry {
    fn call(connection: &str, path: &str, params: &[(String, String)]) -> Self {
        RequestEntry {
            method: "POST",
            to: call_address(connection, path),
            headers: Vec::new(),
            idempotency_key: String::new(),
            content_type: Some("application/x-www-form-urlencoded"),
            body: Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()),
        }
    }
}

impl From<&HttpRequest> for RequestEntry {
    fn from(request: &HttpRequest) -> Self {
        let body = request.body.as_ref();
        RequestEntry {
            method: request.method.as_str(),
            to: address(request),
            headers: request.headers.clone(),
            idempotency_key: request.idempotency_key.clone(),
            content_type: body.map(|body| body.content_type),
            body: body.map(|body| String::from_utf8_lossy(&body.bytes).into_owned()),
        }
    }
}

/// A body as text: JSON indented with its digits and keys as they are, other text as it is.
pub(crate) fn body_text(bytes: &[u8]) -> String {
    let shown = bytes.get(..MOST_BODY).unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok() => indent_json(text),
        _ => String::from_utf8_lossy(shown).into_owned(),
    };
    if bytes.len() > shown.len() { format!("{text}\n… {} bytes in all", bytes.len()) } else { text }
}

/// Valid JSON with line breaks and indents; every other character stays.
pub(crate) fn indent_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth.min(64)));
    };
    while let Some(character) = characters.next() {
        if out.len() > MOST_BODY {
            out.push('…');
            break;
        }
        if in_text {
            out.push(character);
            in_text = character != '"' || escaped;
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '"' => {
                in_text = true;
                out.push(character);
            }
            '{' | '[' => {
                while characters.peek().is_some_and(|next| next.is_ascii_whitespace()) {
                    characters.next();
                }
                out.push(character);
                if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.extend(characters.next());
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use zaprun_core::request::{Body, Method};

    use super::*;

    #[test]
    fn a_request_is_shown_with_its_digits() {
        let request = HttpRequest {
            method: Method::Post,
            destination: Destination::Connection {
                name: "sheet".to_owned(),
                path: "values/sales:append".to_owned(),
            },
            query: vec![("valueInputOption".to_owned(), "R W".to_owned())],
            headers: vec![("X-Source".to_owned(), "zap\u{1b}run".to_owned())],
            body: Some(Body {
                content_type: "application/json",
                bytes: br#"{"total":19.90,"items":[{"name":"a,\"b{"}],"none":[],"nothing":{ }}"#.to_vec(),
            }),
            idempotency_key: "k".to_owned(),
            chain: 1,
            trace: None,
        };
        insta::assert_snapshot!(request_text(&Request::Http(request), Paint(false)), @r#"
        POST {sheet}/values/sales:append?valueInputOption=R%20W
        idempotency key k
        X-Source: zap\u{1b}run
        content-type: application/json
        {
          "total": 19.90,
          "items": [
            {
              "name": "a,\"b{"
            }
          ],
          "none": [],
          "nothing": {}
        }
        "#);
    }

    #[test]
    fn a_look_up_is_shown_with_its_days() {
        let day = |day| jiff::civil::Date::new(2026, 9, day).unwrap();
        let request = Request::Find(FindRequest {
            connection: "crm".to_owned(),
            endpoint: zaprun_core::trigger::Endpoint::Transactions,
            params: vec![("cardLast4".to_owned(), "1111".to_owned())],
            days: Some((day(14), day(18))),
        });
        insta::assert_snapshot!(request_text(&request, Paint(false)), @r"
        POST {crm}/transactions/query/
        cardLast4: 1111
        startDate: 09/14/2026
        endDate: 09/18/2026
        ");
        let entry = serde_json::to_value(RequestEntry::from(&request)).unwrap();
        assert_eq!(entry["body"], "cardLast4=1111&startDate=09%2F14%2F2026&endDate=09%2F18%2F2026");
    }

    #[test]
    fn a_body_that_is_no_json_stays_as_it_is() {
        assert_eq!(body_text(b"a=1&b=2"), "a=1&b=2");
        assert_eq!(body_text(b"\xff"), "\u{fffd}");
        assert!(body_text(&vec![b'x'; 100_000]).ends_with("100000 bytes in all"));
    }
}
