//! A run for people.

use std::fmt::Write;

use jiff::Timestamp;
use zaprun_engine::ports::{AttemptRecord, BegunAttempt, RunDetail, RunReason, RunState, StepRecord};

use super::super::render::{Rendered, outcome_word};
use super::super::{named, state_word};
use super::Requests;
use zaprun_core::zap::key::trace;

use crate::output::{Paint, body_text, clean, count, request_text};
use crate::watch::reason_text;

/// All that is kept of a run.
pub(super) fn render(run: &RunDetail, requests: &Requests, paint: Paint) -> String {
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
    if let Some(fresh) = &run.fresh {
        let heading = "record, read again once it had settled: this one is mapped";
        section(&mut out, paint, heading, &indented(&body_text(fresh), 2));
    }
    if run.event.record.is_empty() {
        return out + "\nits record was erased, by `zaprun forget`\n";
    }
    let first = if run.fresh.is_some() { "record, as first received" } else { "record, as received" };
    section(&mut out, paint, first, &indented(&body_text(&run.event.record), 2));
    if let Some(context) = &run.event.context {
        section(&mut out, paint, "what came with it", &indented(&body_text(context), 2));
    }
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
        ("trace", trace(run.key_base).simple().to_string()),
    ];
    if let Some(due) = summary.due_at {
        lines.push(("due", time(due)));
    }
    if let Some((first, state)) = run.waits_for {
        lines.push(("waits for", format!("run {first} of the same id, which is {}", state_word(state))));
    }
    if run.depth > 0 {
        let writes = count(u64::from(run.depth), "write", "writes");
        lines.push(("chain", format!("{writes} of zaprun's own led to it, one after another")));
    }
    if let Some(failing) = &run.failing {
        let why = reason_text(failing);
        lines.push(("failing", format!("{why}; it ends dead once `on_failure` is done")));
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
            &run.steps.iter().map(|step| step_line(step, &run.attempts, paint)).collect::<String>(),
        );
    }
    if !run.past.is_empty() {
        let past: String = run.past.iter().map(|step| step_line(step, &run.attempts, paint)).collect();
        section(out, paint, "steps before it was replayed", &past);
    }
    if !run.attempts.is_empty() {
        let failed: String = run.attempts.iter().map(|attempt| attempt_line(attempt, paint)).collect();
        section(out, paint, "attempts that failed", &failed);
    }
    if let Some(begun) = &run.begun {
        section(out, paint, "open", &open(begun));
    }
}

/// An attempt whose outcome is not recorded: what was sent, and what looks saw.
pub(super) fn open(begun: &BegunAttempt) -> String {
    let step = named(&begun.step, begun.element.as_deref());
    let since = time(begun.at);
    let Some(write) = &begun.write else {
        return format!("  {step}  began at {since}; how it ended is not recorded\n");
    };
    let Some(before) = &write.before else {
        return format!("  {step}  waits to be sent; no other write for the same buyer goes before it\n");
    };
    let mut out = format!("  {step}  began at {since}; what became of it is not known\n");
    let mut line = |name: &str, value: &str| {
        // A value of several lines stays on one, so that it cannot look like another.
        let value = value.replace('\n', "\\n");
        let _ = writeln!(out, "    {}", clean(&format!("{name}: {value}")));
    };
    write.params.iter().for_each(|(name, value)| line(name, value));
    line("the CRM before", before);
    if let Some((state, at)) = &write.looked {
        line(&format!("the CRM at {}", time(*at)), state);
    }
    out
}

fn step_line(step: &StepRecord, attempts: &[AttemptRecord], paint: Paint) -> String {
    let word = outcome_word(step.outcome);
    let painted = match word {
        "done" => paint.green(word),
        "failed" => paint.red(word),
        _ => paint.dim(word),
    };
    let status = step.status.map(|status| format!(" {status}")).unwrap_or_default();
    let tries = count(u64::from(step.attempts), "attempt", "attempts");
    let name = named(&step.step, step.element.as_deref());
    // Mostly the attempt that failed says it below.
    let said = |why: &&RunReason| {
        let of_step =
            attempts.iter().filter(|attempt| attempt.step == step.step && attempt.element == step.element);
        of_step.into_iter().any(|attempt| attempt.error == why.detail)
    };
    let why = step
        .why
        .as_ref()
        .filter(|why| !said(why))
        .map(|why| format!("    {}\n", clean(&why.detail)))
        .unwrap_or_default();
    format!("  {name}  {painted}{status}  {tries}  {}\n{why}{}", time(step.at), reply(step.reply.as_deref()))
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
