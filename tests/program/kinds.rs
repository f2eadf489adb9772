//! Each kind of row from the CRM to its run, and items of a polled API, through the whole program.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::harness::{Lab, SALES};

/// A zap that tells the key of each event under the kind's name.
fn zap(kind: &str, trigger: &str) -> String {
    format!(
        "name: {}\ntrigger: {{ {trigger}, connection: crm, every: 1s, start: START }}\nactions:\n  - {{ id: post, type: http, connection: api, path: kinds, json: {{ kind: \"{{{{ event.kind }}}}\", key: \"{{{{ event.key }}}}\" }} }}\n",
        kind.replace('_', "-")
    )
}

/// How often each key of a kind arrived.
fn arrived(lab: &Lab) -> BTreeMap<(String, String), usize> {
    let mut times = BTreeMap::new();
    for body in lab.bodies() {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        *times.entry((text("kind"), text("key"))).or_default() += 1;
    }
    times
}

/// An order of a year ago that was sold then.
fn last_years_order(lab: &Lab) -> String {
    let now = lab.crm().with(|state| state.now());
    let then = now.saturating_sub(SignedDuration::from_hours(24 * 365));
    lab.crm().with(|state| state.pin(Some(then)));
    let order = lab.crm().sale("old@example.test").unwrap();
    lab.crm().with(|state| state.pin(None));
    order
}

#[test]
fn what_happens_to_last_years_orders_today_fires_once_and_what_happened_then_does_not() {
    let orders = |kind: &str| zap(kind, &format!("type: konnektive.orders, order_type: {kind}"));
    let zaps = [
        orders("rebill"),
        orders("declined"),
        orders("refunded"),
        orders("shipped"),
        zap("chargeback", "type: konnektive.transactions, transaction_type: chargeback"),
        zap("new_customer", "type: konnektive.customers"),
    ];
    let zaps: Vec<&str> = zaps.iter().map(String::as_str).collect();
    let lab = Lab::new(&zaps);
    let crm = lab.crm();
    let touched = last_years_order(&lab);
    lab.once(0);
    assert_eq!(arrived(&lab), BTreeMap::new(), "all of it is from before");

    assert!(crm.touch(&touched));
    let refunded = last_years_order(&lab);
    crm.refund(&refunded).unwrap();
    let shipped = last_years_order(&lab);
    crm.ship(&shipped, "1Z999").unwrap();
    let disputed = crm.charge_back(&last_years_order(&lab)).unwrap();
    let subscribed = last_years_order(&lab);
    let rebilled = crm.rebill(&subscribed).unwrap().order_id;
    assert_ne!(rebilled, subscribed, "the cycle ships, so it is an order of its own");
    let declined = crm.hold("new@example.test").unwrap();
    crm.reject(&declined).unwrap();
    for _ in 0..3 {
        lab.once(0);
    }
    crm.deliver(&shipped).unwrap();
    lab.once(0);

    let customer = crm.customer_of(&declined).unwrap().to_string();
    let wanted = [
        ("rebill", rebilled),
        ("refunded", refunded),
        ("shipped", shipped),
        ("chargeback", disputed.to_string()),
        ("declined", declined),
        ("new_customer", customer),
    ];
    let wanted: BTreeMap<_, _> = wanted.into_iter().map(|(kind, key)| ((kind.to_owned(), key), 1)).collect();
    assert_eq!(arrived(&lab), wanted);
}

/// What the sink received, read as an API that lists it.
const FEED: &str = r#"name: feed
trigger:
  type: http
  connection: api
  query: { format: json }
  items: "$.records[?@.path == '/sink/sales']"
  key: "{{ record.number }}"
  start: beginning
  every: 1s
actions:
  - { id: post, type: http, connection: api, path: fed, json: { order: "{{ record.json.order }}", at: "{{ record.at }}" } }
"#;

#[test]
fn items_of_an_api_fire_once_each() {
    let lab = Lab::new(&[SALES, FEED]);
    let mut orders = lab.sales(3);
    for _ in 0..3 {
        lab.once(0);
    }
    orders.sort();
    let received = lab.received();
    let fed = received.iter().filter(|one| one.path == "/sink/fed");
    let mut fed: Vec<String> =
        fed.map(|one| one.json().unwrap()["order"].as_str().unwrap().to_owned()).collect();
    fed.sort();
    assert_eq!(fed, orders);
}

#[test]
fn an_api_that_is_another_one_than_the_zap_says_is_told_of() {
    let lab = Lab::new(&[&FEED.replace("$.records[?@.path == '/sink/sales']", "$.items[*]")]);
    lab.once(1).says("feed").says("the answer has nothing at `$.items[*]`");
}
