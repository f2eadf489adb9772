//! One test of a zap: what is given, what is expected, and the comparison of the two.

use jiff::Timestamp;

use super::answer::Answer;
use super::compare::{Difference, compare};
use super::occasion::{Attempt, Came, Occasion};
use super::run::{Element, Stage};
use crate::mapping::MapError;
use crate::property::broken_by;
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

    /// What happened, without what steps are answered.
    pub fn occasion(&self) -> Occasion {
        self.given.occasion()
    }

    /// What becomes of the record, or of another that is told instead, with what the test answers.
    pub fn rehearse(&self, zap: &Zap, occasion: &Occasion, traces: bool) -> Came {
        match self.given.told(zap, traces) {
            Ok(told) => occasion.rehearse(zap, &told),
            Err(error) => Came::Unreadable(error.to_string()),
        }
    }

    pub(super) fn came(&self, zap: &Zap) -> Came {
        self.rehearse(zap, &self.occasion(), false)
    }
}

impl Given {
    /// Takes what is given through the zap.
    ///
    /// # Errors
    /// What became of it where it did not come to the filter.
    pub(crate) fn attempt(&self, zap: &Zap) -> Result<Attempt, Came> {
        let told = self.told(zap, false).map_err(|error| Came::Unreadable(error.to_string()))?;
        self.occasion().attempt(zap, &told)
    }

    /// What happened, without what steps are answered.
    pub(crate) fn occasion(&self) -> Occasion {
        // A request without a body is known by its query.
        let query = self.query.as_ref().filter(|_| self.record.is_none());
        Occasion {
            record: self.record.as_ref().or(query).map(json),
            context: Some(self.context()),
            tick: self.tick,
            at: self.at,
            key: self.key.clone(),
            vars: self.vars.clone(),
            ..Occasion::default()
        }
    }

    fn told(&self, zap: &Zap, traces: bool) -> Result<Told<'_>, MapError> {
        let fresh = self.fresh.as_ref().map(|fresh| zap.record(&json(fresh))).transpose()?;
        Ok(Told { replies: &self.replies, fresh, traces })
    }

    /// Headers and query of a request, as they are kept with its event.
    fn context(&self) -> Vec<u8> {
        let part = |part: &Option<Value>| part.clone().unwrap_or_else(|| Value::object(Vec::new()));
        let (headers, query) = (part(&self.headers), part(&self.query));
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
