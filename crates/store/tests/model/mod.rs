//! The store as it is documented, in memory and without cleverness.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "a module of one test target")]

mod commands;
mod parts;
mod runs;

use crate::common::{at, event_of, identity, step, update};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use runs::{new_run, reason};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use zaprun_engine::ports::{
    Absence, ClaimedRun, Command, Counts, CursorMove, Fate, NewEvent, OffZap, PageCommit, PageCommitted,
    Part, RevisionId, RunId, RunState, RunUpdate, StepRecord, Target, Touched, ZapId, ZapIdentity, ZapState,
};

pub use commands::{COMMANDS, command};
pub use parts::{days, swept};
pub use runs::{begun, serial_of, spend_of, told};

pub const NAMES: [&str; 3] = ["a", "b", "c"];
pub const KINDS: [&str; 2] = ["new_lead", "new_sale"];

pub const FATES: [Fate; 6] =
    [Fate::Fire, Fate::Fire, Fate::Prime, Fate::PrimeUndated, Fate::Hold, Fate::Drop];

/// Zap, fate, value of `once_per`, and whether zaprun's own orders fire.
pub type Aim = (usize, u8, Option<u8>, bool);
/// Kind, natural id, order, depth and targets.
pub type Found = (usize, u8, Option<u8>, u32, Vec<Aim>);
/// An order that is touched: which, whether made, and the depth.
pub type Touch = (u8, bool, u32);

/// What an engine may do, in small numbers that shrink well.
#[derive(Debug, Clone)]
pub enum Step {
    OpenZap {
        name: usize,
        formerly: Option<usize>,
        selection: u8,
        content: u8,
        strict: bool,
        now: i64,
    },
    /// A write is about to leave.
    Spend {
        run: i64,
        step: u8,
        element: Option<u8>,
        most: Option<u32>,
        cost: Option<Price>,
        now: i64,
    },
    /// An engine starts with the zap off.
    SwitchOff {
        name: usize,
        formerly: Option<usize>,
        now: i64,
    },
    /// A person is told what happened while a zap was off.
    TellAbsences {
        zap: usize,
    },
    Commit {
        events: Vec<Found>,
        cursors: Vec<(usize, u8, i64)>,
    },
    Unknown {
        zap: usize,
        kind: usize,
    },
    Claim {
        zap: usize,
        now: i64,
        limit: usize,
        busy: BTreeSet<i64>,
    },
    NextDue {
        busy: BTreeSet<i64>,
    },
    Begin {
        run: i64,
        write: Option<Option<u8>>,
    },
    Own {
        order: u8,
        serial: Option<u8>,
    },
    Update {
        run: i64,
        state: u8,
        due: i64,
        steps: usize,
        more: More,
    },
    /// Another process asks for something to be done with these runs.
    Ask {
        runs: Vec<i64>,
        what: u8,
    },
    /// The oldest thing that is asked is done, but for runs that are worked on.
    Obey {
        now: i64,
        busy: BTreeSet<i64>,
    },
    /// The holder of the lease does it itself.
    CarryOut {
        runs: Vec<i64>,
        what: u8,
    },
    TakeOnce {
        zap: usize,
        value: u8,
        run: i64,
    },
    Detail {
        run: i64,
    },
    /// A page of a deep sweep, all of it late, or of a backfill; of that perhaps the last one of a slice.
    Part {
        events: Vec<Found>,
        backfill: Option<i64>,
        last: bool,
    },
    WithoutRun {
        zap: usize,
        kind: usize,
    },
    Place {
        zap: usize,
        days: i8,
    },
    NextBackfill {
        zap: usize,
    },
    EndBackfill {
        backfill: i64,
    },
    KeepSwept {
        query: u8,
        late: u64,
    },
    /// What ended before is thrown away.
    Prune {
        before: i64,
        most: usize,
    },
    Counts,
    /// The process dies and another opens the state.
    Crash,
    /// A second engine on the same file.
    SecondEngine,
    /// A second engine that does not see the lock.
    TakeOver,
}

/// Day, amount where it is known, and the most.
pub type Price = (u8, Option<u32>, u32);

/// What an update may say beside the rest.
#[derive(Debug, Clone, Copy)]
pub struct More {
    pub touch: Option<Touch>,
    /// The open attempt stays open; `Some(true)`: a look has seen something.
    pub keep: Option<bool>,
    pub failing: bool,
    pub fresh: bool,
}

