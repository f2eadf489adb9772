//! What the keys of a trigger say together.

use std::collections::HashMap;
use std::time::Duration;

use super::action;
use super::project::time_zone;
use super::zap::too_short;
use crate::cron::Cron;
use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::yaml::{NodeId, Tree};

/// An option that says something about some kinds of rows only.
struct Optional {
    key: &'static str,
    /// The kinds that it is about.
    kinds: &'static [&'static str],
}

/// What each option of a trigger that polls the CRM is about, where that is not every kind.
const OPTIONS: &[Optional] = &[
    Optional { key: "cycles", kinds: &["new_sale", "declined", "decline"] },
    Optional { key: "include_bought", kinds: &["new_lead"] },
    Optional { key: "include_voids", kinds: &["refund"] },
    Optional { key: "own", kinds: &["new_lead"] },
];

/// The kinds that `order_type` and `transaction_type` name.
const KINDS: &[(&str, &[&str])] = &[
    ("order_type", &["new_sale", "cancelled", "new_lead", "rebill", "declined", "refunded", "shipped"]),
    ("transaction_type", &["decline", "refund", "chargeback"]),
];

/// The checks of a zap's trigger.
pub(super) fn check(tree: &Tree) -> Vec<Diagnostic> {
    let Some(trigger) = tree.get(tree.root(), "trigger") else { return Vec::new() };
    let mut findings = Vec::new();
    match tree.get(trigger, "type").and_then(|node| tree.text(node)) {
        Some("http") => {
            action::target(tree, trigger, "trigger", &mut findings);
            action::body(tree, trigger, "GET", &mut findings);
        }
        Some("schedule") => findings.extend(schedule(tree, trigger)),
        _ => {
            findings.extend(options(tree, trigger));
            findings.extend(settle(tree, trigger));
        }
    }
    if let Some(every) = tree.get(trigger, "every") {
        findings.extend(too_short(tree, every, "every", Duration::from_secs(1)));
    }
    findings.extend(sweep(tree, trigger));
    findings
}

/// A walk is a poll too.
fn sweep(tree: &Tree, trigger: NodeId) -> Option<Diagnostic> {
    let length = |node| tree.text(node)?.parse::<definition::Duration>().ok();
    let sweep = tree.get(trigger, "sweep")?;
    let every = tree.get(trigger, "every");
    let least = every.and_then(length).unwrap_or(definition::Duration(definition::POLL_EVERY));
    (length(sweep)?.0 < least.0).then(|| {
        let message = "`sweep` is shorter than `every`: what is read is read when it is polled";
        let finding = Diagnostic::new(&code::OUT_OF_RANGE, message).at(tree.span(sweep));
        let finding = finding.help(format!("write {least} or more, or make `every` shorter"));
        match every {
            Some(every) => finding.related(tree.span(every), "`every` is here"),
            None => finding,
        }
    })
}

/// Options that say something about another kind of row.
fn options(tree: &Tree, trigger: NodeId) -> Vec<Diagnostic> {
    let text = |key: &str| tree.get(trigger, key).and_then(|node| tree.text(node));
    let chosen = KINDS.iter().find_map(|(chooser, kinds)| {
        // A kind that does not exist has its own finding, and nothing can be said of it.
        text(chooser).filter(|kind| kinds.contains(kind))
    });
    let Some(kind) = chosen else { return Vec::new() };
    let idle = |option: &&Optional| !option.kinds.contains(&kind);
    let finding = |option: &Optional| {
        let entry = tree.entry(trigger, option.key)?;
        let belongs = match option.kinds {
            [only] => {
                let chooser = KINDS.iter().find(|(_, kinds)| kinds.contains(only));
                format!("`{}: {only}`", chooser.map_or("type", |(chooser, _)| chooser))
            }
            [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
            [] => return None,
        };
        Some(
            Diagnostic::new(&code::NO_EFFECT, format!("`{}` says nothing about {kind}", option.key))
                .at(entry.key_span)
                .help(format!("remove it: it belongs to {belongs}")),
        )
    };
    OPTIONS.iter().filter(idle).filter_map(finding).collect()
}

fn settle(tree: &Tree, trigger: NodeId) -> Option<Diagnostic> {
    let most = tree.entry(trigger, "settle_max")?;
    let Some(settle) = tree.entry(trigger, "settle") else {
        return Some(
            Diagnostic::new(&code::NO_EFFECT, "`settle_max` says nothing without `settle`")
                .at(most.key_span)
                .help("add `settle:`, or remove `settle_max:`"),
        );
    };
    let length = |node| tree.text(node)?.parse::<definition::Duration>().ok();
    let (quiet, longest) = (length(settle.value)?, length(most.value)?);
    (longest < quiet).then(|| {
        let message = format!("`settle_max` is shorter than `settle`: no order would be quiet for {quiet}");
        Diagnostic::new(&code::OUT_OF_RANGE, message)
            .at(tree.span(most.value))
            .related(tree.span(settle.value), "`settle` is here")
            .help(format!("write {quiet} or more"))
    })
}

fn schedule(tree: &Tree, trigger: NodeId) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if let Some((cron, text)) =
        tree.get(trigger, "cron").and_then(|node| tree.text(node).map(|text| (node, text)))
        && let Err(problem) = Cron::parse(text)
    {
        findings.push(
            Diagnostic::new(&code::BAD_FORMAT, format!("`{text}` is no cron expression: {problem}"))
                .at(tree.span(cron))
                .help("write minute, hour, day of month, month, day of week: \"0 8 * * 1-5\" is 8:00 from Monday to Friday"),
        );
    }
    if let Some(zone) = tree.get(trigger, "timezone") {
        findings.extend(time_zone(tree, zone, &mut HashMap::new()));
    }
    findings
}
