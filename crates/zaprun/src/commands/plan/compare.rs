//! One record through two editions of a zap.

use zaprun_core::load::is_secret_name;
use zaprun_core::mapping::MapError;
use zaprun_core::rehearsal::{Came, Case, Did, End, Occasion, Rehearsal, Sent};
use zaprun_core::zap::Zap;

use super::leaves::{Leaf, leaves, source};
use super::report::{PartPlan, RecordChange, RecordPlan, StepPlan};
use super::veil::{StandIns, Veil};
use super::written::Written;
use crate::commands::render::Silent;

/// One edition of a zap.
#[derive(Clone, Copy)]
pub(super) struct Edition<'a> {
    pub(super) zap: &'a Zap,
    pub(super) written: Written<'a>,
}

/// A record to try.
pub(super) struct Given<'a> {
    /// Where it is from.
    pub(super) from: String,
    pub(super) occasion: Occasion,
    /// The test that it is of, with what is answered, and which of its records it is.
    pub(super) case: Option<(&'a Case, usize)>,
    /// It is in the project's files, so who reads the plan can read it.
    pub(super) known: bool,
}

impl Given<'_> {
    fn rehearse(&self, zap: &Zap, occasion: &Occasion) -> Came {
        match self.case {
            Some((case, at)) => case.rehearse_at(at, zap, occasion, true),
            None => occasion.rehearse(zap, &Silent),
        }
    }

    /// Where it is from, and what event it makes where that is no secret.
    fn label(&self, zap: &Zap) -> String {
        let event = zap.trigger.schema().and_then(|_| self.occasion.event(zap).ok());
        match event {
            Some(event) if self.case.is_none() => format!("{} ({event})", self.from),
            _ => self.from.clone(),
        }
    }
}

/// What becomes of a record in one edition.
enum Side<'a> {
    /// It is not dealt with, for this reason; none where there is no such zap.
    Nothing(Option<String>),
    Runs(Box<Runs<'a>>),
}

struct Runs<'a> {
    written: Written<'a>,
    rehearsal: Rehearsal,
    twin: Option<Rehearsal>,
    veil: Veil,
}

/// What is different for a record; nothing where all is as before.
pub(super) fn compare(
    given: &Given<'_>,
    old: Option<Edition<'_>>,
    new: Option<Edition<'_>>,
    stand_ins: &mut StandIns,
) -> Option<RecordPlan> {
    let (before, after) = (side(given, old), side(given, new));
    let record = given.label(new.or(old)?.zap);
    let plan = |change, reason, steps| Some(RecordPlan { record, change, reason, steps });
    match (before, after) {
        (Side::Nothing(_), Side::Nothing(_)) => None,
        (Side::Nothing(_), Side::Runs(new)) => {
            let reason = new.given_up();
            let change = if reason.is_some() { RecordChange::Fails } else { RecordChange::Fires };
            plan(change, reason, steps(None, Some(&new), stand_ins))
        }
        (Side::Runs(old), Side::Nothing(why)) => {
            plan(RecordChange::NoLonger, why, steps(Some(&old), None, stand_ins))
        }
        (Side::Runs(old), Side::Runs(new)) => {
            let steps = steps(Some(&old), Some(&new), stand_ins);
            match (old.given_up(), new.given_up()) {
                (None, Some(why)) => plan(RecordChange::Fails, Some(why), steps),
                (Some(_), None) => plan(RecordChange::NoLongerFails, None, steps),
                (before, after) if steps.is_empty() && before == after => None,
                (_, why) => plan(RecordChange::Changes, why, steps),
            }
        }
    }
}

