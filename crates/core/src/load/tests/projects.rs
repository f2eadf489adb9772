//! Broken projects, overlays and variables.

use std::collections::HashMap;

use super::*;

fn findings(text: &str, overlays: &[(&str, &str)]) -> String {
    shown(&load(&project(text, overlays), None))
}

fn edited(part: &str, by: &str) -> String {
    assert!(PROJECT.contains(part), "{part}");
    findings(&PROJECT.replacen(part, by, 1), &[])
}

struct Env(HashMap<&'static str, &'static str>);

impl Lookup for Env {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    }
}

const SET: [(&str, &str); 3] = [
    ("KONNEKTIVE_LOGIN_ID", "me"),
    ("KONNEKTIVE_PASSWORD", "a: {b} # 'c'\n- \"d"),
    ("SLACK_WEBHOOK_URL", "https://hooks.example.com/x"),
];

fn with_env(text: &str, more: &[(&'static str, &'static str)]) -> Loaded {
    let env = Env(SET.iter().chain(more).copied().collect());
    load(&project(text, &[]), Some(&env))
}

#[test]
fn structure() {
    insta::assert_snapshot!(findings("", &[]), @"zaprun.yaml:1:1 ZR0103 zaprun.yaml is empty | write `version: 1` and the connections; `zaprun init` writes a first project");
    insta::assert_snapshot!(findings("version: 2\nconection: {}\n", &[]), @r"
    zaprun.yaml:1:10 ZR0204 `version` can only be 1 | write 1
    zaprun.yaml:2:1 ZR0202 unknown key `conection` | did you mean `connections`?
    ");
    insta::assert_snapshot!(findings("connections: [a]\nversion: \"1\"\n", &[]), @r"
    zaprun.yaml:1:15 ZR0201 `connections` takes a map of keys, found a list | write `key: value` lines, without `- ` before them
    zaprun.yaml:2:10 ZR0201 `version` takes a whole number, found text | write 1 without quotes
    ");
    insta::assert_snapshot!(edited("type: konnektive", "type: konektive"), @"zaprun.yaml:4:11 ZR0204 `type` cannot be `konektive` | did you mean `konnektive`? one of `konnektive`, `http`, `webhook`");
    insta::assert_snapshot!(edited("    type: konnektive\n", ""), @"zaprun.yaml:3:3 ZR0203 `crm` has no `type` | add `type:` with one of `konnektive`, `http`, `webhook`");
    insta::assert_snapshot!(edited("    timezone: America/New_York\n", "    timezone: America/NewYork\n    rate: 2\n    concurrency: 0\n    currency: usd\n"), @r"
    zaprun.yaml:7:15 ZR0306 there is no time zone `America/NewYork` | did you mean `America/New_York`?
    zaprun.yaml:8:11 ZR0201 `rate` takes a rate, found a number | write a whole number per s, m, h or d: 2/s or 60/m
    zaprun.yaml:9:18 ZR0206 `concurrency` must be at least 1 | write 1 or more
    zaprun.yaml:10:15 ZR0205 `currency` cannot be `usd` | write the three letters of the currency: USD
    ");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { bearer: \"${T}\", basic: {} }\n"), @r"
    zaprun.yaml:10:13 ZR0209 `auth` takes exactly one key | write one of `bearer`, `basic`, `header`, `query`, `oauth2`
    zaprun.yaml:10:29 ZR0203 `basic` has no `username` | add `username:`
    zaprun.yaml:10:29 ZR0203 `basic` has no `password` | add `password:`
    ");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { barer: \"${T}\" }\n"), @"zaprun.yaml:10:13 ZR0202 unknown key `barer` | did you mean `bearer`?");
    insta::assert_snapshot!(edited("type: http\n", "type: webhook\n    verify: nothing\n"), @r"
    zaprun.yaml:10:13 ZR0205 `verify` cannot be `nothing` | write hmac, token or basic as a key, or the word none
    zaprun.yaml:11:5 ZR0202 unknown key `base_url` | known keys are `type`, `verify`, `rate`
    ");
    insta::assert_snapshot!(edited("${SLACK_WEBHOOK_URL}", "hooks.example.com"), @"zaprun.yaml:10:15 ZR0212 `base_url` is not an address that requests can go to | write an absolute address: https://api.example.com");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nstate: postgres://db/zaprun\nlisten: { admin: 8484, webhooks: localhost:80 }\n"), @r"
    zaprun.yaml:2:8 ZR0205 `postgres://` for several processes is planned and not available yet | write sqlite: and a path: sqlite:state/zaprun.db
    zaprun.yaml:3:18 ZR0201 `admin` takes an address, found a number | write an IP address and a port: 127.0.0.1:8484
    zaprun.yaml:3:34 ZR0205 `localhost:80` is not an IP address with a port | write an IP address and a port: 127.0.0.1:8484
    ");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nhistory: 30d\n"), @"");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nhistory: 30m\n"), @"zaprun.yaml:2:10 ZR0206 `history` must be at least 1h | write 1h or more");
    let unreadable = File { path: "zaprun.yaml".to_owned(), content: Err("it is a directory".to_owned()) };
    let loaded = load(&Input { project: unreadable, ..project("", &[]) }, None);
    insta::assert_snapshot!(shown(&loaded), @"zaprun.yaml:1:1 ZR0101 zaprun.yaml cannot be read: it is a directory");
}

