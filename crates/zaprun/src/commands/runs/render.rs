//! The requests of a run, rendered again: mapping is deterministic, so record and zap give what was sent.
//!
//! What later steps read of an answer is dropped when the run ends; the answer as it is kept for people gives it again,
//! unless it was cut.

use std::borrow::Cow;

use zaprun_core::mapping::MapError;
use zaprun_core::request::Request;
use zaprun_core::zap::{
    Action, EventFacts, Pass, Plan, ResponseFacts, RunFacts, Scope, StepFacts, Zap, response_json,
};
use zaprun_engine::ports::{RunDetail, RunReason, RunState, StepOutcome, StepRecord};

/// What a step sent, or would send.
pub(super) struct Rendered {
    /// The step's id.
    pub(super) step: String,
    /// Its requests, with the element's key under `each`.
    pub(super) requests: Vec<(Option<String>, Request)>,
    /// Why there is none, or not for sure.
    pub(super) note: Option<String>,
}

/// The requests of each step, and why there are none.
pub(super) fn render(zap: &Zap, run: &RunDetail) -> Result<Vec<Rendered>, MapError> {
    let mut scope = zap.scope(&facts(run))?;
    if let Pass::No { .. } = zap.passes(&scope)? {
        return Ok(Vec::new());
    }
    zap.bind(&mut scope)?;
    let mut rendered = Vec::new();
    // A step that reads an answer which is not kept any more can then not be rendered again.
    let mut forgotten = false;
    let mut stopped: Option<&str> = None;
    if let Some(why) = given_up(zap, run) {
        let failed = run.steps.iter().find(|step| step.outcome == StepOutcome::Failed);
        scope.set_failure(failed.map(|step| step.step.as_str()), &why.detail);
    }
    for action in shown(zap, run) {
        let records: Vec<&StepRecord> = run.steps.iter().filter(|record| record.step == action.id).collect();
        let mut again = step(action.id.clone(), action.plan(&scope), forgotten);
        match stopped {
            Some(failed) if records.is_empty() && again.requests.is_empty() => {
                again.note = Some(format!("not reached: step `{failed}` failed"));
            }
            _ => {}
        }
        again.requests.iter_mut().for_each(|(element, request)| {
            name_order(request, lead_of(run, &action.id, element.as_deref()));
        });
        if records.is_empty() {
            scope.set_step(&action.id, StepFacts { outcome: "done", response: None, element: None });
        }
        for record in records {
            let of_record = |(element, _): &&(Option<String>, Request)| *element == record.element;
            let request = again.requests.iter().find(of_record).map(|(_, request)| request);
            let answer = answer(record, request);
            forgotten |= action.reads_response() && record.outcome == StepOutcome::Done && answer.is_none();
            if record.outcome == StepOutcome::Failed && !action.continue_on_error {
                stopped.get_or_insert(&action.id);
            }
            restore(&mut scope, record, answer.as_deref());
        }
        rendered.push(again);
    }
    Ok(rendered)
}

/// What later steps read of an answer, from what is kept of it.
fn answer<'r>(record: &'r StepRecord, request: Option<&Request>) -> Option<Cow<'r, [u8]>> {
    if let Some(response) = &record.response {
        return Some(Cow::Borrowed(response));
    }
    let reply = record.reply.as_ref()?;
    // A JSON text that was cut is none any more.
    serde_json::from_slice::<serde::de::IgnoredAny>(reply).ok()?;
    match request? {
        Request::Find(_) => Some(Cow::Borrowed(reply)),
        Request::Crm(request) => Some(Cow::Owned(zaprun_konnektive::recalled(request, reply)?.to_vec())),
        Request::Http(_) => {
            let headers = [("content-type".to_owned(), "application/json".to_owned())];
            let facts = ResponseFacts { status: record.status?, headers: &headers, body: reply };
            Some(Cow::Owned(response_json(&facts)))
        }
    }
}

/// The record of the lead that went before a sale.
fn lead_of<'r>(run: &'r RunDetail, step: &str, element: Option<&str>) -> Option<&'r StepRecord> {
    let lead = format!("{step}.lead");
    run.steps.iter().find(|record| record.step == lead && record.element.as_deref() == element)
}

/// A sale is sent with the id of the order that its lead has opened.
fn name_order(request: &mut Request, lead: Option<&StepRecord>) {
    let Request::Crm(sale) = request else { return };
    let (Some(made_by), Some(record)) = (&sale.lead, lead) else { return };
    let Some(answer) =
        record.response.clone().or_else(|| zaprun_konnektive::recalled(made_by, record.reply.as_ref()?))
    else {
        return;
    };
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
    if let Some(order) = answer.get("orderId").and_then(serde_json::Value::as_str) {
        sale.params.retain(|(name, _)| name != "orderId");
        sale.params.push(("orderId".to_owned(), order.to_owned()));
    }
}

/// Why a run is or will be dead, where its zap has steps for that.
fn given_up<'a>(zap: &Zap, run: &'a RunDetail) -> Option<&'a RunReason> {
    let dead = (run.summary.state == RunState::Dead).then_some(&run.summary.reason);
    run.failing.as_ref().or(dead).filter(|_| !zap.on_failure.is_empty())
}

/// The steps of a run; those of `on_failure` only where it failed.
fn shown<'a>(zap: &'a Zap, run: &RunDetail) -> impl Iterator<Item = &'a Action> {
    let failed = given_up(zap, run).is_some();
    zap.actions.iter().chain(zap.on_failure.iter().filter(move |_| failed))
}

fn step(id: String, plan: Result<Plan, MapError>, forgotten: bool) -> Rendered {
    let mut rendered = Rendered { step: id, requests: Vec::new(), note: None };
    match plan {
        Ok(Plan::Skip { why }) => rendered.note = Some(format!("skipped: {why}")),
        Ok(Plan::One(request)) => rendered.requests.push((None, *request)),
        Ok(Plan::Each(elements)) => {
            rendered.requests.extend(elements.into_iter().map(|(key, request)| (Some(key), request)));
        }
        Err(error) if forgotten => {
            rendered.note = Some(format!("depends on an answer that is no longer kept ({error})"));
        }
        Err(error) => rendered.note = Some(error.to_string()),
    }
    rendered
}

fn facts(run: &RunDetail) -> RunFacts<'_> {
    let event = &run.event;
    RunFacts {
        record: run.fresh.as_ref().unwrap_or(&event.record),
        event: EventFacts {
            id: event.key.to_string(),
            kind: event.key.kind.clone(),
            key: event.key.id.clone(),
            at: event.at,
        },
        context: event.context.as_deref(),
        run_id: run.summary.id.to_string(),
        started_at: run.summary.created_at,
        key_base: run.key_base,
        depth: run.depth,
    }
}

fn restore(scope: &mut Scope, record: &StepRecord, response: Option<&[u8]>) {
    let outcome = outcome_word(record.outcome);
    let facts = StepFacts { outcome, response, element: record.element.as_deref() };
    scope.set_step(&record.step, facts);
}

/// A step's outcome as zaps read it.
pub(super) fn outcome_word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Skipped => "skipped",
        StepOutcome::Failed => "failed",
    }
}
