//! Sends what an `http` action rendered.

use crate::client::{ClientError, Clients};
use crate::connection::{
    ConfigError, ConfigProblem, DEFAULT_IDEMPOTENCY_HEADER, HttpConnection, Ready, header,
};
use crate::exchange::{Answer, End, Failure, Line};
use crate::gate::Ticket;
use crate::guard::AllowedHosts;
use crate::oauth2::{Denied, Keeper, Lasts, Tokens};
use crate::pace::{Pace, Waited};
use crate::when::retry_after;
use crate::whither::{append_query, join, parse_base};
use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Request, Url};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use zaprun_core::definition::Secret;
use zaprun_core::request::{CHAIN_HEADER, Destination, HttpRequest, Method, TRACE_HEADER};
use zaprun_engine::ports::{Clock, Reply, SendOutcome, Sender, Turn, ZapId};

/// Bytes of an answer's body that are kept; what is behind them is not read.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Redirects followed for one GET.
const REDIRECTS: usize = 5;

/// For actions with a whole URL: requests in flight per host, and the time one may take.
const HOST_CONCURRENCY: usize = 8;
const HOST_TIMEOUT: Duration = Duration::from_secs(30);

/// Paces of hosts kept before idle ones are let go: a template may yield a new host with every record.
const HOSTS_KEPT: usize = 1024;

/// Sends the requests of `http` actions, each through its connection, or by its host where it names none.
///
/// Redirects: only a GET follows them, and only within scheme, host and port; the connection's credentials go along, as
/// the target is the same. Any other redirect is handed back as the answer it is. For a method that writes, following
/// would either repeat the write or turn it into a read, and the run would look delivered.
pub struct HttpSender {
    connections: HashMap<String, Ready>,
    clients: Clients,
    hosts: Arc<Mutex<HashMap<String, Arc<Pace>>>>,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
}

/// A request with everything it needs to go out.
struct Prepared {
    method: reqwest::Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    auth_query: Option<(String, Secret)>,
    keeper: Option<Arc<Keeper>>,
    line: Line,
}

/// Why a prepared request has no answer.
enum Undelivered {
    Line(Failure),
    Denied(Denied),
}

impl From<Failure> for Undelivered {
    fn from(failure: Failure) -> Self {
        Undelivered::Line(failure)
    }
}

impl From<Denied> for Undelivered {
    fn from(denied: Denied) -> Self {
        Undelivered::Denied(denied)
    }
}

impl HttpSender {
    /// A sender for these connections. `clock` serves only for a `Retry-After` date from a server that does not tell
    /// its own time.
    ///
    /// # Errors
    /// [`ConfigError`] for the first connection that cannot work. Nothing is sent to find out.
    pub fn new(
        connections: &[HttpConnection],
        clients: &Clients,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        Self::with_tokens(connections, clients, clock, &Tokens::default())
    }

    /// As [`HttpSender::new`], for connections with `oauth2`: `tokens` is shared by all senders of the process.
    ///
    /// # Errors
    /// As [`HttpSender::new`].
    pub fn with_tokens(
        connections: &[HttpConnection],
        clients: &Clients,
        clock: Arc<dyn Clock>,
        tokens: &Tokens,
    ) -> Result<Self, ConfigError> {
        let connections = ready(connections, &HashMap::new(), clients, &clock, tokens)?;
        let (clients, tokens) = (clients.clone(), tokens.clone());
        Ok(HttpSender { connections, clients, hosts: Arc::default(), clock, tokens })
    }

    /// A sender for these connections that goes on where this one is: what is the same keeps its rate, its concurrency and
    /// its access token, with what is in flight through this one. No refresh token is spent by both.
    ///
    /// # Errors
    /// As [`HttpSender::new`].
    pub fn with(&self, connections: &[HttpConnection]) -> Result<Self, ConfigError> {
        Ok(HttpSender {
            connections: ready(connections, &self.connections, &self.clients, &self.clock, &self.tokens)?,
            clients: self.clients.clone(),
            hosts: Arc::clone(&self.hosts),
            clock: Arc::clone(&self.clock),
            tokens: self.tokens.clone(),
        })
    }

    /// Whether it has just this connection.
    pub fn has(&self, connection: &HttpConnection) -> bool {
        self.connections.get(&connection.name).is_some_and(|ready| ready.is(connection))
    }

