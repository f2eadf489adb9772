//! `zaprun test`: what passes, what fails, and how it is told.

use crate::harness::{Lab, shown};

/// A zap with tests: one that passes, one that fails, and one of a file of its own.
const TESTED: &str = r#"name: tested
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
filter: "{{ record.totalAmount > 20 }}"
actions:
  - id: post
    type: http
    connection: api
    path: sales
    json: { order: $.orderId, total: "{{ record.totalAmount }}" }
tests:
  - name: a sale is posted
    record: fixtures/sale.json
    expect: { post: { json: { order: A1, total: 49.9 } } }
  - name: small ones are "not" <posted>
    record: { $from: fixtures/sale.json, totalAmount: "5.00" }
    expect: filtered
"#;

const SALE: &str =
    r#"{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","totalAmount":"49.90"}"#;

fn lab() -> Lab {
    let lab = Lab::new(&[]);
    lab.write("zaps/tested.yaml", TESTED);
    lab.write("zaps/fixtures/sale.json", SALE);
    lab.write(
        "zaps/tested.test.yaml",
        "zap: tested\ntests:\n  - { name: elsewhere, record: fixtures/sale.json, expect: { post: { path: /sales } } }\n",
    );
    lab
}

#[test]
fn tests_that_pass() {
    let lab = lab();
    let ran = lab.zaprun(&["test"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✓ tested: a sale is posted
    ✓ tested: small ones are "not" <posted>
    ✓ tested: elsewhere

    --- stderr
    passed: 3 tests
    "#);
    assert_eq!(lab.zaprun(&["test", "-q"]).expect(0).all(), "--- stdout\n\n--- stderr\n");
    assert!(lab.received().is_empty() && lab.crm().crm_count() == 0, "nothing is asked and nothing is sent");
}

#[test]
fn a_test_that_fails_is_told_with_what_differs() {
    let lab = lab();
    lab.write("zaps/tested.yaml", TESTED.replace("order: A1, total: 49.9 }", "order: B2, total: 50 }"));
    let ran = lab.zaprun(&["test"]).expect(1);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✗ tested: a sale is posted
      zaps/tested.yaml:11
      post.json.order :13
        expected  "B2"
        got       "A1"
      post.json.total :13
        expected  50
        got       49.90
    ✓ tested: small ones are "not" <posted>
    ✓ tested: elsewhere

    --- stderr
    failed: 1 of 3 tests
    "#);
    let ran = lab.zaprun(&["test", "tested", "--filter", "sale is", "--format", "json"]).expect(1);
    insta::assert_snapshot!(ran.out, @r#"
    {
      "valid": true,
      "passed": 0,
      "failed": 1,
      "tests": [
        {
          "zap": "tested",
          "name": "a sale is posted",
          "file": "zaps/tested.yaml",
          "line": 11,
          "passed": false,
          "differences": [
            {
              "place": "post.json.order",
              "line": 13,
              "expected": "\"B2\"",
              "got": "\"A1\"",
              "help": null
            },
            {
              "place": "post.json.total",
              "line": 13,
              "expected": "50",
              "got": "49.90",
              "help": null
            }
          ]
        }
      ]
    }
    "#);
    let ran = lab.zaprun(&["test", "--format", "junit"]).expect(1);
    insta::assert_snapshot!(ran.out, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="zaprun" tests="3" failures="1" errors="0">
      <testsuite name="tested" tests="3" failures="1" errors="0">
        <testcase classname="tested" name="a sale is posted" file="zaps/tested.yaml" line="11">
          <failure message="post.json.order: expected &quot;B2&quot;, got &quot;A1&quot;">post.json.order
      expected  &quot;B2&quot;
      got       &quot;A1&quot;
    post.json.total
      expected  50
      got       49.90
    </failure>
        </testcase>
        <testcase classname="tested" name="small ones are &quot;not&quot; &lt;posted&gt;" file="zaps/tested.yaml" line="14"/>
        <testcase classname="tested" name="elsewhere" file="zaps/tested.test.yaml" line="3"/>
      </testsuite>
    </testsuites>
    "#);
    let ran = lab.zaprun(&["validate", "--tests"]).expect(1);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    error[ZR0901]: the test fails: post.json.order: expected "B2", got "A1" (1 more)
      --> zaps/tested.yaml:11:11
       |
    11 |   - name: a sale is posted
       |           ^^^^^^^^^^^^^^^^


    --- stderr
    1 error in zaprun.yaml and 1 zap, 3 tests run
    a deployment must set API_TOKEN, CRM_LOGIN, CRM_PASSWORD, CRM_URL, HOOK_URL, SINK_URL
    "#);
    // Without it the tests are read, and not run.
    lab.zaprun(&["validate"]).expect(0);
}

#[test]
fn tests_need_no_variable_and_are_no_concern_of_a_run() {
    let mut lab = lab();
    lab.write("zaps/fixtures/sale.json", "{");
    lab.zaprun(&["validate"]).expect(1).says("ZR0902");
    lab.zaprun(&["test"]).expect(1).says("ZR0902");
    lab.once(0);
    lab.write("zaps/fixtures/sale.json", SALE);
    for name in ["CRM_URL", "CRM_LOGIN", "CRM_PASSWORD", "SINK_URL", "API_TOKEN", "HOOK_URL"] {
        lab.program().unset(name);
    }
    lab.zaprun(&["test"]).expect(0);
}

#[test]
fn a_broken_zap_hides_no_other_test_and_no_report_is_green() {
    let lab = lab();
    lab.write("zaps/broken.yaml", "name: broken\ntrigger: {}\nactions: []\n");
    let ran = lab.zaprun(&["test", "--format", "junit"]).expect(1);
    assert!(ran.out.contains("errors=\"1\"") && ran.out.contains("a sale is posted"), "{}", ran.all());
    assert!(ran.err.contains("zaps/broken.yaml"), "{}", ran.all());
    // What is wrong with others is no concern of a zap that is named.
    lab.zaprun(&["test", "tested"]).expect(0);
    lab.zaprun(&["test", "broken"]).expect(1);
}

#[test]
fn usage() {
    let lab = lab();
    insta::assert_snapshot!(lab.zaprun(&["test", "testde"]).expect(2).err, @r"
    error: there is no zap `testde`
    hint: did you mean tested?
    ");
    insta::assert_snapshot!(lab.zaprun(&["test", "--filter", "nothing"]).expect(2).err, @r"
    error: no test has a name that holds `nothing`
    hint: `zaprun test --list` names them
    ");
    insta::assert_snapshot!(lab.zaprun(&["test", "--list"]).expect(0).out, @r#"
    tested: a sale is posted
    tested: small ones are "not" <posted>
    tested: elsewhere
    "#);
    let none = Lab::new(&[crate::harness::SALES]);
    insta::assert_snapshot!(none.zaprun(&["test"]).expect(0).all(), @r"
    --- stdout

    --- stderr
    no tests: they stand under `tests:` of a zap
    ");
}

#[cfg(unix)]
#[test]
fn a_fixture_cannot_lead_out_of_the_project() {
    let lab = lab();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("sale.json"), SALE).unwrap();
    std::fs::remove_file(lab.path("zaps/fixtures/sale.json")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("sale.json"), lab.path("zaps/fixtures/sale.json"))
        .unwrap();
    lab.zaprun(&["test"]).expect(1).says("it is a link that leads out of the project");
}

/// What tests say of retries, outcomes and sequences of records.
const COURSES: &str = r#"zap: tested
tests:
  - name: a busy target is asked again
    record: fixtures/sale.json
    replies: { post: [{ status: 429, headers: { Retry-After: "3600" } }, { fault: cut }, {}] }
    expect: { $outcome: delivered, $attempts: { post: 3 } }
  - name: one that stays away ends the run
    record: fixtures/sale.json
    replies: { post: { fault: refused_connection } }
    expect: { $outcome: dead, $reason: refused }
  - name: a row that comes again is known
    records: [fixtures/sale.json, { $from: fixtures/sale.json, orderId: A2 }, fixtures/sale.json]
    expect: { $totals: { delivered: 2, known: 1 }, $attempts: { post: 2 } }
"#;

#[test]
fn tests_that_go_through_the_engine() {
    let lab = lab();
    lab.write("zaps/course.test.yaml", COURSES);
    let ran = lab.zaprun(&["test", "--filter", "a"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✓ tested: a sale is posted
    ✓ tested: small ones are "not" <posted>
    ✓ tested: a busy target is asked again
    ✓ tested: one that stays away ends the run
    ✓ tested: a row that comes again is known

    --- stderr
    passed: 5 tests
    "#);
    lab.write(
        "zaps/course.test.yaml",
        COURSES.replace("post: 3", "post: 4").replace("delivered: 2", "delivered: 3"),
    );
    let ran = lab.zaprun(&["test", "--filter", "again"]).expect(1);
    insta::assert_snapshot!(shown(&ran.all()), @r"
    --- stdout
    ✗ tested: a busy target is asked again
      zaps/course.test.yaml:3
      $attempts.post :6
        expected  4
        got       3
    ✗ tested: a row that comes again is known
      zaps/course.test.yaml:11
      $totals.delivered :13
        expected  3
        got       2

    --- stderr
    failed: 2 of 2 tests
    ");
    lab.zaprun(&["validate", "--tests"]).expect(1).says("$attempts.post: expected 4, got 3");
    assert!(lab.received().is_empty() && lab.crm().crm_count() == 0, "nothing is asked and nothing is sent");
    assert!(!lab.path("state").exists(), "and nothing is kept");
}

#[test]
fn expectations_are_rewritten_where_they_stand() {
    let lab = lab();
    let zap = TESTED.replace("{ order: A1, total: 49.9 }", "{ order: 'B2', total: 50 }   # as of May\n");
    lab.write("zaps/tested.yaml", &zap);
    lab.write(
        "zaps/course.test.yaml",
        COURSES.replace("post: 3 } }", "post: 9 } } # so often").replace("dead", "held"),
    );
    let before = lab.state();
    let ran = lab.zaprun(&["test", "--update"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✓ tested: a sale is posted
    ✓ tested: small ones are "not" <posted>
    ✓ tested: a busy target is asked again
    ✓ tested: one that stays away ends the run
    ✓ tested: a row that comes again is known
    ✓ tested: elsewhere

    --- stderr
    rewrote: 2 expectations in zaps/course.test.yaml
      6: $attempts.post: 9 -> 3
      10: $outcome: held -> dead: given up: the connection was refused
    rewrote: 2 expectations in zaps/tested.yaml
      13: post.json.order: "B2" -> "A1"
      13: post.json.total: 50 -> 49.90
    passed: 6 tests
    "#);
    let text = |path: &str| std::fs::read_to_string(lab.path(path)).unwrap();
    assert_eq!(text("zaps/tested.yaml"), zap.replace("'B2', total: 50 ", "'A1', total: 49.90 "));
    assert_eq!(text("zaps/course.test.yaml"), COURSES.replace("post: 3 } }", "post: 3 } } # so often"));
    assert_eq!(before.len(), lab.state().len());
    // Nothing is left to do.
    let ran = lab.zaprun(&["test", "--update"]).expect(0);
    assert!(!ran.err.contains("rewrote"), "{}", ran.all());
}

#[test]
fn an_update_leaves_alone_what_was_not_asked_for_or_is_not_its_own() {
    let lab = lab();
    let zap = TESTED
        .replace("order: A1, total: 49.9 }", "order: B2 }")
        .replace("expect: filtered", "expect: ignored");
    lab.write("zaps/tested.yaml", &zap);
    let text = || std::fs::read_to_string(lab.path("zaps/tested.yaml")).unwrap();
    lab.zaprun(&["test", "--update", "--filter", "nothing like it"]).expect(2);
    assert_eq!(text(), zap);
    lab.zaprun(&["test", "--update", "tested", "--filter", "small ones"]).expect(0);
    assert_eq!(text(), zap.replace("expect: ignored", "expect: filtered"));
    // One anchor, two tests that need different things of it.
    let shared = "zap: tested\ntests:\n  - { name: one, record: fixtures/sale.json, expect: &all { post: { json: { order: X } } } }\n  - { name: two, record: { $from: fixtures/sale.json, orderId: X }, expect: *all }\n";
    lab.write("zaps/tested.test.yaml", shared);
    let ran = lab.zaprun(&["test", "--update", "--filter", "o"]).expect(1);
    assert!(
        ran.err.contains("zaps/tested.test.yaml is left alone: `tested: two` would not pass any more"),
        "{}",
        ran.all()
    );
    assert_eq!(std::fs::read_to_string(lab.path("zaps/tested.test.yaml")).unwrap(), shared);
}

#[test]
fn fixtures_of_real_records_hold_nobody_and_are_records() {
    let lab = Lab::new(&[crate::harness::SALES]);
    lab.sales(3);
    // Nothing has run: they are the CRM's.
    let ran = lab.zaprun(&["record", "sales", "--last", "2"]).expect(0);
    assert_eq!(ran.out, "zaps/fixtures/sales-1.json\nzaps/fixtures/sales-2.json\n", "{}", ran.all());
    lab.once(0);
    let asked = lab.crm().crm_count();
    let ran = lab.zaprun(&["record", "sales"]).expect(0);
    let paths: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        paths,
        ["zaps/fixtures/sales-3.json", "zaps/fixtures/sales-4.json", "zaps/fixtures/sales-5.json"]
    );
    assert_eq!(lab.crm().crm_count(), asked, "the state has some");
    let read = |path: &str| std::fs::read_to_string(lab.path(path)).unwrap();
    let emails: Vec<String> =
        lab.bodies().iter().map(|body| body["email"].as_str().unwrap().to_owned()).collect();
    assert_eq!(emails.len(), 3);
    let all: String = (1..=5).map(|number| read(&format!("zaps/fixtures/sales-{number}.json"))).collect();
    assert!(emails.iter().all(|email| !all.contains(email.as_str())), "{all}");
    // The newest of both are one record, and have one stand-in.
    let email =
        |path: &str| serde_json::from_str::<serde_json::Value>(&read(path)).unwrap()["emailAddress"].clone();
    let of_crm = [email(paths[0]), email(paths[1]), email(paths[2])];
    assert!(
        of_crm.contains(&email("zaps/fixtures/sales-1.json"))
            && of_crm.contains(&email("zaps/fixtures/sales-2.json"))
    );
    // They are what a test takes.
    lab.write(
        "zaps/sales.test.yaml",
        "zap: sales\ntests:\n  - { name: real, record: fixtures/sales-3.json, expect: { post: { path: sales } } }\n",
    );
    lab.zaprun(&["test", "sales"]).expect(0);
}

#[test]
fn what_cannot_be_recorded() {
    let lab = lab();
    insta::assert_snapshot!(lab.zaprun(&["record", "tetsed"]).expect(2).err, @r"
    error: there is no valid zap `tetsed`
    hint: did you mean `tested`?
    ");
    insta::assert_snapshot!(lab.zaprun(&["record", "tested", "--out", "../elsewhere"]).expect(2).err, @r"
    error: ../elsewhere leads out of the project
    hint: write a folder of the project: --out zaps/fixtures
    ");
    insta::assert_snapshot!(lab.zaprun(&["record", "tested", "--from", "crm"]).expect(1).err, @r"
    error: there is no record of `tested`
    hint: `zaprun sample` shows what the CRM has; `zaprun run` fills the state
    ");
    assert!(
        lab.zaprun(&["record", "tested", "--from", "state"])
            .expect(1)
            .err
            .contains("nothing has run here yet")
    );
}

#[test]
fn an_update_writes_nothing_that_would_not_pass() {
    let lab = lab();
    let rest = "properties:\n  - { name: never, check: \"{{ requests[0].json.total > 99 }}\" }\n";
    let body = TESTED.replace("order: A1, total: 49.9 }", "order: B2 }") + rest;
    lab.write("zaps/tested.yaml", &body);
    // A list flush with its key, and a header that is sent no more.
    lab.write(
        "zaps/flush.yaml",
        "name: flush\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\nactions:\n  - { id: post, type: http, connection: api, headers: { X-Foo: b }, json: { l: [1, 2, 3] } }\n",
    );
    let flush = "zap: flush\ntests:\n- name: a\n  record: fixtures/sale.json\n  expect:\n    post:\n      headers: { X-FOO: a, X-Bar: c }\n      json:\n        l:\n        - 9 # nine\n        - 2\n";
    lab.write("zaps/flush.test.yaml", flush);
    let ran = lab.zaprun(&["test", "--update"]).expect(1);
    ran.says("`tested: a sale is posted` is left alone: it would not pass rewritten either");
    let text = |path: &str| std::fs::read_to_string(lab.path(path)).unwrap();
    assert_eq!(text("zaps/tested.yaml"), body);
    assert_eq!(
        text("zaps/flush.test.yaml"),
        flush
            .replace("X-FOO: a, X-Bar: c", "X-FOO: b")
            .replace("- 9 # nine\n        - 2\n", "- 1 # nine\n        - 2\n        - 3\n")
    );
    lab.zaprun(&["test", "flush"]).expect(0);
}