#[test]
fn plain_secrets() {
    insta::assert_snapshot!(edited("${KONNEKTIVE_PASSWORD}", "hunter2"), @"zaprun.yaml:6:15 ZR0605 `password` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}");
    insta::assert_snapshot!(edited("${KONNEKTIVE_PASSWORD}", "${KONNEKTIVE_PASSWORD:-hunter2}"), @"zaprun.yaml:6:15 ZR0605 the default of a secret is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}");
    insta::assert_snapshot!(edited("${SLACK_WEBHOOK_URL}", "https://hooks.slack.com/services/T0AB/B0CD/abcdEFGH"), @"zaprun.yaml:10:23 ZR0605 this looks like a secret in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { header: { name: X-Key, value: abc } }\n    headers: { X-Api-Key: abc, Accept: text/html }\n"), @r"
    zaprun.yaml:10:43 ZR0605 `value` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    zaprun.yaml:11:27 ZR0605 `X-Api-Key` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    ");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nvars: { smtp_password: abc, key: orderId, page: \"https://a:b@example.com\" }\n"), @r"
    zaprun.yaml:2:24 ZR0605 `smtp_password` is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    zaprun.yaml:2:49 ZR0605 the address holds a password | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    ");
    assert_eq!(
        edited(
            "${KONNEKTIVE_PASSWORD}",
            "hunter2   # zaprun: ignore ZR0605 -- the sandbox's password is no secret"
        ),
        ""
    );
}

