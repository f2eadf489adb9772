//! One account.

use crate::mask::Mask;
use crate::{form, look, outcome, reply, scrub};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::crm::ENDPOINTS;
use zaprun_core::request::{CrmRequest, FindRequest};
use zaprun_core::trigger::Endpoint;
use zaprun_engine::ports::{
    Clock, Crm, CrmWriter, Page, PageRequest, ReadError, Sight, Turn, WriteOutcome, ZapId,
};
use zaprun_http::request::{CONTENT_TYPE, HeaderValue, Method, Request, Url};
use zaprun_http::{
    Answer, ClientError, Clients, Failure, Line, Pace, PathError, PrivateCa, Rate, Secret, Ticket, UrlError,
    Waited, join, parse_base,
};

/// How long a read may take unless the connection says otherwise: a day of a busy account takes up to 90 s
/// (contract §1.5).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(240);

/// Reads at once unless the connection says otherwise; the account opens about ten in all (contract §1.5).
pub const DEFAULT_CONCURRENCY: usize = 3;

/// A `konnektive` connection, its variables resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// `https://api.checkoutchamp.com` unless it is a stand-in.
    pub base_url: Secret,
    /// The API user's login.
    pub login_id: Secret,
    /// The API user's password.
    pub password: Secret,
    /// The account's zone: in it days begin and timestamps are written.
    pub timezone: TimeZone,
    /// How long one read may take.
    pub timeout: Duration,
    /// Rate; `None`: no limit.
    pub rate: Option<Rate>,
    /// Reads in flight at most.
    pub concurrency: usize,
    /// A private CA, trusted beside the machine's roots.
    pub ca: Option<PrivateCa>,
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
    /// `base_url` does not take the endpoints' paths.
    #[error("`base_url`: {0}")]
    Path(#[from] PathError),
    /// The login is empty.
    #[error("`login_id` is empty")]
    NoLogin,
    /// The password is empty.
    #[error("`password` is empty")]
    NoPassword,
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Reads that looks make beside those of the triggers.
const AUXILIARY: [&str; 2] = [look::HISTORY, look::SHIPMENTS];

/// One account of the CRM.
///
/// Pages, look-ups, looks and writes share the connection's rate and concurrency. A look takes a turn for each of its
/// reads, so whoever holds the turn of a write must not look before it is over.
#[derive(Clone)]
pub struct Konnektive {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<dyn Clock>,
    /// By the endpoint's path.
    addresses: Arc<HashMap<&'static str, Url>>,
    line: Line,
    pace: Arc<Pace>,
    pub(crate) mask: Arc<Mask>,
    /// By which looks and look-ups take their turns.
    pub(crate) ticket: Ticket,
}

impl Konnektive {
    /// Prepares a connection. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] when the connection cannot work.
    pub fn new(config: Config, clients: &Clients, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let name = config.name.clone();
        let pace = Arc::new(Pace::new(config.rate, config.concurrency));
        Self::prepare(config, clients, clock, pace)
            .map_err(|problem| ConfigError { connection: name, problem })
    }

    /// The same account with other settings. Where its rate and concurrency are the same, it keeps them together with
    /// what is in flight through this one.
    ///
    /// # Errors
    /// [`ConfigError`] when the connection cannot work.
    pub fn with(&self, config: Config, clients: &Clients) -> Result<Self, ConfigError> {
        let name = config.name.clone();
        let mine = &self.config;
        let same = (mine.rate, mine.concurrency) == (config.rate, config.concurrency)
            && mine.base_url == config.base_url;
        let pace = match same {
            true => Arc::clone(&self.pace),
            false => Arc::new(Pace::new(config.rate, config.concurrency)),
        };
        Self::prepare(config, clients, Arc::clone(&self.clock), pace)
            .map_err(|problem| ConfigError { connection: name, problem })
    }

    /// Whether it was made from just this.
    pub fn is(&self, config: &Config) -> bool {
        *self.config == *config
    }

    fn prepare(
        config: Config,
        clients: &Clients,
        clock: Arc<dyn Clock>,
        pace: Arc<Pace>,
    ) -> Result<Self, ConfigProblem> {
        if config.login_id.expose().is_empty() {
            return Err(ConfigProblem::NoLogin);
        }
        if config.password.expose().is_empty() {
            return Err(ConfigProblem::NoPassword);
        }
        let base = parse_base(config.base_url.expose())?;
        let mut addresses = HashMap::new();
        let reads = Endpoint::ALL.iter().map(|read| read.path()).chain(AUXILIARY);
        for path in reads.chain(ENDPOINTS.iter().map(|write| write.path)) {
            // The trailing slash is always written (contract §1.1).
            addresses.insert(path, join(&base, &format!("{path}/"))?);
        }
        Ok(Konnektive {
            line: Line::new(clients, &base, config.timeout, config.ca.clone(), Arc::clone(&pace))?,
            pace,
            mask: Arc::new(Mask::new(&[&config.login_id, &config.password])),
            addresses: Arc::new(addresses),
            config: Arc::new(config),
            clock,
            ticket: Ticket::run(0),
        })
    }

    /// The connection's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// How long requests have waited for their turn so far.
    pub fn waited(&self) -> Waited {
        self.line.waited()
    }

    /// The account's zone.
    pub fn timezone(&self) -> &TimeZone {
        &self.config.timezone
    }

    /// The same account, whose looks and look-ups are those of a zap's runs.
    fn of(&self, zap: ZapId) -> Konnektive {
        Konnektive { ticket: Ticket::run(zap.0), ..self.clone() }
    }

    /// Sends a write once, in a turn that the caller holds.
    async fn write(&self, request: &CrmRequest) -> WriteOutcome {
        let key = request.correlate_in.as_deref().filter(|name| request.param(name).is_none());
        let key = key.map(|name| (name, request.idempotency_key.as_str()));
        let params = request.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(key);
        let form = form::write(params, &self.config.login_id, &self.config.password);
        let Some(post) = self.post(request.endpoint.path, form) else {
            let reason = format!("there is no endpoint `{}`", request.endpoint.path);
            return WriteOutcome::NotSent { reason, retryable: false, retry_after: None };
        };
        match self.line.exchange_in_turn(post, outcome::LARGEST_REPLY).await {
            Ok(answer) => outcome::of(request, &answer, &self.mask, self.clock.now()),
            Err(Failure::NotSent { reason, retryable }) => {
                WriteOutcome::NotSent { reason: format!("the CRM: {reason}"), retryable, retry_after: None }
            }
            Err(Failure::Unknown { reason }) => {
                WriteOutcome::Unknown { reason: format!("the CRM: {reason}"), retry_after: None }
            }
        }
    }

    /// Posts a form with the credentials alone.
    pub(crate) async fn post_nothing(&self, path: &str) -> Option<Result<Answer, Failure>> {
        let form = form::write(std::iter::empty(), &self.config.login_id, &self.config.password);
        let post = self.post(path, form)?;
        Some(self.line.exchange(post, outcome::LARGEST_REPLY, Ticket::POLL).await)
    }

    /// A POST of a form; nothing where the path is no endpoint's.
    fn post(&self, path: &str, body: String) -> Option<Request> {
        let mut post = Request::new(Method::POST, self.addresses.get(path)?.clone());
        post.headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *post.body_mut() = Some(Bytes::from(body).into());
        Some(post)
    }

    /// Asks for a page.
    pub(crate) async fn read(&self, path: &str, form: String, ticket: Ticket) -> Result<Page, ReadError> {
        let Some(post) = self.post(path, form) else {
            return Err(ReadError::Vendor { text: "there is no such endpoint".to_owned() });
        };
        match self.line.exchange(post, reply::LARGEST_ANSWER, ticket).await {
            Ok(answer) => reply::read(&answer, &self.mask, self.clock.now()),
            Err(Failure::NotSent { reason, .. } | Failure::Unknown { reason }) => {
                Err(ReadError::Transport { text: format!("the CRM: {reason}"), retry_after: None })
            }
        }
    }

    /// Asks for a page of rows, without what must not be kept of them.
    async fn rows(&self, request: &PageRequest, ticket: Ticket) -> Result<Page, ReadError> {
        let path = request.query.endpoint.path();
        let form = form::page(request, &self.config.login_id, &self.config.password);
        let mut page = self.read(path, form, ticket).await?;
        page.rows = page.rows.into_iter().map(|row| scrub::row(path, row)).collect();
        Ok(page)
    }

    /// Today in the account's zone.
    pub(crate) fn today(&self) -> Date {
        self.clock.now().to_zoned_datetime(self.config.timezone.clone()).date()
    }
}

#[async_trait]
impl Crm for Konnektive {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.rows(request, Ticket::POLL).await
    }

    async fn page_at_leisure(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.rows(request, Ticket::BACKFILL).await
    }
}

#[async_trait]
impl CrmWriter for Konnektive {
    async fn turn(&self) -> Turn {
        self.turn_for(ZapId(0)).await
    }

    async fn turn_for(&self, zap: ZapId) -> Turn {
        Turn::holding(self.line.turn(Ticket::run(zap.0)).await)
    }

    async fn write_in_turn(&self, request: &CrmRequest, turn: Turn) -> WriteOutcome {
        let outcome = self.write(request).await;
        // Not before the answer is there: a turn is a place among the requests in flight.
        drop(turn);
        outcome
    }

    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Result<Sight, ReadError> {
        look::look(self, request, before).await
    }

    async fn look_for(
        &self,
        zap: ZapId,
        request: &CrmRequest,
        before: Option<&str>,
    ) -> Result<Sight, ReadError> {
        look::look(&self.of(zap), request, before).await
    }

    async fn find(&self, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        self.find_rows(request).await
    }

    async fn find_for(&self, zap: ZapId, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        self.of(zap).find_rows(request).await
    }
}
