//! A request as an action rendered it, before the connection adds its base URL and credentials.

use uuid::Uuid;

use std::time::Duration;

use jiff::civil::Date;

use crate::crm::{self, Repeat};
use crate::trigger::Endpoint;

/// HTTP method of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// As written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether a repeat after an unknown outcome is safe by the method's meaning.
    pub fn repeats_safely(self) -> bool {
        matches!(self, Method::Get | Method::Put | Method::Delete)
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To an http connection: appended to the path of its `base_url` with exactly one `/`.
    Connection {
        /// The connection's name.
        name: String,
        /// Percent-encoded path; empty where the action has none.
        path: String,
    },
    /// To where an answer of an http connection said that it goes on: an address relative to that of the request
    /// before. Refused unless scheme, host and port are the connection's own.
    Linked {
        /// The connection's name.
        name: String,
        /// The path of the first request.
        path: String,
        /// The address as the answer gave it.
        link: String,
    },
    /// To a whole URL, percent-encoded, with literal scheme and host unless `allow_hosts` permits more.
    Url {
        /// The URL.
        url: String,
        /// Patterns of hosts that a template may yield; empty: the host is literal.
        allow_hosts: Vec<String>,
    },
}

/// A body and its `Content-Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The content type, unless the action's headers name one.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A rendered request. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Where to.
    pub destination: Destination,
    /// Query pairs, decoded; they follow those of the base URL.
    pub query: Vec<(String, String)>,
    /// Headers by the names the author wrote; values hold no line break.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Body>,
    /// Idempotency key of the step; sent under the connection's header. Empty: it is a read that needs none.
    pub idempotency_key: String,
    /// How many of zaprun's own writes led to this one, itself included; sent as [`CHAIN_HEADER`], so that a webhook
    /// that it comes back through knows.
    pub chain: u32,
    /// The trace of its run, the same for each of its requests; sent as [`TRACE_HEADER`]. A poll has none.
    pub trace: Option<Uuid>,
}

/// Carries the trace that a request belongs to, as W3C Trace Context writes it.
pub const TRACE_HEADER: &str = "traceparent";

/// Tells how many of zaprun's own writes led to a request.
pub const CHAIN_HEADER: &str = "zaprun-chain";

/// What a step asks of the world. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Any HTTP API.
    Http(HttpRequest),
    /// A write to the CRM.
    Crm(CrmRequest),
    /// A look-up in the CRM.
    Find(FindRequest),
}

impl Request {
    /// The HTTP request, where it is one.
    pub fn http(&self) -> Option<&HttpRequest> {
        match self {
            Request::Http(request) => Some(request),
            Request::Crm(_) | Request::Find(_) => None,
        }
    }
}

/// A write to the CRM: parameters by the vendor's names, checked and converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRequest {
    /// The connection's name.
    pub connection: String,
    /// Where to.
    pub endpoint: &'static crm::Endpoint,
    /// Parameters in the order they were written, without credentials.
    pub params: Vec<(String, String)>,
    /// The step's idempotency key, which the CRM does not know of: for the record, and for `correlate_in`.
    pub idempotency_key: String,
    /// The parameter that carries the key, so that the write can be found again: `custom5`.
    pub correlate_in: Option<String>,
    /// How long after an unknown outcome a look may conclude that nothing happened, where money is at stake.
    pub settle_after: Duration,
    /// What may follow an unknown outcome, by the endpoint and what is asked of it: a cancellation that gives money
    /// back is never repeated without proof.
    pub repeat: Repeat,
    /// While a write has one of these, no other that has it may begin: sales of one buyer ([`crm::serial`]).
    pub serials: Vec<String>,
    /// The lead that is imported first, whose `orderId` then joins the parameters.
    pub lead: Option<Box<CrmRequest>>,
}

impl CrmRequest {
    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A look-up in the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindRequest {
    /// The connection's name.
    pub connection: String,
    /// Where.
    pub endpoint: Endpoint,
    /// Filters by the vendor's names.
    pub params: Vec<(String, String)>,
    /// Whole days, both included, in the account's zone; `None` where an id is given.
    pub days: Option<(Date, Date)>,
}
