//! Data whose kind only the author knows: schemas, samples, and bodies.

use super::*;
use crate::rehearsal::Fixtures;
use crate::zap::{Documents, compile_with};

/// A folder of files.
struct Files(&'static [(&'static str, &'static str)]);

impl Fixtures for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "it is not there".to_owned())
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let inside =
            |(path, _): &(&str, &str)| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        self.0.iter().filter_map(inside).collect()
    }
}

const FILES: Files = Files(&[
    (
        "zaps/schemas/lead.json",
        r#"{"type":"object","required":["id","email"],"properties":{"id":{"type":"integer"},"email":{"type":"string"},"phone":{"type":"string"}}}"#,
    ),
    ("zaps/schemas/broken.json", "{"),
    ("zaps/schemas/odd.json", r#"{"type":"text"}"#),
    ("zaps/fixtures/one.json", r#"{"id":1,"email":"a@example.com","phone":"555"}"#),
    ("zaps/fixtures/two.json", r#"{"id":2,"email":"b@example.com"}"#),
]);

/// All findings of a zap, those that leave it usable too.
fn told(trigger: &str, actions: &str) -> Vec<String> {
    let text = format!("name: z\ntrigger:\n{trigger}\nactions:\n{actions}");
    let project = format!("{PROJECT}listen: {{ webhooks: 127.0.0.1:8080 }}\n").replace(
        "  sink:",
        "  form: { type: webhook, verify: { token: { header: X-T, value: \"${T}\" } } }\n  sink:",
    );
    let input = Input {
        project: file("zaprun.yaml", &project),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", &text)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let zap = &loaded.zaps[0];
    let (Some(definition), Some(tree)) = (&zap.definition, &zap.tree) else {
        return loaded.conclude(Vec::new()).iter().map(|finding| finding.message.clone()).collect();
    };
    let documents = Documents::read(definition, tree, "zaps/z.yaml", &FILES);
    let found = compile_with(definition, tree, &facts, &documents).diagnostics;
    let show = |finding: &crate::diagnostic::Diagnostic| {
        let (start, _) = loaded.sources.range(finding.span.unwrap());
        let mark = if finding.severity == crate::diagnostic::Severity::Warning { "?" } else { "" };
        let help = finding.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{}:{} {}{mark} {}{help}", start.line, start.column, finding.code.id, finding.message)
    };
    loaded.conclude(found).iter().map(show).collect()
}

fn webhook(more: &str) -> String {
    format!("  type: webhook\n  connection: form\n  path: /lead\n  key: \"{{{{ record.id }}}}\"\n{more}")
}

const SEND: &str = "  - id: send
    type: http
    connection: sink
    json: { to: \"{{ record.email }}\", call: \"{{ record.phone }}\", who: \"{{ record.nmae }}\", n: \"{{ record.id ~ '' }}\" }
";

#[test]
fn records_are_known_by_a_schema_or_by_samples() {
    let expected = [
        "12:49 ZR0411? `record.phone` need not be there, and the run is given up then",
        "12:76 ZR0404 `record` has no field `nmae`",
    ];
    for more in [
        "  schema: schemas/lead.json",
        "  infer_from: fixtures/*.json",
        "  infer_from: [fixtures/one.json, fixtures/two.json]",
        "  schema: { required: [id, email], properties: { id: { type: integer }, email: { type: string }, phone: { type: string } } }",
    ] {
        let found = told(&webhook(more), SEND);
        let heads: Vec<&str> = found.iter().map(|finding| finding.split(" | ").next().unwrap()).collect();
        assert_eq!(heads, expected, "{more}");
    }
    let key = told(
        &webhook("  schema: schemas/lead.json").replace("record.id", "record.idd"),
        "  - { id: s, type: http, connection: sink }\n",
    );
    assert_eq!(key, ["6:12 ZR0404 `record` has no field `idd` | did you mean `id`?"]);
}

#[test]
fn what_cannot_be_used_says_so() {
    let act = "  - { id: s, type: http, connection: sink }\n";
    for (more, message) in [
        ("  schema: schemas/none.json", "zaps/schemas/none.json cannot be read: it is not there"),
        ("  schema: ../../x.json", "`../../x.json` is no file of the project"),
        ("  schema: schemas/broken.json", "zaps/schemas/broken.json is not JSON: "),
        ("  schema: schemas/odd.json", "it is no schema: at `/type`: it is string, number, "),
        ("  infer_from: nothing/*.json", "`nothing/*.json` is no file of the project"),
        ("  schema: {}\n  infer_from: fixtures/one.json", "`infer_from` has no meaning beside `schema`"),
    ] {
        let found = told(&webhook(more), act);
        assert!(matches!(found.as_slice(), [only] if only.contains(message)), "{more}: {found:?}");
    }
}

#[test]
fn a_body_is_checked_against_its_schema() {
    let action = "  - id: send
    type: http
    connection: sink
    schema:
      type: object
      required: [order, total, lines]
      properties:
        order: { type: string, maxLength: 12 }
        total: { type: number }
        state: { enum: [open, done] }
        note: { type: string }
        city: { type: string }
        at: { type: string }
        lines: { type: array, items: { type: object, required: [sku], properties: { sku: { type: string }, qty: { type: number } } } }
    json:
      ordr: $.orderId
      order: \"{{ record.totalAmount }}\"
      state: $.orderStatus
      note: $.companyName
      city: \"{{ record.city | truncate_chars(9) }}\"
      at: \"{{ record.dateCreated | datetime }}\"
      lines: { $each: $.items, $map: { sku: \"{{ item.productSku }}\", qty: \"{{ item.name }}\" } }
";
    let found = told("  { type: konnektive.orders, connection: crm, order_type: new_sale }", action);
    insta::assert_snapshot!(found.join("\n"), @r"
    20:7 ZR0716 the body needs `total` | add `total:`, a number
    20:7 ZR0716 the body takes no `ordr` | did you mean `order`?
    21:14 ZR0716 `order` must be text, and this is a number | convert it: `| string`
    22:14 ZR0716 `state` cannot be `COMPLETE`, `PARTIAL`, `DECLINED`, `REFUNDED`, `CANCELLED`, `PENDING`, `COD_PENDING` | it is one of `open`, `done`
    23:13 ZR0716? `note` may be null, which its schema does not take | write `{{ … | default(…) }}`, or `$drop_null: true` beside it
    26:75 ZR0716 `qty` must be a number, and this is text | convert it: `| number`
    ");
    let fine = "  - id: send
    type: http
    connection: sink
    schema: { type: array, items: { required: [a], additionalProperties: true, properties: { a: { type: string } } } }
    json: [{ a: $.orderId, b: 1 }]
";
    assert_eq!(told("  { type: konnektive.orders, connection: crm, order_type: new_sale }", fine), [""; 0]);
}

/// What is told of a body, without the places.
fn told_of(schema: &str, json: &str) -> Vec<String> {
    let action = format!(
        "  - id: send\n    type: http\n    connection: sink\n    allow: [personal]\n    schema: {schema}\n    json: {json}\n"
    );
    let found = told("  { type: konnektive.orders, connection: crm, order_type: new_sale }", &action);
    found.iter().map(|finding| finding.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn what_is_the_same_for_every_record_is_held_to_the_schema_itself() {
    let object = |more: &str| format!("{{ type: object, properties: {{ {more} }} }}");
    for (schema, json, message) in [
        ("email: { type: string }", "{ email: null }", "`email` must be text, and this is null"),
        (
            "email: { type: string }",
            "{ email: { $if: \"{{ record.totalAmount > 1 }}\", $then: null, $else: x } }",
            "`email` must be text, and this is null",
        ),
        ("qty: { type: integer }", "{ qty: 1.5 }", "`qty` must be a whole number, and this is 1.5"),
        (
            "qty: { type: number, minimum: 1 }",
            "{ qty: 0 }",
            "`qty` is not what its schema takes: 0 is less than",
        ),
        ("name: { type: string, minLength: 1 }", "{ name: '' }", "`name` is not what its schema takes: "),
        ("size: { enum: [1, 2] }", "{ size: 3 }", "`size` cannot be `3` | it is one of `1`, `2`"),
        (
            "id: { oneOf: [{ type: string }, { type: number }] }",
            "{ id: true }",
            "`id` is not what its schema takes",
        ),
        (
            "tags: { type: array, items: { type: string } }",
            "{ tags: [a, 1, b] }",
            "an item must be text, and this is 1",
        ),
        (
            "tags: { type: array, items: { type: string } }",
            "{ tags: [a, \"{{ record.totalAmount }}\"] }",
            "an item must be text, and this is a number",
        ),
        (
            "lines: { type: array, items: { required: [sku], properties: { sku: { type: string } } } }",
            "{ lines: [{ sku: a }, { sku: $.orderId }, { sk: a }] }",
            "an item needs `sku`",
        ),
        (
            "lines: { type: array, items: { required: [sku], properties: { sku: { type: string } } } }",
            "{ lines: $.items }",
            "an item needs `sku`",
        ),
        (
            "a: { type: object, properties: { name: { type: string } } }",
            "{ a: { $if: \"{{ record.totalAmount > 1 }}\", $then: { nme: x }, $else: { name: y } } }",
            "`a` takes no `nme`",
        ),
        (
            "a: { $ref: '#/definitions/a' } }, definitions: { a: { properties: { b: { type: boolean } } }",
            "{ a: { b: 'yes' } }",
            "`b` must be true or false, and this is text",
        ),
    ] {
        let found = told_of(&object(schema), json);
        assert!(found.iter().any(|finding| finding.contains(message)), "{json}: {found:?}");
        assert!(found.len() <= 2, "{json}: {found:?}");
    }
}

#[test]
fn what_fits_is_not_told_of() {
    for (schema, json) in [
        ("{ properties: { maybe: { type: [string, 'null'] } } }", "{ maybe: $.couponCode }"),
        (
            "{ properties: { maybe: { anyOf: [{ type: string }, { type: 'null' }] } } }",
            "{ maybe: $.couponCode }",
        ),
        ("{ properties: { maybe: { type: string } } }", "{ maybe: $.couponCode, $drop_null: true }"),
        ("{ properties: { maybe: { type: string } } }", "{ maybe: null, $drop_null: true }"),
        ("{ properties: { at: { type: string } } }", "{ at: \"{{ record.dateCreated | datetime }}\" }"),
        (
            "{ allOf: [{ properties: { a: { type: string } } }, { properties: { b: { type: number } } }] }",
            "{ a: x, b: 1 }",
        ),
        ("{ oneOf: [{ type: object, properties: { a: {} } }, { type: array }] }", "[1]"),
        (
            "{ type: array, items: { required: [orderId] } }",
            "{ $each: $.items, $map: { orderId: $.orderId } }",
        ),
        ("{ type: array, items: { required: [productSku] } }", "$.items"),
        ("{ properties: { n: { type: number } } }", "{ n: 19.90 }"),
        ("{}", "{ anything: [1, a] }"),
    ] {
        assert_eq!(told_of(schema, json), [""; 0], "{schema} {json}");
    }
}

#[test]
fn a_schedule_has_nothing_but_its_time() {
    let act = "  - { id: s, type: http, connection: sink, json: { at: \"{{ record.scheduled_at }}\", id: \"{{ record.orderId }}\" } }\n";
    let found = told("  { type: schedule, cron: \"0 8 * * *\", timezone: UTC }", act);
    assert!(
        matches!(found.as_slice(), [only] if only.contains("`record` has no field `orderId`")),
        "{found:?}"
    );
}

#[test]
fn who_may_see_what_an_export_profile_sends_is_known() {
    let act = "  - { id: s, type: http, connection: sink, query: { to: \"{{ record.emailAddress }}\", id: \"{{ record.orderId }}\" } }\n";
    let hook = "  type: webhook\n  connection: form\n  path: /crm\n  preset: konnektive";
    let found = told(hook, act);
    assert!(matches!(found.as_slice(), [only] if only.contains("emailAddress")), "{found:?}");
}
