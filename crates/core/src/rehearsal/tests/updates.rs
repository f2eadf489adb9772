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
    let mut text = text.to_owned();
    for _ in 0..6 {
        let bench = Bench::new(ZAP, &[("zaps/shop/z.test.yaml", &text)], fixtures);
        assert_eq!(bench.findings(), "", "{text}");
        let zap = bench.zap.as_ref().unwrap();
        let fixes: Vec<(crate::source::Span, Vec<Fix>)> = bench
            .cases
            .iter()
            .map(|case| {
                (case.expectation().unwrap(), case.check(zap).into_iter().filter_map(|d| d.fix).collect())
            })
            .collect();
        let next = rewrite("zaps/shop/z.test.yaml", &text, &fixes);
        if next == text {
            break;
        }
        text = next;
    }
    let told = Bench::new(ZAP, &[("zaps/shop/z.test.yaml", &text)], fixtures).results();
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
                - name: Kit
                - name: Serum   # one alone
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
        expect: { post: { path: "/post", json: { order: D6C8C390A7, name: Ada, total: 49.90, lines: [{ name: Kit }, { name: Serum }] } }, note: { form: { total: "49.90", name: Ada } }, each: { each: [{ text: Kit }, { text: Serum }] } } # at first
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
fn text() -> impl Strategy<Value = String> {
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
