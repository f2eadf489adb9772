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
    insta::assert_snapshot!(edited("actions:", "fillter: \"{{ true }}\"\nactions:"), @"6:1 ZR0202 unknown key `fillter` | did you mean `filter`?");
    insta::assert_snapshot!(edited("new_sale\n", "new_sales\n"), @"5:15 ZR0204 `order_type` cannot be `new_sales` | did you mean `new_sale`? one of `new_sale`, `cancelled`, `new_lead`, `rebill`, `declined`, `refunded`, `shipped`");
    insta::assert_snapshot!(edited("    json:", "    retry: { for: five }\n    json:"), @"10:19 ZR0205 `five` is not a duration | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nname: other"), @"2:1 ZR0107 the key `name` occurs twice in one map | keep one of the two (1:1 it is here first)");
    insta::assert_snapshot!(edited("  type: konnektive.orders", "\ttype: konnektive.orders"), @"3:1 ZR0105 a tab stands where YAML wants spaces | indent with spaces, two for each level");
    insta::assert_snapshot!(edited("    json: {", "    jsn: {"), @"10:5 ZR0202 unknown key `jsn` | did you mean `json`?");
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{{ record.orderId }}"), @r#"10:11 ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ record.orderId }}""#);
    insta::assert_snapshot!(edited("  order_type: new_sale\n", ""), @"2:1 ZR0203 `trigger` has no `order_type` | add `order_type:` with one of `new_sale`, `cancelled`, `new_lead`, `rebill`, `declined`, `refunded`, `shipped`");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\ndescription:"), @"2:1 ZR0208 `description` is empty | write text after the `:`");
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
    insta::assert_snapshot!(zap(text), @r#"
    1:7 ZR0205 `New Sale` is not a name for a zap | use small letters, digits and single hyphens: new-sale-to-sheet
    2:10 ZR0201 `enabled` takes true or false, found text | write false for a boolean, or "no" in quotes for text
    5:3 ZR0202 unknown key `conection` | did you mean `connection`?
    6:15 ZR0204 `order_type` cannot be `sale` | write one of `new_sale`, `cancelled`, `new_lead`, `rebill`, `declined`, `refunded`, `shipped`
    7:10 ZR0201 `every` takes a duration, found a number | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d
    8:9 ZR0201 `filter` takes text, found true or false | write `"{{ … }}"` with an expression that is true or false
    9:8 ZR0205 `first-name` is not a name that expressions can use | use letters, digits and underscores, a letter first: send_mail
    11:9 ZR0205 `send mail` is not a name that expressions can use | use letters, digits and underscores, a letter first: send_mail
    13:5 ZR0209 `connection` and `url` exclude each other | keep the connection, and write what follows its address as `path:` (14:5 `connection` is here)
    14:17 ZR0303 there is no connection `slak` | did you mean `slack`?
    16:5 ZR0209 `json` and `form` exclude each other | a request has one body: keep one of json, form and text (15:5 `json` is here)
    17:19 ZR0205 `1 day` is not a duration | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d
    17:26 ZR0202 unknown key `frist` | did you mean `first`?
    18:11 ZR0204 `type` cannot be `mail` | write one of `http`, `konnektive.create_sale`, `konnektive.create_lead`, `konnektive.update_fulfillment`, `konnektive.cancel_order`, `konnektive.update_customer`, `konnektive.create_upsale`, `konnektive.confirm_order`, `konnektive.refund_order`, `konnektive.qa_order`, `konnektive.cancel_purchase`, `konnektive.refund_transaction`, `konnektive.blacklist_customer`, `konnektive.add_note`, `konnektive.query`
    19:5 ZR0201 member 3 of `actions` takes a map of keys, found text | write `key: value` lines below it
    20:1 ZR0202 unknown key `extra` | known keys are `name`, `formerly`, `description`, `owner`, `enabled`, `trigger`, `filter`, `expect_every`, `let`, `actions`, `on_failure`, `properties`, `tests`
    "#);
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(zap("just text\n"), @"1:1 ZR0201 the file takes a map of keys, found text | write `key: value` lines below it");
    insta::assert_snapshot!(zap("- a\n- b\n"), @"1:3 ZR0201 the file takes a map of keys, found a list | write `key: value` lines, without `- ` before them");
    insta::assert_snapshot!(zap("{}\n"), @r"
    1:1 ZR0203 the file has no `name` | add `name:`
    1:1 ZR0203 the file has no `trigger` | add `trigger:`
    1:1 ZR0203 the file has no `actions` | add `actions:`
    ");
    insta::assert_snapshot!(edited("name: new-sale", "name: 12"), @"1:7 ZR0201 `name` takes a name, found a number | use small letters, digits and single hyphens: new-sale-to-sheet");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nenabled: \"true\""), @"2:10 ZR0201 `enabled` takes true or false, found text | write true without quotes");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nenabled: yes"), @r#"2:10 ZR0201 `enabled` takes true or false, found text | write true for a boolean, or "yes" in quotes for text"#);
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\ndescription: [a]"), @"2:15 ZR0201 `description` takes text, found a list | write one text; in quotes where it holds `: `, `{` or `[`");
    insta::assert_snapshot!(edited("trigger:\n  type: konnektive.orders\n  connection: crm\n  order_type: new_sale", "trigger: crm"), @"2:10 ZR0201 `trigger` takes a map of keys, found text | write `key: value` lines below it");
    insta::assert_snapshot!(edited("  - id: send\n    type: http\n    connection: slack\n    json: { order: $.orderId }\n", "  id: send\n"), @"7:3 ZR0201 `actions` takes a list, found a map | begin each member with `- `");
    insta::assert_snapshot!(edited("actions:\n  - id: send\n    type: http\n    connection: slack\n    json: { order: $.orderId }\n", "actions: []\n"), @"6:10 ZR0206 `actions` is an empty list | write at least one member");
    insta::assert_snapshot!(edited("name: new-sale\n", "name:\n"), @"1:1 ZR0208 `name` is empty | write a name after the `:`");
}

