//! One test of a zap: what is given, what is expected, and the comparison of the two.

use std::sync::Arc;

use jiff::Timestamp;

use super::answer::Answer;
use super::compare::{Difference, compare};
use super::occasion::{Attempt, Came, Occasion};
use super::run::{Element, Rehearsal, Stage};
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
    /// One record, or several one after the other.
    pub(crate) given: Arc<[Given]>,
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
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// When it arrives, where several do.
    pub(crate) arrives: Option<Timestamp>,
    /// The request by which a trigger with `also:` is told of it.
    pub(crate) also: Option<Value>,
    /// The record, where the trigger has one.
    pub(crate) record: Option<Value>,
    pub(crate) fresh: Option<Value>,
    pub(crate) headers: Option<Value>,
    pub(crate) query: Option<Value>,
    /// `at:`, the tick of a schedule.
    pub(crate) tick: Option<Timestamp>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) key: Option<String>,
    /// Those of the test.
    pub(crate) vars: Option<Value>,
    pub(crate) replies: Vec<(String, Replies)>,
}

/// What a step is answered: by attempt, the last for all further ones.
#[derive(Debug, Clone)]
pub(crate) enum Replies {
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

impl Case {
    /// Takes the record through the zap and compares; nothing when all is as expected. Of a test that has to go through
    /// the engine it says so: see [`Case::script`].
    pub fn check(&self, zap: &Zap) -> Vec<Difference> {
        let (Expected::One(expect), [given], false) = (&self.expect, &*self.given, self.engine) else {
            return vec![Difference::new("the run", "to go through the engine", "no engine")];
        };
        let mut differences = self.placed(compare(expect, &self.came(zap)));
        // What holds of every record holds of this one.
        let broken = broken_by(zap, given).into_iter();
        differences.extend(broken.map(|(law, got)| Difference::new(law, "to hold", got)));
        differences
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

    /// What it gives, where that is one record that needs no engine.
    pub(crate) fn plain(&self) -> Option<&Given> {
        if self.engine { None } else { self.given.first() }
    }

    /// Whether it expects the run, or a step of it, to be given up, or to end otherwise than well.
    pub(crate) fn expects_failure(&self) -> bool {
        fn fails(step: &StepExpect) -> bool {
            matches!(step.outcome, Outcome::Failed(_))
                || match &step.each {
                    None => false,
                    Some(EachExpect::List(all)) => all.iter().any(fails),
                    Some(EachExpect::Keys(all)) => all.iter().any(|(_, step)| fails(step)),
                }
        }
        let of_one = |expect: &Expect| match expect {
            Expect::Filtered | Expect::Ignored | Expect::Known => false,
            Expect::Run { error, steps, ending } => {
                error.is_some() || ending.is_bad() || steps.iter().any(|(_, step)| fails(step))
            }
        };
        match &self.expect {
            Expected::One(expect) => of_one(expect),
            Expected::Each(all) => all.iter().any(of_one),
            Expected::Totals { totals, .. } => {
                totals.iter().any(|(outcome, _)| matches!(outcome.as_str(), "held" | "dead" | "pending"))
            }
        }
    }

    /// What happened first, without what steps are answered.
    pub fn occasion(&self) -> Occasion {
        self.given.first().map(Given::occasion).unwrap_or_default()
    }

    /// The same of each of its records.
    pub fn occasions(&self) -> impl Iterator<Item = Occasion> {
        self.given.iter().map(Given::occasion)
    }

    /// What becomes of the first record, or of another that is told instead, with what the test answers.
    pub fn rehearse(&self, zap: &Zap, occasion: &Occasion, traces: bool) -> Came {
        self.rehearse_at(0, zap, occasion, traces)
    }

    /// The same of the record of that number, from 0.
    pub fn rehearse_at(&self, at: usize, zap: &Zap, occasion: &Occasion, traces: bool) -> Came {
        let Some(given) = self.given.get(at) else {
            return Came::Unreadable("there is no record".to_owned());
        };
        match given.told(zap, traces) {
            Ok(told) => occasion.rehearse(zap, &told),
            Err(error) => Came::Unreadable(error.to_string()),
        }
    }

    /// What its first record comes to without an engine; nothing when its trigger does not take it.
    pub fn rehearsed(&self, zap: &Zap) -> Option<Rehearsal> {
        match self.came(zap) {
            Came::Rehearsed(rehearsal) => Some(*rehearsal),
            Came::Ignored(_) | Came::Unreadable(_) => None,
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
    pub(super) fn context(&self) -> Vec<u8> {
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
            Replies::All(answers) => answers.first(),
            Replies::Each(answers) => answers.get(element?.at)?.first(),
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
