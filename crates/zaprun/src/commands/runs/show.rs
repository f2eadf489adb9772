//! `zaprun runs show`

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use zaprun_core::zap::Zap;
use zaprun_engine::ports::{AttemptRecord, History, RunDetail, RunId, RunState, StepRecord};

use super::list::{Format, Summary};
use super::render::{Rendered, outcome_word, render};
use super::{read_state, state_error, state_word};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open;
use crate::output::{Paint, RequestEntry, body_text, clean, count, pretty, request_text};
use crate::watch::reason_text;

/// Show one run: its record, requests, replies and why it is where it is
///
/// The requests are rendered again from the stored record and the zap, which gives what was sent as long as the zap has
/// not changed. Shows personal data: it is your own terminal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, as `runs list` numbers it
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: i64,

    /// How to write it
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

fn parse_id(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| "a run has a number; `zaprun runs list` shows it".to_owned())
}

/// What can be said of a run's requests.
enum Requests {
    Rendered(Vec<Rendered>),
    Unknown(String),
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let reader = read_state(&opened)?;
    let found = context.block_on(async {
        reader.run(RunId(args.id)).await.map_err(|error| state_error(&error, &opened.state))
    })?;
    let Some(run) = found else {
        return Err(CommandError::failure(format!("there is no run {}", args.id))
            .hint("`zaprun runs list` shows the newest"));
    };
    let requests = requests(&opened.zaps, &run);
    let text = match args.format {
        Format::Json => json(&run, &requests),
        Format::Text => text(&run, &requests, context.printer.out()),
    };
    context.printer.data(&opened.masker.text(&text))?;
    Ok(Exit::Fine)
}

fn requests(zaps: &[Zap], run: &RunDetail) -> Requests {
    let name = &run.summary.zap;
    match zaps.iter().find(|zap| zap.name == *name) {
        None => Requests::Unknown(format!("the project has no valid zap `{name}` now")),
        Some(zap) if zap.content != run.content => {
            Requests::Unknown(format!("`{name}` has changed since this run was made"))
        }
        Some(zap) => match render(zap, run) {
            Ok(rendered) => Requests::Rendered(rendered),
            Err(error) => Requests::Unknown(error.to_string()),
        },
    }
}

fn text(run: &RunDetail, requests: &Requests, paint: Paint) -> String {
    let mut out = String::new();
    head(&mut out, run, paint);
    steps(&mut out, run, paint);
    match requests {
        Requests::Unknown(why) => section(&mut out, paint, &format!("requests cannot be shown: {why}"), ""),
        Requests::Rendered(rendered) if rendered.is_empty() => {}
        Requests::Rendered(rendered) => {
            let all: String = rendered.iter().map(|step| step_text(step, paint)).collect();
            section(&mut out, paint, "requests, rendered again from record and zap", &all);
        }
    }
    section(&mut out, paint, "record, as received", &indented(&body_text(&run.event.record), 2));
    out
}

fn section(out: &mut String, paint: Paint, heading: &str, body: &str) {
    // Writing to a text cannot fail; nor below.
    let _ = write!(out, "\n{}\n{body}", paint.bold(&clean(heading)));
}

fn head(out: &mut String, run: &RunDetail, paint: Paint) {
    let summary = &run.summary;
    let state = state_word(summary.state);
    let painted = match summary.state {
        RunState::Delivered => paint.green(state),
        RunState::Dead | RunState::Held => paint.red(state),
        RunState::Pending => paint.yellow(state),
        RunState::Filtered | RunState::Dropped => paint.dim(state),
    };
    let git = run.git.as_ref().map(|git| format!(", git {git}")).unwrap_or_default();
    let version: String = run.content.chars().take(12).collect();
    let mut lines = vec![
        ("zap", format!("{} ({version}{git})", summary.zap)),
        ("event", summary.event.to_string()),
        ("happened", time(run.event.at)),
        ("seen", time(run.event.seen_at)),
        ("made", time(summary.created_at)),
        ("changed", time(summary.updated_at)),
    ];
    if let Some(due) = summary.due_at {
        lines.push(("due", time(due)));
    }
    let why = reason_text(&summary.reason);
    // What was delivered needs no reason.
    if !why.is_empty() && why != state {
        lines.push(("why", why));
    }
    let _ = writeln!(out, "{} {painted}", paint.bold(&format!("run {}", summary.id)));
    for (name, value) in lines {
        let _ = writeln!(out, "  {}{}", paint.dim(&format!("{name:<10}")), clean(&value));
    }
}

