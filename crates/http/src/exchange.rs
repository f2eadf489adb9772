//! One request, one answer, within a time and a size.

use crate::client::{ClientError, Clients, PrivateCa, connect_timeout};
use crate::pace::{Pace, Turn, Waited};
use crate::reason::{duration_text, no_answer, no_connection};
use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Room reserved for a body on the word of its `Content-Length`.
const RESERVED: usize = 1024 * 1024;

/// The way to one target: a client, the connection's pace, and the time a request may take.
#[derive(Clone)]
pub struct Line {
    client: Client,
    pace: Arc<Pace>,
    timeout: Duration,
}

/// An answer, at least its head.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: Bytes,
    /// How the body ended.
    pub end: End,
}

/// How a body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Where it should.
    Whole,
    /// It is longer than the limit; the rest was not read.
    Truncated,
    /// The line was cut or the time was up; in plain words.
    Cut(String),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing can have reached the target.
    #[error("{reason}")]
    NotSent {
        /// Plain words without secrets.
        reason: String,
        /// Whether another try may help.
        retryable: bool,
    },
    /// The request may have left.
    #[error("{reason}")]
    Unknown {
        /// Plain words without secrets.
        reason: String,
    },
}

impl Line {
    /// The way to a target that the author named.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn new(
        clients: &Clients,
        target: &Url,
        timeout: Duration,
        ca: Option<PrivateCa>,
        pace: Arc<Pace>,
    ) -> Result<Self, ClientError> {
        Ok(Line { client: clients.named(target, timeout, ca)?, pace, timeout })
    }

    pub(crate) fn with_client(client: Client, timeout: Duration, pace: Arc<Pace>) -> Self {
        Line { client, pace, timeout }
    }

    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// How long requests have waited for their turn so far.
    pub fn waited(&self) -> Waited {
        self.pace.waited()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The time a request may take, from its turn to the end of its body.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Waits for its turn, sends, and reads at most `limit` bytes of the body. The turn is over with the answer.
    ///
    /// # Errors
    /// [`Failure`]. Once the head of an answer came there is none: a cut body is an [`End::Cut`].
    pub async fn exchange(&self, request: Request, limit: usize) -> Result<Answer, Failure> {
        let _turn = self.pace.turn().await;
        self.exchange_in_turn(request, limit).await
    }

    /// Waits until rate and concurrency let a request go.
    pub async fn turn(&self) -> Turn {
        self.pace.turn().await
    }

    /// As [`Line::exchange`], in a turn of its pace that the caller holds.
    ///
    /// # Errors
    /// As [`Line::exchange`].
    pub async fn exchange_in_turn(&self, request: Request, limit: usize) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.timeout;
        let response = match timeout_at(deadline, self.client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failure(&error)),
            Err(_) => {
                return Err(Failure::Unknown {
                    reason: format!("no answer within {}", duration_text(self.timeout)),
                });
            }
        };
        Ok(self.read(response, limit, deadline).await)
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        if error.is_builder() || error.is_redirect() {
            return Failure::NotSent { reason: "the request cannot be built".to_owned(), retryable: false };
        }
        if error.is_connect() {
            let (reason, retryable) = no_connection(error, connect_timeout(self.timeout));
            return Failure::NotSent { reason, retryable };
        }
        Failure::Unknown { reason: no_answer(error) }
    }

    async fn read(&self, mut response: Response, limit: usize, deadline: Instant) -> Answer {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let announced =
            response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = BytesMut::with_capacity(announced.min(limit).min(RESERVED));
        let end = loop {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    let room = limit.saturating_sub(body.len());
                    if chunk.len() > room {
                        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                        break End::Truncated;
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) => break End::Whole,
                Ok(Err(error)) => break End::Cut(no_answer(&error)),
                Err(_) => {
                    break End::Cut(format!("the answer did not end within {}", duration_text(self.timeout)));
                }
            }
        };
        Answer { status, headers, body: body.freeze(), end }
    }
}
