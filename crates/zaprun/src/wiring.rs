//! From what a project says to what sends and reads: connections, adapters, the state's place.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use zaprun_core::definition::{self, Auth, ClientAuth, Connection, Project};
use zaprun_core::zap::DEFAULT_CRM_URL;
use zaprun_engine::ports::{Clock, Crm, CrmWriter, Vault};
use zaprun_http::{
    Clients, DEFAULT_IDEMPOTENCY_HEADER, Flow, HttpConnection, HttpSender, OAuth2, PrivateCa, Rate, Secret,
    StateKey, Tokens, Waited,
};
use zaprun_konnektive::{Config, DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, Konnektive};
use zaprun_webhooks::Check;

use crate::error::{CommandError, io_words};
use crate::mask::Masker;

/// How long a request to an `http` connection may take unless it says otherwise.
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests in flight to an `http` connection unless it says otherwise.
const HTTP_CONCURRENCY: usize = 8;
/// Reads of the CRM in a second unless the connection says otherwise.
const CRM_RATE: u32 = 2;
/// Where the state is unless the project says otherwise.
const DEFAULT_STATE: &str = "state/zaprun.db";

/// What a project's connections became.
#[derive(Clone)]
pub(crate) struct Wired {
    /// The accounts of the CRM, by the order of the project.
    pub(crate) crms: Vec<Arc<Konnektive>>,
    /// What sends the requests of actions.
    pub(crate) sender: Arc<HttpSender>,
    /// What hides the secrets of all connections.
    pub(crate) masker: Arc<Masker>,
    /// The access tokens of all connections: to be settled before the state is closed.
    pub(crate) tokens: Tokens,
    clients: Clients,
}

/// Another wiring, and how it differs.
pub(crate) struct Rewired {
    /// What the connections are now; what is the same is the very same.
    pub(crate) wired: Wired,
    /// Connections that are others now, or are no more.
    pub(crate) changed: BTreeSet<String>,
}

impl Wired {
    /// The same, whose secrets another masker has learnt to hide.
    pub(crate) fn hiding_by(self, masker: &Arc<Masker>) -> Wired {
        Wired { masker: Arc::clone(masker), ..self }
    }

    /// The accounts of the CRM by name, for reading.
    pub(crate) fn readers(&self) -> HashMap<String, Arc<dyn Crm>> {
        self.crms.iter().map(|crm| (crm.name().to_owned(), Arc::clone(crm) as _)).collect()
    }

    /// The names of all that requests are sent to.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.crms.iter().map(|crm| crm.name()).chain(self.sender.names())
    }

    /// How long requests of each connection have waited for their turn so far.
    pub(crate) fn waited(&self) -> Vec<(String, Waited)> {
        let crms = self.crms.iter().map(|crm| (crm.name().to_owned(), crm.waited()));
        crms.chain(self.sender.waited()).collect()
    }

    /// The same for writing.
    pub(crate) fn writers(&self) -> HashMap<String, Arc<dyn CrmWriter>> {
        self.crms.iter().map(|crm| (crm.name().to_owned(), Arc::clone(crm) as _)).collect()
    }
}

/// Prepares all connections. Nothing is sent. Without a vault no refresh token is spent.
///
/// # Errors
/// When a connection cannot work.
pub(crate) fn wire(
    project: &Project,
    root: &Path,
    clock: &Arc<dyn Clock>,
    vault: Option<Arc<dyn Vault>>,
) -> Result<Wired, CommandError> {
    let clients = Clients::new();
    let key = state_key(project)?;
    let masker = Arc::new(masker(project));
    let hide = Arc::clone(&masker) as _;
    let tokens = match vault {
        Some(vault) => Tokens::kept_in(vault, hide),
        None => Tokens::new(hide),
    };
    let mut crms = Vec::new();
    for (name, crm) in konnektive_connections(project) {
        let config = crm_config(name, crm, root)?;
        let crm = Konnektive::new(config, &clients, Arc::clone(clock)).map_err(|error| unusable(&error))?;
        crms.push(Arc::new(crm));
    }
    let https: Result<Vec<_>, _> =
        http_connections(project).map(|(name, http)| http_config(name, http, root, key.as_ref())).collect();
    let sender = HttpSender::with_tokens(&https?, &clients, Arc::clone(clock), &tokens)
        .map_err(|error| unusable(&error))?;
    Ok(Wired { crms, sender: Arc::new(sender), masker, tokens, clients })
}

/// The key that seals what the state keeps of secrets, where the project has one.
///
/// # Errors
/// When it is none.
pub(crate) fn state_key(project: &Project) -> Result<Option<StateKey>, CommandError> {
    let key = project.state_key.as_ref().map(|key| StateKey::parse(key.value.expose())).transpose();
    key.map_err(|error| CommandError::failure(format!("`state_key` cannot be used: {error}")))
}

