//! A request as an action rendered it, before the connection adds its base URL and credentials.

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
    /// Idempotency key of the step; sent under the connection's header.
    pub idempotency_key: String,
}
