//! The example zaps that write to the CRM or are called, run as they are against the stand-in: pushes signed as their
//! senders sign, waits shortened.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{CANARIES, Lab};
use crate::webhooks::{address, when_open};

const ZAPS: [&str; 9] = [
    "affiliate/new-sale-to-tracker",
    "chargebacks/alert-to-refund",
    "data-sources/abandoned-lead-to-esp",
    "data-sources/churn-list-to-cancel",
    "data-sources/settled-sale-to-warehouse",
    "inbound/help-desk-to-customer",
    "inbound/lead-form-to-lead",
    "inbound/parcel-shipped-to-fulfillment",
    "inbound/phone-order-to-sale",
];

const SECRET: &str = CANARIES[2];

/// Services that answer what a sink does not: the churn list, and the contact that a reminder is for.
#[derive(Clone)]
struct Services {
    url: String,
    churn: Arc<Mutex<Vec<Value>>>,
    lists: Arc<Mutex<usize>>,
}

impl Services {
    fn start() -> Services {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let services = Services {
            url: format!("http://{}", listener.local_addr().unwrap()),
            churn: Arc::default(),
            lists: Arc::default(),
        };
        let serving = services.clone();
        // It ends with the test's process.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serving.answer(stream)));
        services
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut asked = Vec::new();
        let mut part = [0; 4096];
        let head = loop {
            let Ok(read @ 1..) = stream.read(&mut part) else { return };
            asked.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&asked).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if body.len() >= length {
                break head.to_owned();
            }
        };
        let body = if head.contains("/cancellations") {
            *self.lists.lock().unwrap() += 1;
            json!({ "data": *self.churn.lock().unwrap() })
        } else {
            json!({ "contact": { "id": "311" } })
        };
        let body = body.to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }
}

fn lab(services: &Services) -> Lab {
    let mut lab = Lab::new(&[]);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    lab.write("zaprun.yaml", fs::read(repository.join("zaprun.yaml")).unwrap());
    lab.change("rate: 2/s", "rate: 1000/s");
    lab.change("127.0.0.1:8080", "127.0.0.1:0");
    for zap in ZAPS {
        let text = fs::read_to_string(repository.join(format!("zaps/{zap}.yaml"))).unwrap();
        // Without the tests, whose records lie elsewhere.
        let text = text.split("\ntests:").next().unwrap();
        let mut text = text.replace("every: 1m", "every: 10s").replace("every: 5m", "every: 10s");
        text = text.replace("delay: 60m", "delay: 1s").replace("settle: 30m", "settle: 1s");
        if text.contains("konnektive.orders") {
            text = text.replace("start: now", &format!("start: {}", lab.yesterday()));
        }
        lab.write(&format!("zaps/{zap}.yaml"), text);
    }
    let (crm, sink) = (lab.crm_url(), format!("{}/sink", lab.crm_url()));
    for (name, value) in [
        ("KONNEKTIVE_URL", crm.as_str()),
        ("KONNEKTIVE_LOGIN_ID", CANARIES[0]),
        ("KONNEKTIVE_PASSWORD", CANARIES[1]),
        ("CHAT_WEBHOOK_URL", &sink),
        ("ESP_URL", &services.url),
        ("CHURN_URL", &services.url),
    ] {
        lab.program().set(name, value);
    }
    // The sink shows itself to whoever GETs its root.
    lab.program().set("TRACKER_URL", &format!("{sink}/postback"));
    for name in ["SHEET", "BOOKS", "WAREHOUSE"] {
        lab.program().set(&format!("{name}_URL"), &sink);
    }
    for name in ["SHEET", "BOOKS", "WAREHOUSE", "ESP", "CHURN"] {
        lab.program().set(&format!("{name}_TOKEN"), SECRET);
    }
    for name in ["WAREHOUSE_HOOK_TOKEN", "ALERTS_SECRET", "HELPDESK_PASSWORD", "PHONEDESK_SECRET"] {
        lab.program().set(name, SECRET);
    }
    lab.program().set("LEADFORM_SECRET", &format!("whsec_{}", STANDARD.encode(SECRET)));
    lab
}

fn tag(signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a push with these headers; it is taken.
fn push(address: &str, path: &str, headers: &[(&str, String)], body: &str) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "POST /hooks/{path} HTTP/1.1\r\nhost: x\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    let post = || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    };
    assert_eq!(when_open(post), Some(202), "{path}");
}

/// A record of the example's own tests, changed.
fn fixture(path: &str, changes: &Value) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(repository.join(format!("zaps/{path}.json"))).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record.to_string()
}

