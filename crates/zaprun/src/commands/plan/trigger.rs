//! What a change of a trigger does to what was seen and to what counts as new.

use zaprun_core::yaml::NodeId;
use zaprun_core::zap::{Trigger, Zap};

use super::report::TriggerPlan;
use super::written::{Written, differing};

/// What it means that a key is written otherwise, where the selection stays.
const KEYS: &[(&str, &str)] = &[
    ("start", "`start` counts only where the zap has never run"),
    (
        "once_per",
        "what was taken by the old `once_per` says nothing of the new one: such events may fire again",
    ),
    ("key", "requests and items are known by another id: one that comes again after the change fires again"),
    ("path", "callers must be told the new address"),
    ("also.path", "callers must be told the new address"),
    ("verify", "callers must prove themselves otherwise"),
];

const BOUNDARY: &str = "what counts as new begins where the zap had read up to when this is loaded: older rows that only the new \
     trigger takes are noted, not sent";
const NEVER_TWICE: &str = "the ledger is kept: what has fired does not fire again";

/// What is different between two triggers; nothing where they are the same.
pub(super) fn compare(
    old: (Written<'_>, NodeId, &Zap),
    new: (Written<'_>, NodeId, &Zap),
) -> Option<TriggerPlan> {
    let changes = differing((old.0, old.1), (new.0, new.1), &[]);
    let effects =
        effects(&changes.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), old.2, new.2);
    (!changes.is_empty() || !effects.is_empty()).then_some(TriggerPlan { changes, effects })
}

/// The same where nothing but the selection is known of what ran.
pub(super) fn other_selection() -> TriggerPlan {
    let effects = vec!["the trigger selects something else than what is deployed".to_owned()];
    let effects = effects.into_iter().chain([BOUNDARY.to_owned(), NEVER_TWICE.to_owned()]).collect();
    TriggerPlan { changes: Vec::new(), effects }
}

fn effects(keys: &[&str], old: &Zap, new: &Zap) -> Vec<String> {
    let mut effects = Vec::new();
    if old.selection != new.selection {
        effects.extend(selection(&old.trigger, &new.trigger));
    }
    for (key, effect) in KEYS {
        let touched = |written: &&str| {
            written.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if keys.iter().any(touched) && old.trigger.kind() == new.trigger.kind() {
            effects.push((*effect).to_owned());
        }
    }
    effects
}

fn selection(old: &Trigger, new: &Trigger) -> Vec<String> {
    let (before, after) = (old.kind(), new.kind());
    match (old, new) {
        (Trigger::Crm(_), Trigger::Crm(_)) if before == after => {
            vec![BOUNDARY.to_owned(), NEVER_TWICE.to_owned()]
        }
        (Trigger::Crm(_), Trigger::Crm(_)) => vec![
            BOUNDARY.to_owned(),
            format!(
                "an event of `{after}` is another than one of `{before}`: what fired as one can fire as the other"
            ),
        ],
        (Trigger::Http(_), Trigger::Http(_)) => vec![
            "items are read again from where the zap had read up to when this is loaded".to_owned(),
            NEVER_TWICE.to_owned(),
        ],
        (Trigger::Schedule(_), Trigger::Schedule(_)) => {
            vec!["times count from when this is loaded: none that has passed by then fires".to_owned()]
        }
        _ => vec![format!(
            "what was seen as `{before}` says nothing of what `{after}` finds: all of that is new to it"
        )],
    }
}