#[derive(Debug, Clone)]
struct Zap {
    name: String,
    first_name: String,
    formers: BTreeSet<String>,
    selection: String,
    strict: bool,
    boundary: Timestamp,
    skew: Option<SignedDuration>,
    opened_at: Timestamp,
    cursors: BTreeMap<String, Timestamp>,
    /// By their beginning.
    absences: BTreeMap<Timestamp, Off>,
}

/// A time during which a zap is or was off.
#[derive(Debug, Clone, Default)]
struct Off {
    until: Option<Timestamp>,
    held: u32,
    dropped: u32,
    told: Option<u32>,
}

#[derive(Debug, Clone)]
struct Run {
    claimed: ClaimedRun,
    /// The content of its zap that it was made with.
    content: String,
    /// Steps that count no more.
    past: Vec<StepRecord>,
    state: RunState,
    due: Timestamp,
    changed: Timestamp,
    /// A person let it through the limits.
    let_through: bool,
}

/// The state, and what the last step must have answered, as `Debug` prints it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    zaps: Vec<Zap>,
    revisions: Vec<(usize, String)>,
    ledger: BTreeMap<(usize, String, String), Option<usize>>,
    runs: Vec<Run>,
    /// How many runs were ever made.
    made: usize,
    pruned: BTreeMap<usize, u64>,
    once: BTreeMap<(usize, String), Option<i64>>,
    touched: BTreeMap<String, (bool, u32, bool)>,
    asked: Vec<Command>,
    parts: parts::Parts,
    /// Writes that count: the zap, run, step and element, when, and whether with the run's money.
    counted: Vec<(ZapId, i64, String, Option<String>, Timestamp, bool)>,
    days: BTreeMap<(ZapId, u8), u32>,
    pub answer: String,
    clock: i64,
}

pub fn open_zap(step: &Step) -> Option<ZapIdentity> {
    let Step::OpenZap { name, formerly, selection, content, strict, now } = step else { return None };
    Some(ZapIdentity {
        formerly: formerly.map(|index| NAMES[index].to_owned()),
        selection: format!("s{selection}"),
        content: format!("c{content}"),
        strict: *strict,
        now: at(*now),
        ..identity(NAMES[*name])
    })
}

pub fn off_zap(step: &Step) -> Option<OffZap> {
    let Step::SwitchOff { name, formerly, now } = step else { return None };
    let formerly = formerly.map(|index| NAMES[index].to_owned());
    Some(OffZap { name: NAMES[*name].to_owned(), formerly, now: at(*now) })
}

impl Model {
    pub fn zaps(&self) -> usize {
        self.zaps.len()
    }

    pub fn runs(&self) -> i64 {
        i64::try_from(self.made).unwrap()
    }

    pub fn zap_ids(&self) -> Vec<ZapId> {
        (0..self.zaps.len()).map(zap_id).collect()
    }

    /// The page of a step, with ids and revisions as the state gave them.
    pub fn page(&self, step: &Step) -> Option<PageCommit> {
        let none = Vec::new();
        let (events, cursors) = match step {
            Step::Commit { events, cursors } => (events, cursors),
            Step::Part { events, .. } => (events, &none),
            _ => return None,
        };
        let target = |(zap, fate, once, own): &Aim| Target {
            zap: zap_id(*zap),
            revision: self.latest_revision(*zap),
            key_base: Uuid::from_u128(u128::from(*fate)),
            fate: FATES[usize::from(*fate)],
            once: once.map(|value| value.to_string()),
            own: *own,
        };
        let event = |(kind, id, order, depth, targets): &Found| NewEvent {
            seen_at: at(300 + self.clock),
            at: at(100 + i64::from(*id) * 50),
            context: order.map(|order| Bytes::from(format!("{{\"query\":{order}}}"))),
            order: order.map(|order| order.to_string()),
            depth: *depth,
            ..event_of(KINDS[*kind], &id.to_string(), targets.iter().map(target).collect())
        };
        Some(PageCommit {
            events: events.iter().map(event).collect(),
            cursors: cursors
                .iter()
                .map(|(zap, query, seconds)| CursorMove {
                    zap: zap_id(*zap),
                    query: format!("q{query}"),
                    at: at(*seconds),
                })
                .collect(),
        })
    }

