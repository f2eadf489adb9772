//! Requests, taken in on a clock that stands still.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use super::{Arrived, Intake, NotTaken, Taken};
use crate::ports::{Clock, EventKey, ReadError, RunState, StoreError, ZapId};
use crate::report::Event;
use crate::testing::{Call, Calls, FakeClock, FakeCrm, FakeRow, Fault, MemoryStore, Moment, Recorded};
use crate::{Engine, Options, Ports};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::load::{File, Input, load};
use zaprun_core::request::HttpRequest;
use zaprun_core::zap::{ProjectFacts, Zap, compile};

const PROJECT: &str = "
version: 1
connections:
  crm: { type: konnektive, login_id: \"${L}\", password: \"${P}\", timezone: America/New_York }
  push: { type: webhook, verify: none }
  sink: { type: http, base_url: https://sink.example }
listen: { webhooks: 127.0.0.1:8080 }
";

/// Noon of a Wednesday in the account's zone.
const NOON: &str = "2026-09-16T16:00:00Z";

fn zap(name: &str, trigger: &str) -> Arc<Zap> {
    let file = |path: &str, text: String| File { path: path.to_owned(), content: Ok(text.into_bytes()) };
    let zap = format!(
        "name: {name}\ntrigger: {{ {trigger} }}\nactions: [{{ id: send, type: http, connection: sink, json: {{ a: 1 }} }}]\n"
    );
    let input = Input {
        project: file("zaprun.yaml", PROJECT.to_owned()),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", zap)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let one = &loaded.zaps[0];
    let compiled = compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts);
    Arc::new(compiled.zap.unwrap_or_else(|| panic!("{trigger}\n{:?}", compiled.diagnostics)))
}

/// A sink that never answers, so that runs stay what intake made of them.
struct Silent;

#[async_trait]
impl crate::ports::Sender for Silent {
    async fn turn(&self, _: &HttpRequest) -> crate::ports::Turn {
        std::future::pending().await
    }

    async fn send_in_turn(&self, _: &HttpRequest, _: crate::ports::Turn) -> crate::ports::SendOutcome {
        std::future::pending().await
    }
}

struct Rig {
    clock: FakeClock,
    calls: Calls,
    crm: FakeCrm,
    store: MemoryStore,
    reports: Recorded,
    zaps: Vec<Arc<Zap>>,
}

impl Rig {
    fn with(zaps: Vec<Arc<Zap>>) -> Self {
        let (clock, calls) = (FakeClock::at(NOON), Calls::new());
        Rig {
            crm: FakeCrm::new(clock.clone(), calls.clone()),
            store: MemoryStore::new(calls.clone()),
            reports: Recorded::default(),
            zaps,
            clock,
            calls,
        }
    }

    fn engine(&self) -> Engine {
        let crm: Arc<dyn crate::ports::Crm> = Arc::new(self.crm.clone());
        let ports = Ports {
            crms: HashMap::from([("crm".to_owned(), crm)]),
            writers: HashMap::new(),
            sender: Arc::new(Silent),
            store: Arc::new(self.store.clone()),
            clock: Arc::new(self.clock.clone()),
            observer: Arc::new(self.reports.clone()),
        };
        Engine::new(self.zaps.clone(), ports, Options::default())
    }

    /// What becomes of these requests, one after another, while an engine runs; `None`: the engine died.
    fn try_send(&self, requests: &[Arrived]) -> Option<Vec<Result<Taken, NotTaken>>> {
        let engine = self.engine();
        let intake = engine.intake();
        let stop = CancellationToken::new();
        let ask = async {
            // The engine is polled first and opens the door.
            until_open(&intake).await;
            let mut answers = Vec::new();
            for request in requests {
                answers.push(intake.accept(request).await);
            }
            answers
        };
        // Whoever has no answer by then gets none: what died goes on waiting for nothing.
        let end = self.clock.now().saturating_add(SignedDuration::from_mins(10)).unwrap();
        self.clock.drive_until(end, async {
            tokio::select! {
                biased;
                ended = engine.run(stop.clone(), Duration::ZERO) => panic!("{ended:?}"),
                answers = ask => answers,
            }
        })
    }

    fn send(&self, requests: &[Arrived]) -> Vec<Result<Taken, NotTaken>> {
        self.try_send(requests).unwrap()
    }

    fn one(&self, request: &Arrived) -> Result<Taken, NotTaken> {
        self.send(std::slice::from_ref(request)).remove(0)
    }

    /// Zap, event and depth of each run.
    fn runs(&self) -> Vec<(i64, String, u32)> {
        let run = |run: crate::testing::MemoryRun| (run.zap.0, run.event.key.to_string(), run.depth);
        self.store.all_runs().into_iter().map(run).collect()
    }

    /// From now on polls take an hour, and `script` is asked before other reads.
    fn pushes_only(&self, mut script: impl FnMut(Call<'_>) -> Option<Fault> + Send + 'static) {
        self.crm.script(move |call| match call.request.window {
            Some(_) => Some(Fault::Slow(Duration::from_secs(3_600))),
            None => script(call),
        });
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// Waits while the engine opens; for ever, when it died on the way.
async fn until_open(intake: &Intake) {
    let mut tries = 0;
    std::future::poll_fn(|context| {
        tries += 1;
        match intake.is_open() {
            true => return std::task::Poll::Ready(()),
            false if tries < 1_000 => context.waker().wake_by_ref(),
            false => {}
        }
        std::task::Poll::Pending
    })
    .await;
}

fn request(path: &str, record: &str) -> Arrived {
    Arrived {
        path: path.to_owned(),
        record: Bytes::copy_from_slice(record.as_bytes()),
        context: Bytes::from_static(br#"{"headers":{"x-shop":"acme"},"query":{}}"#),
        depth: 0,
    }
}

fn taken(fired: u64, known: u64) -> Result<Taken, NotTaken> {
    Ok(Taken { fired, known })
}

const LEAD: &str = "type: webhook, connection: push, path: /lead, key: \"{{ record.id }}\"";

#[test]
fn a_request_becomes_a_run_of_each_zap_at_its_path() {
    let other = LEAD.replace("/lead", "/other");
    let rig = Rig::with(vec![zap("a", LEAD), zap("b", LEAD), zap("c", &other)]);
    assert_eq!(rig.one(&request("/lead", r#"{"id": 7, "n": 1.50}"#)), taken(2, 0));
    assert_eq!(rig.runs(), [(1, "webhook:7".to_owned(), 0), (2, "webhook:7".to_owned(), 0)]);
    let run = rig.store.all_runs().remove(0);
    assert_eq!(
        (run.state, run.created_at, run.event.at),
        (RunState::Pending, rig.clock.now(), rig.clock.now())
    );
    // Byte for byte, with what else came along.
    assert_eq!(&run.event.record[..], br#"{"id": 7, "n": 1.50}"#);
    assert_eq!(&run.event.context.unwrap()[..], br#"{"headers":{"x-shop":"acme"},"query":{}}"#);
}

#[test]
fn a_request_that_comes_again_makes_no_second_run() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    let first = request("/lead", r#"{"id": "7"}"#);
    assert_eq!(rig.send(&[first.clone(), first]), [taken(1, 0), taken(0, 1)]);
    // After a restart, too; and with other data under the same key.
    assert_eq!(rig.one(&request("/lead", r#"{"id": "7", "again": true}"#)), taken(0, 1));
    assert_eq!(rig.runs().len(), 1);
}

#[test]
fn zaps_may_find_different_keys() {
    let by_mail = LEAD.replace("record.id", "record.email");
    let rig = Rig::with(vec![zap("a", LEAD), zap("b", &by_mail), zap("c", LEAD)]);
    assert_eq!(rig.one(&request("/lead", r#"{"id": 1, "email": "a@b.c"}"#)), taken(3, 0));
    let keys: Vec<(i64, String)> = rig.runs().into_iter().map(|(zap, key, _)| (zap, key)).collect();
    assert_eq!(
        keys,
        [(1, "webhook:1".to_owned()), (3, "webhook:1".to_owned()), (2, "webhook:a@b.c".to_owned())]
    );
}

#[test]
fn one_zap_without_a_key_keeps_it_from_no_other() {
    let by_mail = LEAD.replace("record.id", "record.email");
    let rig = Rig::with(vec![zap("a", &by_mail), zap("b", LEAD)]);
    let answer = rig.one(&request("/lead", r#"{"id": 1}"#)).unwrap_err();
    assert_eq!(answer.to_string(), "zap `a` finds no key: `record.email` is missing");
    assert_eq!(rig.runs(), [(2, "webhook:1".to_owned(), 0)]);
}

#[test]
fn what_cannot_be_read_leaves_nothing() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    let deep = format!("{{\"id\": 1, \"x\": {}{}}}", "[".repeat(70), "]".repeat(70));
    let bad = ["", "{", "\"text\"", r#"{"id": 1, "id": 2}"#, deep.as_str(), "{}"];
    let requests: Vec<Arrived> = bad.iter().map(|record| request("/lead", record)).collect();
    for (record, answer) in bad.iter().zip(rig.send(&requests)) {
        assert!(matches!(answer, Err(NotTaken::Malformed { .. })), "{record}: {answer:?}");
    }
    assert_eq!(rig.one(&request("/nowhere", "{}")), Err(NotTaken::NoSuchPath));
    assert!(rig.runs().is_empty() && rig.store.ledger(ZapId(1)).is_empty());
}

#[test]
fn the_length_of_the_chain_is_kept() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    rig.one(&Arrived { depth: 2, ..request("/lead", r#"{"id": 1}"#) }).unwrap();
    assert_eq!(rig.runs()[0].2, 2);
}

#[test]
fn nothing_is_taken_while_no_engine_runs() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    let engine = rig.engine();
    let intake = engine.intake();
    assert_eq!(intake.routes()[0].path, "/lead");
    let ask = |intake: &Intake| rig.clock.drive(intake.accept(&request("/lead", r#"{"id": 1}"#))).unwrap();
    assert!(matches!(ask(&intake), Err(NotTaken::Later { .. })));
    // A single run takes none either.
    rig.clock.drive(engine.run_once(CancellationToken::new(), Duration::ZERO));
    assert!(matches!(ask(&intake), Err(NotTaken::Later { .. })));
    // And a running one only as long as it runs.
    let engine = rig.engine();
    let (intake, stop) = (engine.intake(), CancellationToken::new());
    stop.cancel();
    rig.clock.drive(engine.run(stop, Duration::ZERO)).unwrap().unwrap();
    assert!(!intake.is_open());
}

#[test]
fn a_full_disk_asks_the_caller_to_come_again() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    let error = StoreError::Io { reason: "no space left".to_owned() };
    rig.store.script(move |method| (method == "commit_page").then(|| error.clone()));
    let lead = request("/lead", r#"{"id": 1}"#);
    for answer in rig.send(&[lead.clone(), lead.clone()]) {
        assert!(matches!(answer, Err(NotTaken::Later { .. })), "{answer:?}");
    }
    // Said once.
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreTrouble { .. })), 1);
    rig.store.behave();
    assert_eq!(rig.one(&lead), taken(1, 0));
}

#[test]
fn a_lost_state_ends_the_engine() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    rig.store.script(|method| (method == "commit_page").then_some(StoreError::Fenced));
    let engine = rig.engine();
    let intake = engine.intake();
    let ended = rig.clock.drive(async {
        let ask = async {
            until_open(&intake).await;
            intake.accept(&request("/lead", r#"{"id": 1}"#)).await
        };
        let (ended, answer) =
            futures::future::join(engine.run(CancellationToken::new(), Duration::ZERO), ask).await;
        assert!(matches!(answer, Err(NotTaken::Later { .. })), "{answer:?}");
        ended
    });
    assert_eq!(ended.unwrap().unwrap_err(), StoreError::Fenced.into());
}

#[test]
fn a_crash_at_any_moment_loses_nothing_that_was_answered() {
    let zaps = || vec![zap("a", LEAD), zap("b", LEAD)];
    let lead = request("/lead", r#"{"id": 1}"#);
    let calls = {
        let rig = Rig::with(zaps());
        rig.one(&lead).unwrap();
        rig.calls.made()
    };
    assert!(calls > 2);
    for (nth, moment) in (1..=calls).flat_map(|nth| [(nth, Moment::Before), (nth, Moment::After)]) {
        let rig = Rig::with(zaps());
        rig.calls.crash_at(nth, moment);
        let answers = rig.try_send(std::slice::from_ref(&lead));
        let answered = answers.is_some_and(|answers| answers[0].is_ok());
        rig.calls.calm();
        let made = rig.runs().len();
        assert!(made == 2 || (made == 0 && !answered), "{made} runs after a crash {moment:?} call {nth}");
        // Who got no answer comes again.
        rig.one(&lead).unwrap();
        assert_eq!(rig.runs().len(), 2, "a crash {moment:?} call {nth}");
    }
}

const SALE: &str = "type: konnektive.orders, connection: crm, order_type: new_sale, every: 10m, \
    also: { connection: push, path: /crm, preset: konnektive }";

fn push(order: &str) -> Arrived {
    request("/crm", &format!(r#"{{"orderId": 13, "clientOrderId": "{order}", "orderStatus": "COMPLETE"}}"#))
}

fn key(kind: &str, id: &str) -> EventKey {
    EventKey { kind: kind.to_owned(), id: id.to_owned() }
}

/// An account that was polled at noon; one minute later.
fn polled(zaps: Vec<Arc<Zap>>) -> Rig {
    let rig = Rig::with(zaps);
    rig.clock.drive(rig.engine().run_once(CancellationToken::new(), Duration::ZERO)).unwrap().unwrap();
    rig.later(60);
    rig.crm.take_reads();
    rig.pushes_only(|_| None);
    rig
}

fn now_there(rig: &Rig) -> String {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    zone.to_datetime(rig.clock.now()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[test]
fn a_push_has_its_row_read_and_judged_like_a_polls() {
    let all_cancelled = SALE.replace("new_sale", "cancelled");
    let rig = polled(vec![zap("sales", SALE), zap("cancels", &all_cancelled)]);
    let now = now_there(&rig);
    rig.crm.change(|table| {
        table.insert(FakeRow::order("NEW", &now));
        table.insert(FakeRow::order("OLD", "2026-09-01 10:00:00"));
    });
    // Sold now: news for one zap, not the other's business.
    assert_eq!(rig.one(&push("NEW")), taken(1, 0));
    assert_eq!(rig.runs(), [(1, "new_sale:NEW".to_owned(), 0)]);
    let record: serde_json::Value = serde_json::from_slice(&rig.store.all_runs()[0].event.record).unwrap();
    assert_eq!(record["orderId"], "NEW", "the CRM's row, not what was pushed");
    // From before the start: known from now on, no run.
    assert_eq!(rig.one(&push("OLD")), taken(0, 0));
    assert!(rig.store.fate(ZapId(1), &key("new_sale", "OLD")).is_some());
    assert_eq!(rig.runs().len(), 1);
}

#[test]
fn push_and_poll_tell_of_one_sale_once() {
    let rig = polled(vec![zap("sales", SALE)]);
    let now = now_there(&rig);
    rig.crm.change(|table| table.insert(FakeRow::order("NEW", &now)));
    assert_eq!(rig.one(&push("NEW")), taken(1, 0));
    rig.later(600);
    rig.crm.behave();
    rig.clock.drive(rig.engine().run_once(CancellationToken::new(), Duration::ZERO));
    assert_eq!(rig.runs().len(), 1);
    // What the ledger knows is answered without asking the CRM.
    rig.crm.take_reads();
    assert_eq!(rig.one(&push("NEW")), taken(0, 1));
    assert!(rig.crm.take_reads().iter().all(|read| read.window.is_some()));
}

#[test]
fn a_push_moves_no_cursor_and_keeps_the_depth() {
    let rig = polled(vec![zap("sales", SALE)]);
    let before = rig.store.cursors(ZapId(1));
    let now = now_there(&rig);
    rig.crm.change(|table| table.insert(FakeRow::order("NEW", &now)));
    rig.one(&Arrived { depth: 3, ..push("NEW") }).unwrap();
    assert_eq!(rig.runs(), [(1, "new_sale:NEW".to_owned(), 3)]);
    assert_eq!(rig.store.cursors(ZapId(1)), before);
}

fn down() -> ReadError {
    ReadError::Transport { text: "cut".to_owned(), retry_after: Some(Duration::from_secs(7)) }
}

#[test]
fn a_crm_that_cannot_be_read_asks_the_caller_to_come_again() {
    let rig = polled(vec![zap("sales", SALE)]);
    let now = now_there(&rig);
    rig.crm.change(|table| table.insert(FakeRow::order("NEW", &now)));
    rig.pushes_only(|_| Some(Fault::Fail(down())));
    let Err(NotTaken::Later { retry_after, .. }) = rig.one(&push("NEW")) else { panic!("taken") };
    assert_eq!(retry_after, Duration::from_secs(7));
    rig.pushes_only(|_| Some(Fault::Slow(Duration::from_secs(90))));
    assert!(matches!(rig.one(&push("NEW")), Err(NotTaken::Later { .. })));
    assert!(rig.runs().is_empty());
    rig.pushes_only(|_| None);
    assert_eq!(rig.one(&push("NEW")), taken(1, 0));
}

#[test]
fn a_refused_login_is_not_tried_with_every_push() {
    let rig = polled(vec![zap("sales", SALE)]);
    rig.pushes_only(|_| Some(Fault::Fail(ReadError::Credentials { text: "no".to_owned() })));
    let requests = [push("A"), push("B"), push("C")];
    let answers = rig.send(&requests);
    assert!(answers.iter().all(|answer| matches!(answer, Err(NotTaken::Later { .. }))));
    let by_id = rig.crm.take_reads().iter().filter(|read| read.window.is_none()).count();
    assert_eq!(by_id, 1, "logins for three pushes");
    // Once the login is right again, and the rest is over, it goes on.
    rig.pushes_only(|_| None);
    assert_eq!(rig.one(&push("A")), taken(0, 0));
}

#[test]
fn a_row_that_the_crm_does_not_show_is_told_of() {
    let rig = polled(vec![zap("sales", SALE)]);
    assert_eq!(rig.one(&push("NOWHERE")), taken(0, 0));
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Unheard { row: "order", .. })), 1);
    // A CRM that does not know the parameter gives other rows, which nobody told of.
    let now = now_there(&rig);
    let other = FakeRow::order("OTHER", &now).bytes();
    rig.pushes_only(move |_| {
        let page = crate::ports::Page { total: 1, rows: vec![other.clone()], server_time: None };
        Some(Fault::Page(page))
    });
    assert_eq!(rig.one(&push("NEW")), taken(0, 0));
    assert!(rig.runs().iter().all(|(_, event, _)| event != "new_sale:OTHER"));
}

#[test]
fn one_path_may_be_event_and_push() {
    let event = "type: webhook, connection: push, path: /crm, preset: konnektive";
    let rig = polled(vec![zap("sales", SALE), zap("events", event)]);
    let now = now_there(&rig);
    rig.crm.change(|table| table.insert(FakeRow::order("NEW", &now)));
    assert_eq!(rig.one(&push("NEW")), taken(2, 0));
    let mut keys: Vec<String> = rig.runs().into_iter().map(|(_, key, _)| key).collect();
    keys.sort();
    assert_eq!(keys, ["new_sale:NEW", "webhook:/crm|NEW|COMPLETE|"]);
}

#[test]
fn card_data_is_refused_by_the_name_of_its_field() {
    let rig = Rig::with(vec![zap("a", LEAD)]);
    let in_body = request("/lead", r#"{"id": 1, "buyer": {"cardNumber": "4111111111111111"}}"#);
    let query = Bytes::from_static(br#"{"headers":{},"query":{"cvv":"123"}}"#);
    let in_query = Arrived { context: query, ..request("/lead", r#"{"id": 2}"#) };
    let refused = |field: &str| Err(NotTaken::CardData { field: field.to_owned() });
    assert_eq!(rig.send(&[in_body, in_query]), [refused("buyer.cardNumber"), refused("cvv")]);
    assert!(rig.runs().is_empty());
}