#[test]
fn formats() {
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: 1 minute"), @"6:10 ZR0205 `1 minute` is not a duration | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: \"30\""), @"6:10 ZR0205 `30` has no unit | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: 999999999d"), @"6:10 ZR0205 `999999999d` is longer than ten years | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: yesterday"), @"6:10 ZR0205 `yesterday` is neither now, beginning, a date nor a time | write now, beginning, a date (2026-09-16) or a time (2026-09-16T14:00:00-04:00)");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: 2026-02-30"), @"6:10 ZR0205 `2026-02-30` does not exist in the calendar | write now, beginning, a date (2026-09-16) or a time (2026-09-16T14:00:00-04:00)");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  start: 2026"), @"6:10 ZR0201 `start` takes now, beginning, a date or a time, found a number | write now, beginning, a date (2026-09-16) or a time (2026-09-16T14:00:00-04:00)");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  every: 0s"), @"6:10 ZR0206 `every` must be at least 1s | write 1s or more");
    insta::assert_snapshot!(edited("name: new-sale", "name: New_Sale"), @"1:7 ZR0205 `New_Sale` is not a name for a zap | use small letters, digits and single hyphens: new-sale-to-sheet");
    insta::assert_snapshot!(edited("id: send", "id: send-mail"), @"7:9 ZR0205 `send-mail` is not a name that expressions can use | use letters, digits and underscores, a letter first: send_mail");
    insta::assert_snapshot!(edited("    json:", "    method: post\n    json:"), @"10:13 ZR0204 `method` cannot be `post` | did you mean `POST`? one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`");
    insta::assert_snapshot!(edited("    json:", "    method: FETCH\n    json:"), @"10:13 ZR0204 `method` cannot be `FETCH` | write one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`");
}

