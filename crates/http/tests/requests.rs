//! What leaves: URLs, headers, credentials, keys, pace.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, reason = "tests")]

mod support;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use support::*;
use zaprun_engine::ports::Sender;
use zaprun_http::{Auth, Clients, HttpConnection, HttpSender, Rate};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_request_arrives_as_rendered() {
    let server = Server::start(vec![reply(201, "made")]).await;
    let sender = sender(connection(&format!("{}/v1/?fixed=1%2F2", server.base)));
    let mut request = post("/orders/a%20b");
    request.query = pairs(&[("q", "x y&z"), ("q", "ü")]);
    request.headers = pairs(&[("X-One", "1"), ("x-one", "2")]);
    let reply = answered(&sender, &request).await;
    assert_eq!(
        (reply.status, &reply.body[..], reply.truncated, reply.cut),
        (201, &b"made"[..], false, false)
    );
    assert!(reply.headers.contains(&("content-length".into(), "4".into())));

    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.uri.as_str()),
        ("POST", "/v1/orders/a%20b?fixed=1%2F2&q=x%20y%26z&q=%C3%BC")
    );
    assert_eq!(seen.body, b"{\"a\":1}");
    assert_eq!(seen.header("content-type"), ["application/json"]);
    assert_eq!(seen.header("idempotency-key"), ["key-1"]);
    assert_eq!(seen.header("x-one"), ["1", "2"]);
    assert_eq!(seen.header("user-agent"), [zaprun_http::USER_AGENT]);
}

#[tokio::test]
async fn a_secret_path_needs_no_path_of_the_action() {
    let server = Server::start(vec![reply(200, "")]).await;
    answered(&sender(connection(&format!("{}/T0/B0/canary", server.base))), &post("")).await;
    assert_eq!(server.seen()[0].uri, "/T0/B0/canary");
}

#[tokio::test]
async fn an_actions_headers_beat_the_connections_but_not_its_credentials() {
    let server = Server::start(vec![reply(200, "")]).await;
    let sender = sender(HttpConnection {
        headers: vec![
            ("X-Mode".into(), "connection".into()),
            ("X-Other".into(), "kept".into()),
            ("Content-Type".into(), "text/x".into()),
        ],
        auth: Auth::Bearer("token".into()),
        ..connection(&server.base)
    });
    let mut request = post("");
    request.headers = pairs(&[
        ("x-mode", "action"),
        ("authorization", "Bearer stolen"),
        ("User-Agent", "mine"),
        ("Idempotency-Key", "own"),
    ]);
    answered(&sender, &request).await;
    let seen = &server.seen()[0];
    assert_eq!(seen.header("x-mode"), ["action"]);
    assert_eq!(seen.header("x-other"), ["kept"]);
    assert_eq!(seen.header("authorization"), ["Bearer token"]);
    assert_eq!(seen.header("user-agent"), ["mine"]);
    assert_eq!(seen.header("idempotency-key"), ["own"]);
    assert_eq!(seen.header("content-type"), ["application/json"]);
}