    /// The names of its connections.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.connections.keys().map(String::as_str)
    }

    /// How long requests of each connection have waited for their turn so far.
    pub fn waited(&self) -> Vec<(String, Waited)> {
        let lines = self.connections.iter();
        lines.map(|(name, ready)| (name.clone(), ready.line.waited())).collect()
    }

    /// Asks for a token of a connection, where it has `oauth2`; `None` where it has not.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn try_token(&self, connection: &str) -> Option<Result<Lasts, Denied>> {
        let keeper = self.connections.get(connection)?.keeper.as_ref()?;
        Some(keeper.try_out().await)
    }

    /// That every refresh token which is kept can be opened.
    ///
    /// # Errors
    /// The first connection whose cannot, and why.
    pub async fn check_kept(&self) -> Result<(), (String, Denied)> {
        for (name, ready) in &self.connections {
            if let Some(keeper) = &ready.keeper {
                keeper.check_kept().await.map_err(|denied| (name.clone(), denied))?;
            }
        }
        Ok(())
    }

    fn prepare(&self, request: &HttpRequest) -> Result<Prepared, String> {
        let mut prepared = match &request.destination {
            Destination::Connection { name, path } => self.to_connection(name, path, request)?,
            Destination::Linked { name, path, link } => {
                let mut prepared = self.to_connection(name, path, request)?;
                prepared.follow(link)?;
                prepared
            }
            Destination::Url { url, allow_hosts } => self.to_host(url, allow_hosts, request)?,
        };
        let credential = prepared.auth_query.as_ref().map(|(name, _)| name.clone());
        let pairs = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // A server may take the first of two: nothing that an action says goes before the credential.
        append_query(&mut prepared.url, pairs.filter(|(name, _)| Some(*name) != credential.as_deref()));
        prepared.authorise_url();
        Ok(prepared)
    }

    fn to_connection(&self, name: &str, path: &str, request: &HttpRequest) -> Result<Prepared, String> {
        let Some(ready) = self.connections.get(name) else {
            return Err(format!("there is no connection `{name}`"));
        };
        let mut headers = headers(request, ready.idempotency.as_ref(), ready.traces, &ready.headers)?;
        if let Some((name, value)) = &ready.auth_header {
            headers.insert(name.clone(), value.clone());
        }
        Ok(Prepared {
            method: method(request.method),
            url: join(&ready.base, path).map_err(|error| error.to_string())?,
            headers,
            body: request.body.as_ref().map(|body| Bytes::copy_from_slice(&body.bytes)),
            auth_query: ready.auth_query.clone(),
            keeper: ready.keeper.clone(),
            line: ready.line.clone(),
        })
    }

    fn to_host(&self, url: &str, allow_hosts: &[String], request: &HttpRequest) -> Result<Prepared, String> {
        let url = parse_base(url).map_err(|error| format!("the URL {error}"))?;
        let idempotency = HeaderName::from_bytes(DEFAULT_IDEMPOTENCY_HEADER.as_bytes()).ok();
        Ok(Prepared {
            method: method(request.method),
            headers: headers(request, idempotency.as_ref(), true, &HeaderMap::new())?,
            body: request.body.as_ref().map(|body| Bytes::copy_from_slice(&body.bytes)),
            auth_query: None,
            keeper: None,
            line: self.host_line(&url, allow_hosts)?,
            url,
        })
    }

    fn host_line(&self, url: &Url, allow_hosts: &[String]) -> Result<Line, String> {
        let words = |error: ClientError| error.to_string();
        let client = if allow_hosts.is_empty() {
            self.clients.named(url, HOST_TIMEOUT, None).map_err(words)?
        } else {
            let allowed = AllowedHosts::new(allow_hosts);
            allowed.check(url).map_err(|refused| refused.to_string())?;
            self.clients.guarded(HOST_TIMEOUT, allowed.addresses().clone()).map_err(words)?
        };
        Ok(Line::with_client(client, HOST_TIMEOUT, self.host_pace(url)))
    }

    fn host_pace(&self, url: &Url) -> Arc<Pace> {
        let host = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        );
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS_KEPT && !hosts.contains_key(&host) {
            // Whoever holds a pace has its own reference; the others are idle and have nothing to remember.
            hosts.retain(|_, pace| Arc::strong_count(pace) > 1);
        }
        Arc::clone(hosts.entry(host).or_insert_with(|| Arc::new(Pace::new(None, HOST_CONCURRENCY))))
    }

    /// The pace that a request keeps; `None` where it cannot go out at all.
    fn pace(&self, request: &HttpRequest) -> Option<Arc<Pace>> {
        match &request.destination {
            Destination::Connection { name, .. } | Destination::Linked { name, .. } => {
                self.connections.get(name).map(|ready| Arc::clone(ready.line.pace()))
            }
            Destination::Url { url, .. } => parse_base(url).ok().map(|url| self.host_pace(&url)),
        }
    }

    async fn turn_by(&self, request: &HttpRequest, ticket: Ticket) -> Turn {
        let Some(pace) = self.pace(request) else { return Turn::free() };
        let turn = pace.turn(ticket).await;
        // The pace too: while a turn is held, its host is not idle.
        Turn::holding((pace, turn))
    }

    async fn deliver(&self, mut prepared: Prepared, turn: Turn) -> Result<Answer, Undelivered> {
        let token = prepared.authorise(None).await?;
        let answer = prepared.line.exchange_in_turn(prepared.request(), BODY_LIMIT).await?;
        // What follows waits for a turn of its own; whoever kept the first one meanwhile could wait for itself.
        drop(turn);
        let answer = prepared.follow_redirects(answer).await?;
        if token.is_none() || answer.status != 401 {
            return Ok(answer);
        }
        // It was refused, so it was not done, and may be sent again with another token: once.
        prepared.authorise(token).await?;
        let answer = prepared.line.exchange(prepared.request(), BODY_LIMIT, Ticket::run(0)).await?;
        Ok(prepared.follow_redirects(answer).await?)
    }

    fn reply(&self, answer: Answer) -> Reply {
        Reply {
            retry_after: retry_after(&answer.headers, || self.clock.now()),
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: answer.body,
            truncated: answer.end == End::Truncated,
            cut: matches!(answer.end, End::Cut(_)),
        }
    }
}

