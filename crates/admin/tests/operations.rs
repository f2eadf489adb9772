//! What `docs/operations` says against what the program has.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use zaprun_admin::{METRICS, MetricKind, metrics_page};
use zaprun_core::zap::ALERT_KINDS;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

#[test]
fn the_page_of_metrics_is_fresh() {
    if std::env::var_os("ZAPRUN_BLESS").is_some() {
        std::fs::write(path("metrics.md"), metrics_page()).unwrap();
    }
    assert_eq!(read("metrics.md"), metrics_page(), "`just metrics` writes it");
}

/// Names of metrics in a text: words of ours that stand where a metric does.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("zaprun_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

fn exists(name: &str) -> bool {
    METRICS.iter().any(|metric| match metric.kind {
        MetricKind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| name == format!("{}{end}", metric.name))
        }
        MetricKind::Counter | MetricKind::Gauge => name == metric.name,
    })
}

#[test]
fn the_dashboard_and_the_rules_name_metrics_that_exist() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 25, "{queries:?}");
    for text in [queries.join("\n"), read("prometheus/alerts.yaml"), read("prometheus/alerts_test.yaml")] {
        let unknown: Vec<String> = named(&text).into_iter().filter(|name| !exists(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
    // Whoever watches the dashboard sees everything.
    let shown = named(&queries.join("\n"));
    let hidden: Vec<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .filter(|name| !shown.iter().any(|shown| shown.starts_with(name)))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn every_alert_has_a_section_of_the_runbook_and_a_test() {
    let (runbook, rules, tests) =
        (read("runbook.md"), read("prometheus/alerts.yaml"), read("prometheus/alerts_test.yaml"));
    let sections: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let alerts: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let kinds = ALERT_KINDS.iter().map(|kind| kind.word);
    let expected: BTreeSet<&str> = alerts.iter().copied().chain(kinds).collect();
    assert_eq!(sections, expected);
    for alert in &alerts {
        assert!(
            tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n          -")),
            "{alert} is never seen to fire"
        );
        assert!(rules.contains(&format!("runbook.md#{}\n", alert.to_lowercase())), "{alert}");
    }
}

#[test]
fn names_are_as_prometheus_wants_them() {
    let mut names = BTreeSet::new();
    for metric in METRICS {
        assert!(names.insert(metric.name), "{} twice", metric.name);
        assert_eq!(metric.kind == MetricKind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        assert!(!metric.help.ends_with('.'), "{}", metric.name);
        for label in metric.labels {
            assert!(!["id", "run", "event", "order", "email"].contains(label), "{} {label}", metric.name);
        }
    }
}
