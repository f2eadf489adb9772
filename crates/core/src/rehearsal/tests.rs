#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

mod findings;
mod language;
mod laws;
mod steps;
mod styles;
mod triggers;
mod updates;

use std::collections::HashMap;

use super::*;
use crate::load::{File, Input, Loaded, load};
use crate::zap::{ProjectFacts, Zap, compile};

const PROJECT: &str = r##"version: 1
connections:
  crm: { type: konnektive, login_id: "${LOGIN}", password: "${PASSWORD}", timezone: America/New_York, currency: USD }
  sink: { type: http, base_url: "${SINK}", may_receive: [personal, card, secret] }
  form: { type: webhook, verify: { token: { header: X-Token, value: "${TOKEN}" } } }
listen: { webhooks: 127.0.0.1:8080 }
vars: { channel: "#orders", limits: { low: 20.50, high: 100 } }
"##;

/// A whole row of a sale.
const SALE: &str = r#"{"orderId":"D6C8C390A7","orderStatus":"COMPLETE","orderType":"NEW_SALE","campaignId":12,
  "dateCreated":"2026-09-16 14:25:31","firstName":"Ada","lastName":"Lovelace","emailAddress":"ada@example.com",
  "totalAmount":"49.90","couponCode":"SPRING","items":{"7":{"productId":7,"name":"Kit","qty":"2","price":"19.95"},
  "9":{"productId":9,"name":"Serum","qty":1,"price":10.00}}}"#;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) }
}

/// Files in memory.
struct Files(HashMap<String, Vec<u8>>);

impl Fixtures for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file or directory".to_owned())
    }
}

/// A project of one zap, `zaps/shop/z.yaml`, with its tests.
struct Bench {
    loaded: Loaded,
    cases: Vec<Case>,
    zap: Option<Zap>,
}

impl Bench {
    fn new(zap: &str, test_files: &[(&str, &str)], fixtures: &[(&str, &str)]) -> Bench {
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/shop/z.yaml", zap)],
            tables: Vec::new(),
            env: None,
        };
        let mut loaded = load(&input, None);
        let sale = [("zaps/shop/fixtures/sale.json", SALE)];
        let fixtures = fixtures.iter().chain(&sale);
        let fixtures = fixtures.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let files: Vec<File> = test_files.iter().map(|(path, text)| file(path, text)).collect();
        let cases = read_tests(&mut loaded, &files, &Files(fixtures));
        let project = loaded.project.as_ref().unwrap();
        let facts = ProjectFacts::of(&project.definition, &project.tree);
        let (Some(definition), Some(tree)) = (&loaded.zaps[0].definition, &loaded.zaps[0].tree) else {
            return Bench { loaded, cases, zap: None };
        };
        let compiled = compile(definition, tree, &facts);
        loaded.diagnostics.extend(compiled.diagnostics);
        Bench { loaded, cases, zap: compiled.zap }
    }

    /// Findings, one a line.
    fn findings(&self) -> String {
        let mut out = String::new();
        for finding in self.loaded.conclude(Vec::new()) {
            let span = finding.span.unwrap();
            let at = self.loaded.sources.range(span).0;
            let path = &self.loaded.sources.file(span.file).path;
            out.push_str(&format!(
                "{path}:{}:{} {} {}",
                at.line, at.column, finding.code.id, finding.message
            ));
            out.extend(finding.help.map(|help| format!(" | {help}")));
            for (span, words) in finding.related {
                let at = self.loaded.sources.range(span).0;
                let path = &self.loaded.sources.file(span.file).path;
                out.push_str(&format!(" ({path}:{}:{} {words})", at.line, at.column));
            }
            out.push('\n');
        }
        out
    }

    /// What became of each test.
    fn results(&self) -> String {
        assert_eq!(self.findings(), "");
        let zap = self.zap.as_ref().unwrap();
        let mut out = String::new();
        for case in &self.cases {
            let differences = case.check(zap);
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
    bench(body).results()
}

fn bench(body: &str) -> Bench {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    Bench::new(&format!("{head}{body}"), &[], &[])
}