#[async_trait]
impl Sender for HttpSender {
    async fn turn(&self, request: &HttpRequest) -> Turn {
        self.turn_by(request, Ticket::POLL).await
    }

    async fn turn_for(&self, request: &HttpRequest, zap: ZapId) -> Turn {
        self.turn_by(request, Ticket::run(zap.0)).await
    }

    async fn send_in_turn(&self, request: &HttpRequest, turn: Turn) -> SendOutcome {
        let prepared = match self.prepare(request) {
            Ok(prepared) => prepared,
            Err(reason) => return SendOutcome::NotSent { reason, retryable: false },
        };
        match self.deliver(prepared, turn).await {
            Ok(answer) => SendOutcome::Reply(self.reply(answer)),
            Err(Undelivered::Line(Failure::NotSent { reason, retryable })) => {
                SendOutcome::NotSent { reason, retryable }
            }
            Err(Undelivered::Line(Failure::Unknown { reason })) => SendOutcome::Unknown { reason },
            Err(Undelivered::Denied(Denied::Fault(reason))) => SendOutcome::Unauthorised { reason },
            Err(Undelivered::Denied(Denied::Later(reason))) => {
                SendOutcome::NotSent { reason, retryable: true }
            }
            Err(Undelivered::Denied(Denied::Unspent(reason))) => {
                SendOutcome::NotSent { reason: reason.to_owned(), retryable: false }
            }
        }
    }
}

