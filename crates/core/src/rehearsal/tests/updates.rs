//! Expectations that are rewritten: they pass then, and what is not theirs stays as it was.

use proptest::prelude::*;

use super::*;

const ZAP: &str = r#"name: z
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
filter: "{{ record.totalAmount > 10 }}"
actions:
  - { id: post, type: http, connection: sink, path: /post, json: { order: $.orderId, name: "{{ record.firstName }}", total: "{{ record.totalAmount }}", lines: { $each: $.items, $map: { name: "{{ item.name }}" } } } }
  - { id: note, type: http, connection: sink, when: "{{ record.totalAmount > 40 }}", form: { total: $.totalAmount, name: $.firstName } }
  - { id: each, type: http, connection: sink, each: "{{ record['items'] }}", text: "{{ item.name }}" }
"#;

fn with(tests: &str) -> String {
    format!("zap: z\ntests:\n{tests}")
}

/// Rewrites until nothing changes any more, as `test --update` does; gives the text and what still fails.
fn rewritten(text: &str, fixtures: &[(&str, &str)]) -> (String, String) {
    rewritten_of(ZAP, text, fixtures)
}

pub(super) fn rewritten_of(zap: &str, text: &str, fixtures: &[(&str, &str)]) -> (String, String) {
    let written = zap;
    let mut text = text.to_owned();
    for _ in 0..12 {
        let bench = Bench::new(written, &[("zaps/shop/z.test.yaml", &text)], fixtures);
        assert_eq!(bench.findings(), "", "{text}");
        let zap = bench.zap.as_ref().unwrap();
        let fixes: Vec<(crate::source::Span, Vec<Fix>)> = bench
            .cases
            .iter()
            .map(|case| {
                (case.expectation().unwrap(), case.check(zap).into_iter().filter_map(|d| d.fix).collect())
            })
            .collect();
        let next = rewrite("zaps/shop/z.test.yaml", &text, &fixes).text;
        if next == text {
            break;
        }
        text = next;
    }
    let told = Bench::new(written, &[("zaps/shop/z.test.yaml", &text)], fixtures).results();
    let failing =
        told.lines().filter(|line| line.starts_with("FAIL")).map(|line| format!("{line}\n")).collect();
    (text, failing)
}

