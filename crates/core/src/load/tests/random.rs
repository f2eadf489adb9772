//! Laws over any files.

use proptest::prelude::*;

use super::*;

fn survives(project: &[u8], zap: &[u8]) {
    let input = Input {
        project: file("zaprun.yaml", project),
        overlays: vec![Overlay { env: "x".to_owned(), file: file("zaprun.x.yaml", zap) }],
        zaps: vec![file("zaps/a.yaml", zap), file("zaps/b.yaml", project)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let findings = loaded.conclude(Vec::new());
    for finding in &findings {
        let related = finding.related.iter().map(|(span, _)| *span);
        for span in finding.span.into_iter().chain(related) {
            let text = &loaded.sources.file(span.file).text;
            assert!(text.get(span.start..span.end).is_some(), "{finding:?} in {text:?}");
        }
    }
    for zap in &loaded.zaps {
        let silent = !findings.iter().any(|finding| finding.span.is_some_and(|span| span.file == zap.file));
        assert!(zap.definition.is_some() || !silent, "a zap without a definition has a finding");
    }
    assert!(loaded.project.is_some() || !findings.is_empty());
}

/// A good file in which one line was changed.
fn damaged(text: &'static str) -> impl Strategy<Value = String> {
    let lines: Vec<&str> = text.lines().collect();
    let count = lines.len();
    (
        0..count,
        prop_oneof![
            Just("".to_owned()),
            Just("x".to_owned()),
            Just("- x".to_owned()),
            Just("    deeper: 1".to_owned()),
            Just("type: [1]".to_owned()),
            Just("  type: http".to_owned()),
            Just("<<: *a".to_owned()),
            Just("actions: { a: b }".to_owned()),
            Just("  connection: 5".to_owned()),
            Just("name: ${X}".to_owned()),
            Just("tests: [{}]".to_owned()),
            ".{0,30}",
        ],
    )
        .prop_map(move |(at, by)| {
            let mut lines = lines.clone();
            lines[at] = &by;
            lines.join("\n")
        })
}

const ZAP: &str = "\
name: new-sale
enabled: true
trigger:
  type: konnektive.orders
  connection: crm
  order_type: new_sale
  start: 2026-01-01
let: { a: b }
actions:
  - id: send
    type: http
    connection: slack
    json: { order: $.orderId }
    retry: { for: 1h }
";

proptest! {
    #[test]
    fn any_bytes_are_survived(
        project in proptest::collection::vec(any::<u8>(), 0..100),
        zap in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        survives(&project, &zap);
    }

    #[test]
    fn damaged_files_are_survived(project in damaged(super::PROJECT), zap in damaged(ZAP)) {
        survives(project.as_bytes(), zap.as_bytes());
    }
}
