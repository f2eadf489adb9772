//! What tests say, and what is told of those that fail.

use super::*;

/// One request whose every part is looked at.
const NOTIFY: &str = r#"
filter: "{{ record.totalAmount >= 20 }}"
let: { buyer: "{{ record.firstName }} {{ record.lastName }}" }
actions:
  - id: notify
    type: http
    connection: sink
    path: orders/{{ record.orderId }}
    method: PUT
    query: { source: zaprun, tag: [a, b], coupon: $.couponCode }
    headers: { X-Campaign: $.campaignId }
    json:
      channel: "{{ vars.channel }}"
      text: "{{ let.buyer }}: {{ record.totalAmount | money('USD') }}"
      order: $.orderId
      total: "{{ record.totalAmount }}"
      low: "{{ vars.limits.low }}"
      high: "{{ vars.limits.high }}"
      at: "{{ event.at }}"
      lines: { $each: $.items, $map: { sku: "{{ item.productId }}", price: "{{ item.price }}" } }
"#;

fn notify(tests: &str) -> String {
    results(&format!("{NOTIFY}tests:\n{tests}"))
}

#[test]
fn what_is_as_expected_passes() {
    let told = notify(
        r##"
  - name: in part
    record: fixtures/sale.json
    expect: { notify: { json: { order: D6C8C390A7, lines: [{ sku: "7" }, { price: 10 }] } } }
  - name: numbers by value, whatever their scale
    record: fixtures/sale.json
    expect: { notify: { json: { total: 49.9, low: 20.5 } } }
  - name: everything
    record: fixtures/sale.json
    expect:
      notify:
        exact: true
        method: PUT
        path: /orders/D6C8C390A7
        query: { source: zaprun, tag: [a, b], coupon: SPRING }
        headers: { x-campaign: 12 }
        json:
          channel: "#orders"
          text: "Ada Lovelace: $49.90"
          order: D6C8C390A7
          total: 49.90
          low: 20.50
          high: 100
          at: "2026-09-16T14:25:31-04:00"
          lines: [{ sku: "7", price: 19.95 }, { sku: "9", price: 10.00 }]
  - name: a word will do
    record: fixtures/sale.json
    expect: { notify: done }
  - name: a record written out, laid over a file, with members taken out
    record: { $from: fixtures/sale.json, orderId: B1, items: { "9": { price: 11 }, $remove: ["7"] }, couponCode: null }
    expect: { notify: { exact: true, query: { source: zaprun, tag: [a, b], coupon: null }, json: { lines: [{ price: 11, sku: "9" }], order: B1,
      channel: "#orders", text: "Ada Lovelace: $49.90", total: 49.9, low: 20.5, high: 100, at: "2026-09-16T14:25:31-04:00" } } }
  - name: small ones are not
    record: { $from: fixtures/sale.json, totalAmount: "5.00" }
    expect: filtered
  - name: a lead is not what the trigger is about
    record: { $from: fixtures/sale.json, orderStatus: PARTIAL }
    expect: ignored
  - name: vars are laid over those of the project
    record: fixtures/sale.json
    vars: { limits: { low: 1 } }
    expect: { notify: { json: { low: 1, high: 100 } } }
  - name: the event may be said
    record: fixtures/sale.json
    event: { at: "2026-01-01T00:00:00Z" }
    expect: { notify: { json: { at: "2025-12-31T19:00:00-05:00" } } }
"##,
    );
    insta::assert_snapshot!(told, @r"
    ok in part
    ok numbers by value, whatever their scale
    ok everything
    ok a word will do
    ok a record written out, laid over a file, with members taken out
    ok small ones are not
    ok a lead is not what the trigger is about
    ok vars are laid over those of the project
    ok the event may be said
    ");
}

#[test]
fn what_differs_is_told_with_its_place() {
    let told = notify(
        r##"
  - name: values
    record: fixtures/sale.json
    expect:
      notify:
        method: POST
        path: orders
        query: { source: zapier, tag: a, coupon: null, more: 1 }
        headers: { X-Campaign: 13 }
        json:
          order: d6c8c390a7
          total: "49.90"
          odd name: 1
          lines: [{ sku: 7, price: 19.950 }, { price: 11 }]
  - name: lists as a whole
    record: fixtures/sale.json
    expect: { notify: { json: { lines: [{ sku: "7" }] } } }
  - name: other members are forbidden
    record: fixtures/sale.json
    expect: { notify: { exact: true, query: { tag: [a, b] }, json: { lines: [{ sku: "7" }, { sku: "9", price: 10 }] } } }
  - name: another kind of body
    record: fixtures/sale.json
    expect: { notify: { form: { order: D6C8C390A7 } } }
  - name: another address
    record: fixtures/sale.json
    expect: { notify: { url: "https://example.com/orders" } }
  - name: not filtered
    record: fixtures/sale.json
    expect: filtered
  - name: filtered
    record: { $from: fixtures/sale.json, totalAmount: 1 }
    expect: { notify: done }
  - name: ignored
    record: { $from: fixtures/sale.json, orderType: RECURRING }
    expect: { notify: done }
  - name: not ignored
    record: fixtures/sale.json
    expect: ignored
  - name: a field is not there
    record: { $from: fixtures/sale.json, $remove: [firstName] }
    expect: { notify: done }
  - name: no amount
    record: { $from: fixtures/sale.json, $remove: [totalAmount] }
    expect: { notify: done }
  - name: skipped
    record: fixtures/sale.json
    expect: { notify: skipped }
  - name: failing
    record: fixtures/sale.json
    expect: { notify: { error: refused } }
"##,
    );
    insta::assert_snapshot!(told, @r##"
    FAIL values
      notify.method: expected "POST", got "PUT"
      notify.path: expected "orders", got "orders/D6C8C390A7"
      notify.query.source: expected "zapier", got "zaprun"
      notify.query.tag: expected "a", got ["a","b"]
      notify.query.coupon: expected nothing, got "SPRING"
      notify.query.more: expected 1, got nothing
      notify.headers.X-Campaign: expected 13, got "12"
      notify.json.order: expected "d6c8c390a7", got "D6C8C390A7"
      notify.json.total: expected "49.90", got 49.90
      notify.json["odd name"]: expected 1, got nothing
      notify.json.lines[0].sku: expected 7, got "7"
      notify.json.lines[1].price: expected 11, got 10.00
    FAIL lists as a whole
      notify.json.lines: expected 1 member: [{"sku":"7"}], got 2 members: [{"sku":"7","price":19.95},{"sku":"9","price":10.00}]
    FAIL other members are forbidden
      notify.query.source: expected nothing, got "zaprun"
      notify.query.coupon: expected nothing, got "SPRING"
      notify.json.lines[0].price: expected nothing, got 19.95
      notify.json.channel: expected nothing, got "#orders"
      notify.json.text: expected nothing, got "Ada Lovelace: $49.90"
      notify.json.order: expected nothing, got "D6C8C390A7"
      notify.json.total: expected nothing, got 49.90
      notify.json.low: expected nothing, got 20.50
      notify.json.high: expected nothing, got 100
      notify.json.at: expected nothing, got "2026-09-16T14:25:31-04:00"
    FAIL another kind of body
      notify.form: expected {"order":"D6C8C390A7"}, got json
    FAIL another address
      notify.url: expected "https://example.com/orders", got the address of connection `sink` | expect its `path` instead
    FAIL not filtered
      the run: expected filtered, got done: notify
    FAIL filtered
      the run: expected to pass the filter, got filtered by {{ record.totalAmount >= 20 }}
    FAIL ignored
      the run: expected to pass the filter, got the trigger does not take the record: it is not what `new_sale` is about | give one that it takes, or expect `ignored`
    FAIL not ignored
      the run: expected ignored, got done: notify
    FAIL a field is not there
      the run: expected to come to its steps, got given up: let.buyer: `record.firstName` is missing
    FAIL no amount
      the run: expected to come to its steps, got given up: filter: `record.totalAmount` is missing
    FAIL skipped
      notify: expected skipped, got done
    FAIL failing
      notify: expected given up: …refused…, got done
    "##);
}

#[test]
fn a_run_that_does_not_come_to_its_steps() {
    let told = notify(
        r#"
  - name: is expected
    record: { $from: fixtures/sale.json, $remove: [totalAmount] }
    expect: { $error: totalAmount }
  - name: for another reason
    record: { $from: fixtures/sale.json, $remove: [firstName] }
    expect: { $error: totalAmount }
  - name: and comes to them
    record: fixtures/sale.json
    expect: { $error: totalAmount }
"#,
    );
    insta::assert_snapshot!(told, @r"
    ok is expected
    FAIL for another reason
      the run: expected given up before its first step: …totalAmount…, got given up: let.buyer: `record.firstName` is missing
    FAIL and comes to them
      the run: expected given up before its first step: …totalAmount…, got done: notify
    ");
}

#[test]
fn bodies_and_addresses_of_every_kind() {
    let told = results(
        r#"
actions:
  - { id: form, type: http, url: "https://api.example.com/v1/{{ record.orderId }}", form: { total: $.totalAmount, new: true, note: null } }
  - { id: text, type: http, connection: sink, text: "sold {{ record.orderId }}" }
  - { id: none, type: http, connection: sink, method: DELETE }
tests:
  - name: right
    record: fixtures/sale.json
    expect:
      form: { exact: true, method: POST, url: "https://api.example.com/v1/D6C8C390A7", form: { total: 49.9, new: true, note: null } }
      text: { text: sold D6C8C390A7, path: "" }
      none: { method: DELETE }
  - name: wrong
    record: fixtures/sale.json
    expect:
      form: { exact: true, path: v1, form: { total: 49.91 } }
      text: { text: sold }
      none: { json: {} }
"#,
    );
    insta::assert_snapshot!(told, @r#"
    ok right
    FAIL wrong
      form.path: expected "v1", got https://api.example.com/v1/D6C8C390A7 | expect its `url` instead
      form.form.total: expected 49.91, got "49.90"
      form.form.new: expected nothing, got "true"
      text.text: expected "sold", got "sold D6C8C390A7"
      none.json: expected {}, got no body
    "#);
}

#[test]
fn tests_may_stand_in_a_file_of_their_own() {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    let tests = "zap: z\ntests:\n  - name: elsewhere\n    record: ../shop/fixtures/sale.json\n    expect: { notify: done }\n";
    let zap =
        format!("{head}{NOTIFY}tests:\n  - {{ name: here, record: fixtures/sale.yaml, expect: filtered }}\n");
    let sale = "orderId: A\norderStatus: COMPLETE\norderType: NEW_SALE\ntotalAmount: 1.50\n";
    let bench =
        Bench::new(&zap, &[("zaps/shop/z.test.yaml", tests)], &[("zaps/shop/fixtures/sale.yaml", sale)]);
    assert_eq!(bench.results(), "ok here\nok elsewhere\n");
}

/// The zap's key, and so that of its state, does not hang on its tests.
#[test]
fn tests_are_no_part_of_what_a_zap_means() {
    let with = bench(&format!(
        "{NOTIFY}tests: [{{ name: a, record: fixtures/sale.json, expect: {{ notify: done }} }}]\n"
    ));
    assert_eq!(with.zap.unwrap().content, bench(NOTIFY).zap.unwrap().content);
}
