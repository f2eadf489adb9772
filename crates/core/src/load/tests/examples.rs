//! The examples of the guide load without a finding.

use super::*;

const PROJECT: &str = r##"# zaprun.yaml
# yaml-language-server: $schema=./schemas/project.schema.json
version: 1
connections:
  crm:
    type: konnektive
    base_url: https://api.checkoutchamp.com     # default
    login_id: ${KONNEKTIVE_LOGIN_ID}
    password: ${KONNEKTIVE_PASSWORD}            # also ${file:/run/secrets/konnektive}
    timezone: America/New_York                  # the account's zone; required
    currency: USD
    rate: 2/s                                   # and concurrency: 3
  slack:
    type: http
    base_url: ${SLACK_WEBHOOK_URL}              # the secret path is part of it; an action then needs no `path`
    rate: 1/s
  books:
    type: http
    base_url: https://books.example.com
    auth: { bearer: "${BOOKS_TOKEN}" }          # bearer | basic | header | query
  leadform:
    type: webhook
    verify: { hmac: { secret: "${FORM_SECRET}", header: X-Signature, format: standard } }   # hmac | token | basic | none
vars: { channel: "#orders" }                    # plain values that differ by environment
state: sqlite:state/zaprun.db
listen: { webhooks: 127.0.0.1:8080, admin: 127.0.0.1:9464 }   # trusted_proxies: [...]
"##;

const ZAP: &str = r#"# zaps/declined-card-to-slack.yaml
# yaml-language-server: $schema=../schemas/zap.schema.json
name: declined-card-to-slack        # [a-z0-9-], unique; state hangs on it, so a rename says `formerly: old-name`
description: Tell the desk about declined cards over $20.
enabled: true

trigger:
  type: konnektive.transactions
  connection: crm
  transaction_type: decline         # decline | refund
  every: 1m
  start: now                        # now | beginning | a date or datetime: what counts as new when the zap first runs

filter: "{{ record.totalAmount >= 20 and record.billingCycleNumber == 1 }}"

let:                                # values computed once, in order, for use below
  buyer: "{{ record.firstName }} {{ record.lastName }}"

actions:
  - id: notify
    type: http
    connection: slack
    method: POST
    json:
      channel: "{{ vars.channel }}"
      text: "{{ let.buyer }}: {{ record.totalAmount | money('USD') }} declined ({{ record.responseText }})"
      order: $.orderId

tests:
  - name: a big first-cycle decline is announced
    record: fixtures/decline.json
    expect:
      notify: { json: { order: "D6C8C390A7" } }       # partial match unless `exact: true`
  - name: small ones are not
    record: { $from: fixtures/decline.json, totalAmount: "5.00" }   # $from is overlaid deeply
    expect: filtered
"#;

#[test]
fn the_guides_examples_have_no_findings() {
    let mut input = project(PROJECT, &[("test", "zaps: { declined-card-to-slack: { enabled: false } }\n")]);
    input.zaps = vec![file("zaps/declined-card-to-slack.yaml", ZAP)];
    let loaded = load(&input, None);
    assert_eq!(shown(&loaded), "");
    let needed: Vec<String> = loaded.needed.iter().map(|needed| needed.reference.to_string()).collect();
    assert_eq!(
        needed,
        ["KONNEKTIVE_LOGIN_ID", "KONNEKTIVE_PASSWORD", "SLACK_WEBHOOK_URL", "BOOKS_TOKEN", "FORM_SECRET"]
    );
    let zap = loaded.zap("declined-card-to-slack").unwrap();
    assert!(zap.enabled);
    let definition = zap.definition.as_ref().unwrap();
    assert_eq!(definition.actions.len(), 1);
    input.env = Some("test".to_owned());
    assert!(!load(&input, None).zaps[0].enabled);
}

#[test]
fn places_inside_scalars_are_exact() {
    let loaded = with_zaps(&[ZAP]);
    let zap = &loaded.zaps[0];
    let tree = zap.tree.as_ref().unwrap();
    let filter = zap.definition.as_ref().unwrap().filter.as_ref().unwrap();
    let at = filter.find("record.billing").unwrap();
    let span = tree.place(filter.node, at..at + "record.billingCycleNumber".len());
    assert_eq!(loaded.sources.slice(span), "record.billingCycleNumber");
}
