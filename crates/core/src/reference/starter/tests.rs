#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::load::{File, Input, Loaded, load};
use crate::reference::examples::{PROJECT, RECORDS};
use crate::rehearsal::read_tests;
use crate::zap::{self, ProjectFacts};

fn starter(trigger: &'static str, event: Option<&'static str>, action: &'static str) -> Starter {
    let connection = |kind: &str| match kind {
        "webhook" => "shop",
        "http" => "books",
        _ => "crm",
    };
    Starter {
        name: "a-new-zap".to_owned(),
        trigger,
        event,
        connection: connection_of_trigger(trigger).map(|kind| connection(kind).to_owned()),
        action,
        to: connection(connection_of_action(action)).to_owned(),
        schema: "../schemas/zap.schema.json".to_owned(),
    }
}

fn all() -> Vec<Starter> {
    let mut all = Vec::new();
    for trigger in trigger_types() {
        let events = events_of(trigger)
            .map_or_else(|| vec![None], |(_, events)| events.into_iter().map(Some).collect::<Vec<_>>());
        for event in events {
            all.extend(action_types().into_iter().map(|action| starter(trigger, event, action)));
        }
    }
    all
}

/// A project of the examples with a zap.
fn loaded(text: &str) -> Loaded {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file("zaps/a-new-zap.yaml", text)],
        tables: Vec::new(),
        env: None,
    };
    load(&input, None)
}

/// What is wrong with a zap and its test, beside the project of the examples.
fn wrong(text: &str) -> Vec<String> {
    let mut loaded = loaded(text);
    let cases = read_tests(&mut loaded, &[], &RECORDS);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let file = &loaded.zaps[0];
    let (Some(definition), Some(tree)) = (&file.definition, &file.tree) else {
        return loaded.conclude(Vec::new()).into_iter().map(|finding| finding.message).collect();
    };
    let compiled = zap::compile(definition, tree, &facts);
    let mut wrong: Vec<String> =
        loaded.conclude(compiled.diagnostics).into_iter().map(|finding| finding.message).collect();
    assert_eq!(cases.len(), 1, "{text}\n{wrong:?}");
    if let Some(zap) = compiled.zap {
        let told = cases[0].check(&zap);
        wrong.extend(told.into_iter().map(|difference| {
            format!("{}: expected {}, got {}", difference.place, difference.expected, difference.got)
        }));
    }
    wrong
}

#[test]
fn every_trigger_starts_with_every_action() {
    let all = all();
    let kinds = KINDS.len() + 3;
    assert_eq!(all.len(), kinds * action_types().len());
    let mut bad = Vec::new();
    for starter in all {
        let Started { text, .. } = start(&starter);
        let wrong = wrong(&text);
        if !wrong.is_empty() {
            bad.push(format!(
                "{} {:?} {}: {wrong:?}\n{text}",
                starter.trigger, starter.event, starter.action
            ));
        }
    }
    assert!(bad.is_empty(), "{} are bad, the first:\n{}", bad.len(), bad[0]);
}

/// What is usual does not break a new zap that looks something up.
#[test]
fn a_new_look_up_stands_made_up_records() {
    let Started { text, .. } = start(&starter("konnektive.customers", None, "konnektive.query"));
    let loaded = loaded(&text);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let one = &loaded.zaps[0];
    let zap = zap::compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts).zap.unwrap();
    let found = crate::property::search(&zap, &[], 64, 1).failures;
    let told: Vec<&str> = found.iter().map(|failure| failure.message.as_str()).collect();
    assert_eq!(told, [""; 0], "{text}");
}

#[test]
fn what_writes_to_the_crm_is_switched_off() {
    for starter in all() {
        let Started { text, placeholders } = start(&starter);
        let writes = crm::endpoint(starter.action).is_some();
        assert_eq!(text.contains("\nenabled: false"), writes, "{text}");
        assert_eq!(text.matches("# put yours here").count(), placeholders.len(), "{text}");
    }
}

