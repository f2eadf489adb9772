//! A compiled action: from a run's scope to what is sent, and from an answer to yes or no.

mod crm;
mod find;
mod http;
mod parameter;

pub(super) use crm::CrmCall;
pub(super) use find::FindCall;
pub use find::Unfound;
pub(super) use http::{Address, Http, Payload, checked_headers};
pub(super) use parameter::Parameter;

use std::time::Duration;

use super::key;
use super::scope::{RESPONSE, STEP, Scope};
use crate::crm::{Endpoint, Repeat};
use crate::expression::{Condition, Frame};
use crate::mapping::{MapError, Mapped, Mapping, Slots, Source, Trace, elements};
use crate::request::Request;
use crate::value::Value;

/// One step of a zap.
#[derive(Debug)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// How long and how often to try again.
    pub retry: Retry,
    /// What to do when nobody knows whether a request arrived.
    pub on_uncertain: OnUncertain,
    /// Whether later steps run when this one is dead.
    pub continue_on_error: bool,
    /// Waits this long before the step, counted from the end of the step before, or from the run's beginning.
    pub delay: Option<Duration>,
    pub(super) call: Call,
    pub(super) unless: Option<Condition>,
    pub(super) when: Option<Condition>,
    pub(super) each: Option<(Mapping, Slots)>,
    pub(super) stop_if: Option<Condition>,
    pub(super) reads_body: bool,
    pub(super) reads_response: bool,
    pub(super) reads_of: ReadsOf,
    pub(super) place: String,
}

/// What a step asks of the world.
#[derive(Debug)]
pub(super) enum Call {
    Http(Box<Http>),
    Crm(Box<CrmCall>),
    Find(Box<FindCall>),
}

/// The steps whose answers an action reads, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadsOf {
    /// Those that decide whether it is done at all: read by `each` and `when`.
    pub gate: Vec<String>,
    /// All of them.
    pub all: Vec<String>,
}

/// How long and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Given up after this long.
    pub for_: Duration,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            for_: Duration::from_secs(24 * 60 * 60),
            first: Duration::from_secs(1),
            max_delay: Duration::from_secs(15 * 60),
        }
    }
}

/// What to do when nobody knows whether a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUncertain {
    /// Send it again with the same key.
    Retry,
    /// Hold the run for a person.
    Hold,
}

/// Whose pace and breaker an action is under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A connection, by name.
    Connection(String),
    /// A host: the action has a URL of its own.
    Host(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Connection(name) | Target::Host(name) => f.write_str(name),
        }
    }
}

/// What an action is for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing to send.
    Skip {
        /// Why, in plain words.
        why: String,
    },
    /// One request.
    One(Box<Request>),
    /// One request per element, with the element's key.
    Each(Vec<(String, Request)>),
}

/// An answer, as `success:` sees it.
#[derive(Debug, Clone, Copy)]
pub struct ResponseFacts<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers with lowercase names.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
}

impl Action {
    /// Whose pace and breaker it is under.
    pub fn target(&self) -> Target {
        match &self.call {
            Call::Http(http) => match &http.address {
                Address::Connection { name, .. } => Target::Connection(name.clone()),
                Address::Url { host, .. } => Target::Host(host.clone()),
            },
            Call::Crm(crm) => Target::Connection(crm.connection.clone()),
            Call::Find(find) => Target::Connection(find.connection.clone()),
        }
    }

    /// What may follow an unknown outcome: by the method or the endpoint, or because its author said so.
    pub fn repeat(&self) -> Repeat {
        match &self.call {
            // For HTTP there is nothing to look at: what may not be repeated is held.
            Call::Http(http) if http.method.repeats_safely() || self.on_uncertain == OnUncertain::Retry => {
                Repeat::Safe
            }
            Call::Http(_) => Repeat::Never,
            Call::Crm(crm) => crm.endpoint.repeat,
            Call::Find(_) => Repeat::Safe,
        }
    }

    /// Whether a repeat after an unknown outcome is safe.
    pub fn repeats_safely(&self) -> bool {
        self.repeat() == Repeat::Safe
    }