/// Prepares all connections anew, for a program that uses those of `before`. Nothing is sent, and those are not touched:
/// what is the same stays, and what has other credentials keeps its pace.
///
/// # Errors
/// When a connection cannot work.
pub(crate) fn rewire(
    project: &Project,
    root: &Path,
    clock: &Arc<dyn Clock>,
    before: &Wired,
) -> Result<Rewired, CommandError> {
    let key = state_key(project)?;
    let mut crms = Vec::new();
    for (name, crm) in konnektive_connections(project) {
        let config = crm_config(name, crm, root)?;
        let known = before.crms.iter().find(|crm| crm.name() == name);
        crms.push(match known {
            Some(same) if same.is(&config) => Arc::clone(same),
            Some(other) => Arc::new(other.with(config, &before.clients).map_err(|error| unusable(&error))?),
            None => {
                let new = Konnektive::new(config, &before.clients, Arc::clone(clock));
                Arc::new(new.map_err(|error| unusable(&error))?)
            }
        });
    }
    let https: Result<Vec<_>, _> =
        http_connections(project).map(|(name, http)| http_config(name, http, root, key.as_ref())).collect();
    let https = https?;
    let sender = before.sender.with(&https).map_err(|error| unusable(&error))?;

    let differs = |crm: &&Arc<Konnektive>| !crms.iter().any(|same| Arc::ptr_eq(same, crm));
    let mut changed: BTreeSet<String> =
        before.crms.iter().filter(differs).map(|crm| crm.name().to_owned()).collect();
    let differs = |name: &&str| {
        let now = https.iter().find(|http| http.name == *name);
        !now.is_some_and(|http| before.sender.has(http))
    };
    changed.extend(before.sender.names().filter(differs).map(str::to_owned));
    let masker = Arc::new(masker(project));
    // Made once: two who ask for tokens never spend one refresh token.
    let (tokens, clients) = (before.tokens.clone(), before.clients.clone());
    let wired = Wired { crms, sender: Arc::new(sender), masker, tokens, clients };
    Ok(Rewired { wired, changed })
}

/// Files that connections name, beside those of secrets.
pub(crate) fn files(project: &Project, root: &Path) -> BTreeSet<PathBuf> {
    let http = http_connections(project).filter_map(|(_, http)| http.ca_file.as_ref());
    let crm = konnektive_connections(project).filter_map(|(_, crm)| crm.ca_file.as_ref());
    http.chain(crm).map(|file| root.join(&file.value)).collect()
}

fn unusable(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::failure(error.to_string()).hint("`zaprun check` tries every connection")
}

/// The accounts of the CRM.
pub(crate) fn konnektive_connections(
    project: &Project,
) -> impl Iterator<Item = (&str, &definition::KonnektiveConnection)> {
    project.connections.iter().filter_map(|(name, connection)| match &connection.value {
        Connection::Konnektive(crm) => Some((name, crm)),
        _ => None,
    })
}

/// The HTTP APIs.
pub(crate) fn http_connections(
    project: &Project,
) -> impl Iterator<Item = (&str, &definition::HttpConnection)> {
    project.connections.iter().filter_map(|(name, connection)| match &connection.value {
        Connection::Http(http) => Some((name, http)),
        _ => None,
    })
}

/// The systems of these names that call, as the server of webhooks takes them.
///
/// # Errors
/// When a secret is of no use.
pub(crate) fn callers(
    project: &Project,
    names: &BTreeSet<&str>,
) -> Result<Vec<zaprun_webhooks::Connection>, CommandError> {
    let callers = project.connections.iter().filter(|(name, _)| names.contains(name));
    callers
        .filter_map(|(name, connection)| match &connection.value {
            Connection::Webhook(webhook) => Some((name, webhook)),
            _ => None,
        })
        .map(|(name, webhook)| {
            let check = Check::of(&webhook.verify.value)
                .map_err(|error| CommandError::failure(format!("connection `{name}`: {error}")))?;
            let rate = webhook.rate.as_ref().map_or(zaprun_webhooks::DEFAULT_RATE, |rate| rate.value);
            Ok(zaprun_webhooks::Connection { name: name.to_owned(), check, rate })
        })
        .collect()
}

