//! Zones, currencies and the members of `connection`, by trigger.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use jiff::Timestamp;
use uuid::Uuid;

use crate::load::{File, Input, load};
use crate::request::Request;
use crate::zap::{EventFacts, Plan, ProjectFacts, RunFacts, compile};

const PROJECT: &str = r#"
version: 1
connections:
  home: { type: konnektive, login_id: a, password: "${P}", timezone: America/New_York, currency: USD }
  other: { type: konnektive, login_id: a, password: "${P}", timezone: Asia/Tokyo, currency: JPY }
  api: { type: http, base_url: "https://api.example" }
  form: { type: webhook, verify: { token: { value: "${T}", header: X-Token } } }
listen: { webhooks: 127.0.0.1:8080 }
"#;

/// What the first step, which is sent to `api`, says with this text; or the findings.
fn said(trigger: &str, text: &str, more: &str) -> Result<String, String> {
    let zap = format!(
        "name: z\ntrigger: {{ {trigger} }}\nactions:\n  - {{ id: say, type: http, connection: api, text: \"{text}\" }}\n{more}"
    );
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let zaps = vec![file("zaps/z.yaml", &zap)];
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps,
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let zap = &loaded.zaps[0];
    let compiled = compile(zap.definition.as_ref().unwrap(), zap.tree.as_ref().unwrap(), &facts);
    let words = |found: &[crate::diagnostic::Diagnostic]| {
        found.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
    };
    let findings = loaded.conclude(compiled.diagnostics);
    let zap = compiled.zap.ok_or_else(|| words(&findings))?;
    let at: Timestamp = "2026-09-16T12:00:00Z".parse().unwrap();
    let event = EventFacts { id: "k:1".to_owned(), kind: "k".to_owned(), key: "1".to_owned(), at };
    let scope = zap.scope(&RunFacts {
        record: b"{}",
        event,
        context: None,
        run_id: "1".to_owned(),
        started_at: at,
        key_base: Uuid::nil(),
        depth: 0,
    });
    let Plan::One(request) = zap.actions[0].plan(&scope.unwrap()).unwrap() else { panic!("one request") };
    let Request::Http(request) = *request else { panic!("to the api") };
    Ok(String::from_utf8(request.body.unwrap().bytes).unwrap())
}

const SCHEDULE: &str = "type: schedule, cron: \"0 8 * * *\", timezone: Europe/Berlin";
const HTTP: &str = "type: http, connection: api, items: $, key: \"{{ record.id }}\"";
const WEBHOOK: &str = "type: webhook, connection: form, path: /hooks/form, key: \"{{ record.id }}\"";
const ORDERS: &str = "type: konnektive.orders, connection: home, order_type: new_sale";

const WRITE: &str =
    "  - { id: note, type: konnektive.add_note, connection: other, map: { customerId: 1, message: x } }\n";
const READ: &str =
    "  - { id: look, type: konnektive.query, connection: home, find: orders, by: { orderId: A } }\n";

fn time(trigger: &str, more: &str) -> String {
    said(trigger, "{{ event.at }} {{ 1 | money }}", more).unwrap()
}

#[test]
fn times_are_those_of_the_account_that_is_read_or_else_written_to() {
    assert_eq!(time(ORDERS, WRITE), "2026-09-16T08:00:00-04:00 $1.00", "the trigger's own");
    for trigger in [HTTP, WEBHOOK] {
        assert_eq!(time(trigger, ""), "2026-09-16T12:00:00+00:00 $1.00");
        assert_eq!(time(trigger, READ), "2026-09-16T08:00:00-04:00 $1.00");
        assert!(
            time(trigger, &format!("{READ}{WRITE}")).starts_with("2026-09-16T21:00:00+09:00"),
            "written to first"
        );
        let later = format!("on_failure:\n{WRITE}");
        assert!(time(trigger, &later).starts_with("2026-09-16T21:00:00+09:00"), "also when it fails");
    }
    assert!(time(SCHEDULE, WRITE).starts_with("2026-09-16T14:00:00+02:00"), "a schedule has its own zone");
    assert!(time(SCHEDULE, READ).ends_with("$1.00"));
}

#[test]
fn a_connection_shows_what_it_has() {
    let shown = |trigger: &str, name: &str| said(trigger, &format!("{{{{ connection.{name} }}}}"), "");
    assert_eq!(shown(ORDERS, "timezone").as_deref(), Ok("America/New_York"));
    assert_eq!(shown(HTTP, "name").as_deref(), Ok("api"));
    assert_eq!(shown(WEBHOOK, "type").as_deref(), Ok("webhook"));
    for (trigger, name) in [(HTTP, "base_url"), (HTTP, "timezone"), (WEBHOOK, "base_url"), (SCHEDULE, "name")]
    {
        let finding = shown(trigger, name).unwrap_err();
        assert!(finding.contains(&format!("no field `{name}`")), "{trigger}: {finding}");
    }
    let alone = "type: http, url: https://a.example/x, items: $, key: \"{{ record.id }}\"";
    assert_eq!(shown(alone, "type").as_deref(), Ok("http"));
    assert!(shown(alone, "name").is_err());
}
