//! Access tokens of `auth: { oauth2: … }`: asking for them, keeping them while they last, renewing them.
//!
//! - Access tokens are in memory alone. One request for a token is under way per connection, whoever waits for it.
//! - A refresh token that comes with an access token is sealed and durable before either of them is used. One that could
//!   not be kept is held until it can be, and until then nothing is sent.
//! - The request for a token is a task of its own: whoever stops waiting does not break off what may have spent the only
//!   refresh token.

mod answer;
mod assertion;
mod grant;
mod keeper;
mod tokens;

pub(crate) use grant::Grant;
pub(crate) use keeper::Keeper;
pub use tokens::{Hide, Tokens};

use crate::whither::UrlError;
use std::time::Duration;
use zaprun_core::definition::{ClientAuth, Secret};

/// What a connection says of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// Where tokens are asked for; `None`: where the key file of the service account says.
    pub token_url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<Secret>,
    /// How the client shows who it is.
    pub client_auth: ClientAuth,
    /// Scopes, separated by spaces.
    pub scope: Option<String>,
    /// Who the token, or the assertion, is for.
    pub audience: Option<String>,
    /// More parameters.
    pub params: Vec<(String, Secret)>,
    /// By what a token is got.
    pub flow: Flow,
}

/// By what a token is got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// By the client's own credentials.
    ClientCredentials,
    /// By a refresh token: the one that a person was given. A later one is in the vault.
    RefreshToken(Secret),
    /// By an assertion that the key of a service account signs.
    ServiceAccount {
        /// Google's JSON, or an RSA key in PEM.
        key: Secret,
        /// Who signs.
        issuer: Option<String>,
        /// For whom it acts.
        subject: Option<String>,
        /// The key's id.
        key_id: Option<String>,
    },
}

/// Keys of `oauth2` that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuth2Problem {
    /// It is not said where tokens are asked for.
    #[error("there is no `token_url`, and the key file of the service account names none")]
    NoTokenUrl,
    /// The address cannot be asked.
    #[error("`token_url` {0}")]
    TokenUrl(#[from] UrlError),
    /// The address is not reached by TLS.
    #[error("`token_url` is not https, and credentials are sent there")]
    PlainTokenUrl,
    /// The service account's key.
    #[error("`service_account.key` is neither Google's JSON key file nor an RSA private key in PEM")]
    Key,
    /// The key file of the service account does not say who signs.
    #[error("it is not said who signs: `service_account.issuer`, or a JSON key file with `client_email`")]
    NoIssuer,
    /// A refresh token, and nothing to seal its followers with.
    #[error("a refresh token needs the project's `state_key`")]
    NoStateKey,
}

/// Why there is no token. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is refused, or cannot work: a person must act.
    #[error("{0}")]
    Fault(String),
    /// Another try may help.
    #[error("{0}")]
    Later(String),
    /// This process may not spend the refresh token.
    #[error("{0}")]
    Unspent(&'static str),
}

/// What is known of a connection's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasts {
    /// How long it lasts; `None`: it is not said.
    pub for_: Option<Duration>,
}
