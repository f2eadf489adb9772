//! `zaprun.yaml`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::admin::Admin;
use super::alerts::Alerts;
use super::classes::Classes;
use super::formats::{Duration, Listener, Network, Rate, StatePlace};
use super::oauth2::OAuth2;
use super::policy::Policy;
use super::secret::{Secret, Secrets};
use super::tagged::{self, Branch};
use crate::yaml::{MapRef, Spanned, Table};

/// The project: its connections, values that differ by environment, and where it runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Project {
    /// The version of this file's language: 1.
    #[schemars(schema_with = "version")]
    pub version: Spanned<u32>,
    /// The systems that zaps talk to, by a name of your choice. They carry all secrets.
    #[serde(default)]
    pub connections: Table<Spanned<Connection>>,
    /// Plain values that zaps read as `vars.NAME`. Overlays change them by environment.
    pub vars: Option<MapRef>,
    /// Where runs and cursors are kept: `sqlite:` and a path. Default: sqlite:state/zaprun.db.
    pub state: Option<Spanned<StatePlace>>,
    /// How long runs that were delivered, filtered or dropped are kept, since they ended. What keeps a record from being
    /// sent twice is kept for ever; so are pending, held and dead runs. At least 1h. Default: for ever.
    pub history: Option<Spanned<Duration>>,
    /// The addresses to listen on.
    pub listen: Option<Listen>,
    /// Switches for zaps, by name; meant for overlays.
    #[serde(default)]
    pub zaps: Table<Spanned<ZapSwitch>>,
    /// What the project asks of its zaps beside what the language does.
    pub policy: Option<Policy>,
    /// Who is told when something needs a person.
    pub alerts: Option<Spanned<Alerts>>,
    /// The key that seals the refresh tokens which the state keeps: 32 bytes in base64, `${ZAPRUN_STATE_KEY}`.
    pub state_key: Option<Spanned<Secret>>,
}

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": 1 })
}

/// A system that zaps talk to.
#[derive(Debug, Clone, Deserialize)]
pub enum Connection {
    /// The CRM.
    #[serde(rename = "konnektive")]
    Konnektive(KonnektiveConnection),
    /// Any HTTP API.
    #[serde(rename = "http")]
    Http(HttpConnection),
    /// A system that calls zaprun.
    #[serde(rename = "webhook")]
    Webhook(WebhookConnection),
}

impl Connection {
    /// Its `type` as written.
    pub fn kind(&self) -> &'static str {
        match self {
            Connection::Konnektive(_) => "konnektive",
            Connection::Http(_) => "http",
            Connection::Webhook(_) => "webhook",
        }
    }
}

impl JsonSchema for Connection {
    fn schema_name() -> Cow<'static, str> {
        "Connection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![
            Branch::of::<KonnektiveConnection>(
                generator,
                "konnektive",
                "A Konnektive (Checkout Champ) account.",
            ),
            Branch::of::<HttpConnection>(generator, "http", "Any HTTP API."),
            Branch::of::<WebhookConnection>(generator, "webhook", "A system that calls zaprun."),
        ];
        tagged::by_type("A system that zaps talk to.", "The kind of system.", branches)
    }
}

/// A Konnektive (Checkout Champ) account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KonnektiveConnection {
    /// The CRM's address. Default: https://api.checkoutchamp.com.
    pub base_url: Option<Spanned<String>>,
    /// The API user's login id, usually `${KONNEKTIVE_LOGIN_ID}`.
    pub login_id: Spanned<String>,
    /// The API user's password, from a variable or a file: `${KONNEKTIVE_PASSWORD}`, `${file:/run/secrets/konnektive}`.
    pub password: Spanned<Secret>,
    /// The account's time zone as the CRM's settings show it, for example America/New_York.
    pub timezone: Spanned<String>,
    /// The account's currency, for example USD.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Option<Spanned<String>>,
    /// How long a call may take. Default: 240s.
    pub timeout: Option<Spanned<Duration>>,
    /// A file of certificates (PEM) to trust beside the system's, relative to the project folder.
    pub ca_file: Option<Spanned<String>>,
    /// How many calls are made in how long. Default: 2/s.
    pub rate: Option<Spanned<Rate>>,
    /// How many calls run at the same time. Default: 3.
    #[schemars(range(min = 1, max = 100))]
    pub concurrency: Option<Spanned<u32>>,
}

