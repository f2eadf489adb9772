//! For machines.

use serde::Serialize;
use serde_json::value::RawValue;
use zaprun_core::mapping::{MapError, Source};
use zaprun_core::rehearsal::{Came, Did, End, Sent, Step};

use super::{Rendered, Shown, Written};
use crate::output::{RequestEntry, pretty};

#[derive(Serialize)]
struct Report<'a> {
    zap: &'a str,
    file: &'a str,
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    event: Option<&'a str>,
    /// `delivered`, `filtered`, `ignored`, `dead` or `unreadable`
    outcome: &'static str,
    reason: Option<String>,
    error: Option<Wrong<'a>>,
    steps: Vec<StepEntry<'a>>,
}

#[derive(Serialize)]
struct StepEntry<'a> {
    step: &'a str,
    /// `sent`, `skipped`, `failed` or `unknown`
    outcome: &'static str,
    on_failure: bool,
    reason: Option<&'a str>,
    error: Option<Wrong<'a>>,
    needs: &'a [String],
    requests: Vec<RequestWith<'a>>,
}

#[derive(Serialize)]
struct RequestWith<'a> {
    element: Option<&'a str>,
    request: RequestEntry,
    refused: Option<&'a str>,
    parts: Vec<PartEntry<'a>>,
}

#[derive(Serialize)]
struct PartEntry<'a> {
    part: &'a str,
    value: Option<Box<RawValue>>,
    fixed: bool,
    #[serde(flatten)]
    place: At,
}

#[derive(Serialize)]
struct Wrong<'a> {
    message: &'a str,
    help: Option<&'a str>,
    value: Option<&'a str>,
    #[serde(flatten)]
    place: Option<At>,
}

#[derive(Serialize)]
struct At {
    file: String,
    line: usize,
    column: usize,
    written: String,
}

pub(super) fn render(shown: &Shown<'_>) -> String {
    let records = shown.came.iter().map(|rendered| record(&shown.written, rendered)).collect();
    pretty(&Report { zap: &shown.zap.name, file: shown.written.path, records })
}

fn record<'a>(written: &Written<'_>, rendered: &'a Rendered) -> Record<'a> {
    let event = rendered.event.as_deref();
    let none = |outcome, reason: &str| Record {
        event,
        outcome,
        reason: Some(reason.to_owned()),
        error: None,
        steps: Vec::new(),
    };
    let rehearsal = match &rendered.came {
        Came::Ignored(why) => return none("ignored", why),
        Came::Unreadable(why) => return none("unreadable", why),
        Came::Rehearsed(rehearsal) => rehearsal,
    };
    let (outcome, reason, error) = match &rehearsal.end {
        End::Delivered => ("delivered", None, None),
        End::Filtered { why } => ("filtered", Some(why.clone()), None),
        End::Dead(failure) => ("dead", Some(failure.reason.clone()), failure.error.as_ref()),
    };
    let error = error.map(|error| wrong(written, error));
    Record {
        event,
        outcome,
        reason,
        error,
        steps: rehearsal.steps.iter().map(|one| step(written, one)).collect(),
    }
}

fn step<'a>(written: &Written<'_>, step: &'a Step) -> StepEntry<'a> {
    let (outcome, reason, error, sent) = match &step.did {
        Did::Skipped { why } => ("skipped", Some(why.as_str()), None, &[][..]),
        Did::Sent(sent) => ("sent", None, None, sent.as_slice()),
        Did::Broken(error) => ("failed", None, Some(error), &[][..]),
        Did::Unknown(error) => ("unknown", None, Some(error), &[][..]),
    };
    StepEntry {
        step: &step.id,
        outcome,
        on_failure: step.on_failure,
        reason,
        error: error.map(|error| wrong(written, error)),
        needs: &step.needs,
        requests: sent.iter().map(|sent| request(written, sent)).collect(),
    }
}

fn request<'a>(written: &Written<'_>, sent: &'a Sent) -> RequestWith<'a> {
    RequestWith {
        element: sent.element.as_deref(),
        request: RequestEntry::from(&sent.request),
        refused: sent.refused.as_deref(),
        parts: sent.sources.iter().map(|source| part(written, source)).collect(),
    }
}

fn part<'a>(written: &Written<'_>, source: &'a Source) -> PartEntry<'a> {
    let json = source.value.to_json().ok();
    PartEntry {
        part: &source.at,
        value: json.and_then(|json| RawValue::from_string(json).ok()),
        fixed: source.fixed,
        place: at(written, written.place(source.node)),
    }
}

fn wrong<'a>(written: &Written<'_>, error: &'a MapError) -> Wrong<'a> {
    Wrong {
        message: &error.message,
        help: error.help.as_deref(),
        value: error.value.as_deref(),
        place: written.located(&error.place).map(|place| at(written, place)),
    }
}

fn at(written: &Written<'_>, place: super::Place) -> At {
    At { file: written.path.to_owned(), line: place.line, column: place.column, written: place.text }
}