#[tokio::test]
async fn every_kind_of_credentials() {
    for (auth, header, value, uri) in [
        (Auth::None, "authorization", vec![], "/?k=action"),
        (
            Auth::Basic { username: "Aladdin".into(), password: "open sesame".into() },
            "authorization",
            vec!["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
            "/?k=action",
        ),
        (
            Auth::Header { name: "X-Api-Key".into(), value: "s3cret".into() },
            "x-api-key",
            vec!["s3cret"],
            "/?k=action",
        ),
        // An action cannot put its own value beside the credential.
        (Auth::Query { name: "k".into(), value: "s&cret".into() }, "authorization", vec![], "/?k=s%26cret"),
    ] {
        let server = Server::start(vec![reply(200, "")]).await;
        let sender = sender(HttpConnection { auth, ..connection(&server.base) });
        let mut request = get("");
        request.query = pairs(&[("k", "action")]);
        answered(&sender, &request).await;
        assert_eq!(server.seen()[0].header(header), value);
        assert_eq!(server.seen()[0].uri, uri);
    }
}

#[tokio::test]
async fn the_key_goes_where_the_connection_wants_it() {
    for (setting, header, value) in
        [(Some("X-Request-Id".to_owned()), "x-request-id", vec!["key-1"]), (None, "idempotency-key", vec![])]
    {
        let server = Server::start(vec![reply(200, "")]).await;
        let sender = sender(HttpConnection { idempotency_header: setting, ..connection(&server.base) });
        answered(&sender, &post("")).await;
        assert_eq!(server.seen()[0].header(header), value);
    }
    let server = Server::start(vec![reply(200, "")]).await;
    answered(&sender(connection(&nobody())), &get_url(&server.base, &[])).await;
    assert_eq!(server.seen()[0].header("idempotency-key"), ["key-1"]);
}

#[tokio::test]
async fn what_would_change_the_message_is_refused() {
    let server = Server::start(vec![]).await;
    let sender = sender(connection(&server.base));
    for (name, value) in [
        ("X-Note", "a\r\nX-Evil: canary"),
        ("X-Note", "a\nb"),
        ("X-Note", "a\0b"),
        ("X Note", "a"),
        ("X-Note:", "a"),
        ("", "a"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("HOST", "canary"),
        ("Connection", "close"),
    ] {
        let mut request = post("");
        request.headers = pairs(&[(name, value)]);
        let (reason, retryable) = not_sent(&sender, &request).await;
        assert!(!retryable && !reason.contains("canary"), "{reason}");
    }
    for path in ["../up", "%2e%2e/up"] {
        let (reason, retryable) = not_sent(&sender, &post(path)).await;
        assert_eq!((reason.as_str(), retryable), ("the path holds a `.` or `..` segment", false));
    }
    let mut elsewhere = post("");
    elsewhere.destination =
        zaprun_core::request::Destination::Connection { name: "d".into(), path: String::new() };
    assert_eq!(not_sent(&sender, &elsewhere).await, ("there is no connection `d`".to_owned(), false));
    assert!(server.seen().is_empty());
}

#[test]
fn connections_that_cannot_work() {
    let fine = || connection("https://example.com");
    let secret = || "canary\n".into();
    let broken = [
        HttpConnection { base_url: "canary".into(), ..fine() },
        HttpConnection { base_url: "ftp://canary".into(), ..fine() },
        HttpConnection { base_url: "https://user:canary@example.com".into(), ..fine() },
        HttpConnection { headers: vec![("X-Key".into(), secret())], ..fine() },
        HttpConnection { headers: vec![("Host".into(), "canary".into())], ..fine() },
        HttpConnection { headers: vec![("not a name".into(), "canary".into())], ..fine() },
        HttpConnection { auth: Auth::Bearer(secret()), ..fine() },
        HttpConnection { auth: Auth::Header { name: "X-Key".into(), value: secret() }, ..fine() },
        HttpConnection { auth: Auth::Basic { username: "a:canary".into(), password: "b".into() }, ..fine() },
        HttpConnection { idempotency_header: Some("no name".into()), ..fine() },
    ];
    for connection in broken {
        let error = HttpSender::new(std::slice::from_ref(&connection), &Clients::new(), Arc::new(Pinned))
            .err()
            .unwrap();
        let text = format!("{error} {error:?}");
        assert!(error.to_string().starts_with("connection `c`: ") && !text.contains("canary"), "{text}");
        assert!(!format!("{connection:?}").contains("canary"));
    }
    let twice = HttpSender::new(&[fine(), fine()], &Clients::new(), Arc::new(Pinned)).err().unwrap();
    assert_eq!(twice.to_string(), "connection `c`: the name is taken by another connection");
}

#[tokio::test]
async fn concurrency_is_kept_across_all_users() {
    let server = Server::start(vec![]).await;
    let sender = Arc::new(sender(HttpConnection { concurrency: 2, ..connection(&server.base) }));
    let mut tasks: Vec<_> = (0..5)
        .map(|_| {
            let sender = Arc::clone(&sender);
            tokio::spawn(async move { sender.send(&post("")).await })
        })
        .collect();
    while server.seen().len() < 2 {
        server.arrived.notified().await;
    }
    run_dry().await;
    assert_eq!(server.seen().len(), 2);
    // Whoever gives up makes room.
    for task in &tasks {
        task.abort();
    }
    for task in tasks.drain(..) {
        assert!(task.await.is_err());
    }
    let arrived = server.arrived.clone();
    let next = tokio::spawn(async move { sender.send(&post("")).await });
    while server.seen().len() < 3 {
        arrived.notified().await;
    }
    next.abort();
}

#[tokio::test]
async fn the_rate_is_shared_by_all_requests_of_a_connection() {
    let server = Server::start((0..3).map(|_| reply(200, "")).collect()).await;
    let rate = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(3600) };
    let sender = sender(HttpConnection { rate: Some(rate), ..connection(&server.base) });
    answered(&sender, &post("a")).await;
    tokio::time::pause();
    let second = tokio::time::timeout(Duration::from_secs(3000), sender.send(&post("b"))).await;
    assert!(second.is_err());
    assert_eq!(server.seen().len(), 1);
}

fn linked(path: &str, link: &str) -> zaprun_core::request::HttpRequest {
    use zaprun_core::request::Destination;
    let destination = Destination::Linked { name: "c".into(), path: path.into(), link: link.into() };
    zaprun_core::request::HttpRequest { destination, ..get("") }
}

#[tokio::test]
async fn a_link_is_followed_with_the_connections_own_words() {
    let server = Server::start((0..4).map(|_| reply(200, "")).collect()).await;
    let auth = Auth::Query { name: "key".into(), value: "canary".into() };
    let sender = sender(HttpConnection { auth, ..connection(&format!("{}/v1?tenant=7", server.base)) });
    let absolute = format!("{}/v1/items?page=2#top", server.base);
    for link in ["?page=2", "/v1/items?page=2", &absolute, "/v1/items?page=2&key=canary&tenant=7"] {
        answered(&sender, &linked("items", link)).await;
    }
    let asked: Vec<String> = server.seen().iter().map(|request| request.uri.clone()).collect();
    assert_eq!(
        asked,
        [
            "/v1/items?page=2&tenant=7&key=canary",
            "/v1/items?page=2&tenant=7&key=canary",
            "/v1/items?page=2&tenant=7&key=canary",
            "/v1/items?page=2&key=canary&tenant=7",
        ]
    );
}

#[tokio::test]
async fn a_link_never_leads_credentials_to_another_host() {
    let server = Server::start(vec![]).await;
    let sender = sender(HttpConnection { auth: Auth::Bearer("canary".into()), ..connection(&server.base) });
    let other_port = server.base.replace("127.0.0.1", "127.0.0.2");
    for link in [
        "https://evil.example/x",
        "//evil.example/x",
        "http://user:pass@127.0.0.1/x",
        &other_port,
        "javascript:x",
    ] {
        let (reason, retryable) = not_sent(&sender, &linked("items", link)).await;
        assert_eq!((reason.as_str(), retryable), ("the next page is on another host", false), "{link}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_read_of_a_poll_carries_no_key_and_no_chain() {
    let server = Server::start(vec![reply(200, ""), reply(200, "")]).await;
    let sender = sender(connection(&server.base));
    let mut request = get("items");
    (request.idempotency_key, request.chain, request.trace) = (String::new(), 0, None);
    answered(&sender, &request).await;
    answered(&sender, &get("items")).await;
    let seen = server.seen();
    let has = |at: usize, name: &str| !seen[at].header(name).is_empty();
    for name in ["idempotency-key", "zaprun-chain", "traceparent"] {
        assert!(!has(0, name) && has(1, name), "{name}");
    }
}

#[tokio::test]
async fn each_attempt_is_a_span_of_the_runs_trace() {
    let server = Server::start(vec![reply(200, ""), reply(200, ""), reply(200, "")]).await;
    let tracing = sender(connection(&server.base));
    answered(&tracing, &post("")).await;
    answered(&tracing, &post("")).await;
    answered(&sender(HttpConnection { traces: false, ..connection(&server.base) }), &post("")).await;
    let seen = server.seen();
    let spans: Vec<&str> = seen.iter().flat_map(|one| one.header("traceparent")).collect();
    assert_eq!(spans.len(), 2, "{spans:?}");
    for span in &spans {
        let parts: Vec<&str> = span.split('-').collect();
        assert_eq!((parts[0], parts[1], parts[3]), ("00", "0af7651916cd43dd8448eb211c80319c", "01"));
        assert!(parts[2].len() == 16 && parts[2] != "0000000000000000", "{span}");
    }
    assert_ne!(spans[0], spans[1]);
}