/// An account of the CRM as its adapter takes it.
pub(crate) fn crm_config(
    name: &str,
    crm: &definition::KonnektiveConnection,
    root: &Path,
) -> Result<Config, CommandError> {
    let ca = crm.ca_file.as_ref().map(|file| private_ca(name, &root.join(&file.value))).transpose()?;
    let timezone = TimeZone::get(&crm.timezone).map_err(|_| {
        CommandError::failure(format!("connection `{name}`: there is no time zone `{}`", *crm.timezone))
    })?;
    let default_rate =
        std::num::NonZeroU32::new(CRM_RATE).map(|count| Rate { count, per: Duration::from_secs(1) });
    Ok(Config {
        name: name.to_owned(),
        base_url: Secret::new(crm.base_url.as_ref().map_or(DEFAULT_CRM_URL, |url| url.value.as_str())),
        login_id: Secret::new(crm.login_id.value.clone()),
        password: crm.password.value.clone(),
        timezone,
        timeout: crm.timeout.as_ref().map_or(DEFAULT_TIMEOUT, |timeout| timeout.value.0),
        rate: crm.rate.as_ref().map(|rate| rate.value).or(default_rate),
        concurrency: crm.concurrency.as_ref().map_or(DEFAULT_CONCURRENCY, |many| many.value as usize),
        ca,
    })
}

/// An HTTP API as its sender takes it.
pub(crate) fn http_config(
    name: &str,
    http: &definition::HttpConnection,
    root: &Path,
    key: Option<&StateKey>,
) -> Result<HttpConnection, CommandError> {
    let ca = http.ca_file.as_ref().map(|file| private_ca(name, &root.join(&file.value))).transpose()?;
    Ok(HttpConnection {
        name: name.to_owned(),
        base_url: http.base_url.value.clone(),
        headers: http
            .headers
            .iter()
            .map(|(header, value)| (header.to_owned(), value.value.clone()))
            .collect(),
        auth: http.auth.as_ref().map_or(zaprun_http::Auth::None, |auth| credentials(&auth.value, key)),
        idempotency_header: match http.idempotency_header.as_ref().map(|header| header.value.as_str()) {
            None => Some(DEFAULT_IDEMPOTENCY_HEADER.to_owned()),
            Some("none") => None,
            Some(header) => Some(header.to_owned()),
        },
        traces: http.traceparent.as_ref().is_none_or(|traces| traces.value),
        timeout: http.timeout.as_ref().map_or(HTTP_TIMEOUT, |timeout| timeout.value.0),
        ca,
        rate: http.rate.as_ref().map(|rate| rate.value),
        concurrency: http.concurrency.as_ref().map_or(HTTP_CONCURRENCY, |many| many.value as usize),
    })
}

fn private_ca(name: &str, path: &Path) -> Result<PrivateCa, CommandError> {
    let cannot = |reason: String| CommandError::failure(format!("connection `{name}`: {reason}"));
    let pem = std::fs::read(path).map_err(|error| {
        cannot(format!("`ca_file` {} cannot be read: {}", path.display(), io_words(&error)))
    })?;
    PrivateCa::from_pem(&pem).map_err(|error| cannot(error.to_string()))
}

fn credentials(auth: &Auth, key: Option<&StateKey>) -> zaprun_http::Auth {
    match auth {
        Auth::Bearer(token) => zaprun_http::Auth::Bearer(token.value.clone()),
        Auth::Basic(basic) => zaprun_http::Auth::Basic {
            username: Secret::new(basic.username.value.clone()),
            password: basic.password.value.clone(),
        },
        Auth::Header(header) => {
            zaprun_http::Auth::Header { name: header.name.value.clone(), value: header.value.value.clone() }
        }
        Auth::Query(query) => {
            zaprun_http::Auth::Query { name: query.name.value.clone(), value: query.value.value.clone() }
        }
        Auth::OAuth2(said) => zaprun_http::Auth::OAuth2 { by: Box::new(oauth2(said)), key: key.cloned() },
    }
}

fn oauth2(said: &definition::OAuth2) -> OAuth2 {
    let text =
        |value: &Option<zaprun_core::yaml::Spanned<String>>| value.as_ref().map(|text| text.value.clone());
    OAuth2 {
        token_url: text(&said.token_url),
        client_id: text(&said.client_id),
        client_secret: said.client_secret.as_ref().map(|secret| secret.value.clone()),
        client_auth: said.client_auth.as_ref().map_or(ClientAuth::Basic, |by| by.value),
        scope: said.scope.as_ref().map(|scopes| scopes.value.joined()),
        audience: text(&said.audience),
        params: said.params.iter().map(|(name, value)| (name.to_owned(), value.value.clone())).collect(),
        flow: match (&said.service_account, &said.refresh_token) {
            (Some(account), _) => Flow::ServiceAccount {
                key: account.value.key.value.clone(),
                issuer: text(&account.value.issuer),
                subject: text(&account.value.subject),
                key_id: text(&account.value.key_id),
            },
            (None, Some(token)) => Flow::RefreshToken(token.value.clone()),
            (None, None) => Flow::ClientCredentials,
        },
    }
}

