//! Writing to the CRM, and looking at what became of a write.

use super::{ReadError, Turn, ZapId};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use zaprun_core::request::{CrmRequest, FindRequest};

/// One connection to the CRM, for writing. Pacing and the connection's limits are the adapter's; it retries nothing.
#[async_trait]
pub trait CrmWriter: Send + Sync {
    /// Waits until rate and concurrency let a request go. Dropping the future, or the turn, gives the place back.
    async fn turn(&self) -> Turn;

    /// The same for a run of this zap: on a busy connection zaps take turns.
    async fn turn_for(&self, _zap: ZapId) -> Turn {
        self.turn().await
    }

    /// Sends a write once, in a turn that was got from this writer.
    async fn write_in_turn(&self, request: &CrmRequest, turn: Turn) -> WriteOutcome;

    /// Looks at what the CRM shows of what the request is about. `before` is the [`Sight::state`] of a look that was
    /// made before the request was sent; without it, this is that look.
    ///
    /// # Errors
    /// See [`ReadError`]; nothing is retried in here.
    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Result<Sight, ReadError>;

    /// The same for a run of this zap.
    ///
    /// # Errors
    /// As [`CrmWriter::look`].
    async fn look_for(
        &self,
        _zap: ZapId,
        request: &CrmRequest,
        before: Option<&str>,
    ) -> Result<Sight, ReadError> {
        self.look(request, before).await
    }

    /// Reads all rows that a look-up finds, byte for byte.
    ///
    /// # Errors
    /// See [`ReadError`]; nothing is retried in here.
    async fn find(&self, request: &FindRequest) -> Result<Vec<Bytes>, ReadError>;

    /// The same for a run of this zap.
    ///
    /// # Errors
    /// As [`CrmWriter::find`].
    async fn find_for(&self, _zap: ZapId, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        self.find(request).await
    }
}

/// What the CRM shows of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// What was seen, in a text that is the same as long as nothing that matters here has changed. It is kept with the
    /// run; it holds ids and states, no personal data.
    pub state: String,
    /// What it means.
    pub seen: Seen,
    /// Serials of what it turned out to be about, which the request may not name ([`zaprun_core::crm::serial`]). Where
    /// they are not held yet, the look proves nothing.
    pub serials: Vec<String>,
}

/// What a look came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The write happened.
    Happened {
        /// The answer as later steps see it, JSON `{result, message, orderId?, …}`, as far as the look can tell.
        response: Bytes,
    },
    /// The CRM turned it down. Before sending: it must not be sent.
    Refused {
        /// Plain words.
        reason: String,
    },
    /// Nothing of it is there.
    NotHappened,
    /// A look cannot tell.
    Unclear {
        /// Why, in plain words.
        reason: String,
    },
}

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The CRM answered, and it was done.
    Done(CrmReply),
    /// The CRM answered, and it was not done: a validation map, an error's text, a decline, a redirect. Another try
    /// gives the same.
    Refused {
        /// Which of them.
        class: Refusal,
        /// The vendor's words, masked.
        reason: String,
        /// The answer.
        reply: CrmReply,
    },
    /// The CRM refuses the caller: nothing was done, and nothing will be until a person acts.
    Stopped(ReadError),
    /// Nothing can have reached the CRM, or it said that it has done nothing and to come later.
    NotSent {
        /// Plain words without secrets.
        reason: String,
        /// Whether another try may help.
        retryable: bool,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
    },
    /// Cut, timed out, 5xx, HTML, no envelope, a bare ERROR: it may have happened.
    Unknown {
        /// Plain words without secrets.
        reason: String,
        /// How long the server asked to wait.
        retry_after: Option<Duration>,
    },
}

/// Why the CRM did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A field is not valid.
    Validation,
    /// The gateway declined.
    Declined,
    /// The buyer must be sent elsewhere first: `MERC_REDIRECT`.
    Redirect,
    /// Any other error.
    Error,
}

/// An answer of the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmReply {
    /// As later steps see it: JSON `{result, message, orderId?, customerId?, …}`, without secrets.
    pub response: Bytes,
    /// As received, for people.
    pub body: Bytes,
}
