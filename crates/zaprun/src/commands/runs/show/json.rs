//! A run for machines.

use serde::Serialize;
use serde_json::value::RawValue;
use zaprun_engine::ports::{AttemptRecord, BegunAttempt, BegunWrite, RunDetail, StepRecord};

use super::super::list::{Reason, Summary};
use super::super::render::{Rendered, outcome_word};
use super::{Requests, attempts};
use crate::output::{RequestEntry, pretty};

#[derive(Serialize)]
struct Detail<'a> {
    run: Summary<'a>,
    happened_at: String,
    seen_at: String,
    content: &'a str,
    git: Option<&'a str>,
    chain: u32,
    trace: String,
    waits_for: Option<i64>,
    failing: Option<Reason<'a>>,
    steps: Vec<Step<'a>>,
    steps_before_replay: Vec<Step<'a>>,
    failed_attempts: Vec<Attempt<'a>>,
    open: Option<Open<'a>>,
    requests: Option<Vec<Sent<'a>>>,
    requests_note: Option<&'a str>,
    record: Record<'a>,
    settled_record: Option<Record<'a>>,
    context: Option<Record<'a>>,
}

/// JSON as received, or text where it is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Json(&'a RawValue),
    Text(String),
}

#[derive(Serialize)]
struct Step<'a> {
    step: &'a str,
    element: Option<&'a str>,
    outcome: &'static str,
    status: Option<u16>,
    attempts: u32,
    at: String,
    why: Option<&'a str>,
    reply: Option<String>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    step: &'a str,
    element: Option<&'a str>,
    number: u32,
    status: Option<u16>,
    at: String,
    error: &'a str,
    reply: Option<String>,
}

/// An attempt whose outcome is not recorded.
#[derive(Serialize)]
struct Open<'a> {
    step: &'a str,
    element: Option<&'a str>,
    began_at: String,
    write: Option<Write<'a>>,
}

/// What is known of a write to the CRM.
#[derive(Serialize)]
struct Write<'a> {
    params: &'a [(String, String)],
    before: Option<&'a str>,
    looked: Option<Looked<'a>>,
}

#[derive(Serialize)]
struct Looked<'a> {
    at: String,
    state: &'a str,
}

/// What a step sent, or why that is not known.
#[derive(Serialize)]
struct Sent<'a> {
    step: &'a str,
    note: Option<&'a str>,
    requests: Vec<ElementRequest<'a>>,
}

#[derive(Serialize)]
struct ElementRequest<'a> {
    element: Option<&'a str>,
    request: RequestEntry,
}

/// All that is kept of a run.
pub(super) fn render(run: &RunDetail, requests: &Requests) -> String {
    let (rendered, note) = match requests {
        Requests::Rendered(rendered) => (Some(rendered.iter().map(sent).collect()), None),
        Requests::Unknown(why) => (None, Some(why.as_str())),
    };
    pretty(&Detail {
        run: Summary::of(&run.summary, attempts(run)),
        happened_at: run.event.at.to_string(),
        seen_at: run.event.seen_at.to_string(),
        content: &run.content,
        git: run.git.as_deref(),
        chain: run.depth,
        trace: zaprun_core::zap::key::trace(run.key_base).simple().to_string(),
        waits_for: run.waits_for.map(|(first, _)| first.0),
        failing: run.failing.as_ref().map(Reason::of),
        steps: run.steps.iter().map(step_entry).collect(),
        steps_before_replay: run.past.iter().map(step_entry).collect(),
        failed_attempts: run.attempts.iter().map(attempt_entry).collect(),
        open: run.begun.as_ref().map(open),
        requests: rendered,
        requests_note: note,
        record: record(&run.event.record),
        settled_record: run.fresh.as_deref().map(record),
        context: run.event.context.as_deref().map(record),
    })
}

fn record(bytes: &[u8]) -> Record<'_> {
    match serde_json::from_slice::<&RawValue>(bytes) {
        Ok(raw) => Record::Json(raw),
        Err(_) => Record::Text(lossy(bytes)),
    }
}

fn open(begun: &BegunAttempt) -> Open<'_> {
    Open {
        step: &begun.step,
        element: begun.element.as_deref(),
        began_at: begun.at.to_string(),
        write: begun.write.as_ref().map(write),
    }
}

fn write(write: &BegunWrite) -> Write<'_> {
    Write {
        params: &write.params,
        before: write.before.as_deref(),
        looked: write.looked.as_ref().map(|(state, at)| Looked { at: at.to_string(), state }),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn step_entry(step: &StepRecord) -> Step<'_> {
    Step {
        step: &step.step,
        element: step.element.as_deref(),
        outcome: outcome_word(step.outcome),
        status: step.status,
        attempts: step.attempts,
        at: step.at.to_string(),
        why: step.why.as_ref().map(|why| why.detail.as_str()),
        reply: step.reply.as_deref().map(lossy),
    }
}

fn attempt_entry(attempt: &AttemptRecord) -> Attempt<'_> {
    Attempt {
        step: &attempt.step,
        element: attempt.element.as_deref(),
        number: attempt.number,
        status: attempt.status,
        at: attempt.at.to_string(),
        error: &attempt.error,
        reply: attempt.reply.as_deref().map(lossy),
    }
}

fn sent(step: &Rendered) -> Sent<'_> {
    Sent {
        step: &step.step,
        note: step.note.as_deref(),
        requests: step
            .requests
            .iter()
            .map(|(element, request)| ElementRequest { element: element.as_deref(), request: request.into() })
            .collect(),
    }
}