impl Prepared {
    fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }

    /// Puts the connection's access token on it, and gives its number; `None` where it has none. `refused` is one that
    /// the API did not take.
    async fn authorise(&mut self, refused: Option<u64>) -> Result<Option<u64>, Denied> {
        let Some(keeper) = &self.keeper else { return Ok(None) };
        let access = keeper.access(refused).await?;
        self.headers.insert(AUTHORIZATION, access.header);
        Ok(Some(access.number))
    }

    async fn follow_redirects(&mut self, mut answer: Answer) -> Result<Answer, Failure> {
        for _ in 0..REDIRECTS {
            let Some(url) = self.redirected(&answer) else { break };
            self.url = url;
            answer = self.line.exchange(self.request(), BODY_LIMIT, Ticket::run(0)).await?;
        }
        Ok(answer)
    }

    fn authorise_url(&mut self) {
        if let Some((name, value)) = &self.auth_query
            // A link may carry it already.
            && !self.url.query_pairs().any(|(known, given)| known == *name && given == value.expose())
        {
            append_query(&mut self.url, [(name.as_str(), value.expose())]);
        }
    }

    /// Goes on where an answer said, which must be where the connection goes: its credentials go along.
    fn follow(&mut self, link: &str) -> Result<(), String> {
        let own = self.url.query_pairs().into_owned().collect::<Vec<_>>();
        let mut url = self.url.join(link).map_err(|_| "the address of the next page is none".to_owned())?;
        let same = url.origin() == self.url.origin() && url.username().is_empty() && url.password().is_none();
        if !same {
            return Err("the next page is on another host".to_owned());
        }
        url.set_fragment(None);
        // What the connection's own address asks for is asked for on every page.
        let lost: Vec<_> = {
            let known: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            own.into_iter().filter(|(name, _)| !known.contains(name)).collect()
        };
        append_query(&mut url, lost.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.url = url;
        Ok(())
    }

    /// Where a GET goes on, when the answer sends it elsewhere on the same origin.
    fn redirected(&self, answer: &Answer) -> Option<Url> {
        if self.method != reqwest::Method::GET || !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut url = self.url.join(answer.headers.get(LOCATION)?.to_str().ok()?).ok()?;
        let same = url.origin() == self.url.origin() && url.username().is_empty() && url.password().is_none();
        url.set_fragment(None);
        if let Some((name, value)) = self.auth_query.as_ref().filter(|_| same)
            && !url.query_pairs().any(|(known, _)| known == *name)
        {
            append_query(&mut url, [(name.as_str(), value.expose())]);
        }
        same.then_some(url)
    }
}

fn ready(
    connections: &[HttpConnection],
    before: &HashMap<String, Ready>,
    clients: &Clients,
    clock: &Arc<dyn Clock>,
    tokens: &Tokens,
) -> Result<HashMap<String, Ready>, ConfigError> {
    let mut ready = HashMap::new();
    for connection in connections {
        let problem = |problem| ConfigError { connection: connection.name.clone(), problem };
        let prepared = match before.get(&connection.name) {
            Some(same) if same.is(connection) => same.clone(),
            before => Ready::new(connection, before, clients, clock, tokens).map_err(problem)?,
        };
        if ready.insert(connection.name.clone(), prepared).is_some() {
            return Err(problem(ConfigProblem::Twice));
        }
    }
    Ok(ready)
}

/// Connection's headers, above them the action's of the same name. The key gives way only to a header that the action
/// itself sets.
fn headers(
    request: &HttpRequest,
    idempotency: Option<&HeaderName>,
    traces: bool,
    connection: &HeaderMap,
) -> Result<HeaderMap, String> {
    let mut action = HeaderMap::new();
    for (name, value) in &request.headers {
        let (name, value) = header(name, value).map_err(|problem| problem.to_string())?;
        action.append(name, value);
    }
    let mut all = connection.clone();
    if let Some(name) = idempotency.filter(|_| !request.idempotency_key.is_empty()) {
        let (name, key) =
            header(name.as_str(), &request.idempotency_key).map_err(|problem| problem.to_string())?;
        all.insert(name, key);
    }
    if request.chain > 0 {
        all.insert(HeaderName::from_static(CHAIN_HEADER), request.chain.into());
    }
    if let Some(trace) = request.trace.filter(|_| traces) {
        let (name, value) =
            header(TRACE_HEADER, &traceparent(trace)).map_err(|problem| problem.to_string())?;
        all.insert(name, value);
    }
    if let Some(body) = &request.body {
        all.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
    }
    for name in action.keys() {
        all.remove(name);
    }
    for (name, value) in &action {
        all.append(name.clone(), value.clone());
    }
    Ok(all)
}

/// A span of the trace: each attempt is one, and no two are called the same.
fn traceparent(trace: Uuid) -> String {
    format!("00-{}-{:016x}-01", trace.simple(), fastrand::u64(1..))
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}