/// What hides all secrets of a project.
pub(crate) fn masker(project: &Project) -> Masker {
    let mut secrets: Vec<&str> = project.state_key.iter().map(|key| key.value.expose()).collect();
    for (_, connection) in project.connections.iter() {
        match &connection.value {
            Connection::Konnektive(crm) => {
                secrets.extend([crm.password.value.expose(), crm.login_id.value.as_str()]);
            }
            Connection::Http(http) => secrets.extend(secrets_of(http)),
            Connection::Webhook(webhook) => secrets.extend(webhook_secrets(&webhook.verify.value)),
        }
    }
    let admin = project.listen.as_ref().and_then(|listen| listen.admin.as_ref());
    if let Some(tokens) = admin.and_then(|admin| admin.value.token.as_ref()) {
        secrets.extend(tokens.value.iter().map(Secret::expose));
    }
    Masker::new(secrets)
}

fn secrets_of(http: &definition::HttpConnection) -> Vec<&str> {
    let mut secrets = secret_parts(http.base_url.value.expose());
    // A header that everybody sends is no secret, and hiding its value would hide half of every text.
    let shown = ["accept", "accept-language", "content-type", "user-agent"];
    let headers =
        http.headers.iter().filter(|(name, _)| !shown.contains(&name.to_ascii_lowercase().as_str()));
    secrets
        .extend(headers.map(|(_, value)| value.value.expose()).filter(|value| value.len() >= LEAST_SECRET));
    match http.auth.as_ref().map(|auth| &auth.value) {
        Some(Auth::Bearer(token)) => secrets.push(token.value.expose()),
        Some(Auth::Basic(basic)) => secrets.push(basic.password.value.expose()),
        Some(Auth::Header(named) | Auth::Query(named)) => secrets.push(named.value.value.expose()),
        Some(Auth::OAuth2(said)) => secrets.extend(token_secrets(said)),
        None => {}
    }
    secrets
}

fn token_secrets(said: &definition::OAuth2) -> Vec<&str> {
    let key = said.service_account.as_ref().map(|account| account.value.key.value.expose());
    let own = [&said.client_secret, &said.refresh_token].into_iter().flatten().map(|own| own.value.expose());
    let params = said.params.iter().map(|(_, value)| value.value.expose());
    // The lines of a key too: a file of it may be shown line by line.
    let lines = key.into_iter().flat_map(|key| key.split(['\n', '"']).flat_map(|part| part.split("\\n")));
    let long = params.chain(lines).map(str::trim).filter(|text| text.len() >= LEAST_SECRET);
    own.chain(long.filter(|line| !line.starts_with("-----") && !line.contains("://"))).collect()
}

/// A shorter part of a URL, or a shorter value of a header, is no secret.
const LEAST_SECRET: usize = 12;

/// The parts of a base URL that may be secret: long segments of its path with digits or capitals in them, and the values
/// of its query.
fn secret_parts(url: &str) -> Vec<&str> {
    let after_host = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = after_host.find('/').map_or("", |at| after_host.get(at..).unwrap_or(""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let looks_secret = |segment: &&str| {
        segment.len() >= LEAST_SECRET
            && segment
                .contains(|character: char| character.is_ascii_digit() || character.is_ascii_uppercase())
    };
    let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    path.split('/').filter(looks_secret).chain(values.filter(|value| value.len() >= LEAST_SECRET)).collect()
}

fn webhook_secrets(verify: &definition::Verify) -> Vec<&str> {
    match verify {
        definition::Verify::Hmac(check) => check.secret.value.iter().map(Secret::expose).collect(),
        definition::Verify::Token(check) => check.value.value.iter().map(Secret::expose).collect(),
        definition::Verify::Basic(basic) => vec![basic.password.value.expose()],
        definition::Verify::None => Vec::new(),
    }
}

/// The file of the state.
pub(crate) fn state_path(project: &Project, root: &Path) -> PathBuf {
    let place = project.state.as_ref().map_or(Path::new(DEFAULT_STATE), |state| Path::new(&state.value.path));
    root.join(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_webhook_url_is_its_path() {
        assert_eq!(
            secret_parts("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"),
            ["XXXXXXXXXXXXXXXXXXXXXXXX"]
        );
        assert_eq!(secret_parts("https://api.example.com/v1?key=0123456789abcdef&x=1"), ["0123456789abcdef"]);
        assert!(secret_parts("http://127.0.0.1:8585/sink/accounting").is_empty());
    }
}
