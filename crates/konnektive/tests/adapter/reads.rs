//! Pages, and what `zaprun check` asks.

use crate::support::{AUTH, LOGIN, NO_ORDERS, PASSWORD, Pinned, Server, WHITELIST, konnektive, reply};
use axum::body::Body;
use axum::response::Response;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zaprun_core::trigger::{DateRange, Endpoint, Narrowing, Query};
use zaprun_engine::ports::{Crm, DayWindow, PageRequest, ReadError};
use zaprun_http::Clients;
use zaprun_konnektive::{Access, Config, EndpointAccess, Konnektive, ZoneCheck};

fn orders() -> PageRequest {
    PageRequest {
        query: Query {
            endpoint: Endpoint::Orders,
            seen_through: DateRange::Updated,
            params: vec![("orderType", "NEW_SALE".into()), ("orderStatus", "COMPLETE".into())],
        },
        narrowing: Narrowing {
            campaign_ids: vec!["12".into(), "15".into()],
            campaign_product_ids: vec!["7".into()],
        },
        window: Some(DayWindow { first: date(2026, 9, 5), last: date(2026, 12, 31) }),
        page: 3,
        per_page: 5000,
        ascending: true,
    }
}

fn transport(result: Result<zaprun_engine::ports::Page, ReadError>) -> String {
    match result {
        Err(ReadError::Transport { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_asked_for_as_the_contract_says() {
    let server = Server::start(vec![reply(200, NO_ORDERS), reply(200, NO_ORDERS)]).await;
    let crm = server.crm();
    crm.page(&orders()).await.unwrap();
    let look_up = PageRequest {
        query: Query {
            endpoint: Endpoint::Transactions,
            seen_through: DateRange::Created,
            params: vec![("orderId", "8DF962A27F".into())],
        },
        narrowing: Narrowing::default(),
        window: None,
        page: 0,
        per_page: 0,
        ascending: false,
    };
    crm.page(&look_up).await.unwrap();

    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].uri.as_str()), ("POST", "/crm/order/query/"));
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("zaprun/"));
    for (name, value) in [
        ("loginId", LOGIN),
        ("password", PASSWORD),
        ("orderType", "NEW_SALE"),
        ("orderStatus", "COMPLETE"),
        ("campaignId", "12,15"),
        ("campaignProductId", "7"),
        ("dateRangeType", "dateUpdated"),
        ("startDate", "09/05/2026"),
        ("endDate", "12/31/2026"),
        ("page", "3"),
        ("resultsPerPage", "200"),
        ("sortDir", "1"),
    ] {
        assert_eq!(seen[0].field(name), Some(value), "{name}");
    }
    assert_eq!(seen[0].form.len(), 12);

    assert_eq!(seen[1].uri, "/crm/transactions/query/");
    let names: Vec<&str> = seen[1].form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["loginId", "password", "orderId", "page", "resultsPerPage", "sortDir"]);
    assert_eq!(
        (seen[1].field("page"), seen[1].field("resultsPerPage"), seen[1].field("sortDir")),
        (Some("1"), Some("1"), Some("0"))
    );
    for seen in seen {
        assert!(!seen.uri.contains("canary"));
        assert!(!format!("{:?}", seen.headers).contains("canary"), "{:?}", seen.headers);
    }
}

