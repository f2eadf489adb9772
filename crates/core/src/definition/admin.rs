//! Where the program is watched.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::formats::Listener;
use super::secret::Secrets;
use crate::yaml::Spanned;

/// Where the program is watched: an address alone, or with what a caller must show.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The address.
    pub address: Listener,
    /// What callers show as `Authorization: Bearer`; any of several.
    pub token: Option<Spanned<Secrets>>,
    /// Names under which it is called, beside addresses and `localhost`.
    pub hosts: Vec<Spanned<String>>,
}

/// The address, and what a caller must show.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Guarded {
    /// An IP address and a port: 127.0.0.1:9464. Any but a loopback address needs a `token`.
    address: Spanned<Listener>,
    /// What callers show as `Authorization: Bearer`, from a variable or a file; several while they are exchanged.
    token: Option<Spanned<Secrets>>,
    /// Host names under which it is called. Addresses and `localhost` always may be.
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
}

impl<'de> Deserialize<'de> for Admin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AddressOrMore;

        impl<'de> Visitor<'de> for AddressOrMore {
            type Value = Admin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or a map with `address` and `token`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Admin, E> {
                Ok(Admin { address: text.parse().map_err(E::custom)?, token: None, hosts: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Admin, A::Error> {
                let Guarded { address, token, hosts } =
                    Guarded::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Admin { address: address.value, token, hosts })
            }
        }

        deserializer.deserialize_any(AddressOrMore)
    }
}

impl JsonSchema for Admin {
    fn schema_name() -> Cow<'static, str> {
        "Admin".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Guarded::json_schema(generator);
        // The key checks hold for maps only, the pattern for text only.
        schema.insert("type".to_owned(), serde_json::json!(["object", "string"]));
        schema.insert("pattern".to_owned(), Listener::PATTERN.into());
        let words =
            "Where the program is watched: /livez, /readyz, /metrics. An address, or a map with a token.";
        schema.insert("description".to_owned(), words.into());
        schema
    }
}
