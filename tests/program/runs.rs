//! What happened to each event: `runs list` and `runs show`, for people and for machines.

use crate::harness::{DECLINES, Lab, SALES, shown};

/// A zap that needs a coupon, which not every order has.
const COUPONS: &str = r#"name: coupons
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, every: 1s, start: START }
actions:
  - id: post
    type: http
    connection: api
    path: coupons
    json: { order: $.orderId, coupon: $.couponCode }
"#;

#[test]
fn a_record_that_lacks_a_mapped_field_stops_nobody_else() {
    let lab = Lab::new(&[COUPONS]);
    for number in 0..5 {
        lab.crm()
            .insert_order(|order| {
                order.patch.set.insert("couponCode".to_owned(), "SPRING".into());
                if number == 2 {
                    order.patch.set.remove("couponCode");
                    order.patch.remove.push("couponCode".to_owned());
                }
            })
            .unwrap();
    }
    let ran = lab.once(1);
    assert_eq!(lab.counts(), [("dead".to_owned(), 1), ("delivered".to_owned(), 4)].into());
    let told: Vec<&str> =
        ran.err.lines().filter(|line| line.contains("ERROR") || line.contains("failed attempt")).collect();
    insta::assert_snapshot!(shown(&told.join("\n")), @r#"
    TIME ERROR actions[0].json.coupon: `$.couponCode` is missing; runs it fails for are dead zap="coupons" hint="write `{{ record.… | default(…) }}`"
    TIME  INFO 5 new, 4 delivered, 1 dead, 1 failed attempt
    "#);
    let dead = lab.zaprun(&["runs", "list", "--status", "dead"]).expect(0);
    insta::assert_snapshot!(shown(&dead.all()), @r"
    --- stdout
    run  state  zap      event                made                  why
      3  dead   coupons  new_sale:9A0508B2CD  TIME  mapping: actions[0].json.coupon: `$.couponCode` is missing

    --- stderr
    1 run
    ");
    let told = lab.zaprun(&["runs", "show", "3"]).expect(0);
    insta::assert_snapshot!(shown(told.out.split("\nrecord").next().unwrap()), @r"
    run 3 dead
      zap       coupons (HASH)
      event     new_sale:9A0508B2CD
      happened  TIME
      seen      TIME
      made      TIME
      changed   TIME
      trace     TRACE
      why       mapping: actions[0].json.coupon: `$.couponCode` is missing

    steps
      post  failed  0 attempts  TIME

    attempts that failed
      post  #1  TIME  actions[0].json.coupon: `$.couponCode` is missing

    requests, rendered again from record and zap
      post  actions[0].json.coupon: `$.couponCode` is missing
    ");
    // It is not tried again by itself.
    lab.once(0);
    assert_eq!(lab.received().len(), 4);
}

/// A delivered sale, a filtered and a delivered decline.
fn some_history() -> Lab {
    let lab = Lab::new(&[SALES, DECLINES]);
    lab.sales(1);
    let lead = lab.crm().lead("grace@example.test").unwrap();
    lab.crm().decline(&lead).unwrap();
    lab.crm()
        .insert_transaction(|txn| {
            txn.response_type = zaprun_sandbox::state::ResponseType::HardDecline;
            txn.amount = zaprun_sandbox::Money::from_cents(500);
        })
        .unwrap();
    lab.once(0);
    lab
}

#[test]
fn a_list_for_people() {
    let lab = some_history();
    let listed = lab.zaprun(&["runs", "list"]).expect(0);
    let mut lines: Vec<&str> = listed.out.lines().collect();
    // Numbers follow the order in which queries ended, which is nobody's promise.
    lines[1..].sort_by_key(|line| line.split_once(' ').map(|(_, rest)| rest.trim_start()));
    let text: Vec<String> = lines
        .iter()
        .map(|line| regex::Regex::new(r"^(\s*)\d+ ").unwrap().replace(line, "${1}N ").into_owned())
        .collect();
    insta::assert_snapshot!(shown(&text.join("\n")), @r"
    run  state      zap       event                made                  why
      N  delivered  declines  decline:900002       TIME
      N  filtered   declines  decline:900003       TIME  filter: {{ record.totalAmount >= 20 }}
      N  delivered  sales     new_sale:A833BDCDB6  TIME
    ");
    insta::assert_snapshot!(listed.err, @"3 runs");
}

#[test]
fn a_list_for_machines() {
    let lab = some_history();
    let runs = lab.runs();
    let filtered = runs.iter().find(|run| run["state"] == "filtered").unwrap().clone();
    let text = serde_json::to_string_pretty(&filtered).unwrap();
    let text = regex::Regex::new(r#""id": \d+"#).unwrap().replace(&text, r#""id": N"#);
    insta::assert_snapshot!(shown(&text), @r#"
    {
      "id": N,
      "zap": "declines",
      "event": "decline:900003",
      "state": "filtered",
      "reason": {
        "word": "filter",
        "detail": "{{ record.totalAmount >= 20 }}"
      },
      "made_at": "TIME",
      "changed_at": "TIME",
      "due_at": null,
      "attempts": 0
    }
    "#);
    assert_eq!(runs.len(), 3);
    let delivered = runs.iter().filter(|run| run["state"] == "delivered");
    assert!(delivered.map(|run| &run["attempts"]).eq([1, 1].iter()), "those of all steps");
}

#[test]
fn lists_narrow() {
    let lab = some_history();
    let listed = |args: &[&str]| {
        let args = [&["runs", "list", "--format", "json"], args].concat();
        lab.zaprun(&args).expect(0).json()["runs"].as_array().unwrap().len()
    };
    assert_eq!(listed(&["--zap", "declines"]), 2);
    assert_eq!(listed(&["--status", "delivered"]), 2);
    assert_eq!(listed(&["--status", "delivered,filtered"]), 3);
    assert_eq!(listed(&["--zap", "declines", "--status", "filtered"]), 1);
    assert_eq!(listed(&["--limit", "1"]), 1);
    assert_eq!(listed(&["--since", "24h"]), 3);
    assert_eq!(listed(&["--since", "2100-01-01"]), 0);
    lab.zaprun(&["runs", "list", "--status", "done"]).expect(2).says("delivered");
}

#[test]
fn one_run_for_machines() {
    let lab = some_history();
    let sale = lab.runs().iter().find(|run| run["zap"] == "sales").unwrap()["id"].to_string();
    let run = lab.zaprun(&["runs", "show", &sale, "--format", "json"]).expect(0).json();
    assert_eq!(run["run"]["state"], "delivered");
    assert_eq!(run["run"]["attempts"], 1, "those of all its steps");
    assert_eq!(run["steps"][0]["outcome"], "done");
    assert_eq!(run["steps"][0]["status"], 200);
    assert_eq!(run["requests"][0]["step"], "post");
    let sent = &lab.received().iter().find(|one| one.path == "/sink/sales").unwrap().clone();
    let request = &run["requests"][0]["requests"][0]["request"];
    assert_eq!(request["body"].as_str().unwrap().as_bytes(), &*sent.body, "rendered again as it was sent");
    assert_eq!(request["idempotency_key"].as_str(), sent.key());
    assert_eq!(request["to"], "{api}/sales?campaign=12");
    assert_eq!(run["record"]["orderId"], sent.json().unwrap()["order"]);
}

#[test]
fn a_filtered_run_says_why() {
    let lab = some_history();
    let filtered = lab.runs().iter().find(|run| run["state"] == "filtered").unwrap()["id"].to_string();
    let told = lab.zaprun(&["runs", "show", &filtered]).expect(0);
    let head = told.out.split("\n\n").next().unwrap().lines().skip(1).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(shown(&head), @r"
    zap       declines (HASH)
    event     decline:900003
    happened  TIME
    seen      TIME
    made      TIME
    changed   TIME
    trace     TRACE
    why       filter: {{ record.totalAmount >= 20 }}
    ");
}

#[test]
fn what_is_not_there_is_told() {
    let lab = Lab::new(&[SALES]);
    let none = lab.zaprun(&["runs", "list"]).expect(1);
    insta::assert_snapshot!(shown(&none.err), @r"
    error: no state at PROJECT/state/zaprun.db
    hint: nothing has run here yet: `zaprun run` makes the state
    ");
    lab.once(0);
    let empty = lab.zaprun(&["runs", "list"]).expect(0);
    assert_eq!((empty.out.as_str(), empty.err.as_str()), ("", "no runs\n"));
    lab.zaprun(&["runs", "show", "abc"]).expect(2).says("a run has a number; `zaprun runs list` shows it");
    lab.zaprun(&["runs", "list", "--zap", "sales"]).expect(0).says("no runs");
    let strange = lab.zaprun(&["runs", "list", "--zap", "salse"]).expect(1);
    insta::assert_snapshot!(shown(&strange.err), @r"
    error: there is no zap `salse` in the state
    hint: did you mean `sales`?
    ");
    let unknown = lab.zaprun(&["runs", "show", "77"]).expect(1);
    insta::assert_snapshot!(shown(&unknown.err), @r"
    error: there is no run 77
    hint: `zaprun runs list` shows the newest
    ");
}