#[tokio::test]
async fn rows_of_customers_come_without_their_secrets() {
    let body = r#"{"result":"SUCCESS","message":{"data":[{"customerId":1,"eCommercePassword":"hunter2","price":0.30,"paySources":[{"achAccountNumber":"1"}]},{"customerId":2, "eCommercePassword":null}]}}"#;
    let server = Server::start(vec![reply(200, body)]).await;
    let query = Query { endpoint: Endpoint::Customers, seen_through: DateRange::Created, params: Vec::new() };
    let page = server.crm().page(&PageRequest { query, ..orders() }).await.unwrap();
    // What holds none is passed on as it came.
    assert_eq!(
        page.rows,
        [r#"{"customerId":1,"price":0.30}"#, r#"{"customerId":2, "eCommercePassword":null}"#]
    );
}

#[tokio::test]
async fn a_large_page_arrives_whole() {
    let row = format!("{{\"orderId\":\"AAAAAAAAAA\",\"price\":19.90,\"note\":\"{}\"}}", "x".repeat(25_000));
    let rows = vec![row.as_str(); 200].join(",");
    let body =
        format!("{{\"result\":\"SUCCESS\",\"message\":{{\"totalResults\":\"5000\",\"data\":[{rows}]}}}}");
    assert!(body.len() > 5_000_000);
    let server = Server::start(vec![reply(200, body)]).await;
    let page = server.crm().page(&orders()).await.unwrap();
    assert_eq!((page.total, page.rows.len()), (5000, 200));
    assert!(page.rows.iter().all(|got| got == row.as_bytes()));
    assert!(page.server_time.is_some());
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let mib = axum::body::Bytes::from(vec![b' '; 1024 * 1024]);
    let stream = futures_of(vec![mib; 70]);
    let server = Server::start(vec![reply(200, stream)]).await;
    assert_eq!(transport(server.crm().page(&orders()).await), "the CRM's answer is larger than 64 MiB");
}

/// A body of these parts, sent in chunks.
fn futures_of(parts: Vec<axum::body::Bytes>) -> Body {
    Body::from_stream(futures::stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)))
}

