//! `zaprun test --cases`: what made-up records break, and how it is told, saved and made again.

use crate::harness::{Lab, shown};

/// A coupon that may be missing, a property that does not hold, and a comment that must stay.
const FRAGILE: &str = r#"name: fragile
# Every sale goes to the API.
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: post
    type: http
    connection: api
    json:
      order: $.orderId
      coupon: "{{ record.couponCode }}" # not every buyer has one
  - id: count
    type: http
    connection: api
    json: { total: "{{ record.totalAmount }}" }
tests:
  - name: a sale is posted
    record: fixtures/sale.json
    expect: { post: done } # and counted

  # The end.
"#;

/// Nothing is wrong with it.
const SOUND: &str = r#"name: sound
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - { id: post, type: http, connection: api, json: { order: $.orderId, coupon: "{{ record.couponCode | default('') }}" } }
"#;

const SALE: &str = r#"{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","totalAmount":"49.90","couponCode":"X"}"#;

fn lab() -> Lab {
    let lab = Lab::new(&[]);
    lab.write("zaps/fragile.yaml", FRAGILE);
    lab.write("zaps/sound.yaml", SOUND);
    lab.write("zaps/fixtures/sale.json", SALE);
    lab
}

const SEEDED: [&str; 5] = ["test", "--cases", "64", "--seed", "7"];

#[test]
fn the_smallest_record_that_fails_is_told() {
    let lab = lab();
    let ran = lab.zaprun(&SEEDED).expect(1);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✗ fragile: 64 orders
      given up: step `post`
        zaps/fragile.yaml:10  actions[0].json.coupon
        `record.couponCode` is missing
        hint: give it a value with `| default(…)`, or ask `is defined`
        record  {"orderId":"0000000000","orderType":"NEW_SALE","orderStatus":"COMPLETE"}
        19 cases: zaprun test fragile --cases 64 --seed 7
      odd records fail in 1 way, which `--verbose` tells
    ✓ sound: 64 orders, 1 not taken

    --- stderr
    warning[ZR0411]: `record.couponCode` is null in some rows, and the run is given up then
      --> zaps/fragile.yaml:10:19
       |
    10 |       coupon: "{{ record.couponCode }}" # not every buyer has one
       |                   ^^^^^^^^^^^^^^^^^
       |
       = help: write `record.couponCode | default('')`, or let only those pass that have it: `filter: "{{ record.couponCode is defined }}"`
    failed: 1 of 2 zaps, 128 records made up, seed 7
    "#);
    assert_eq!(lab.zaprun(&SEEDED).expect(1).all(), ran.all(), "the same seed, the same words");
    lab.zaprun(&["test", "sound", "--cases", "64"])
        .expect(0)
        .says("passed: 1 zap, 64 records made up, seed ");
    assert!(lab.received().is_empty() && lab.crm().crm_count() == 0, "nothing is asked and nothing is sent");
}

