//! Bytes on the connection: pages, waits, and connections that end too early.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use futures::stream;

use crate::control::Control;

/// A small HTML answer.
pub(crate) fn html(status: StatusCode, page: impl Into<Body>) -> Response<Body> {
    typed(status, "text/html; charset=UTF-8", page)
}

/// An answer of this content type.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Closes the connection without an answer: the body fails before the head has left.
pub(crate) fn closed() -> Response<Body> {
    let nothing: [Result<Bytes, io::Error>; 1] = [Err(io::ErrorKind::ConnectionReset.into())];
    Response::new(Body::from_stream(stream::iter(nothing)))
}

/// A body whose connection ends after its first half.
pub(crate) fn cut_in_the_middle(bytes: Vec<u8>) -> Body {
    let half = bytes.len() / 2;
    let first = Bytes::from(bytes).slice(..half);
    let chunks = stream::unfold(Some(first), |first| async move {
        match first {
            Some(chunk) => Some((Ok(chunk), None)),
            None => {
                // Lets the first half leave before the connection breaks.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    Body::from_stream(chunks)
}

/// Waits; `false` if the sandbox stops before the time is over.
pub(crate) async fn wait(control: &Control, time: Duration) -> bool {
    if time.is_zero() {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = control.stopping() => false,
    }
}
