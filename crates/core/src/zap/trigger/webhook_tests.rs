//! What requests are known by.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use super::*;
use crate::load::{File, Input, load};
use crate::zap::{EventFacts, ProjectFacts, RunFacts, Trigger, Zap};

const PROJECT: &str = r#"
version: 1
connections:
  crm: { type: konnektive, login_id: "${L}", password: "${P}", timezone: America/New_York }
  push: { type: webhook, verify: none }
  sink: { type: http, base_url: "https://sink.example" }
listen: { webhooks: 127.0.0.1:8080 }
"#;

fn compiled(trigger: &str, rest: &str) -> Result<Zap, Vec<String>> {
    let file = |path: &str, text: String| File { path: path.to_owned(), content: Ok(text.into_bytes()) };
    let zap = format!("name: z\ntrigger: {trigger}\n{rest}");
    let input = Input {
        project: file("zaprun.yaml", PROJECT.to_owned()),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", zap)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let one = loaded.zaps.first().unwrap();
    let Some(definition) = &one.definition else {
        panic!("{:?}", loaded.conclude(Vec::new()));
    };
    let made = crate::zap::compile(definition, one.tree.as_ref().unwrap(), &facts);
    let findings = loaded.conclude(made.diagnostics);
    match made.zap.filter(|_| findings.is_empty()) {
        Some(zap) => Ok(zap),
        None => Err(findings
            .into_iter()
            .map(|finding| {
                let help = finding.help.map(|help| format!(" | {help}")).unwrap_or_default();
                format!("{} {}{help}", finding.code.id, finding.message)
            })
            .collect()),
    }
}

const ACTION: &str = "actions: [{ id: send, type: http, connection: sink, json: { a: 1 } }]";

fn webhook(options: &str) -> Zap {
    compiled(&format!("{{ type: webhook, connection: push, path: /hooks/a, {options} }}"), ACTION)
        .unwrap_or_else(|findings| panic!("{}", findings.join("\n")))
}

/// The key of a request, or why it has none.
fn key(zap: &Zap, record: &str) -> Result<String, String> {
    let context = br#"{"headers":{"x-shop":"acme"},"query":{"id":"q7"}}"#;
    let arrival = Arrival::read(record.as_bytes(), Some(context)).map_err(|error| error.to_string())?;
    zap.trigger.entrance().unwrap().key(&arrival).map_err(|error| error.to_string())
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn err(text: &str) -> Result<String, String> {
    Err(text.to_owned())
}

#[test]
fn a_key_is_read_off_the_body_the_headers_and_the_query() {
    let by = |written: &str, record: &str| key(&webhook(&format!("key: '{written}'")), record);
    assert_eq!(by("{{ record.id }}", r#"{"id": 12.50}"#), ok("12.50"));
    assert_eq!(by("$.lead.id", r#"{"lead": {"id": "L1"}}"#), ok("L1"));
    assert_eq!(by("{{ record[1].id }}", r#"[{"id": 1}, {"id": 2}]"#), ok("2"));
    assert_eq!(by("{{ event.headers[\"x-shop\"] }}-{{ event.query.id }}", "{}"), ok("acme-q7"));
    assert_eq!(by("{{ record.email | lower }}", r#"{"email": "Ada@Example.com"}"#), ok("ada@example.com"));
}

#[test]
fn without_a_key_it_says_what_is_missing() {
    let by = |written: &str, record: &str| key(&webhook(&format!("key: '{written}'")), record);
    assert_eq!(by("{{ record.id }}", "{}"), err("key: `record.id` is missing"));
    assert_eq!(by("{{ record.id }}", r#"{"id": null}"#), err("key: `record.id` is missing"));
    assert_eq!(by("$.id", r#"{"id": null}"#), err("key: the key is missing"));
    assert_eq!(by("{{ record.id }}", r#"{"id": " "}"#), err("key: the key is empty"));
    assert_eq!(
        by("{{ record.id }}", r#"{"id": [1]}"#),
        err("key: the key is no text: a list has no text form")
    );
    assert_eq!(by("{{ record.id }}", r#"{"id": "a\u0000b"}"#), err("key: the key holds a control character"));
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(256));
    assert_eq!(by("{{ record.id }}", &long), err("key: the key has more than 255 bytes"));
    assert_eq!(by("{{ record.id | sha256 }}", &long).unwrap().len(), 64);
}

#[test]
fn what_cannot_be_read_is_no_arrival() {
    let read = |bytes: &[u8]| Arrival::read(bytes, None).unwrap_err().to_string();
    assert_eq!(read(b"{\"a\": \"\xff\"}"), "not UTF-8 at byte 7");
    assert_eq!(read(b"{\"a\": 1"), "not JSON: expected a comma or the closing bracket at byte 7");
    assert_eq!(read(b""), "not JSON: unexpected end at byte 0");
    assert_eq!(read(b"12"), "neither an object nor a list");
    assert_eq!(
        read(br#"{"n": {"card": 1, "card": 2}}"#),
        "not JSON: a name that occurs twice in one object at byte 25"
    );
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(read(deep.as_bytes()), "not JSON: nested deeper than 64 levels at byte 64");
}

#[test]
fn the_presets_key_tells_the_requests_of_an_export_profile_apart() {
    let zap = webhook("preset: konnektive");
    let order = |more: &str| key(&zap, &format!(r#"{{"orderId": 13, "clientOrderId": "D4E5F60718"{more}}}"#));
    assert_eq!(order(""), ok("/hooks/a|D4E5F60718||"));
    assert_eq!(
        order(r#", "orderStatus": "PENDING", "clientTxnId": "C96D""#),
        ok("/hooks/a|D4E5F60718|PENDING|C96D")
    );
    // Numbers as numbers or as text, null or left out: the same.
    assert_eq!(order(r#", "clientTxnId": 96, "orderStatus": null"#), order(r#", "clientTxnId": "96""#));
    assert_eq!(order(r#", "route": "Capture""#), ok("Capture|D4E5F60718||"));
    // No two requests give one text.
    assert_ne!(order(r#", "orderStatus": "A|B""#), order(r#", "orderStatus": "A", "clientTxnId": "B|""#));
    assert_eq!(key(&zap, r#"{"orderId": 13}"#), err("key: `clientOrderId` is missing"));
    assert_eq!(key(&zap, r#"[{"clientOrderId": 13}]"#), err("key: an export profile sends an object"));
    assert_eq!(
        key(&zap, r#"{"clientOrderId": {"a": 1}}"#),
        err("key: `clientOrderId`: an object has no text form")
    );
}

#[test]
fn a_written_key_goes_before_the_presets() {
    let zap = webhook("preset: konnektive, key: \"{{ record.purchaseId }}\"");
    assert_eq!(key(&zap, r#"{"clientOrderId": "D4", "purchaseId": "7"}"#), ok("7"));
}

#[test]
fn beside_a_poll_the_key_is_the_rows_id() {
    let beside = |kind: &str, also: &str| {
        let trigger =
            format!("{{ {kind}, connection: crm, also: {{ connection: push, path: /hooks/a, {also} }} }}");
        compiled(&trigger, ACTION).unwrap_or_else(|findings| panic!("{}", findings.join("\n")))
    };
    let record = r#"{"orderId": 13, "clientOrderId": "D4E5F60718", "transactionId": "pi_1", "actualTransactionId": 11}"#;
    let sale = "type: konnektive.orders, order_type: new_sale";
    let refund = "type: konnektive.transactions, transaction_type: refund";
    assert_eq!(key(&beside(sale, "preset: konnektive"), record), ok("D4E5F60718"));
    assert_eq!(key(&beside(refund, "preset: konnektive"), record), ok("11"));
    assert_eq!(key(&beside(sale, "key: \"{{ record.clientOrderId }}\""), record), ok("D4E5F60718"));
}

#[test]
fn a_key_that_is_the_same_for_all_is_found() {
    let found = |options: &str| {
        let trigger = format!("{{ type: webhook, connection: push, path: /hooks/a, {options} }}");
        compiled(&trigger, ACTION).unwrap_err()
    };
    assert_eq!(
        found("key: record.id"),
        ["ZR0713 `key` is the same for all | read what differs, in braces: \"{{ record.id }}\""]
    );
    assert_eq!(found("key: \"{{ 1 + 1 }}\"").len(), 1);
    assert!(found("key: \"{{ run.id }}\"")[0].starts_with("ZR0403 "));
    assert!(found("key: \"{{ event.id }}\"")[0].starts_with("ZR0404 "));
    assert_eq!(found("preset: konnektive, once_per: email").len(), 1);
}

fn facts<'a>(record: &'a str, context: Option<&'a str>) -> RunFacts<'a> {
    RunFacts {
        record: record.as_bytes(),
        event: EventFacts {
            id: "webhook:1".to_owned(),
            kind: "webhook".to_owned(),
            key: "1".to_owned(),
            at: "2026-09-16T18:25:31Z".parse().unwrap(),
        },
        context: context.map(str::as_bytes),
        run_id: "7".to_owned(),
        started_at: "2026-09-16T18:26:00Z".parse().unwrap(),
        key_base: uuid::Uuid::nil(),
        depth: 0,
    }
}

#[test]
fn a_run_sees_headers_and_query() {
    let trigger = "{ type: webhook, connection: push, path: /hooks/a, key: \"{{ record.id }}\" }";
    let filter = "filter: \"{{ event.headers['x-shop'] == 'acme' and event.query.id == 'q7' and connection.type == 'webhook' }}\"";
    let zap = compiled(trigger, &format!("{filter}\n{ACTION}")).unwrap();
    let passes = |context: Option<&str>| {
        let scope = zap.scope(&facts("{}", context)).unwrap();
        zap.passes(&scope).map(|pass| pass == crate::zap::Pass::Yes).map_err(|error| error.to_string())
    };
    assert_eq!(passes(Some(r#"{"headers":{"x-shop":"acme"},"query":{"id":"q7"}}"#)), Ok(true));
    assert_eq!(passes(Some(r#"{"headers":{"x-shop":"other"},"query":{}}"#)), Ok(false));
    assert!(passes(Some(r#"{"headers":{},"query":{}}"#)).unwrap_err().contains("x-shop"));
    // A poll's events are no requests.
    let polled = "{ type: konnektive.orders, connection: crm, order_type: new_sale }";
    let found =
        compiled(polled, &format!("filter: \"{{{{ event.headers is none }}}}\"\n{ACTION}")).unwrap_err();
    assert!(found[0].contains("headers"), "{found:?}");
}

#[test]
fn once_per_is_an_expression() {
    let zap = webhook("key: \"{{ record.id }}\", once_per: \"{{ record.email }}\"");
    let Trigger::Webhook(trigger) = &zap.trigger else { panic!("a webhook") };
    let once = |record: &str| trigger.once(record.as_bytes(), None).map_err(|error| error.to_string());
    assert_eq!(once(r#"{"email": "a@b.c"}"#), Ok(Some("a@b.c".to_owned())));
    // Who has no value is not kept back.
    assert_eq!(once("{}"), Ok(None));
    assert_eq!(once(r#"{"email": null}"#), Ok(None));
    assert!(once(r#"{"email": []}"#).unwrap_err().contains("once_per"));
}