#[test]
fn a_new_zap_reads_like_one() {
    let texts = [
        starter("konnektive.orders", Some("new_sale"), "http"),
        starter("webhook", None, "konnektive.create_sale"),
        starter("konnektive.transactions", Some("chargeback"), "konnektive.cancel_order"),
        starter("schedule", None, "konnektive.query"),
    ]
    .map(|starter| start(&starter).text);
    insta::assert_snapshot!(texts.join("--------\n"), @r##"
    # yaml-language-server: $schema=../schemas/zap.schema.json
    name: a-new-zap
    description: Calls books when an order was sold

    trigger:
      type: konnektive.orders
      connection: crm
      order_type: new_sale

    actions:
      - id: send
        type: http
        connection: books
        json:
          event: "{{ event.id }}"
          at: "{{ event.at }}"
          orderId: $.orderId

    tests:
      - name: an example
        record:
          orderId: D6C8C390A7
          orderStatus: COMPLETE
          orderType: NEW_SALE
          campaignId: 12
          dateCreated: "2026-09-16 14:25:31"
          dateUpdated: "2026-09-16 14:25:40"
        expect: { send: { json: { orderId: "D6C8C390A7" } } }
    --------
    # yaml-language-server: $schema=../schemas/zap.schema.json
    name: a-new-zap
    description: Creates a new sale when a request arrives
    enabled: false # it writes to the CRM: switch it on once all values are yours

    trigger:
      type: webhook
      connection: shop
      path: /hooks/a-new-zap
      key: "{{ record.submission_id }}"

    actions:
      - id: create_sale
        type: konnektive.create_sale
        connection: crm
        map:
          campaignId: "{{ record.campaignId }}"
          paySource: PREPAID
          firstName: "{{ record.firstName }}"
          lastName: "{{ record.lastName }}"
          emailAddress: "{{ record.emailAddress }}"
          phoneNumber: "{{ record.phoneNumber }}"
          address1: "{{ record.address1 }}"
          city: "{{ record.city }}"
          state: "{{ record.state }}"
          postalCode: "{{ record.postalCode }}"
          country: US
          billShipSame: true
          product1_id: "{{ record.product1_id }}"
          product1_qty: "{{ record.product1_qty }}"

    tests:
      - name: an example
        record:
          submission_id: 1
          campaignId: 1
          firstName: Ada
          lastName: Lovelace
          emailAddress: "ada@example.com"
          phoneNumber: "2125550100"
          address1: "1 Main St"
          city: New York
          state: NY
          postalCode: "10001"
          product1_id: "1001"
          product1_qty: 1
        expect: { create_sale: done }
    --------
    # yaml-language-server: $schema=../schemas/zap.schema.json
    name: a-new-zap
    description: "Cancels an order when the buyer's bank took a charge back"
    enabled: false # it writes to the CRM: switch it on once all values are yours

    trigger:
      type: konnektive.transactions
      connection: crm
      transaction_type: chargeback

    actions:
      - id: cancel_order
        type: konnektive.cancel_order
        connection: crm
        map:
          orderId: "{{ record.orderId }}"
          cancelReason: text # put yours here
          afterNextBill: false

    tests:
      - name: an example
        record:
          transactionId: 900033
          orderId: D6C8C390A7
          dateCreated: "2026-09-16 14:25:31"
          dateUpdated: "2026-09-16 14:25:31"
          isChargedback: 1
        expect: { cancel_order: done }
    --------
    # yaml-language-server: $schema=../schemas/zap.schema.json
    name: a-new-zap
    description: Looks up what crm has when it is time

    trigger:
      type: schedule
      cron: "0 8 * * 1-5"
      timezone: America/New_York

    actions:
      - id: look_up
        type: konnektive.query
        connection: crm
        find: transactions
        by: { txnType: SALE, responseType: SUCCESS }
        from: "{{ event.at | date_add('-1d') }}"

    tests:
      - name: an example
        at: "2026-09-16T12:00:00Z"
        expect: { look_up: done }
    "##);
}

#[test]
fn texts_are_read_back_as_texts() {
    for (text, yaml) in [("US", "US"), ("no", "\"no\""), ("12", "\"12\""), ("a: b", "\"a: b\""), ("", "\"\"")]
    {
        assert_eq!(scalar(text), yaml);
    }
}
