//! Every fault does what the table says, and no more.

use std::time::Duration;

use serde_json::{Value, json};
use zaprun_sandbox::{CrmFault, FAULTS, Fault, SinkFault};

use crate::bed::{Bed, column, rows};

fn crm(bed: &Bed, fault: CrmFault) {
    bed.control.fault_next(None, Fault::Crm(fault));
}

async fn bed_with_orders(count: usize) -> Bed {
    let bed = Bed::new().await;
    for _ in 0..count {
        bed.control.insert_order(|_| {}).unwrap();
    }
    bed
}

const TODAY: &[(&str, &str)] = &[("startDate", "09/16/2026"), ("endDate", "09/16/2026")];

#[tokio::test]
async fn refusals_and_odd_answers_of_the_crm() {
    let bed = bed_with_orders(1).await;
    crm(&bed, CrmFault::Auth);
    assert_eq!(bed.call("order/query", TODAY).await["message"], "Could not authenticate credentials");
    crm(&bed, CrmFault::Whitelist);
    assert_eq!(bed.call("order/query", TODAY).await["message"], "IP must be whitelisted - 127.0.0.1");
    crm(&bed, CrmFault::NoPermission);
    assert_eq!(bed.call("order/query", TODAY).await["result"], "ERROR");
    crm(&bed, CrmFault::BareError);
    assert_eq!(bed.call("order/query", TODAY).await, json!({"result": "ERROR"}));
    crm(&bed, CrmFault::Html504);
    let (status, body) = bed.raw("order/query", TODAY).await.unwrap();
    assert_eq!(status, 504);
    assert!(body.starts_with(b"<html>"));
    crm(&bed, CrmFault::EmptyBody);
    assert_eq!(bed.raw("order/query", TODAY).await.unwrap(), (200, Vec::new()));
    assert_eq!(bed.call("order/query", TODAY).await["result"], "SUCCESS");
}

#[tokio::test]
async fn broken_bodies_of_the_crm() {
    let bed = bed_with_orders(1).await;
    let whole = bed.raw("order/query", TODAY).await.unwrap().1;
    crm(&bed, CrmFault::Truncated);
    let (_, body) = bed.raw("order/query", TODAY).await.unwrap();
    assert!(whole.starts_with(&body) && body.len() < whole.len());
    assert!(serde_json::from_slice::<Value>(&body).is_err());
    crm(&bed, CrmFault::NonUtf8);
    let (_, body) = bed.raw("order/query", TODAY).await.unwrap();
    assert!(std::str::from_utf8(&body).is_err());
    crm(&bed, CrmFault::Cut);
    assert!(bed.raw("order/query", TODAY).await.is_err());
    crm(&bed, CrmFault::HugePage(5 << 20));
    let (_, body) = bed.raw("order/query", TODAY).await.unwrap();
    assert!(body.len() > 5 << 20);
    let huge: Value = serde_json::from_slice(&body).unwrap();
    let plain: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(rows(&huge), rows(&plain));
    assert_eq!(bed.control.crm_count(), 5);
}

#[tokio::test]
async fn other_types_of_the_crm() {
    let bed = bed_with_orders(1).await;
    crm(&bed, CrmFault::NumbersAsStrings);
    let reply = bed.call("order/query", TODAY).await;
    assert_eq!(
        (&reply["message"]["totalResults"], &rows(&reply)[0]["campaignId"]),
        (&json!("1"), &json!("12"))
    );
    assert_eq!(rows(&reply)[0]["items"]["15271"]["qty"], "1");
    crm(&bed, CrmFault::ItemsAsList);
    assert!(rows(&bed.call("order/query", TODAY).await)[0]["items"].is_array());
    bed.control.add_fault("items-as-list".parse().unwrap());
    bed.control.add_fault("items-as-map".parse().unwrap());
    assert!(rows(&bed.call("order/query", TODAY).await)[0]["items"]["15271"].is_object());
}

#[tokio::test]
async fn rows_shift_between_pages() {
    let pages = async |bed: &Bed| {
        let mut seen = Vec::new();
        for page in ["1", "2", "3"] {
            let query = [TODAY, &[("resultsPerPage", "2"), ("page", page)]].concat();
            let reply = bed.call("order/query", &query).await;
            seen.push((reply["message"]["totalResults"].as_u64().unwrap_or(0), column(&reply, "orderId")));
        }
        seen
    };
    let bed = bed_with_orders(6).await;
    let calm = pages(&bed).await;
    bed.control.add_fault("row-removed:first=1,on=order/query".parse().unwrap());
    let shifted = pages(&bed).await;
    assert_eq!(shifted[0], calm[0]);
    assert_eq!((shifted[1].0, &shifted[1].1[0]), (5, &calm[1].1[1]), "a row slipped past the reader");

    let bed = bed_with_orders(6).await;
    let calm = pages(&bed).await;
    bed.control.add_fault("row-inserted:first=1".parse().unwrap());
    let shifted = pages(&bed).await;
    assert_eq!((shifted[0].0, shifted[1].0, shifted[2].0), (6, 7, 7));
    assert_eq!(shifted[1].1, [calm[0].1[1].as_str(), &calm[1].1[0]], "the reader meets a row again");
    let newest = bed.control.with(|state| state.orders().next_back().cloned().unwrap());
    assert!(calm.iter().all(|page| !page.1.contains(&newest.order_id)));
    assert_eq!(newest.updated, bed.control.with(|state| state.now()));
}

