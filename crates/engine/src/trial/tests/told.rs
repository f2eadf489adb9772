//! What tests may say of the engine, and what they are told.

use super::{Bench, SALE, results, results_of};

const POST: &str = r#"
actions:
  - id: post
    type: http
    connection: sink
    path: /post
    retry: { for: 1h, first: 1s, max_delay: 5m }
    json: { order: "{{ record.orderId }}" }
"#;

fn post(tests: &str) -> String {
    results(&format!("{POST}tests:\n{tests}"))
}

#[test]
fn attempts_are_answered_one_after_the_other() {
    insta::assert_snapshot!(post(r#"
  - name: busy, then ill, then cut, then well
    record: sale.json
    replies: { post: [{ status: 429, headers: { Retry-After: 60 } }, { status: 500 }, { fault: cut }, { status: 200 }] }
    expect: { $outcome: delivered, $attempts: { post: 4 }, post: { json: { order: D6C8C390A7 } } }
  - name: without end
    record: sale.json
    replies: { post: { fault: refused_connection } }
    expect: { $outcome: dead, $reason: refused }
  - name: it asks to wait longer than there is time
    record: sale.json
    replies: { post: [{ status: 429, headers: { Retry-After: "7200" } }] }
    expect: { $outcome: dead, $reason: "asks to wait 7200s", $attempts: { post: 1 }, post: { json: { order: A } } }
  - name: nobody said that it would fail
    record: sale.json
    replies: { post: [{ fault: timeout_after_send }, { status: 404 }] }
    expect: { post: { path: /post } }
  - name: told by the step
    record: sale.json
    replies: { post: [{ fault: timeout_after_send }, { status: 404 }] }
    expect: { post: { error: answered 404 }, $attempts: { post: 3 } }
  - name: credentials are no matter of patience
    record: sale.json
    replies: { post: { fault: bad_credentials } }
    expect: { $outcome: pending, $reason: "401" }
  - name: it is not said that it waits
    record: sale.json
    replies: { post: { fault: bad_credentials } }
    expect: { post: done }
"#), @r#"
    ok busy, then ill, then cut, then well
    ok without end
    FAIL it asks to wait longer than there is time
      post.json.order: expected "A", got "D6C8C390A7"
    FAIL nobody said that it would fail
      post: expected done, got given up: the target answered 404 | where that is meant, expect `error:` with a part of the reason
    FAIL told by the step
      $attempts.post: expected 3, got 2
    ok credentials are no matter of patience
    FAIL it is not said that it waits
      the run: expected to come to an end, got pending (parked): connection `sink`: the target answered 401 | where that is meant, expect `$outcome: pending`
    "#);
}

#[test]
fn what_may_not_be_repeated_is_held() {
    insta::assert_snapshot!(results(r#"
actions:
  - { id: a, type: http, connection: sink, path: /a, on_uncertain: hold, json: { order: "{{ record.orderId }}" } }
  - { id: b, type: http, connection: sink, path: /b, json: { order: "{{ record.orderId }}" } }
tests:
  - name: nobody knows
    record: sale.json
    replies: { a: { fault: timeout_after_send } }
    expect: { $outcome: held, $reason: no answer, $attempts: { a: 1, b: 0 }, a: { json: { order: D6C8C390A7 } } }
  - name: nothing arrived
    record: sale.json
    replies: { a: [{ fault: refused_connection }, {}] }
    expect: { $outcome: delivered, $attempts: { a: 2, b: 1 } }
  - name: it is not said that it is held
    record: sale.json
    replies: { a: { fault: cut } }
    expect: { a: done }
  - name: it is said that it is not
    record: sale.json
    replies: { a: { fault: cut } }
    expect: { $outcome: delivered }
  - name: a step after it
    record: sale.json
    replies: { a: { fault: cut } }
    expect: { $outcome: held, b: done }
"#), @r"
    ok nobody knows
    ok nothing arrived
    FAIL it is not said that it is held
      the run: expected to come to an end, got held (uncertain): the connection was cut before an answer | where that is meant, expect `$outcome: held`
    FAIL it is said that it is not
      $outcome: expected delivered, got held (uncertain): the connection was cut before an answer
    FAIL a step after it
      b: expected done, got the run did not come to it
    ");
}

/// Writes to the CRM: looked at after an unknown outcome, never repeated without proof where money is at stake.
#[test]
fn a_lost_answer_of_the_crm_is_looked_up() {
    insta::assert_snapshot!(results(r#"
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    map:
      campaignId: "12"
      paySource: PREPAID
      product1_id: "1"
      firstName: $.firstName
      lastName: Doe
      emailAddress: $.emailAddress
      phoneNumber: "5550100"
      address1: 1 Main St
      city: Springfield
      state: IL
      postalCode: "62701"
      country: US
      billShipSame: true
  - { id: tell, type: http, connection: sink, json: { order: "{{ steps.sell.response.orderId }}" } }
tests:
  - name: it happened, and is not sold twice
    record: sale.json
    replies: { sell: { fault: timeout_after_send, seen: happened, seen_after: 2m, orderId: "NEW1" } }
    expect: { $outcome: delivered, $attempts: { sell: 1 }, sell: { map: { paySource: PREPAID }, lead: { firstName: Ada } }, tell: { json: { order: NEW1 } } }
  - name: it did not, which two looks prove
    record: sale.json
    replies: { sell: [{ fault: cut }, { orderId: "NEW2" }] }
    expect: { $outcome: delivered, $attempts: { sell: 2 }, tell: { json: { order: NEW2 } } }
  - name: nobody can tell
    record: sale.json
    replies: { sell: { fault: server_error, seen: unclear } }
    expect: { $outcome: held, $reason: a look cannot tell, $attempts: { tell: 0 } }
  - name: the look tells that it was refused
    record: sale.json
    replies: { sell: { fault: cut, seen: refused } }
    expect: { sell: { error: turned it down } }
  - name: a decline ends it
    record: sale.json
    replies: { sell: [{ fault: too_many_requests, retry_after: 90s }, { result: ERROR, message: "Transaction Declined: Card Declined" }] }
    expect: { $outcome: dead, $reason: Card Declined, $attempts: { sell: 2 } }
"#), @r"
    ok it happened, and is not sold twice
    ok it did not, which two looks prove
    ok nobody can tell
    ok the look tells that it was refused
    ok a decline ends it
    ");
}

#[test]
fn records_in_sequence_share_a_ledger() {
    let trigger = "{ type: konnektive.orders, connection: crm, order_type: new_sale, once_per: customerId }";
    insta::assert_snapshot!(results_of(trigger, &format!(r#"
filter: "{{{{ record.totalAmount > 10 }}}}"
{POST}
tests:
  - name: the same row twice fires once
    records: [sale.json, sale.json]
    expect: [{{ post: {{ json: {{ order: D6C8C390A7 }} }} }}, known]
  - name: one a customer
    records: [sale.json, {{ $from: sale.json, orderId: B }}, {{ $from: sale.json, orderId: C, customerId: 78 }}]
    expect: [{{ $outcome: delivered }}, filtered, {{ post: {{ json: {{ order: C }} }} }}]
  - name: what the filter leaves alone takes no turn
    records:
      - {{ $from: sale.json, totalAmount: "5.00" }}
      - {{ record: {{ $from: sale.json, orderId: B }}, at: "2026-10-01T12:00:00Z" }}
      - {{ $from: sale.json, orderType: RECURRING, orderId: C }}
    expect: {{ $totals: {{ delivered: 1, filtered: 1, ignored: 1, known: 0 }}, $attempts: {{ post: 1 }} }}
  - name: totals that differ
    records: [sale.json, sale.json]
    expect: {{ $totals: {{ delivered: 2, known: 0 }}, $attempts: {{ post: 2 }} }}
  - name: differences say whose they are
    records: [sale.json, {{ record: {{ $from: sale.json, orderId: B, customerId: 78 }}, replies: {{ post: {{ status: 404 }} }} }}, sale.json]
    expect: [{{ post: {{ json: {{ order: A }} }} }}, {{ post: {{ json: {{ order: C }} }} }}, filtered]
"#)), @r#"
    ok the same row twice fires once
    ok one a customer
    ok what the filter leaves alone takes no turn
    FAIL totals that differ
      $totals.delivered: expected 2, got 1
      $totals.known: expected 0, got 1
      $attempts.post: expected 2, got 1
    FAIL differences say whose they are
      records[0]: post.json.order: expected "A", got "D6C8C390A7"
      records[1]: post: expected done, got given up: the target answered 404 | where that is meant, expect `error:` with a part of the reason
      records[2]: the run: expected filtered, got the ledger holds it already, so nothing is done
    "#);
}

#[test]
fn time_is_as_in_production_and_costs_none() {
    let trigger = "{ type: konnektive.orders, connection: crm, order_type: new_sale, settle: 30m }";
    insta::assert_snapshot!(results_of(trigger, r#"
actions:
  - { id: first, type: http, connection: sink, json: { total: $.totalAmount, started: "{{ run.started_at }}" } }
  - id: later
    type: http
    connection: sink
    delay: 3d
    unless: "{{ record.orderStatus == 'CANCELLED' }}"
    json: { order: $.orderId }
tests:
  - name: an order settles, and is taken as it is then
    records: [{ record: sale.json, fresh: { $from: sale.json, totalAmount: "59.90" } }]
    expect: [{ $outcome: delivered, first: { json: { total: 59.90, started: "2026-09-16T14:25:31-04:00" } }, later: done }]
  - name: it is cancelled meanwhile
    record: sale.json
    fresh: { $from: sale.json, orderStatus: CANCELLED }
    expect: { $outcome: delivered, $attempts: { first: 1, later: 0 }, later: skipped }
"#), @r"
    ok an order settles, and is taken as it is then
    ok it is cancelled meanwhile
    ");
}

#[test]
fn a_push_and_a_row_are_one_event() {
    let trigger = "{ type: konnektive.orders, connection: crm, order_type: new_sale, also: { connection: form, path: /hook, key: \"{{ record.order }}\" } }";
    insta::assert_snapshot!(results_of(trigger, &format!(r#"{POST}
tests:
  - name: told, then polled
    records: [{{ record: sale.json, also: {{ order: D6C8C390A7 }} }}, sale.json]
    expect: [{{ post: done }}, known]
  - name: told of another
    records: [{{ record: sale.json, also: {{ order: X }} }}]
    expect: [ignored]
  - name: told of another, not meant
    records: [{{ record: sale.json, also: {{ order: X }} }}]
    expect: [{{ post: done }}]
"#)), @r"
    ok told, then polled
    ok told of another
    FAIL told of another, not meant
      records[0]: the run: expected to pass the filter, got the trigger does not take the record: `also` tells of `X`, and the record is `D6C8C390A7` | give one that it takes, or expect `ignored`
    ");
}

#[test]
fn requests_that_repeat_are_one_event() {
    let trigger = "{ type: webhook, connection: form, path: /lead, key: \"{{ record.id }}\" }";
    insta::assert_snapshot!(results_of(trigger, r#"
actions:
  - { id: post, type: http, connection: sink, json: { id: "{{ record.id }}", from: "{{ event.headers['x-from'] }}" } }
tests:
  - name: twice
    records: [{ record: { id: 1 }, headers: { X-From: a } }, { record: { id: 1 }, headers: { X-From: b } }, { record: { id: 2 }, headers: { X-From: c } }]
    expect: [{ post: { json: { id: 1, from: a } } }, known, { post: { json: { from: c } } }]
"#), @"ok twice");
}

#[test]
fn elements_have_attempts_of_their_own() {
    insta::assert_snapshot!(results(r#"
actions:
  - { id: line, type: http, connection: sink, each: "{{ record['items'] }}", json: { product: "{{ item.productId }}" } }
  - { id: last, type: http, connection: sink, json: { ids: "{{ steps.line['items'] | map(attribute='response') | map(attribute='status') }}" } }
tests:
  - name: the second is tried again
    record: sale.json
    replies: { line: [{}, [{ status: 503 }, { status: 201 }]] }
    expect: { line: { each: [{ json: { product: "7" } }, { json: { product: "9" } }] }, $attempts: { line: 3 }, last: { json: { ids: [200, 201] } } }
  - name: an answer is missing
    record: sale.json
    expect: { $outcome: delivered, last: done }
"#), @r"
    ok the second is tried again
    FAIL an answer is missing
      replies.line: expected an answer, which `last` reads, got nothing | add `replies.line` to the test
    ");
}

/// `vars`, on_failure, and what cannot be mapped.
#[test]
fn the_rest_of_the_language_goes_with_it() {
    insta::assert_snapshot!(results(r#"
let: { name: "{{ record.firstName }}" }
actions:
  - { id: post, type: http, connection: sink, json: { channel: "{{ vars.channel }}", name: "{{ let.name }}" } }
on_failure:
  - { id: alarm, type: http, connection: sink, json: { why: "{{ failure.reason }}" } }
tests:
  - name: with other vars, tried again
    record: sale.json
    vars: { channel: "\#test" }
    replies: { post: [{ status: 500 }, {}] }
    expect: { post: { json: { channel: "\#test", name: Ada } }, alarm: skipped }
  - name: the alarm says why
    record: sale.json
    replies: { post: [{ status: 500 }, { status: 410 }] }
    expect: { $outcome: dead, alarm: { json: { why: the target answered 410 } } }
  - name: no name
    record: { $from: sale.json, $remove: [firstName] }
    expect: { $error: firstName, $outcome: dead }
  - name: no name, not said
    record: { $from: sale.json, $remove: [firstName] }
    expect: { $attempts: { post: 0 } }
"#.replace("\\#", "#").as_str()), @r"
    ok with other vars, tried again
    ok the alarm says why
    ok no name
    FAIL no name, not said
      the run: expected to come to its steps, got given up: let.name: `record.firstName` is missing
    ");
}

#[test]
fn mistakes_in_such_tests_have_their_places() {
    let zap = format!(
        "name: z\ntrigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale }}\n{POST}{}",
        r#"
tests:
  - { name: a, record: sale.json, replies: { post: { fault: cutt } }, expect: { post: done } }
  - { name: b, record: sale.json, replies: { post: { fault: cut, status: 200 } }, expect: { post: done } }
  - { name: c, record: sale.json, replies: { post: { fault: too_many_requests, retry_after: 60 } }, expect: { post: done } }
  - { name: d, record: sale.json, expect: { $outcome: deliverd } }
  - { name: e, record: sale.json, expect: { $attempts: { pots: 1 } } }
  - { name: f, record: sale.json, expect: [filtered] }
  - { name: g, record: sale.json, expect: { $totals: { delivered: 1 } } }
  - { name: h, records: [sale.json], expect: filtered }
  - { name: i, records: [sale.json], expect: [filtered, known] }
  - { name: j, records: [], expect: [] }
  - { name: k, records: [{ record: sale.json, also: {} }], expect: [known] }
  - { name: l, records: [{ record: sale.json, at: yesterday }], expect: [known] }
  - { name: m, records: [sale.json], expect: { $totals: { deliverd: 1 }, post: done } }
  - { name: n, records: [{ at: "2026-09-16T08:00:00Z" }], expect: [known] }
  - { name: o, record: sale.json, records: [sale.json], expect: [known] }
"#
    );
    insta::assert_snapshot!(Bench::new(&zap, SALE).findings(), @r#"
    13:61 ZR0201 `fault` of a reply takes one of `refused_connection`, `timeout_after_send`, `cut`, `cut_answer`, `too_many_requests`, `server_error` and `bad_credentials`
    14:66 ZR0202 a reply to an http request has no `status` | it takes `fault` and `retry_after`
    15:93 ZR0201 `retry_after` of a reply takes a duration: 60s
    16:55 ZR0204 `$outcome` cannot be `deliverd` | did you mean `delivered`? one of `delivered`, `filtered`, `held`, `dead`, `pending`
    17:58 ZR0903 `z` has no step `pots` | did you mean `post`?
    18:43 ZR0904 a list is expected of several records | write `records:` with a list
    19:45 ZR0904 `$totals` counts several records | write `records:` with a list, or `$outcome`
    20:46 ZR0904 of several records a list is expected | write one expectation for each, or how many come to what: { $totals: { delivered: 1 } }
    21:46 ZR0904 of 1 records something is expected 2 times | write one for each record: a map by step, `filtered`, `ignored` or `known`
    22:25 ZR0206 `records` is an empty list | write at least one member
    23:53 ZR0905 the trigger has no `also` | remove it, or give the trigger its `also:`
    24:51 ZR0201 `at` takes an instant | write when it arrives: "2026-09-16T08:00:00-04:00"
    25:59 ZR0202 unknown key `deliverd` | did you mean `delivered`?
    25:74 ZR0904 `post` does not stand beside `$totals` | what each record sends is expected in a list
    26:26 ZR0203 the test has no `record` | write `record:` with a map, or the path of a file beside this one
    27:24 ZR0209 `record` and `records` exclude each other | write `record:` with the record it belongs to
    "#);
}

#[test]
fn what_holds_of_every_record_holds_of_those_of_the_engine() {
    let body = format!(
        r#"{POST}properties:
  - {{ name: nothing is sent, check: "{{{{ requests | length == 0 }}}}" }}
  - {{ name: it ends, check: "{{{{ outcome in ['delivered', 'pending'] }}}}" }}
tests:
  - name: in the end
    record: sale.json
    replies: {{ post: [{{ status: 429 }}, {{ status: 200 }}] }}
    expect: {{ $outcome: delivered, $attempts: {{ post: 2 }} }}
  - name: two
    records: [sale.json, {{ $from: sale.json, orderId: E7 }}]
    replies: {{ post: {{ fault: refused_connection }} }}
    expect: {{ $totals: {{ dead: 2 }} }}
"#
    );
    insta::assert_snapshot!(results(&body), @r"
    FAIL in the end
      property nothing is sent: expected to hold, got it does not hold
    FAIL two
      records[0]: property nothing is sent: expected to hold, got it does not hold
      records[0]: property it ends: expected to hold, got it does not hold
      records[1]: property nothing is sent: expected to hold, got it does not hold
      records[1]: property it ends: expected to hold, got it does not hold
    ");
}
