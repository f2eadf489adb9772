//! Broken zaps, and what a person is told.

use super::*;

/// The findings of one zap.
fn zap(text: &str) -> String {
    shown(&with_zaps(&[text])).replace("zaps/0.yaml:", "")
}

/// A good zap with one part replaced.
fn edited(part: &str, by: &str) -> String {
    assert!(GOOD.contains(part), "{part}");
    zap(&GOOD.replacen(part, by, 1))
}

const GOOD: &str = "\
name: new-sale
trigger:
  type: konnektive.orders
  connection: crm
  order_type: new_sale
actions:
  - id: send
    type: http
    connection: slack
    json: { order: $.orderId }
";

#[test]
fn good() {
    assert_eq!(zap(GOOD), "");
}

#[test]
fn the_eight_cases() {
    insta::assert_snapshot!(edited("actions:", "fillter: \"{{ true }}\"\nactions:"), @"");
    insta::assert_snapshot!(edited("new_sale\n", "new_sales\n"), @"");
    insta::assert_snapshot!(edited("    json:", "    retry: { for: five }\n    json:"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nname: other"), @"");
    insta::assert_snapshot!(edited("  type: konnektive.orders", "\ttype: konnektive.orders"), @"");
    insta::assert_snapshot!(edited("    json: {", "    jsn: {"), @"");
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{{ record.orderId }}"), @"");
    insta::assert_snapshot!(edited("  order_type: new_sale\n", ""), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\ndescription:"), @"");
}

#[test]
fn all_at_once() {
    let text = "\
name: New Sale
enabled: no
trigger:
  type: konnektive.orders
  conection: crm
  order_type: sale
  every: 30
filter: true
let: { first-name: x }
actions:
  - id: send mail
    type: http
    url: https://api.example.com
    connection: slak
    json: 1
    form: {}
    retry: { for: 1 day, frist: 1s }
  - type: mail
  - just text
extra: 1
";
    insta::assert_snapshot!(zap(text), @"");
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(zap("just text\n"), @"");
    insta::assert_snapshot!(zap("- a\n- b\n"), @"");
    insta::assert_snapshot!(zap("{}\n"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: 12"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nenabled: \"true\""), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nenabled: yes"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\ndescription: [a]"), @"");
    insta::assert_snapshot!(edited("trigger:\n  type: konnektive.orders\n  connection: crm\n  order_type: new_sale", "trigger: crm"), @"");
    insta::assert_snapshot!(edited("  - id: send\n    type: http\n    connection: slack\n    json: { order: $.orderId }\n", "  id: send\n"), @"");
    insta::assert_snapshot!(edited("actions:\n  - id: send\n    type: http\n    connection: slack\n    json: { order: $.orderId }\n", "actions: []\n"), @"");
    insta::assert_snapshot!(edited("name: new-sale\n", "name:\n"), @"");
}

#[test]
fn formats() {
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: 1 minute"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: \"30\""), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: 999999999d"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: yesterday"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: 2026-02-30"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: 2026"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: New_Sale"), @"");
    insta::assert_snapshot!(edited("id: send", "id: send-mail"), @"");
    insta::assert_snapshot!(edited("    json:", "    method: post\n    json:"), @"");
    insta::assert_snapshot!(edited("    json:", "    method: FETCH\n    json:"), @"");
}

#[test]
fn not_available() {
    insta::assert_snapshot!(edited("konnektive.orders", "schedule"), @"");
    insta::assert_snapshot!(edited("type: http", "type: konnektive.create_sale"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  settle: 30m\n  catch_up: send"), @"");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nlimits: { writes: 10/h }"), @"");
    insta::assert_snapshot!(edited("konnektive.orders", "konnektive.order"), @"");
    insta::assert_snapshot!(edited("type: http", "type: htpp"), @"");
}

#[test]
fn keys_that_depend_on_others() {
    insta::assert_snapshot!(edited("    connection: slack\n", ""), @"");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://api.example.com\n    path: /x\n"), @"");
    insta::assert_snapshot!(edited("    json:", "    url: https://api.example.com\n    json:"), @"");
    insta::assert_snapshot!(edited("    json:", "    text: hello\n    json:"), @"");
    insta::assert_snapshot!(edited("    json:", "    method: GET\n    json:"), @"");
    insta::assert_snapshot!(edited("    json:", "    as: line\n    json:"), @"");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: api.example.com/x\n"), @"");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  include_bought: true"), @"");
    assert_eq!(edited("    connection: slack\n", "    url: \"https://{{ vars.host }}/x\"\n"), "");
}