#[test]
fn the_example_zaps_do_their_work_in_the_crm() {
    let services = Services::start();
    let lab = lab(&services);
    let crm = lab.crm();
    // What is there before.
    let disputed = crm.sale("disputed@example.test").unwrap();
    let abandoned = crm.lead("left@example.test").unwrap();
    let clicked = crm
        .insert_order(|order| drop(order.extra.insert("sourceValue1".to_owned(), "click-77".to_owned())))
        .unwrap();
    let leaving = crm.insert_order(|_| {}).unwrap();
    let customer = crm.customer_of(&clicked).unwrap();
    let charge = crm.charges(&disputed)[0];
    let alert = crm.with(|state| {
        let charge = state.transactions().find(|txn| txn.transaction_id == charge).unwrap();
        let card = charge.payment.as_ref().unwrap().card.as_ref().unwrap();
        json!({
            "card": { "bin": card.bin, "last4": card.last4 },
            "amount": charge.amount.to_string(),
            "transaction_date": charge.created.date().to_string(),
        })
    });

    let engine = lab.start(&["run"]);
    let address = address(&engine);
    let now = jiff::Timestamp::now().as_second();
    let form = fixture("inbound/fixtures/submission", &json!({}));
    let signature = format!("v1,{}", STANDARD.encode(tag(&format!("msg_1.{now}.{form}"))));
    let standard = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", signature),
    ];
    push(&address, "lead-form", &standard, &form);
    let ticket = fixture("inbound/fixtures/phone-order", &json!({ "email": "phone@example.test" }));
    let stripe = format!("t={now},v1={}", hex(&tag(&format!("{now}.{ticket}"))));
    push(&address, "phone-order", &[("stripe-signature", stripe)], &ticket);
    let alert = fixture("chargebacks/fixtures/alert", &alert);
    push(
        &address,
        "chargeback-alert",
        &[("x-signature-256", format!("sha256={}", hex(&tag(&alert))))],
        &alert,
    );
    let correction = fixture("inbound/fixtures/correction", &json!({ "customer_id": customer }));
    let basic = format!("Basic {}", STANDARD.encode(format!("helpdesk:{SECRET}")));
    push(&address, "customer-corrected", &[("authorization", basic)], &correction);
    let parcel = fixture("inbound/fixtures/parcel", &json!({ "order_number": clicked }));
    push(&address, "parcel-shipped", &[("x-warehouse-token", SECRET.to_owned())], &parcel);

    let quiet = |lab: &Lab| {
        let runs = lab.runs();
        let done = |zap: &str| {
            let of = runs.iter().filter(|run| run["zap"] == zap);
            of.clone().count() > 0 && of.clone().all(|run| run["state"] != "pending")
        };
        let names = ZAPS.map(|zap| match zap.rsplit('/').next().unwrap() {
            "alert-to-refund" => "chargeback-alert-to-refund",
            name => name,
        });
        names.iter().all(|zap| done(zap))
    };
    loop {
        // What the churn service lists at the start is none of the zap's business.
        if *services.lists.lock().unwrap() > 0 && services.churn.lock().unwrap().is_empty() {
            services
                .churn
                .lock()
                .unwrap()
                .push(json!({ "id": "can_1", "order_id": leaving, "reason": "moved" }));
        }
        let asked = crm.crm_count();
        if quiet(&lab) {
            break;
        }
        lab.wait_for_crm(asked + 1);
    }
    lab.stop(engine);

    let dead: Vec<Value> = lab
        .runs()
        .into_iter()
        .filter(|run| run["state"] != "delivered" && run["state"] != "filtered")
        .collect();
    assert!(dead.is_empty(), "{dead:#?}");
    assert_eq!(crm.writes_to("leads/import").len(), 2, "the form's lead and that of the phone order");
    assert_eq!(crm.sales_of("phone@example.test").len(), 1);
    assert_eq!(crm.writes_to("transactions/refund").len(), 1);
    assert_eq!(crm.writes_to("customer/blacklist").len(), 1);
    assert_eq!(crm.notes(crm.customer_of(&disputed).unwrap()).len(), 1);
    for (endpoint, order) in [("order/cancel", &leaving), ("fulfillment/update", &clicked)] {
        let writes = crm.writes_to(endpoint);
        assert!(
            writes.iter().any(|write| format!("{write:?}").contains(order.as_str())),
            "{endpoint}: {writes:?}"
        );
    }
    let told = |text: &str| {
        let within = |one: &zaprun_sandbox::Received| {
            one.query.contains(text) || String::from_utf8_lossy(&one.body).contains(text)
        };
        lab.received().iter().any(within)
    };
    assert!(told("click-77"), "the affiliate network learns of the click");
    assert!(told(&clicked), "the warehouse gets the settled sale");
    let reminded = lab.runs().into_iter().any(|run| {
        run["zap"] == "abandoned-lead-to-esp"
            && run["state"] == "delivered"
            && run["event"].as_str().unwrap().ends_with(abandoned.as_str())
    });
    assert!(reminded);
}
