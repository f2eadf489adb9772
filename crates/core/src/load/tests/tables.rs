//! Look-up tables: what is found in them, what they hold, and what a zap's hash says of them.

use proptest::prelude::*;

use super::*;
use crate::value::Value;
use crate::zap::{ProjectFacts, compile};

fn loaded(tables: &[(&str, &[u8])], zap: &str) -> Loaded {
    let tables = tables.iter().map(|(path, bytes)| file(path, bytes)).collect();
    let input = Input { tables, zaps: vec![file("zaps/a.yaml", zap)], ..project(PROJECT, &[]) };
    load(&input, None)
}

fn zap(expression: &str) -> String {
    format!(
        "name: a\ntrigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale }}\nactions:\n  \
         - {{ id: send, type: http, connection: slack, json: {{ a: \"{{{{ {expression} }}}}\" }} }}\n"
    )
}

fn hash(tables: &[(&str, &[u8])], expression: &str) -> String {
    let loaded = loaded(tables, &zap(expression));
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree).with_tables(&loaded.tables);
    let file = &loaded.zaps[0];
    let compiled = compile(file.definition.as_ref().unwrap(), file.tree.as_ref().unwrap(), &facts);
    compiled.zap.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).content
}

#[test]
fn the_content_of_a_zap_covers_the_tables_it_reads_and_no_other() {
    let good: &[u8] = b"sku,account\nA,1\n";
    let changed: &[u8] = b"sku,account\nA,2\n";
    let reads = "record.orderId | lookup('one', '-')";
    let tables = |one, two| hash(&[("tables/one.csv", one), ("tables/two.csv", two)], reads);
    assert_eq!(tables(good, good), tables(good, changed));
    assert_ne!(tables(good, good), tables(changed, good));
    // The name of the table is covered by the text of the zap.
    let both: &[(&str, &[u8])] = &[("tables/one.csv", good), ("tables/two.csv", good)];
    assert_ne!(hash(both, reads), hash(both, "record.orderId | lookup('two', '-')"));
}

#[test]
fn a_table_that_cannot_be_read_is_not_missed_too() {
    let shown =
        shown(&loaded(&[("tables/one.csv", b"sku,account\nA\n")], &zap("record.orderId | lookup('one')")));
    insta::assert_snapshot!(shown, @r"tables/one.csv:2:1 ZR1101 the row has 1 values, and the table 2 columns | put text that holds a comma in double quotes");
    let loaded = loaded(&[("tables/one.csv", b"sku,account\nA\n")], &zap("record.orderId | lookup('one')"));
    let facts = ProjectFacts::unknown().with_tables(&loaded.tables);
    let file = &loaded.zaps[0];
    let compiled = compile(file.definition.as_ref().unwrap(), file.tree.as_ref().unwrap(), &facts);
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
}

proptest! {
    /// What is written as CSV is found again, whatever the text: quotes, commas and line breaks too.
    #[test]
    fn every_row_is_found(rows in prop::collection::btree_map("[ -~é\"\n,]{1,12}", "[ -~é\"\n,]{0,12}", 1..8)) {
        let rows: std::collections::BTreeMap<String, String> = rows
            .into_iter()
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .filter(|(key, _)| !key.is_empty())
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["key", "value"]).unwrap();
        for (key, value) in &rows {
            writer.write_record([key, value]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let loaded = loaded(&[("tables/t.csv", &bytes)], &zap("1"));
        prop_assert_eq!(shown(&loaded), "");
        let table = loaded.tables.get("t").unwrap().unwrap();
        for (key, value) in &rows {
            prop_assert_eq!(table.get(key, 0), Some(&Value::text(value.as_str())), "{:?}", key);
        }
        prop_assert_eq!(table.get("not there at all", 0), None);
    }

    /// No bytes break the reader, and what is wrong has its place.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), lines in "([a-c\",]{0,6}\n){0,6}") {
        for (path, bytes) in [("tables/t.csv", &bytes[..]), ("tables/t.csv", lines.as_bytes()), ("tables/t.yaml", &bytes[..])] {
            let loaded = loaded(&[(path, bytes)], &zap("1"));
            let table = loaded.tables.get("t").unwrap();
            let findings = loaded.conclude(Vec::new());
            prop_assert!(findings.iter().all(|finding| finding.span.is_some()));
            let errors = findings.iter().any(|finding| finding.severity == Severity::Error);
            prop_assert_eq!(table.is_none(), errors, "{}", shown(&loaded));
        }
    }
}
