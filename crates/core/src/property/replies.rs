//! What steps are answered, so that those after them have something to read.

use std::sync::Arc;

use proptest::strategy::{BoxedStrategy, Just, Strategy};

use super::members::{Habit, Made, Mades, Mode, member};
use super::rows::{Rows, only};
use super::{texts, usual, vary};
use crate::crm::Endpoint;
use crate::record::{ReadSet, Schema};
use crate::rehearsal::{Answer, Given, Replies};
use crate::value::{Object, Value};
use crate::zap::{Action, Zap};

/// The replies to some steps, and the places in them that are odd.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) replies: Vec<(String, Replies)>,
    pub(super) odd: Vec<String>,
}

/// Answers to the steps of a zap: those of a test where it has some, varied; else what the description of the endpoint
/// says, and nothing for an API of which nothing is known.
pub(super) fn told(zap: &Zap, example: Option<&Given>, rows: &Rows<'_>) -> BoxedStrategy<Told> {
    let mut each: Vec<BoxedStrategy<Told>> = Vec::new();
    for action in zap.actions.iter().chain(&zap.on_failure) {
        let known = example.and_then(|given| given.replies.iter().find(|(id, _)| *id == action.id));
        let id = action.id.clone();
        let one = match known {
            Some((_, Replies::All(answers))) if let [answer] = answers.as_slice() => {
                Some(varied(action, answer, rows))
            }
            Some((_, replies)) => {
                let replies = vec![(id.clone(), replies.clone())];
                each.push(Just(Told { replies, odd: Vec::new() }).boxed());
                None
            }
            None => made(action, rows),
        };
        each.extend(one.map(|one| {
            one.prop_map(move |(answer, odd)| {
                let odd = odd.iter().map(|place| format!("steps.{id}.response.{place}")).collect();
                Told { replies: vec![(id.clone(), Replies::All(vec![answer]))], odd }
            })
            .boxed()
        }));
    }
    each.prop_map(|each| {
        each.into_iter().fold(Told::default(), |mut all, one| {
            all.replies.extend(one.replies);
            all.odd.extend(one.odd);
            all
        })
    })
    .boxed()
}

type Answers = BoxedStrategy<(Answer, Vec<String>)>;

fn varied(action: &Action, answer: &Answer, rows: &Rows<'_>) -> Answers {
    let as_it_is = || Just((answer.clone(), Vec::new())).boxed();
    match answer {
        Answer::Rows(known) => {
            let schema = action.reads().map(crate::trigger::Endpoint::schema);
            let rows: Vec<Mades> = known.iter().map(|row| thinned(&parsed(row), schema, rows)).collect();
            rows.prop_map(answered).boxed()
        }
        Answer::Http { status, headers, body } if rows.mode == Mode::Odd => {
            let Ok(body) = Value::from_json(&String::from_utf8_lossy(body)) else { return as_it_is() };
            let (status, headers) = (*status, headers.clone());
            vary::varied(&body, &[], Mode::Odd)
                .prop_map(move |made| {
                    let odd = made.odd.iter().map(|place| super::rows::within("body", place)).collect();
                    let answer = Answer::Http { status, headers: headers.clone(), body: json(made.value) };
                    (answer, odd)
                })
                .boxed()
        }
        Answer::Fault(_) | Answer::Http { .. } | Answer::Crm(_) | Answer::Refused(_) => as_it_is(),
    }
}

/// A row of a test, of which some of what a row may lack is missing.
fn thinned(row: &Value, schema: Option<&'static Schema>, rows: &Rows<'_>) -> Mades {
    let (Some(object), Some(schema)) = (row.as_object(), schema) else { return only(row.clone()) };
    let names: Vec<Arc<str>> = object.iter().map(|(name, _)| Arc::clone(name)).collect();
    let members: Vec<Mades> = object
        .iter()
        .map(|(name, value)| {
            let unknown = Habit { lacks: false, empty: false };
            let habit = schema.field(name).map_or(unknown, |field| usual::habit(schema, field));
            let mode = if rows.mode == Mode::Odd { Mode::Usual } else { rows.mode };
            member(only(value.clone()), None, &habit, mode)
        })
        .collect();
    vary::together(names, members)
}

/// An answer by the description of what answers.
fn made(action: &Action, rows: &Rows<'_>) -> Option<Answers> {
    if let Some(endpoint) = action.endpoint() {
        return Some(written(endpoint));
    }
    let schema = action.reads()?.schema();
    let one = rows.row(schema, &ReadSet::All, &Vec::new());
    Some(one.prop_map(|row| answered(vec![row])).boxed())
}

fn answered(rows: Vec<Made>) -> (Answer, Vec<String>) {
    let odd = rows.iter().enumerate().flat_map(|(at, row)| {
        row.odd.iter().map(move |place| super::rows::within(&format!("rows[{at}]"), place))
    });
    let odd = odd.collect();
    (Answer::Rows(rows.into_iter().map(|row| json(row.value)).collect()), odd)
}

/// The CRM's answer to a write: done, with the ids that later steps can use.
fn written(endpoint: &'static Endpoint) -> Answers {
    let ids: Vec<texts::Texts> = endpoint
        .reply
        .iter()
        .map(|field| texts::by_name(field.name).unwrap_or_else(|| texts::digits(4..=7)))
        .collect();
    ids.prop_map(|ids| {
        let ids = endpoint.reply.iter().zip(ids);
        let ids = ids.map(|(field, id)| (Arc::<str>::from(field.name), Value::text(id)));
        let message = Value::object(ids.collect());
        let reply = vec![("result".into(), Value::text("SUCCESS")), ("message".into(), message)];
        (Answer::Crm(Object::new(reply, None)), Vec::new())
    })
    .boxed()
}

fn parsed(bytes: &[u8]) -> Value {
    Value::from_json(&String::from_utf8_lossy(bytes)).unwrap_or(Value::Null)
}

fn json(value: Option<Value>) -> Vec<u8> {
    // What was made up has nothing absent in it, so it can always be written.
    value.unwrap_or_default().to_json().unwrap_or_default().into_bytes()
}
