//! What comes back, what does not, and what is said of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;
use support::*;
use zaprun_engine::ports::{SendOutcome, Sender};
use zaprun_http::{Auth, BODY_LIMIT, HttpConnection};

/// A connection whose every part is a secret.
fn secretive(base: &str) -> HttpConnection {
    HttpConnection {
        headers: vec![("X-Key".into(), "canary".into())],
        auth: Auth::Query { name: "token".into(), value: "canary".into() },
        ..connection(&format!("{base}/canary?key=canary"))
    }
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit() {
    for (length, truncated) in [
        (0, false),
        (BODY_LIMIT - 1, false),
        (BODY_LIMIT, false),
        (BODY_LIMIT + 1, true),
        (3 * BODY_LIMIT, true),
    ] {
        let server = Server::start(vec![reply(200, vec![b'x'; length])]).await;
        let reply = answered(&sender(connection(&server.base)), &get("")).await;
        assert_eq!(
            (reply.body.len(), reply.truncated, reply.cut),
            (length.min(BODY_LIMIT), truncated, false)
        );
    }
}

#[tokio::test]
async fn every_status_is_an_answer() {
    for status in [200, 204, 301, 400, 401, 404, 408, 429, 500, 503, 599] {
        let server = Server::start(vec![reply(status, "")]).await;
        assert_eq!(answered(&sender(connection(&server.base)), &post("")).await.status, status);
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_handed_on() {
    for (value, wait) in [("120", Some(120)), ("Wed, 16 Sep 2026 20:01:00 GMT", Some(60)), ("later", None)] {
        let mut answer = reply_with(429, "retry-after", value);
        answer.headers_mut().insert("date", "Wed, 16 Sep 2026 20:00:00 GMT".parse().unwrap());
        let server = Server::start(vec![answer]).await;
        let reply = answered(&sender(connection(&server.base)), &post("")).await;
        assert_eq!(reply.retry_after, wait.map(Duration::from_secs));
    }
    // Without the server's own time the clock decides; it stands at 20:00.
    let raw = raw_server(
        b"\r\n\r\n",
        b"HTTP/1.1 503 No\r\nretry-after: Wed, 16 Sep 2026 20:00:09 GMT\r\ncontent-length: 0\r\n\r\n",
        true,
    )
    .await;
    assert_eq!(answered(&sender(connection(&raw)), &get("")).await.retry_after, Some(Duration::from_secs(9)));
}

#[tokio::test]
async fn a_cut_body_is_still_an_answer() {
    let cut = raw_server(b"{\"a\":1}", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true).await;
    let reply = answered(&sender(connection(&cut)), &post("")).await;
    assert_eq!((reply.status, &reply.body[..], reply.cut, reply.truncated), (200, &b"half"[..], true, false));

    let chunked =
        raw_server(b"{\"a\":1}", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", true)
            .await;
    let reply = answered(&sender(connection(&chunked)), &post("")).await;
    assert_eq!((&reply.body[..], reply.cut), (&b"half"[..], true));
}

#[tokio::test]
async fn what_was_never_sent_is_told_from_what_may_have_been() {
    let (reason, retryable) = not_sent(&sender(secretive(&nobody())), &post("x")).await;
    assert_eq!((reason.as_str(), retryable), ("no connection: connection refused", true));

    let (reason, retryable) = not_sent(&sender(secretive("http://no-such-host.invalid")), &post("x")).await;
    assert!(retryable && !reason.contains("canary"), "{reason}");

    let hangs_up = raw_server(b"{\"a\":1}", b"", true).await;
    assert_eq!(unknown(&sender(secretive(&hangs_up)), &post("x")).await, "the connection was cut");

    let babbles = raw_server(b"{\"a\":1}", b"220 mail.example.com ESMTP ready\r\n\r\n", true).await;
    assert_eq!(unknown(&sender(secretive(&babbles)), &post("x")).await, "the answer is not HTTP");

    let breaks_off = raw_server(b"{\"a\":1}", b"HTTP/1.1 200 OK\r\ncontent-le", true).await;
    let reason = unknown(&sender(secretive(&breaks_off)), &post("x")).await;
    assert!(!reason.contains("canary"), "{reason}");

    // A server of TLS where plain HTTP was meant, and the other way round.
    let plain = raw_server(b"", b"", true).await;
    let (reason, retryable) =
        not_sent(&sender(secretive(&plain.replace("http:", "https:"))), &post("x")).await;
    assert!(retryable && !reason.contains("canary"), "{reason}");
}

#[tokio::test]
async fn silence_is_an_unknown_outcome() {
    let server = Server::start(vec![]).await;
    let sender = sender(HttpConnection { timeout: Duration::from_secs(7), ..secretive(&server.base) });
    let sent = tokio::spawn(async move { sender.send(&post("x")).await });
    server.arrived.notified().await;
    // Only now, with the request at the server, may the clock run ahead.
    tokio::time::pause();
    assert!(
        matches!(sent.await.unwrap(), SendOutcome::Unknown { reason } if reason == "no answer within 7s")
    );
}

#[tokio::test]
async fn silence_in_mid_body_is_a_cut_answer() {
    let base = raw_server(b"{\"a\":1}", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", false).await;
    let sender = Arc::new(sender(connection(&base)));
    let sent = {
        let sender = Arc::clone(&sender);
        tokio::spawn(async move { sender.send(&post("")).await })
    };
    // Everything is on this one thread: when nothing is left to do, the half has arrived and the sender waits.
    run_dry().await;
    tokio::time::pause();
    let SendOutcome::Reply(reply) = sent.await.unwrap() else { panic!("no reply") };
    assert_eq!((&reply.body[..], reply.cut), (&b"half"[..], true));
}

#[tokio::test]
async fn a_get_follows_redirects_on_its_own_origin() {
    let server = Server::start(vec![
        reply_with(302, "location", "/v2/x?y=1#z"),
        reply_with(308, "location", "w"),
        reply(200, "here"),
    ])
    .await;
    let sender = sender(HttpConnection {
        auth: Auth::Query { name: "token".into(), value: "t".into() },
        ..connection(&server.base)
    });
    assert_eq!(&answered(&sender, &get("v1")).await.body[..], b"here");
    let uris: Vec<_> = server.seen().into_iter().map(|seen| seen.uri).collect();
    assert_eq!(uris, ["/v1?token=t", "/v2/x?y=1&token=t", "/v2/w?token=t"]);
}

#[tokio::test]
async fn nothing_else_follows_redirects() {
    let other = Server::start(vec![]).await;
    let port = other.base.rsplit(':').next().unwrap();
    for location in [
        other.base.clone(),
        format!("//127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        "https://127.0.0.1/".into(),
        "ftp://127.0.0.1/".into(),
        "http://".into(),
        "http://[".into(),
    ] {
        let server = Server::start(vec![reply_with(307, "location", &location)]).await;
        let sender =
            sender(HttpConnection { auth: Auth::Bearer("canary".into()), ..connection(&server.base) });
        let reply = answered(&sender, &get("")).await;
        assert_eq!(reply.status, 307);
        assert!(reply.headers.contains(&("location".into(), location)));
    }
    let server =
        Server::start(vec![reply_with(307, "location", "/again"), reply_with(302, "location", "/again")])
            .await;
    let sender = sender(connection(&server.base));
    assert_eq!(answered(&sender, &post("")).await.status, 307);
    assert_eq!(answered(&sender, &post("")).await.status, 302);
    assert_eq!(server.seen().len(), 2);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_in_a_circle_ends() {
    let server = Server::start((0..20).map(|_| reply_with(302, "location", "/again")).collect()).await;
    assert_eq!(answered(&sender(connection(&server.base)), &get("")).await.status, 302);
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_host_from_a_template_is_kept_outside() {
    let server = Server::start((0..2).map(|_| reply(200, "inside")).collect()).await;
    let sender = sender(connection(&nobody()));
    let port = server.base.rsplit(':').next().unwrap().to_owned();
    let by_name = format!("http://localhost:{port}/");

    // The author's own literal address is fine.
    assert_eq!(answered(&sender, &get_url(&server.base, &[])).await.status, 200);
    for (url, allowed) in [
        (server.base.as_str(), vec!["*.example.com"]),
        (by_name.as_str(), vec!["*.example.com"]),
        // The name is allowed, but what it resolves to is loopback.
        (by_name.as_str(), vec!["localhost"]),
        ("http://[::ffff:127.0.0.1]/", vec!["127.0.0.1"]),
        ("http://user:canary@a.example.com/", vec!["*.example.com"]),
        ("file:///etc/passwd", vec!["*"]),
    ] {
        let (reason, retryable) = not_sent(&sender, &get_url(url, &allowed)).await;
        assert!(!retryable && !reason.contains("canary"), "{url}: {reason}");
    }
    assert_eq!(server.seen().len(), 1);
    let (reason, _) = not_sent(&sender, &get_url(&by_name, &["localhost"])).await;
    assert!(reason.contains("a loopback address, which `allow_hosts` does not list"), "{reason}");

    // Listed by address as well, it may be reached.
    let reply = answered(&sender, &get_url(&by_name, &["localhost", "127.0.0.1", "::1"])).await;
    assert_eq!(&reply.body[..], b"inside");
}

#[tokio::test]
async fn hosts_without_a_connection_have_a_pace_each() {
    let slow = Server::start(vec![]).await;
    let quick = Server::start(vec![reply(200, "")]).await;
    let sender = Arc::new(sender(connection(&nobody())));
    let waiting: Vec<_> = (0..9)
        .map(|_| {
            let (sender, base) = (Arc::clone(&sender), slow.base.clone());
            tokio::spawn(async move { sender.send(&get_url(&base, &[])).await })
        })
        .collect();
    while slow.seen().len() < 8 {
        slow.arrived.notified().await;
    }
    assert_eq!(answered(&sender, &get_url(&quick.base, &[])).await.status, 200);
    assert_eq!(slow.seen().len(), 8);
    for task in waiting {
        task.abort();
    }
}
