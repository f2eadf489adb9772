//! For people: each request, and below it what made its parts.

use zaprun_core::mapping::{MapError, Source};
use zaprun_core::rehearsal::{Came, Did, End, Failure, Rehearsal, Sent, Step};

use super::{Place, Rendered, Shown, Written};
use crate::output::{Paint, Printer, clean, request_text};

/// A longer value is cut: the request above shows it whole.
const LONGEST_VALUE: usize = 40;

pub(super) fn render(shown: &Shown<'_>, printer: &Printer) -> String {
    let all: Vec<String> = shown.came.iter().map(|rendered| record(shown, rendered, printer)).collect();
    all.join("\n")
}

fn record(shown: &Shown<'_>, rendered: &Rendered, printer: &Printer) -> String {
    let paint = printer.out();
    let event = rendered.event.as_deref().unwrap_or("a record");
    let mut out = format!("{} {}\n", paint.bold(&clean(&shown.zap.name)), clean(event));
    match &rendered.came {
        Came::Ignored(why) => {
            out.push_str(&format!("  {}: {}\n", paint.yellow("the trigger does not take it"), clean(why)));
        }
        Came::Unreadable(why) => {
            out.push_str(&format!("  {}: {}\n", paint.red("it cannot be read"), clean(why)));
        }
        Came::Rehearsed(rehearsal) => rehearsed(shown, rehearsal, printer, &mut out),
    }
    out
}

fn rehearsed(shown: &Shown<'_>, rehearsal: &Rehearsal, printer: &Printer, out: &mut String) {
    let paint = printer.out();
    let written = &shown.written;
    for one in &rehearsal.steps {
        step(written, one, printer, out);
    }
    match &rehearsal.end {
        End::Filtered { why } => {
            out.push_str(&format!("  {}\n", paint.yellow("the filter says no: nothing is sent")));
            match written.located("filter") {
                Some(place) => out.push_str(&pointed(written, &place, paint)),
                None => out.push_str(&format!("      {}\n", clean(why))),
            }
        }
        End::Dead(failure) => dead(written, rehearsal, failure, paint, out),
        End::Delivered if rehearsal.steps.iter().all(|step| matches!(step.did, Did::Skipped { .. })) => {
            out.push_str(&format!("  {}\n", paint.dim("every step is skipped: nothing is sent")));
        }
        End::Delivered => {}
    }
}

/// Why the run would be given up, unless a step has said so.
fn dead(written: &Written<'_>, rehearsal: &Rehearsal, failure: &Failure, paint: Paint, out: &mut String) {
    let told = |step: &Step| matches!(step.did, Did::Broken(_)) && Some(&step.id) == failure.step.as_ref();
    if rehearsal.steps.iter().any(told) {
        out.push_str(&format!("  {}\n", paint.red("the run would be given up")));
        return;
    }
    let reason = failure.error.as_ref().map_or(failure.reason.as_str(), |error| error.message.as_str());
    out.push_str(&format!("  {}: {}\n", paint.red("the run would be given up"), clean(reason)));
    if let Some(error) = &failure.error {
        wrong(written, error, paint, out);
    }
}

fn step(written: &Written<'_>, step: &Step, printer: &Printer, out: &mut String) {
    let paint = printer.out();
    let needs: Vec<String> = step.needs.iter().map(|need| format!("`{need}`")).collect();
    let answers = format!("depends on the answer of {}", needs.join(", "));
    let note = match &step.did {
        Did::Skipped { why } => format!("  {}", paint.dim(&format!("skipped: {why}"))),
        Did::Broken(error) => format!("  {}: {}", paint.red("fails"), clean(&error.message)),
        Did::Unknown(_) => format!("  {}", paint.yellow(&answers)),
        Did::Sent(_) if !step.needs.is_empty() => format!("  {}", paint.yellow(&answers)),
        Did::Sent(_) => String::new(),
    };
    let failure = if step.on_failure { " (on_failure)" } else { "" };
    out.push_str(&format!("  {}{failure}{note}\n", paint.bold(&step.id)));
    match &step.did {
        Did::Sent(requests) => {
            for (at, sent) in requests.iter().enumerate() {
                if at > 0 {
                    out.push('\n');
                }
                request(written, sent, printer, out);
            }
        }
        Did::Broken(error) => wrong(written, error, paint, out),
        Did::Unknown(_) => {
            out.push_str(&format!(
                "    {} a test of the zap can give it: `replies:`, then `--test NAME`\n",
                paint.cyan("hint:")
            ));
        }
        Did::Skipped { .. } => {}
    }
}

