#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

mod agree;
mod told;

use super::check;
use std::collections::HashMap;
use std::sync::Arc;
use zaprun_core::load::{File, Input, Loaded, load};
use zaprun_core::rehearsal::{Case, Difference, Fixtures, read_tests};
use zaprun_core::zap::{ProjectFacts, Zap, compile};

const PROJECT: &str = r##"version: 1
connections:
  crm: { type: konnektive, login_id: "${LOGIN}", password: "${PASSWORD}", timezone: America/New_York, currency: USD }
  sink: { type: http, base_url: "${SINK}", may_receive: [personal, card, secret] }
  form: { type: webhook, verify: { token: { header: X-Token, value: "${TOKEN}" } } }
listen: { webhooks: 127.0.0.1:8080 }
vars: { channel: "#orders" }
"##;

const SALE: &str = r#"{"orderId":"D6C8C390A7","orderStatus":"COMPLETE","orderType":"NEW_SALE","campaignId":12,
  "dateCreated":"2026-09-16 14:25:31","dateUpdated":"2026-09-16 14:25:31","firstName":"Ada","lastName":"Lovelace",
  "emailAddress":"ada@example.com","totalAmount":"49.90","customerId":77,
  "items":{"7":{"productId":7,"name":"Kit","qty":"2","price":"19.95"},"9":{"productId":9,"name":"Serum","qty":1,"price":10.00}}}"#;

struct Files(HashMap<String, Vec<u8>>);

impl Fixtures for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file or directory".to_owned())
    }
}

struct Bench {
    loaded: Loaded,
    cases: Vec<Case>,
    zap: Option<Arc<Zap>>,
}

impl Bench {
    fn new(zap: &str, record: &str) -> Bench {
        let file =
            |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/z.yaml", zap)],
            tables: Vec::new(),
            env: None,
        };
        let mut loaded = load(&input, None);
        let files = HashMap::from([("zaps/sale.json".to_owned(), record.as_bytes().to_vec())]);
        let cases = read_tests(&mut loaded, &[], &Files(files));
        let project = loaded.project.as_ref().unwrap();
        let facts = ProjectFacts::of(&project.definition, &project.tree);
        let (Some(definition), Some(tree)) = (&loaded.zaps[0].definition, &loaded.zaps[0].tree) else {
            return Bench { loaded, cases, zap: None };
        };
        let compiled = compile(definition, tree, &facts);
        loaded.diagnostics.extend(compiled.diagnostics);
        Bench { loaded, cases, zap: compiled.zap.map(Arc::new) }
    }

    fn findings(&self) -> String {
        let line = |finding: &zaprun_core::diagnostic::Diagnostic| {
            let at = self.loaded.sources.range(finding.span.unwrap()).0;
            let help = finding.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
            format!("{}:{} {} {}{help}\n", at.line, at.column, finding.code.id, finding.message)
        };
        self.loaded.conclude(Vec::new()).iter().map(line).collect()
    }

    /// What became of each test.
    fn results(&self) -> String {
        assert_eq!(self.findings(), "");
        let zap = self.zap.as_ref().unwrap();
        let mut out = String::new();
        for case in &self.cases {
            let differences = check(case, zap);
            out.push_str(&format!("{} {}\n", if differences.is_empty() { "ok" } else { "FAIL" }, case.name));
            for Difference { place, expected, got, help, .. } in differences {
                out.push_str(&format!("  {place}: expected {expected}, got {got}"));
                out.extend(help.map(|help| format!(" | {help}")));
                out.push('\n');
            }
        }
        out
    }
}

/// A zap on sales with these keys, and the results of its tests.
fn results(body: &str) -> String {
    results_of("{ type: konnektive.orders, connection: crm, order_type: new_sale }", body)
}

fn results_of(trigger: &str, body: &str) -> String {
    Bench::new(&format!("name: z\ntrigger: {trigger}\n{body}"), SALE).results()
}
