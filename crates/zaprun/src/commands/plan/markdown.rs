//! A plan as a comment on a pull request: a table, then the details of each zap, folded.

use super::report::{Change, KeyPlan, RecordChange, RecordPlan, Report, StepPlan, ZapPlan};
use super::text::{is_told, short};
use crate::output::clean;

/// Comments may be 65,536 characters long; what is beyond that is left out, and said to be.
const MOST: usize = 60_000;
/// Of more records than this the rest is counted.
const MOST_RECORDS: usize = 10;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("### zaprun plan\n\n");
    let commit = report.against.commit.as_deref().map(|commit| format!(" (`{}`)", short(commit)));
    let against = format!("{}{}", code(&report.against.name), commit.unwrap_or_default());
    out.push_str(&format!("Compared with {against}: {}.\n", report.counts()));
    for note in &report.notes {
        out.push_str(&format!("\n> {}\n", prose(note)));
    }
    if !report.project.is_empty() {
        let keys: Vec<String> = report.project.iter().map(|key| code(key)).collect();
        out.push_str(&format!("\n`zaprun.yaml` says otherwise: {}.\n", keys.join(", ")));
    }
    let told: Vec<&ZapPlan> = report.zaps.iter().filter(|zap| is_told(zap)).collect();
    if told.is_empty() {
        return out;
    }
    out.push_str("\n| zap | change | trigger | records |\n|---|---|---|---|\n");
    for zap in &told {
        out.push_str(&row(zap));
    }
    let mut left = 0;
    for details in told.iter().map(|zap| details(zap)) {
        if out.len() + details.len() > MOST {
            left += 1;
        } else {
            out.push_str(&details);
        }
    }
    if left > 0 {
        out.push_str(&format!(
            "\nThe details of {left} more are too long for a comment: run `zaprun plan`.\n"
        ));
    }
    out
}

fn row(zap: &ZapPlan) -> String {
    let trigger = zap.trigger.as_ref().map(|trigger| {
        let keys: Vec<String> = trigger.changes.iter().map(|key| code(&key.key)).collect();
        if keys.is_empty() { "changed".to_owned() } else { keys.join(", ") }
    });
    let cells = [code(&zap.name), prose(&zap.words()), trigger.unwrap_or_default(), prose(&zap.counts())];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn details(zap: &ZapPlan) -> String {
    let mut lines: Vec<String> = Vec::new();
    if let Some(trigger) = &zap.trigger {
        lines.extend(trigger.changes.iter().flat_map(key_lines));
        lines.extend(trigger.effects.iter().map(|effect| format!("# {effect}")));
    }
    let most = if zap.change == Change::Removed { 0 } else { MOST_RECORDS };
    for record in zap.records.iter().take(most) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        self::record(record, &mut lines);
    }
    let left = zap.records.len().saturating_sub(most);
    if left > 0 && most > 0 {
        lines.push(format!("# and {left} more"));
    }
    let notes: String = zap.notes.iter().map(|note| format!("- {}\n", prose(note))).collect();
    let edited = match zap.edited.is_empty() {
        true => String::new(),
        false => {
            let keys: Vec<String> = zap.edited.iter().map(|key| code(key)).collect();
            format!("Edited: {}.\n\n", keys.join(", "))
        }
    };
    if lines.is_empty() && notes.is_empty() && edited.is_empty() {
        return String::new();
    }
    // One line each, so that what comes from a record can begin no line of its own.
    let lines: Vec<String> =
        lines.iter().map(|line| clean(&line.replace(['\n', '\r'], "⏎")).into_owned()).collect();
    let block = match lines.is_empty() {
        true => String::new(),
        false => {
            let fence = fence(&lines);
            format!("{fence}diff\n{}\n{fence}\n\n", lines.join("\n"))
        }
    };
    let counts = zap.counts();
    let counts = if counts.is_empty() { zap.words() } else { format!("{}: {counts}", zap.words()) };
    let file = zap.file.as_ref().map(|file| format!("{}\n\n", code(file))).unwrap_or_default();
    let notes = if notes.is_empty() { notes } else { format!("{notes}\n") };
    format!(
        "\n<details><summary><code>{}</code> {}</summary>\n\n{file}{edited}{notes}{block}</details>\n",
        html(&zap.name),
        html(&counts)
    )
}

fn key_lines(key: &KeyPlan) -> Vec<String> {
    let line = |sign: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{sign} {}: {value}", key.key))
    };
    [line("-", &key.old), line("+", &key.new)].into_iter().flatten().collect()
}

fn record(record: &RecordPlan, lines: &mut Vec<String>) {
    let reason = record.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    lines.push(format!("# {}: {}{reason}", record.record, record.change.words()));
    if record.change != RecordChange::NoLonger {
        record.steps.iter().for_each(|step| self::step(step, lines));
    }
}

fn step(step: &StepPlan, lines: &mut Vec<String>) {
    let element = step.element.as_ref().map(|element| format!("[{element}]")).unwrap_or_default();
    let reason = step.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    lines.push(format!("# {}{element} {}{reason}", step.step, step.change));
    if step.change == "no longer sends" {
        return;
    }
    for part in &step.parts {
        lines.extend(part.old.as_ref().map(|old| format!("- {}: {old}", part.part)));
        lines.extend(part.new.as_ref().map(|new| format!("+ {}: {new}", part.part)));
    }
}

/// A fence that no line of the block closes.
fn fence(lines: &[String]) -> String {
    let longest =
        lines.iter().flat_map(|line| line.split(|sign| sign != '`')).map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A text as code within a line.
fn code(text: &str) -> String {
    let text = clean(text).replace('\n', " ");
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    if longest > 0 { format!("{ticks} {text} {ticks}") } else { format!("`{text}`") }
}

/// A text in which nothing is a tag, a link or a mention. What stands in backticks is code already.
fn prose(text: &str) -> String {
    let text = clean(text).replace('\n', " ");
    let bare = |part: &str| {
        html(part).chars().fold(String::new(), |out, sign| match sign {
            '*' | '_' | '[' | ']' | '`' | '\\' => out + "\\" + &sign.to_string(),
            other => out + &other.to_string(),
        })
    };
    // Only single backticks that come in pairs are ours.
    if text.contains("``") || text.matches('`').count() % 2 == 1 {
        return bare(&text);
    }
    let parts: Vec<String> = text
        .split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 1 { part.to_owned() } else { bare(part) })
        .collect();
    parts.join("`")
}

/// A text in HTML, in one line.
fn html(text: &str) -> String {
    let text = clean(text).replace('\n', " ").replace('@', "@\u{200b}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
