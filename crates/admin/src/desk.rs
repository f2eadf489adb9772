//! Who may ask what.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::json;
use std::net::IpAddr;
use zaprun_core::definition::Secret;

use crate::ready::{Check, Ready};

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// What callers show; any of them. Empty: nothing is asked for.
    pub tokens: Vec<Secret>,
    /// Host names under which the server is called, beside addresses and `localhost`.
    pub hosts: Vec<String>,
}

/// Answers requests.
pub(crate) struct Desk {
    tokens: Vec<blake3::Hash>,
    hosts: Vec<String>,
    ready: Ready,
}

/// What a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Everything.
    Known,
    /// Whether the program lives and is ready, without a word more: what probes need, which can keep no secret.
    Stranger,
}

impl Desk {
    pub(crate) fn new(door: &Door, ready: Ready) -> Desk {
        let tokens = door.tokens.iter().map(|token| blake3::hash(token.expose().as_bytes())).collect();
        let hosts = door.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Desk { tokens, hosts, ready }
    }

    pub(crate) async fn serve<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let headers = request.headers();
        if !self.knows_host(request) {
            return text(
                StatusCode::MISDIRECTED_REQUEST,
                "this host name is not one of `listen.admin.hosts`\n",
            );
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let Some(caller) = self.caller(headers) else { return unauthorised() };
        match (request.uri().path(), caller) {
            ("/livez", _) => text(StatusCode::OK, "ok\n"),
            ("/readyz", caller) => {
                let checks = self.ready.checks().await;
                readiness(&checks, caller, wants_json(headers))
            }
            ("/metrics", Caller::Known) => {
                let mut answer = text(StatusCode::OK, self.ready.metrics().await);
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                answer.headers_mut().insert(CONTENT_TYPE, kind);
                answer
            }
            ("/", Caller::Known) => text(StatusCode::OK, "/livez\n/readyz\n/metrics\n"),
            (_, Caller::Stranger) => unauthorised(),
            (_, Caller::Known) => text(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n"),
        }
    }

    /// `None`: what it shows is no token of ours.
    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        if self.tokens.is_empty() {
            return Some(Caller::Known);
        }
        let Some(shown) = headers.get(AUTHORIZATION) else { return Some(Caller::Stranger) };
        let (scheme, token) = shown.to_str().ok()?.split_once(' ')?;
        let hash = blake3::hash(token.trim().as_bytes());
        // Hashes are compared in constant time, and all of them are.
        let known = self.tokens.iter().fold(false, |known, token| known | (*token == hash));
        (known && scheme.eq_ignore_ascii_case("bearer")).then_some(Caller::Known)
    }

    /// A page in a browser can let its own host name stand for this address (DNS rebinding), and reads what it gets
    /// then; under an address it cannot.
    fn knows_host<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        let Some(named) = named.filter(|named| !named.as_str().contains('@')) else { return false };
        // A whole address in the request line counts before the header.
        let host = request.uri().host().unwrap_or(named.host()).to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || host == "localhost" || self.hosts.contains(&host)
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("application/json")
}

fn readiness(checks: &[Check], caller: Caller, as_json: bool) -> Response<Full<Bytes>> {
    let ready = checks.iter().all(|check| check.problem.is_none());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not ready" };
    let told = if caller == Caller::Known { checks } else { &[] };
    if as_json {
        let mut answer = text(status, format!("{}\n", json!({ "ready": ready, "checks": told })));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return answer;
    }
    let mut lines = format!("{word}\n");
    for Check { name, problem } in told {
        let line =
            problem.as_ref().map_or_else(|| format!("ok {name}\n"), |why| format!("not ok {name}: {why}\n"));
        lines.push_str(&line);
    }
    text(status, lines)
}

fn unauthorised() -> Response<Full<Bytes>> {
    let mut answer = text(StatusCode::UNAUTHORIZED, "show the token: Authorization: Bearer …\n");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"zaprun\""));
    answer
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests;