/// Any HTTP API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HttpConnection {
    /// The address that an action's `path` is appended to. A query in it is kept. It may be a secret.
    pub base_url: Spanned<Secret>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: Table<Spanned<Secret>>,
    /// How requests are authenticated.
    pub auth: Option<Spanned<Auth>>,
    /// The header that carries the idempotency key, or `none`. Default: Idempotency-Key.
    pub idempotency_header: Option<Spanned<String>>,
    /// Whether requests carry a W3C `traceparent`, whose trace is the run's. Default: true.
    pub traceparent: Option<Spanned<bool>>,
    /// Kinds of data that the system may be sent, since the project has decided so: personal, card, secret.
    pub may_receive: Option<Spanned<Classes>>,
    /// How long a request may take. Default: 30s.
    pub timeout: Option<Spanned<Duration>>,
    /// A file of certificates (PEM) to trust beside the system's, relative to the project folder.
    pub ca_file: Option<Spanned<String>>,
    /// How many requests are made in how long. Default: no limit.
    pub rate: Option<Spanned<Rate>>,
    /// How many requests run at the same time. Default: 8.
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<Spanned<u32>>,
}

/// How requests are authenticated.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer(Spanned<Secret>),
    /// HTTP basic authentication.
    Basic(Basic),
    /// A header.
    Header(NamedSecret),
    /// A query parameter.
    Query(NamedSecret),
    /// Tokens from an authorisation server.
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
}

impl JsonSchema for Auth {
    fn schema_name() -> Cow<'static, str> {
        "Auth".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![
            Branch::of::<Secret>(generator, "bearer", "The token of `Authorization: Bearer`."),
            Branch::of::<Basic>(generator, "basic", "User name and password of HTTP basic authentication."),
            Branch::of::<NamedSecret>(generator, "header", "A header of your naming."),
            Branch::of::<NamedSecret>(generator, "query", "A query parameter of your naming."),
            Branch::of::<OAuth2>(
                generator,
                "oauth2",
                "Tokens from an authorisation server: by the client's own credentials, by `refresh_token`, or by \
                 `service_account`.",
            ),
        ];
        tagged::by_key(
            "How requests are authenticated: one of bearer, basic, header, query, oauth2.",
            branches,
        )
    }
}

/// User name and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Basic {
    /// The user name.
    pub username: Spanned<String>,
    /// The password, from a variable or a file.
    pub password: Spanned<Secret>,
}

/// A secret under a name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NamedSecret {
    /// The name of the header or parameter.
    pub name: Spanned<String>,
    /// Its value, from a variable or a file.
    pub value: Spanned<Secret>,
}

/// A system that calls zaprun.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WebhookConnection {
    /// How a caller proves who it is.
    pub verify: Spanned<Verify>,
    /// How many requests one caller may make in how long. Default: 20000/m.
    pub rate: Option<Spanned<Rate>>,
}

/// How a caller proves who it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// A signature over the body.
    Hmac(HmacCheck),
    /// A fixed token in a header.
    Token(TokenCheck),
    /// HTTP basic authentication.
    Basic(Basic),
    /// Not at all.
    None,
}

impl JsonSchema for Verify {
    fn schema_name() -> Cow<'static, str> {
        "Verify".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![
            Branch::of::<HmacCheck>(generator, "hmac", "A signature over the body."),
            Branch::of::<TokenCheck>(generator, "token", "A fixed token in a header."),
            Branch::of::<Basic>(generator, "basic", "HTTP basic authentication."),
        ];
        let mut schema =
            tagged::by_key("How a caller proves who it is: hmac, token, basic, or the word none.", branches);
        // The key checks hold for maps only, the pattern for text only.
        schema.insert("type".to_owned(), serde_json::json!(["object", "string"]));
        schema.insert("pattern".to_owned(), "^none$".into());
        schema
    }
}

/// A signature over the body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HmacCheck {
    /// The shared secret, from a variable or a file; several while they are exchanged.
    pub secret: Spanned<Secrets>,
    /// The header that carries the signature. Default: that of the format.
    pub header: Option<Spanned<String>>,
    /// How the signature is written: standard (default: Standard Webhooks), github or stripe.
    pub format: Option<Spanned<HmacFormat>>,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacFormat {
    /// Standard Webhooks.
    Standard,
    /// As GitHub signs.
    Github,
    /// As Stripe signs.
    Stripe,
}

super::formats_of_words!(
    HmacFormat,
    "HmacFormat",
    "How the signature is written.",
    ["standard", "github", "stripe"]
);

/// A fixed token in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenCheck {
    /// The header that carries the token.
    pub header: Spanned<String>,
    /// The token, from a variable or a file; several while they are exchanged.
    pub value: Spanned<Secrets>,
}

/// The addresses to listen on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Listen {
    /// Where webhooks arrive.
    pub webhooks: Option<Spanned<Listener>>,
    /// The proxies whose `X-Forwarded-For` is believed, as addresses or networks.
    #[serde(default)]
    pub trusted_proxies: Vec<Spanned<Network>>,
    /// Where the program is watched: `/livez`, `/readyz`, `/metrics`.
    pub admin: Option<Spanned<Admin>>,
}

/// A switch for one zap.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ZapSwitch {
    /// Whether the zap runs in this environment.
    pub enabled: Spanned<bool>,
}
