//! What a project says of an `http` connection, and what is made of it once.

use crate::client::{ClientError, Clients, PrivateCa};
use crate::exchange::Line;
use crate::oauth2::{Grant, Keeper, OAuth2, OAuth2Problem, Tokens};
use crate::pace::Pace;
use crate::seal::StateKey;
use crate::whither::{UrlError, parse_base};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::definition::{Rate, Secret};
use zaprun_engine::ports::Clock;

/// The header that carries the idempotency key unless a connection says otherwise.
pub const DEFAULT_IDEMPOTENCY_HEADER: &str = "Idempotency-Key";

/// An `http` connection, its variables resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConnection {
    /// Its name.
    pub name: String,
    /// Where its requests go; may hold a secret path, and a query which is kept.
    pub base_url: Secret,
    /// Headers of every request; an action's header of the same name takes precedence.
    pub headers: Vec<(String, Secret)>,
    /// Credentials.
    pub auth: Auth,
    /// The header for the idempotency key; `None`: it is not sent.
    pub idempotency_header: Option<String>,
    /// Whether requests carry the trace of their run.
    pub traces: bool,
    /// How long a request may take, from its turn to the end of the answer.
    pub timeout: Duration,
    /// A private CA, trusted beside the machine's roots.
    pub ca: Option<PrivateCa>,
    /// Rate; `None`: no limit.
    pub rate: Option<Rate>,
    /// Requests in flight at most.
    pub concurrency: usize,
}

/// How a connection shows who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all, or by its secret path.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// `Authorization: Basic …`
    Basic {
        /// User; without a colon.
        username: Secret,
        /// Password.
        password: Secret,
    },
    /// A header of any name.
    Header {
        /// Name.
        name: String,
        /// Value.
        value: Secret,
    },
    /// A query parameter. It stands in the access logs of whoever receives it.
    Query {
        /// Name.
        name: String,
        /// Value.
        value: Secret,
    },
    /// `Authorization: Bearer …` with a token that an authorisation server gives.
    OAuth2 {
        /// How it is asked for.
        by: Box<OAuth2>,
        /// What seals refresh tokens.
        key: Option<StateKey>,
    },
}

/// A connection that cannot work. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("connection `{connection}`: {problem}")]
pub struct ConfigError {
    /// The connection.
    pub connection: String,
    /// What is wrong with it.
    pub problem: ConfigProblem,
}

/// What is wrong with a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// `base_url`.
    #[error("`base_url` {0}")]
    BaseUrl(#[from] UrlError),
    /// A header name with characters that no header name has.
    #[error("`{0}` is no header name")]
    HeaderName(String),
    /// A header that zaprun sets by itself, since it frames the message or names its host.
    #[error("the header `{0}` is set by zaprun itself")]
    ReservedHeader(String),
    /// A header value with a line break or another control character.
    #[error("the value of the header `{0}` holds a line break or another control character")]
    HeaderValue(String),
    /// Basic authentication cannot express a colon in the user.
    #[error("the user of `auth: {{ basic: … }}` holds a colon")]
    BasicUser,
    /// How tokens are asked for.
    #[error("`auth.oauth2`: {0}")]
    OAuth2(#[from] OAuth2Problem),
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Two connections of one name.
    #[error("the name is taken by another connection")]
    Twice,
}

/// Headers that frame the message or belong to one hop: another value would change where a message ends.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A connection, ready to send.
#[derive(Clone)]
pub(crate) struct Ready {
    /// What it was made from.
    made_from: HttpConnection,
    pub(crate) base: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) auth_header: Option<(HeaderName, HeaderValue)>,
    pub(crate) auth_query: Option<(String, Secret)>,
    pub(crate) keeper: Option<Arc<Keeper>>,
    pub(crate) idempotency: Option<HeaderName>,
    pub(crate) traces: bool,
    pub(crate) line: Line,
}

