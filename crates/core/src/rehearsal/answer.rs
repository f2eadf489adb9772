//! What a step is answered, and what that means for it.

use std::sync::Arc;
use std::time::Duration;

use super::run::Failure;
use crate::definition::FaultKind;
use crate::mapping::MapError;
use crate::request::{CrmRequest, Request};
use crate::value::{Object, Value};
use crate::zap::{Action, ResponseFacts, Scope, Unfound, response_json};

/// An answer to a request that was not sent.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of an HTTP API.
    Http {
        /// HTTP status.
        status: u16,
        /// Headers with lowercase names.
        headers: Vec<(String, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// Of a write to the CRM: `{result, message, …}`.
    Crm(Object),
    /// Of a look-up: the rows.
    Rows(Vec<Vec<u8>>),
    /// The step is given up, whatever it is.
    Refused(String),
    /// No answer, or one that settles nothing.
    Fault(Fault),
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The status of an answer whose body is cut.
    pub status: u16,
    /// How long the target asks to wait.
    pub retry_after: Option<Duration>,
    /// What looks show of a write to the CRM.
    pub seen: Seen,
}

/// What looks show of a write whose answer was lost.
#[derive(Debug, Clone, Default)]
pub enum Seen {
    /// Nothing of it.
    #[default]
    NotHappened,
    /// It happened.
    Happened {
        /// So long after it was sent.
        after: Duration,
        /// The answer that the look makes up for.
        answer: Object,
    },
    /// The CRM turned it down.
    Refused,
    /// Nobody can tell.
    Unclear,
}

/// The answer of the CRM to a write as later steps see it, `{result, message, orderId?, …}`.
///
/// # Errors
/// Why the CRM did not do it, in its own words.
pub fn crm_response(answer: &Object, request: &CrmRequest) -> Result<Vec<u8>, String> {
    written(answer, request)
}

/// Ids that stand at the top of an answer of the CRM, where its message or the request names one.
const IDS: [&str; 5] = ["orderId", "customerId", "purchaseId", "transactionId", "fulfillmentId"];

impl Answer {
    /// The answer as later steps see it, or why the step is given up.
    pub(super) fn take(
        &self,
        action: &Action,
        scope: &Scope,
        element: Option<&str>,
        request: &Request,
    ) -> Result<Vec<u8>, Box<Failure>> {
        let refuse = |reason: &str| Box::new(Failure::at(&action.id, reason));
        let broken = |error: MapError| Box::new(Failure::of(Some(&action.id), error));
        match (self, request) {
            (Answer::Refused(reason), _) => Err(refuse(reason)),
            // A test with one is run by the engine.
            (Answer::Fault(_), _) => Err(refuse("it got no answer")),
            (Answer::Http { status, headers, body }, Request::Http(_)) => {
                let response = ResponseFacts { status: *status, headers, body };
                accepted(action, scope, element, &response)?;
                Ok(response_json(&response))
            }
            (Answer::Crm(answer), Request::Crm(request)) => {
                written(answer, request).map_err(|reason| refuse(&reason))
            }
            (Answer::Rows(rows), Request::Find(_)) => {
                action.found(scope, element, rows).map_err(|error| match error {
                    Unfound::Mapping(error) => broken(error),
                    other => refuse(&other.to_string()),
                })
            }
            _ => Err(refuse("the reply is none to such a step")),
        }
    }
}

/// Statuses of which a run makes up its mind without asking `success`: they say that the target, or whoever calls it, is
/// at fault, so they are tried again until the step is given up.
fn accepted(
    action: &Action,
    scope: &Scope,
    element: Option<&str>,
    response: &ResponseFacts<'_>,
) -> Result<(), Box<Failure>> {
    let status = response.status;
    let never = matches!(status, 401 | 403 | 408 | 425 | 429 | 500..=599);
    let accepts = || action.accepts(scope, element, response);
    let accepted = !never && accepts().map_err(|error| Box::new(Failure::of(Some(&action.id), error)))?;
    let reason = match accepted {
        true => return Ok(()),
        false if action.has_success() && !never => format!("`success` is false for an answer of {status}"),
        false => format!("the target answered {status}"),
    };
    Err(Box::new(Failure::at(&action.id, reason)))
}

fn written(answer: &Object, request: &CrmRequest) -> Result<Vec<u8>, String> {
    let result = answer.get("result").cloned().unwrap_or_else(|| Value::text("SUCCESS"));
    let message = answer.get("message").cloned().unwrap_or(Value::Null);
    if result.as_text() != Some("SUCCESS") {
        // A validation map has no text form and is shown as it came.
        return Err(message.to_text().or_else(|_| message.to_json()).unwrap_or_default());
    }
    let mut members: Vec<(Arc<str>, Value)> = vec![("result".into(), result), ("message".into(), message)];
    let rest = answer.iter().filter(|(name, _)| !matches!(&***name, "result" | "message"));
    // Ids are text there, however they are written.
    let member = |name: &Arc<str>, value: &Value| match value.to_text() {
        Ok(id) if IDS.contains(&&**name) => Value::text(id),
        _ => value.clone(),
    };
    members.extend(rest.map(|(name, value)| (Arc::clone(name), member(name, value))));
    for name in IDS.into_iter().filter(|name| answer.get(name).is_none()) {
        members.extend(id(answer, request, name).map(|id| (Arc::from(name), Value::text(id))));
    }
    let mut json = Vec::new();
    Value::object(members).write_json(&mut json).map_err(|error| error.to_string())?;
    Ok(json)
}

fn id(answer: &Object, request: &CrmRequest, name: &str) -> Option<String> {
    let message = answer.get("message").and_then(Value::as_object);
    let named = message.and_then(|message| message.get(name)).filter(|id| !id.is_missing());
    match named.map(Value::to_text) {
        Some(Ok(id)) if !id.is_empty() => Some(id),
        _ => request.param(name).filter(|id| !id.is_empty()).map(str::to_owned),
    }
}
