//! `auth: { oauth2: … }` of an http connection.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::secret::Secret;
use crate::yaml::{Spanned, Table};

/// Tokens from an authorisation server. With `refresh_token` they are got by it, with `service_account` by a signed
/// assertion, else by the client's own credentials.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OAuth2 {
    /// The address that gives tokens. Default with `service_account`: the one in its key file.
    pub token_url: Option<Spanned<String>>,
    /// The client's id.
    pub client_id: Option<Spanned<String>>,
    /// The client's secret, from a variable or a file.
    pub client_secret: Option<Spanned<Secret>>,
    /// How the client shows who it is: basic (a header) or post (in the body). Default: basic.
    pub client_auth: Option<Spanned<ClientAuth>>,
    /// What the token is for: a scope, or a list of them.
    pub scope: Option<Spanned<Scopes>>,
    /// Who the token is for. With `service_account`: who the assertion is for; default: the token_url.
    pub audience: Option<Spanned<String>>,
    /// More parameters of the request for a token.
    #[serde(default)]
    pub params: Table<Spanned<Secret>>,
    /// The refresh token that a person was given, from a variable or a file. Where the server gives a new one with a
    /// token, that one is kept in the state, sealed with the project's `state_key`, and used from then on; until this
    /// value here is another one.
    pub refresh_token: Option<Spanned<Secret>>,
    /// A service account, which signs for itself.
    pub service_account: Option<Spanned<ServiceAccount>>,
}

/// A service account: an assertion (JWT, RS256) is signed with its key and exchanged for a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceAccount {
    /// The key file as the provider gives it: Google's JSON, or an RSA key in PEM. `${file:/run/secrets/google.json}`.
    pub key: Spanned<Secret>,
    /// Who signs. Default: the JSON key file's `client_email`, else the `client_id`.
    pub issuer: Option<Spanned<String>>,
    /// For whom the account acts, where it may act for others.
    pub subject: Option<Spanned<String>>,
    /// The key's id. Default: the JSON key file's `private_key_id`.
    pub key_id: Option<Spanned<String>>,
}

/// How a client shows who it is to the authorisation server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In a header.
    Basic,
    /// In the body.
    Post,
}

super::formats_of_words!(
    ClientAuth,
    "ClientAuth",
    "How the client shows who it is: basic (a header) or post (in the body).",
    ["basic", "post"]
);

/// One scope, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// As the request writes them.
    pub fn joined(&self) -> String {
        self.0.join(" ")
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Scopes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a scope or a list of scopes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scopes, E> {
                Ok(Scopes(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scopes, A::Error> {
                let mut scopes = Vec::new();
                while let Some(scope) = items.next_element()? {
                    scopes.push(scope);
                }
                Ok(Scopes(scopes))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}

impl JsonSchema for Scopes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scopes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minItems": 1,
        })
    }
}
