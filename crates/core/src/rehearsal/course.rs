//! A test that goes through the engine: what the engine is given, and what it gives back.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::case::{Case, Given, Replies, json};
use super::compare::{Difference, judge};
use super::occasion::{Came, SOME_TIME, laid_over};
use super::run::Rehearsal;
use crate::property::broken_by_run;
use crate::record::{ReadSet, Row};
use crate::value::Value;

use crate::zap::{Arrival, Scope, Trigger, Zap};

/// Records of which nothing else is said arrive so long after each other.
const APART: SignedDuration = SignedDuration::from_mins(1);

/// What happens in a test.
#[derive(Debug)]
pub struct Script {
    given: Arc<[Given]>,
    vars: Option<Value>,
    /// What arrives, in the order of the test.
    pub entries: Vec<Entry>,
}

/// One record of a test.
#[derive(Debug)]
pub struct Entry {
    /// When it arrives.
    pub at: Timestamp,
    /// What happened, or why it is nobody's business.
    pub comes: Result<News, Turned>,
    /// What a reader of the CRM finds from then on under its key.
    pub found: Vec<u8>,
}

/// Why a record makes no event.
#[derive(Debug, Clone)]
pub enum Turned {
    /// The trigger does not take it.
    Ignored(String),
    /// It cannot be read, or has no key.
    Unreadable(String),
}

/// An event as the ledger takes it.
#[derive(Debug, Clone)]
pub struct News {
    /// The natural id.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// The record.
    pub record: Vec<u8>,
    /// Headers and query of a request.
    pub context: Option<Vec<u8>>,
    /// The order that it is about.
    pub order: Option<String>,
    /// Whether it fires although zaprun made it itself.
    pub own: bool,
}

/// What came of one record.
#[derive(Debug)]
pub enum Played {
    /// It made no event.
    Turned(Turned),
    /// The ledger held it already.
    Known,
    /// A run.
    Run(Box<PlayedRun>),
}

/// A run of a test.
#[derive(Debug)]
pub struct PlayedRun {
    /// How it ended.
    pub judged: Judged,
    /// The word of its reason.
    pub word: String,
    /// The reason in plain words.
    pub detail: String,
    /// What its steps sent, as a rehearsal tells it.
    pub rehearsal: Rehearsal,
    /// How often each step was asked.
    pub asked: Vec<(String, u64)>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Every step is done or skipped.
    Delivered,
    /// It was left alone.
    Filtered,
    /// It waits for a person.
    Held,
    /// It is given up.
    Dead,
    /// It still waits, days later.
    Pending,
}

impl Judged {
    /// As `$outcome` names it.
    pub fn word(self) -> &'static str {
        match self {
            Judged::Delivered => "delivered",
            Judged::Filtered => "filtered",
            Judged::Held => "held",
            Judged::Dead => "dead",
            Judged::Pending => "pending",
        }
    }
}

impl Played {
    /// As `$totals` names it. What cannot be read has no word there.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Played::Turned(Turned::Ignored(_)) => "ignored",
            Played::Turned(Turned::Unreadable(_)) => "unreadable",
            Played::Known => "known",
            Played::Run(run) => run.judged.word(),
        }
    }

    /// The run, where it is one.
    pub fn run(&self) -> Option<&PlayedRun> {
        match self {
            Played::Run(run) => Some(run),
            Played::Turned(_) | Played::Known => None,
        }
    }
}

impl PlayedRun {
    /// How often a step was asked.
    pub(super) fn asked(&self, step: &str) -> u64 {
        self.asked.iter().find(|(id, _)| id == step).map_or(0, |(_, asked)| *asked)
    }
}

impl Case {
    /// What the engine has to be given; nothing where the test needs none, and [`Case::check`] is enough.
    pub fn script(&self, zap: &Zap) -> Option<Script> {
        self.engine.then(|| self.any_script(zap))
    }

    /// The same for any test.
    pub fn any_script(&self, zap: &Zap) -> Script {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.given.len());
        for given in self.given.iter() {
            let comes = given.news(zap);
            let happened = comes.as_ref().ok().map(|news| news.at);
            let earliest = entries.last().map(|before| before.at.saturating_add(APART).unwrap_or(before.at));
            let at = given.arrives.or(earliest).or(happened).unwrap_or(SOME_TIME);
            let found = given.fresh.as_ref().map(json);
            let found =
                found.or_else(|| comes.as_ref().ok().map(|news| news.record.clone())).unwrap_or_default();
            entries.push(Entry { at, comes, found });
        }
        Script {
            given: Arc::clone(&self.given),
            vars: self.given.first().and_then(|given| given.vars.clone()),
            entries,
        }
    }

    /// Compares what came of it in the engine. What holds of every record holds of each of these.
    pub fn judge(&self, zap: &Zap, played: &[Played]) -> Vec<Difference> {
        let mut differences = self.placed(judge(&self.expect, played));
        for (at, (given, played)) in self.given.iter().zip(played).enumerate() {
            let Some(run) = played.run() else { continue };
            let place = if self.given.len() > 1 { format!("records[{at}]: ") } else { String::new() };
            let broken = broken_by_run(zap, given, run).into_iter();
            differences
                .extend(broken.map(|(law, got)| Difference::new(format!("{place}{law}"), "to hold", got)));
        }
        differences
    }
}

impl Script {
    /// What an attempt is answered: of a record, a step, the place of its element, and how often it was asked before.
    pub fn answer(&self, entry: usize, step: &str, element: Option<usize>, before: usize) -> Option<&Answer> {
        let given = self.given.get(entry)?;
        let (_, replies) = given.replies.iter().find(|(id, _)| id == step)?;
        let answers = match replies {
            Replies::All(answers) => answers,
            Replies::Each(elements) => elements.get(element?)?,
        };
        answers.get(before).or_else(|| answers.last())
    }

    /// Gives a run the test's `vars`.
    pub fn prepare(&self, zap: &Zap, scope: &mut Scope) {
        if let Some(vars) = &self.vars {
            scope.set_vars(laid_over(zap.vars(), vars));
        }
    }
}

impl Given {
    fn news(&self, zap: &Zap) -> Result<News, Turned> {
        let event = match self.occasion().found(zap) {
            Ok(event) => event,
            Err(Came::Ignored(why)) => return Err(Turned::Ignored(why)),
            Err(Came::Unreadable(error)) => return Err(Turned::Unreadable(error)),
            Err(Came::Rehearsed(_)) => return Err(Turned::Unreadable("it has no event".to_owned())),
        };
        let crm = zap.trigger.crm();
        if let (Some(also), Some(entrance)) = (&self.also, crm.and_then(|trigger| trigger.also.as_ref())) {
            let arrival = Arrival::read(&json(also), Some(&self.context()));
            let arrival = arrival.map_err(|error| Turned::Unreadable(format!("also: {error}")))?;
            let told = entrance.key(&arrival).map_err(|error| Turned::Unreadable(error.to_string()))?;
            if told.trim() != event.key {
                let why = format!("`also` tells of `{}`, and the record is `{}`", told.trim(), event.key);
                return Err(Turned::Ignored(why));
            }
        }
        let row = crm.and_then(|trigger| {
            let row = Row::decode(&event.record, trigger.schema(), &ReadSet::All).ok()?;
            Some((trigger, row))
        });
        Ok(News {
            order: row.as_ref().and_then(|(trigger, row)| trigger.order(row)),
            own: crm.is_none_or(|trigger| trigger.own),
            context: matches!(zap.trigger, Trigger::Webhook(_)).then(|| self.context()),
            key: event.key,
            at: event.at,
            record: event.record,
        })
    }
}
