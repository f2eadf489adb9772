//! An API that a script writes, polled by engines that come and go.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use super::{Feeds, Followed, Ports, first_boundary};
use crate::polling::health::Health;
use crate::polling::{self, Polled};
use crate::ports::{
    Clock, EventKey, Reply, SendOutcome, Sender, Store, StoreError, Turn, ZapId, ZapIdentity,
};
use crate::report::{Event, FeedFailure, ItemProblem};
use crate::testing::{Calls, FakeClock, MemoryStore, Moment, Recorded};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zaprun_core::load::{File, Input, load};
use zaprun_core::request::{Destination, HttpRequest};
use zaprun_core::zap::{ProjectFacts, Trigger, Zap, compile};

mod switched_off;

const NOON: &str = "2026-09-16T12:00:00Z";

const PROJECT: &str = "
version: 1
connections:
  api: { type: http, base_url: https://api.example }
";

/// Numbered pages of two, times in UTC.
const PAGES: &str = "pagination: { page: { param: page, size: 2 } }\n  at: \"{{ record.at }}\"";

fn zap(more: &str) -> Arc<Zap> {
    let text = format!(
        "name: zap\ntrigger:\n  type: http\n  connection: api\n  items: $.data\n  key: \"{{{{ record.id }}}}\"\n  every: 5m\n  {more}\nactions:\n  - {{ id: send, type: http, connection: api, json: {{ a: 1 }} }}\n"
    );
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let zaps = vec![file("zaps/z.yaml", &text)];
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps,
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let zap = &loaded.zaps[0];
    let compiled = compile(zap.definition.as_ref().unwrap(), zap.tree.as_ref().unwrap(), &facts);
    Arc::new(compiled.zap.unwrap_or_else(|| panic!("{text}\n{:?}", compiled.diagnostics)))
}

/// What a script does to a request.
type Script = Box<dyn FnMut(usize, &HttpRequest, &mut Vec<String>) -> Option<SendOutcome> + Send>;

#[derive(Clone)]
struct Api {
    clock: FakeClock,
    calls: Calls,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    items: Vec<String>,
    asked: Vec<HttpRequest>,
    script: Option<Script>,
    /// The server's clock less ours, in seconds; `None`: it does not tell.
    skew: Option<i64>,
}

fn reply(status: u16, body: &str) -> SendOutcome {
    SendOutcome::Reply(Reply {
        status,
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        truncated: false,
        cut: false,
        retry_after: None,
    })
}

fn busy(status: u16, seconds: u64) -> SendOutcome {
    let SendOutcome::Reply(reply) = reply(status, "") else { unreachable!("just made") };
    SendOutcome::Reply(Reply { retry_after: Some(Duration::from_secs(seconds)), ..reply })
}

impl Api {
    /// A page of two items, by its number.
    fn page(inner: &Inner, request: &HttpRequest) -> String {
        let number = request.query.iter().find(|(name, _)| name == "page");
        let number: usize = number.map_or(1, |(_, value)| value.parse().unwrap());
        let size = if request.query.iter().any(|(name, _)| name == "page") { 2 } else { 1_000 };
        let items: Vec<&str> =
            inner.items.iter().map(String::as_str).skip(size * (number - 1)).take(size).collect();
        format!("{{\"data\":[{}]}}", items.join(","))
    }
}

#[async_trait]
impl Sender for Api {
    async fn turn(&self, _: &HttpRequest) -> Turn {
        Turn::free()
    }

    async fn send_in_turn(&self, request: &HttpRequest, _: Turn) -> SendOutcome {
        let call = self.calls.enter().await;
        let outcome = {
            let inner = &mut *self.inner.lock().unwrap();
            inner.asked.push(request.clone());
            let (number, items) = (inner.asked.len(), &mut inner.items);
            let scripted = inner.script.as_mut().and_then(|script| script(number, request, items));
            scripted.unwrap_or_else(|| reply(200, &Self::page(inner, request)))
        };
        let skew = self.inner.lock().unwrap().skew;
        let outcome = match (outcome, skew) {
            (SendOutcome::Reply(mut reply), Some(skew)) => {
                let there = self.clock.now().saturating_add(SignedDuration::from_secs(skew)).unwrap();
                let date =
                    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&there).unwrap();
                reply.headers.push(("date".to_owned(), date));
                SendOutcome::Reply(reply)
            }
            (outcome, _) => outcome,
        };
        self.calls.leave(call).await;
        outcome
    }
}