#[tokio::test]
async fn a_cut_answer_is_a_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        // Closing with unread input would reset the line before the answer is read.
        while !request.ends_with(b"&sortDir=1") {
            socket.read_buf(&mut request).await.unwrap();
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"result\":").await.unwrap();
    });
    let text = transport(konnektive(&base, "UTC").page(&orders()).await);
    assert!(text.starts_with("the CRM's answer ended after 10 bytes: "), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_retry_after_is_handed_on() {
    let elsewhere =
        Response::builder().status(307).header("location", "/crm/other/").body(Body::empty()).unwrap();
    let busy = Response::builder().status(503).header("retry-after", "7").body("<html>".into()).unwrap();
    let server = Server::start(vec![elsewhere, busy]).await;
    let crm = server.crm();
    assert_eq!(transport(crm.page(&orders()).await), "the CRM answered HTTP 307 with nothing");
    let busy = crm.page(&orders()).await.unwrap_err();
    assert!(
        matches!(busy, ReadError::Transport { retry_after: Some(wait), .. } if wait.as_secs() == 7),
        "{busy:?}"
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_silent_crm_is_given_up_after_the_timeout_and_not_before() {
    let server = Server::start(vec![]).await;
    let crm = server.crm();
    let asked = tokio::spawn(async move {
        let start = tokio::time::Instant::now();
        (crm.page(&orders()).await, start.elapsed())
    });
    server.arrived.notified().await;
    // Only now, with the request at the server, may the clock run ahead.
    tokio::time::pause();
    let (result, waited) = asked.await.unwrap();
    assert_eq!(transport(result), "the CRM: no answer within 4m");
    assert!(waited >= Duration::from_secs(240));
}

#[tokio::test]
async fn a_crm_that_is_not_there_is_a_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/secret-canary", listener.local_addr().unwrap());
    drop(listener);
    let text = transport(konnektive(&base, "UTC").page(&orders()).await);
    assert_eq!(text, "the CRM: no connection: connection refused");
    let garbage =
        transport(konnektive("http://no-such-host.invalid/secret-canary", "UTC").page(&orders()).await);
    assert!(!garbage.contains("canary"), "{garbage}");
}

#[tokio::test]
async fn every_failure_keeps_the_credentials_to_itself() {
    let echo = |status, text: &str| {
        reply(status, format!("{{\"result\":\"ERROR\",\"message\":\"{text} {LOGIN} {PASSWORD}\"}}"))
    };
    let bodies = vec![
        echo(200, "unknown"),
        echo(200, "could not authenticate"),
        echo(403, "IP must be whitelisted - 198.51.100.7"),
        echo(200, "no permission"),
        reply(500, format!("<html>{PASSWORD}")),
        reply(200, PASSWORD),
    ];
    let count = bodies.len();
    let server = Server::start(bodies).await;
    let crm = server.crm();
    for _ in 0..count {
        let error = crm.page(&orders()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

fn rows(written: &str) -> Response {
    let body = format!(
        "{{\"result\":\"SUCCESS\",\"message\":{{\"totalResults\":9,\"data\":[{{\"dateCreated\":\"2026-09-01 00:00:00\",\"dateUpdated\":\"{written}\"}},{{\"dateCreated\":null}},7]}}}}"
    );
    Response::builder().header("date", "Wed, 16 Sep 2026 20:00:00 GMT").body(body.into()).unwrap()
}

#[tokio::test]
async fn probing_tells_what_works() {
    let denied = r#"{"result":"ERROR","message":"no permission"}"#;
    let server = Server::start(vec![rows("2026-09-16 15:59:00"), reply(200, denied)]).await;
    let probe = server.crm().probe(&[Endpoint::Orders, Endpoint::Transactions]).await;
    assert_eq!(probe.access, Access::Granted);
    assert_eq!(probe.endpoints[0].access, EndpointAccess::Readable { recent: 9 });
    assert!(matches!(probe.endpoints[1].access, EndpointAccess::Refused(ReadError::Permission { .. })));
    assert!(
        matches!(probe.zone, ZoneCheck::Plausible { newest, .. } if newest == "2026-09-16T19:59:00Z".parse().unwrap())
    );
    assert!(probe.ampersand_in_password);
    let asked = &server.seen()[0];
    assert_eq!((asked.field("startDate"), asked.field("endDate")), (Some("09/14/2026"), Some("09/17/2026")));
    assert_eq!((asked.field("sortDir"), asked.field("resultsPerPage")), (Some("0"), Some("25")));
}

#[tokio::test]
async fn a_row_in_the_future_betrays_the_zone() {
    for (written, zone, wrong) in [
        ("2026-09-16 16:09:00", "America/New_York", false),
        ("2026-09-16 16:11:00", "America/New_York", true),
        ("2026-09-16 15:59:00", "America/Los_Angeles", true),
        ("2026-09-16 15:59:00", "UTC", false),
        ("not a date", "UTC", false),
    ] {
        let server = Server::start(vec![rows(written)]).await;
        let probe = konnektive(&server.base, zone).probe(&[Endpoint::Orders]).await;
        assert_eq!(
            matches!(probe.zone, ZoneCheck::Future { .. }),
            wrong,
            "{written} {zone} {:?}",
            probe.zone
        );
    }
}

#[tokio::test]
async fn a_refused_login_is_not_tried_twice() {
    let server = Server::start(vec![reply(200, AUTH), reply(200, AUTH)]).await;
    let probe = server.crm().probe(&[Endpoint::Orders, Endpoint::Transactions]).await;
    assert!(matches!(probe.access, Access::Credentials { .. }));
    assert_eq!((probe.endpoints.len(), server.seen().len()), (1, 1));

    let server = Server::start(vec![reply(200, WHITELIST)]).await;
    let probe = server.crm().probe(&[Endpoint::Orders, Endpoint::Transactions]).await;
    assert!(
        matches!(probe.access, Access::Whitelist { address: Some(address), .. } if address == "198.51.100.7")
    );

    let server = Server::start(vec![reply(504, "<html>"), reply(200, NO_ORDERS)]).await;
    let probe = server.crm().probe(&[Endpoint::Orders, Endpoint::Transactions]).await;
    assert_eq!((probe.access, probe.zone), (Access::Granted, ZoneCheck::NoRows));
    assert!(matches!(probe.endpoints[0].access, EndpointAccess::Refused(ReadError::Transport { .. })));
}

#[test]
fn connections_that_cannot_work() {
    let build = |base: &str, login: &str, password: &str| {
        let config = Config {
            name: "crm".into(),
            base_url: base.into(),
            login_id: login.into(),
            password: password.into(),
            timezone: TimeZone::UTC,
            timeout: Duration::from_secs(1),
            rate: None,
            concurrency: 1,
            ca: None,
        };
        Konnektive::new(config, &Clients::new(), Pinned::now()).err().map(|error| error.to_string())
    };
    assert_eq!(build("http://127.0.0.1", "", "x").unwrap(), "connection `crm`: `login_id` is empty");
    assert_eq!(build("http://127.0.0.1", "x", "").unwrap(), "connection `crm`: `password` is empty");
    assert_eq!(build("canary", "x", "y").unwrap(), "connection `crm`: `base_url` is not a URL");
    assert_eq!(build("http://127.0.0.1/?a=b", "x", "y"), None);
}
