#![allow(clippy::unwrap_used, reason = "a test may fail")]

use jiff::Timestamp;
use zaprun_engine::ports::{
    BegunAttempt, BegunWrite, EventKey, RunId, RunReason, RunSummary, StepOutcome, StepRecord, StoredEvent,
};

use super::*;
use crate::output::Paint;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn reason(word: &str, detail: &str) -> RunReason {
    RunReason { word: word.to_owned(), detail: detail.to_owned() }
}

/// A sale whose answer was lost, after its lead went well.
fn held() -> RunDetail {
    let key = EventKey { kind: "webhook".to_owned(), id: "A1".to_owned() };
    let params = [("emailAddress", "ada@example.test"), ("custom1", "two\nlines \u{1b}[31m")];
    RunDetail {
        summary: RunSummary {
            id: RunId(5),
            zap: "phone-orders".to_owned(),
            event: key.clone(),
            state: RunState::Held,
            reason: reason("uncertain", "two orders fit"),
            created_at: at(10),
            updated_at: at(40),
            due_at: None,
            attempts: 0,
        },
        event: StoredEvent {
            key,
            at: at(9),
            seen_at: at(10),
            record: br#"{"total":"19.90"}"#.as_slice().into(),
            context: Some(br#"{"query":{"src":"form"}}"#.as_slice().into()),
        },
        fresh: Some(br#"{"total":"29.90"}"#.as_slice().into()),
        depth: 2,
        failing: None,
        key_base: Default::default(),
        content: "c0ffee".to_owned(),
        git: None,
        past: Vec::new(),
        steps: vec![StepRecord {
            step: "sell.lead".to_owned(),
            element: None,
            outcome: StepOutcome::Done,
            status: None,
            attempts: 1,
            at: at(11),
            reply: None,
            response: None,
            why: None,
        }],
        attempts: Vec::new(),
        begun: Some(BegunAttempt {
            step: "sell".to_owned(),
            element: Some("7".to_owned()),
            at: at(12),
            write: Some(BegunWrite {
                params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
                before: Some("PARTIAL, 0 charges".to_owned()),
                serials: vec!["crm/12/ada@example.test".to_owned()],
                looked: Some(("PARTIAL, 1 charge".to_owned(), at(30))),
            }),
        }),
        waits_for: None,
    }
}

fn shown(run: &RunDetail) -> String {
    text::render(run, &Requests::Rendered(Vec::new()), Paint(false))
}

#[test]
fn what_is_open_is_shown_with_what_was_sent_and_seen() {
    insta::assert_snapshot!(shown(&held()), @r#"
    run 5 held
      zap       phone-orders (c0ffee)
      event     webhook:A1
      happened  1970-01-01T00:00:09.000Z
      seen      1970-01-01T00:00:10.000Z
      made      1970-01-01T00:00:10.000Z
      changed   1970-01-01T00:00:40.000Z
      trace     7df52c5f96a55b28b1bedadb4f7c8f58
      chain     2 writes of zaprun's own led to it, one after another
      why       uncertain: two orders fit

    steps
      sell.lead  done  1 attempt  1970-01-01T00:00:11.000Z

    open
      sell[7]  began at 1970-01-01T00:00:12.000Z; what became of it is not known
        emailAddress: ada@example.test
        custom1: two\nlines \u{1b}[31m
        the CRM before: PARTIAL, 0 charges
        the CRM at 1970-01-01T00:00:30.000Z: PARTIAL, 1 charge

    record, read again once it had settled: this one is mapped
      {
        "total": "29.90"
      }

    record, as first received
      {
        "total": "19.90"
      }

    what came with it
      {
        "query": {
          "src": "form"
        }
      }
    "#);
}

#[test]
fn an_attempt_that_nobody_can_be_asked_about_is_shown_too() {
    let mut run = held();
    let begun = run.begun.as_mut().unwrap();
    begun.write.as_mut().unwrap().before = None;
    let reserved = text::open(begun);
    begun.write = None;
    insta::assert_snapshot!(reserved + &text::open(begun), @r"
    sell[7]  waits to be sent; no other write for the same buyer goes before it
    sell[7]  began at 1970-01-01T00:00:12.000Z; how it ended is not recorded
    ");
}

#[test]
fn a_run_that_will_be_dead_says_why() {
    let mut run = held();
    run.summary.state = RunState::Pending;
    run.summary.reason = reason("retrying", "503");
    run.summary.due_at = Some(at(60));
    run.failing = Some(reason("declined", "Do not honor"));
    run.depth = 1;
    let text = shown(&run);
    let head = text.split("\n\n").next().unwrap().lines().skip(8).collect::<Vec<_>>();
    insta::assert_snapshot!(head.join("\n"), @r"
    due       1970-01-01T00:01:00.000Z
    chain     1 write of zaprun's own led to it, one after another
    failing   declined: Do not honor; it ends dead once `on_failure` is done
    why       retrying: 503
    ");
}

#[test]
fn a_run_that_waits_for_another_names_it() {
    let mut run = held();
    run.summary.state = RunState::Pending;
    run.waits_for = Some((RunId(3), RunState::Dead));
    let text = shown(&run);
    let line = text.lines().find(|line| line.contains("waits for")).unwrap();
    insta::assert_snapshot!(line, @"  waits for run 3 of the same id, which is dead");
}

#[test]
fn machines_read_all_of_it() {
    let mut run = held();
    run.failing = Some(reason("declined", "Do not honor"));
    let text = json::render(&run, &Requests::Unknown("the zap has changed".to_owned()));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let picked = ["chain", "failing", "open", "settled_record", "record", "context"];
    let lines: Vec<String> = picked.iter().map(|key| format!("{key} {}", json[key])).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    chain 2
    failing {"word":"declined","detail":"Do not honor"}
    open {"step":"sell","element":"7","began_at":"1970-01-01T00:00:12Z","write":{"params":[["emailAddress","ada@example.test"],["custom1","two\nlines \u001b[31m"]],"before":"PARTIAL, 0 charges","looked":{"at":"1970-01-01T00:00:30Z","state":"PARTIAL, 1 charge"}}}
    settled_record {"total":"29.90"}
    record {"total":"19.90"}
    context {"query":{"src":"form"}}
    "#);
}
