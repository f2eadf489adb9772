//! What was found, for people, as JSON and as JUnit XML.

use serde::Serialize;
use serde_json::value::RawValue;
use zaprun_core::property::{Failure, Oddity, Source};
use zaprun_core::value::Value;

use super::{Asked, Tried};
use crate::commands::test::junit::escaped;
use crate::output::{Paint, Printer, RequestEntry, clean, count, pretty, request_text};

/// A longer record is shown up to here.
const LONGEST: usize = 2_000;

/// A line for each zap; below one that fails, what each failure is and hangs on.
pub(super) fn text(tried: &[Tried<'_>], asked: Asked, printer: &Printer) -> String {
    let (paint, quiet) = (printer.out(), printer.is_quiet());
    let mut out = String::new();
    for tried in tried {
        if tried.passed() && quiet {
            continue;
        }
        let mark = match (tried.passed(), tried.search.cases) {
            (true, 0) => paint.dim("-"),
            (true, _) => paint.green("✓"),
            (false, _) => paint.red("✗"),
        };
        out.push_str(&format!("{mark} {}: {}\n", tried.zap.name, made(tried)));
        for (failure, line) in tried.failures() {
            out.push_str(&told(tried, failure, line, asked, paint));
        }
        if !quiet {
            out.push_str(&odd(&tried.search.odd, printer.is_verbose(), paint));
        }
    }
    out
}

/// How many records there were, from what, and how many came to the steps.
fn made(tried: &Tried<'_>) -> String {
    let search = &tried.search;
    let records = match search.source {
        Source::Fields { row } => count(u64::from(search.cases), row, &format!("{row}s")),
        Source::Outline { .. } => count(u64::from(search.cases), "record", "records"),
        Source::Tests { records } => {
            let records = count(records as u64, "record", "records");
            format!("{} of {records} of its tests", count(u64::from(search.cases), "variation", "variations"))
        }
        Source::Times => count(u64::from(search.cases), "time", "times"),
        Source::Nothing => return "nothing to make records from".to_owned(),
    };
    let not_taken = (search.ignored > 0).then(|| format!(", {} not taken", search.ignored));
    let filtered = (search.filtered > 0).then(|| format!(", {} filtered", search.filtered));
    format!("{records}{}{}", not_taken.unwrap_or_default(), filtered.unwrap_or_default())
}

fn told(tried: &Tried<'_>, failure: &Failure, line: usize, asked: Asked, paint: Paint) -> String {
    let mut out = format!("  {}\n", paint.bold(&clean(&headline(failure))));
    let place = failure.place.as_ref().map(|place| format!("  {place}")).unwrap_or_default();
    out.push_str(&format!("    {}\n", paint.dim(&clean(&format!("{}:{line}{place}", tried.file)))));
    out.push_str(&format!("    {}\n", paint.red(&clean(&failure.message))));
    if let Some(help) = &failure.help {
        out.push_str(&format!("    {} {}\n", paint.cyan("hint:"), clean(help)));
    }
    if let Some(record) = &failure.record {
        out.push_str(&format!("    record  {}\n", clean(&clipped(json_text(record)))));
    }
    // Of a run that is given up the requests are not what is wrong.
    let sent = failure.requests.iter().filter(|_| failure.law.name != "given up");
    for (step, request) in sent {
        out.push_str(&format!("    {step} would send\n"));
        for line in request_text(request, Paint(false)).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    let times = match failure.times {
        0 => "whatever the record".to_owned(),
        times => count(u64::from(times), "case", "cases"),
    };
    out.push_str(&format!("    {}\n", paint.dim(&format!("{times}: {}", asked.again(&tried.zap.name)))));
    out
}

/// The law, and whose failure it is.
fn headline(failure: &Failure) -> String {
    let law = failure.law.name;
    match (&failure.subject, law) {
        (Some(name), "property") => format!("property: {name}"),
        (Some(step), _) => format!("{law}: step `{step}`"),
        (None, "given up") => format!("{law}: before the first step"),
        (None, _) => law.to_owned(),
    }
}

/// What only odd records break: how much, or with `all` what.
fn odd(odd: &[Oddity], all: bool, paint: Paint) -> String {
    if odd.is_empty() {
        return String::new();
    }
    if !all {
        let ways = count(odd.len() as u64, "way", "ways");
        let line = format!("odd records fail in {ways}, which `--verbose` tells");
        return format!("  {}\n", paint.dim(&line));
    }
    let line = |oddity: &Oddity| {
        let field = oddity.field.as_deref().unwrap_or("something");
        let place = oddity.place.as_deref().unwrap_or("the run");
        format!("where `{field}` is odd: {place}: {}", oddity.message)
    };
    odd.iter().map(|oddity| format!("  {}\n", paint.dim(&clean(&line(oddity))))).collect()
}

fn json_text(record: &Value) -> String {
    record.to_json().unwrap_or_default()
}

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[derive(Serialize)]
struct Report<'a> {
    valid: bool,
    cases: u32,
    seed: u64,
    passed: usize,
    failed: usize,
    zaps: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    zap: &'a str,
    file: &'a str,
    passed: bool,
    /// fields, schema, tests, times or nothing
    source: &'static str,
    cases: u32,
    not_taken: u32,
    filtered: u32,
    failures: Vec<FailureEntry<'a>>,
    odd: Vec<OddEntry<'a>>,
}

#[derive(Serialize)]
struct FailureEntry<'a> {
    law: &'static str,
    subject: Option<&'a str>,
    place: Option<&'a str>,
    line: usize,
    message: &'a str,
    help: Option<&'a str>,
    field: Option<&'a str>,
    record: Option<Box<RawValue>>,
    requests: Vec<Sent<'a>>,
    case: u32,
    times: u32,
    again: String,
}

