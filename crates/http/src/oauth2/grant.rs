//! The request for a token.

use super::assertion::{Claims, KeyFile, Signer};
use super::{Flow, OAuth2, OAuth2Problem};
use crate::whither::parse_base;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use zaprun_core::definition::{ClientAuth, Secret};
use zaprun_core::load::is_private_way;

const BY_ASSERTION: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How tokens are asked for.
pub(crate) struct Grant {
    pub(crate) url: Url,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    client_auth: ClientAuth,
    scope: Option<String>,
    audience: Option<String>,
    params: Vec<(String, Secret)>,
    pub(super) by: By,
}

/// By what a token is got.
pub(super) enum By {
    Client,
    /// The refresh token that the project names.
    Refresh(Secret),
    Assertion(Box<Signer>),
}

/// A request for a token, and what of it must be kept out of every message.
pub(super) struct Ask {
    pub(super) request: Request,
    pub(super) secrets: Vec<Secret>,
}

impl Grant {
    /// Reads what a connection says. Nothing is sent.
    ///
    /// # Errors
    /// [`OAuth2Problem`].
    pub(crate) fn new(said: &OAuth2) -> Result<Grant, OAuth2Problem> {
        let mut named = said.token_url.clone();
        let key = match &said.flow {
            Flow::ServiceAccount { key, .. } => Some(KeyFile::read(key)?),
            Flow::ClientCredentials | Flow::RefreshToken(_) => None,
        };
        if named.is_none() {
            named = key.as_ref().and_then(|key| key.token_url.clone());
        }
        let written = named.ok_or(OAuth2Problem::NoTokenUrl)?;
        let url = parse_base(&written)?;
        if !is_private_way(&written) {
            return Err(OAuth2Problem::PlainTokenUrl);
        }
        let by = match (&said.flow, key) {
            (Flow::ServiceAccount { issuer, subject, key_id, .. }, Some(key)) => {
                let issuer = issuer.clone().or(key.issuer).or_else(|| said.client_id.clone());
                let claims = Claims {
                    key_id: key_id.clone().or(key.key_id),
                    issuer: issuer.ok_or(OAuth2Problem::NoIssuer)?,
                    subject: subject.clone(),
                    audience: said.audience.clone().unwrap_or(written),
                    scope: said.scope.clone(),
                };
                By::Assertion(Box::new(Signer::new(key.pair, claims)))
            }
            (Flow::RefreshToken(token), _) => By::Refresh(token.clone()),
            (Flow::ClientCredentials | Flow::ServiceAccount { .. }, _) => By::Client,
        };
        let signed = matches!(by, By::Assertion(_));
        Ok(Grant {
            url,
            client_id: said.client_id.clone(),
            client_secret: said.client_secret.clone(),
            client_auth: said.client_auth,
            // These are claims of the assertion.
            scope: said.scope.clone().filter(|_| !signed),
            audience: said.audience.clone().filter(|_| !signed),
            params: said.params.clone(),
            by,
        })
    }

    /// The request; `refresh` is the refresh token where it is got by one. `None` where no assertion can be signed.
    pub(super) fn ask(&self, client: &Client, refresh: Option<&Secret>, now: Timestamp) -> Option<Ask> {
        let mut secrets: Vec<Secret> = self.client_secret.iter().chain(refresh).cloned().collect();
        let mut fields: Vec<(&str, String)> = Vec::new();
        match &self.by {
            By::Client => fields.push(("grant_type", "client_credentials".to_owned())),
            By::Refresh(named) => {
                let token = refresh.unwrap_or(named).expose().to_owned();
                fields.extend([("grant_type", "refresh_token".to_owned()), ("refresh_token", token)]);
            }
            By::Assertion(signer) => {
                let assertion = signer.sign(now)?;
                let text = assertion.expose().to_owned();
                fields.extend([("grant_type", BY_ASSERTION.to_owned()), ("assertion", text)]);
                secrets.push(assertion);
            }
        }
        fields.extend(self.scope.clone().map(|scope| ("scope", scope)));
        fields.extend(self.audience.clone().map(|audience| ("audience", audience)));
        let mut header = None;
        match (&self.client_id, &self.client_secret, self.client_auth) {
            (Some(id), Some(secret), ClientAuth::Basic) => {
                let built = client
                    .get(self.url.clone())
                    // RFC 6749 § 2.3.1: both are written as in a form first.
                    .basic_auth(as_in_a_form(id), Some(as_in_a_form(secret.expose())))
                    .build();
                header = built.ok().and_then(|built| built.headers().get(AUTHORIZATION).cloned());
            }
            (Some(id), secret, _) => {
                fields.push(("client_id", id.clone()));
                fields.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose().to_owned())));
            }
            (None, ..) => {}
        }
        // What the author writes out takes the place of what zaprun would say.
        fields.retain(|(name, _)| !self.params.iter().any(|(own, _)| own == name));
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&fields);
        body.extend_pairs(self.params.iter().map(|(name, value)| (name, value.expose())));
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(mut value) = header {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        *request.body_mut() = Some(body.finish().into());
        secrets.extend(self.params.iter().map(|(_, value)| value.clone()));
        Some(Ask { request, secrets })
    }
}

fn as_in_a_form(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
