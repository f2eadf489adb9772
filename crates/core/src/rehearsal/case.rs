//! One test of a zap: what is given, what is expected, and the comparison of the two.

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::compare::{Difference, compare};
use super::run::{Element, Rehearsal, Stage, rehearse};
use crate::card;
use crate::mapping::MapError;
use crate::property::broken_by;
use crate::record::Row;
use crate::source::Span;
use crate::trigger::{Verdict, When};
use crate::value::{Object, Value};
use crate::zap::{Arrival, CrmTrigger, Entrance, EventFacts, RunFacts, Scope, Trigger, Zap, key};

/// When things happen in tests that do not say so: 2026-01-01T00:00:00Z.
const SOME_TIME: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The natural id of an event that has none and of which the test says nothing.
const SOME_KEY: &str = "test";

/// A test that was read.
#[derive(Debug)]
pub struct Case {
    /// The zap's name.
    pub zap: String,
    /// What it shows.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    pub(crate) given: Given,
    pub(super) expect: Expect,
}

/// What a test gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// The record, where the trigger has one.
    pub(crate) record: Option<Value>,
    pub(crate) fresh: Option<Value>,
    pub(crate) headers: Option<Value>,
    pub(crate) query: Option<Value>,
    /// `at:`, the tick of a schedule.
    pub(crate) tick: Option<Timestamp>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) key: Option<String>,
    pub(crate) vars: Option<Value>,
    pub(crate) replies: Vec<(String, Replies)>,
}

/// What a step is answered.
#[derive(Debug, Clone)]
pub(crate) enum Replies {
    /// The same for every element.
    All(Answer),
    /// One for each element.
    Each(Vec<Answer>),
}

/// What a test expects of a run.
#[derive(Debug)]
pub(super) enum Expect {
    /// The filter says no.
    Filtered,
    /// The trigger does not take the record.
    Ignored,
    /// The run goes on to the steps, or is given up before the first of them.
    Run { error: Option<String>, steps: Vec<(String, StepExpect)> },
}

/// What a test expects of a step, or of one element of it.
#[derive(Debug, Default)]
pub(super) struct StepExpect {
    pub(super) outcome: Outcome,
    pub(super) exact: bool,
    pub(super) parts: Vec<(&'static str, Value)>,
    pub(super) each: Option<EachExpect>,
}

/// How a step is expected to end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Skipped,
    /// Given up, for a reason that holds this text.
    Failed(String),
}

/// What a test expects of a step's elements.
#[derive(Debug)]
pub(super) enum EachExpect {
    /// Of all of them, in order.
    List(Vec<StepExpect>),
    /// Of some, by their keys.
    Keys(Vec<(String, StepExpect)>),
}

/// What became of a test's record.
#[derive(Debug)]
pub(crate) enum Came {
    /// The trigger does not take it.
    Ignored(String),
    /// It cannot be read, or has no key.
    Unreadable(String),
    /// It went through the zap.
    Rehearsed(Box<Rehearsal>),
}

impl Case {
    /// Takes the record through the zap and compares; nothing when all is as expected.
    pub fn check(&self, zap: &Zap) -> Vec<Difference> {
        let mut differences = compare(&self.expect, &self.came(zap));
        // What holds of every record holds of this one.
        differences.extend(broken_by(zap, &self.given).into_iter().map(|(law, got)| Difference {
            place: law,
            expected: "to hold".to_owned(),
            got,
            help: None,
        }));
        differences
    }

    /// Whether it expects the run, or a step of it, to be given up.
    pub(crate) fn expects_failure(&self) -> bool {
        fn fails(step: &StepExpect) -> bool {
            matches!(step.outcome, Outcome::Failed(_))
                || match &step.each {
                    None => false,
                    Some(EachExpect::List(all)) => all.iter().any(fails),
                    Some(EachExpect::Keys(all)) => all.iter().any(|(_, step)| fails(step)),
                }
        }
        match &self.expect {
            Expect::Filtered | Expect::Ignored => false,
            Expect::Run { error, steps } => error.is_some() || steps.iter().any(|(_, step)| fails(step)),
        }
    }

    pub(super) fn came(&self, zap: &Zap) -> Came {
        match self.given.attempt(zap) {
            Ok(attempt) => Came::Rehearsed(Box::new(attempt.rehearsal)),
            Err(came) => came,
        }
    }
}

/// What became of something given that the trigger takes.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The row, item or body as a run keeps it.
    pub(crate) record: Vec<u8>,
    /// How it went through the zap.
    pub(crate) rehearsal: Rehearsal,
    /// What expressions see at the end.
    pub(crate) scope: Scope,
}

impl Given {
    /// Takes what is given through the zap.
    ///
    /// # Errors
    /// What became of it where it did not come to the filter.
    pub(crate) fn attempt(&self, zap: &Zap) -> Result<Attempt, Came> {
        let event = self.event(zap)?;
        let context = self.context();
        let scope = zap.scope(&RunFacts {
            record: &event.record,
            event: EventFacts {
                id: format!("{}:{}", zap.trigger.kind(), event.key),
                kind: zap.trigger.kind().to_owned(),
                key: event.key.clone(),
                at: event.at,
            },
            context: Some(&context),
            run_id: "1".to_owned(),
            started_at: event.at,
            key_base: key::base(&zap.name, zap.trigger.kind(), &event.key),
            depth: 0,
        });
        let mut scope = scope.map_err(unreadable)?;
        let fresh = self.fresh.as_ref().map(|fresh| zap.record(&json(fresh))).transpose();
        let fresh = fresh.map_err(unreadable)?;
        self.set_vars(zap, &mut scope);
        let stage = Told { replies: &self.replies, fresh };
        let rehearsal = rehearse(zap, &mut scope, &stage);
        Ok(Attempt { record: event.record, rehearsal, scope })
    }

