#![allow(clippy::unwrap_used, reason = "tests")]

use super::search::{Search, search};
use crate::load::{File, Input, load};
use crate::rehearsal::{Case, Fixtures, read_tests};
use crate::trigger::KINDS;
use crate::zap::{ProjectFacts, Zap, compile};

const PROJECT: &str = "version: 1
connections:
  crm: { type: konnektive, login_id: a, password: \"${P}\", timezone: America/New_York }
  api: { type: http, base_url: \"https://api.example.test\" }
  hook: { type: webhook, verify: none }
vars: { channel: x }
listen: { webhooks: 127.0.0.1:8080 }
";

struct NoFixtures;

impl Fixtures for NoFixtures {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("there are none".to_owned())
    }
}

fn compiled(text: &str) -> (Zap, Vec<Case>) {
    compiled_with(text, &NoFixtures)
}

fn compiled_with(text: &str, fixtures: &dyn Fixtures) -> (Zap, Vec<Case>) {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", text)],
        tables: Vec::new(),
        env: None,
    };
    let mut loaded = load(&input, None);
    let cases = read_tests(&mut loaded, &[], fixtures);
    let project = loaded.project.as_ref().unwrap();
    let one = &loaded.zaps[0];
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let compiled = compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts);
    (compiled.zap.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)), cases)
}

fn searched(text: &str) -> Search {
    let (zap, cases) = compiled(text);
    search(&zap, &cases, 256, 1)
}

/// A zap with one http step.
fn sale(body: &str, rest: &str) -> String {
    format!(
        "name: z\ntrigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale }}\nactions:\n  - {{ id: send, type: http, connection: api, {body} }}\n{rest}"
    )
}

fn told(search: &Search) -> Vec<String> {
    let line = |failure: &super::Failure| {
        let record = failure.record.as_ref().map(|record| record.to_json().unwrap()).unwrap_or_default();
        format!("{}: {} {record}", failure.law.name, failure.message)
    };
    search.failures.iter().map(line).collect()
}

