//! One record through the zap, and what it breaks.

use super::check::{self, Said};
use super::laws::{GIVEN_UP, Law, Look, PROPERTY, SAME, broken_laws, leaves};
use crate::mapping::MapError;
use crate::rehearsal::{self, Answer, Attempt, Came, Did, Given, PlayedRun, Rehearsal, Replies};
use crate::request::Request;
use crate::value::Value;
use crate::zap::Zap;

/// How a run ended, as far as cases tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The trigger does not take the record.
    Ignored,
    /// The filter says no.
    Filtered,
    /// Every step is done or skipped.
    Delivered,
    /// It is given up.
    Dead,
}

/// What one record comes to.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) end: End,
    pub(super) broken: Vec<Broken>,
    /// What would be sent, with the step and its element.
    pub(super) sent: Vec<Sent>,
}

/// What would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) step: String,
    pub(super) request: Request,
}

/// A law that a run breaks.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    pub(super) law: &'static Law,
    /// The step, or the name of the property.
    pub(super) subject: Option<String>,
    /// The place in the zap: `actions[0].json.order`.
    pub(super) place: Option<String>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Broken {
    fn of(error: &MapError, step: Option<&str>) -> Broken {
        Broken {
            law: &GIVEN_UP,
            subject: step.map(str::to_owned),
            place: Some(error.place.clone()),
            message: error.message.clone(),
            help: error.help.clone(),
        }
    }

    /// What tells it from other failures: two that are alike are one defect. Amounts and lengths differ from record to
    /// record, and whether something is absent or null is the same to who reads it.
    pub(super) fn gist(&self) -> String {
        let plain: String = self.message.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let plain = plain.replace(" is null", " is missing").replace(" is absent", " is missing");
        format!(
            "{}\n{}\n{}\n{plain}",
            self.law.name,
            self.subject.as_deref().unwrap_or_default(),
            self.place.as_deref().unwrap_or_default()
        )
    }
}

/// Takes what is given through the zap, as a test does, and a second time, which must come to the same.
pub(super) fn judge(zap: &Zap, given: &Given) -> Judged {
    let mut judged = judge_once(zap, given);
    let again = given.attempt(zap).map(|again| self::sent(&again.rehearsal)).unwrap_or_default();
    if again != judged.sent {
        let message = "the same record gave another request".to_owned();
        judged.broken.push(Broken { law: &SAME, subject: None, place: None, message, help: None });
    }
    judged
}

/// Takes what is given through the zap once.
pub(super) fn judge_once(zap: &Zap, given: &Given) -> Judged {
    let attempt = match given.attempt(zap) {
        Ok(attempt) => attempt,
        Err(Came::Unreadable(message)) => {
            let broken = Broken { law: &GIVEN_UP, subject: None, place: None, message, help: None };
            return Judged { end: End::Ignored, broken: vec![broken], sent: Vec::new() };
        }
        Err(Came::Ignored(_) | Came::Rehearsed(_)) => {
            return Judged { end: End::Ignored, broken: Vec::new(), sent: Vec::new() };
        }
    };
    let end = match &attempt.rehearsal.end {
        rehearsal::End::Delivered => End::Delivered,
        rehearsal::End::Filtered { .. } => End::Filtered,
        rehearsal::End::Dead(_) => End::Dead,
    };
    let mut broken = given_up(&attempt.rehearsal);
    let sent = sent(&attempt.rehearsal);
    broken.extend(of_requests(zap, given, &sent));
    broken.extend(of_properties(zap, &attempt, &attempt.rehearsal, check::outcome(&attempt.rehearsal.end)));
    Judged { end, broken, sent }
}

fn given_up(rehearsal: &Rehearsal) -> Vec<Broken> {
    let mut all: Vec<Broken> = Vec::new();
    if let rehearsal::End::Dead(failure) = &rehearsal.end {
        all.extend(failure.error.as_ref().map(|error| Broken::of(error, failure.step.as_deref())));
    }
    for step in &rehearsal.steps {
        let Did::Broken(error) = &step.did else { continue };
        let broken = Broken::of(error, Some(&step.id));
        if all.iter().all(|known| known.gist() != broken.gist()) {
            all.push(broken);
        }
    }
    all
}

