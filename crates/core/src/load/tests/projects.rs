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
    insta::assert_snapshot!(findings("", &[]), @"");
    insta::assert_snapshot!(findings("version: 2\nconection: {}\n", &[]), @"");
    insta::assert_snapshot!(findings("connections: [a]\nversion: \"1\"\n", &[]), @"");
    insta::assert_snapshot!(edited("type: konnektive", "type: konektive"), @"");
    insta::assert_snapshot!(edited("    type: konnektive\n", ""), @"");
    insta::assert_snapshot!(edited("    timezone: America/New_York\n", "    timezone: America/NewYork\n    rate: 2\n    concurrency: 0\n    currency: usd\n"), @"");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { bearer: \"${T}\", basic: {} }\n"), @"");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { barer: \"${T}\" }\n"), @"");
    insta::assert_snapshot!(edited("type: http\n", "type: webhook\n    verify: nothing\n"), @"");
    insta::assert_snapshot!(edited("${SLACK_WEBHOOK_URL}", "hooks.example.com"), @"");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nstate: postgres://db/zaprun\nlisten: { admin: 8484, webhooks: localhost:80 }\n"), @"");
    let unreadable = File { path: "zaprun.yaml".to_owned(), content: Err("it is a directory".to_owned()) };
    let loaded = load(&Input { project: unreadable, ..project("", &[]) }, None);
    insta::assert_snapshot!(shown(&loaded), @"");
}

#[test]
fn plain_secrets() {
    insta::assert_snapshot!(edited("${KONNEKTIVE_PASSWORD}", "hunter2"), @"");
    insta::assert_snapshot!(edited("${KONNEKTIVE_PASSWORD}", "${KONNEKTIVE_PASSWORD:-hunter2}"), @"");
    insta::assert_snapshot!(edited("${SLACK_WEBHOOK_URL}", "https://hooks.slack.com/services/T0AB/B0CD/abcdEFGH"), @"");
    insta::assert_snapshot!(edited("type: http\n", "type: http\n    auth: { header: { name: X-Key, value: abc } }\n    headers: { X-Api-Key: abc, Accept: text/html }\n"), @"");
    insta::assert_snapshot!(edited("version: 1\n", "version: 1\nvars: { smtp_password: abc, key: orderId, page: \"https://a:b@example.com\" }\n"), @"");
    assert_eq!(edited("${KONNEKTIVE_PASSWORD}", "hunter2   # zaprun: ignore ZR0605 -- the sandbox's password is no secret"), "");
}

#[test]
fn malformed_variables() {
    insta::assert_snapshot!(edited("${KONNEKTIVE_LOGIN_ID}", "${KONNEKTIVE LOGIN}"), @"");
    insta::assert_snapshot!(edited("${KONNEKTIVE_LOGIN_ID}", "\"$LOGIN and ${} and ${A:-${B}} and ${file:} and ${X\""), @"");
    assert_eq!(edited("${KONNEKTIVE_LOGIN_ID}", "\"5$ $$NAME $${NAME}\""), "");
}

#[test]
fn holes_satisfy_typed_fields() {
    let text = PROJECT.replace("    base_url:", "    concurrency: ${N}\n    timeout: ${T}\n    rate: ${R:-2/s}\n    base_url:");
    let loaded = load(&project(&text, &[]), None);
    assert_eq!(shown(&loaded), "");
    let needed: Vec<(String, Option<&str>)> =
        loaded.needed.iter().map(|needed| (needed.reference.to_string(), needed.default.as_deref())).collect();
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
    let crate::definition::Connection::Http(slack) = &project.definition.connections.get("slack").unwrap().value else {
        panic!("slack is http");
    };
    assert_eq!(slack.concurrency.map(|n| n.value), Some(4));
    assert_eq!(slack.timeout.unwrap().to_string(), "45s");
    let crate::definition::Connection::Konnektive(crm) = &project.definition.connections.get("crm").unwrap().value
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
    insta::assert_snapshot!(shown, @"");
    assert!(!shown.contains("many") && !shown.contains("s3cret"));
    let text = PROJECT.replace("    base_url:", "    concurrency: ${N}\n    base_url:");
    insta::assert_snapshot!(super::shown(&with_env(&text, &[("N", "99999999999")])), @"");
    insta::assert_snapshot!(super::shown(&with_env(PROJECT, &[("SLACK_WEBHOOK_URL", "s3cret")])), @"");
}

#[test]
fn unset_variables_and_files() {
    let text = PROJECT.replace("${KONNEKTIVE_PASSWORD}", "${file:/run/secrets/crm}").replace("LOGIN_ID", "USER");
    insta::assert_snapshot!(shown(&with_env(&text, &[])), @"");
    let loaded = with_env(&text, &[("KONNEKTIVE_USER", ""), ("/run/secrets/crm", "top\n\r\n")]);
    let project = loaded.project.unwrap();
    let crate::definition::Connection::Konnektive(crm) = &project.definition.connections.get("crm").unwrap().value
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
        ("typo", "connections: { crm: { rat: 5/s, concurrency: many } }\nzaps: { nosuch: { enabled: false } }\n"),
        ("empty", "# nothing differs\n"),
    ];
    insta::assert_snapshot!(findings(&base, &overlays), @"");
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
    let crate::definition::Connection::Konnektive(crm) = &project.definition.connections.get("crm").unwrap().value
    else {
        panic!("crm is konnektive");
    };
    assert_eq!(crm.rate.unwrap().count.get(), 5);
    assert_eq!(crm.timezone.value, "America/New_York");
    input.env = Some("pord".to_owned());
    insta::assert_snapshot!(shown(&load(&input, None)), @"");
}

#[test]
fn only_the_chosen_environment_needs_its_variables() {
    let overlays = [("prod", "vars: { a: \"${PROD_ONLY}\" }\n"), ("test", "vars: { a: \"${TEST_ONLY}\" }\n")];
    let mut input = project(PROJECT, &overlays);
    input.env = Some("prod".to_owned());
    let env = Env(SET.iter().copied().collect());
    insta::assert_snapshot!(shown(&load(&input, Some(&env))), @"");
}
