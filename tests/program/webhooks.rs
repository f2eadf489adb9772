//! Requests that arrive at the whole program.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{CANARIES, Going, Lab, PATIENCE};

const LEADS: &str = "\
name: leads
trigger:
  type: webhook
  connection: form
  path: /hooks/lead
  key: \"{{ record.id }}\"
actions:
  - id: send
    type: http
    connection: api
    path: leads
    json: { lead: $.id, via: \"{{ event.headers['x-form'] }}\" }
";

fn lab() -> Lab {
    let lab = Lab::new(&[LEADS]);
    lab.change(
        "vars: {",
        "  form:\n    type: webhook\n    verify: { token: { header: X-Token, value: \"${API_TOKEN}\" } }\n\
         listen: { webhooks: 127.0.0.1:0 }\nvars: {",
    );
    lab
}

/// Where a started program takes webhooks.
pub(crate) fn address(engine: &Going) -> String {
    let told = engine.wait_for_err("webhooks arrive at http://");
    let at = told.split("webhooks arrive at http://").nth(1).unwrap();
    at.split(": ").next().unwrap().to_owned()
}

/// The status of the answer to a lead; `None`: there was none.
fn post(address: &str, token: &str, id: usize) -> Option<u16> {
    post_to(address, "/hooks/lead", token, &format!("{{\"id\": \"L{id}\"}}"))
}

/// The status of the answer to a JSON body.
pub(crate) fn post_to(address: &str, path: &str, token: &str, body: &str) -> Option<u16> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nx-token: {token}\r\nx-form: landing\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn once_open(address: &str, token: &str, id: usize) -> Option<u16> {
    when_open(|| post(address, token, id))
}

/// Posts once the zaps are open: it listens a moment before, and asks to come again.
pub(crate) fn when_open(post: impl Fn() -> Option<u16>) -> Option<u16> {
    let since = std::time::Instant::now();
    loop {
        match post() {
            Some(503) if since.elapsed() < PATIENCE => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// Sends these leads from several callers at once; those that were taken. Ends early with the program.
fn burst(address: &str, leads: impl IntoIterator<Item = usize>, taken: &AtomicUsize) -> BTreeSet<usize> {
    let leads: Mutex<Vec<usize>> = Mutex::new(leads.into_iter().collect());
    let accepted = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some(lead) = leads.lock().unwrap().pop() else { return };
                    if post(address, CANARIES[2], lead) == Some(202) {
                        accepted.lock().unwrap().insert(lead);
                        taken.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    accepted.into_inner().unwrap()
}

fn keys(lab: &Lab) -> Vec<String> {
    let mut keys: Vec<String> =
        lab.runs().iter().map(|run| run["event"].as_str().unwrap().replace("webhook:L", "")).collect();
    keys.sort();
    keys
}

#[test]
fn a_request_is_delivered() {
    let lab = lab();
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    assert_eq!(once_open(&address, "wrong", 1), Some(401));
    assert_eq!(post(&address, CANARIES[2], 1), Some(202));
    assert_eq!(post(&address, CANARIES[2], 1), Some(202));
    lab.wait_for_sink(1);
    let ran = lab.stop(engine).expect(0);
    assert_eq!(lab.bodies(), [serde_json::json!({ "lead": "L1", "via": "landing" })]);
    assert_eq!(keys(&lab), ["1"]);
    assert_eq!(ran.told("/hooks/lead answered 401"), 1, "{}", ran.all());
}

#[test]
fn killed_in_a_burst_it_has_all_that_it_answered() {
    const LEADS: usize = 1_500;
    let lab = lab();
    let engine = lab.start(&["run"]);
    let at = address(&engine);
    let taken = AtomicUsize::new(0);
    let accepted = std::thread::scope(|scope| {
        let sender = scope.spawn(|| burst(&at, 0..LEADS, &taken));
        // In the middle of it.
        while taken.load(Ordering::SeqCst) < LEADS / 3 {
            std::thread::yield_now();
        }
        lab.ended(engine.kill());
        sender.join().unwrap()
    });
    assert!(accepted.len() < LEADS, "it was killed in the middle");
    let kept: BTreeSet<usize> = keys(&lab).iter().map(|key| key.parse().unwrap()).collect();
    assert!(kept.is_superset(&accepted), "lost: {:?}", accepted.difference(&kept).collect::<Vec<_>>());

    // Whoever got no answer comes again, and so do some who did.
    let engine = lab.start(&["run"]);
    let at = address(&engine);
    assert_eq!(once_open(&at, CANARIES[2], 0), Some(202));
    let again = (0..LEADS).filter(|lead| !accepted.contains(lead) || lead % 10 == 0);
    let again: Vec<usize> = again.collect();
    assert_eq!(burst(&at, again.clone(), &taken).len(), again.len());
    lab.wait_until(|lab| lab.crm().sink_summary().distinct_keys == LEADS as u64);
    lab.stop(engine).expect(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), LEADS)].into());
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, LEADS as u64, "each lead is sent under one key");
}

#[test]
fn told_to_end_in_a_burst_it_keeps_what_it_answered() {
    const LEADS: usize = 1_000;
    let lab = lab();
    lab.fault("sink-slow:5ms");
    let engine = lab.start(&["run"]);
    let at = address(&engine);
    let taken = AtomicUsize::new(0);
    let accepted = std::thread::scope(|scope| {
        let sender = scope.spawn(|| burst(&at, 0..LEADS, &taken));
        while taken.load(Ordering::SeqCst) < LEADS / 4 {
            std::thread::yield_now();
        }
        lab.stop(engine).expect(0);
        sender.join().unwrap()
    });
    let kept: BTreeSet<usize> = keys(&lab).iter().map(|key| key.parse().unwrap()).collect();
    assert!(kept.is_superset(&accepted), "lost: {:?}", accepted.difference(&kept).collect::<Vec<_>>());
}

#[test]
fn an_address_that_is_taken_is_said() {
    let lab = lab();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    lab.change("127.0.0.1:0", &address);
    let ran = lab.zaprun(&["run"]).expect(1);
    ran.says(&format!("error: webhooks cannot be taken at {address}: ")).says("hint: `listen.webhooks`");
}

#[test]
fn an_empty_secret_is_said() {
    let mut lab = lab();
    lab.program().unset("API_TOKEN");
    lab.program().set("API_TOKEN", "");
    lab.change("auth: { bearer: \"${API_TOKEN}\" }", "headers: { x-a: b }");
    lab.zaprun(&["run"]).expect(1).says("error: connection `form`: the secret is empty");
}

#[test]
fn a_single_run_takes_none() {
    let lab = lab();
    lab.once(0).says("webhooks are not taken in this run");
}