fn sent(rehearsal: &Rehearsal) -> Vec<Sent> {
    let mut all = Vec::new();
    for step in &rehearsal.steps {
        let Did::Sent(sent) = &step.did else { continue };
        all.extend(sent.iter().map(|sent| Sent { step: step.id.clone(), request: sent.request.clone() }));
    }
    all
}

fn of_requests(zap: &Zap, given: &Given, sent: &[Sent]) -> Vec<Broken> {
    if sent.is_empty() {
        return Vec::new();
    }
    let source = source(zap, given);
    let look = |sent: &Sent| {
        let look = Look { request: &sent.request, source: &source, own: &zap.own_words };
        let step = sent.step.clone();
        broken_laws(&look).into_iter().map(move |(law, message)| Broken {
            law,
            subject: Some(step.clone()),
            place: None,
            message,
            help: None,
        })
    };
    sent.iter().flat_map(look).collect()
}

fn of_properties(zap: &Zap, attempt: &Attempt, rehearsal: &Rehearsal, outcome: &str) -> Vec<Broken> {
    let told = check::broken(zap, attempt, rehearsal, outcome).into_iter().map(|(property, said)| Broken {
        law: &PROPERTY,
        subject: Some(property.name.clone()),
        place: None,
        message: match said {
            Said::No => "it does not hold".to_owned(),
            Said::Nothing(why) => format!("it has no answer: {why}"),
        },
        help: None,
    });
    told.collect()
}

/// Every text of which something that is sent can be made.
fn source(zap: &Zap, given: &Given) -> String {
    let mut all = String::new();
    let mut add = |value: &Value| {
        leaves(value, "", &mut |_, text| {
            all.push_str(text);
            all.push('\n');
        });
    };
    for part in [&given.record, &given.headers, &given.query, &given.vars, &given.fresh].into_iter().flatten()
    {
        add(part);
    }
    add(zap.vars());
    for (_, replies) in &given.replies {
        let answers: Vec<&Answer> = match replies {
            Replies::All(answers) => answers.iter().collect(),
            Replies::Each(elements) => elements.iter().flatten().collect(),
        };
        for answer in answers {
            match answer {
                Answer::Http { body, .. } => add(&text(body)),
                Answer::Crm(reply) => add(&Value::Object(reply.clone())),
                Answer::Rows(rows) => rows.iter().for_each(|row| add(&text(row))),
                Answer::Refused(reason) => add(&Value::text(reason.as_str())),
                Answer::Fault(_) => {}
            }
        }
    }
    all
}

/// JSON, or the text that it is instead.
fn text(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    Value::from_json(&text).unwrap_or_else(|_| Value::text(&*text))
}

/// The laws of requests and the properties that a test's record breaks: the subject, and what is wrong.
pub(crate) fn broken_by(zap: &Zap, given: &Given) -> Vec<(String, String)> {
    let Ok(attempt) = given.attempt(zap) else { return Vec::new() };
    let outcome = check::outcome(&attempt.rehearsal.end);
    broken_of(zap, given, (&attempt, &attempt.rehearsal), outcome)
}

/// The same of a run that went through the engine, by what it sent there and how it ended.
pub(crate) fn broken_by_run(zap: &Zap, given: &Given, run: &PlayedRun) -> Vec<(String, String)> {
    let Ok(attempt) = given.attempt(zap) else { return Vec::new() };
    broken_of(zap, given, (&attempt, &run.rehearsal), run.judged.word())
}

fn broken_of(
    zap: &Zap,
    given: &Given,
    (attempt, rehearsal): (&Attempt, &Rehearsal),
    outcome: &str,
) -> Vec<(String, String)> {
    let requests = of_requests(zap, given, &sent(rehearsal));
    let all = requests.into_iter().chain(of_properties(zap, attempt, rehearsal, outcome));
    all.map(|broken| (format!("{} {}", broken.law.name, broken.subject.unwrap_or_default()), broken.message))
        .collect()
}