#[test]
fn where_conditions() {
    assert_eq!(edited("order_type: new_sale", "order_type: new_sale\n  where: { campaignId: [12, \"15\"], paySource: CREDITCARD }"), "");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  where: { campaignId: { in: [1] }, a: [], b: [[1]], c: }"), @"");
}

#[test]
fn names_across_files() {
    let other = GOOD.replace("name: new-sale", "name: other\nformerly: new-sale");
    insta::assert_snapshot!(shown(&with_zaps(&[GOOD, GOOD, &other])), @"");
    insta::assert_snapshot!(edited("    json: { order: $.orderId }\n", "    json: 1\n  - { id: send, type: http, connection: slack }\n"), @"");
    insta::assert_snapshot!(edited("connection: crm", "connection: slack"), @"");
    insta::assert_snapshot!(edited("connection: slack", "connection: crm"), @"");
    insta::assert_snapshot!(edited("connection: slack", "connection: slakc"), @"");
}

#[test]
fn a_broken_file_hides_no_other() {
    let unreadable = File { path: "zaps/dir.yaml".to_owned(), content: Err("it is a directory".to_owned()) };
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![
            file("zaps/a.yaml", "name: [\n"),
            unreadable,
            file("zaps/b.yaml", b"name: \xff\n"),
            file("zaps/c.yaml", "# nothing yet\n"),
            file("zaps/d.yaml", GOOD.replace("crm", "crn")),
            file("zaps/e.yaml", GOOD),
        ],
        env: None,
    };
    let loaded = load(&input, None);
    insta::assert_snapshot!(shown(&loaded), @"");
    assert!(loaded.zap("new-sale").is_some_and(|zap| zap.definition.is_some()));
}

#[test]
fn variables_and_secrets_in_zaps() {
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{ key: \"${API_KEY}\", ok: \"$${API_KEY}\", price: \"$5 {x}\" }"), @"");
    insta::assert_snapshot!(edited("    json:", "    headers: { Authorization: Bearer abc, X-Api-Key: \"{{ vars.key }}\" }\n    json:"), @"");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://me:secret@api.example.com/x\n"), @"");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://api.example.com/x?access_token=abc\n"), @"");
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{ token: xoxb-1234567890-abcdefghij }"), @"");
}

#[test]
fn ignore_comments() {
    let zip = |comment: &str| edited("{ order: $.orderId }", &format!("{{ zip: 01234 }} {comment}"));
    assert_eq!(zip("# zaprun: ignore ZR0114 -- zip codes are text"), "");
    assert_eq!(edited("    json: { order", "    # zaprun: ignore ZR0114 -- zip codes are text\n\n    # and so on\n    json: { zip: 01234, order"), "");
    insta::assert_snapshot!(zip("# zaprun: ignore ZR0114"), @"");
    insta::assert_snapshot!(zip("# zaprun: ignore -- because"), @"");
    insta::assert_snapshot!(zip("# zaprun: ignore ZR9999 -- because"), @"");
    insta::assert_snapshot!(zip("# zaprun: ignore ZR0113, ZR0115 -- because"), @"");
    insta::assert_snapshot!(zip("# zaprun: off"), @"");
    insta::assert_snapshot!(edited("new_sale\n", "sale # zaprun: ignore ZR0204 -- later\n"), @"");
    // In a text it is no comment.
    assert_eq!(edited("{ order: $.orderId }", "\"x # zaprun: ignore ZR0114\""), "");
}

#[test]
fn values_keep_what_was_written() {
    let loaded = with_zaps(&[&GOOD.replace("{ order: $.orderId }", "{ price: 19.90, big: 123456789, list: [1e5] }")]);
    let zap = &loaded.zaps[0];
    let tree = zap.tree.as_ref().unwrap();
    let crate::definition::Action::Http(action) = &zap.definition.as_ref().unwrap().actions[0].value;
    let json = action.json.unwrap().0;
    let number = |node| tree.node(node).kind.clone();
    assert_eq!(number(tree.get(json, "price").unwrap()), yaml::Kind::Number("19.90".into()));
    let list = tree.get(json, "list").unwrap();
    assert_eq!(number(tree.items(list)[0]), yaml::Kind::Number("1e5".into()));
    assert_eq!(loaded.sources.slice(tree.span(action.id.node)), "send");
}

#[test]
fn many_zaps_are_one_pass() {
    let zaps: Vec<String> = (0..1000).map(|n| GOOD.replace("new-sale", &format!("new-sale-{n}"))).collect();
    let zaps: Vec<&str> = zaps.iter().map(String::as_str).collect();
    let loaded = with_zaps(&zaps);
    assert_eq!(shown(&loaded), "");
    assert!(loaded.zaps.iter().all(|zap| zap.definition.is_some()));
}