struct Rig {
    clock: FakeClock,
    calls: Calls,
    api: Api,
    store: MemoryStore,
    reports: Recorded,
    zap: Arc<Zap>,
}

impl Rig {
    fn new(more: &str) -> Self {
        let (clock, calls) = (FakeClock::at(NOON), Calls::new());
        let api = Api { clock: clock.clone(), calls: calls.clone(), inner: Arc::default() };
        let store = MemoryStore::new(calls.clone());
        Rig { clock, calls, api, store, reports: Recorded::default(), zap: zap(more) }
    }

    /// A zap that has run since noon, so that whatever comes is news.
    fn running(more: &str) -> Self {
        let rig = Rig::new(more);
        rig.poll();
        rig.later(300);
        rig.reports.take();
        rig.api.inner.lock().unwrap().asked.clear();
        rig
    }

    async fn start(&self) -> Result<Feeds, StoreError> {
        let Trigger::Http(trigger) = &self.zap.trigger else { panic!("another trigger") };
        let now = self.clock.now();
        let identity = ZapIdentity {
            name: "zap".to_owned(),
            formerly: None,
            selection: self.zap.selection.clone(),
            queries: 1,
            strict: false,
            content: self.zap.content.clone(),
            source: None,
            git: None,
            first_boundary: first_boundary(trigger, now),
            now,
        };
        let state = self.store.open_zap(identity).await?;
        let polling = polling::Ports {
            clock: Arc::new(self.clock.clone()),
            store: Arc::new(self.store.clone()),
            observer: Arc::new(self.reports.clone()),
        };
        let ports = Ports { polling, sender: Arc::new(self.api.clone()) };
        let zap = Followed { name: "zap".to_owned(), trigger: (**trigger).clone(), state };
        Ok(Feeds::new(ports, Arc::new(Health::default()), vec![zap], 7))
    }

    /// An engine starts, polls once, and ends; `None` when it died on the way.
    fn try_poll(&self) -> Option<Result<Polled, StoreError>> {
        self.clock.drive(async { self.start().await?.poll_once().await })
    }

    fn poll(&self) -> Polled {
        self.try_poll().unwrap().unwrap()
    }

    /// Runs one engine for so long.
    fn run_for(&self, time: SignedDuration) {
        let end = self.clock.now() + time;
        let ended = self.clock.drive_until(end, async { self.start().await.unwrap().run().await });
        assert!(ended.is_none(), "it runs until it is stopped");
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn script(
        &self,
        script: impl FnMut(usize, &HttpRequest, &mut Vec<String>) -> Option<SendOutcome> + Send + 'static,
    ) {
        self.api.inner.lock().unwrap().script = Some(Box::new(script));
    }

    fn behave(&self) {
        self.api.inner.lock().unwrap().script = None;
    }

    fn asked(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut self.api.inner.lock().unwrap().asked)
    }

    fn put(&self, items: &[&str]) {
        self.api.inner.lock().unwrap().items.extend(items.iter().map(|item| (*item).to_owned()));
    }

    /// Items of these ids.
    fn add(&self, ids: impl IntoIterator<Item = u32>) {
        let at = self.clock.now();
        let items = ids.into_iter().map(|id| format!("{{\"id\":{id},\"at\":\"{at}\"}}"));
        self.api.inner.lock().unwrap().items.extend(items);
    }

    fn fired(&self) -> Vec<String> {
        self.store.all_runs().into_iter().map(|run| run.event.key.id).collect()
    }

    fn ledger(&self) -> BTreeSet<String> {
        self.store.ledger(ZapId(1)).iter().map(|(key, fate)| format!("{} {fate:?}", key.id)).collect()
    }

    fn cursor(&self) -> Option<Timestamp> {
        self.store.cursors(ZapId(1)).get("http").copied()
    }
}

