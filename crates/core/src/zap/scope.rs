//! What a zap's expressions see while one run is worked on.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::Zap;
use super::trigger::webhook::context_value;
use crate::expression::{Gap, Names, Settings, Shape, TextBounds, Type};
use crate::mapping::MapError;
use crate::record;
use crate::value::{Instant, Kind, Object, Value};

// Slots of roots that are looked up by position. The order of all of them is that of `names` below, and of the values
// that `Scope::new` gives; loop names follow `step`, or take its successor's place where there is no `response`.
pub(crate) const RECORD: usize = 0;
pub(crate) const RECORD_RAW: usize = 1;
pub(crate) const VARS: usize = 2;
pub(crate) const LET: usize = 3;
pub(crate) const STEPS: usize = 4;
pub(crate) const EVENT: usize = 5;
const CONNECTION: usize = 7;
pub(crate) const FAILURE: usize = 8;
pub(crate) const STEP: usize = 9;
pub(crate) const RESPONSE: usize = 10;

/// The roots that are the same for every record.
pub(crate) const IS_FIXED: [usize; 2] = [VARS, CONNECTION];

/// The roots that are always in scope, in the order of their slots, with what is known of each. `arrives`: events are
/// requests, which have headers and a query.
pub(crate) fn names(record: Type, vars: Shape, connection: &Value, arrives: bool) -> Names {
    let text = || Shape::Scalar(Kind::Text);
    let mut event =
        vec![("id", text()), ("kind", text()), ("key", text()), ("at", Shape::Scalar(Kind::Instant))];
    if arrives {
        event.extend([("headers", Shape::Any), ("query", Shape::Any)]);
    }
    let connection = connection.as_object().into_iter().flat_map(Object::iter);
    let connection: Vec<(Arc<str>, Shape)> =
        connection.map(|(name, _)| (Arc::from(&**name), text())).collect();
    let raw = record.as_received();
    Names::new()
        .with("record", record)
        .with("record_raw", raw)
        .with("vars", vars)
        .with("let", Shape::no_members())
        .with("steps", Shape::no_members())
        .with("event", Shape::members(event))
        .with("run", Shape::members([("id", text()), ("started_at", Shape::Scalar(Kind::Instant))]))
        .with("connection", Shape::members(connection))
        .with("failure", Shape::members([("step", text()), ("reason", text())]))
}

/// The roots of what is told of an alert: `alert` takes the place of a record, and only `vars` is there beside it. What
/// holds the other slots cannot be written.
pub(crate) fn alert_names(alert: Type, vars: Shape) -> Names {
    let nothing = |names: Names, slot: usize| names.with(format!(" {slot}"), Shape::no_members());
    let names = nothing(Names::new().with("alert", alert), RECORD_RAW).with("vars", vars);
    (LET..STEP).fold(names, nothing)
}

/// What is known of a step that was come to: its answer, or under `each` its elements. `may_lack`: it may have been
/// skipped or have failed, and then there is no answer.
pub(crate) fn step_type(id: &str, each: bool, response: Shape, may_lack: bool) -> Shape {
    let outcome = ("outcome", Type { text: TextBounds::one_of(&OUTCOMES), ..Type::scalar(Kind::Text) });
    let response = Type::from(response);
    let response = if may_lack { response.with_gap(Gap::Step(Arc::from(id))) } else { response };
    if !each {
        return Shape::members([outcome, ("response", response)]);
    }
    let element =
        Shape::members([("key", Type::scalar(Kind::Text)), outcome.clone(), ("response", response)]);
    Shape::members([outcome, ("items", Type::list_of(element.into()))])
}

/// What `steps.ID.outcome` can be.
const OUTCOMES: [&str; 3] = ["done", "skipped", "failed"];

/// What is known of an answer.
pub(crate) fn response_shape() -> Shape {
    Shape::members([("status", Shape::Scalar(Kind::Number)), ("headers", Shape::Any), ("body", Shape::Any)])
}

/// The run and its event, as the engine knows them.
#[derive(Debug, Clone)]
pub struct RunFacts<'a> {
    /// The row as received.
    pub record: &'a [u8],
    /// The event.
    pub event: EventFacts,
    /// What else of the event expressions see, as a JSON object: headers and query of a request.
    pub context: Option<&'a [u8]>,
    /// The run's id.
    pub run_id: String,
    /// When the run was made; the same on every attempt.
    pub started_at: Timestamp,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
}

/// The event of a run.
#[derive(Debug, Clone)]
pub struct EventFacts {
    /// `kind:key`
    pub id: String,
    /// The kind's name.
    pub kind: String,
    /// The natural id.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
}

/// How a step, or one element of it, ended.
#[derive(Debug, Clone, Copy)]
pub struct StepFacts<'a> {
    /// `done`, `skipped` or `failed`.
    pub outcome: &'a str,
    /// The answer as JSON `{status, headers, body}`, where later steps read it.
    pub response: Option<&'a [u8]>,
    /// The element's key under `each`.
    pub element: Option<&'a str>,
}

/// The values of one run.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(crate) values: Vec<Value>,
    pub(crate) settings: Settings,
    pub(crate) key_base: Uuid,
    pub(crate) depth: u32,
    steps: Vec<(Arc<str>, StepState)>,
    /// Steps under `each`.
    lists: Vec<Arc<str>>,
    misfits: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum StepState {
    Whole(Value),
    Elements(Vec<Value>),
}