#[derive(Serialize)]
struct Sent<'a> {
    step: &'a str,
    request: RequestEntry,
}

#[derive(Serialize)]
struct OddEntry<'a> {
    message: &'a str,
    place: Option<&'a str>,
    field: Option<&'a str>,
    times: u32,
}

/// One object. `valid`: the project has no error.
pub(super) fn json(tried: &[Tried<'_>], asked: Asked, valid: bool) -> String {
    let passed = tried.iter().filter(|tried| tried.passed()).count();
    pretty(&Report {
        valid,
        cases: asked.cases,
        seed: asked.seed,
        passed,
        failed: tried.len() - passed,
        zaps: tried.iter().map(|tried| of_zap(tried, asked)).collect(),
    })
}

fn of_zap<'a>(tried: &'a Tried<'_>, asked: Asked) -> Entry<'a> {
    let search = &tried.search;
    Entry {
        zap: &tried.zap.name,
        file: tried.file,
        passed: tried.passed(),
        source: match search.source {
            Source::Fields { .. } => "fields",
            Source::Outline { .. } => "schema",
            Source::Tests { .. } => "tests",
            Source::Times => "times",
            Source::Nothing => "nothing",
        },
        cases: search.cases,
        not_taken: search.ignored,
        filtered: search.filtered,
        failures: tried.failures().map(|(failure, line)| entry(tried, failure, line, asked)).collect(),
        odd: search
            .odd
            .iter()
            .map(|oddity| OddEntry {
                message: &oddity.message,
                place: oddity.place.as_deref(),
                field: oddity.field.as_deref(),
                times: oddity.times,
            })
            .collect(),
    }
}

fn entry<'a>(tried: &'a Tried<'_>, failure: &'a Failure, line: usize, asked: Asked) -> FailureEntry<'a> {
    FailureEntry {
        law: failure.law.name,
        subject: failure.subject.as_deref(),
        place: failure.place.as_deref(),
        line,
        message: &failure.message,
        help: failure.help.as_deref(),
        field: failure.field.as_deref(),
        // Numbers keep their digits.
        record: failure.record.as_ref().and_then(|record| RawValue::from_string(json_text(record)).ok()),
        requests: failure
            .requests
            .iter()
            .map(|(step, request)| Sent { step, request: request.into() })
            .collect(),
        case: failure.case,
        times: failure.times,
        again: asked.again(&tried.zap.name),
    }
}

/// A suite for each zap, a case for each failure; one that passes is a case of its own. Errors of the project are an
/// error of a suite of their own, so that no report is green without them.
pub(super) fn junit(tried: &[Tried<'_>], asked: Asked, errors: usize) -> String {
    let failed: usize = tried.iter().map(|tried| tried.search.failures.len()).sum();
    let passed = tried.iter().filter(|tried| tried.passed()).count();
    let broken = usize::from(errors > 0);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = failed + passed + broken;
    out.push_str(&format!(
        "<testsuites name=\"zaprun\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{broken}\">\n"
    ));
    if errors > 0 {
        out.push_str("  <testsuite name=\"project\" tests=\"1\" failures=\"0\" errors=\"1\">\n");
        out.push_str("    <testcase classname=\"project\" name=\"is valid\">\n");
        out.push_str(&format!("      <error message=\"{errors} in all: run `zaprun validate`\"/>\n"));
        out.push_str("    </testcase>\n  </testsuite>\n");
    }
    tried.iter().for_each(|tried| suite(tried, asked, &mut out));
    out.push_str("</testsuites>\n");
    out
}

fn suite(tried: &Tried<'_>, asked: Asked, out: &mut String) {
    let name = escaped(&tried.zap.name);
    let failed = tried.search.failures.len();
    let tests = failed.max(1);
    out.push_str(&format!(
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\">\n"
    ));
    let file = escaped(tried.file);
    if tried.passed() {
        let made = escaped(&made(tried));
        out.push_str(&format!("    <testcase classname=\"{name}\" name=\"{made}\" file=\"{file}\"/>\n"));
    }
    for (failure, line) in tried.failures() {
        let headline = escaped(&headline(failure));
        out.push_str(&format!(
            "    <testcase classname=\"{name}\" name=\"{headline}\" file=\"{file}\" line=\"{line}\">\n"
        ));
        let told = told(tried, failure, line, asked, Paint(false));
        out.push_str(&format!("      <failure message=\"{}\">{}", escaped(&failure.message), escaped(&told)));
        out.push_str("</failure>\n    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}