#[tokio::test]
async fn a_lost_answer_is_a_write_that_happened() {
    let bed = Bed::new().await;
    let order_id = bed.control.sale("ada@example.test").unwrap();
    let cancel = [("orderId", order_id.as_str()), ("cancelReason", "x")];
    crm(&bed, CrmFault::BareError);
    bed.call("order/cancel", &cancel).await;
    let status = || bed.control.with(|state| state.order(&order_id).unwrap().status.as_str());
    assert_eq!(status(), "COMPLETE", "a fault in place of the reply prevents the write");
    crm(&bed, CrmFault::LostAnswer);
    assert!(bed.raw("order/cancel", &cancel).await.is_err());
    assert_eq!(status(), "CANCELLED");
}

#[tokio::test]
async fn waiting_faults_end_with_the_sandbox() {
    let bed = Bed::new().await;
    bed.control.add_fault("slow:1h".parse().unwrap());
    bed.control.fault_next(Some("/sink/slow"), Fault::Sink(SinkFault::Slow(Duration::from_secs(3600))));
    bed.control.fault_next(Some("/sink/hang"), Fault::Sink(SinkFault::Hang));
    let send = |path: &str| tokio::spawn(bed.client.post(bed.url(path)).send());
    let waiting = [send("sink/slow"), send("sink/hang"), send("order/query/")];
    bed.control.wait_for_sink(2).await;
    assert!(waiting.iter().all(|request| !request.is_finished()));
    let mut statuses: Vec<Option<u16>> = bed.control.received().iter().map(|one| one.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [None, Some(200)]);
    bed.running.shutdown().await;
    for request in waiting {
        assert!(request.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn sink_faults_answer_as_told_and_record_all() {
    let bed = Bed::new().await;
    let statuses = [
        ("sink-500", 500),
        ("sink-503", 503),
        ("sink-401", 401),
        ("sink-403", 403),
        ("sink-status:418", 418),
    ];
    for (text, status) in statuses {
        bed.control.clear_faults();
        bed.control.add_fault(text.parse().unwrap());
        assert_eq!(bed.post_sink("", text, "{}").await.unwrap(), status);
    }
    bed.control.clear_faults();
    bed.control.fault_next(None, Fault::Sink(SinkFault::TooMany(Duration::from_secs(7))));
    let limited = bed.client.post(bed.running.sink_url()).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    bed.control.fault_next(None, Fault::Sink(SinkFault::Garbage));
    let garbage = bed.client.post(bed.running.sink_url()).send().await.unwrap();
    assert_eq!(garbage.status(), 200);
    assert!(serde_json::from_slice::<Value>(&garbage.bytes().await.unwrap()).is_err());
    bed.control.fault_next(None, Fault::Sink(SinkFault::Cut));
    assert!(bed.post_sink("", "cut", "{}").await.is_err());
    let recorded: Vec<Option<u16>> = bed.control.received().iter().map(|received| received.status).collect();
    let expected = [Some(500), Some(503), Some(401), Some(403), Some(418), Some(429), Some(200), None];
    assert_eq!(recorded, expected);
    assert_eq!(bed.post_sink("", "fine", "{}").await.unwrap(), 200);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_sends_not_one_byte() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let bed = Bed::new().await;
    bed.control.fault_next(None, Fault::Sink(SinkFault::Cut));
    let mut stream = tokio::net::TcpStream::connect(bed.running.addr()).await.unwrap();
    stream.write_all(b"POST /sink HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset: nothing must have come before.
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8_lossy(&answer), "");
    assert_eq!(bed.control.received().len(), 1);
}

#[tokio::test]
async fn faults_keep_to_their_place_and_times() {
    let bed = Bed::new().await;
    bed.control.add_fault("sink-500:first=2,on=/sink/chat".parse().unwrap());
    let mut statuses = Vec::new();
    for path in ["/chat", "/books", "/chat/room", "/chat"] {
        statuses.push(bed.post_sink(path, path, "{}").await.unwrap());
    }
    assert_eq!(statuses, [500, 200, 500, 200]);
    bed.control.fault_next(Some("transactions/query"), Fault::Crm(CrmFault::BareError));
    assert_ne!(bed.call("order/query", TODAY).await, json!({"result": "ERROR"}));
    assert_eq!(bed.control.faults_queued(), 1);
    assert_eq!(bed.call("transactions/query", TODAY).await, json!({"result": "ERROR"}));
    assert_eq!(bed.control.faults_queued(), 0);
}

#[test]
fn the_table_has_every_fault_once() {
    let mut names: Vec<&str> = FAULTS.iter().map(|spec| spec.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAULTS.len());
}
