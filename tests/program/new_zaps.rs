//! `zaprun new`: a first edition of a zap.

use crate::harness::{Lab, shown};

const SALE: [&str; 9] = [
    "new",
    "sale-to-api",
    "--trigger",
    "konnektive.orders",
    "--order-type",
    "new_sale",
    "--action",
    "http",
    "--to",
];

fn sale() -> Vec<&'static str> {
    SALE.into_iter().chain(["api"]).collect()
}

#[test]
fn a_new_zap_is_valid_and_tested_and_is_never_overwritten() {
    let lab = Lab::new(&[]);
    let ran = lab.zaprun(&sale()).expect(0);
    let text = std::fs::read_to_string(lab.path("zaps/sale-to-api.yaml")).unwrap();
    insta::assert_snapshot!(format!("{}\n--- file\n{text}", shown(&ran.all())), @r#"
    --- stdout
    zaps/sale-to-api.yaml

    --- stderr
    hint: `zaprun render sale-to-api --test "an example"` shows what it sends

    --- file
    # yaml-language-server: $schema=../schemas/zap.schema.json
    name: sale-to-api
    description: Calls api when an order was sold

    trigger:
      type: konnektive.orders
      connection: crm
      order_type: new_sale

    actions:
      - id: send
        type: http
        connection: api
        json:
          event: "{{ event.id }}"
          at: "{{ event.at }}"
          orderId: $.orderId

    tests:
      - name: an example
        record:
          orderId: D6C8C390A7
          orderStatus: COMPLETE
          orderType: NEW_SALE
          campaignId: 12
          dateCreated: "2026-09-16 14:25:31"
          dateUpdated: "2026-09-16 14:25:40"
        expect: { send: { json: { orderId: "D6C8C390A7" } } }
    "#);
    lab.zaprun(&["validate", "--tests", "--strict"]).expect(0).says("1 test run");
    lab.zaprun(&sale()).expect(2).says("zaps/sale-to-api.yaml has a zap `sale-to-api` already");
    // Nor a file that holds something else.
    lab.write("zaps/other.yaml", "# mine\n");
    let mut other = sale();
    other[1] = "other";
    lab.zaprun(&other).expect(2).says("zaps/other.yaml is there already");
    assert_eq!(std::fs::read_to_string(lab.path("zaps/other.yaml")).unwrap(), "# mine\n");
}

#[test]
fn it_goes_where_it_is_told_and_points_to_the_schema() {
    let lab = Lab::new(&[]);
    let mut args = sale();
    args.extend(["--folder", "shop/chat"]);
    assert_eq!(lab.zaprun(&args).expect(0).out, "zaps/shop/chat/sale-to-api.yaml\n");
    let text = std::fs::read_to_string(lab.path("zaps/shop/chat/sale-to-api.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=../../../schemas/zap.schema.json\n"), "{text}");
    for folder in ["../out", "/tmp", "fixtures"] {
        let mut args = sale();
        args[1] = "another";
        args.extend(["--folder", folder]);
        lab.zaprun(&args).expect(2).says("is no folder for zaps");
    }
}

#[test]
fn without_a_terminal_what_is_missing_is_named() {
    let lab = Lab::new(&[]);
    let told = [
        lab.zaprun(&["new"]).expect(2),
        lab.zaprun(&["new", "a-zap", "--trigger", "orders", "--action", "http", "--to", "api"]).expect(2),
        lab.zaprun(&["new", "A Zap"]).expect(2),
        lab.zaprun(&["new", "a-zap", "--trigger", "odrers"]).expect(2),
        lab.zaprun(&["new", "a-zap", "--trigger", "webhook"]).expect(1),
        lab.zaprun(&["new", "a-zap", "--trigger", "schedule", "--action", "http", "--to", "apy"]).expect(2),
    ];
    let told: String = told.iter().map(|ran| ran.err.clone() + "\n").collect();
    insta::assert_snapshot!(told, @r#"
    error: NAME, --trigger, --action are missing
    hint: --trigger takes konnektive.orders, konnektive.transactions, konnektive.customers, webhook, http, schedule
    hint: --action takes http, konnektive.create_sale, konnektive.create_lead, konnektive.update_fulfillment, konnektive.cancel_order, konnektive.update_customer, konnektive.create_upsale, konnektive.confirm_order, konnektive.refund_order, konnektive.qa_order, konnektive.cancel_purchase, konnektive.refund_transaction, konnektive.blacklist_customer, konnektive.add_note, konnektive.query

    error: --order-type is missing
    hint: --order-type takes new_sale, cancelled, new_lead, rebill, declined, refunded, shipped

    error: `A Zap` is not a name for a zap
    hint: a name is small letters, digits and hyphens: sale-to-sheet

    error: --trigger does not know `odrers`
    hint: it takes konnektive.orders, konnektive.transactions, konnektive.customers, webhook, http, schedule

    error: zaprun.yaml has no connection of type webhook
    hint: add one under `connections:`; `zaprun reference project` shows how

    error: --to does not know `apy`
    hint: did you mean `api`?
    "#);
    assert!(!lab.path("zaps").exists(), "nothing was written");
}

#[test]
fn what_writes_to_the_crm_is_switched_off_and_names_its_placeholders() {
    let lab = Lab::new(&[]);
    let args = ["new", "shipped", "--trigger", "schedule", "--action", "update_fulfillment"];
    lab.zaprun(&args).expect(0).says("map.orderId").says("zaprun render shipped --test");
    lab.zaprun(&["validate", "--tests"]).expect(0);
    let text = std::fs::read_to_string(lab.path("zaps/shipped.yaml")).unwrap();
    assert!(text.contains("\nenabled: false #") && text.contains("# put yours here"), "{text}");
    lab.zaprun(&["render", "shipped", "--test", "an example"]).expect(0).says("/fulfillment/update/");
}