fn request(written: &Written<'_>, sent: &Sent, printer: &Printer, out: &mut String) {
    let paint = printer.out();
    if let Some(element) = &sent.element {
        out.push_str(&format!("    {}\n", paint.dim(&format!("element {}", clean(element)))));
    }
    out.push_str(&request_text(&sent.request, paint));
    if let Some(refused) = &sent.refused {
        out.push_str(&format!("    {}: {}\n", paint.red("given up"), clean(refused)));
    }
    if sent.sources.is_empty() {
        return;
    }
    out.push_str(&format!("\n    {}\n", paint.dim(&format!("made by {}", clean(written.path)))));
    out.push_str(&indented(&parts(written, &sent.sources, printer), 4));
}

/// Lines are as long as this in a pipe.
const WIDE: usize = 100;

/// For each part its line in the file, its value, and what is written there: beside it where that fits, else below.
fn parts(written: &Written<'_>, sources: &[Source], printer: &Printer) -> String {
    let paint = printer.out();
    let columns = printer.columns().unwrap_or(WIDE).saturating_sub(4);
    let rows: Vec<[String; 4]> = sources.iter().map(|source| part(written, source)).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (first, second, third) = (width(0), width(1), width(2));
    let beside = columns.saturating_sub(first + second + third + 6);
    let mut out = String::new();
    for ([line, part, value, text], source) in rows.iter().zip(sources) {
        let value = format!("{value:third$}");
        let value = if source.fixed { paint.dim(&value) } else { value };
        let line = paint.dim(&format!("{line:>first$}"));
        let fits = text.chars().count() <= beside;
        let text = if text.is_empty() { String::new() } else { paint.cyan(text) };
        let text = if fits { format!("  {text}") } else { format!("\n{}{text}", " ".repeat(first + 4)) };
        out.push_str(&format!("{line}  {part:second$}  {value}{text}\n"));
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn part(written: &Written<'_>, source: &Source) -> [String; 4] {
    let place = written.place(source.node);
    let value = value_text(source);
    // What leaves as it is written is not shown twice.
    let bare = |text: &str| text.trim_matches(['"', '\'']).to_owned();
    let same = source.fixed && bare(&value) == bare(&place.text);
    let text = if same { String::new() } else { clean(&one_line(&place.text)).into_owned() };
    [
        place.line.to_string(),
        clean(&source.at).into_owned(),
        clean(&cut(&one_line(&value))).into_owned(),
        text,
    ]
}

/// A value as it stands there: JSON in a body of JSON, else its text.
pub(super) fn value_text(source: &Source) -> String {
    let json = source.at.starts_with("json");
    let text = source.value.as_text().filter(|_| !json).map(str::to_owned);
    text.unwrap_or_else(|| source.value.to_json().unwrap_or_default())
}

fn cut(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return value.to_owned();
    }
    let kept: String = value.chars().take(LONGEST_VALUE - 1).collect();
    format!("{kept}…")
}

/// A text over several lines in one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where it goes wrong, and what to write instead.
fn wrong(written: &Written<'_>, error: &MapError, paint: Paint, out: &mut String) {
    match written.located(&error.place) {
        Some(place) => out.push_str(&pointed(written, &place, paint)),
        None => out.push_str(&format!("      at {}\n", clean(&error.place))),
    }
    if let Some(value) = &error.value {
        out.push_str(&format!("      the value is {}\n", clean(value)));
    }
    if let Some(help) = &error.help {
        out.push_str(&format!("      {} {}\n", paint.cyan("hint:"), clean(help)));
    }
}

/// `zaps/a.yaml:14:9`, and what is written there.
fn pointed(written: &Written<'_>, place: &Place, paint: Paint) -> String {
    let at = format!("{}:{}:{}", clean(written.path), place.line, place.column);
    format!("      {}\n{}", paint.cyan(&at), indented(&format!("{}\n", clean(&place.text)), 8))
}

fn indented(text: &str, blanks: usize) -> String {
    let blanks = " ".repeat(blanks);
    text.lines().map(|line| format!("{blanks}{line}\n")).collect()
}