    /// The endpoint, where it writes to the CRM.
    pub fn endpoint(&self) -> Option<&'static Endpoint> {
        match &self.call {
            Call::Crm(crm) => Some(crm.endpoint),
            Call::Http(_) | Call::Find(_) => None,
        }
    }

    /// The endpoint, where it reads the CRM.
    pub fn reads(&self) -> Option<crate::trigger::Endpoint> {
        match &self.call {
            Call::Find(find) => Some(find.lookup.endpoint),
            Call::Http(_) | Call::Crm(_) => None,
        }
    }

    /// Whether it has a written `success:`.
    pub fn has_success(&self) -> bool {
        matches!(&self.call, Call::Http(http) if http.success.is_some())
    }

    /// Whether `success:` or a later step reads the body of its answer.
    pub fn reads_body(&self) -> bool {
        self.reads_body
    }

    /// Whether a later step reads its answer.
    pub fn reads_response(&self) -> bool {
        self.reads_response
    }

    /// The other steps whose answers it reads.
    pub fn reads_of(&self) -> &ReadsOf {
        &self.reads_of
    }

    /// Renders what is to be sent.
    ///
    /// # Errors
    /// A [`MapError`] that names the place in the zap.
    pub fn plan(&self, scope: &Scope) -> Result<Plan, MapError> {
        self.make(scope, &mut Trace::default(), &mut Vec::new())
    }

    /// The same, and for each request what of the zap made which part of it.
    ///
    /// # Errors
    /// As [`Action::plan`].
    pub fn plan_traced(&self, scope: &Scope) -> Result<(Plan, Vec<Vec<Source>>), MapError> {
        let mut sources = Vec::new();
        let plan = self.make(scope, &mut Trace::on(), &mut sources)?;
        Ok((plan, sources))
    }

    fn make(
        &self,
        scope: &Scope,
        trace: &mut Trace,
        sources: &mut Vec<Vec<Source>>,
    ) -> Result<Plan, MapError> {
        let mut values = scope.values.clone();
        let Some((each, slots)) = &self.each else {
            if !self.wanted(&mut values, scope, None)? {
                return Ok(Plan::Skip { why: "`when` is false".to_owned() });
            }
            let request = self.request(&mut values, scope, None, trace)?;
            sources.push(trace.take());
            return Ok(Plan::One(Box::new(request)));
        };
        bind_step(&mut values, &self.id, "");
        let source = each.eval(&mut values, &scope.settings)?.map_or(Value::Null, Mapped::into_value);
        let elements = elements(&source).ok_or_else(|| {
            MapError::new(each.place(), format!("each needs a list or an object, not {}", source.kind()))
                .help("give an empty list where there is none: `| default([])`")
        })?;
        let mut requests = Vec::new();
        for element in &elements {
            let request = slots.bound(&mut values, element, |values| {
                let key = Some(element.key.as_str());
                let wanted = self.wanted(values, scope, key)?;
                let request = wanted.then(|| self.request(values, scope, key, trace)).transpose()?;
                sources.extend(request.is_some().then(|| trace.take()));
                Ok(request)
            })?;
            requests.extend(request.map(|request| (element.key.clone(), request)));
        }
        Ok(match (requests.is_empty(), elements.is_empty()) {
            (true, true) => Plan::Skip { why: "`each` has no element".to_owned() },
            (true, false) => Plan::Skip { why: "`when` is false for every element".to_owned() },
            (false, _) => Plan::Each(requests),
        })
    }

    /// Whether the answer to a step, or to one element of it, means success: the written `success:`, else a status of
    /// 2xx.
    ///
    /// # Errors
    /// When `success:` has no answer itself.
    pub fn accepts(
        &self,
        scope: &Scope,
        element: Option<&str>,
        response: &ResponseFacts<'_>,
    ) -> Result<bool, MapError> {
        let written = match &self.call {
            Call::Http(http) => http.success.as_ref(),
            Call::Crm(_) | Call::Find(_) => None,
        };
        let Some(success) = written else { return Ok((200..300).contains(&response.status)) };
        let values = self.with_response(scope, element, super::response::value(response));
        self.holds(success, "success", &values, scope)
    }

    /// Whether the run ends before this step, which is due now. `fresh` is the record as it was read again.
    ///
    /// # Errors
    /// When `unless:` has no answer.
    pub fn unless(&self, scope: &Scope, fresh: Option<&Value>) -> Result<bool, MapError> {
        let Some(unless) = &self.unless else { return Ok(false) };
        let mut values = scope.values.clone();
        if let Some(fresh) = fresh {
            values[super::scope::RECORD] = fresh.clone();
        }
        bind_step(&mut values, &self.id, "");
        self.holds(unless, "unless", &values, scope)
    }

    /// What a look-up found, as later steps see it: `{rows, row, total}`. `element` is the key under `each`.
    ///
    /// # Errors
    /// When `expect:` wants one row and there is none, or more, or when `match:` has no answer.
    pub fn found(
        &self,
        scope: &Scope,
        element: Option<&str>,
        rows: &[impl AsRef<[u8]>],
    ) -> Result<Vec<u8>, Unfound> {
        // Nothing else looks up.
        let Call::Find(find) = &self.call else { return Ok(b"null".to_vec()) };
        let mut values = scope.values.clone();
        bind_step(&mut values, &self.id, &key::step(scope.key_base, &self.id, element).to_string());
        let (Some((each, slots)), Some(wanted)) = (&self.each, element) else {
            return find.found(&mut values, scope, rows, &self.place);
        };
        let source = each.eval(&mut values, &scope.settings)?.map_or(Value::Null, Mapped::into_value);
        let elements = elements(&source).unwrap_or_default();
        let Some(element) = elements.iter().find(|element| element.key == wanted) else {
            return Err(MapError::new(each.place(), "the element is not there any more").into());
        };
        slots.bound(&mut values, element, |values| find.found(values, scope, rows, &self.place))
    }

    /// Whether it has an `unless:`.
    pub fn has_unless(&self) -> bool {
        self.unless.is_some()
    }

    /// Whether it has a `stop_if:`.
    pub fn has_stop_if(&self) -> bool {
        self.stop_if.is_some()
    }

    /// Whether the run ends after this step. `response` is its answer as JSON, as later steps see it.
    ///
    /// # Errors
    /// When `stop_if:` has no answer.
    pub fn stops(
        &self,
        scope: &Scope,
        element: Option<&str>,
        response: Option<&[u8]>,
    ) -> Result<bool, MapError> {
        let Some(stop_if) = &self.stop_if else { return Ok(false) };
        let values = self.with_response(scope, element, super::scope::parsed(response));
        self.holds(stop_if, "stop_if", &values, scope)
    }

    fn with_response(&self, scope: &Scope, element: Option<&str>, response: Value) -> Vec<Value> {
        let mut values = scope.values.clone();
        bind_step(&mut values, &self.id, &key::step(scope.key_base, &self.id, element).to_string());
        values.truncate(RESPONSE);
        values.push(response);
        values
    }

    fn holds(
        &self,
        condition: &Condition,
        key: &str,
        values: &[Value],
        scope: &Scope,
    ) -> Result<bool, MapError> {
        let frame = Frame { values, settings: &scope.settings };
        condition.eval(&frame).map_err(|error| MapError::of(&format!("{}.{key}", self.place), &error))
    }

    fn wanted(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        element: Option<&str>,
    ) -> Result<bool, MapError> {
        let idempotency_key = key::step(scope.key_base, &self.id, element).to_string();
        bind_step(values, &self.id, &idempotency_key);
        let Some(when) = &self.when else { return Ok(true) };
        let frame = Frame { values, settings: &scope.settings };
        when.eval(&frame).map_err(|error| MapError::of(&format!("{}.when", self.place), &error))
    }

    /// `wanted` has bound the step's names.
    fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        element: Option<&str>,
        trace: &mut Trace,
    ) -> Result<Request, MapError> {
        let idempotency_key = key::step(scope.key_base, &self.id, element).to_string();
        match &self.call {
            Call::Http(http) => {
                http.request(values, scope, &self.place, idempotency_key, trace).map(Request::Http)
            }
            Call::Crm(crm) => {
                crm.request(values, scope, &self.place, idempotency_key, trace).map(Request::Crm)
            }
            Call::Find(find) => find.request(values, scope, &self.place, trace).map(Request::Find),
        }
    }
}

/// Binds `step`, which follows the roots that are always there.
fn bind_step(values: &mut Vec<Value>, id: &str, key: &str) {
    if values.len() <= STEP {
        values.resize(STEP + 1, Value::Null);
    }
    values[STEP] = Value::object(vec![("id".into(), Value::text(id)), ("key".into(), Value::text(key))]);
}
