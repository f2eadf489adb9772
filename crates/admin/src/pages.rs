//! The table of metrics as a page.

use crate::table::METRICS;

/// The page that documents every metric, as Markdown.
pub fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Generated from the table in `crates/admin/src/table.rs`; do not edit.\n\n\
         `/metrics` of the admin address speaks Prometheus's text format. Units are seconds and counts. Counters start at \
         zero with the process, which `rate()` and `increase()` know how to read. No label holds the id of a run, an order \
         or a person. `connection` is a connection's name, or the host where an action or a trigger has none; `zap` and \
         `step` are names of the project.\n\n\
         | metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            metric.name,
            metric.kind.word(),
            labels.join(", "),
            metric.help
        ));
    }
    page
}
