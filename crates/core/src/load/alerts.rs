//! Who is told of alerts: names that must be unique or lead somewhere.

use std::collections::HashMap;
use std::time::Duration;

use super::names::{HTTP, connection, duplicate_id};
use super::zap::too_short;
use crate::diagnostic::Diagnostic;
use crate::yaml::Tree;

/// What is wrong with `alerts`.
pub(super) fn check(tree: &Tree) -> Vec<Diagnostic> {
    let Some(alerts) = tree.get(tree.root(), "alerts") else { return Vec::new() };
    let mut findings = Vec::new();
    if let Some(every) = tree.get(alerts, "every") {
        findings.extend(too_short(tree, every, "every", Duration::from_secs(60)));
    }
    let mut ids = HashMap::new();
    for target in tree.get(alerts, "to").map_or(&[][..], |to| tree.items(to)) {
        findings.extend(duplicate_id(tree, *target, &mut ids));
        findings.extend(connection(tree, tree, *target, Some(HTTP)));
    }
    findings
}