#[test]
fn a_field_that_may_be_missing_is_found_with_the_smallest_record() {
    let search = searched(&sale("json: { code: \"{{ record.couponCode }}\" }", ""));
    assert_eq!(
        told(&search),
        [r#"given up: `record.couponCode` is missing {"orderType":"NEW_SALE","orderStatus":"COMPLETE"}"#]
    );
    assert_eq!(search.failures[0].field.as_deref(), Some("record.couponCode"));
    assert_eq!(search.failures[0].place.as_deref(), Some("actions[0].json.code"));
}

#[test]
fn what_has_a_default_and_what_is_always_there_passes() {
    let search =
        searched(&sale("json: { code: \"{{ record.couponCode | default('') }}\", order: $.orderId }", ""));
    assert_eq!(told(&search), [""; 0]);
    assert_eq!((search.cases, search.ignored < 10, search.filtered), (256, true, 0));
}

#[test]
fn a_value_that_only_the_odd_break_fails_nothing() {
    let search = searched(&sale("json: { total: \"{{ record.totalAmount * 2 }}\" }", ""));
    assert_eq!(told(&search), [""; 0]);
    assert!(search.odd.iter().any(|odd| odd.field.as_deref() == Some("totalAmount")), "{:?}", search.odd);
}

#[test]
fn the_odd_are_made_small_too() {
    let body = "json: { total: \"{{ record.totalAmount * 2 }}\", at: \"{{ record.dateCreated | datetime }}\", \
                order: $.orderId, email: \"{{ record.emailAddress | default('') | lower }}\" }";
    let search = searched(&sale(body, ""));
    let fits = |odd: &&super::Oddity| {
        odd.field.as_deref().is_some_and(|field| odd.message.contains(field) || odd.place.is_some())
    };
    assert_eq!(search.odd.iter().filter(fits).count(), search.odd.len(), "{:?}", search.odd);
}

#[test]
fn leftovers_of_what_is_missing_are_found() {
    let search = searched(&sale("json: { text: \"code {{ record.couponCode | tojson }}.\" }", ""));
    assert!(told(&search).iter().all(|line| line.starts_with("leftovers") || line.starts_with("given up")));
    let search = searched(&sale("json: { text: \"is {{ [record.couponCode] | tojson }}.\" }", ""));
    let told = told(&search);
    assert!(told.iter().any(|line| line.starts_with("leftovers: `json.text` holds `null`")), "{told:?}");
}

#[test]
fn properties_of_the_zap_hold_or_are_told() {
    let properties = "properties:
  - { name: one request, check: \"{{ requests | length == 1 and outcome == 'delivered' }}\" }
  - { name: never free, check: \"{{ requests[0].json.total > 0 }}\" }
";
    let search = searched(&sale("json: { total: \"{{ record.totalAmount | default(0) }}\" }", properties));
    let failures: Vec<_> = search.failures.iter().filter(|failure| failure.law.name == "property").collect();
    assert_eq!(failures.len(), 1, "{:?}", told(&search));
    assert_eq!(failures[0].subject.as_deref(), Some("never free"));
    assert_eq!(failures[0].requests.len(), 1);
}

#[test]
fn the_same_seed_gives_the_same_and_another_something_else() {
    let (zap, cases) = compiled(&sale("json: { code: \"{{ record.couponCode }}\" }", ""));
    let shown = |seed| format!("{:?}", search(&zap, &cases, 64, seed));
    assert_eq!(shown(7), shown(7));
    assert_ne!(shown(7), shown(8));
    // A case is the same whatever the number of cases.
    assert_eq!(search(&zap, &cases, 8, 7).failures[0].case, search(&zap, &cases, 64, 7).failures[0].case);
}

#[test]
fn without_a_table_records_come_from_the_tests() {
    let zap = |tests: &str| {
        format!(
            "name: z\ntrigger: {{ type: webhook, connection: hook, path: /h, key: \"{{{{ record.id }}}}\" }}\nactions:\n  - {{ id: send, type: http, connection: api, json: {{ to: $.email, by: $.phone }} }}\n{tests}"
        )
    };
    let nothing = searched(&zap(""));
    assert_eq!((nothing.source, nothing.cases), (super::Source::Nothing, 0));
    let tests = "tests:
  - { name: a, record: { id: 1, email: a@example.test, phone: '1' }, expect: { send: done } }
";
    let search = searched(&zap(tests));
    assert_eq!(told(&search), [""; 0], "no test shows that a member may be missing");
    assert!(!search.odd.is_empty());
    let more = format!(
        "{tests}  - {{ name: b, record: {{ id: 2, email: a@example.test }}, expect: {{ send: done }} }}\n"
    );
    assert_eq!(
        told(&searched(&zap(&more))),
        [r#"given up: `$.phone` is missing {"id":1,"email":"a@example.test"}"#]
    );
    let meant =
        more.replace("name: b", "name: c").replace("send: done } }\n", "send: { error: phone } } }\n");
    assert_eq!(told(&searched(&zap(&meant.replacen("send: { error: phone }", "send: done", 1)))), [""; 0]);
}

#[test]
fn every_kind_takes_nearly_every_row_that_is_made_for_it() {
    let written = |kind: &str| match kind {
        "decline" | "refund" | "chargeback" => format!("konnektive.transactions, transaction_type: {kind}"),
        "new_customer" => "konnektive.customers".to_owned(),
        kind => format!("konnektive.orders, order_type: {kind}"),
    };
    for kind in KINDS {
        let zap = format!(
            "name: z\ntrigger: {{ type: {}, connection: crm }}\nactions:\n  - {{ id: send, type: http, connection: api, json: {{ a: 1 }} }}\n",
            written(kind.name())
        );
        let search = searched(&zap);
        assert!(search.ignored < 40, "{}: {} of {} are not taken", kind.name(), search.ignored, search.cases);
    }
}

#[test]
fn conditions_of_the_trigger_are_met() {
    let zap = "name: z
trigger:
  type: konnektive.orders
  connection: crm
  order_type: new_sale
  where: { campaignId: [12, 15], campaignProductId: 7, affId: x }
actions:
  - { id: send, type: http, connection: api, json: { a: \"{{ record.campaignId }}\" } }
";
    let search = searched(zap);
    assert!(search.ignored < 30, "{} of {}", search.ignored, search.cases);
}

#[test]
fn clock_changes_are_tried_where_the_zone_has_them() {
    let zone = |name: &str| super::values::World::of(&jiff::tz::TimeZone::get(name).unwrap()).changes;
    assert_eq!(zone("America/New_York"), ["2026-03-08 02:29:59", "2026-11-01 01:29:59"]);
    assert_eq!(zone("Australia/Sydney"), ["2026-04-05 02:29:59", "2026-10-04 02:29:59"]);
    assert_eq!(zone("UTC"), [""; 0]);
}

#[test]
fn a_look_up_that_cannot_be_decided_is_found() {
    let zap = "name: z
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: look
    type: konnektive.query
    connection: crm
    find: transactions
    by: { orderId: $.orderId }
    match: \"{{ item.surcharge > 1 }}\"
    expect: any
";
    let told = told(&searched(zap));
    assert!(told.iter().any(|line| line.starts_with("given up: `item.surcharge` is missing")), "{told:?}");
}

#[test]
fn what_is_misspelt_is_found_in_records_without_a_table() {
    let zap = "name: z
trigger: { type: webhook, connection: hook, path: /h, key: \"{{ record.id }}\" }
actions:
  - { id: send, type: http, connection: api, json: { by: { $if: \"{{ record.phon is defined }}\", $then: $.phone } } }
tests:
  - { name: a, record: { id: 1, phone: '1' }, expect: { send: done } }
";
    let search = searched(zap);
    assert_eq!(told(&search), ["known: no record of the tests has `record.phon` "]);
    assert!(search.failures[0].help.as_deref().unwrap().starts_with("did you mean `phone`?"));
}

#[test]
fn a_schedule_fires_at_its_times() {
    let zap = "name: z
trigger: { type: schedule, cron: '0 8 * * *', timezone: America/New_York }
actions:
  - { id: send, type: http, connection: api, json: { at: $.scheduled_at } }
properties:
  - { name: at eight, check: \"{{ 'T08:00:00-0' in requests[0].json.at }}\" }
";
    let search = searched(zap);
    assert_eq!((told(&search), search.ignored), (vec![], 0));
}

mod saving {
    use super::super::Saved;
    use super::{compiled, sale, search};

    fn saved() -> Saved {
        let (zap, cases) = compiled(&sale("json: { code: \"{{ record.couponCode }}\" }", ""));
        Saved::of(&zap, &search(&zap, &cases, 64, 1).failures[0]).unwrap()
    }

    /// The lines that were added to a zap.
    fn added(before: &str) -> Option<String> {
        let after = saved().added_to(before)?;
        let kept: Vec<&str> = before.lines().collect();
        assert!(kept.iter().all(|line| after.contains(line)), "{after}");
        Some(after.lines().filter(|line| !kept.contains(line)).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_test_joins_those_that_are_there() {
        let item = |indent: &str| {
            let file = saved().fixture.unwrap().0;
            format!(
                "{indent}- name: \"case: given up send: `record.couponCode` is missing\"\n{indent}  record: fixtures/{file}\n{indent}  expect: {{ send: done }}"
            )
        };
        let at_end = "name: z\ntests:\n  - name: a\n    expect: filtered";
        assert_eq!(added(at_end).unwrap(), item("  "));
        assert_eq!(
            added("name: z\ntests:\n- name: a\n  expect: filtered\nenabled: true\n").unwrap(),
            item("")
        );
        assert_eq!(added("name: z\ntests:\n  - { name: a } # it\n# end\n").unwrap(), item("  "));
        assert_eq!(
            added("name: z # none\n").unwrap(),
            format!("\ntests:\n{}", item("  "))
                .trim_start_matches('\n')
                .to_owned()
                .replacen("tests:", "\ntests:", 1)
        );
        assert!(saved().is_in(&saved().added_to(at_end).unwrap()));
        for text in [at_end, "name: z\n", "name: z\ntests:\n- name: a\n  expect: filtered\nenabled: true\n"] {
            let returns =
                saved().added_to(&text.replace('\n', "\r\n")).filter(|_| text.contains('\n')).unwrap();
            assert_eq!(returns, saved().added_to(text).unwrap().replace('\n', "\r\n"));
        }
    }

    #[test]
    fn where_nothing_can_be_added_nothing_is() {
        for text in
            ["name: z\ntests: [{ name: a }]\n", "name: z\ntests: []\n", "name: [\n", "name: z\ntests: 1\n"]
        {
            assert_eq!(saved().added_to(text), None, "{text}");
        }
    }
}

/// The fixtures that were saved.
struct Written(Vec<(String, String)>);

impl Fixtures for Written {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let known = self.0.iter().find(|(known, _)| known == path);
        known.map(|(_, text)| text.clone().into_bytes()).ok_or_else(|| "there is none".to_owned())
    }
}

#[test]
fn what_is_saved_of_a_property_passes_once_it_holds() {
    let with = |check: &str| {
        sale(
            "text: \"{{ record.firstName | default('you') }}{{ record.lastName }}\"",
            &format!("properties:\n  - {{ name: short, check: \"{check}\" }}\n"),
        )
    };
    let broken = with("{{ (record.city | default('')) | length < 5 }}");
    let mut saved = 0;
    for seed in 0..2 {
        let (zap, cases) = compiled(&broken);
        for failure in search(&zap, &cases, 24, seed).failures.iter().filter(|one| one.law.name == "property")
        {
            let Some(test) = super::Saved::of(&zap, failure) else { continue };
            saved += 1;
            let mended = test.added_to(&with("{{ true }}")).unwrap();
            let fixtures = test
                .fixture
                .iter()
                .map(|(name, text)| (format!("zaps/fixtures/{name}"), text.clone()))
                .collect();
            let (zap, cases) = compiled_with(&mended, &Written(fixtures));
            assert_eq!(cases.len(), 1, "{mended}");
            assert_eq!(cases[0].check(&zap), [], "{mended}");
            // It fails until then.
            assert_ne!(cases[0].check(&compiled(&broken).0), [], "{mended}");
        }
    }
    assert!(saved > 0);
}

#[test]
fn ids_that_the_crm_counts_are_numbers() {
    let check = ["customerId", "campaignId", "shipProfileId"]
        .map(|id| format!("(record.{id} | default(1, true) | number) > 0"))
        .join(" and ");
    let properties = format!("properties:\n  - {{ name: whole, check: \"{{{{ {check} }}}}\" }}\n");
    let (zap, cases) = compiled(&sale("json: { order: $.orderId }", &properties));
    assert_eq!(told(&search(&zap, &cases, 48, 1)), [""; 0]);
}

/// A zap on requests, with a schema of what they hold.
fn hook(text: &str, rest: &str) -> String {
    format!(
        r#"name: z
trigger:
  type: webhook
  connection: hook
  path: /hooks/z
  key: "{{{{ record.id }}}}"
  schema:
    type: object
    required: [id, state, items, total]
    properties:
      id: {{ type: string, minLength: 3, maxLength: 9 }}
      state: {{ enum: [paid, open] }}
      total: {{ type: number }}
      note: {{ type: string }}
      gift: {{ type: [boolean, "null"] }}
      items: {{ type: array, items: {{ type: object, required: [sku], properties: {{ sku: {{ type: string }}, qty: {{ type: integer }} }} }} }}
actions:
  - {{ id: send, type: http, connection: api, text: "{text}" }}
{rest}"#
    )
}

#[test]
fn a_schema_makes_records_without_a_test() {
    let search = searched(&hook("{{ record['items'][0].sku }}", ""));
    assert_eq!((search.source, search.cases), (super::Source::Outline { records: 0 }, 256));
    assert!(told(&search)[0].starts_with("given up"), "{:?}", told(&search));
    let note = r#"{{ record.note | default('none') }} {{ record['items'] | length }} {{ record.total }}"#;
    // What it says holds of each.
    let properties = "properties:
  - { name: bounds, check: \"{{ (record.id | length) >= 3 and (record.id | length) <= 9 and record.state in ['paid', 'open'] }}\" }
";
    let search = searched(&hook(note, properties));
    assert_eq!(told(&search), [""; 0]);
    // Each of its shapes comes up.
    for check in [
        "record.note is defined",
        "record.note is not defined",
        "(record.note | default('x')) != ''",
        "record.gift is not none",
        "record.gift is none",
        "record['items'] | length != 0",
        "record['items'] | length != 3",
        "record.total < 100",
        "record.state == 'paid'",
    ] {
        let properties = format!("properties:\n  - {{ name: never, check: \"{{{{ {check} }}}}\" }}\n");
        assert_eq!(searched(&hook(note, &properties)).failures.len(), 1, "{check}");
    }
}

#[test]
fn lists_of_tests_have_fewer_members_too() {
    let zap = "name: z
trigger: { type: webhook, connection: hook, path: /hooks/z, key: \"{{ record.id }}\" }
actions:
  - { id: send, type: http, connection: api, text: \"{{ record.data['items'][2] }}\" }
tests:
  - { name: a, record: { id: 1, data: { items: [a, b, c] } }, expect: { send: done } }
  - { name: b, record: { id: 2, data: { items: [d, e, f] } }, expect: { send: done } }
";
    assert_eq!(searched(zap).failures.len(), 1);
}
