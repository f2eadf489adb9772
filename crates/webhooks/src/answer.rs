//! What a caller is told.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use std::time::Duration;
use zaprun_engine::intake::NotTaken;

/// A request that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Plain words, without anything of the request's.
    pub(crate) reason: String,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) allow: Option<&'static str>,
    pub(crate) challenge: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Refusal { status, reason: reason.into(), retry_after: None, allow: None, challenge: None }
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Refusal { retry_after: Some(wait), ..self }
    }
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        let reason = why.to_string();
        match why {
            NotTaken::NoSuchPath => Refusal::new(StatusCode::NOT_FOUND, reason),
            NotTaken::Malformed { .. } => Refusal::new(StatusCode::BAD_REQUEST, reason),
            NotTaken::CardData { .. } => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, reason),
            NotTaken::Later { retry_after, .. } => {
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason).after(retry_after)
            }
        }
    }
}

/// The answer to a request; the same whether it came for the first time or again.
pub(crate) fn answer(outcome: &Result<(), Refusal>) -> Response<Full<Bytes>> {
    let (status, body) = match outcome {
        Ok(()) => (StatusCode::ACCEPTED, serde_json::json!({ "accepted": true })),
        // Why a caller is not known is for the operator's eyes.
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            (refusal.status, serde_json::json!({ "error": "not verified" }))
        }
        Err(refusal) => (refusal.status, serde_json::json!({ "error": refusal.reason })),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Err(refusal) = outcome {
        if let Some(wait) = refusal.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(methods) = refusal.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(challenge) = refusal.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    response
}
