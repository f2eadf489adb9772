//! What a zap does.

mod crm;
mod http;
mod query;
mod unread;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, EnumAccess, Error as _, VariantAccess, Visitor};

use super::formats::{Duration, Word};
use super::tagged::{self, Branch};
use super::trigger::UNREAD;
use crate::crm::{ENDPOINTS, Endpoint, endpoint};
use crate::yaml::{NodeRef, Spanned};

pub use crm::{CorrelateIn, CrmAction, LeadFirst};
pub use http::{HttpAction, Method};
pub use query::{Expect, Find, QueryAction};
pub use unread::UnreadAction;

/// Declares a kind of action: its own keys, and those that every kind has.
macro_rules! common {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($body:tt)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            /// The step's name. Idempotency keys hang on it: do not change it later.
            pub id: Spanned<Word>,
            $($body)*
            /// Wait this long before the step, across restarts.
            pub delay: Option<Spanned<Duration>>,
            /// Looked at when the step is due: where this boolean expression holds, the run ends here. The record of an
            /// order is read again for it.
            pub unless: Option<Spanned<String>>,
            /// Skip the step unless this boolean expression holds.
            pub when: Option<Spanned<String>>,
            /// Do the step once for each element of a list or object.
            pub each: Option<NodeRef>,
            /// The element's name in expressions. Default: item.
            #[serde(rename = "as")]
            pub element: Option<Spanned<Word>>,
            /// How long and how often to try again.
            pub retry: Option<Spanned<Retry>>,
            /// Go on with the next step when this one is given up. Default: false.
            pub continue_on_error: Option<Spanned<bool>>,
            /// After the step: where this boolean expression over `response` holds, the run ends here, delivered.
            pub stop_if: Option<Spanned<String>>,
        }

        impl $name {
            /// The keys that every kind of action has.
            pub fn common(&self) -> Common<'_> {
                Common {
                    id: &self.id,
                    delay: self.delay.as_ref(),
                    unless: self.unless.as_ref(),
                    when: self.when.as_ref(),
                    each: self.each.as_ref(),
                    element: self.element.as_ref(),
                    retry: self.retry.as_ref(),
                    continue_on_error: self.continue_on_error.as_ref(),
                    stop_if: self.stop_if.as_ref(),
                }
            }
        }
    };
}
use common;

/// The keys that every kind of action has.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// The step's name.
    pub id: &'a Spanned<Word>,
    /// Wait this long before the step.
    pub delay: Option<&'a Spanned<Duration>>,
    /// Where it holds when the step is due, the run ends.
    pub unless: Option<&'a Spanned<String>>,
    /// Skip the step unless it holds.
    pub when: Option<&'a Spanned<String>>,
    /// Do the step once for each element.
    pub each: Option<&'a NodeRef>,
    /// The element's name.
    pub element: Option<&'a Spanned<Word>>,
    /// How long and how often to try again.
    pub retry: Option<&'a Spanned<Retry>>,
    /// Go on when the step is given up.
    pub continue_on_error: Option<&'a Spanned<bool>>,
    /// Where it holds after the step, the run ends.
    pub stop_if: Option<&'a Spanned<String>>,
}

// Boxed: each is many times larger than a pointer, and there is one per step.
/// What a zap does.
#[derive(Debug, Clone)]
pub enum Action {
    /// An HTTP request.
    Http(Box<HttpAction>),
    /// A write to the CRM.
    Crm(&'static Endpoint, Box<CrmAction>),
    /// A look-up in the CRM.
    Query(Box<QueryAction>),
    /// One of a kind that cannot be told: its finding is told, and what any kind has can still be looked at.
    Unread(Box<UnreadAction>),
}

const HTTP: &str = "http";
const QUERY: &str = "konnektive.query";

impl Action {
    /// Its `type` as written.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::Http(_) => HTTP,
            Action::Crm(endpoint, _) => endpoint.action,
            Action::Query(_) => QUERY,
            Action::Unread(_) => UNREAD,
        }
    }

    /// The keys that every kind of action has.
    pub fn common(&self) -> Common<'_> {
        match self {
            Action::Http(action) => action.common(),
            Action::Crm(_, action) => action.common(),
            Action::Query(action) => action.common(),
            Action::Unread(action) => action.common(),
        }
    }

    /// Its id.
    pub fn id(&self) -> &Spanned<Word> {
        self.common().id
    }

    /// Every `type` there is.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        std::iter::once(HTTP).chain(ENDPOINTS.iter().map(|endpoint| endpoint.action)).chain([QUERY])
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Action", &[], ByType)
    }
}

/// Chooses the kind by the word in `type`, which the table of endpoints decides.
struct ByType;

impl<'de> Visitor<'de> for ByType {
    type Value = Action;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action with a `type`")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Action, A::Error> {
        let (kind, body) = data.variant::<String>()?;
        match kind.as_str() {
            HTTP => body.newtype_variant().map(Action::Http),
            QUERY => body.newtype_variant().map(Action::Query),
            UNREAD => body.newtype_variant().map(Action::Unread),
            other => {
                let endpoint = endpoint(other)
                    .ok_or_else(|| A::Error::custom(format!("there is no action `{other}`")))?;
                body.newtype_variant().map(|action| Action::Crm(endpoint, action))
            }
        }
    }
}

impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut branches = vec![Branch::of::<HttpAction>(generator, HTTP, "An HTTP request.")];
        for endpoint in ENDPOINTS {
            branches.push(Branch::of::<CrmAction>(generator, endpoint.action, endpoint.summary));
        }
        branches.push(Branch::of::<QueryAction>(
            generator,
            QUERY,
            "A look-up in the CRM, for the steps after it.",
        ));
        tagged::by_type("One step of the zap.", "The kind of action.", branches)
    }
}

/// How long and how often to try again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Retry {
    /// Give up after this long. Default: 24h.
    #[serde(rename = "for")]
    pub give_up: Option<Spanned<Duration>>,
    /// The first pause. Default: 1s.
    pub first: Option<Spanned<Duration>>,
    /// The longest pause. Default: 15m.
    pub max_delay: Option<Spanned<Duration>>,
}

/// What to do when nobody knows whether a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUncertain {
    /// Send it again with the same key.
    Retry,
    /// Hold the run for a person.
    Hold,
}

super::formats_of_words!(
    OnUncertain,
    "OnUncertain",
    "What to do when nobody knows whether the request arrived.",
    ["retry", "hold"]
);
