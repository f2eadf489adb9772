//! What is not taken, and what the caller is told then.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zaprun_engine::report::Event;
use zaprun_webhooks::Limits;

use super::support::{Rig, SECRET, Setup};

async fn open() -> Rig {
    Setup::default().start().await
}

/// What the server answers to these bytes.
async fn raw(rig: &Rig, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    // A server that has answered early may have shut the line.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn nothing_is_at_other_paths() {
    let rig = open().await;
    for path in ["/", "/hooks", "/hooks/a/", "/hooks/A", "/hooks/%61", "/hooks/a/../a/x"] {
        let answer = rig.client.post(rig.url(path)).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn bodies_up_to_a_mebibyte() {
    let rig = open().await;
    let body = |bytes: usize| {
        let frame = r#"{"id": 1, "x": ""}"#;
        format!(r#"{{"id": 1, "x": "{}"}}"#, "x".repeat(bytes - frame.len()))
    };
    assert_eq!(rig.status(rig.post(body(1024 * 1024))).await, 202);
    assert_eq!(rig.status(rig.post(body(1024 * 1024 + 1))).await, 413);
    // One that does not say how long it is.
    let chunk = "x".repeat(64 * 1024);
    let mut sent = b"POST /hooks/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".to_vec();
    for _ in 0..17 {
        sent.extend(format!("{:x}\r\n{chunk}\r\n", chunk.len()).into_bytes());
    }
    sent.extend(b"0\r\n\r\n");
    let answer = raw(&rig, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // One that is sent to its end before the answer is read, and one that nobody asked for.
    let long = "x".repeat(3 * 1024 * 1024);
    for (path, status) in [("/hooks/a", "413"), ("/hooks/none", "404")] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            long.len()
        );
        let answer = raw(&rig, &[head.as_bytes(), long.as_bytes()].concat()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    assert_eq!(rig.keys(), ["1"]);
    assert_eq!(rig.status(rig.post(r#"{"id": 2}"#)).await, 202, "and goes on");
}

#[tokio::test]
async fn bodies_that_are_no_json_zaps_can_read() {
    let rig = open().await;
    let deep = format!("{{\"id\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bad: [&[u8]; 10] = [
        b"",
        b"{",
        b"null",
        b"12",
        b"{\"id\": 1} x",
        b"{\"id\": \"\xff\"}",
        b"\xef\xbb\xbf{\"id\": 1}",
        b"id=1",
        b"{\"id\": 1, \"id\": 2}",
        deep.as_bytes(),
    ];
    for body in bad {
        let answer = rig.post(body.to_vec()).send().await.unwrap();
        let shown = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
        assert_eq!(answer.status(), 400, "{shown}");
        assert!(answer.text().await.unwrap().starts_with(r#"{"error":"the data is "#), "{shown}");
    }
    // Without its key.
    let answer = rig.post("{}").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.text().await.unwrap(), r#"{"error":"zap `z` finds no key: `record.id` is missing"}"#);
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn only_forms_that_are_known() {
    let rig = open().await;
    let with = |name: &'static str, value: &'static str| {
        rig.client.post(rig.url("/hooks/a")).header(name, value).body(r#"{"id": 1}"#)
    };
    for known in
        ["application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json", "text/json"]
    {
        assert_eq!(rig.status(with("content-type", known)).await, 202, "{known}");
    }
    for foreign in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=latin1",
        "json",
    ] {
        assert_eq!(rig.status(with("content-type", foreign)).await, 415, "{foreign}");
    }
    assert_eq!(rig.status(with("x-other", "1")).await, 415);
    let zipped = with("content-type", "application/json").header("content-encoding", "gzip");
    assert_eq!(rig.status(zipped).await, 415);
}

#[tokio::test]
async fn only_methods_that_bring_something() {
    let rig = open().await;
    for method in ["DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = rig.client.request(method, rig.url("/hooks/a?id=1")).send().await.unwrap();
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "GET, POST, PUT");
    }
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn card_data_is_refused_by_the_name_of_its_field() {
    let rig = open().await;
    for body in [
        r#"{"id": 1, "cardNumber": "4111111111111111"}"#,
        r#"{"id": 1, "buyer": {"note": "4111 1111 1111 1111"}}"#,
        r#"{"id": 1, "cvv": "123"}"#,
    ] {
        let answer = rig.post(body).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{body}");
        let text = answer.text().await.unwrap();
        let named = ["cardNumber", "note", "cvv"].iter().any(|field| text.contains(field));
        assert!(named && !text.contains("4111"), "{text}");
    }
    let get = rig.client.get(rig.url("/hooks/a?id=1&cardNumber=4111111111111111"));
    assert_eq!(rig.status(get).await, 422);
    let query = rig.client.post(rig.url("/hooks/a?cardNumber=4111111111111111"));
    let query = query.header("content-type", "application/json").body(r#"{"id": 1}"#);
    assert_eq!(rig.status(query).await, 422);
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn a_caller_who_comes_too_often_is_told_when_to_come_again() {
    let setup = Setup { connection: "rate: 3/d", proxies: vec!["127.0.0.0/8"], ..Setup::default() };
    let rig = setup.start().await;
    let from = |address: &'static str| rig.post(r#"{"id": 1}"#).header("x-forwarded-for", address);
    for _ in 0..3 {
        assert_eq!(rig.status(from("203.0.113.1")).await, 202);
    }
    let answer = from("203.0.113.1").send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    // A third of a day.
    assert!((28_000..=28_800).contains(&wait), "{wait}");
    assert_eq!(rig.status(from("203.0.113.2")).await, 202, "another caller is not concerned");
}

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for() {
    let limits = Limits {
        head_time: Duration::from_millis(200),
        body_time: Duration::from_millis(200),
        connections: 2,
        ..Limits::default()
    };
    let rig = Setup { limits, ..Setup::default() }.start().await;
    let half = raw(&rig, b"POST /hooks/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"id\"").await;
    assert!(half.starts_with("HTTP/1.1 408 "), "{half}");
    // A head that never ends holds one of the two places, for its time.
    let head = raw(&rig, b"POST /hooks/a HTTP/1.1\r\nhost: x\r\n").await;
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408 "), "{head}");
    assert_eq!(rig.status(rig.post(r#"{"id": 1}"#)).await, 202);
}

#[tokio::test]
async fn what_is_no_http_is_no_request() {
    let rig = open().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"POST /hooks/a HTTP/9.9\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let answer = raw(&rig, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let long = format!("GET /hooks/a?id={} HTTP/1.1\r\nhost: x\r\n\r\n", "1".repeat(200_000));
    let answer = raw(&rig, long.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(rig.status(rig.post(r#"{"id": 1}"#)).await, 202, "and goes on");
}

#[tokio::test]
async fn a_flood_is_told_of_in_a_line() {
    let verify = "{ token: { header: X-Token, value: \"${SECRET}\" } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    for _ in 0..50 {
        assert_eq!(rig.status(rig.post("{}")).await, 401);
        assert_eq!(rig.status(rig.client.get(rig.url("/secret-path"))).await, 404);
    }
    rig.later(61);
    assert_eq!(rig.status(rig.post("{}")).await, 401);
    let told: Vec<(Option<String>, u16, u64)> = rig
        .reports
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::TurnedAway { path, status, times, reason } => {
                assert!(!reason.contains(SECRET) && !reason.contains("secret-path"), "{reason}");
                Some((path, status, times))
            }
            _ => None,
        })
        .collect();
    let at = Some("/hooks/a".to_owned());
    assert_eq!(told, [(at.clone(), 401, 1), (None, 404, 1), (at, 401, 50)]);
}