    /// The update of a step: what it keeps open is what was open before.
    pub fn update_of(&self, step_taken: &Step) -> Option<RunUpdate> {
        let Step::Update { run, state, due, steps, more } = step_taken else { return None };
        let states = [RunState::Pending, RunState::Delivered, RunState::Dead, RunState::Held];
        let mut change = update(RunId(*run), states[usize::from(*state)]);
        change.due_at = at(*due);
        change.attempts = u32::from(*state);
        change.steps = (0..*steps).map(|n| step(&format!("step{n}"))).collect();
        let touched = more.touch.map(|(order, made, depth)| Touched {
            order: order.to_string(),
            made,
            sold: depth == 1,
            depth,
        });
        change.touched = touched.into_iter().collect();
        change.begun = more.keep.and_then(|looked| {
            let mut begun = self.find(*run)?.claimed.begun.clone()?;
            if let Some(write) = begun.write.as_mut().filter(|_| looked) {
                write.looked = Some(("as before".to_owned(), at(*due)));
            }
            Some(begun)
        });
        if change.state == RunState::Held && due % 2 == 0 {
            change.reason.word = "limit".to_owned();
        }
        change.failing = more.failing.then(|| reason("refused", "it was refused"));
        change.fresh = more.fresh.then(|| Bytes::from(format!("{{\"due\":{due}}}")));
        Some(change)
    }

    fn latest_revision(&self, zap: usize) -> RevisionId {
        let found = self.revisions.iter().rposition(|(of, _)| *of == zap).unwrap();
        revision_id(found)
    }

    pub fn apply(mut self, step: &Step) -> Model {
        self.answer = match step {
            Step::OpenZap { .. } => {
                let who = open_zap(step).unwrap();
                self.open(&who).map_or_else(|| "refused".to_owned(), |state| format!("{state:?}"))
            }
            Step::SwitchOff { .. } => self.switch_off(&off_zap(step).unwrap()),
            Step::TellAbsences { zap } => {
                let answer = format!("{:?}", self.absences(*zap));
                let ended = self.zaps[*zap].absences.values_mut().filter(|off| off.until.is_some());
                ended.for_each(|off| off.told = Some(off.held + off.dropped));
                answer
            }
            Step::Commit { .. } => {
                let page = self.page(step).unwrap();
                format!("{:?}", self.commit(&page, None))
            }
            Step::Part { .. } => self.commit_part(step),
            Step::WithoutRun { zap, kind } => format!("{:?}", self.without_run(*zap, KINDS[*kind])),
            Step::Place { zap, days } => format!("{:?}", self.place(*zap, *days)),
            Step::NextBackfill { zap } => format!("{:?}", self.next_backfill(*zap)),
            Step::EndBackfill { backfill } => self.end_backfill(*backfill),
            Step::KeepSwept { query, late } => self.keep_swept(*query, *late),
            Step::Unknown { zap, kind } => format!("{:?}", self.unknown(*zap, KINDS[*kind])),
            Step::Claim { zap, now, limit, busy } => {
                format!("{:?}", self.claim(*zap, at(*now), *limit, busy))
            }
            Step::NextDue { busy } => format!("{:?}", self.next_due(busy)),
            Step::Begin { run, write } => self.begin(*run, &begun(*write)),
            Step::Spend { .. } => self.spend(step),
            Step::Own { order, serial } => format!("{:?}", self.own(&order.to_string(), serial_of(*serial))),
            Step::Update { .. } => self.update(&self.update_of(step).unwrap()),
            Step::Ask { runs, what } => {
                self.asked.push(command(runs, *what));
                String::new()
            }
            Step::Obey { now, busy } => format!("{:?}", self.obey(at(*now), busy)),
            Step::CarryOut { runs, what } => {
                let command = command(runs, *what);
                format!("{:?}", self.carry_out(&command, at(500), &BTreeSet::new()).0)
            }
            Step::TakeOnce { zap, value, run } => self.take_once(*zap, &value.to_string(), *run),
            Step::Detail { run } => format!("{:?}", self.detail(*run)),
            Step::Prune { before, most } => format!("{}", self.prune(at(*before), *most)),
            Step::Counts => format!("{:?} {:?}", self.counts(), self.sweeps()),
            Step::Crash | Step::SecondEngine | Step::TakeOver => String::new(),
        };
        self.clock += 1;
        self
    }

