//! Reading the CRM.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use zaprun_core::trigger::{Narrowing, Query};

/// One connection to the CRM, for reading. Pacing and the connection's limits are the adapter's.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Reads one page. An empty result is a page without rows, not an error (contract §1.4 class 1).
    ///
    /// # Errors
    /// See [`ReadError`]; nothing is retried in here.
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError>;

    /// The same where nobody waits for it: it gets a small share of a busy connection, so that it delays nothing else.
    ///
    /// # Errors
    /// As [`Crm::page`].
    async fn page_at_leisure(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.page(request).await
    }
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The query, without narrowing.
    pub query: Query,
    /// What narrows this walk.
    pub narrowing: Narrowing,
    /// Whole days in the account's zone; `None` only where the query names an id.
    pub window: Option<DayWindow>,
    /// From 1.
    pub page: u32,
    /// At most 200 (contract §1.5).
    pub per_page: u32,
    /// Oldest `dateCreated` first.
    pub ascending: bool,
}

/// Whole days, both ends included (contract §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
}

/// One page of rows.
#[derive(Debug, Clone)]
pub struct Page {
    /// `totalResults` as the CRM said; the number of rows where it said nothing.
    pub total: u64,
    /// Each row, byte for byte as received.
    pub rows: Vec<Bytes>,
    /// The server's `Date` header.
    pub server_time: Option<Timestamp>,
}

/// Why a read gave no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The CRM does not know the login or password. Never retried at once: it may lock the user (contract §1.2).
    #[error("the CRM refused the credentials: {text}")]
    Credentials {
        /// The vendor's words.
        text: String,
    },
    /// The caller's address is not on the API user's whitelist.
    #[error("the CRM does not accept this machine's address{}", .address.as_ref().map(|a| format!(" {a}")).unwrap_or_default())]
    Whitelist {
        /// The address the CRM saw.
        address: Option<String>,
        /// The vendor's words.
        text: String,
    },
    /// The API user may not use this endpoint.
    #[error("the API user may not use this endpoint: {text}")]
    Permission {
        /// The vendor's words.
        text: String,
    },
    /// Connect error, timeout, cut line, a status that is not 200, HTML, truncated JSON, no envelope, bare ERROR.
    #[error("{text}")]
    Transport {
        /// What happened, in plain words and without secrets.
        text: String,
        /// How long the server asked to wait.
        retry_after: Option<std::time::Duration>,
    },
    /// The CRM said ERROR with a text that is not known (contract §1.4 class 5).
    #[error("the CRM answered: {text}")]
    Vendor {
        /// The vendor's words.
        text: String,
    },
    /// A look-up finds more rows than are read for one.
    #[error("more than {most} rows match; narrow it by an id, a status or fewer days")]
    TooMany {
        /// Rows that are read at most.
        most: usize,
    },
}

impl ReadError {
    /// Whether the connection itself is at fault, so that nothing on it can work until a person acts.
    pub fn stops_connection(&self) -> bool {
        matches!(self, ReadError::Credentials { .. } | ReadError::Whitelist { .. })
    }
}