fn side<'a>(given: &Given<'_>, edition: Option<Edition<'a>>) -> Side<'a> {
    let Some(Edition { zap, written }) = edition else { return Side::Nothing(None) };
    let rehearsal = match given.rehearse(zap, &given.occasion) {
        Came::Ignored(why) => return Side::Nothing(Some(format!("the trigger does not take it: {why}"))),
        Came::Unreadable(why) => return Side::Nothing(Some(format!("it cannot be read: {why}"))),
        Came::Rehearsed(rehearsal) => *rehearsal,
    };
    if let End::Filtered { why } = &rehearsal.end {
        return Side::Nothing(Some(format!("the filter says no: {why}")));
    }
    let veil = Veil::over(&given.occasion, zap, given.known);
    let twin = match given.rehearse(zap, &veil.twin) {
        Came::Rehearsed(twin) => Some(*twin),
        Came::Ignored(_) | Came::Unreadable(_) => None,
    };
    Side::Runs(Box::new(Runs { written, rehearsal, twin, veil }))
}

/// A request, or that there is none.
struct Part<'r> {
    step: &'r str,
    element: Option<&'r str>,
    did: Done<'r>,
}

enum Done<'r> {
    Sent(&'r Sent),
    Skipped(&'r str),
    Broken(&'r MapError),
    Unknown(&'r [String]),
}

impl Runs<'_> {
    fn parts(&self) -> Vec<Part<'_>> {
        parts(&self.rehearsal)
    }

    /// Why the run is given up, where it is.
    fn given_up(&self) -> Option<String> {
        let End::Dead(failure) = &self.rehearsal.end else { return None };
        let step = failure.step.as_ref().map(|step| format!("`{step}`: ")).unwrap_or_default();
        Some(match &failure.error {
            Some(error) => format!("{step}{}", self.written.error(error)),
            None => format!("{step}{}", failure.reason),
        })
    }

    fn parts_of(&self, sent: &Sent, part: &Part<'_>, stand_ins: &mut StandIns) -> Vec<Shown> {
        let twins = self.twin.as_ref().map(parts).unwrap_or_default();
        let twin = twins.iter().find(|twin| twin.step == part.step && twin.element == part.element);
        let twin = twin.and_then(|twin| match twin.did {
            Done::Sent(sent) => Some(leaves(&sent.request)),
            _ => None,
        });
        let shown = |leaf: Leaf| {
            let other = twin.as_ref().and_then(|twin| twin.iter().find(|other| other.at == leaf.at));
            self.shown(sent, leaf, other, stand_ins)
        };
        leaves(&sent.request).into_iter().map(shown).collect()
    }

    fn shown(&self, sent: &Sent, leaf: Leaf, twin: Option<&Leaf>, stand_ins: &mut StandIns) -> Shown {
        let source = source(sent, &leaf.at);
        // Where a request goes, and how, has no template of its own but `path` and `url`.
        let fixed = source.map_or(matches!(&*leaf.at, "method" | "connection" | "to"), |source| source.fixed);
        let name = leaf.at.rsplit(['.', '[']).next().unwrap_or(&leaf.at).trim_matches(['"', ']']);
        let secret = is_secret_name(name) || source.is_some_and(|source| self.written.is_secret(source.node));
        let text = match secret {
            true => "***".to_owned(),
            false => {
                let twin = twin.map(|twin| twin.text.as_str());
                self.veil.shown(&leaf.text, twin, fixed, leaf.class, stand_ins)
            }
        };
        let written = source.map(|source| self.written.text(source.node)).filter(|_| !secret);
        Shown { at: leaf.at, real: leaf.text, text, written }
    }
}

/// A part of a request as it may be seen.
struct Shown {
    at: String,
    real: String,
    text: String,
    written: Option<String>,
}

fn parts(rehearsal: &Rehearsal) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    for step in &rehearsal.steps {
        let one = |did| Part { step: &step.id, element: None, did };
        match &step.did {
            Did::Sent(sent) => found.extend(sent.iter().map(|sent| Part {
                step: &step.id,
                element: sent.element.as_deref(),
                did: Done::Sent(sent),
            })),
            Did::Skipped { why } => found.push(one(Done::Skipped(why))),
            Did::Broken(error) => found.push(one(Done::Broken(error))),
            Did::Unknown(_) => found.push(one(Done::Unknown(&step.needs))),
        }
    }
    found
}