    fn set_vars(&self, zap: &Zap, scope: &mut Scope) {
        if let Some(vars) = &self.vars {
            scope.set_vars(laid_over(zap.vars(), vars));
        }
    }

    /// Headers and query of a request, as they are kept with its event.
    fn context(&self) -> Vec<u8> {
        let part = |part: &Option<Value>| part.clone().unwrap_or_else(|| Value::object(Vec::new()));
        let (headers, query) = (part(&self.headers), part(&self.query));
        json(&Value::object(vec![("headers".into(), headers), ("query".into(), query)]))
    }

    fn event(&self, zap: &Zap) -> Result<Event, Came> {
        let given = self;
        let mut event = match &zap.trigger {
            Trigger::Crm(trigger) => self.row(trigger)?,
            Trigger::Schedule(trigger) => {
                let at = given.tick.unwrap_or(SOME_TIME);
                if trigger.latest(at) != Some(at) {
                    return Err(Came::Ignored("it is none of the times of `cron`".to_owned()));
                }
                Event { record: trigger.record(at), key: trigger.key(at), at }
            }
            Trigger::Webhook(trigger) => self.request(&trigger.entrance)?,
            Trigger::Http(trigger) => {
                let record = given.record.clone().unwrap_or_default();
                let item = trigger.item(json(&record), record);
                let at = item.at.map_err(unreadable)?.unwrap_or(SOME_TIME);
                Event { record: item.record, key: item.key.map_err(unreadable)?, at }
            }
        };
        event.at = given.at.unwrap_or(event.at);
        event.key = given.key.clone().unwrap_or(event.key);
        Ok(event)
    }

    /// A request that arrives: whether it is accepted, and what it is known by.
    fn request(&self, entrance: &Entrance) -> Result<Event, Came> {
        let record = self.record.as_ref().or(self.query.as_ref()).map(json).unwrap_or_default();
        let arrival = Arrival::read(&record, Some(&self.context()))
            .map_err(|error| Came::Unreadable(format!("record: {error}")))?;
        if let Some(field) = card::field(arrival.record()) {
            return Err(Came::Ignored(format!("`{field}` holds card data")));
        }
        let key = entrance.key(&arrival).map_err(unreadable)?;
        Ok(Event { record, key, at: SOME_TIME })
    }

    /// A row of the CRM: whether the trigger takes it, and its id and time as polling finds them.
    fn row(&self, trigger: &CrmTrigger) -> Result<Event, Came> {
        let record = self.record.as_ref().map(json).unwrap_or_default();
        // As polling does before anything is kept.
        let record = card::redact(&record, Some(trigger.schema())).map_or(record, |redacted| redacted.row);
        let row = Row::decode(&record, trigger.schema(), &trigger.fields())
            .map_err(|error| Came::Unreadable(format!("record: {error}")))?;
        if let Some(why) = trigger.declines(&row) {
            return Err(Came::Ignored(why));
        }
        // All that has ever happened is news to a zap that began before time, and nothing was first seen later.
        let when = When { boundary: Timestamp::MIN, opened_at: Timestamp::MAX, skew: SignedDuration::ZERO };
        let at = match trigger.judge(&row, &when) {
            Verdict::Fire { at } | Verdict::Prime { at } => at,
            Verdict::PrimeUndated { .. } | Verdict::LookUp { .. } => {
                row.moment("dateCreated", &trigger.zone).map_or(SOME_TIME, |created| created.at)
            }
        };
        let key = trigger.key(&row).unwrap_or_else(|| SOME_KEY.to_owned());
        Ok(Event { record, key, at })
    }
}

struct Event {
    record: Vec<u8>,
    key: String,
    at: Timestamp,
}

/// What a test tells a rehearsal.
struct Told<'a> {
    replies: &'a [(String, Replies)],
    fresh: Option<Value>,
}

impl Stage for Told<'_> {
    fn answer(&self, step: &str, element: Option<Element<'_>>) -> Option<&Answer> {
        let (_, replies) = self.replies.iter().find(|(id, _)| id == step)?;
        match replies {
            Replies::All(answer) => Some(answer),
            Replies::Each(answers) => answers.get(element?.at),
        }
    }

    fn fresh(&self) -> Option<&Value> {
        self.fresh.as_ref()
    }
}

/// One value laid over another: maps merge, everything else replaces.
pub(super) fn laid_over(base: &Value, over: &Value) -> Value {
    let (Value::Object(base), Value::Object(over)) = (base, over) else { return over.clone() };
    let merged = |name: &std::sync::Arc<str>, value: &Value| match over.get(name) {
        Some(over) => laid_over(value, over),
        None => value.clone(),
    };
    let mut members: Vec<_> = base.iter().map(|(name, value)| (name.clone(), merged(name, value))).collect();
    let more = over.iter().filter(|(name, _)| base.get(name).is_none());
    members.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(Object::new(members, None))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unreadable(error: MapError) -> Came {
    Came::Unreadable(error.to_string())
}

/// A value as JSON. What tests give has nothing absent in it, so it can always be written.
fn json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _written = value.write_json(&mut bytes);
    bytes
}
