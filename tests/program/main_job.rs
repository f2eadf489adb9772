//! The main job: rows of the CRM become requests at the sink, once.

use serde_json::json;
use zaprun_sandbox::{Fault, Received, SinkFault};

use crate::harness::{BUYERS, DECLINES, Lab, REFUNDS, SALES, checkout, shown};

/// A sale of one product at $19.90.
fn sale_of_19_90(lab: &Lab) -> String {
    let control = lab.crm();
    let order_id = control.lead("Ada@Example.test").unwrap();
    control.with(|state| state.sell(&order_id, checkout(&[15272], "VISA", false))).unwrap();
    order_id
}

/// A request as a person would write it down.
fn written(request: &Received) -> String {
    let mut lines = vec![format!("{} {}?{}", request.method, request.path, request.query)];
    let known = ["host", "accept", "user-agent", "content-length", "accept-encoding"];
    let headers = request.shown_headers().filter(|(name, _)| !known.contains(name));
    lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
    lines.push(String::from_utf8_lossy(&request.body).into_owned());
    shown(&lines.join("\n"))
}

#[test]
fn a_sale_a_decline_and_a_refund_arrive_once() {
    let lab = Lab::new(&[SALES, BUYERS, DECLINES, REFUNDS]);
    let sold = sale_of_19_90(&lab);
    let lead = lab.crm().lead("grace@example.test").unwrap();
    let declined = lab.crm().decline(&lead).unwrap();
    let refund = lab.crm().refund(&sold).unwrap();

    let ran = lab.once(0);
    insta::assert_snapshot!(shown(ran.err.lines().last().unwrap()), @"TIME  INFO 4 new, 4 delivered");
    assert_eq!(ran.out, "");

    let mut received = lab.received();
    received.sort_by(|one, other| one.path.cmp(&other.path));
    let requests: Vec<String> = received.iter().map(written).collect();
    insta::assert_snapshot!(requests.join("\n\n").replace(crate::harness::CANARIES[3], "SECRET"), @r##"
    POST /sink/SECRET?
    idempotency-key: KEY
    zaprun-chain: 1
    traceparent: SPAN
    content-type: application/json
    {"channel":"#orders","text":"Ada: $49.99 declined (Card Declined)"}

    POST /sink/buyers?
    idempotency-key: KEY
    zaprun-chain: 1
    traceparent: SPAN
    content-type: application/x-www-form-urlencoded
    authorization: ***
    email=Ada%40Example.test&name=Ada+%26+Example

    PUT /sink/refunds?
    idempotency-key: KEY
    zaprun-chain: 1
    traceparent: SPAN
    content-type: application/json
    authorization: ***
    {"transaction":"900003","order":"A833BDCDB6","amount":19.90}

    POST /sink/sales?campaign=12
    idempotency-key: KEY
    zaprun-chain: 1
    traceparent: SPAN
    content-type: application/json
    x-order: order A833BDCDB6
    authorization: ***
    {"order":"A833BDCDB6","total":19.90,"email":"Ada@Example.test","fixed":19.90,"items":[{"product":"15272","name":"Vitality Booster","qty":1,"price":19.9}]}
    "##);
    assert!(received.iter().any(|one| one.header("authorization") == Some("Bearer canary-token-c0ffee41")));

    let mut runs: Vec<String> =
        lab.runs().iter().map(|run| format!("{} {} {}", run["zap"], run["event"], run["state"])).collect();
    runs.sort();
    assert_eq!(
        runs,
        [
            format!(r#""buyers" "new_sale:{sold}" "delivered""#),
            format!(r#""declines" "decline:{declined}" "delivered""#),
            format!(r#""refunds" "refund:{}" "delivered""#, refund[0]),
            format!(r#""sales" "new_sale:{sold}" "delivered""#),
        ]
    );

    let again = lab.once(0);
    insta::assert_snapshot!(shown(again.err.lines().last().unwrap()), @"TIME  INFO 0 new, 0 delivered");
    assert_eq!(lab.received().len(), 4);
}

#[test]
fn what_comes_later_is_sent_and_what_was_sent_is_not() {
    let lab = Lab::new(&[SALES]);
    let mut all = lab.sales(2);
    lab.once(0);
    all.push(lab.crm().sale("later@example.test").unwrap());
    lab.once(0);
    all.iter().for_each(|order_id| assert!(lab.crm().touch(order_id)));
    lab.once(0);
    all.sort();
    let mut sent: Vec<String> =
        lab.bodies().iter().map(|body| body["order"].as_str().unwrap().to_owned()).collect();
    sent.sort();
    assert_eq!(sent, all);
}

#[test]
fn a_key_hangs_on_zap_event_and_step_alone() {
    let keys = |state: &str| {
        let lab = Lab::new(&[SALES, BUYERS]);
        lab.change("sqlite:state/zaprun.db", state);
        lab.sales(1);
        lab.once(0);
        let mut keys: Vec<String> = lab.received().iter().map(|one| one.key().unwrap().to_owned()).collect();
        keys.sort();
        keys
    };
    // The sandbox numbers its orders by its seed: the same sale in two labs.
    let first = keys("sqlite:state/zaprun.db");
    assert_eq!(first, keys("sqlite:state/other/elsewhere.db"));
    assert_ne!(first[0], first[1]);
}

#[test]
fn start_now_sends_nothing_of_before_and_everything_of_after() {
    let lab = Lab::new(&[&SALES.replace("start: START", "start: now")]);
    let hour_ago =
        |lab: &Lab| lab.crm().with(|state| state.now().saturating_sub(jiff::SignedDuration::from_hours(1)));
    let before = hour_ago(&lab);
    lab.crm().with(|state| state.pin(Some(before)));
    lab.sales(3);
    lab.crm().with(|state| state.pin(None));
    // A first look that fails starts the clock nevertheless: what happens meanwhile is news.
    lab.fault("whitelist:first=1");
    lab.once(1);
    // Instants of the CRM are whole seconds, so a sale is placed clear of the start by the calendar, not by waiting.
    let minute_later = lab.crm().with(|state| state.now().saturating_add(jiff::SignedDuration::from_mins(1)));
    lab.crm().with(|state| state.pin(Some(minute_later)));
    let news = lab.crm().sale("news@example.test").unwrap();
    lab.crm().with(|state| state.pin(None));
    lab.once(0).says("3 from before");
    assert_eq!(lab.bodies().iter().map(|body| &body["order"]).collect::<Vec<_>>(), [&json!(news)]);
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
}

#[test]
fn only_the_named_zap_runs() {
    let lab = Lab::new(&[SALES, BUYERS]);
    lab.sales(1);
    lab.zaprun(&["run", "--once", "--only", "buyers"]).expect(0);
    assert_eq!(lab.received().iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["/sink/buyers"]);
    lab.zaprun(&["run", "--once", "--only", "sale"])
        .expect(2)
        .says("there is no zap `sale`")
        .says("did you mean `sales`?");
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn zaps_of_one_query_share_what_is_read() {
    let requests = |zaps: &[&str]| {
        let lab = Lab::new(zaps);
        lab.sales(201);
        lab.once(0);
        assert_eq!(lab.received().len(), 201 * zaps.len());
        lab.crm().crm_count()
    };
    assert_eq!(requests(&[SALES]), requests(&[SALES, BUYERS]));
}

#[test]
fn credentials_never_stand_in_an_address() {
    let lab = Lab::new(&[SALES, REFUNDS]);
    lab.sales(1);
    lab.once(0);
    lab.zaprun(&["check"]).expect(0);
    lab.zaprun(&["sample", "sales"]).expect(0);
    let requests = lab.crm().crm_requests();
    assert!(requests.len() > 3);
    for request in requests {
        assert!(request.method == "POST" && !request.credentials_in_url, "{request:?}");
    }
}

/// Two steps, of which the second reads the answer of the first, one of them for each product, to an address of its own.
const STEPS: &str = r#"name: steps
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, every: 1s, start: START }
let:
  buyer: "{{ record.firstName }} {{ record.lastName }}"
actions:
  - id: product
    type: http
    url: BASE/sink/products
    each: $.items
    as: product
    json: { order: $.orderId, product: "{{ product.productId }}" }
  - id: summary
    type: http
    url: BASE/sink/summary
    when: "{{ steps.product.outcome == 'done' }}"
    json: { buyer: "{{ let.buyer }}", accepted: "{{ steps.product.items[0].response.body.ok }}" }
  - id: never
    type: http
    url: BASE/sink/never
    when: "{{ record.totalAmount > 1000 }}"
    text: "{{ let.buyer }}"
"#;

#[test]
fn steps_follow_each_other_and_each_has_its_key() {
    let lab = Lab::new(&[]);
    lab.zap(&STEPS.replace("BASE", &lab.crm_url()));
    let order = lab.crm().lead("ada@example.test").unwrap();
    lab.crm().with(|state| state.sell(&order, checkout(&[15271, 15272], "VISA", false))).unwrap();
    // The last request fails at first: it alone is sent again.
    lab.crm().fault_next(Some("/sink/summary"), Fault::Sink(SinkFault::Status(500)));
    let engine = lab.start(&["run"]);
    lab.wait_until(|lab| lab.received().iter().filter(|one| one.path == "/sink/summary").count() == 2);
    lab.stop(engine).expect(0);
    let received = lab.received();
    let paths: Vec<&str> = received.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["/sink/products", "/sink/products", "/sink/summary", "/sink/summary"]);
    assert_eq!(received[3].json(), Some(json!({ "buyer": "Ada Example", "accepted": true })));
    assert_eq!(received[2].key(), received[3].key());
    assert_eq!(lab.crm().sink_summary().distinct_keys, 3);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1)].into());
}