    fn open(&mut self, who: &ZapIdentity) -> Option<ZapState> {
        let by_name = |name: &str| self.zaps.iter().position(|zap| zap.name == name);
        let present = by_name(&who.name);
        let former = who.formerly.as_deref().filter(|name| *name != who.name).and_then(by_name);
        let (index, first_run) = match (present, former) {
            (Some(present), Some(_)) if !self.zaps[present].formers.contains(who.formerly.as_ref()?) => {
                return None;
            }
            (Some(present), _) => (present, false),
            (None, Some(former)) => {
                let zap = &mut self.zaps[former];
                zap.formers.insert(std::mem::replace(&mut zap.name, who.name.clone()));
                (former, false)
            }
            (None, None) => {
                self.create(who);
                (self.zaps.len() - 1, true)
            }
        };
        let zap = &mut self.zaps[index];
        zap.strict = who.strict;
        if zap.selection != who.selection {
            zap.selection.clone_from(&who.selection);
            let earliest = zap.cursors.values().min().copied();
            if let Some(cursor) = earliest.filter(|cursor| *cursor > zap.boundary) {
                zap.boundary = cursor;
                zap.skew = Some(SignedDuration::ZERO);
            }
            zap.cursors.clear();
        }
        for (since, off) in zap.absences.iter_mut().filter(|(_, off)| off.until.is_none()) {
            off.until = Some(who.now.max(*since));
        }
        let known = (index, who.content.clone());
        if !self.revisions.contains(&known) {
            self.revisions.push(known.clone());
        }
        let revision = revision_id(self.revisions.iter().position(|r| *r == known)?);
        let zap = &self.zaps[index];
        Some(ZapState {
            id: zap_id(index),
            first_name: zap.first_name.clone(),
            boundary: zap.boundary,
            skew: zap.skew,
            opened_at: zap.opened_at,
            first_run,
            revision,
            cursors: zap.cursors.clone().into_iter().collect(),
            absences: self.absences(index),
        })
    }

    fn switch_off(&mut self, off: &OffZap) -> String {
        let by_name = |name: &String| self.zaps.iter().position(|zap| zap.name == *name);
        let Some(zap) = by_name(&off.name).or_else(|| by_name(off.formerly.as_ref()?)) else {
            return "()".to_owned();
        };
        let absences = &mut self.zaps[zap].absences;
        if absences.values().all(|off| off.until.is_some()) {
            absences.entry(off.now).or_default().until = None;
        }
        "()".to_owned()
    }

    fn absences(&self, zap: usize) -> Vec<Absence> {
        let ended = |(since, off): (&Timestamp, &Off)| {
            let Off { until, held, dropped, told } = off.clone();
            Some(Absence { since: *since, until: until?, held, dropped, told })
        };
        self.zaps[zap].absences.iter().filter_map(ended).collect()
    }

    /// Counts an event in the time during which it happened, else in the last one.
    fn absent(&mut self, zap: usize, at: Timestamp, fate: Fate) {
        let absences = &mut self.zaps[zap].absences;
        let ended = || absences.iter().filter_map(|(since, off)| Some((*since, off.until?))).rev();
        let within = ended().find(|(since, until)| *since <= at && at < *until);
        let Some((of, _)) = within.or_else(|| ended().next()) else { return };
        let off = absences.get_mut(&of).unwrap();
        off.held += u32::from(fate == Fate::Hold);
        off.dropped += u32::from(fate == Fate::Drop);
    }

    fn create(&mut self, who: &ZapIdentity) {
        let taken = |name: &str| self.zaps.iter().any(|zap| zap.first_name == name);
        let numbered = (2..).map(|n| format!("{}#{n}", who.name));
        let first_name = std::iter::once(who.name.clone()).chain(numbered).find(|name| !taken(name)).unwrap();
        self.zaps.push(Zap {
            name: who.name.clone(),
            first_name,
            formers: BTreeSet::new(),
            selection: who.selection.clone(),
            strict: who.strict,
            boundary: who.first_boundary,
            skew: None,
            opened_at: who.now,
            cursors: BTreeMap::new(),
            absences: BTreeMap::new(),
        });
    }

