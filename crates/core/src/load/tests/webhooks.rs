//! Where requests arrive, and what a person is told about it.

use super::*;

const LISTENING: &str = "\
version: 1
connections:
  crm: { type: konnektive, login_id: \"${L}\", password: \"${P}\", timezone: America/New_York }
  form: { type: webhook, verify: { token: { header: X-Token, value: [\"${NEW}\", \"${OLD}\"] } } }
  open: { type: webhook, verify: none }
  sink: { type: http, base_url: https://sink.example }
listen: { webhooks: 127.0.0.1:8080 }
";

const ACTION: &str = "actions: [{ id: send, type: http, connection: sink, json: { a: 1 } }]\n";

fn zap(name: &str, trigger: &str) -> String {
    format!("name: {name}\ntrigger: {{ {trigger} }}\n{ACTION}")
}

fn found(project: &str, overlays: &[(&str, &str)], zaps: &[String]) -> String {
    let mut input = super::project(project, overlays);
    let numbered = zaps.iter().enumerate();
    input.zaps = numbered.map(|(at, text)| file(&format!("zaps/{at}.yaml"), text)).collect();
    shown(&load(&input, None))
}

const LEAD: &str = "type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\"";
const SALE: &str = "type: konnektive.orders, connection: crm, order_type: new_sale";

#[test]
fn several_zaps_share_a_path() {
    let also = format!("{SALE}, also: {{ connection: form, path: /hooks/lead, preset: konnektive }}");
    assert_eq!(found(LISTENING, &[], &[zap("a", LEAD), zap("b", LEAD), zap("c", &also)]), "");
}

#[test]
fn one_path_has_one_connection() {
    let other = LEAD.replace("form", "open");
    insta::assert_snapshot!(found(LISTENING, &[], &[zap("a", LEAD), zap("b", &other)]), @"zaps/1.yaml:2:51 ZR0308 `/hooks/lead` belongs to the connection `form` in another zap | give it a path of its own, or the same connection (zaps/0.yaml:2:51 it is here first)");
}

#[test]
fn the_connection_is_a_caller() {
    insta::assert_snapshot!(found(LISTENING, &[], &[zap("a", &LEAD.replace("form", "sink"))]), @"zaps/0.yaml:2:39 ZR0304 the connection `sink` is of type http, not webhook | connections of type webhook are `form`, `open` (zaprun.yaml:6:3 it is declared here)");
    let also = format!("{SALE}, also: {{ connection: crm, path: /hooks/sale, preset: konnektive }}");
    insta::assert_snapshot!(found(LISTENING, &[], &[zap("a", &also)]), @"zaps/0.yaml:2:96 ZR0304 the connection `crm` is of type konnektive, not webhook | connections of type webhook are `form`, `open` (zaprun.yaml:3:3 it is declared here)");
}

#[test]
fn a_request_must_be_known_again() {
    let keyless = "type: webhook, connection: form, path: /hooks/lead";
    let also = format!("{SALE}, also: {{ connection: form, path: /hooks/sale }}");
    insta::assert_snapshot!(found(LISTENING, &[], &[zap("a", keyless), zap("b", &also)]), @r#"
    zaps/0.yaml:2:45 ZR0203 the webhook has no `key`, so a request that comes again cannot be told from a new one | add `key: "{{ record.id }}"` with what the sender keeps when it tries again, or `preset:`
    zaps/1.yaml:2:102 ZR0203 `also` has no `key`, so nobody knows of which row a request tells | add `key: "{{ record.orderId }}"` with the row's id in the CRM, or `preset: konnektive`
    "#);
}

#[test]
fn paths_have_one_spelling() {
    for path in ["lead", "/", "/a/", "//a", "/a/../b", "/a%20b", "/a?b=1", "/{{ vars.x }}"] {
        let trigger = LEAD.replace("/hooks/lead", &format!("\"{path}\""));
        let found = found(LISTENING, &[], &[zap("a", &trigger)]);
        assert!(found.contains("ZR0205"), "{path}: {found}");
    }
    insta::assert_snapshot!(found(LISTENING, &[], &[zap("a", &LEAD.replace("/hooks/lead", "hooks/lead"))]), @"zaps/0.yaml:2:51 ZR0205 `hooks/lead` is not a path for webhooks | write a path of letters, digits and `-._~` between slashes: /hooks/lead-form");
}

#[test]
fn somebody_must_listen() {
    let deaf = LISTENING.replace("listen: { webhooks: 127.0.0.1:8080 }\n", "");
    insta::assert_snapshot!(found(&deaf, &[], &[zap("a", LEAD)]), @"zaps/0.yaml:2:51 ZR0309 nothing listens for `/hooks/lead`: the project has no `listen.webhooks` | add `listen: { webhooks: 127.0.0.1:8080 }` to zaprun.yaml");
    // It would not start without the overlay.
    let prod = ("prod", "listen: { webhooks: 127.0.0.1:8080 }\n");
    assert!(found(&deaf, &[prod], &[zap("a", LEAD)]).contains("ZR0309"));
    assert_eq!(found(&deaf, &[], &[zap("a", SALE)]), "");
}

#[test]
fn a_webhook_open_to_all_is_warned_of_where_others_can_call() {
    let open = zap("a", &LEAD.replace("form", "open"));
    assert_eq!(found(LISTENING, &[], std::slice::from_ref(&open)), "");
    let public = LISTENING.replace("127.0.0.1:8080", "0.0.0.0:8080");
    insta::assert_snapshot!(found(&public, &[], std::slice::from_ref(&open)), @"zaprun.yaml:5:34 ZR0310 anybody can call the webhooks of `open` | let the caller prove who it is: hmac, token or basic");
    // One that no zap uses can be called by nobody.
    assert_eq!(found(&public, &[], &[zap("a", LEAD)]), "");
    let proxied = LISTENING.replace("8080 }", "8080, trusted_proxies: [127.0.0.1] }");
    assert!(found(&proxied, &[], std::slice::from_ref(&open)).contains("ZR0310"));
    // Only with the overlay.
    insta::assert_snapshot!(found(LISTENING, &[("prod", "listen: { webhooks: 0.0.0.0:8080 }\n")], &[open]), @"zaprun.yaml:5:34 ZR0310 anybody can call the webhooks of `open` | let the caller prove who it is: hmac, token or basic (zaprun.prod.yaml:1:1 with this overlay)");
}

#[test]
fn what_the_connection_says_is_checked() {
    let edited = |from: &str, to: &str| {
        assert!(LISTENING.contains(from), "{from}");
        found(&LISTENING.replace(from, to), &[], &[zap("a", LEAD)])
    };
    insta::assert_snapshot!(edited("[\"${NEW}\", \"${OLD}\"]", "[\"${NEW}\", hunter2]"), @"zaprun.yaml:4:80 ZR0605 `value` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}");
    insta::assert_snapshot!(edited("[\"${NEW}\", \"${OLD}\"]", "[]"), @"zaprun.yaml:4:69 ZR0206 `value` is an empty list | write at least one member");
    insta::assert_snapshot!(edited("[\"${NEW}\", \"${OLD}\"]", "{ a: b }"), @r"
    zaprun.yaml:4:71 ZR0201 `value` takes a value or a list of values, found a map | write text, a number, true or false, or a list of them
    zaprun.yaml:4:74 ZR0605 `a` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    ");
    insta::assert_snapshot!(edited("header: X-Token", "header: X Token"), @"zaprun.yaml:4:53 ZR0711 `X Token` is not a header name | write letters, digits and hyphens, without spaces and `:`: X-Request-Source");
    insta::assert_snapshot!(edited("8080 }", "8080, trusted_proxies: [localhost, 10.0.0.0/8, \"::1\"] }"), @"zaprun.yaml:7:55 ZR0205 `localhost` is neither an address nor a network | write an IP address or a network: 10.0.0.7, 10.0.0.0/8");
    assert_eq!(edited("verify: none", "verify: none, rate: 100/m"), "");
}