#[test]
fn malformed_variables() {
    insta::assert_snapshot!(edited("${KONNEKTIVE_LOGIN_ID}", "${KONNEKTIVE LOGIN}"), @"zaprun.yaml:5:15 ZR0601 `${KONNEKTIVE LOGIN}` is not a variable | write ${NAME}, ${NAME:-default} or ${file:PATH}");
    insta::assert_snapshot!(edited("${KONNEKTIVE_LOGIN_ID}", "\"$LOGIN and ${} and ${A:-${B}} and ${file:} and ${X\""), @r"
    zaprun.yaml:5:16 ZR0601 `$LOGIN` has no braces | write ${LOGIN} for the variable, or $$LOGIN for the text
    zaprun.yaml:5:27 ZR0601 `${}` names no variable | write ${NAME}, ${NAME:-default} or ${file:PATH}
    zaprun.yaml:5:35 ZR0601 the default of `A` holds another variable | write a plain text after :-
    zaprun.yaml:5:50 ZR0601 `${file:}` names no file | write ${file:PATH}
    zaprun.yaml:5:63 ZR0601 `${` is never closed | write ${NAME}, or $${ for the text
    ");
    assert_eq!(edited("${KONNEKTIVE_LOGIN_ID}", "\"5$ $$NAME $${NAME}\""), "");
}

#[test]
fn holes_satisfy_typed_fields() {
    let text = PROJECT.replace(
        "    base_url:",
        "    concurrency: ${N}\n    timeout: ${T}\n    rate: ${R:-2/s}\n    base_url:",
    );
    let loaded = load(&project(&text, &[]), None);
    assert_eq!(shown(&loaded), "");
    let needed: Vec<(String, Option<&str>)> = loaded
        .needed
        .iter()
        .map(|needed| (needed.reference.to_string(), needed.default.as_deref()))
        .collect();
    for expected in [("N", None), ("T", None), ("R", Some("2/s"))] {
        assert!(needed.iter().any(|(name, default)| (name.as_str(), *default) == expected), "{expected:?}");
    }
    assert!(loaded.project.is_some());
}

#[test]
fn values_of_variables_are_read_exactly() {
    let text = PROJECT.replace("    base_url:", "    concurrency: ${N}\n    timeout: ${T}\n    base_url:");
    let loaded = with_env(&text, &[("N", "4"), ("T", "45s")]);
    assert_eq!(shown(&loaded), "");
    let project = loaded.project.unwrap();
    let crate::definition::Connection::Http(slack) =
        &project.definition.connections.get("slack").unwrap().value
    else {
        panic!("slack is http");
    };
    assert_eq!(slack.concurrency.map(|n| n.value), Some(4));
    assert_eq!(slack.timeout.unwrap().to_string(), "45s");
    let crate::definition::Connection::Konnektive(crm) =
        &project.definition.connections.get("crm").unwrap().value
    else {
        panic!("crm is konnektive");
    };
    assert_eq!(crm.password.expose(), SET[1].1);
    assert!(!format!("{project:?}").contains("{b}"));
}

#[test]
fn values_that_do_not_fit_are_not_shown() {
    let text = PROJECT.replace("    base_url:", "    concurrency: ${N}\n    timeout: ${T}\n    base_url:");
    let shown = shown(&with_env(&text, &[("N", "many"), ("T", "s3cret")]));
    insta::assert_snapshot!(shown, @r"
    zaprun.yaml:10:18 ZR0606 the variable in `concurrency` does not hold a whole number
    zaprun.yaml:11:14 ZR0606 the variable in `timeout` does not hold a duration | write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d
    ");
    assert!(!shown.contains("many") && !shown.contains("s3cret"));
    let text = PROJECT.replace("    base_url:", "    concurrency: ${N}\n    base_url:");
    insta::assert_snapshot!(super::shown(&with_env(&text, &[("N", "99999999999")])), @"zaprun.yaml:10:18 ZR0606 the variable in `concurrency` does not hold a number of at most 1000");
    // Limits hold for what a variable holds too.
    insta::assert_snapshot!(super::shown(&with_env(&text, &[("N", "0")])), @"zaprun.yaml:10:18 ZR0606 the variable in `concurrency` does not hold a number of at least 1");
    insta::assert_snapshot!(super::shown(&with_env(PROJECT, &[("SLACK_WEBHOOK_URL", "s3cret")])), @"zaprun.yaml:10:15 ZR0606 the variable in `base_url` does not hold an address | write an absolute address: https://api.example.com");
}

#[test]
fn unset_variables_and_files() {
    let text =
        PROJECT.replace("${KONNEKTIVE_PASSWORD}", "${file:/run/secrets/crm}").replace("LOGIN_ID", "USER");
    insta::assert_snapshot!(shown(&with_env(&text, &[])), @r"
    zaprun.yaml:5:15 ZR0602 the variable `KONNEKTIVE_USER` is not set | set KONNEKTIVE_USER, or write ${KONNEKTIVE_USER:-…} with a default
    zaprun.yaml:6:15 ZR0603 the file `/run/secrets/crm` cannot be read: no such file | paths are relative to the project folder unless they begin with `/`
    ");
    let loaded = with_env(&text, &[("KONNEKTIVE_USER", ""), ("/run/secrets/crm", "top\n\r\n")]);
    let project = loaded.project.unwrap();
    let crate::definition::Connection::Konnektive(crm) =
        &project.definition.connections.get("crm").unwrap().value
    else {
        panic!("crm is konnektive");
    };
    // One line break at the end belongs to the file, not to the secret.
    assert_eq!(crm.password.expose(), "top\n");
    assert_eq!(crm.login_id.value, "");
}

#[test]
fn overlays() {
    let base = format!("{PROJECT}vars: {{ channel: a, list: [1, 2] }}\n");
    let overlays = [
        ("prod", "vars: { channel: b, list: [3] }\nconnections: { crm: { rate: 5/s } }\n"),
        ("broken", "vars: { channel: [\n"),
        ("list", "- a\n"),
        (
            "typo",
            "connections: { crm: { rat: 5/s, concurrency: many } }\nzaps: { nosuch: { enabled: false } }\n",
        ),
        ("empty", "# nothing differs\n"),
    ];
    insta::assert_snapshot!(findings(&base, &overlays), @r"
    zaprun.broken.yaml:1:18 ZR0104 a `[` is opened here and never closed | close the bracket, or put text that begins with it in quotes
    zaprun.list.yaml:1:1 ZR0201 an overlay is a map of keys | write only the keys of zaprun.yaml that differ
    zaprun.typo.yaml:1:23 ZR0202 unknown key `rat` | did you mean `rate`?
    zaprun.typo.yaml:1:46 ZR0201 `concurrency` takes a whole number, found text | write a whole number: 3
    zaprun.typo.yaml:2:9 ZR0305 there is no zap `nosuch` | remove the switch, or write the zap
    ");
    let mut input = project(&base, &overlays[..1]);
    input.env = Some("prod".to_owned());
    let loaded = load(&input, None);
    assert_eq!(shown(&loaded), "");
    let project = loaded.project.unwrap();
    let vars = project.definition.vars.unwrap().0;
    assert_eq!(project.tree.text(project.tree.get(vars, "channel").unwrap()), Some("b"));
    assert_eq!(project.tree.items(project.tree.get(vars, "list").unwrap()).len(), 1);
    let channel = project.tree.span(project.tree.get(vars, "channel").unwrap());
    assert_eq!(loaded.sources.file(channel.file).path, "zaprun.prod.yaml");
    let crate::definition::Connection::Konnektive(crm) =
        &project.definition.connections.get("crm").unwrap().value
    else {
        panic!("crm is konnektive");
    };
    assert_eq!(crm.rate.unwrap().count.get(), 5);
    assert_eq!(crm.timezone.value, "America/New_York");
    input.env = Some("pord".to_owned());
    insta::assert_snapshot!(shown(&load(&input, None)), @"zaprun.yaml:1:1 ZR0307 there is no overlay for the environment `pord` | did you mean `prod`?");
}

#[test]
fn only_the_chosen_environment_needs_its_variables() {
    let overlays = [("prod", "vars: { a: \"${PROD_ONLY}\" }\n"), ("test", "vars: { a: \"${TEST_ONLY}\" }\n")];
    let mut input = project(PROJECT, &overlays);
    input.env = Some("prod".to_owned());
    let env = Env(SET.iter().copied().collect());
    insta::assert_snapshot!(shown(&load(&input, Some(&env))), @"zaprun.prod.yaml:1:13 ZR0602 the variable `PROD_ONLY` is not set | set PROD_ONLY, or write ${PROD_ONLY:-…} with a default");
}

#[test]
fn no_finding_repeats_a_secret() {
    for secret in ["01234", "12345678", "yes", "\"0x\\tab\""] {
        let found = edited("${KONNEKTIVE_PASSWORD}", secret);
        assert!(found.contains("ZR0605"), "{found}");
        let bare = secret.trim_matches(['"', '0']);
        assert!(!found.contains(bare), "{found}");
    }
}

#[test]
fn a_secret_that_is_not_set_gets_no_default() {
    let unset = Env(HashMap::from([("SLACK_WEBHOOK_URL", "https://hooks.example.com/x")]));
    insta::assert_snapshot!(shown(&load(&project(PROJECT, &[]), Some(&unset))), @r"
    zaprun.yaml:5:15 ZR0602 the variable `KONNEKTIVE_LOGIN_ID` is not set | set KONNEKTIVE_LOGIN_ID, or write ${KONNEKTIVE_LOGIN_ID:-…} with a default
    zaprun.yaml:6:15 ZR0602 the variable `KONNEKTIVE_PASSWORD` is not set | set it where the program runs, or read a file: ${file:/run/secrets/name}
    ");
}

#[test]
fn connections_name_headers_that_can_be_sent() {
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    headers: { \"X-Y \": a, Host: a }\n    auth: { header: { name: TE, value: \"${T}\" } }\n    idempotency_header: none\n"), @r"
    zaprun.yaml:10:16 ZR0711 `X-Y ` is not a header name | write letters, digits and hyphens, without spaces and `:`: X-Request-Source
    zaprun.yaml:10:27 ZR0712 the header `Host` is set by zaprun itself | remove it: it says where a message goes or ends
    zaprun.yaml:11:29 ZR0712 the header `TE` is set by zaprun itself | remove it: it says where a message goes or ends
    ");
}

#[test]
fn zaps_are_checked_against_the_connections_of_every_overlay() {
    let zap = "name: a\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\nactions:\n  - { id: s, type: http, connection: slack, json: {} }\n";
    let overlays = [
        ("dev", "connections: { slack: { timeout: 5s } }\n"),
        ("prod", "connections: { slack: { type: webhook, verify: none, base_url: null } }\n"),
    ];
    let input = Input { zaps: vec![file("zaps/a.yaml", zap)], ..project(PROJECT, &overlays) };
    let found = shown(&load(&input, None));
    let in_zap: Vec<&str> = found.lines().filter(|line| line.starts_with("zaps/")).collect();
    assert_eq!(
        in_zap,
        [
            "zaps/a.yaml:4:38 ZR0304 the connection `slack` is of type webhook, not http | add a connection of type http \
          to zaprun.yaml (zaprun.prod.yaml:1:16 it is declared here) (zaprun.prod.yaml:1:1 with this overlay)"
        ]
    );
}

#[test]
fn a_secret_with_a_dollar_is_a_secret() {
    let found = edited("${KONNEKTIVE_PASSWORD}", "p$ssw0rd");
    assert!(!found.contains("ssw0rd"), "{found}");
    insta::assert_snapshot!(found, @r"
    zaprun.yaml:6:15 ZR0605 a secret is written in plain | take it from a variable or a file: ${NAME}, ${file:/run/secrets/name}
    zaprun.yaml:6:16 ZR0601 a `$` that begins no variable | write ${NAME} for a variable, or $$ for a dollar
    ");
}

#[test]
fn a_line_hides_what_stands_behind_the_name_of_a_secret() {
    let hidden = |line: &str| secret_in_line(line).map(|range| line[range].to_owned());
    for line in
        ["password: \"hunter2", "  - { Api-Key: hunter2", "\"client_secret\" : hunter2", "bearer: [hunter2]"]
    {
        assert!(hidden(line).is_some_and(|text| text.contains("hunter2")), "{line}");
    }
    assert_eq!(hidden("password: ${A:-hunter2").as_deref(), Some("hunter2"));
    for line in ["password: ${A}", "token: \"{{ record.x }}\"", "token: $.x", "tokens: 3", "password:"] {
        assert_eq!(hidden(line), None, "{line}");
    }
}

#[test]
fn a_document_without_a_value_is_empty() {
    insta::assert_snapshot!(findings("---\n", &[]), @"zaprun.yaml:1:1 ZR0103 zaprun.yaml is empty | write `version: 1` and the connections; `zaprun init` writes a first project");
}

#[test]
fn a_currency_is_one_that_there_is() {
    let with = |currency: &str| {
        findings(&PROJECT.replace("    timezone:", &format!("    currency: {currency}\n    timezone:")), &[])
    };
    assert_eq!(with("CAD"), "");
    insta::assert_snapshot!(with("XXY"), @"zaprun.yaml:7:15 ZR0205 there is no currency `XXY` | write its ISO 4217 code: USD");
    insta::assert_snapshot!(with("usd"), @"zaprun.yaml:7:15 ZR0205 `currency` cannot be `usd` | write the three letters of the currency: USD");
    assert_eq!(with("${CURRENCY}"), "");
}
