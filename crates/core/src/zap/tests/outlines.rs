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
