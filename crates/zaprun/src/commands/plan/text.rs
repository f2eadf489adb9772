//! A plan for people.

use super::report::{Change, KeyPlan, PartPlan, RecordChange, RecordPlan, Report, StepPlan, ZapPlan};
use crate::output::{Paint, Printer, clean};

/// Of more records than this the rest is counted, unless `--verbose`.
const MOST_RECORDS: usize = 5;
/// A template that is longer is not shown beside what it makes: the difference of the files shows it.
const LONGEST_WRITTEN: usize = 60;

pub(super) fn render(report: &Report, printer: &Printer) -> String {
    let paint = printer.out();
    let mut out = heading(report, paint);
    let most = if printer.is_verbose() { usize::MAX } else { MOST_RECORDS };
    for zap in report.zaps.iter().filter(|zap| is_told(zap)) {
        out.push('\n');
        self::zap(zap, most, printer, &mut out);
    }
    out
}

/// A sentence, in lines that fit the terminal; in a pipe, in one.
fn sentence(text: &str, blanks: usize, columns: Option<usize>) -> String {
    let text = clean(text);
    let width = columns.unwrap_or(usize::MAX).saturating_sub(blanks).max(20);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(blanks))).collect()
}

/// Whether anything is to be said of a zap.
pub(super) fn is_told(zap: &ZapPlan) -> bool {
    zap.change != Change::Unchanged
}

fn heading(report: &Report, paint: Paint) -> String {
    let commit = report.against.commit.as_deref().map(short).map(|commit| format!(" ({commit})"));
    let against = format!("{}{}", clean(&report.against.name), commit.unwrap_or_default());
    let mut out = format!("{} {against}: {}\n", paint.bold("plan against"), report.counts());
    for note in &report.notes {
        out.push_str(&format!("{} {}\n", paint.yellow("note:"), clean(note)));
    }
    if !report.project.is_empty() {
        out.push_str(&format!("\n{} zaprun.yaml\n", paint.yellow("~")));
        for key in &report.project {
            out.push_str(&format!("  {}\n", clean(key)));
        }
    }
    out
}

pub(super) fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

fn zap(zap: &ZapPlan, most: usize, printer: &Printer, out: &mut String) {
    let (paint, columns) = (printer.out(), printer.columns());
    let mark = match zap.change {
        Change::Added => paint.green("+"),
        Change::Removed => paint.red("-"),
        Change::Invalid => paint.red("!"),
        _ => paint.yellow("~"),
    };
    out.push_str(&format!("{mark} {}  {}\n", paint.bold(&clean(&zap.name)), zap.words()));
    if let Some(file) = &zap.file {
        out.push_str(&format!("  {}\n", paint.dim(&clean(file))));
    }
    if let Some(trigger) = &zap.trigger {
        out.push_str("  trigger\n");
        trigger.changes.iter().for_each(|key| out.push_str(&format!("    {}\n", key_line(key, paint))));
        trigger.effects.iter().for_each(|effect| out.push_str(&sentence(effect, 4, columns)));
    }
    if !zap.edited.is_empty() {
        out.push_str(&sentence(&format!("edited: {}", zap.edited.join(", ")), 2, columns));
    }
    for note in &zap.notes {
        out.push_str(&sentence(&format!("note: {note}"), 2, columns));
    }
    if !zap.enabled && !matches!(zap.change, Change::Removed | Change::Gone) {
        out.push_str(&format!("  {}\n", paint.dim("it is switched off: none of this is sent")));
    }
    let counts = zap.counts();
    if !counts.is_empty() {
        out.push_str(&format!("  records: {counts}\n"));
    }
    // Of what is removed there is nothing to see.
    if zap.change == Change::Removed {
        return;
    }
    list(&zap.records, most, paint, out);
}

/// What becomes of records, alone.
pub(super) fn records(records: &[RecordPlan], printer: &Printer) -> String {
    let most = if printer.is_verbose() { usize::MAX } else { MOST_RECORDS };
    let mut out = String::new();
    list(records, most, printer.err(), &mut out);
    out
}

fn list(records: &[RecordPlan], most: usize, paint: Paint, out: &mut String) {
    for record in records.iter().take(most) {
        self::record(record, paint, out);
    }
    let left = records.len().saturating_sub(most);
    if left > 0 {
        out.push_str(&format!("    … and {left} more; --verbose shows all\n"));
    }
}

fn key_line(key: &KeyPlan, paint: Paint) -> String {
    let name = clean(&key.key).into_owned();
    match (&key.old, &key.new) {
        (Some(old), Some(new)) => {
            format!("{name}: {} → {}", paint.red(&clean(old)), paint.green(&clean(new)))
        }
        (None, Some(new)) => paint.green(&format!("+ {name}: {}", clean(new))),
        (Some(old), None) => paint.red(&format!("- {name}: {}", clean(old))),
        (None, None) => name,
    }
}

fn record(record: &RecordPlan, paint: Paint, out: &mut String) {
    let words = record.change.words();
    let words = match record.change {
        RecordChange::Fires | RecordChange::NoLongerFails => paint.green(words),
        RecordChange::NoLonger | RecordChange::Fails => paint.red(words),
        RecordChange::Changes => paint.yellow(words),
    };
    out.push_str(&format!("\n    {}: {words}\n", clean(&record.record)));
    if let Some(reason) = &record.reason {
        out.push_str(&format!("      {}\n", clean(reason)));
    }
    // What is sent no more is known from how it was.
    if record.change == RecordChange::NoLonger {
        return;
    }
    record.steps.iter().for_each(|step| self::step(step, paint, out));
}

fn step(step: &StepPlan, paint: Paint, out: &mut String) {
    let element = step.element.as_ref().map(|element| format!("[{}]", clean(element))).unwrap_or_default();
    let reason = step.reason.as_ref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
    out.push_str(&format!("      {}{element} {}{reason}\n", paint.bold(&step.step), step.change));
    if step.change == "no longer sends" {
        return;
    }
    step.parts.iter().for_each(|part| self::part(part, paint, out));
}

fn part(part: &PartPlan, paint: Paint, out: &mut String) {
    let name = clean(&part.part);
    let mut line = |text: String| out.push_str(&format!("        {text}\n"));
    match (&part.old, &part.new) {
        (Some(old), Some(new)) => {
            line(name.into_owned());
            line(paint.red(&format!("- {}", clean(old))));
            line(paint.green(&format!("+ {}", clean(new))));
        }
        (None, Some(new)) => line(paint.green(&format!("+ {name}: {}", clean(new)))),
        (Some(old), None) => line(paint.red(&format!("- {name}: {}", clean(old)))),
        (None, None) => line(name.into_owned()),
    }
    let short = |text: &&String| text.chars().count() <= LONGEST_WRITTEN;
    let written = part.old_written.as_ref().filter(short).zip(part.new_written.as_ref().filter(short));
    if let Some((old, new)) = written {
        line(paint.dim(&format!("  {} → {}", clean(old), clean(new))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_fit_the_terminal() {
        assert_eq!(sentence("a b c", 2, None), "  a b c\n");
        let folded = sentence("what counts as new begins where it had read up to", 4, Some(30));
        assert_eq!(folded, "    what counts as new begins\n    where it had read up to\n");
        assert_eq!(
            sentence("averyverylongwordthatdoesnotfit x", 0, Some(20)),
            "averyverylongwordthatdoesnotfit\nx\n"
        );
    }
}