    fn commit(&mut self, page: &PageCommit, part: Option<&Part>) -> PageCommitted {
        let mut done = PageCommitted::default();
        for event in &page.events {
            for target in &event.targets {
                self.commit_target(event, target, part, &mut done);
            }
        }
        for cursor in &page.cursors {
            let cursors = &mut self.zaps[index(cursor.zap)].cursors;
            let now = cursors.entry(cursor.query.clone()).or_insert(cursor.at);
            *now = (*now).max(cursor.at);
        }
        done
    }

    fn commit_target(
        &mut self,
        event: &NewEvent,
        target: &Target,
        part: Option<&Part>,
        done: &mut PageCommitted,
    ) {
        let zap = index(target.zap);
        let key = (zap, event.key.kind.clone(), event.key.id.clone());
        let (made, depth, _) =
            event.order.as_ref().and_then(|order| self.touched.get(order)).copied().unwrap_or_default();
        if let Some(run) = self.ledger.get(&key) {
            let again = run.is_none()
                && matches!(part, Some(Part::Backfill(_)))
                && target.fate == Fate::Fire
                && (target.own || !made);
            if !again {
                done.known += 1;
                return;
            }
            if let Some(value) = &target.once {
                let held = (zap, value.clone());
                if self.once.get(&held) == Some(&None) {
                    self.once.remove(&held);
                }
            }
        }
        let state = match target.fate {
            Fate::Fire => Some(RunState::Pending),
            Fate::Hold => Some(RunState::Held),
            Fate::Drop => Some(RunState::Dropped),
            Fate::Prime | Fate::PrimeUndated => None,
        };
        if let Some(state) = state.filter(|_| target.own || !made) {
            match state {
                RunState::Held => done.held += 1,
                RunState::Dropped => done.dropped += 1,
                _ => done.fired += 1,
            }
            if matches!(part, Some(Part::Sweep(late)) if late.contains(&(target.zap, event.key.clone()))) {
                done.late += 1;
                self.parts.late(zap);
            }
            self.absent(zap, event.at, target.fate);
            self.ledger.insert(key, Some(self.made));
            let content = self.revisions[usize::try_from(target.revision.0).unwrap() - 1].1.clone();
            self.runs.push(new_run(self.made, event, target, depth.max(event.depth), state, content));
            self.made += 1;
            return;
        }
        done.primed += 1;
        done.undated += u64::from(target.fate == Fate::PrimeUndated);
        self.ledger.insert(key, None);
        if let Some(value) = &target.once {
            self.once.entry((zap, value.clone())).or_insert(None);
        }
    }

    fn unknown(&self, zap: usize, kind: &str) -> Vec<String> {
        let known = |id: &String| self.ledger.contains_key(&(zap, kind.to_owned(), id.clone()));
        all_ids().into_iter().filter(|id| !known(id)).collect()
    }

    fn counts(&self) -> Counts {
        let mut runs: BTreeMap<(String, RunState), u64> = BTreeMap::new();
        for run in &self.runs {
            *runs.entry((self.zaps[index(run.claimed.zap)].name.clone(), run.state)).or_default() += 1;
        }
        let mut primed: BTreeMap<String, u64> = BTreeMap::new();
        for ((zap, _, _), run) in &self.ledger {
            if run.is_none() {
                *primed.entry(self.zaps[*zap].name.clone()).or_default() += 1;
            }
        }
        Counts {
            runs: runs.into_iter().map(|((zap, state), n)| (zap, state, n)).collect(),
            primed: primed.into_iter().collect(),
            pruned: {
                let named = self.pruned.iter().map(|(zap, n)| (self.zaps[*zap].name.clone(), *n));
                named.collect::<BTreeMap<_, _>>().into_iter().collect()
            },
        }
    }
}

pub fn all_ids() -> Vec<String> {
    (0..4u8).map(|id| id.to_string()).collect()
}

/// Zaps and revisions are numbered from 1 as they come.
pub fn zap_id(index: usize) -> ZapId {
    ZapId(i64::try_from(index).unwrap() + 1)
}

fn revision_id(index: usize) -> RevisionId {
    RevisionId(i64::try_from(index).unwrap() + 1)
}

fn index(zap: ZapId) -> usize {
    usize::try_from(zap.0).unwrap() - 1
}
