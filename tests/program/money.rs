//! Sales that the whole program makes in the stand-in of the CRM: each buyer is charged once, whatever becomes of the
//! answers and of the program.

use serde_json::json;
use zaprun_sandbox::{CrmFault, Fault};

use crate::harness::{CANARIES, Going, Lab};
use crate::webhooks::{address, post_to, when_open};

/// A sale on the telephone, and one that charges what the customer has on file.
pub(crate) const ORDERS: &str = "\
name: orders
trigger: { type: webhook, connection: desk, path: /hooks/order, key: \"{{ record.id }}\" }
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    settle_after: 10s
    map:
      campaignId: 12
      paySource: PREPAID
      product1_id: \"15271\"
      firstName: Ada
      lastName: Example
      emailAddress: $.email
      phoneNumber: \"5555550100\"
      address1: 1 Sample Street
      city: Springfield
      state: NY
      country: US
      postalCode: \"10001\"
      billShipSame: true
      skipQA: true
  - { id: then, type: http, connection: api, path: sold, json: { order: \"{{ steps.sell.response.orderId }}\" } }
";

const ON_FILE: &str = "\
name: on-file
trigger: { type: webhook, connection: desk, path: /hooks/on-file, key: \"{{ record.id }}\" }
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    settle_after: 10s
    map: { campaignId: 12, paySource: ACCTONFILE, customerId: $.customer, orderId: $.order, product1_id: \"15271\" }
  - { id: then, type: http, connection: api, path: sold, json: {} }
on_failure:
  - { id: tell, type: http, connection: api, path: not-sold, json: { why: \"{{ failure.reason }}\" } }
";

const EMAIL: &str = "ada@example.test";

pub(crate) fn lab() -> Lab {
    let lab = Lab::new(&[ORDERS, ON_FILE]);
    lab.change(
        "vars: {",
        "  desk:\n    type: webhook\n    verify: { token: { header: X-Token, value: \"${API_TOKEN}\" } }\n\
         listen: { webhooks: 127.0.0.1:0 }\nvars: {",
    );
    lab
}

pub(crate) fn start(lab: &Lab) -> (Going, String) {
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    (engine, address)
}

fn order(address: &str, id: &str) {
    let body = json!({ "id": id, "email": EMAIL }).to_string();
    assert_eq!(when_open(|| post_to(address, "/hooks/order", CANARIES[2], &body)), Some(202));
}

#[test]
fn a_lost_answer_charges_once_and_the_order_is_known() {
    let lab = lab();
    lab.crm().fault_next(Some("order/import"), Fault::Crm(CrmFault::LostAnswer));
    let (engine, address) = start(&lab);
    order(&address, "1");
    lab.wait_for_sink(1);
    let ran = lab.stop(engine);
    assert!(ran.err.contains("whether step sell happened is not known"), "{}", ran.err);
    assert_eq!(lab.crm().writes_to("order/import").len(), 1);
    let sold = lab.crm().sales_of(EMAIL);
    assert_eq!(sold.len(), 1);
    assert_eq!(lab.bodies(), [json!({ "order": sold[0] })]);
    // Once the run has ended, what its steps sent is still shown: the sale with the order of its lead, and the step
    // that read the sale's answer.
    let told = lab.zaprun(&["runs", "show", "1"]).expect(0);
    assert!(told.out.contains(&format!("orderId: {}", sold[0])), "{}", told.out);
    assert!(told.out.contains(&format!("\"order\": \"{}\"", sold[0])), "{}", told.out);
    assert!(!told.out.contains("no longer kept"), "{}", told.out);
}

#[test]
fn killed_while_it_sells_it_charges_once() {
    let lab = lab();
    lab.fault("slow:1h,on=order/import");
    let (engine, address) = start(&lab);
    order(&address, "1");
    // It writes the lead and looks at it, and the sale after that.
    while lab.crm().writes_to("order/import").is_empty() {
        lab.wait_for_crm(lab.crm().crm_count() + 1);
    }
    lab.ended(engine.kill());
    lab.crm().clear_faults();
    let (engine, _) = start(&lab);
    lab.wait_for_sink(1);
    lab.stop(engine);
    assert_eq!(lab.crm().sales_of(EMAIL).len(), 1);
    assert_eq!(lab.crm().writes_to("order/import").len(), 1);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1)].into());
}

/// Two requests at once; the slow connection lets the second wait for its turn until the first is through.
#[test]
fn two_requests_for_one_lead_sell_it_once() {
    let lab = lab();
    lab.change("rate: 1000/s", "rate: 4/s");
    lab.crm().sale(EMAIL).unwrap();
    let customer = lab.crm().customer_of(&lab.crm().sales_of(EMAIL)[0]).unwrap();
    let lead = lab.crm().lead(EMAIL).unwrap();
    let before = lab.crm().charges_of(EMAIL).len();
    let (engine, address) = start(&lab);
    for id in ["1", "2"] {
        let body = json!({ "id": id, "customer": customer, "order": lead }).to_string();
        assert_eq!(when_open(|| post_to(&address, "/hooks/on-file", CANARIES[2], &body)), Some(202));
    }
    lab.wait_for_sink(2);
    lab.stop(engine);
    assert_eq!(lab.counts(), [("dead".to_owned(), 1), ("delivered".to_owned(), 1)].into());
    assert_eq!(lab.crm().charges(&lead).len(), 1);
    assert_eq!(lab.crm().charges_of(EMAIL).len(), before + 1);
}

/// A look-up that finds nothing stops the run; what was asked is shown, and what was not reached says so.
#[test]
fn a_look_up_that_failed_is_shown_as_it_was_asked() {
    const QUERY: &str = "\
name: query
trigger: { type: webhook, connection: desk, path: /hooks/query, key: \"{{ record.id }}\" }
actions:
  - id: find
    type: konnektive.query
    connection: crm
    find: transactions
    by: { cardBin: \"999999\", cardLast4: \"9999\" }
    from: 2026-09-14
    to: 2026-09-18
    expect: one
  - id: refund
    type: konnektive.refund_transaction
    connection: crm
    map: { transactionId: \"{{ steps.find.response.row.transactionId }}\", fullRefund: true }
on_failure:
  - { id: tell, type: http, connection: api, path: told, json: { why: \"{{ failure.reason }}\" } }
";
    let lab = lab();
    lab.zap(QUERY);
    let (engine, address) = start(&lab);
    let sent = || post_to(&address, "/hooks/query", CANARIES[2], r#"{"id":"1"}"#);
    assert_eq!(when_open(sent), Some(202));
    lab.wait_for_sink(1);
    lab.stop(engine);
    let told = lab.zaprun(&["runs", "show", "1"]).expect(0);
    for text in ["startDate: 09/14/2026", "endDate: 09/18/2026", "not reached: step `find` failed"] {
        assert!(told.out.contains(text), "{text}\n{}", told.out);
    }
}