#[test]
fn machines_are_told_the_same() {
    let lab = lab();
    let ran = lab.zaprun(&["test", "fragile", "--cases", "64", "--seed", "7", "--format", "json"]).expect(1);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let failure = &told["zaps"][0]["failures"][0];
    assert_eq!(told["seed"], 7);
    assert_eq!(failure["law"], "given up");
    assert_eq!(failure["field"], "record.couponCode");
    assert_eq!(failure["line"], 10);
    assert_eq!(failure["record"]["orderStatus"].as_str().map(str::is_empty), Some(false));
    let ran = lab.zaprun(&["test", "--cases", "64", "--seed", "7", "--format", "junit"]).expect(1);
    insta::assert_snapshot!(ran.out, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="zaprun" tests="2" failures="1" errors="0">
      <testsuite name="fragile" tests="1" failures="1" errors="0">
        <testcase classname="fragile" name="given up: step `post`" file="zaps/fragile.yaml" line="10">
          <failure message="`record.couponCode` is missing">  given up: step `post`
        zaps/fragile.yaml:10  actions[0].json.coupon
        `record.couponCode` is missing
        hint: give it a value with `| default(…)`, or ask `is defined`
        record  {&quot;orderId&quot;:&quot;0000000000&quot;,&quot;orderType&quot;:&quot;NEW_SALE&quot;,&quot;orderStatus&quot;:&quot;COMPLETE&quot;}
        19 cases: zaprun test fragile --cases 64 --seed 7
    </failure>
        </testcase>
      </testsuite>
      <testsuite name="sound" tests="1" failures="0" errors="0">
        <testcase classname="sound" name="64 orders, 1 not taken" file="zaps/sound.yaml"/>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn what_is_saved_fails_until_the_zap_is_mended() {
    let lab = lab();
    lab.zaprun(&["test"]).expect(0);
    let saved = lab.zaprun(&["test", "--cases", "64", "--seed", "7", "--save"]).expect(1);
    insta::assert_snapshot!(shown(&saved.err), @r#"
    warning[ZR0411]: `record.couponCode` is null in some rows, and the run is given up then
      --> zaps/fragile.yaml:10:19
       |
    10 |       coupon: "{{ record.couponCode }}" # not every buyer has one
       |                   ^^^^^^^^^^^^^^^^^
       |
       = help: write `record.couponCode | default('')`, or let only those pass that have it: `filter: "{{ record.couponCode is defined }}"`
    wrote zaps/fixtures/fragile-case-0d84fa6b.json
    added the test `case: given up post: `record.couponCode` is missing` to zaps/fragile.yaml
    failed: 1 of 2 zaps, 128 records made up, seed 7
    "#);
    let zap = std::fs::read_to_string(lab.path("zaps/fragile.yaml")).unwrap();
    insta::assert_snapshot!(zap, @r#"
    name: fragile
    # Every sale goes to the API.
    trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
    actions:
      - id: post
        type: http
        connection: api
        json:
          order: $.orderId
          coupon: "{{ record.couponCode }}" # not every buyer has one
      - id: count
        type: http
        connection: api
        json: { total: "{{ record.totalAmount }}" }
    tests:
      - name: a sale is posted
        record: fixtures/sale.json
        expect: { post: done } # and counted
      - name: "case: given up post: `record.couponCode` is missing"
        record: fixtures/fragile-case-0d84fa6b.json
        expect: { post: done }

      # The end.
    "#);
    let ran = lab.zaprun(&["test"]).expect(1);
    ran.says("`record.couponCode` is missing");
    // Once is enough.
    lab.zaprun(&["test", "--cases", "64", "--seed", "7", "--save"]).expect(1).says("is there already");
    assert_eq!(std::fs::read_to_string(lab.path("zaps/fragile.yaml")).unwrap(), zap);
    lab.write("zaps/fragile.yaml", zap.replace("record.couponCode }}", "record.couponCode | default('') }}"));
    lab.zaprun(&["test"]).expect(0);
    lab.zaprun(&SEEDED).expect(0);
}

#[test]
fn properties_are_checked_when_written_and_hold_for_every_record() {
    let lab = lab();
    let with = |check: &str| format!("{SOUND}properties:\n  - {{ name: few, check: \"{check}\" }}\n");
    lab.write("zaps/sound.yaml", with("{{ request | length == 1 }}"));
    lab.zaprun(&["validate"]).expect(1).says("did you mean `requests`?");
    lab.write("zaps/sound.yaml", with("{{ requests | length }}"));
    lab.zaprun(&["validate"]).expect(1).says("a condition is true or false");
    lab.write(
        "zaps/sound.yaml",
        with("{{ outcome == 'delivered' and requests[0].json.order == record.orderId }}"),
    );
    lab.zaprun(&["test", "sound", "--cases", "64", "--seed", "7"]).expect(0);
    lab.write("zaps/sound.yaml", with("{{ requests[0].json.coupon != '' }}"));
    let ran = lab.zaprun(&["test", "sound", "--cases", "64", "--seed", "7"]).expect(1);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    ✗ sound: 64 orders
      property: few
        zaps/sound.yaml:6
        it does not hold
        record  {"orderId":"0000000000","orderType":"NEW_SALE","orderStatus":"COMPLETE"}
        post would send
          POST {api}
          idempotency key KEY
          content-type: application/json
          {
            "order": "0000000000",
            "coupon": ""
          }
        19 cases: zaprun test sound --cases 64 --seed 7

    --- stderr
    failed: 1 of 1 zap, 64 records made up, seed 7
    "#);
    // The same law holds for what its tests give.
    let tests = "tests:\n  - { name: bare, record: { orderId: A1, orderStatus: COMPLETE, orderType: NEW_SALE }, expect: { post: done } }\n";
    lab.write("zaps/sound.yaml", with("{{ requests[0].json.coupon != '' }}") + tests);
    lab.zaprun(&["test", "sound"]).expect(1).says("property few");
}

#[test]
fn what_has_nothing_to_try_says_so() {
    let lab = Lab::new(&[]);
    lab.write(
        "zaps/poll.yaml",
        "name: poll\ntrigger: { type: http, connection: api, path: things, items: '$.data[*]', key: '{{ record.id }}' }\nactions:\n  - { id: post, type: http, connection: api, json: { id: $.id } }\n",
    );
    lab.write(
        "zaps/rare.yaml",
        "name: rare\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\nfilter: \"{{ record.campaignName == vars.channel }}\"\nactions:\n  - { id: post, type: http, connection: api, json: { id: $.orderId } }\n",
    );
    insta::assert_snapshot!(lab.zaprun(&["test", "--cases", "64", "--seed", "7"]).expect(0).all(), @r"
    --- stdout
    - poll: nothing to make records from
    ✓ rare: 64 orders, 1 not taken, 62 filtered
      odd records fail in 1 way, which `--verbose` tells

    --- stderr
    warning: poll: nothing to make records from: no table says what arrives, and no test has a record
    hint: write a test with a record that arrives, or `schema:` at the trigger
    warning: rare: 62 of 63 records are filtered, so that its steps are hardly tried
    hint: write a test with a record that passes the filter: its values are used
    passed: 2 zaps, 64 records made up, seed 7
    ");
}

#[test]
fn usage() {
    let lab = lab();
    insta::assert_snapshot!(lab.zaprun(&["test", "--save"]).expect(2).err, @r"
    error: `--save` writes what `--cases` finds
    hint: add `--cases 256`
    ");
    insta::assert_snapshot!(lab.zaprun(&["test", "--cases", "4", "--list"]).expect(2).err, @r"
    error: `--cases` makes records up and runs no tests
    hint: leave out `--filter` and `--list`; name the zaps instead
    ");
    lab.zaprun(&["test", "--cases", "0"]).expect(2);
}

#[test]
fn a_failure_stands_where_its_property_does() {
    let lab = lab();
    let properties = "properties:\n  - { name: fine, check: \"{{ true }}\" }\n  # twice\n  - { name: never, check: \"{{ requests | length > 1 }}\" }\n";
    lab.write("zaps/sound.yaml", SOUND.to_owned() + properties);
    let line = SOUND.lines().count() + 4;
    lab.zaprun(&["test", "sound", "--cases", "8", "--seed", "7"])
        .expect(1)
        .says(&format!("zaps/sound.yaml:{line}"));
}
