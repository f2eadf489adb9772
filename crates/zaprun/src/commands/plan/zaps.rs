//! Which zap of one side is which of the other, and what became of it.

use zaprun_core::load::ZapFile;
use zaprun_core::yaml::NodeId;
use zaprun_core::zap::Zap;
use zaprun_store::Deployed;

use super::compare::Edition;
use super::report::{Change, ZapPlan};
use super::trigger;
use super::written::{Written, differing, reordered};
use crate::loading::Loading;

/// A zap as one side has it.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) name: &'a str,
    /// Where it is written; nothing where only the state knows of it.
    pub(super) file: Option<(&'a Loading, &'a ZapFile)>,
    /// What it means; nothing where it is not valid.
    pub(super) zap: Option<&'a Zap>,
    /// What the state knows of it.
    pub(super) state: Option<&'a Deployed>,
    /// What ran is what there is now.
    pub(super) same: bool,
    /// Why what ran cannot be shown.
    pub(super) unknown: Option<&'a str>,
}

impl<'a> Side<'a> {
    /// One of which only the name is known.
    pub(super) fn bare(name: &'a str) -> Self {
        Side { name, file: None, zap: None, state: None, same: false, unknown: None }
    }

    pub(super) fn enabled(&self) -> bool {
        self.file.is_none_or(|(_, file)| file.enabled)
    }

    pub(super) fn path(&self) -> Option<&'a str> {
        self.file.map(|(loading, file)| loading.sources.file(file.file).path.as_str())
    }

    fn formerly(&self) -> Option<&'a str> {
        let written = self.file.and_then(|(_, file)| file.definition.as_ref())?.formerly.as_ref();
        written.map(|name| name.as_str())
    }

    fn written(&self) -> Option<Written<'a>> {
        let (loading, file) = self.file?;
        Some(Written { sources: &loading.sources, findings: &loading.findings, tree: file.tree.as_ref()? })
    }

    /// What records are taken through.
    pub(super) fn edition(&self) -> Option<Edition<'a>> {
        Some(Edition { zap: self.zap?, written: self.written()? })
    }
}

/// The zaps of a project that was read, by name. Those of which none can be read go by their file.
pub(super) fn of_project(loading: &Loading) -> Vec<Side<'_>> {
    let side = |file| side(loading, file);
    let mut sides: Vec<Side<'_>> = loading.files.iter().map(side).collect();
    sides.sort_by_key(|side| side.name);
    // Two of one name are a finding of their own.
    sides.dedup_by_key(|side| side.name);
    sides
}

fn side<'a>(loading: &'a Loading, file: &'a ZapFile) -> Side<'a> {
    let path = loading.sources.file(file.file).path.as_str();
    let zap = file.name.as_ref().and_then(|name| loading.zaps.iter().find(|zap| zap.name == *name));
    Side { file: Some((loading, file)), zap, ..Side::bare(file.name.as_deref().unwrap_or(path)) }
}

/// A zap before and after.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) old: Option<Side<'a>>,
    pub(super) new: Option<Side<'a>>,
}

impl<'a> Pair<'a> {
    /// By what it is called.
    pub(super) fn name(&self) -> &'a str {
        self.new.or(self.old).map_or("", |side| side.name)
    }
}

/// Puts the zaps of both sides together: by name, and by `formerly`. In the order of their names.
pub(super) fn pairs<'a>(old: &[Side<'a>], new: &[Side<'a>]) -> Vec<Pair<'a>> {
    let before = |name: &str| old.iter().find(|side| side.name == name).copied();
    let stays = |name: &str| new.iter().any(|side| side.name == name);
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for side in new {
        let former = || side.formerly().filter(|former| !stays(former)).and_then(before);
        pairs.push(Pair { old: before(side.name).or_else(former), new: Some(*side) });
    }
    let taken: Vec<&str> = pairs.iter().filter_map(|pair| pair.old).map(|side| side.name).collect();
    let gone = old.iter().filter(|side| !taken.contains(&side.name));
    pairs.extend(gone.map(|side| Pair { old: Some(*side), new: None }));
    pairs.sort_by_key(Pair::name);
    pairs
}

/// What became of a zap, but for its records.
pub(super) fn plan(pair: &Pair<'_>, all: &[Pair<'_>]) -> ZapPlan {
    let mut plan = ZapPlan::new(pair.name(), Change::Unchanged);
    plan.file = pair.new.or(pair.old).and_then(|side| side.path()).map(str::to_owned);
    match (&pair.old, &pair.new) {
        (Some(old), Some(new)) => both(old, new, &mut plan),
        (None, Some(new)) => added(new, all, &mut plan),
        (Some(old), None) => removed(old, &mut plan),
        (None, None) => {}
    }
    plan
}

fn added(new: &Side<'_>, all: &[Pair<'_>], plan: &mut ZapPlan) {
    plan.enabled = new.enabled();
    plan.change = if new.zap.is_some() { Change::Added } else { Change::Invalid };
    // The same file under another name is most likely the same zap.
    let same = |pair: &&Pair<'_>| pair.new.is_none() && pair.old.is_some_and(|old| old.path() == new.path());
    if let Some(former) = all.iter().find(same).map(Pair::name).filter(|_| new.path().is_some()) {
        plan.notes.push(format!(
            "this file held `{former}`: without `formerly: {former}` this is a new zap, whose ledger and idempotency \
             keys begin anew"
        ));
    }
    if let Some(former) = new.formerly() {
        plan.notes.push(format!("`formerly: {former}` names no zap of the other side"));
    }
}