impl Scope {
    pub(super) fn new(zap: &Zap, facts: &RunFacts<'_>) -> Result<Self, MapError> {
        let mut misfits = Vec::new();
        let view = record(zap, facts.record, &mut misfits)?;
        let raw = if zap.reads_raw { json(facts.record)? } else { Value::Null };
        let zone = &zap.settings.zone;
        let instant = |at: Timestamp| Value::Instant(Instant::new(at, zone.clone()));
        let object = |members: Vec<(&str, Value)>| {
            Value::object(members.into_iter().map(|(name, value)| (Arc::from(name), value)).collect())
        };
        let mut event = vec![
            ("id", Value::text(facts.event.id.as_str())),
            ("kind", Value::text(facts.event.kind.as_str())),
            ("key", Value::text(facts.event.key.as_str())),
            ("at", instant(facts.event.at)),
        ];
        if zap.reads_context {
            let context = facts.context.map_or(Value::Null, context_value);
            let part =
                |name| context.as_object().and_then(|parts| parts.get(name)).cloned().unwrap_or_default();
            event.extend([("headers", part("headers")), ("query", part("query"))]);
        }
        let event = object(event);
        let run = object(vec![
            ("id", Value::text(facts.run_id.as_str())),
            ("started_at", instant(facts.started_at)),
        ]);
        let empty = || Value::Object(Object::new(Vec::new(), None));
        Ok(Scope {
            values: vec![
                view,
                raw,
                zap.vars.clone(),
                empty(),
                empty(),
                event,
                run,
                zap.connection.clone(),
                Value::Null,
            ],
            settings: zap.settings.clone(),
            key_base: facts.key_base,
            depth: facts.depth,
            steps: Vec::new(),
            lists: zap
                .actions
                .iter()
                .filter(|action| action.each.is_some())
                .map(|action| action.id.as_str().into())
                .collect(),
            misfits,
        })
    }

    /// What is seen of an alert.
    pub(super) fn of_alert(alert: Value, vars: Value, settings: Settings, key_base: Uuid) -> Self {
        let mut values = vec![Value::Null; STEP];
        values[RECORD] = alert;
        values[VARS] = vars;
        let (steps, lists, misfits) = (Vec::new(), Vec::new(), Vec::new());
        Scope { values, settings, key_base, depth: 0, steps, lists, misfits }
    }

    /// Fields of the record whose value did not fit the type.
    pub fn misfits(&self) -> &[&'static str] {
        &self.misfits
    }

    /// Gives `vars` other values.
    pub(crate) fn set_vars(&mut self, vars: Value) {
        self.values[VARS] = vars;
    }

    /// Says what went wrong, for the steps of `on_failure`.
    pub fn set_failure(&mut self, step: Option<&str>, reason: &str) {
        self.values[FAILURE] = Value::object(vec![
            (Arc::from("step"), step.map_or(Value::Null, Value::text)),
            (Arc::from("reason"), Value::text(reason)),
        ]);
    }

    /// Says how a step, or one element of it, ended; later steps see it under `steps`. A step under `each` that ended
    /// without an element has none to show.
    pub fn set_step(&mut self, step: &str, facts: StepFacts<'_>) {
        let response = parsed(facts.response);
        let mut members = vec![(Arc::from("outcome"), Value::text(facts.outcome))];
        match facts.element {
            // What was done, but not here, had elements that nobody knows.
            None if self.lists.iter().any(|list| **list == *step) => {
                let none = (facts.outcome != "done").then(|| (Arc::from("items"), Value::list(Vec::new())));
                members.extend(none);
            }
            _ => members.push((Arc::from("response"), response)),
        }
        let known = self.steps.iter_mut().find(|(id, _)| **id == *step);
        let state = match (facts.element, known) {
            (Some(element), Some((_, StepState::Elements(elements)))) => {
                members.insert(0, (Arc::from("key"), Value::text(element)));
                elements.push(Value::object(members));
                None
            }
            (Some(element), _) => {
                members.insert(0, (Arc::from("key"), Value::text(element)));
                Some(StepState::Elements(vec![Value::object(members)]))
            }
            (None, _) => Some(StepState::Whole(Value::object(members))),
        };
        if let Some(state) = state {
            self.steps.retain(|(id, _)| **id != *step);
            self.steps.push((Arc::from(step), state));
        }
        let steps = self.steps.iter().map(|(id, state)| (Arc::clone(id), state.value())).collect();
        self.values[STEPS] = Value::object(steps);
    }
}

/// The record as its trigger's schema sees it.
pub(super) fn record(zap: &Zap, raw: &[u8], misfits: &mut Vec<&'static str>) -> Result<Value, MapError> {
    match zap.trigger.schema() {
        Some(schema) => record::view(raw, schema, &zap.reads, misfits).map(Value::Object).map_err(unreadable),
        // Anything may have arrived, and it is seen as it came.
        None => json(raw),
    }
}

fn json(raw: &[u8]) -> Result<Value, MapError> {
    let text = std::str::from_utf8(raw).map_err(|_| unreadable(record::RowError::NotUtf8))?;
    Value::from_json(text).map_err(|error| unreadable(record::RowError::NotJson(error)))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unreadable(error: record::RowError) -> MapError {
    MapError::new("record", error.to_string())
}

/// An answer as it was kept.
pub(super) fn parsed(response: Option<&[u8]>) -> Value {
    response
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| Value::from_json(text).ok())
        .unwrap_or(Value::Null)
}

impl StepState {
    fn value(&self) -> Value {
        match self {
            StepState::Whole(value) => value.clone(),
            StepState::Elements(elements) => {
                let outcome = |wanted: &str| {
                    elements.iter().any(|element| {
                        element
                            .as_object()
                            .is_some_and(|object| object.member("outcome") == &Value::text(wanted))
                    })
                };
                let whole =
                    ["failed", "done"].into_iter().find(|wanted| outcome(wanted)).unwrap_or("skipped");
                Value::object(vec![
                    (Arc::from("outcome"), Value::text(whole)),
                    (Arc::from("items"), Value::list(elements.clone())),
                ])
            }
        }
    }
}
