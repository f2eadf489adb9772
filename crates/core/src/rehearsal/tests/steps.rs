//! Runs of several steps: what they are answered, and what follows.

use super::*;

/// A request, a write that reads its answer, a look-up, and a request that reads all of them.
const CHAIN: &str = r#"
actions:
  - id: buyer
    type: http
    connection: sink
    method: GET
    allow: personal
    query: { email: $.emailAddress }
  - id: note
    type: konnektive.add_note
    connection: crm
    when: "{{ record.totalAmount > 20 }}"
    map: { customerId: "{{ steps.buyer.response.body.id }}", message: "sold {{ record.orderId }}" }
  - id: found
    type: konnektive.query
    connection: crm
    find: customers
    by: { customerId: "7" }
  - id: tell
    type: http
    connection: sink
    json: { note: "{{ steps.note.response | default('none') }}", outcome: "{{ steps.note.outcome }}", found: "{{ steps.found.response }}" }
"#;

#[test]
fn later_steps_read_what_earlier_ones_are_answered() {
    let told = results(&format!(
        r#"{CHAIN}
tests:
  - name: all answered
    record: fixtures/sale.json
    replies:
      buyer: {{ status: 201, headers: {{ X-Id: 1 }}, body: {{ id: 77 }} }}
      note: {{ message: {{ noteId: 5, orderId: 4 }}, purchaseId: 9 }}
      found: {{ rows: [{{ customerId: 77, firstName: Ada }}] }}
    expect:
      buyer: {{ method: GET, query: {{ email: ada@example.com }} }}
      note: {{ exact: true, map: {{ customerId: "77", message: sold D6C8C390A7 }} }}
      found: {{ find: {{ customerId: 7 }} }}
      tell:
        json:
          note: {{ result: SUCCESS, message: {{ orderId: 4 }}, orderId: "4", purchaseId: "9", customerId: "77" }}
          outcome: done
          found: {{ total: 1, row: {{ customerId: "77", firstName: Ada }}, rows: [{{}}] }}
  - name: nobody answers
    record: fixtures/sale.json
    expect: {{ note: done }}
  - name: the first is not answered
    record: fixtures/sale.json
    replies: {{ note: {{}}, found: {{ rows: [] }} }}
    expect: {{ tell: {{ json: {{ found: {{ total: 0, row: null }} }} }} }}
  - name: what is skipped needs no answer
    record: {{ $from: fixtures/sale.json, totalAmount: 1 }}
    replies: {{ found: {{ rows: [] }} }}
    expect: {{ note: skipped, tell: {{ json: {{ note: none, outcome: skipped }} }} }}
  - name: the CRM refuses
    record: fixtures/sale.json
    replies:
      buyer: {{ body: {{ $from: fixtures/sale.json, id: 77 }} }}
      note: {{ result: ERROR, message: customer is not found }}
    expect: {{ note: {{ error: not found, map: {{ customerId: 77 }} }}, tell: skipped }}
"#
    ));
    insta::assert_snapshot!(told, @r"
    ok all answered
    FAIL nobody answers
      replies.buyer: expected an answer, which `note` reads, got nothing | add `replies.buyer` to the test
      replies.found: expected an answer, which `tell` reads, got nothing | add `replies.found` to the test
    FAIL the first is not answered
      replies.buyer: expected an answer, which `note` reads, got nothing | add `replies.buyer` to the test
    ok what is skipped needs no answer
    ok the CRM refuses
    ");
}

const FAILING: &str = r#"
actions:
  - id: first
    type: http
    connection: sink
    path: first
    continue_on_error: true
    success: "{{ response.body.ok }}"
    json: {}
  - id: second
    type: http
    connection: sink
    path: second
    json: { first: "{{ steps.first.outcome }}" }
on_failure:
  - id: page
    type: http
    connection: sink
    path: page
    json: { step: "{{ failure.step }}", why: "{{ failure.reason }}" }
"#;

#[test]
fn a_step_may_be_given_up() {
    let told = results(&format!(
        r#"{FAILING}
tests:
  - name: all is well
    record: fixtures/sale.json
    replies: {{ first: {{ body: {{ ok: true }} }} }}
    expect: {{ first: done, second: {{ json: {{ first: done }} }}, page: skipped }}
  - name: the run goes on and is given up in the end
    record: fixtures/sale.json
    replies: {{ first: {{ body: {{ ok: false }} }} }}
    expect:
      first: {{ error: "`success` is false" }}
      second: {{ json: {{ first: failed }} }}
      page: {{ json: {{ step: first, why: "`success` is false for an answer of 200" }} }}
  - name: the run ends there
    record: fixtures/sale.json
    replies: {{ second: {{ refused: no more }} }}
    expect: {{ second: {{ error: no more }}, page: {{ json: {{ step: second, why: no more }} }} }}
  - name: a status
    record: fixtures/sale.json
    replies: {{ first: {{ status: 503, body: {{ ok: true }} }} }}
    expect: {{ first: {{ error: answered 503 }} }}
  - name: success that has no answer
    record: fixtures/sale.json
    replies: {{ first: {{ body: [] }} }}
    expect: {{ first: done }}
  - name: a failure that nobody expects
    record: fixtures/sale.json
    replies: {{ second: {{ status: 404 }} }}
    expect: {{ first: done, page: done }}
  - name: not given up
    record: fixtures/sale.json
    expect: {{ page: done }}
"#
    ));
    insta::assert_snapshot!(told, @r"
    ok all is well
    ok the run goes on and is given up in the end
    ok the run ends there
    ok a status
    FAIL success that has no answer
      first: expected done, got given up: actions[0].success: `response.body.ok` cannot be read: it leads into a list | where that is meant, expect `error:` with a part of the reason
    FAIL a failure that nobody expects
      second: expected done, got given up: the target answered 404 | where that is meant, expect `error:` with a part of the reason
    FAIL not given up
      page: expected done, got the run was not given up
    ");
}

#[test]
fn a_run_may_end_before_its_last_step() {
    let told = results(
        r#"
actions:
  - id: ask
    type: http
    connection: sink
    json: {}
    stop_if: "{{ response.body.known }}"
  - id: chase
    type: http
    connection: sink
    delay: 60m
    unless: "{{ record.couponCode is none }}"
    json: { coupon: $.couponCode }
  - { id: last, type: http, connection: sink, json: {} }
tests:
  - name: it is known
    record: fixtures/sale.json
    replies: { ask: { body: { known: true } } }
    expect: { ask: done, chase: skipped, last: skipped }
  - name: it is not
    record: fixtures/sale.json
    replies: { ask: { body: { known: false } } }
    expect: { chase: { json: { coupon: SPRING } }, last: done }
  - name: nobody says
    record: fixtures/sale.json
    expect: { last: done }
  - name: meanwhile it has changed, and what is sent is of the first record
    record: fixtures/sale.json
    replies: { ask: { body: { known: false } } }
    fresh: { $from: fixtures/sale.json, couponCode: null }
    expect: { chase: skipped, last: skipped }
  - name: or not so
    record: fixtures/sale.json
    replies: { ask: { body: { known: false } } }
    fresh: { $from: fixtures/sale.json, couponCode: SUMMER }
    expect: { chase: { json: { coupon: SPRING } } }
"#,
    );
    insta::assert_snapshot!(told, @r"
    ok it is known
    ok it is not
    FAIL nobody says
      replies.ask: expected an answer, which its `stop_if` reads, got nothing | add `replies.ask` to the test
    ok meanwhile it has changed, and what is sent is of the first record
    ok or not so
    ");
}

#[test]
fn elements_are_looked_at_one_by_one() {
    let told = results(
        r#"
actions:
  - id: line
    type: http
    connection: sink
    each: "{{ record['items'] }}"
    when: "{{ item.price > 5 }}"
    json: { sku: "{{ item.productId }}" }
  - { id: sum, type: http, connection: sink, json: { ids: "{{ steps.line['items'] | map(attribute='response.body.id') }}" } }
tests:
  - name: in order
    record: fixtures/sale.json
    replies: { line: [{ body: { id: 1 } }, { body: { id: 2 } }] }
    expect:
      line: { method: POST, each: [{ json: { sku: "7" } }, done] }
      sum: { json: { ids: [1, 2] } }
  - name: by key, with one reply for all
    record: fixtures/sale.json
    replies: { line: { body: { id: 1 } } }
    expect:
      line: { each: { "9": { json: { sku: "9" } }, "5": skipped } }
      sum: { json: { ids: [1, 1] } }
  - name: fewer
    record: { $from: fixtures/sale.json, items: { $remove: ["7"] } }
    replies: { line: { body: { id: 1 } } }
    expect: { line: { each: [{ json: { sku: "7" } }, {}] } }
  - name: none
    record: { $from: fixtures/sale.json, items: null }
    replies: { line: { body: { id: 1 } } }
    expect: { line: skipped, sum: { json: { ids: [] } } }
  - name: one of them is refused
    record: fixtures/sale.json
    replies: { line: [{ body: { id: 1 } }, { refused: sold out }] }
    expect: { line: { each: [done, { error: sold out }] }, sum: skipped }
  - name: one of them is refused, and nobody expects it
    record: fixtures/sale.json
    replies: { line: [{ refused: sold out }] }
    expect: { line: { each: [done, { json: { sku: "8" } }] } }
  - name: one that is not named is refused
    record: fixtures/sale.json
    replies: { line: [{ body: { id: 1 } }, { refused: sold out }] }
    expect: { line: { each: { "7": done } } }
  - name: not all have an answer
    record: fixtures/sale.json
    replies: { line: [{ body: { id: 1 } }] }
    expect: { line: { json: { sku: "7" } } }
"#,
    );
    insta::assert_snapshot!(told, @r#"
    ok in order
    ok by key, with one reply for all
    FAIL fewer
      line.each: expected 2 elements, got 1 element: 9
    ok none
    ok one of them is refused
    FAIL one of them is refused, and nobody expects it
      line.each: expected 2 elements, got 1 element: 7, given up there: sold out
    FAIL one that is not named is refused
      line[9]: expected done, got given up: sold out | where that is meant, expect `error:` with a part of the reason
    FAIL not all have an answer
      line[9].json.sku: expected "7", got "9"
      replies.line: expected an answer, which `sum` reads, got nothing | add `replies.line` to the test
    "#);
}
