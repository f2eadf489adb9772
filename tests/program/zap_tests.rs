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
      post.json.order
        expected  "B2"
        got       "A1"
      post.json.total
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
              "expected": "\"B2\"",
              "got": "\"A1\"",
              "help": null
            },
            {
              "place": "post.json.total",
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