fn removed(old: &Side<'_>, plan: &mut ZapPlan) {
    plan.enabled = old.enabled();
    if old.state.is_some() {
        plan.change = Change::Gone;
        plan.notes
            .push("it has run, and the project has it no more: runs that wait are not delivered".to_owned());
    } else {
        plan.change = Change::Removed;
        plan.notes
            .push("its runs that wait are not delivered; its ledger is kept, should it come back".to_owned());
    }
}

fn both(old: &Side<'_>, new: &Side<'_>, plan: &mut ZapPlan) {
    plan.enabled = new.enabled();
    plan.switched = old.enabled() != new.enabled();
    let renamed = old.name != new.name;
    plan.formerly = renamed.then(|| old.name.to_owned());
    let Some(zap) = new.zap else {
        plan.change = Change::Invalid;
        return;
    };
    plan.change = match old.zap.map(|old| old.content == zap.content) {
        _ if renamed => Change::Renamed,
        _ if old.same => Change::Unchanged,
        Some(true) if plan.switched => Change::Switched,
        Some(true) => Change::Unchanged,
        Some(false) | None => Change::Changed,
    };
    if old.same {
        return;
    }
    if let Some(why) = old.unknown {
        plan.notes.push(format!("what is deployed cannot be shown: {why}"));
        if old.state.is_some_and(|state| state.selection != zap.selection) {
            plan.trigger = Some(trigger::other_selection());
            boundary(old, zap, plan);
        }
        return;
    }
    if old.zap.is_none() {
        plan.notes.push("it was not valid before, so nothing can be laid beside it".to_owned());
        return;
    }
    if matches!(plan.change, Change::Unchanged) {
        return;
    }
    edited(old, new, plan);
    boundary(old, zap, plan);
}

/// Where the state says that it has read up to.
fn boundary(old: &Side<'_>, zap: &Zap, plan: &mut ZapPlan) {
    let (Some(state), Some(trigger)) = (old.state, &mut plan.trigger) else { return };
    if state.selection != zap.selection && zap.trigger.crm().is_some() {
        trigger.effects.push(match state.cursor {
            Some(at) => format!("it has read up to {at:.0}"),
            None => "it has not read all of a query yet, so what counts as new stays as it is".to_owned(),
        });
    }
}

/// Keys of a zap that say who it is, or nothing of what is sent.
const APART: &[&str] = &["name", "formerly", "enabled", "tests", "trigger"];

fn edited(old: &Side<'_>, new: &Side<'_>, plan: &mut ZapPlan) {
    let (Some(before), Some(after)) = (old.edition(), new.edition()) else { return };
    let roots: (NodeId, NodeId) = (before.written.tree.root(), after.written.tree.root());
    let trigger = |edition: &Edition<'_>| edition.written.tree.get(edition.written.tree.root(), "trigger");
    if let (Some(one), Some(other)) = (trigger(&before), trigger(&after)) {
        plan.trigger = trigger::compare((before.written, one, before.zap), (after.written, other, after.zap));
    }
    let changes = differing((before.written, roots.0), (after.written, roots.1), APART);
    plan.edited = changes.into_iter().map(|change| change.key).collect();
    if reordered((before.written.tree, roots.0), (after.written.tree, roots.1)) {
        plan.notes.push("its steps run in another order".to_owned());
    }
    ids(&before, &after, plan);
    let untouched = plan.trigger.is_none() && plan.edited.is_empty() && plan.notes.is_empty();
    if untouched && plan.change == Change::Changed {
        // `enabled` is part of what is written.
        if plan.switched {
            plan.change = Change::Switched;
        } else if before.zap.name == after.zap.name {
            plan.by_project = true;
            plan.notes
                .push("its file says the same; zaprun.yaml has other `vars`, or another account".to_owned());
        }
    }
}

/// Idempotency keys hang on the ids of steps.
fn ids(before: &Edition<'_>, after: &Edition<'_>, plan: &mut ZapPlan) {
    let ids = |zap: &Zap| -> Vec<String> { zap.actions.iter().map(|action| action.id.clone()).collect() };
    let (old, new) = (ids(before.zap), ids(after.zap));
    let gone: Vec<&String> = old.iter().filter(|id| !new.contains(id)).collect();
    let come: Vec<&String> = new.iter().filter(|id| !old.contains(id)).collect();
    if !gone.is_empty() && !come.is_empty() {
        let words = |ids: &[&String]| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        plan.notes.push(format!(
            "steps {} are gone and {} are new: idempotency keys hang on the ids, so a run that is under way sends the \
             new ones although it has sent the old",
            words(&gone),
            words(&come)
        ));
    }
}

/// The keys of zaprun.yaml, with the overlay, that are written otherwise.
pub(super) fn project(old: &Loading, new: &Loading) -> Vec<String> {
    let (Some(before), Some(after)) = (&old.project, &new.project) else { return Vec::new() };
    let one = Written { sources: &old.sources, findings: &[], tree: &before.tree };
    let other = Written { sources: &new.sources, findings: &[], tree: &after.tree };
    // Switches of zaps are told with them.
    let changes = differing((one, before.tree.root()), (other, after.tree.root()), &["zaps"]);
    changes.into_iter().map(|change| change.key).collect()
}
