//! The recording sink: keeps what arrives, answers, and counts repeats.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{HeaderMap, RETRY_AFTER};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::control::Control;
use crate::faults::SinkFault;
use crate::{page, wire};

/// Largest request body the sink reads.
const LARGEST_BODY: usize = 16 << 20;

/// Bodies kept in all, beside the bound on their number.
const KEPT_BYTES: usize = 256 << 20;

/// Distinct keys and bodies that are counted; beyond it repeats go unseen.
const MOST_DISTINCT: usize = 1_000_000;

/// The header whose value makes two requests the same one.
const KEY_HEADER: &str = "idempotency-key";

/// Headers whose values are not shown.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// A request as the sink received it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Received {
    /// Counts from 1.
    pub number: u64,
    /// When it came, by the sandbox's clock.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The path from `/sink` on.
    pub path: String,
    /// The query string, without the question mark.
    pub query: String,
    /// Headers in order, names in lower case, values as text.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Bytes,
    /// The status of the answer; none if the sink gave none.
    pub status: Option<u16>,
    /// Whether an earlier request of the same `Idempotency-Key` had been taken: answered 2xx, or not at all.
    pub duplicate: bool,
}

impl Received {
    /// The first value of a header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The `Idempotency-Key`.
    pub fn key(&self) -> Option<&str> {
        self.header(KEY_HEADER)
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Headers with the values of secret ones masked.
    pub fn shown_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| {
            let secret = SECRET_HEADERS.contains(&name.as_str());
            (name.as_str(), if secret { "***" } else { value.as_str() })
        })
    }

    /// Whether a sender must take it as possibly carried out.
    fn taken(&self) -> bool {
        self.status.is_none_or(|status| (200..300).contains(&status))
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Received")
            .field("number", &self.number)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("key", &self.key())
            .field("body_bytes", &self.body.len())
            .field("status", &self.status)
            .field("duplicate", &self.duplicate)
            .finish_non_exhaustive()
    }
}

/// Counts over all that the sink received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkSummary {
    /// Requests.
    pub received: u64,
    /// Requests answered 2xx.
    pub accepted: u64,
    /// Different `Idempotency-Key`s.
    pub distinct_keys: u64,
    /// Requests whose key had been taken before, see [`Received::duplicate`].
    pub duplicates: u64,
    /// Requests whose key had been seen before, taken or not; retries count here.
    pub repeats: u64,
    /// Requests whose JSON body, whatever its order of keys, had been taken before on the same path.
    pub same_bodies: u64,
}

/// All that the sink remembers.
#[derive(Debug)]
pub(crate) struct SinkLog {
    most: usize,
    bytes: usize,
    records: VecDeque<Received>,
    counts: SinkSummary,
    /// Key to whether it was taken.
    keys: HashMap<u64, bool>,
    bodies: HashMap<u64, bool>,
}

impl SinkLog {
    pub(crate) fn new(most: usize) -> SinkLog {
        SinkLog {
            most,
            bytes: 0,
            records: VecDeque::new(),
            counts: SinkSummary::default(),
            keys: HashMap::new(),
            bodies: HashMap::new(),
        }
    }

    /// Keeps a request and gives the count so far.
    pub(crate) fn add(&mut self, mut received: Received) -> u64 {
        self.counts.received += 1;
        received.number = self.counts.received;
        let taken = received.taken();
        self.counts.accepted += u64::from(received.status.is_some() && taken);
        if let Some(key) = received.key().map(hash) {
            let seen = see(&mut self.keys, key, taken);
            self.counts.distinct_keys += u64::from(seen.is_none());
            self.counts.repeats += u64::from(seen.is_some());
            received.duplicate = seen == Some(true);
            self.counts.duplicates += u64::from(received.duplicate);
        }
        if let Some(body) = received.json() {
            let same = hash((received.path.as_str(), sorted(&body).to_string()));
            self.counts.same_bodies += u64::from(see(&mut self.bodies, same, taken) == Some(true));
        }
        self.bytes += received.body.len();
        self.records.push_back(received);
        while self.records.len() > self.most || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.body.len();
        }
        self.counts.received
    }

    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = &Received> {
        self.records.iter()
    }

    pub(crate) fn summary(&self) -> SinkSummary {
        self.counts
    }

    pub(crate) fn clear(&mut self) {
        *self = SinkLog::new(self.most);
    }
}

/// Notes a key; whether it had been taken before, none if it was never seen.
fn see(seen: &mut HashMap<u64, bool>, key: u64, taken: bool) -> Option<bool> {
    let before = seen.get(&key).copied();
    if before.is_some() || seen.len() < MOST_DISTINCT {
        seen.insert(key, taken || before == Some(true));
    }
    before
}

fn hash(value: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The same value with all keys in order. The parser bounds the depth.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(members) => members.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        other => other.clone(),
    }
}

