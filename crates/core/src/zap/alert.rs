//! What is told of an alert, and to whom.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::action::{Action, Plan, ResponseFacts};
use super::scope::{self, Scope};
use crate::expression::{Settings, Shape};
use crate::mapping::MapError;
use crate::request::{HttpRequest, Request};
use crate::value::{Decimal, Instant, Kind, Value};

/// A kind of alert.
#[derive(Debug, PartialEq, Eq)]
pub struct AlertKind {
    /// Its word, `alert.kind`.
    pub word: &'static str,
    /// When it is raised, in words.
    pub raised: &'static str,
    /// When it is over, in words.
    pub over: &'static str,
}

macro_rules! kinds {
    ($($id:ident = $word:literal $raised:literal, $over:literal;)*) => {
        $(
            #[doc = $raised]
            pub static $id: AlertKind = AlertKind { word: $word, raised: $raised, over: $over };
        )*

        /// Every kind.
        pub static ALERT_KINDS: &[&AlertKind] = &[$(&$id),*];
    };
}

kinds! {
    DEAD = "dead" "Runs of a zap were given up.", "none of the zap's runs is dead any more: they were replayed or dropped";
    HELD = "held" "Runs of a zap wait for a person.", "none of the zap's runs is held any more";
    BREAKER_OPEN = "breaker_open" "A connection or a host is at fault, and runs wait for it.", "it works again";
    TRIGGER_OVERDUE = "trigger_overdue" "A trigger was not looked at for much longer than its `every`.", "it was looked at to its end";
    NO_EVENT = "no_event" "Nothing has happened for a zap for longer than its `expect_every`.", "something has happened";
}

/// The members of `alert`, with what they hold.
pub static ALERT_FIELDS: &[(&str, &str)] = &[
    ("kind", "what is wrong: one of the kinds"),
    ("state", "`firing`, or `resolved` once it is over"),
    ("zap", "the zap concerned; empty where there is none"),
    ("connection", "the connection or host concerned; empty where there is none"),
    ("count", "how many runs; 1 where it is no number of runs"),
    (
        "suppressed",
        "how many came since the last message and before this one, as `every` allows no more messages",
    ),
    ("since", "since when, an instant in UTC"),
    ("first_run", "the id of the first run concerned; empty where there is none"),
    ("last_run", "the id of the last run concerned; empty where there is none"),
    ("message", "a sentence that says all this; holds nothing of a record"),
];

/// One target, compiled.
#[derive(Debug)]
pub struct AlertTarget {
    pub(super) action: Action,
    pub(super) vars: Value,
    pub(super) settings: Settings,
}

/// All targets, and how often they are told.
#[derive(Debug)]
pub struct Alerts {
    /// How often the same is told again while it gets worse.
    pub every: Duration,
    /// Whom to tell.
    pub targets: Vec<AlertTarget>,
}

/// An alert, for templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFacts {
    /// The kind's word.
    pub kind: &'static str,
    /// Whether it is over.
    pub resolved: bool,
    /// The zap.
    pub zap: String,
    /// The connection or host.
    pub connection: String,
    /// How many.
    pub count: u64,
    /// Of those, how many no message has told of before this one.
    pub suppressed: u64,
    /// Since when.
    pub since: Timestamp,
    /// The first run.
    pub first_run: String,
    /// The last run.
    pub last_run: String,
    /// All that in a sentence.
    pub message: String,
}

impl AlertTarget {
    /// Its name.
    pub fn id(&self) -> &str {
        &self.action.id
    }

    /// The request that tells of an alert; `None` where `when` says no. `key_base` is the same whenever the same is told
    /// again since it did not arrive.
    ///
    /// # Errors
    /// A [`MapError`] that names the place in the project.
    pub fn request(&self, alert: &AlertFacts, key_base: Uuid) -> Result<Option<HttpRequest>, MapError> {
        Ok(match self.action.plan(&self.scope(alert, key_base))? {
            Plan::One(request) => match *request {
                Request::Http(mut request) => {
                    // What zaprun tells of itself belongs to no run.
                    request.trace = None;
                    Some(request)
                }
                Request::Crm(_) | Request::Find(_) => None,
            },
            // No target has `each`.
            Plan::Skip { .. } | Plan::Each(_) => None,
        })
    }

    /// Whether an answer means success.
    ///
    /// # Errors
    /// When `success:` has no answer itself.
    pub fn accepts(&self, alert: &AlertFacts, response: &ResponseFacts<'_>) -> Result<bool, MapError> {
        self.action.accepts(&self.scope(alert, Uuid::nil()), None, response)
    }

    fn scope(&self, alert: &AlertFacts, key_base: Uuid) -> Scope {
        let text = |text: &str| Value::text(text);
        let number = |number: u64| Value::Number(Decimal::from(number));
        let since = Value::Instant(Instant::new(alert.since, TimeZone::UTC));
        let values = [
            text(alert.kind),
            text(if alert.resolved { "resolved" } else { "firing" }),
            text(&alert.zap),
            text(&alert.connection),
            number(alert.count),
            number(alert.suppressed),
            since,
            text(&alert.first_run),
            text(&alert.last_run),
            text(&alert.message),
        ];
        let members = ALERT_FIELDS.iter().map(|(name, _)| Arc::from(*name)).zip(values).collect();
        Scope::of_alert(Value::object(members), self.vars.clone(), self.settings.clone(), key_base)
    }
}

/// What is known of `alert` before there is one.
pub(super) fn shape() -> Shape {
    let of = |name: &str| match name {
        "count" | "suppressed" => Shape::Scalar(Kind::Number),
        "since" => Shape::Scalar(Kind::Instant),
        _ => Shape::Scalar(Kind::Text),
    };
    Shape::members(ALERT_FIELDS.iter().map(|(name, _)| (*name, of(name))))
}

/// The settings of what is about no account.
pub(super) fn settings() -> Settings {
    Settings { zone: TimeZone::UTC, currency: Arc::from(super::DEFAULT_CURRENCY) }
}

/// The names that a target's templates may use.
pub(super) fn names(vars: Shape) -> crate::expression::Names {
    scope::alert_names(shape().into(), vars)
}