#[test]
fn not_available() {
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  catch_up: send"), @"6:3 ZR0207 `catch_up` is not available in this version | remove it until a later version has it");
    insta::assert_snapshot!(edited("name: new-sale", "name: new-sale\nlimits: { writes: 10/h }\norder: strict"), @r"
    2:1 ZR0207 `limits` is not available in this version | remove it until a later version has it
    3:1 ZR0207 `order` is not available in this version | remove it until a later version has it
    ");
    insta::assert_snapshot!(edited("    json:", "    batch: {}\n    json:"), @"10:5 ZR0207 `batch` is not available in this version | remove it until a later version has it");
    insta::assert_snapshot!(edited("konnektive.orders", "konnektive.order"), @"3:9 ZR0204 `type` cannot be `konnektive.order` | did you mean `konnektive.orders`? one of `konnektive.orders`, `konnektive.transactions`, `konnektive.customers`, `webhook`, `http`, `schedule`");
    insta::assert_snapshot!(edited("type: http", "type: htpp"), @"8:11 ZR0204 `type` cannot be `htpp` | did you mean `http`? one of `http`, `konnektive.create_sale`, `konnektive.create_lead`, `konnektive.update_fulfillment`, `konnektive.cancel_order`, `konnektive.update_customer`, `konnektive.create_upsale`, `konnektive.confirm_order`, `konnektive.refund_order`, `konnektive.qa_order`, `konnektive.cancel_purchase`, `konnektive.refund_transaction`, `konnektive.blacklist_customer`, `konnektive.add_note`, `konnektive.query`");
}

#[test]
fn keys_that_depend_on_others() {
    insta::assert_snapshot!(edited("    connection: slack\n", ""), @"7:5 ZR0203 the action has neither `connection` nor `url` | add `connection:` with the name of an http connection, or `url:`");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://api.example.com\n    path: /x\n"), @"10:5 ZR0210 `path` follows the address of a connection, and there is none | write the whole address in `url:`");
    insta::assert_snapshot!(edited("    json:", "    url: https://api.example.com\n    json:"), @"10:5 ZR0209 `connection` and `url` exclude each other | keep the connection, and write what follows its address as `path:` (9:5 `connection` is here)");
    insta::assert_snapshot!(edited("    json:", "    text: hello\n    json:"), @"10:5 ZR0209 `json` and `text` exclude each other | a request has one body: keep one of json, form and text (11:5 `json` is here)");
    insta::assert_snapshot!(edited("    json:", "    method: GET\n    json:"), @"11:5 ZR0211 `json` gives a GET a body | write `query:`, or another method");
    insta::assert_snapshot!(edited("    json:", "    as: line\n    json:"), @"10:5 ZR0210 `as` says nothing without `each` | add `each:`, or remove `as:`");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: api.example.com/x\n"), @"9:10 ZR0212 `url` is not an address that requests can go to | write an absolute address: https://api.example.com/entries");
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  include_bought: true"), @"6:3 ZR0210 `include_bought` says nothing about new_sale | remove it: it belongs to `order_type: new_lead`");
    assert_eq!(edited("    connection: slack\n", "    url: \"https://{{ vars.host }}/x\"\n"), "");
}

#[test]
fn where_conditions() {
    assert_eq!(
        edited(
            "order_type: new_sale",
            "order_type: new_sale\n  where: { campaignId: [12, \"15\"], paySource: CREDITCARD }"
        ),
        ""
    );
    insta::assert_snapshot!(edited("order_type: new_sale", "order_type: new_sale\n  where: { campaignId: { in: [1] }, a: [], b: [[1]], c: }"), @r"
    6:26 ZR0201 `campaignId` takes a value or a list of values, found a map | write text, a number, true or false, or a list of them
    6:40 ZR0206 `a` is an empty list | write at least one member
    6:49 ZR0201 member 1 of `b` takes a single value, found a list | write text, a number, true or false
    6:54 ZR0208 `c` is empty | write a value or a list of values after the `:`
    ");
}

#[test]
fn names_across_files() {
    let other = GOOD.replace("name: new-sale", "name: other\nformerly: new-sale");
    insta::assert_snapshot!(shown(&with_zaps(&[GOOD, GOOD, &other])), @r"
    zaps/1.yaml:1:7 ZR0301 another zap is called `new-sale` | give one of the two another name (zaps/0.yaml:1:7 it is here first)
    zaps/2.yaml:2:11 ZR0301 `new-sale` was not only this zap's name | the state of one zap can go to one zap only (zaps/0.yaml:1:7 it is used here too)
    ");
    insta::assert_snapshot!(edited("    json: { order: $.orderId }\n", "    json: 1\n  - { id: send, type: http, connection: slack }\n"), @"11:11 ZR0302 another action has the id `send` | give one of the two another id (7:9 it is here first)");
    insta::assert_snapshot!(edited("connection: crm", "connection: slack"), @"4:15 ZR0304 the connection `slack` is of type http, not konnektive | connections of type konnektive are `crm` (zaprun.yaml:8:3 it is declared here)");
    insta::assert_snapshot!(edited("connection: slack", "connection: crm"), @"9:17 ZR0304 the connection `crm` is of type konnektive, not http | connections of type http are `slack` (zaprun.yaml:3:3 it is declared here)");
    insta::assert_snapshot!(edited("connection: slack", "connection: slakc"), @"9:17 ZR0303 there is no connection `slakc` | did you mean `slack`?");
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
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    insta::assert_snapshot!(shown(&loaded), @r"
    zaps/a.yaml:1:7 ZR0104 a `[` is opened here and never closed | close the bracket, or put text that begins with it in quotes
    zaps/dir.yaml:1:1 ZR0101 zaps/dir.yaml cannot be read: it is a directory
    zaps/b.yaml:1:7 ZR0101 zaps/b.yaml is not UTF-8 text | save the file as UTF-8
    zaps/c.yaml:1:1 ZR0103 zaps/c.yaml is empty | write a zap, or remove the file; `zaprun init` writes a first one
    zaps/d.yaml:4:15 ZR0303 there is no connection `crn` | did you mean `crm`?
    zaps/e.yaml:1:7 ZR0301 another zap is called `new-sale` | give one of the two another name (zaps/d.yaml:1:7 it is here first)
    ");
    assert!(loaded.zap("new-sale").is_some_and(|zap| zap.definition.is_some()));
}

#[test]
fn variables_and_secrets_in_zaps() {
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{ key: \"${API_KEY}\", ok: \"$${API_KEY}\", price: \"$5 {x}\" }"), @"10:19 ZR0604 `${API_KEY}` is not replaced here: zaps cannot read the environment | give zaprun.yaml a `vars:` entry and write {{ vars.NAME }}; secrets belong to a connection");
    insta::assert_snapshot!(edited("    json:", "    headers: { Authorization: Bearer abc, X-Api-Key: \"{{ vars.key }}\" }\n    json:"), @"10:31 ZR0605 a header or parameter of this name carries a secret, here in plain | let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://me:secret@api.example.com/x\n"), @"9:10 ZR0605 the address holds a password | let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address");
    insta::assert_snapshot!(edited("    connection: slack\n", "    url: https://api.example.com/x?access_token=abc\n"), @"9:10 ZR0605 the address holds a secret as a parameter | let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address");
    insta::assert_snapshot!(edited("{ order: $.orderId }", "{ token: xoxb-1234567890-abcdefghij }"), @"10:20 ZR0605 this looks like a secret in plain | let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address");
}

#[test]
fn ignore_comments() {
    let zip = |comment: &str| edited("{ order: $.orderId }", &format!("{{ zip: 01234 }} {comment}"));
    assert_eq!(zip("# zaprun: ignore ZR0114 -- zip codes are text"), "");
    assert_eq!(
        edited(
            "    json: { order",
            "    # zaprun: ignore ZR0114 -- zip codes are text\n\n    # and so on\n    json: { zip: 01234, order"
        ),
        ""
    );
    insta::assert_snapshot!(zip("# zaprun: ignore ZR0114"), @r#"
    10:18 ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    10:26 ZR0290 the comment gives no reason | write # zaprun: ignore ZR0114 -- why it is meant
    "#);
    insta::assert_snapshot!(zip("# zaprun: ignore -- because"), @r#"
    10:18 ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    10:26 ZR0290 the comment names no code | write # zaprun: ignore ZR0114 -- why it is meant
    "#);
    insta::assert_snapshot!(zip("# zaprun: ignore ZR9999 -- because"), @r#"
    10:18 ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    10:26 ZR0290 the comment names a code that does not exist | write # zaprun: ignore ZR0114 -- why it is meant
    "#);
    insta::assert_snapshot!(zip("# zaprun: ignore ZR0113, ZR0114 -- because"), @"10:26 ZR0291 nothing is found here that ZR0113 would silence | remove ZR0113 from the comment");
    insta::assert_snapshot!(zip("# zaprun: ignore ZR0113, ZR0115 -- because"), @r#"
    10:18 ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    10:26 ZR0291 nothing is found here that this would silence | remove the comment
    "#);
    insta::assert_snapshot!(zip("# zaprun: off"), @r#"
    10:18 ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    10:26 ZR0290 the only comment for zaprun is `ignore` | write # zaprun: ignore ZR0114 -- why it is meant
    "#);
    insta::assert_snapshot!(edited("new_sale\n", "sale # zaprun: ignore ZR0204 -- later\n"), @r"
    5:15 ZR0204 `order_type` cannot be `sale` | write one of `new_sale`, `cancelled`, `new_lead`, `rebill`, `declined`, `refunded`, `shipped`
    5:20 ZR0292 ZR0204 cannot be silenced | put right what it says, and remove the comment
    ");
    // In a text it is no comment.
    assert_eq!(edited("{ order: $.orderId }", "\"x # zaprun: ignore ZR0114\""), "");
}

#[test]
fn values_keep_what_was_written() {
    let loaded =
        with_zaps(&[&GOOD.replace("{ order: $.orderId }", "{ price: 19.90, big: 123456789, list: [1e5] }")]);
    let zap = &loaded.zaps[0];
    let tree = zap.tree.as_ref().unwrap();
    let crate::definition::Action::Http(action) = &zap.definition.as_ref().unwrap().actions[0].value else {
        panic!("another action")
    };
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

#[test]
fn findings_have_a_pointer() {
    let loaded =
        with_zaps(&[&GOOD.replace("json: { order: $.orderId }", "json: { zip: [01234] }\n    path: ${X}")]);
    let pointers: Vec<_> = loaded.diagnostics.iter().map(|finding| finding.pointer.as_deref()).collect();
    assert_eq!(pointers, [Some("/actions/0/path"), Some("/actions/0/json/zip/0")]);
}

#[test]
fn bodies_that_are_empty() {
    for empty in ["    json:\n", "    json: null\n", "    form:\n", "    text: ~\n"] {
        let found = edited("    json: { order: $.orderId }\n", empty);
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(found.contains("ZR0208") && found.contains(" | "), "{found}");
    }
    assert_eq!(edited("{ order: $.orderId }", "{}"), "");
}

#[test]
fn conditions_are_written_in_braces() {
    for key in ["filter: true", "filter: 1"] {
        let found = edited("actions:", &format!("{key}\nactions:"));
        assert!(found.contains("write `\"{{ … }}\"`"), "{found}");
    }
    assert!(edited("    json:", "    when: false\n    json:").contains("write `\"{{ … }}\"`"));
}

#[test]
fn nothing_is_said_of_a_kind_that_does_not_exist() {
    let found = edited("order_type: new_sale", "order_type: sale\n  cycles: all\n  include_bought: true");
    assert_eq!(found.lines().count(), 1, "{found}");
}

/// A key that belongs to another kind of row has one finding, which says where it belongs.
#[test]
fn a_key_of_another_kind_is_told_once() {
    let text =
        GOOD.replace("orders", "transactions").replace("order_type: new_sale", "transaction_type: refund");
    let told = zap(&text.replace("refund\n", "refund\n  include_bought: true\n"));
    insta::assert_snapshot!(told, @"6:3 ZR0210 `include_bought` says nothing about refund | remove it: it belongs to `order_type: new_lead`");
}
