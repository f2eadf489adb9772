//! Triggers whose keys do not go together.

use super::*;

/// The findings of a zap with this trigger.
fn trigger(text: &str) -> String {
    let actions = "actions: [{ id: send, type: http, connection: slack, json: { a: 1 } }]";
    shown(&with_zaps(&[&format!("name: z\ntrigger:\n  {}\n{actions}\n", text.replace('\n', "\n  "))]))
        .replace("zaps/0.yaml:", "")
}

fn orders(kind: &str, more: &str) -> String {
    trigger(&format!("type: konnektive.orders\nconnection: crm\norder_type: {kind}\n{more}"))
}

#[test]
fn options_belong_to_kinds() {
    for kind in ["new_sale", "declined"] {
        assert_eq!(orders(kind, "cycles: all"), "", "{kind}");
    }
    for kind in ["cancelled", "new_lead", "rebill", "refunded", "shipped"] {
        assert_eq!(
            orders(kind, "cycles: all"),
            format!(
                "6:3 ZR0210 `cycles` says nothing about {kind} | remove it: it belongs to new_sale, declined and decline\n"
            )
        );
    }
    assert_eq!(orders("new_lead", "own: true\ninclude_bought: true"), "");
    insta::assert_snapshot!(orders("shipped", "own: true\ninclude_bought: true"), @r"
    6:3 ZR0210 `own` says nothing about shipped | remove it: it belongs to `order_type: new_lead`
    7:3 ZR0210 `include_bought` says nothing about shipped | remove it: it belongs to `order_type: new_lead`
    ");
    let transactions = |kind: &str, more: &str| {
        trigger(&format!("type: konnektive.transactions\nconnection: crm\ntransaction_type: {kind}\n{more}"))
    };
    assert_eq!(transactions("refund", "include_voids: true"), "");
    assert_eq!(transactions("decline", "cycles: all"), "");
    insta::assert_snapshot!(transactions("chargeback", "include_voids: true\ncycles: all"), @r"
    6:3 ZR0210 `include_voids` says nothing about chargeback | remove it: it belongs to `transaction_type: refund`
    7:3 ZR0210 `cycles` says nothing about chargeback | remove it: it belongs to new_sale, declined and decline
    ");
    insta::assert_snapshot!(transactions("refund", "settle: 30m"), @"6:3 ZR0202 unknown key `settle` | known keys are `type`, `connection`, `transaction_type`, `every`, `sweep`, `start`, `where`, `cycles`, `include_test`, `include_voids`, `also`, `once_per`, `catch_up`");
    assert_eq!(trigger("type: konnektive.customers\nconnection: crm"), "");
}

#[test]
fn an_order_settles_before_the_wait_is_over() {
    assert_eq!(orders("new_sale", "settle: 30m"), "");
    assert_eq!(orders("new_sale", "settle: 30m\nsettle_max: 30m"), "");
    insta::assert_snapshot!(orders("new_sale", "settle_max: 1h"), @"6:3 ZR0210 `settle_max` says nothing without `settle` | add `settle:`, or remove `settle_max:`");
    insta::assert_snapshot!(orders("new_sale", "settle: 30m\nsettle_max: 10m"), @"7:15 ZR0206 `settle_max` is shorter than `settle`: no order would be quiet for 30m | write 30m or more (6:11 `settle` is here)");
}

#[test]
fn times_are_those_of_a_calendar_and_a_zone() {
    let schedule =
        |cron: &str, zone: &str| trigger(&format!("type: schedule\ncron: {cron}\ntimezone: {zone}"));
    assert_eq!(schedule("\"0 8 * * 1-5\"", "America/New_York"), "");
    insta::assert_snapshot!(schedule("\"0 25 * * *\"", "America/New_York"), @r#"4:9 ZR0205 `0 25 * * *` is no cron expression: `25` is no hour: 0 to 23, lists `1,2`, ranges `1-5`, steps `*/2` and `1-5/2` | write minute, hour, day of month, month, day of week: "0 8 * * 1-5" is 8:00 from Monday to Friday"#);
    insta::assert_snapshot!(schedule("\"0 0 30 2 *\"", "UTC"), @r#"4:9 ZR0205 `0 0 30 2 *` is no cron expression: no day of the calendar is like that | write minute, hour, day of month, month, day of week: "0 8 * * 1-5" is 8:00 from Monday to Friday"#);
    insta::assert_snapshot!(schedule("\"0 8 * * *\"", "America/NewYork"), @"5:13 ZR0306 there is no time zone `America/NewYork` | did you mean `America/New_York`?");
}

#[test]
fn a_polled_api_is_a_connection_or_an_address() {
    let http =
        |more: &str| trigger(&format!("type: http\n{more}\nitems: $.data\nkey: \"{{{{ record.id }}}}\""));
    assert_eq!(http("connection: slack"), "");
    assert_eq!(http("url: https://api.example.com/items"), "");
    insta::assert_snapshot!(http("path: /x"), @r"
    3:3 ZR0203 the trigger has neither `connection` nor `url` | add `connection:` with the name of an http connection, or `url:`
    4:3 ZR0210 `path` follows the address of a connection, and there is none | write the whole address in `url:`
    ");
    insta::assert_snapshot!(http("connection: crm"), @"4:15 ZR0304 the connection `crm` is of type konnektive, not http | connections of type http are `slack` (zaprun.yaml:3:3 it is declared here)");
    insta::assert_snapshot!(http("connection: slack\njson: { a: 1 }"), @"5:3 ZR0211 `json` gives a GET a body | write `query:`, or another method");
    assert_eq!(http("connection: slack\nmethod: POST\njson: { a: 1 }"), "");
}
