#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::metrics::Metrics;
use crate::world::{Backlog, Wait, World};
use async_trait::async_trait;
use http_body_util::BodyExt;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use zaprun_engine::measure::Witness;
use zaprun_engine::memory::FakeClock;
use zaprun_engine::ports::{Counts, RunState, StoreError};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::Event;

/// A state that may be broken.
#[derive(Default)]
struct Stand {
    broken: AtomicBool,
    looks: AtomicUsize,
}

#[async_trait]
impl World for Stand {
    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let runs = vec![("sales".to_owned(), RunState::Pending, 3), ("sales".to_owned(), RunState::Dead, 1)];
        let counts = Counts { runs, primed: Vec::new(), pruned: Vec::new() };
        Ok(Backlog { counts, oldest: vec![("sales".to_owned(), at(-90))] })
    }

    async fn writable(&self) -> Result<(), StoreError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        match self.broken.load(Ordering::SeqCst) {
            true => Err(StoreError::Io { reason: "no space left on device".to_owned() }),
            false => Ok(()),
        }
    }

    fn waits(&self) -> Vec<Wait> {
        vec![Wait { connection: "crm".to_owned(), times: 2, time: std::time::Duration::from_millis(1500) }]
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

struct Rig {
    desk: Desk,
    world: Arc<Stand>,
    metrics: Arc<Metrics>,
    clock: FakeClock,
}

fn rig(door: &Door) -> Rig {
    let clock = FakeClock::new(at(0));
    let shared: Arc<dyn zaprun_engine::ports::Clock> = Arc::new(clock.clone());
    let world = Arc::new(Stand::default());
    let metrics = Arc::new(Metrics::new("1.2.3", Arc::clone(&shared)));
    let pulse = Arc::new(Pulse::new(Arc::clone(&shared)));
    let ready = Ready::new(Arc::clone(&world) as _, Arc::clone(&metrics), pulse, shared);
    Rig { desk: Desk::new(door, ready), world, metrics, clock }
}

fn guarded() -> Door {
    Door {
        tokens: vec![Secret::new("old-token"), Secret::new("new-token")],
        hosts: vec!["Zaprun.Internal".to_owned()],
    }
}

impl Rig {
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = Request::get(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:9464");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.desk.serve(&request.body(()).unwrap()).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn without_a_token_everything_is_shown() {
    let rig = rig(&Door::default());
    assert_eq!(rig.get("/livez", &[]).await, (200, "ok\n".to_owned()));
    assert_eq!(rig.get("/readyz", &[]).await, (200, "ready\nok config\nok state\nok triggers\n".to_owned()));
    let json = rig.get("/readyz", &[("accept", "application/json")]).await.1;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["checks"][1], json!({ "name": "state" }));
    let (status, metrics) = rig.get("/metrics", &[]).await;
    assert_eq!(status, 200);
    for line in [
        "zaprun_build_info{version=\"1.2.3\"} 1.0",
        "zaprun_open_runs{zap=\"sales\",state=\"pending\"} 3.0",
        "zaprun_open_runs{zap=\"sales\",state=\"held\"} 0.0",
        "zaprun_oldest_pending_run_age_seconds{zap=\"sales\"} 90.0",
        "zaprun_rate_limit_wait_seconds_total{connection=\"crm\"} 1.5",
        "zaprun_state_writable 1.0",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
    assert_eq!(rig.get("/elsewhere", &[]).await.0, 404);
}

#[tokio::test]
async fn strangers_learn_that_it_lives_and_no_more() {
    let rig = rig(&guarded());
    assert_eq!(rig.get("/livez", &[]).await, (200, "ok\n".to_owned()));
    assert_eq!(rig.get("/readyz", &[]).await, (200, "ready\n".to_owned()));
    for path in ["/metrics", "/", "/elsewhere"] {
        assert_eq!(rig.get(path, &[]).await.0, 401, "{path}");
    }
    for shown in ["Bearer nonsense", "Basic new-token", "new-token", "Bearer ", "Bearer new-token2"] {
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_eq!(rig.get(path, &[("authorization", shown)]).await.0, 401, "{shown} at {path}");
        }
    }
    for shown in ["Bearer old-token", "bearer new-token"] {
        assert_eq!(rig.get("/metrics", &[("authorization", shown)]).await.0, 200, "{shown}");
    }
    rig.world.broken.store(true, Ordering::SeqCst);
    rig.clock.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(rig.get("/readyz", &[]).await, (503, "not ready\n".to_owned()));
}

#[tokio::test]
async fn only_hosts_that_no_page_can_borrow() {
    let rig = rig(&guarded());
    let mut seen = Vec::new();
    for host in
        ["127.0.0.1", "[::1]:9464", "10.1.2.3:80", "localhost:1", "zaprun.internal", "ZAPRUN.internal:9464"]
    {
        seen.push(rig.get("/livez", &[("host", host)]).await.0);
    }
    assert_eq!(seen, [200; 6]);
    for host in
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "a@127.0.0.1", "", "[::1"]
    {
        assert_eq!(rig.get("/livez", &[("host", host)]).await.0, 421, "{host}");
    }
    let none = Request::get("/livez").body(()).unwrap();
    assert_eq!(rig.desk.serve(&none).await.status(), 421);
    let two =
        Request::get("/livez").header("host", "localhost").header("host", "evil.example").body(()).unwrap();
    assert_eq!(rig.desk.serve(&two).await.status(), 421);
    let whole = Request::get("http://evil.example/livez").header("host", "localhost").body(()).unwrap();
    assert_eq!(rig.desk.serve(&whole).await.status(), 421);
}

#[tokio::test]
async fn nothing_but_reading() {
    let rig = rig(&Door::default());
    let post = Request::post("/livez").header("host", "localhost").body(()).unwrap();
    let answer = rig.desk.serve(&post).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[ALLOW]),
        (405, &HeaderValue::from_static("GET, HEAD"))
    );
}

#[tokio::test]
async fn a_state_that_cannot_be_written_is_named() {
    let rig = rig(&Door::default());
    rig.world.broken.store(true, Ordering::SeqCst);
    let (status, body) = rig.get("/readyz", &[]).await;
    assert_eq!(status, 503);
    assert!(body.contains("not ok state: ") && body.contains("no space left on device"), "{body}");
    assert!(rig.get("/metrics", &[]).await.1.contains("zaprun_state_writable 0.0"));
    // Asking often costs no more.
    assert_eq!(rig.world.looks.load(Ordering::SeqCst), 1);
    rig.world.broken.store(false, Ordering::SeqCst);
    rig.clock.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(rig.get("/readyz", &[]).await.0, 200);
    // What the engine says counts too, until it takes it back.
    let error = StoreError::Io { reason: "disk full".to_owned() };
    rig.metrics.note(&Event::StoreTrouble { error, retry_at: at(0) });
    rig.clock.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(rig.get("/readyz", &[]).await.0, 503);
    rig.metrics.note(&Event::StoreRecovered { since: at(0) });
    rig.clock.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(rig.get("/readyz", &[]).await.0, 200);
}
