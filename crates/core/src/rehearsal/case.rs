//! One test of a zap: what is given, what is expected, and the comparison of the two.

use jiff::Timestamp;

use super::answer::Answer;
use super::compare::{Difference, compare};
use super::occasion::{Came, Occasion};
use super::run::{Element, Stage};
use crate::source::Span;
use crate::value::Value;
use crate::zap::Zap;

/// A test that was read.
#[derive(Debug)]
pub struct Case {
    /// The zap's name.
    pub zap: String,
    /// What it shows.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    pub(super) given: Given,
    pub(super) expect: Expect,
}

/// What a test gives.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// The record, where the trigger has one.
    pub(super) record: Option<Value>,
    pub(super) fresh: Option<Value>,
    pub(super) headers: Option<Value>,
    pub(super) query: Option<Value>,
    /// `at:`, the tick of a schedule.
    pub(super) tick: Option<Timestamp>,
    pub(super) at: Option<Timestamp>,
    pub(super) key: Option<String>,
    pub(super) vars: Option<Value>,
    pub(super) replies: Vec<(String, Replies)>,
}

/// What a step is answered.
#[derive(Debug)]
pub(super) enum Replies {
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

impl Case {
    /// Takes the record through the zap and compares; nothing when all is as expected.
    pub fn check(&self, zap: &Zap) -> Vec<Difference> {
        compare(&self.expect, &self.came(zap))
    }

    /// What happened, without what steps are answered.
    pub fn occasion(&self) -> Occasion {
        let given = &self.given;
        // A request without a body is known by its query.
        let query = given.query.as_ref().filter(|_| given.record.is_none());
        Occasion {
            record: given.record.as_ref().or(query).map(json),
            context: Some(self.context()),
            tick: given.tick,
            at: given.at,
            key: given.key.clone(),
            vars: given.vars.clone(),
            ..Occasion::default()
        }
    }

    /// What becomes of the record, or of another that is told instead, with what the test answers.
    pub fn rehearse(&self, zap: &Zap, occasion: &Occasion, traces: bool) -> Came {
        let fresh = match self.given.fresh.as_ref().map(|fresh| zap.record(&json(fresh))).transpose() {
            Ok(fresh) => fresh,
            Err(error) => return Came::Unreadable(error.to_string()),
        };
        occasion.rehearse(zap, &Told { replies: &self.given.replies, fresh, traces })
    }

    pub(super) fn came(&self, zap: &Zap) -> Came {
        self.rehearse(zap, &self.occasion(), false)
    }

    /// Headers and query of a request, as they are kept with its event.
    fn context(&self) -> Vec<u8> {
        let part = |part: &Option<Value>| part.clone().unwrap_or_else(|| Value::object(Vec::new()));
        let (headers, query) = (part(&self.given.headers), part(&self.given.query));
        json(&Value::object(vec![("headers".into(), headers), ("query".into(), query)]))
    }
}

/// What a test tells a rehearsal.
struct Told<'a> {
    replies: &'a [(String, Replies)],
    fresh: Option<Value>,
    traces: bool,
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

    fn traces(&self) -> bool {
        self.traces
    }
}

/// A value as JSON. What tests give has nothing absent in it, so it can always be written.
pub(super) fn json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _written = value.write_json(&mut bytes);
    bytes
}
