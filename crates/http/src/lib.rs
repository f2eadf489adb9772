//! HTTP: the only place that builds a client, the pace of a connection, and the sender of `http` actions.
//!
//! What this crate promises to everyone who sends through it:
//!
//! - TLS is verified against the machine's own roots, with a private CA beside them where a connection names one.
//! - No error text holds a URL, a header value or a credential: a base URL may end in a secret path.
//! - A request is sent once. The client itself sends again only what it can prove never left (a pooled connection
//!   that turned out to be closed, a stream that an HTTP/2 server refused unread).
//! - No redirect leads to another origin, and none is followed for a method that writes.
//! - The system's proxy settings (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) hold, except for loopback addresses and for
//!   hosts that a template yields: there the address must be checked here, which a proxy would hide.

mod client;
mod connection;
mod exchange;
mod guard;
mod oauth2;
mod pace;
mod reason;
mod seal;
mod sender;
mod when;
mod whither;

pub use client::{ClientError, Clients, PrivateCa, USER_AGENT};
pub use connection::{Auth, ConfigError, ConfigProblem, DEFAULT_IDEMPOTENCY_HEADER, HttpConnection};
pub use exchange::{Answer, End, Failure, Line};
pub use oauth2::{Denied, Flow, Hide, Lasts, OAuth2, OAuth2Problem, Tokens};
pub use pace::{Pace, Turn, Waited};
pub use reason::{duration_text, tls_words};
pub use seal::{NoKey, SealError, StateKey};
pub use sender::{BODY_LIMIT, HttpSender};
pub use when::{date, retry_after};
pub use whither::{PathError, UrlError, append_query, join, parse_base};
pub use zaprun_core::definition::{Rate, Secret};

/// What a caller needs to build a request for a [`Line`].
pub mod request {
    pub use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
    pub use reqwest::{Method, Request, Url};
}
