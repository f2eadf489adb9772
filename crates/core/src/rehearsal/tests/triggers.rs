//! What is given to zaps that do not poll the CRM.

use super::*;

#[test]
fn requests_that_arrive() {
    let zap = r#"name: z
trigger: { type: webhook, connection: form, path: /hooks/form, key: "{{ record.id }}" }
actions:
  - id: post
    type: http
    connection: sink
    json: { key: "{{ event.key }}", agent: "{{ event.headers['user-agent'] }}", page: "{{ event.query.page }}", all: "{{ record }}" }
tests:
  - name: body, headers and query
    record: { id: 7, total: 19.90 }
    headers: { User-Agent: form/1.0 }
    query: { page: "2" }
    expect: { post: { json: { key: "7", agent: form/1.0, page: "2", all: { total: 19.9 } } } }
  - name: a GET has its query for a record
    query: { id: "8", page: "1" }
    headers: { user-agent: x }
    event: { key: other }
    expect: { post: { json: { key: other, page: "1", all: { id: "8" } } } }
  - name: card data is refused
    record: { id: 9, card_number: "4111111111111111" }
    expect: ignored
  - name: a request without a key
    record: { total: 1 }
    expect: { post: done }
  - name: not refused
    record: { id: 1 }
    expect: ignored
"#;
    insta::assert_snapshot!(Bench::new(zap, &[], &[]).results(), @r"
    ok body, headers and query
    ok a GET has its query for a record
    ok card data is refused
    FAIL a request without a key
      the run: expected to pass the filter, got given up: key: `record.id` is missing
    FAIL not refused
      the run: expected ignored, got given up: actions[0].json.agent: `event.headers['user-agent']` is missing
    ");
}

#[test]
fn items_of_an_api() {
    let zap = r#"name: z
trigger:
  type: http
  connection: sink
  path: list
  items: $.data[*]
  key: "{{ record.id }}"
  at: "{{ record.when }}"
actions:
  - { id: post, type: http, connection: sink, json: { key: "{{ event.key }}", at: "{{ event.at | iso }}", n: $.n } }
tests:
  - name: an item
    record: { id: a7, when: "2026-09-16T08:00:00Z", n: 1.50 }
    expect: { post: { json: { key: a7, at: "2026-09-16T08:00:00Z", n: 1.5 } } }
  - name: an item without a key
    record: { when: "2026-09-16T08:00:00Z" }
    expect: { post: done }
"#;
    insta::assert_snapshot!(Bench::new(zap, &[], &[]).results(), @r"
    ok an item
    FAIL an item without a key
      the run: expected to pass the filter, got given up: key: `record.id` is missing
    ");
}

#[test]
fn times() {
    let zap = r#"name: z
trigger: { type: schedule, cron: "0 8 * * 1-5", timezone: America/New_York }
actions:
  - { id: post, type: http, connection: sink, json: { at: $.scheduled_at, key: "{{ event.key }}" } }
tests:
  - name: a Wednesday
    at: "2026-09-16T12:00:00Z"
    expect: { post: { exact: true, json: { at: "2026-09-16T08:00:00-04:00", key: "2026-09-16T08:00:00-04:00" } } }
  - name: a Sunday
    at: "2026-09-20T08:00:00-04:00"
    expect: ignored
  - name: an hour later
    at: "2026-09-16T13:00:00Z"
    expect: { post: done }
"#;
    insta::assert_snapshot!(Bench::new(zap, &[], &[]).results(), @r"
    ok a Wednesday
    ok a Sunday
    FAIL an hour later
      the run: expected to pass the filter, got the trigger does not take the record: it is none of the times of `cron` | give one that it takes, or expect `ignored`
    ");
}

#[test]
fn what_does_not_go_with_a_trigger() {
    let schedule = "name: z\ntrigger: { type: schedule, cron: \"0 8 * * *\", timezone: UTC }\n";
    let webhook = "name: z\ntrigger: { type: webhook, connection: form, path: /hooks/form, key: \"{{ record.id }}\" }\n";
    let rest = "actions: [{ id: post, type: http, connection: sink, json: {} }]\ntests:\n";
    let told = |head: &str, tests: &str| Bench::new(&format!("{head}{rest}{tests}"), &[], &[]).findings();
    insta::assert_snapshot!(
        told(schedule, "  - { name: a, record: {}, expect: filtered }\n  - { name: b, at: \"2026-09-16T08:00Z\", expect: filtered }\n"),
        @r#"
    zaps/shop/z.yaml:5:13 ZR0203 the test has no `at` | write when it fires: at: "2026-09-16T08:00:00-04:00"
    zaps/shop/z.yaml:5:24 ZR0905 `record` says nothing to a zap with a trigger of type schedule | remove it; such a test takes `at`
    zaps/shop/z.yaml:6:20 ZR0205 `2026-09-16T08:00Z` is not an instant | write a time and its offset: 2026-09-16T14:00:00-04:00, or Z for UTC
    "#
    );
    insta::assert_snapshot!(
        told(webhook, "  - { name: a, expect: filtered }\n  - { name: b, record: {}, fresh: {}, expect: filtered }\n"),
        @r"
    zaps/shop/z.yaml:5:13 ZR0203 the test has no `record` | write `record:` with a map, or the path of a file beside this one
    zaps/shop/z.yaml:6:35 ZR0905 `fresh` says nothing to a zap with a trigger of type webhook | remove it; such a test takes `record`, `headers` and `query`
    "
    );
}
