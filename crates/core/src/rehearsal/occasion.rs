//! Something that happened, and what a zap makes of it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::run::{Rehearsal, Stage, rehearse};
use crate::card;
use crate::mapping::MapError;
use crate::record::Row;
use crate::trigger::{Verdict, When};
use crate::value::{Object, Value};
use crate::zap::{Arrival, CrmTrigger, Entrance, EventFacts, RunFacts, Scope, Trigger, Zap, key};

/// When things happen of which nothing says when: 2026-01-01T00:00:00Z.
pub(super) const SOME_TIME: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The natural id of an event that has none and of which nothing is said.
const SOME_KEY: &str = "test";

/// Something that happened, as far as it is told. What is not told comes from the record, as in a run.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// The row of the CRM, the item or the body of a request, as JSON; none where only a time or a query is told.
    pub record: Option<Vec<u8>>,
    /// Headers and query of a request, as they are kept with its event: `{"headers": {…}, "query": {…}}`.
    pub context: Option<Vec<u8>>,
    /// The tick of a schedule.
    pub tick: Option<Timestamp>,
    /// `event.at`
    pub at: Option<Timestamp>,
    /// `event.key`
    pub key: Option<String>,
    /// Laid over the project's `vars`.
    pub vars: Option<Value>,
    /// The run that was made of it.
    pub run: Option<KnownRun>,
}

/// A run that a state knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub started_at: Timestamp,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
}

/// What became of something that happened.
#[derive(Debug)]
pub enum Came {
    /// The trigger does not take it, for this reason.
    Ignored(String),
    /// It cannot be read, or has no key.
    Unreadable(String),
    /// It went through the zap.
    Rehearsed(Box<Rehearsal>),
}

/// How something that the trigger takes went through a zap.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The row, item or body as a run keeps it.
    pub(crate) record: Vec<u8>,
    /// What each step came to.
    pub(crate) rehearsal: Rehearsal,
    /// What expressions see at the end.
    pub(crate) scope: Scope,
}

impl Occasion {
    /// Whether the zap's trigger takes it, and what the event is: kind and natural id.
    ///
    /// # Errors
    /// What became of it when it makes no event.
    pub fn event(&self, zap: &Zap) -> Result<String, Came> {
        let event = self.found(zap)?;
        Ok(format!("{}:{}", zap.trigger.kind(), event.key))
    }

    /// Takes it through a zap.
    pub fn rehearse(&self, zap: &Zap, stage: &dyn Stage) -> Came {
        match self.attempt(zap, stage) {
            Ok(attempt) => Came::Rehearsed(Box::new(attempt.rehearsal)),
            Err(came) => came,
        }
    }

    /// The same, with what expressions see at the end.
    ///
    /// # Errors
    /// What became of it where it did not come to the filter.
    pub(crate) fn attempt(&self, zap: &Zap, stage: &dyn Stage) -> Result<Attempt, Came> {
        let event = self.found(zap)?;
        let kind = zap.trigger.kind();
        let run = self.run.clone().unwrap_or_else(|| KnownRun {
            id: "1".to_owned(),
            started_at: event.at,
            key_base: key::base(&zap.name, kind, &event.key),
            depth: 0,
        });
        let scope = zap.scope(&RunFacts {
            record: &event.record,
            event: EventFacts {
                id: format!("{kind}:{}", event.key),
                kind: kind.to_owned(),
                key: event.key.clone(),
                at: event.at,
            },
            context: self.context.as_deref(),
            run_id: run.id,
            started_at: run.started_at,
            key_base: run.key_base,
            depth: run.depth,
        });
        let mut scope = scope.map_err(|error| unreadable(&error))?;
        if let Some(vars) = &self.vars {
            scope.set_vars(laid_over(zap.vars(), vars));
        }
        let rehearsal = rehearse(zap, &mut scope, stage);
        Ok(Attempt { record: event.record, rehearsal, scope })
    }

    pub(super) fn found(&self, zap: &Zap) -> Result<Event, Came> {
        let mut event = match &zap.trigger {
            Trigger::Crm(trigger) => self.row(trigger)?,
            Trigger::Schedule(trigger) => {
                let at = self.tick.or(self.at).unwrap_or(SOME_TIME);
                if trigger.latest(at) != Some(at) {
                    return Err(Came::Ignored("it is none of the times of `cron`".to_owned()));
                }
                Event { record: trigger.record(at), key: trigger.key(at), at }
            }
            Trigger::Webhook(trigger) => self.request(&trigger.entrance)?,
            Trigger::Http(trigger) => {
                let bytes = self.record.clone().unwrap_or_else(|| b"null".to_vec());
                let record = std::str::from_utf8(&bytes).ok().and_then(|text| Value::from_json(text).ok());
                let Some(record) = record else {
                    return Err(Came::Unreadable("record: it is not JSON".to_owned()));
                };
                let item = trigger.item(bytes, record);
                let at = item.at.map_err(|error| unreadable(&error))?.unwrap_or(SOME_TIME);
                Event { record: item.record, key: item.key.map_err(|error| unreadable(&error))?, at }
            }
        };
        event.at = self.at.unwrap_or(event.at);
        event.key = self.key.clone().unwrap_or(event.key);
        Ok(event)
    }

    /// A request that arrives: whether it is accepted, and what it is known by.
    fn request(&self, entrance: &Entrance) -> Result<Event, Came> {
        let record = self.record.clone().unwrap_or_default();
        let arrival = Arrival::read(&record, self.context.as_deref())
            .map_err(|error| Came::Unreadable(format!("record: {error}")))?;
        if let Some(field) = card::field(arrival.record()) {
            return Err(Came::Ignored(format!("`{field}` holds card data")));
        }
        let key = entrance.key(&arrival).map_err(|error| unreadable(&error))?;
        Ok(Event { record, key, at: SOME_TIME })
    }

    /// A row of the CRM: whether the trigger takes it, and its id and time as polling finds them.
    fn row(&self, trigger: &CrmTrigger) -> Result<Event, Came> {
        let record = self.record.clone().unwrap_or_default();
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

/// What happened, and what it is known by.
pub(super) struct Event {
    pub(super) record: Vec<u8>,
    pub(super) key: String,
    pub(super) at: Timestamp,
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

fn unreadable(error: &MapError) -> Came {
    Came::Unreadable(error.to_string())
}
