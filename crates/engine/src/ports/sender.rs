//! Sending what an action rendered.

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use zaprun_core::request::HttpRequest;

/// Sends requests of `http` actions. Adds the connection's base URL and credentials, keeps its rate and concurrency,
/// follows no redirect with credentials to another host, and retries nothing.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends once.
    async fn send(&self, request: &HttpRequest) -> SendOutcome;
}

/// What became of one attempt.
#[derive(Debug, Clone)]
pub enum SendOutcome {
    /// An answer came, at least its head.
    Reply(Reply),
    /// Nothing can have reached the target: DNS, connect or TLS failed, or the request could not be built.
    NotSent {
        /// Plain words without secrets.
        reason: String,
        /// Whether another try may help.
        retryable: bool,
    },
    /// The first byte may have left and no answer came: cut or timed out.
    Unknown {
        /// Plain words without secrets.
        reason: String,
    },
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers with lowercase names, in the order received.
    pub headers: Vec<(String, String)>,
    /// Body up to 1 MiB.
    pub body: Bytes,
    /// The body is longer than was kept.
    pub truncated: bool,
    /// The line was cut, or the time was up, before the body's end.
    pub cut: bool,
    /// `Retry-After`, seconds or date, as a duration from the receipt.
    pub retry_after: Option<Duration>,
}
