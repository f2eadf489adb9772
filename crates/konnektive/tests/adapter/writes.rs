//! Sending a write, once, in its turn.

use crate::support::{AUTH, LOGIN, PASSWORD, Server, konnektive, konnektive_at, reply, request};
use axum::response::Response;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{CrmWriter, ReadError, WriteOutcome};
use zaprun_konnektive::Konnektive;

const APPROVED: &str = include_str!("../samples/qa_approved.json");

async fn write(crm: &Konnektive, request: &CrmRequest) -> WriteOutcome {
    let turn = crm.turn().await;
    crm.write_in_turn(request, turn).await
}

fn sale() -> CrmRequest {
    request(
        "konnektive.create_sale",
        &[("campaignId", "459"), ("firstName", "Zoë & Søn"), ("product1_id", "15271")],
    )
}

fn unknown(outcome: WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Unknown { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_write_is_a_form_with_the_credentials_in_its_body() {
    let server = Server::start(vec![reply(200, APPROVED), reply(200, APPROVED)]).await;
    let crm = server.crm();
    assert!(matches!(write(&crm, &sale()).await, WriteOutcome::Done(_)));
    // What a zap calls loginId is not the login: of two the CRM may take either.
    let mut other = sale();
    other.params.push(("password".into(), "mine".into()));
    other.params.push(("loginId".into(), "mine".into()));
    assert!(matches!(write(&crm, &other).await, WriteOutcome::Done(_)));
    for seen in server.seen() {
        assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("POST", "/crm/order/import/"));
        assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
        let form: Vec<(&str, &str)> =
            seen.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            form,
            [
                ("loginId", LOGIN),
                ("password", PASSWORD),
                ("campaignId", "459"),
                ("firstName", "Zoë & Søn"),
                ("product1_id", "15271")
            ]
        );
        assert!(!seen.uri.contains("canary") && !format!("{:?}", seen.headers).contains("canary"));
    }
}

#[tokio::test]
async fn the_key_goes_along_where_it_was_asked_for() {
    let server = Server::start(vec![reply(200, APPROVED), reply(200, APPROVED)]).await;
    let crm = server.crm();
    let mut keyed = sale();
    keyed.correlate_in = Some("custom5".into());
    write(&crm, &keyed).await;
    // It is there already.
    keyed.params.push(("custom5".into(), "given".into()));
    write(&crm, &keyed).await;
    let seen = server.seen();
    assert_eq!(seen[0].field("custom5"), Some(keyed.idempotency_key.as_str()));
    assert_eq!((seen[1].field("custom5"), seen[1].form.len()), (Some("given"), 6));
}

#[tokio::test]
async fn every_endpoint_has_its_address() {
    let server = Server::answering(|_| Some(reply(200, APPROVED))).await;
    let crm = server.crm();
    for endpoint in zaprun_core::crm::ENDPOINTS {
        assert!(matches!(write(&crm, &request(endpoint.action, &[])).await, WriteOutcome::Done(_)));
        assert_eq!(server.seen().last().unwrap().endpoint(), endpoint.path);
    }
}

#[tokio::test]
async fn a_turn_is_a_place_among_the_requests_in_flight() {
    let server = Server::answering(|_| Some(reply(200, APPROVED))).await;
    let crm = konnektive_at(&server.base, "UTC", crate::support::NOW, 1);
    let turn = crm.turn().await;
    let mut next = Box::pin(crm.turn());
    let waits = tokio::select! {
        biased;
        _ = &mut next => false,
        () = std::future::ready(()) => true,
    };
    assert!(waits, "two turns at once");
    crm.write_in_turn(&sale(), turn).await;
    // The place is free again, once and not twice.
    let turn = next.await;
    drop(turn);
    drop(crm.turn().await);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/secret-canary", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(
        write(&konnektive(&base, "UTC"), &sale()).await,
        WriteOutcome::NotSent {
            reason: "the CRM: no connection: connection refused".into(),
            retryable: true,
            retry_after: None
        }
    );

    // The line is cut before an answer, and within one.
    for (said, reason) in [
        ("", "the CRM: the connection was cut"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"result\":\"SUCCESS\"",
            "the CRM's answer ended after 19 bytes",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            // Closing with unread input would reset the line before the answer is read.
            while !request.ends_with(b"product1_id=15271") {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket.write_all(said.as_bytes()).await.unwrap();
        });
        let text = unknown(write(&konnektive(&base, "UTC"), &sale()).await);
        assert!(text.starts_with(reason), "{text}");
    }
}

#[tokio::test]
async fn a_silent_crm_may_have_done_it() {
    let server = Server::start(vec![]).await;
    let crm = server.crm();
    let asked = tokio::spawn(async move { write(&crm, &sale()).await });
    server.arrived.notified().await;
    // Only now, with the request at the server, may the clock run ahead.
    tokio::time::pause();
    assert_eq!(unknown(asked.await.unwrap()), "the CRM: no answer within 4m");
    assert_eq!(server.seen().len(), 1, "it was sent again");
}

#[tokio::test]
async fn statuses_and_waits_are_handed_on() {
    let busy = |status: u16| {
        Response::builder().status(status).header("retry-after", "7").body("<html>".into()).unwrap()
    };
    let elsewhere =
        Response::builder().status(307).header("location", "/crm/other/").body("".into()).unwrap();
    let server = Server::start(vec![busy(429), busy(503), elsewhere, reply(200, AUTH)]).await;
    let crm = server.crm();
    let wait = Some(Duration::from_secs(7));
    assert!(
        matches!(write(&crm, &sale()).await, WriteOutcome::NotSent { retryable: true, retry_after, .. } if retry_after == wait)
    );
    assert!(
        matches!(write(&crm, &sale()).await, WriteOutcome::Unknown { retry_after, .. } if retry_after == wait)
    );
    assert_eq!(unknown(write(&crm, &sale()).await), "the CRM answered HTTP 307 with nothing");
    assert!(matches!(write(&crm, &sale()).await, WriteOutcome::Stopped(ReadError::Credentials { .. })));
    // No redirect was followed, nothing was sent twice.
    assert_eq!(server.seen().len(), 4);
}
