//! The admin address of the whole program.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::harness::{CANARIES, Going, Lab, SALES};

/// A project that is watched, with a token.
pub(crate) fn lab(zaps: &[&str]) -> Lab {
    let lab = Lab::new(zaps);
    lab.change("vars: {", "listen: { admin: { address: 127.0.0.1:0, token: \"${API_TOKEN}\" } }\nvars: {");
    lab
}

/// Where a started program is watched.
pub(crate) fn address(engine: &Going) -> String {
    let told = engine.wait_for_err("watched at http://");
    let at = told.split("watched at http://").nth(1).unwrap();
    at.split(": ").next().unwrap().to_owned()
}

/// The status and the body of the answer to a GET.
pub(crate) fn get(address: &str, path: &str, headers: &[&str]) -> (u16, String) {
    let mut request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("host:")) {
        request.push_str(&format!("host: {address}\r\n"));
    }
    headers.iter().for_each(|header| request.push_str(&format!("{header}\r\n")));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn token() -> String {
    format!("authorization: Bearer {}", CANARIES[2])
}

pub(crate) fn metrics(address: &str) -> String {
    let (status, body) = get(address, "/metrics", &[&token()]);
    assert_eq!(status, 200, "{body}");
    body
}

/// The value of a series, as written.
#[track_caller]
fn value<'a>(metrics: &'a str, series: &str) -> &'a str {
    let line =
        metrics.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).rsplit(' ').next().unwrap()
}

/// What has no series before it happens, since nobody knows its labels.
const RARE: [&str; 2] = ["zaprun_webhook_requests_refused_total", "zaprun_alert_messages_total"];

/// What promtool says of metrics, where it is there; `.ci/run` says that it must be.
fn promtool_is_content(metrics: &str) {
    let check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut check) = check else {
        assert!(std::env::var_os("ZAPRUN_NEEDS_PROMTOOL").is_none(), "promtool is not there");
        return;
    };
    check.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn what_happens_is_counted() {
    let lab = lab(&[SALES]);
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    // Three sales, one of which is tried twice, and one is refused.
    lab.fault("sink-500:first=1");
    lab.sales(1);
    lab.wait_for_sink(2);
    lab.fault("sink-status:400,first=1");
    lab.sales(1);
    lab.wait_for_sink(3);
    lab.sales(1);
    lab.wait_for_sink(4);
    let ended = |metrics: &str| {
        let of = |outcome| {
            value(metrics, &format!("zaprun_runs_total{{zap=\"sales\",outcome=\"{outcome}\"}}")).to_owned()
        };
        (of("delivered"), of("dead")) == ("2".to_owned(), "1".to_owned())
    };
    // The sink has the last request before the program has its answer.
    let mut shown = metrics(&address);
    while !ended(&shown) {
        shown = metrics(&address);
    }
    for (series, expected) in [
        ("zaprun_events_total{outcome=\"fired\"}", "3"),
        ("zaprun_attempts_total{zap=\"sales\",step=\"post\",class=\"done\"}", "2"),
        ("zaprun_attempts_total{zap=\"sales\",step=\"post\",class=\"retry\"}", "1"),
        ("zaprun_attempts_total{zap=\"sales\",step=\"post\",class=\"refused\"}", "1"),
        ("zaprun_actions_total{zap=\"sales\",step=\"post\",outcome=\"failed\"}", "1"),
        ("zaprun_attempt_duration_seconds_count{connection=\"api\"}", "4"),
        ("zaprun_delivery_lag_seconds_count{zap=\"sales\"}", "2"),
        ("zaprun_breaker_open{connection=\"api\"}", "0.0"),
        ("zaprun_ready{check=\"triggers\"}", "1.0"),
        ("zaprun_state_writable", "1.0"),
        ("zaprun_trigger_overdue{zap=\"sales\"}", "0.0"),
    ] {
        assert_eq!(value(&shown, series), expected, "{series}\n{shown}");
    }
    promtool_is_content(&shown);
    for order in lab.bodies() {
        let id = order["order"].as_str().unwrap();
        assert!(!shown.contains(id), "{id} in\n{shown}");
    }
    assert!(CANARIES.iter().all(|canary| !shown.contains(canary)), "{shown}");
    let every = zaprun_admin::METRICS.iter();
    let missing: Vec<&str> = every
        .map(|metric| metric.name)
        .filter(|name| !RARE.contains(name) && !shown.contains(&format!("\n{name}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?} not in\n{shown}");
    assert_eq!(get(&address, "/readyz", &[&token()]).1, "ready\nok config\nok state\nok triggers\n");
    lab.stop(engine).expect(0);
}

#[test]
fn nobody_sees_anything_without_the_token() {
    let lab = lab(&[SALES]);
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    assert_eq!(get(&address, "/livez", &[]), (200, "ok\n".to_owned()));
    assert_eq!(get(&address, "/metrics", &[]).0, 401);
    assert_eq!(get(&address, "/metrics", &["authorization: Bearer wrong"]).0, 401);
    assert_eq!(get(&address, "/livez", &["host: evil.example"]).0, 421);
    lab.stop(engine).expect(0);
}

#[test]
fn an_address_for_all_is_refused_without_a_token() {
    let mut lab = Lab::new(&[SALES]);
    lab.change("vars: {", "listen: { admin: \"${ADMIN}\" }\nvars: {");
    lab.program().set("ADMIN", "0.0.0.0:0");
    lab.zaprun(&["run"]).expect(1).says("error[ZR0312]");
    lab.program().set("ADMIN", "127.0.0.1:0");
    let engine = lab.start(&["run"]);
    assert_eq!(get(&address(&engine), "/metrics", &[]).0, 200);
    lab.stop(engine).expect(0);
    lab.change("admin: \"${ADMIN}\"", "admin: { address: \"${ADMIN}\", token: \"${NONE}\" }");
    lab.program().set("NONE", "");
    lab.zaprun(&["run"]).expect(1).says("nobody may watch at 127.0.0.1:0: its token is empty");
}

#[test]
fn alerts_are_sent_and_taken_back() {
    let lab = lab(&[SALES]);
    let alerts = "alerts:\n  to:\n    - { id: desk, connection: hook, json: { text: \"{{ alert.state }} {{ alert.message }}\" } }\n";
    lab.change("vars: {", &format!("{alerts}vars: {{"));
    lab.zaprun(&["validate"]).expect(0);
    lab.sales(1);
    lab.fault("sink-status:400,first=1");
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(2);
    let told = lab.received().last().unwrap().json().unwrap();
    assert_eq!(told["text"], "firing zap sales: 1 run is dead, the latest is run 1 (refused)");
    lab.stop(engine).expect(0);
    // A restart is no news.
    lab.sales(1);
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(3);
    lab.stop(engine).expect(0);
    assert_eq!(lab.received().len(), 3);
}