fn steps(out: &mut String, run: &RunDetail, paint: Paint) {
    if !run.steps.is_empty() {
        section(
            out,
            paint,
            "steps",
            &run.steps.iter().map(|step| step_line(step, paint)).collect::<String>(),
        );
    }
    if !run.attempts.is_empty() {
        let failed: String = run.attempts.iter().map(|attempt| attempt_line(attempt, paint)).collect();
        section(out, paint, "attempts that failed", &failed);
    }
    if let Some(begun) = &run.begun {
        let step = named(&begun.step, begun.element.as_deref());
        let line = format!("  {step} began at {}; how it ended is not recorded yet\n", time(begun.at));
        section(out, paint, "in flight", &line);
    }
}

fn step_line(step: &StepRecord, paint: Paint) -> String {
    let word = outcome_word(step.outcome);
    let painted = match word {
        "done" => paint.green(word),
        "failed" => paint.red(word),
        _ => paint.dim(word),
    };
    let status = step.status.map(|status| format!(" {status}")).unwrap_or_default();
    let tries = count(u64::from(step.attempts), "attempt", "attempts");
    let name = named(&step.step, step.element.as_deref());
    format!("  {name}  {painted}{status}  {tries}  {}\n{}", time(step.at), reply(step.reply.as_deref()))
}

fn attempt_line(attempt: &AttemptRecord, paint: Paint) -> String {
    let name = named(&attempt.step, attempt.element.as_deref());
    let number = paint.dim(&format!("#{}", attempt.number));
    let error = clean(&attempt.error);
    format!("  {name}  {number}  {}  {error}\n{}", time(attempt.at), reply(attempt.reply.as_deref()))
}

fn reply(reply: Option<&[u8]>) -> String {
    reply.map(|reply| indented(&body_text(reply), 4)).unwrap_or_default()
}

fn named(step: &str, element: Option<&str>) -> String {
    let name = element.map_or_else(|| step.to_owned(), |element| format!("{step}[{element}]"));
    clean(&name).into_owned()
}

fn step_text(step: &Rendered, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(note) = &step.note {
        let _ = writeln!(out, "  {}  {}", step.step, clean(note));
    }
    for (element, request) in &step.requests {
        let _ = write!(out, "  {}\n{}", named(&step.step, element.as_deref()), request_text(request, paint));
    }
    out
}

fn indented(text: &str, blanks: usize) -> String {
    text.lines().map(|line| format!("{:blanks$}{}\n", "", clean(line))).collect()
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[derive(Serialize)]
struct Detail<'a> {
    run: Summary<'a>,
    happened_at: String,
    seen_at: String,
    content: &'a str,
    git: Option<&'a str>,
    steps: Vec<Step<'a>>,
    failed_attempts: Vec<Attempt<'a>>,
    requests: Option<Vec<Sent<'a>>>,
    requests_note: Option<&'a str>,
    record: Record<'a>,
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

fn json(run: &RunDetail, requests: &Requests) -> String {
    let record = match serde_json::from_slice::<&RawValue>(&run.event.record) {
        Ok(raw) => Record::Json(raw),
        Err(_) => Record::Text(lossy(&run.event.record)),
    };
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
        steps: run.steps.iter().map(step_entry).collect(),
        failed_attempts: run.attempts.iter().map(attempt_entry).collect(),
        requests: rendered,
        requests_note: note,
        record,
    })
}

/// The attempts of all steps of a run that has ended, those of the step in work for any other.
pub(super) fn attempts(run: &RunDetail) -> u32 {
    match run.summary.state {
        RunState::Pending => run.summary.attempts,
        _ => {
            run.steps.iter().map(|step| step.attempts).fold(0, u32::saturating_add).max(run.summary.attempts)
        }
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