/// Serves one request below `/sink`.
pub(crate) async fn serve(control: Control, request: Request) -> Response<Body> {
    // What carries a key is a sender's request, whatever its method: it is recorded, and never clears the list.
    let for_people =
        matches!(request.uri().path(), "/sink" | "/sink/") && !request.headers().contains_key(KEY_HEADER);
    match *request.method() {
        Method::GET | Method::HEAD if for_people => {
            return show(&control, request.uri().query().unwrap_or_default());
        }
        Method::DELETE if for_people => {
            control.clear_sink();
            return wire::typed(StatusCode::OK, "application/json", r#"{"ok":true}"#);
        }
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return wire::typed(StatusCode::PAYLOAD_TOO_LARGE, "application/json", r#"{"ok":false}"#);
    };
    let path = parts.uri.path().to_owned();
    let struck = control.strike_sink(&path);
    control.record(Received {
        number: 0,
        at: control.now(),
        method: parts.method.to_string(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: texts(&parts.headers),
        body,
        status: status(&struck),
        duplicate: false,
    });
    answer(&control, &struck).await
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The status that the answer will have.
fn status(struck: &[SinkFault]) -> Option<u16> {
    let first = struck.iter().find(|fault| !matches!(fault, SinkFault::Slow(_)));
    match first {
        None | Some(SinkFault::Garbage | SinkFault::Slow(_)) => Some(200),
        Some(SinkFault::Status(status)) => Some(*status),
        Some(SinkFault::TooMany(_)) => Some(429),
        Some(SinkFault::Hang | SinkFault::Cut) => None,
    }
}

async fn answer(control: &Control, struck: &[SinkFault]) -> Response<Body> {
    let slow =
        struck.iter().map(|fault| if let SinkFault::Slow(wait) = fault { *wait } else { Duration::ZERO });
    if !wire::wait(control, slow.sum()).await {
        return wire::closed();
    }
    let json = |status, body| wire::typed(status, "application/json", body);
    match struck.iter().find(|fault| !matches!(fault, SinkFault::Slow(_))) {
        None | Some(SinkFault::Slow(_)) => json(StatusCode::OK, r#"{"ok":true}"#),
        Some(SinkFault::Status(status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json(status, if status.is_success() { r#"{"ok":true}"# } else { r#"{"ok":false}"# })
        }
        Some(SinkFault::TooMany(wait)) => {
            let mut response = json(StatusCode::TOO_MANY_REQUESTS, r#"{"ok":false}"#);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
            response
        }
        Some(SinkFault::Garbage) => {
            wire::typed(StatusCode::OK, "application/json", &b"\x00\xff\xfe<<{\"ok\":tru\x9f"[..])
        }
        Some(SinkFault::Hang) => {
            control.stopping().await;
            wire::closed()
        }
        Some(SinkFault::Cut) => wire::closed(),
    }
}

/// The page for people, or JSON with `?format=json`.
fn show(control: &Control, query: &str) -> Response<Body> {
    let asked = |name: &str, wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == name && value == wanted)
    };
    let (records, summary) = (control.received(), control.sink_summary());
    if asked("format", "json") {
        return wire::typed(StatusCode::OK, "application/json", listing(&records, summary).to_string());
    }
    let refresh = !asked("refresh", "off");
    let mut response = wire::html(StatusCode::OK, page::render(&records, summary, refresh));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response.headers_mut().insert("content-security-policy", policy);
    response
}

fn listing(records: &[Received], summary: SinkSummary) -> Value {
    let record = |received: &Received| {
        let headers = received.shown_headers().map(|(name, value)| json!([name, value]));
        json!({
            "number": received.number,
            "at": received.at.to_string(),
            "method": received.method,
            "path": received.path,
            "query": received.query,
            "headers": headers.collect::<Vec<Value>>(),
            "key": received.key(),
            "json": received.json(),
            "body": String::from_utf8_lossy(&received.body),
            "status": received.status,
            "duplicate": received.duplicate,
        })
    };
    json!({
        "received": summary.received,
        "accepted": summary.accepted,
        "distinct_keys": summary.distinct_keys,
        "duplicates": summary.duplicates,
        "repeats": summary.repeats,
        "same_bodies": summary.same_bodies,
        "records": records.iter().map(record).collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, body: &'static str, status: Option<u16>) -> Received {
        Received {
            number: 0,
            at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: "/sink".to_owned(),
            query: String::new(),
            headers: vec![
                (KEY_HEADER.to_owned(), key.to_owned()),
                ("authorization".to_owned(), "Bearer s3".to_owned()),
            ],
            body: Bytes::from_static(body.as_bytes()),
            status,
            duplicate: false,
        }
    }

    #[test]
    fn a_retry_after_a_refusal_is_no_duplicate() {
        let mut log = SinkLog::new(10);
        log.add(request("a", "{}", Some(500)));
        log.add(request("a", "{}", Some(200)));
        assert_eq!((log.summary().repeats, log.summary().duplicates), (1, 0));
        log.add(request("a", "{}", Some(200)));
        log.add(request("b", "{}", None));
        log.add(request("b", "{}", Some(200)));
        let counts = log.summary();
        assert_eq!((counts.received, counts.accepted, counts.distinct_keys), (5, 3, 2));
        assert_eq!((counts.repeats, counts.duplicates, counts.same_bodies), (3, 2, 3));
    }

    #[test]
    fn memory_is_bounded_and_counts_go_on() {
        let mut log = SinkLog::new(2);
        for _ in 0..5 {
            log.add(request("a", r#"{"x":1,"y":2}"#, Some(200)));
        }
        assert_eq!(log.records().map(|record| record.number).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(log.summary().received, 5);
        log.add(request("b", r#"{"y":2,"x":1}"#, Some(200)));
        assert_eq!(log.summary().same_bodies, 5);
        log.clear();
        assert_eq!(log.summary(), SinkSummary::default());
    }

    #[test]
    fn secrets_of_headers_are_not_shown() {
        let received = request("a", "{}", Some(200));
        assert!(!format!("{received:?}").contains("s3"));
        assert!(!listing(&[received], SinkSummary::default()).to_string().contains("s3"));
    }
}
