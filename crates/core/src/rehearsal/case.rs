//! One test of a zap: what is given, what is expected, and the comparison of the two.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::compare::{Difference, compare};
use super::run::{Element, Rehearsal, Stage, rehearse};
use crate::card;
use crate::mapping::MapError;
use crate::record::Row;
use crate::source::Span;
use crate::trigger::{Verdict, When};
use crate::value::{Object, Value};
use crate::zap::{Arrival, CrmTrigger, Entrance, EventFacts, RunFacts, Scope, Trigger, Zap, key};

/// When things happen in tests that do not say so: 2026-01-01T00:00:00Z.
pub(super) const SOME_TIME: Timestamp = Timestamp::constant(1_767_225_600, 0);

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
    /// One record, or several one after the other.
    pub(super) given: Arc<[Given]>,
    pub(super) vars: Option<Value>,
    pub(super) expect: Expected,
    /// Whether it has to go through the engine.
    pub(super) engine: bool,
    /// Where what is expected is written.
    pub(super) places: Places,
}

/// Where the parts of an expectation are written, by their JSON pointers.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The whole of it.
    pub(super) whole: Option<Span>,
    pub(super) parts: Vec<(String, Span)>,
}

impl Places {
    /// Where a part is written, or where it would be.
    pub(super) fn of(&self, pointer: &str) -> Option<Span> {
        let mut pointer = pointer;
        loop {
            let found = self.parts.iter().find(|(known, _)| known == pointer);
            match found {
                Some((_, span)) => return Some(*span),
                None => pointer = pointer.rsplit_once('/')?.0,
            }
        }
    }
}

/// What a test gives of one record.
#[derive(Debug, Default, Clone)]
pub(super) struct Given {
    /// When it arrives, where several do.
    pub(super) arrives: Option<Timestamp>,
    /// The request by which a trigger with `also:` is told of it.
    pub(super) also: Option<Value>,
    /// The record, where the trigger has one.
    pub(super) record: Option<Value>,
    pub(super) fresh: Option<Value>,
    pub(super) headers: Option<Value>,
    pub(super) query: Option<Value>,
    /// `at:`, the tick of a schedule.
    pub(super) tick: Option<Timestamp>,
    pub(super) at: Option<Timestamp>,
    pub(super) key: Option<String>,
    pub(super) replies: Vec<(String, Replies)>,
}

/// What a step is answered: by attempt, the last for all further ones.
#[derive(Debug, Clone)]
pub(super) enum Replies {
    /// The same for every element.
    All(Vec<Answer>),
    /// For each element its own.
    Each(Vec<Vec<Answer>>),
}

/// What a test expects.
#[derive(Debug)]
pub(super) enum Expected {
    /// Of its record.
    One(Expect),
    /// Of each of its records.
    Each(Vec<Expect>),
    /// Of all of them together.
    Totals {
        /// How many come to what.
        totals: Vec<(String, u64)>,
        /// How often steps are asked.
        attempts: Vec<(String, u64)>,
    },
}

/// What a test expects of how a run ends.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// One of [`crate::definition::OUTCOMES`].
    pub(super) outcome: Option<String>,
    /// What the reason holds.
    pub(super) reason: Option<String>,
    /// How often steps are asked.
    pub(super) attempts: Vec<(String, u64)>,
}

impl Ending {
    pub(super) fn says_something(&self) -> bool {
        self.outcome.is_some() || self.reason.is_some() || !self.attempts.is_empty()
    }

    /// Whether the run is expected not to end well, so that its steps may fail.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.outcome.as_deref(), Some("held" | "dead" | "pending"))
    }
}

/// What a test expects of a run.
#[derive(Debug)]
pub(super) enum Expect {
    /// The filter says no.
    Filtered,
    /// The trigger does not take the record.
    Ignored,
    /// The ledger holds it already.
    Known,
    /// The run goes on to the steps, or is given up before the first of them.
    Run { error: Option<String>, steps: Vec<(String, StepExpect)>, ending: Ending },
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
pub(super) enum Came {
    /// The trigger does not take it.
    Ignored(String),
    /// It cannot be read, or has no key.
    Unreadable(String),
    /// It went through the zap.
    Rehearsed(Box<Rehearsal>),
}

impl Case {
    /// Takes the record through the zap and compares; nothing when all is as expected. Of a test that has to go through
    /// the engine it says so: see [`Case::script`].
    pub fn check(&self, zap: &Zap) -> Vec<Difference> {
        let (Expected::One(expect), [given], false) = (&self.expect, &*self.given, self.engine) else {
            return vec![Difference::new("the run", "to go through the engine", "no engine")];
        };
        self.placed(compare(expect, &self.came(zap, given)))
    }

    /// What its record comes to without an engine; nothing when its trigger does not take it.
    pub fn rehearse(&self, zap: &Zap) -> Option<Rehearsal> {
        match self.came(zap, self.given.first()?) {
            Came::Rehearsed(rehearsal) => Some(*rehearsal),
            Came::Ignored(_) | Came::Unreadable(_) => None,
        }
    }

    /// Where what it expects is written; nothing where that is another test's.
    pub fn expectation(&self) -> Option<Span> {
        self.places.whole
    }

    /// Differences with their places in the file.
    pub(super) fn placed(&self, mut differences: Vec<Difference>) -> Vec<Difference> {
        for difference in &mut differences {
            difference.span = difference.fix.as_ref().and_then(|fix| self.places.of(&fix.pointer));
        }
        differences
    }

    pub(super) fn came(&self, zap: &Zap, given: &Given) -> Came {
        let event = match given.event(zap) {
            Ok(event) => event,
            Err(came) => return came,
        };
        let context = given.context();
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
        let mut scope = match scope {
            Ok(scope) => scope,
            Err(error) => return Came::Unreadable(error.to_string()),
        };
        let fresh = match given.fresh.as_ref().map(|fresh| zap.record(&json(fresh))).transpose() {
            Ok(fresh) => fresh,
            Err(error) => return Came::Unreadable(error.to_string()),
        };
        set_vars(self.vars.as_ref(), zap, &mut scope);
        let stage = Told { replies: &given.replies, fresh };
        Came::Rehearsed(Box::new(rehearse(zap, &mut scope, &stage)))
    }
}

/// Lays a test's `vars` over the project's.
pub(super) fn set_vars(vars: Option<&Value>, zap: &Zap, scope: &mut Scope) {
    if let Some(vars) = vars {
        scope.set_vars(laid_over(zap.vars(), vars));
    }
}

impl Given {
    /// Headers and query of a request, as they are kept with its event.
    pub(super) fn context(&self) -> Vec<u8> {
        let part = |part: &Option<Value>| part.clone().unwrap_or_else(|| Value::object(Vec::new()));
        let (headers, query) = (part(&self.headers), part(&self.query));
        json(&Value::object(vec![("headers".into(), headers), ("query".into(), query)]))
    }

    /// What happened, and what it is known by.
    pub(super) fn event(&self, zap: &Zap) -> Result<Event, Came> {
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

/// What happened.
pub(super) struct Event {
    pub(super) record: Vec<u8>,
    pub(super) key: String,
    pub(super) at: Timestamp,
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
            Replies::All(answers) => answers.first(),
            Replies::Each(answers) => answers.get(element?.at)?.first(),
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
pub(super) fn json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _written = value.write_json(&mut bytes);
    bytes
}