impl Ready {
    /// `before` is the same connection as it was so far, if it was.
    pub(crate) fn new(
        connection: &HttpConnection,
        before: Option<&Ready>,
        clients: &Clients,
        clock: &Arc<dyn Clock>,
        tokens: &Tokens,
    ) -> Result<Self, ConfigProblem> {
        let base = parse_base(connection.base_url.expose())?;
        let same_pace = |before: &&Ready| {
            let was = &before.made_from;
            (was.rate, was.concurrency) == (connection.rate, connection.concurrency)
                && before.base.origin() == base.origin()
        };
        // Whoever has reached its limit has reached it with other credentials too.
        let pace = match before.filter(same_pace) {
            Some(before) => Arc::clone(before.line.pace()),
            None => Arc::new(Pace::new(connection.rate, connection.concurrency)),
        };
        let line = Line::new(clients, &base, connection.timeout, connection.ca.clone(), pace)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &connection.headers {
            let (name, value) = header(name, value.expose())?;
            headers.append(name, value);
        }
        let (auth_header, auth_query) = credentials(&connection.auth, &line, &base)?;
        let idempotency = connection.idempotency_header.as_deref().map(header_name).transpose()?;
        let keeper = keeper(connection, clients, clock, tokens)?;
        let traces = connection.traces;
        let made_from = connection.clone();
        Ok(Ready { made_from, base, headers, auth_header, auth_query, keeper, idempotency, traces, line })
    }

    /// Whether it was made from just this.
    pub(crate) fn is(&self, connection: &HttpConnection) -> bool {
        self.made_from == *connection
    }
}

/// Who asks for the connection's tokens, where it has them: with its CA and its patience, at a pace of their own.
fn keeper(
    connection: &HttpConnection,
    clients: &Clients,
    clock: &Arc<dyn Clock>,
    tokens: &Tokens,
) -> Result<Option<Arc<Keeper>>, ConfigProblem> {
    let Auth::OAuth2 { by, key } = &connection.auth else { return Ok(None) };
    let grant = Grant::new(by)?;
    let pace = Arc::new(Pace::new(None, 1));
    let line = Line::new(clients, &grant.url, connection.timeout, connection.ca.clone(), pace)?;
    let keeper = Keeper::new(&connection.name, grant, line, key.clone(), Arc::clone(clock), tokens)?;
    Ok(Some(Arc::new(keeper)))
}

type Credentials = (Option<(HeaderName, HeaderValue)>, Option<(String, Secret)>);

fn credentials(auth: &Auth, line: &Line, base: &Url) -> Result<Credentials, ConfigProblem> {
    let (name, mut value) = match auth {
        Auth::None | Auth::OAuth2 { .. } => return Ok((None, None)),
        Auth::Query { name, value } => return Ok((None, Some((name.clone(), value.clone())))),
        Auth::Header { name, value } => header(name, value.expose())?,
        Auth::Bearer(token) => header("Authorization", &format!("Bearer {}", token.expose()))?,
        Auth::Basic { username, .. } if username.expose().contains(':') => {
            return Err(ConfigProblem::BasicUser);
        }
        Auth::Basic { username, password } => {
            // The client knows the encoding; a request that is never sent shows it.
            let request = line
                .client()
                .get(base.clone())
                .basic_auth(username.expose(), Some(password.expose()))
                .build();
            let value = request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
            (AUTHORIZATION, value.ok_or_else(|| ConfigProblem::HeaderValue("Authorization".to_owned()))?)
        }
    };
    value.set_sensitive(true);
    Ok((Some((name, value)), None))
}

/// A header that may be set from outside.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ConfigProblem> {
    let parsed = header_name(name)?;
    let value =
        HeaderValue::from_bytes(value.as_bytes()).map_err(|_| ConfigProblem::HeaderValue(name.to_owned()))?;
    Ok((parsed, value))
}

fn header_name(name: &str) -> Result<HeaderName, ConfigProblem> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| ConfigProblem::HeaderName(name.escape_debug().to_string()))?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(ConfigProblem::ReservedHeader(parsed.as_str().to_owned()));
    }
    Ok(parsed)
}