#[test]
fn comments_and_manners_stay() {
    let (text, failing) = rewritten(
        &with(
            r#"  # the first of them
  - name: flow   # a name
    record: fixtures/sale.json
    expect: { post: { json: { order: 'B2', total: 50 , name: Ada } } }   # all of it

  - name: block
    record: fixtures/sale.json
    expect:
      post:
        path: /other      # where to
        json:
          # the order
          order: "B2"     # quoted
          name: Bob
          gone: 1         # never there
          lines:
            - name: Kit   # one alone
      note: skipped       # a word
      each:
        each:
          - text: Kit
          - text: Tonic
  - name: exact
    record: fixtures/sale.json
    expect:
      note: { exact: true, form: { total: 49.9 } }
  - name: filtered, it was thought
    record: fixtures/sale.json
    expect: filtered # at first
  - name: steps, it was thought
    record: { $from: fixtures/sale.json, totalAmount: "5.00" }
    expect:
      post:
        json: { order: A }
  - name: a word for lines
    record: { $from: fixtures/sale.json, totalAmount: "30.00" }
    expect:
      note:
        form: { total: 30 }
      post: { path: post }
  - name: given up
    record: { $from: fixtures/sale.json, $remove: [firstName] }
    expect: { post: { path: /post }, note: skipped }
"#,
        ),
        &[],
    );
    assert_eq!(failing, "");
    insta::assert_snapshot!(text, @r#"
    zap: z
    tests:
      # the first of them
      - name: flow   # a name
        record: fixtures/sale.json
        expect: { post: { json: { order: 'D6C8C390A7', total: 49.90 , name: Ada } } }   # all of it

      - name: block
        record: fixtures/sale.json
        expect:
          post:
            path: "/post"      # where to
            json:
              # the order
              order: "D6C8C390A7"     # quoted
              name: Ada
              lines:
                - name: Kit   # one alone
                - name: Serum
          note: done       # a word
          each:
            each:
              - text: Kit
              - text: Serum
      - name: exact
        record: fixtures/sale.json
        expect:
          note: { exact: true, form: { total: 49.9, name: Ada } }
      - name: filtered, it was thought
        record: fixtures/sale.json
        expect: # at first
          post:
            path: "/post"
            json:
              order: D6C8C390A7
              name: Ada
              total: 49.90
              lines:
                - name: Kit
                - name: Serum
          note:
            form:
              total: "49.90"
              name: Ada
          each:
            each:
              - text: Kit
              - text: Serum
      - name: steps, it was thought
        record: { $from: fixtures/sale.json, totalAmount: "5.00" }
        expect: filtered
      - name: a word for lines
        record: { $from: fixtures/sale.json, totalAmount: "30.00" }
        expect:
          note: skipped
          post: { path: post }
      - name: given up
        record: { $from: fixtures/sale.json, $remove: [firstName] }
        expect: { post: { path: /post, error: "actions[0].json.name: `record.firstName` is missing" }, note: skipped }
    "#);
}

#[test]
fn lines_end_as_they_did() {
    let tests = with(
        r#"  - name: a
    record: fixtures/sale.json
    expect:
      post:
        json:
          order: B2
          lines:
            - name: Tonic
      note:
        exact: true
        form:
          total: 49.90
  - { name: b, record: fixtures/sale.json, expect: { post: done } }
"#,
    );
    let (text, failing) = rewritten(&tests.replace('\n', "\r\n"), &[]);
    assert_eq!(failing, "");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    let (plain, _) = rewritten(&tests, &[]);
    assert_eq!(text.replace("\r\n", "\n"), plain);
    assert!(plain.contains("          total: 49.90\n          name: Ada\n"), "{plain}");
}

const ECHO: &str = r#"name: z
trigger: { type: webhook, connection: form, path: /hooks/form, key: "{{ record.id }}" }
actions:
  - { id: post, type: http, connection: sink, headers: { X-Foo: b, x-again: a }, json: "{{ record }}" }
  - { id: each, type: http, connection: sink, each: $.l, json: { item: "{{ item }}" } }
"#;

#[test]
fn lists_flush_with_their_keys_stay_so() {
    let record = "record: { id: 1, l: [1, 2, 3], m: { a: 1 }, n: 4 }";
    let tests = with(&format!(
        r#"  - name: longer
    {record}
    expect:
      post:
        json:
          l: # all
          # first
          - 2 # two
          # last
          - 3 # three
          m:
          - 9 # nine
          # and
          - 8
          n:
          - - 1
            - 2
      each:
        each:
        - json: {{ item: 1 }} # one
  - name: shorter
    {record}
    expect:
      post:
        json:
          l:
          - 1 # one
          # between
          - 7 # seven
          # kept
          - 8 # eight
          # of the last
          - 3 # three
          # end
"#
    ));
    let (text, failing) = rewritten_of(ECHO, &tests, &[]);
    assert_eq!(failing, "");
    insta::assert_snapshot!(text, @r#"
    zap: z
    tests:
      - name: longer
        record: { id: 1, l: [1, 2, 3], m: { a: 1 }, n: 4 }
        expect:
          post:
            json:
              l: # all
              # first
              - 1
              - 2 # two
              # last
              - 3 # three
              m:
                # nine
                # and
                a: 1
              n: 4
          each:
            each:
            - json: { item: 1 } # one
            - json:
                item: 2
            - json:
                item: 3
      - name: shorter
        record: { id: 1, l: [1, 2, 3], m: { a: 1 }, n: 4 }
        expect:
          post:
            json:
              l:
              - 1 # one
              # between
              - 2 # seven
              # kept
              # of the last
              - 3 # three
              # end
    "#);
}

#[test]
fn headers_are_found_in_any_case() {
    let tests = with(
        r#"  - name: other
    record: { id: 1, l: [] }
    expect:
      post:
        headers:
          X-FOO: a # why
          X-Gone: c
  - name: exact
    record: { id: 1, l: [] }
    expect: { post: { exact: true, json: { id: 1, l: [] }, headers: { X-Again: a } } }
"#,
    );
    let (text, failing) = rewritten_of(ECHO, &tests, &[]);
    assert_eq!(failing, "");
    insta::assert_snapshot!(text, @r#"
    zap: z
    tests:
      - name: other
        record: { id: 1, l: [] }
        expect:
          post:
            headers:
              X-FOO: b # why
      - name: exact
        record: { id: 1, l: [] }
        expect: { post: { exact: true, json: { id: 1, l: [] }, headers: { X-Again: a, x-foo: b } } }
    "#);
    let twice = with(
        "  - { name: a, record: { id: 1, l: [] }, expect: { post: { headers: { X-Foo: b, x-foo: b } } } }\n",
    );
    let bench = Bench::new(ECHO, &[("zaps/shop/z.test.yaml", &twice)], &[]);
    insta::assert_snapshot!(bench.findings(), @"zaps/shop/z.test.yaml:3:81 ZR0107 `X-Foo` and `x-foo` are the same header | keep one of the two (zaps/shop/z.test.yaml:3:71 it is here first)");
}

#[test]
fn what_is_made_is_told() {
    let tests = with(
        "  - { name: a, record: { id: 1, l: [] }, expect: { post: { headers: { x-foo: a }, json: { l: 1 } } } }\n",
    );
    let bench = Bench::new(ECHO, &[("zaps/shop/z.test.yaml", &tests)], &[]);
    let case = &bench.cases[0];
    let mut fixes: Vec<Fix> =
        case.check(bench.zap.as_ref().unwrap()).into_iter().filter_map(|d| d.fix).collect();
    fixes.push(Fix { pointer: "/post/headers/x-gone".to_owned(), to: None });
    let rewritten = rewrite("zaps/shop/z.test.yaml", &tests, &[(case.expectation().unwrap(), fixes)]);
    assert_eq!(rewritten.made, vec![vec![true, true, false]]);
}

#[test]
fn what_an_alias_brings_in_is_left_alone() {
    let tests = with(
        r#"  - name: anchor
    record: fixtures/sale.json
    expect: { post: &post { json: { order: D6C8C390A7 } } }
  - name: alias
    record: { $from: fixtures/sale.json, orderId: X }
    expect: { post: *post }
"#,
    );
    let (text, failing) = rewritten(&tests, &[]);
    assert_eq!((text, failing.as_str()), (tests, "FAIL alias\n"));
}

/// Texts that YAML may take for something else, or not at all.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,8}",
        "\\PC{0,8}",
        "(a|\n| |#|:|'|\"|-|\t){0,6}",
        Just("5".to_owned()),
        Just("no".to_owned())
    ]
}

/// How a wrong value may be written.
fn wrong() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("wrong"),
        Just("'wrong'"),
        Just("\"wrong\""),
        Just("7"),
        Just("null"),
        Just("[]"),
        Just("{ a: 1 }"),
        Just("|\n            wrong\n            lines"),
        Just("|-\n            wrong"),
        Just(">-\n            wrong\n            lines"),
        Just("\n            - a # b\n            - b"),
        Just("\n            a: 1\n            b: { c: 2 }"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_rewritten_passes_and_the_rest_stays(
        name in text(), item in text(), cents in 1_100_u32..9_000,
        wrong in proptest::collection::vec(wrong(), 4), commented in any::<bool>(),
    ) {
        let quote = |text: &str| crate::value::Value::text(text).to_json().unwrap();
        let record = format!(
            r#"{{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","dateCreated":"2026-09-16 14:25:31",
            "firstName":{},"totalAmount":"{}.{:02}","items":[{{"productId":1,"name":{}}}]}}"#,
            quote(&name), cents / 100, cents % 100, quote(&item),
        );
        let comment = if commented { "   # why" } else { "" };
        let head = "# head\nzap: z\ntests:\n  - name: before\n    record: fixtures/record.json\n    expect: { post: done } # { post: x }\n  - name: it # self\n    record: fixtures/record.json\n    expect:";
        let tail = "\n  # between\n  - { name: after, record: fixtures/record.json, expect: { each: { each: [{}] } } } # end\n";
        let body = format!(
            "\n      post:\n        json:\n          name: {}{}\n          total: {}\n          lines: {}\n      note: {}",
            wrong[0], if wrong[0].contains('\n') { "" } else { comment }, wrong[1], wrong[2],
            if cents > 4_000 { "skipped" } else { "done" },
        );
        let (text, failing) = rewritten(&format!("{head}{body}{tail}"), &[("zaps/shop/fixtures/record.json", &record)]);
        prop_assert_eq!(failing, "", "{}", text);
        prop_assert!(text.starts_with(head) && text.ends_with(tail), "{}", text);
        prop_assert!(!commented || wrong[0].contains('\n') || text.contains(comment), "{}", text);
    }
}