/// What becomes of each request, in the order in which they are sent now; then those that are sent no more.
fn steps(old: Option<&Runs<'_>>, new: Option<&Runs<'_>>, stand_ins: &mut StandIns) -> Vec<StepPlan> {
    let (before, after) =
        (old.map(Runs::parts).unwrap_or_default(), new.map(Runs::parts).unwrap_or_default());
    let mut plans = Vec::new();
    if let Some(new) = new {
        for part in &after {
            let other = before.iter().find(|other| other.step == part.step && other.element == part.element);
            plans.extend(step(old.zip(other), Some((new, part)), stand_ins));
        }
    }
    if let Some(old) = old {
        let gone = |part: &&Part<'_>| {
            !after.iter().any(|other| other.step == part.step && other.element == part.element)
        };
        for part in before.iter().filter(gone) {
            plans.extend(step(Some((old, part)), None, stand_ins));
        }
    }
    plans
}

type Of<'a, 'b> = (&'a Runs<'b>, &'a Part<'a>);

fn step(old: Option<Of<'_, '_>>, new: Option<Of<'_, '_>>, stand_ins: &mut StandIns) -> Option<StepPlan> {
    let (runs, part) = new.or(old)?;
    let mut shown = |of: Option<Of<'_, '_>>| match of {
        Some((runs, part)) => match part.did {
            Done::Sent(sent) => Some(runs.parts_of(sent, part, stand_ins)),
            _ => None,
        },
        None => None,
    };
    let (before, after) = (shown(old), shown(new));
    let reason = |of: Option<Of<'_, '_>>| match of.map(|(runs, part)| (runs, &part.did)) {
        Some((_, Done::Skipped(why))) => Some(format!("skipped: {why}")),
        Some((runs, Done::Broken(error))) => Some(runs.written.error(error)),
        Some((_, Done::Unknown(needs))) => Some(format!("depends on the answer of {}", needs.join(", "))),
        Some((_, Done::Sent(_))) | None => None,
    };
    let (was, is) = (reason(old), reason(new));
    let change = match (&before, &after) {
        (Some(before), Some(after)) => {
            let same = before.len() == after.len()
                && before.iter().zip(after).all(|(old, new)| (&old.at, &old.real) == (&new.at, &new.real));
            if same {
                return None;
            }
            "changes"
        }
        (None, Some(_)) => "sends",
        (Some(_), None) => "no longer sends",
        (None, None) if was == is || old.is_none() || new.is_none() => return None,
        (None, None) => "sends nothing, for another reason",
    };
    let element = part.element.map(|element| {
        // Keys of elements may be names that somebody chose.
        let known = runs.twin.as_ref().is_some_and(|twin| {
            parts(twin).iter().any(|twin| twin.step == part.step && twin.element == Some(element))
        });
        if known { element.to_owned() } else { stand_ins.of(element) }
    });
    Some(StepPlan {
        step: part.step.to_owned(),
        element,
        change,
        reason: is,
        parts: differing(before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default()),
    })
}

/// The parts that differ, those that there are now first.
fn differing(before: &[Shown], after: &[Shown]) -> Vec<PartPlan> {
    let mut plans = Vec::new();
    for new in after {
        match before.iter().find(|old| old.at == new.at) {
            Some(old) if old.real == new.real => {}
            old => plans.push(part(old, Some(new))),
        }
    }
    let gone = before.iter().filter(|old| !after.iter().any(|new| new.at == old.at));
    plans.extend(gone.map(|old| part(Some(old), None)));
    plans
}

fn part(old: Option<&Shown>, new: Option<&Shown>) -> PartPlan {
    let written = |shown: Option<&Shown>| shown.and_then(|shown| shown.written.clone());
    let (old_written, new_written) = (written(old), written(new));
    let otherwise = old.is_some() && new.is_some() && old_written != new_written;
    PartPlan {
        part: new.or(old).map(|shown| shown.at.clone()).unwrap_or_default(),
        old: old.map(|shown| shown.text.clone()),
        new: new.map(|shown| shown.text.clone()),
        old_written: old_written.filter(|_| otherwise),
        new_written: new_written.filter(|_| otherwise),
    }
}
