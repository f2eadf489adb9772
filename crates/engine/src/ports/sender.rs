//! Sending what an action rendered.

use async_trait::async_trait;
use bytes::Bytes;
use std::any::Any;
use std::time::Duration;
use zaprun_core::request::HttpRequest;

/// Sends requests of `http` actions. Adds the connection's base URL and credentials, keeps its rate and concurrency,
/// follows no redirect with credentials to another host, and retries nothing.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Waits until rate and concurrency let this request go. Dropping the future, or the turn, gives the place back.
    async fn turn(&self, request: &HttpRequest) -> Turn;

    /// Sends once, without further waiting, in a turn that was got from this sender for this request.
    async fn send_in_turn(&self, request: &HttpRequest, turn: Turn) -> SendOutcome;

    /// Waits for a turn and sends once.
    async fn send(&self, request: &HttpRequest) -> SendOutcome {
        let turn = self.turn(request).await;
        self.send_in_turn(request, turn).await
    }
}

/// Leave to send one request now. Dropping it gives the place to the next.
#[must_use = "the place is given back as soon as this is dropped"]
pub struct Turn {
    /// What the sender wants kept meanwhile.
    _held: Option<Box<dyn Any + Send + Sync>>,
}

impl Turn {
    /// A turn that keeps `held` until it is over.
    pub fn holding(held: impl Any + Send + Sync) -> Turn {
        Turn { _held: Some(Box::new(held)) }
    }

    /// A turn that nothing had to be waited for.
    pub fn free() -> Turn {
        Turn { _held: None }
    }
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
    /// Nothing was sent: whoever gives the connection's access tokens refuses it.
    Unauthorised {
        /// Plain words without secrets, and what to do.
        reason: String,
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