fn ids(ids: impl IntoIterator<Item = u32>) -> Vec<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

#[test]
fn what_is_there_is_primed_and_what_comes_fires_once() {
    let rig = Rig::new("");
    rig.add(1..=3);
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.tally.primed, polled.failed), (0, 3, 0));
    assert_eq!(
        rig.reports.count(|event| *event == Event::FirstRun { zap: "zap".to_owned(), primed: 3, fired: 0 }),
        1
    );
    rig.later(300);
    rig.add([4]);
    for _ in 0..3 {
        rig.poll();
        rig.later(300);
    }
    assert_eq!(rig.fired(), ["4"]);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::FirstRun { .. })), 1);
    let run = &rig.store.all_runs()[0];
    assert!(std::str::from_utf8(&run.event.record).unwrap().starts_with("{\"id\":4,"));
    assert_eq!(run.event.key, EventKey { kind: "http".to_owned(), id: "4".to_owned() });
}

#[test]
fn from_the_beginning_everything_fires() {
    let rig = Rig::new("start: beginning");
    rig.add(1..=3);
    rig.later(600);
    rig.poll();
    assert_eq!(rig.fired(), ["1", "2", "3"]);
}

#[test]
fn the_first_walk_fires_what_is_known_to_be_since_the_start() {
    let rig = Rig::new(PAGES);
    rig.put(&[
        r#"{"id":1,"at":"2026-09-16T11:59:59Z"}"#,
        r#"{"id":2,"at":"2026-09-16T12:00:00Z"}"#,
        r#"{"id":3}"#,
    ]);
    rig.script(|_, _, _| Some(reply(404, "")));
    rig.poll();
    rig.behave();
    rig.later(300);
    rig.put(&[r#"{"id":4,"at":"2026-09-16T12:04:00Z"}"#]);
    rig.poll();
    let wanted = ["1 Prime", "2 Fire", "3 PrimeUndated", "4 Fire"].map(str::to_owned);
    assert_eq!(rig.ledger(), BTreeSet::from(wanted));
    let at = rig.store.all_runs()[1].event.at.to_string();
    assert_eq!(at, "2026-09-16T12:04:00Z", "when it happened");
    assert_eq!(
        rig.reports
            .count(|event| matches!(event, Event::ItemProblem { problem: ItemProblem::Undated { .. }, .. })),
        1
    );
    rig.later(300);
    rig.put(&[r#"{"id":5,"at":"2020-01-01T00:00:00Z"}"#]);
    rig.poll();
    assert!(rig.fired().contains(&"5".to_owned()), "what comes later is new, whatever it says");
}

#[test]
fn an_edited_request_primes_what_it_finds_and_an_edited_interval_does_not() {
    let mut rig = Rig::running("start: beginning");
    rig.zap = zap("start: beginning\n  query: { status: closed }");
    rig.add([1]);
    rig.poll();
    assert_eq!(rig.fired(), Vec::<String>::new(), "it was there for the new question");
    rig.zap = zap("start: beginning\n  query: { status: closed }\n  once_per: \"{{ record.id }}\"");
    rig.later(300);
    rig.add([2]);
    rig.poll();
    assert_eq!(rig.fired(), ["2"]);
}

#[test]
fn pages_are_read_to_a_short_one_and_committed_one_by_one() {
    let rig = Rig::running(PAGES);
    rig.add(1..=5);
    rig.poll();
    assert_eq!(rig.fired(), ids(1..=5));
    let pages: Vec<String> = rig.asked().iter().map(|request| request.query[0].1.clone()).collect();
    assert_eq!(pages, ["1", "2", "3"]);
    rig.later(300);
    rig.add([6, 7, 8]);
    let before = rig.cursor();
    rig.script(|number, _, _| (number >= 4).then(|| reply(500, "")));
    assert_eq!(rig.poll().failed, 1);
    assert_eq!(rig.fired(), ids(1..=6), "what was read is kept");
    assert_eq!(rig.cursor(), before, "the cursor is not");
    rig.behave();
    rig.poll();
    assert_eq!(rig.fired(), ids(1..=8));
    assert!(rig.cursor() > before);
}

#[test]
fn items_that_move_to_another_page_fire_once() {
    let rig = Rig::running(PAGES);
    rig.add(1..=4);
    rig.script(|number, _, items| {
        if number == 2 {
            items.insert(0, "{\"id\":0}".to_owned());
        }
        None
    });
    rig.poll();
    rig.behave();
    rig.later(300);
    rig.poll();
    let mut fired = rig.fired();
    fired.sort();
    assert_eq!(fired, ids(0..=4));
}

#[test]
fn later_items_are_asked_for_from_before_the_last_walk() {
    let rig = Rig::new("since: { param: from, overlap: 10m }");
    rig.poll();
    assert!(rig.asked()[0].query.is_empty(), "the first time asks for all there is");
    rig.later(3_600);
    rig.poll();
    let from =
        |request: &HttpRequest| request.query.iter().map(|(_, value)| value.clone()).collect::<String>();
    assert_eq!(from(&rig.asked()[0]), "2026-09-16T11:50:00Z");
    rig.later(60);
    rig.poll();
    assert_eq!(from(&rig.asked()[0]), "2026-09-16T12:50:00Z");
}

#[test]
fn a_server_whose_clock_is_behind_is_asked_from_further_back() {
    for (skew, from) in [
        (Some(-1_200), "2026-09-16T11:30:00Z"),
        (Some(1_200), "2026-09-16T11:50:00Z"),
        (None, "2026-09-16T11:50:00Z"),
    ] {
        let rig = Rig::new("since: { param: from, overlap: 10m }");
        rig.api.inner.lock().unwrap().skew = skew;
        rig.poll();
        rig.later(300);
        rig.asked();
        rig.poll();
        assert_eq!(rig.asked()[0].query[0].1, from, "{skew:?}");
    }
}

#[test]
fn the_answer_says_where_it_goes_on() {
    let rig = Rig::running("pagination: { cursor: { param: after, next: $.next } }");
    rig.script(|_, request, _| {
        let after = request.query.first().map_or("", |(_, value)| value);
        let body = match after {
            "" => r#"{"data":[{"id":1}],"next":"b"}"#,
            "b" => r#"{"data":[],"next":"c"}"#,
            _ => r#"{"data":[{"id":2}],"next":null}"#,
        };
        Some(reply(200, body))
    });
    rig.poll();
    assert_eq!(rig.fired(), ["1", "2"], "an empty page in the middle is no end");

    let rig = Rig::running("pagination: { link: { next: $.next } }");
    rig.script(|_, request, _| match &request.destination {
        Destination::Linked { link, .. } => {
            assert_eq!(link, "/x?page=2");
            Some(reply(200, r#"{"data":[{"id":2}]}"#))
        }
        _ => Some(reply(200, r#"{"data":[{"id":1}],"next":"/x?page=2"}"#)),
    });
    rig.poll();
    assert_eq!(rig.fired(), ["1", "2"]);
}

fn causes(rig: &Rig) -> Vec<String> {
    let cause = |event: Event| match event {
        Event::FeedFailed { cause, .. } | Event::FeedStopped { cause, .. } => Some(cause.to_string()),
        _ => None,
    };
    rig.reports.take().into_iter().filter_map(cause).collect()
}

#[test]
fn an_api_that_does_not_turn_pages_is_left() {
    let rig = Rig::running("pagination: { page: { param: page } }");
    rig.script(|_, _, _| Some(reply(200, r#"{"data":[{"id":1},{"id":2}]}"#)));
    assert_eq!(rig.poll().failed, 1);
    assert_eq!(rig.asked().len(), 4);
    assert_eq!(causes(&rig), ["it sends the same page again and again"]);
    assert_eq!(rig.fired(), ["1", "2"]);

    let rig = Rig::running("pagination: { cursor: { param: after, next: $.next } }");
    rig.script(|number, _, _| Some(reply(200, &format!(r#"{{"data":[{{"id":{number}}}],"next":"same"}}"#))));
    assert_eq!(rig.poll().failed, 1);
    assert_eq!(rig.asked().len(), 2, "a page that leads to itself");
}

#[test]
fn pages_without_end_are_bounded() {
    let rig = Rig::running("pagination: { page: { param: page } }");
    rig.script(|number, _, _| Some(reply(200, &format!(r#"{{"data":[{{"id":{number}}}]}}"#))));
    assert_eq!(rig.poll().failed, 1);
    assert_eq!(rig.asked().len(), 10_000);
    assert_eq!(
        causes(&rig),
        ["it has more than 10000 pages; ask for larger ones, or for later items only with `since`"]
    );
}

#[test]
fn faults_that_pass_are_retried_within_the_walk() {
    let faults: [fn() -> SendOutcome; 6] = [
        || reply(503, ""),
        || reply(429, ""),
        || busy(429, 45),
        || SendOutcome::NotSent { reason: "no connection".to_owned(), retryable: true },
        || SendOutcome::Unknown { reason: "no answer".to_owned() },
        || {
            let SendOutcome::Reply(whole) = reply(200, "{\"data\":[") else { unreachable!("just made") };
            SendOutcome::Reply(Reply { cut: true, ..whole })
        },
    ];
    for fault in faults {
        let rig = Rig::running("");
        rig.add([1]);
        let began = rig.clock.now();
        rig.script(move |number, _, _| (number == 1).then(fault));
        assert_eq!(rig.poll().failed, 0);
        assert_eq!(rig.fired(), ["1"]);
        if let SendOutcome::Reply(Reply { retry_after: Some(asked), .. }) = fault() {
            assert!(rig.clock.now().duration_since(began).unsigned_abs() >= asked, "it waits as asked");
        }
    }
}

#[test]
fn what_no_repeat_mends_fails_the_walk_with_its_reason() {
    let long = || {
        let SendOutcome::Reply(whole) = reply(200, "{\"data\":[") else { unreachable!("just made") };
        SendOutcome::Reply(Reply { truncated: true, ..whole })
    };
    type Make = Box<dyn Fn() -> SendOutcome + Send>;
    let cases: [(Make, &str); 7] = [
        (Box::new(|| reply(404, "")), "it answered 404"),
        (Box::new(|| reply(302, "")), "it answered 302"),
        (Box::new(|| reply(200, "<html>")), "the answer is not JSON: unexpected character at byte 0"),
        (Box::new(|| reply(200, "{\"error\":\"x\"}")), "the answer has nothing at `$.data`"),
        (Box::new(|| reply(200, "{\"data\":{}}")), "`$.data` of the answer is an object, not a list"),
        (Box::new(long), "the answer is longer than 1 MiB; ask for smaller pages"),
        (
            Box::new(|| SendOutcome::NotSent {
                reason: "the next page is on another host".to_owned(),
                retryable: false,
            }),
            "the next page is on another host",
        ),
    ];
    for (fault, words) in cases {
        let rig = Rig::running("");
        let before = rig.cursor();
        rig.script(move |_, _, _| Some(fault()));
        assert_eq!(rig.poll().failed, 1);
        assert_eq!(rig.asked().len(), 1, "{words}: once");
        assert_eq!(causes(&rig), [words]);
        assert_eq!(rig.cursor(), before);
    }
}

#[test]
fn items_without_a_key_are_passed_over_and_told_once() {
    let rig = Rig::running("");
    rig.put(&[r#"{"id":1}"#, r#"{"id":null}"#, r#"{"x":1}"#, r#"{"id":2}"#]);
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.tally.passed_over, polled.failed), (2, 2, 0));
    let no_key =
        |event: &Event| matches!(event, Event::ItemProblem { problem: ItemProblem::NoKey { .. }, .. });
    assert_eq!(rig.reports.count(no_key), 1);

    let rig = Rig::running("");
    rig.put(&[r#"{"ID":1}"#, r#"{"ID":2}"#]);
    let before = rig.cursor();
    assert_eq!(rig.poll().failed, 1, "a field that no item has is a mistake");
    assert!(causes(&rig)[0].starts_with("no item has a key: key: "));
    assert_eq!(rig.cursor(), before);
}

/// What one page holds says nothing of the others.
#[test]
fn a_page_of_items_without_keys_does_not_end_a_walk() {
    const GOOD: [&str; 2] = [r#"{"id":1}"#, r#"{"id":2}"#];
    const MORE: [&str; 2] = [r#"{"id":3}"#, r#"{"id":4}"#];
    const BAD: [&str; 2] = [r#"{"id":null}"#, r#"{"nokey":1}"#];
    let paged = || Rig::running("pagination: { page: { param: page, size: 2 } }");
    for pages in [[GOOD, BAD, MORE], [BAD, GOOD, MORE], [GOOD, MORE, BAD]] {
        let rig = paged();
        rig.put(&pages.concat());
        let polled = rig.poll();
        assert_eq!((polled.tally.fired, polled.tally.passed_over, polled.failed), (4, 2, 0), "{pages:?}");
    }
    let rig = paged();
    rig.put(&[BAD, BAD].concat());
    let before = rig.cursor();
    assert_eq!(rig.poll().failed, 1, "no item of the whole walk has a key");
    assert!(causes(&rig)[0].starts_with("no item has a key: key: "));
    assert_eq!(rig.cursor(), before);
}

#[test]
fn card_data_is_kept_nowhere_and_told_once() {
    let rig = Rig::running("");
    rig.put(&[r#"{"id":1,"note":"4111111111111111"}"#, r#"{"id":2,"note":"4111111111111111"}"#]);
    rig.poll();
    assert!(
        rig.store.all_runs().iter().all(|run| !run.event.record.windows(8).any(|part| part == b"41111111"))
    );
    let card = |event: &Event| matches!(event, Event::ItemProblem { problem: ItemProblem::Card { field }, .. } if field == "note");
    assert_eq!((rig.fired().len(), rig.reports.count(card)), (2, 1));
}

#[test]
fn of_two_items_with_one_key_the_first_counts() {
    let rig = Rig::running("");
    rig.put(&[r#"{"id":1,"a":1}"#, r#"{"id":1,"a":2}"#, r#"{"id":2}"#, r#"{"id":2}"#]);
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.tally.passed_over), (2, 1), "the same item twice is no problem");
    let doubled = |event: &Event| matches!(event, Event::ItemProblem { problem: ItemProblem::Doubled { key }, .. } if key == "1");
    assert_eq!(rig.reports.count(doubled), 1);
    assert_eq!(&*rig.store.all_runs()[0].event.record, br#"{"id":1,"a":1}"#);
}

#[test]
fn an_api_that_refuses_is_parked_with_one_alert_and_recovers() {
    for status in [401, 403] {
        let rig = Rig::running("");
        rig.script(move |_, _, _| Some(reply(status, "")));
        rig.run_for(SignedDuration::from_hours(24));
        // At once, then after 15 min, 30 min, 1, 2, 4 and 6 h, and so on.
        assert_eq!(rig.asked().len(), 8, "{status}");
        assert_eq!(causes(&rig), [format!("it answered {status}")]);
        rig.add([1]);
        rig.behave();
        rig.clock.drive_until(rig.clock.now() + SignedDuration::from_hours(1), async {
            rig.start().await.unwrap().run().await
        });
        assert_eq!(rig.fired(), ["1"]);
    }
}

#[test]
fn trouble_is_told_with_its_end() {
    let rig = Rig::running("");
    let mut bad = 9;
    rig.script(move |_, _, _| {
        bad -= 1;
        (bad > 0).then(|| reply(502, ""))
    });
    rig.add([1]);
    rig.run_for(SignedDuration::from_hours(2));
    let events = rig.reports.take();
    let count = |test: fn(&Event) -> bool| events.iter().filter(|event| test(event)).count();
    assert_eq!(count(|event| matches!(event, Event::FeedFailed { .. })), 2, "four tries each");
    assert_eq!(count(|event| matches!(event, Event::FeedRecovered { .. })), 1);
    assert_eq!(rig.fired(), ["1"]);
}

#[test]
fn failures_are_delayed_more_and_more_and_as_asked() {
    let rig = Rig::running("");
    rig.script(|_, _, _| Some(reply(400, "")));
    rig.run_for(SignedDuration::from_hours(10));
    let asked = rig.asked().len();
    assert!((40..=120).contains(&asked), "{asked}");

    let rig = Rig::running("");
    rig.script(|_, _, _| Some(busy(429, 3_600)));
    let began = rig.clock.now();
    rig.run_for(SignedDuration::from_mins(119));
    let retries: Vec<Timestamp> = rig
        .reports
        .take()
        .iter()
        .filter_map(|event| match event {
            Event::FeedFailed { retry_at, .. } => Some(*retry_at),
            _ => None,
        })
        .collect();
    assert_eq!(retries.len(), 2, "a long rest is not waited for within the walk");
    assert!(retries[0] >= began + SignedDuration::from_hours(1));
}

#[test]
fn a_poll_comes_every_interval_without_drift_and_survives_a_clock_set_back() {
    let rig = Rig::new("");
    rig.run_for(SignedDuration::from_secs(3_599));
    assert_eq!(rig.asked().len(), 12);
    let clock = rig.clock.clone();
    let mut first = true;
    rig.script(move |_, _, _| {
        if std::mem::take(&mut first) {
            clock.set(clock.now() - SignedDuration::from_hours(6));
        }
        None
    });
    rig.run_for(SignedDuration::from_hours(-5));
    let asked = rig.asked().len();
    assert!((12..=13).contains(&asked), "an hour of polls by the new clock, {asked}");
}

#[test]
fn a_state_that_cannot_be_written_loses_nothing() {
    let rig = Rig::running("");
    rig.add([1]);
    let full = StoreError::Io { reason: "no space left on device".to_owned() };
    rig.store.script(move |method| (method == "commit_page").then(|| full.clone()));
    rig.run_for(SignedDuration::from_hours(1));
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreTrouble { .. })), 1);
    rig.store.behave();
    rig.poll();
    assert_eq!(rig.fired(), ["1"]);

    rig.add([2]);
    rig.store.script(|method| (method == "commit_page").then_some(StoreError::Fenced));
    assert_eq!(rig.try_poll(), Some(Err(StoreError::Fenced)), "another engine has taken over");
}

/// Three pages of what was there, then three more with news on each.
fn busy_api(first_run: bool) -> Rig {
    let rig = Rig::new(PAGES);
    if first_run {
        rig.put(&[r#"{"id":90,"at":"2026-09-16T11:00:00Z"}"#, r#"{"id":91,"at":"2026-09-16T11:00:00Z"}"#]);
        rig.add([1]);
    } else {
        rig.put(&[r#"{"id":90,"at":"2026-09-16T11:00:00Z"}"#]);
        rig.poll();
        rig.later(300);
        rig.add(1..=5);
    }
    rig
}

#[test]
fn a_crash_at_every_call_leaves_the_same_runs() {
    for first_run in [true, false] {
        let undisturbed = busy_api(first_run);
        undisturbed.calls.calm();
        undisturbed.poll();
        let (calls, expected) = (undisturbed.calls.made(), undisturbed.ledger());
        assert!(calls >= 6, "{calls}");
        for nth in 1..=calls {
            for moment in [Moment::Before, Moment::After] {
                if first_run && (nth, moment) == (1, Moment::Before) {
                    // The zap has not begun to run: what comes until it does is from before its start.
                    continue;
                }
                let rig = busy_api(first_run);
                rig.calls.crash_at(nth, moment);
                assert!(rig.try_poll().is_none(), "it dies at call {nth}");
                rig.calls.calm();
                rig.later(300);
                rig.poll();
                assert_eq!(rig.ledger(), expected, "after a crash {moment:?} call {nth}");
                let mut fired = rig.fired();
                fired.sort();
                let wanted =
                    expected.iter().filter_map(|entry| entry.strip_suffix(" Fire")).map(str::to_owned);
                assert_eq!(fired, wanted.collect::<Vec<_>>(), "none twice");
            }
        }
    }
}

#[test]
fn a_refusal_is_told_from_other_failures() {
    assert!(FeedFailure::Unauthorised { reason: String::new() }.refuses());
    assert!(FeedFailure::Status { status: 403, retry_after: None }.refuses());
    assert!(!FeedFailure::Status { status: 404, retry_after: None }.refuses());
}
