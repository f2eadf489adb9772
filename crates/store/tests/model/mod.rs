//! The store as it is documented, in memory and without cleverness.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "a module of one test target")]

mod commands;
mod runs;

use crate::common::{at, event_of, identity, step, update};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use runs::{new_run, reason};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use zaprun_engine::ports::{
    ClaimedRun, Command, Counts, CursorMove, Fate, NewEvent, PageCommit, PageCommitted, RevisionId, RunId,
    RunState, RunUpdate, StepRecord, Target, Touched, ZapId, ZapIdentity, ZapState,
};

pub use commands::{COMMANDS, command};
pub use runs::{begun, serial_of, told};

pub const NAMES: [&str; 3] = ["a", "b", "c"];
pub const KINDS: [&str; 2] = ["new_lead", "new_sale"];

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
    boundary: Timestamp,
    skew: Option<SignedDuration>,
    opened_at: Timestamp,
    cursors: BTreeMap<String, Timestamp>,
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
    pub answer: String,
    clock: i64,
}

pub fn open_zap(step: &Step) -> Option<ZapIdentity> {
    let Step::OpenZap { name, formerly, selection, content } = step else { return None };
    Some(ZapIdentity {
        formerly: formerly.map(|index| NAMES[index].to_owned()),
        selection: format!("s{selection}"),
        content: format!("c{content}"),
        ..identity(NAMES[*name])
    })
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
        let Step::Commit { events, cursors } = step else { return None };
        let target = |(zap, fate, once, own): &Aim| Target {
            zap: zap_id(*zap),
            revision: self.latest_revision(*zap),
            key_base: Uuid::from_u128(u128::from(*fate)),
            fate: [Fate::Fire, Fate::Fire, Fate::Prime, Fate::PrimeUndated][usize::from(*fate)],
            once: once.map(|value| value.to_string()),
            own: *own,
        };
        let event = |(kind, id, order, depth, targets): &Found| NewEvent {
            seen_at: at(300 + self.clock),
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
            Step::Commit { .. } => {
                let page = self.page(step).unwrap();
                format!("{:?}", self.commit(&page))
            }
            Step::Unknown { zap, kind } => format!("{:?}", self.unknown(*zap, KINDS[*kind])),
            Step::Claim { zap, now, limit, busy } => {
                format!("{:?}", self.claim(*zap, at(*now), *limit, busy))
            }
            Step::NextDue { busy } => format!("{:?}", self.next_due(busy)),
            Step::Begin { run, write } => self.begin(*run, &begun(*write)),
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
            Step::Counts => format!("{:?}", self.counts()),
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
        if zap.selection != who.selection {
            zap.selection.clone_from(&who.selection);
            let earliest = zap.cursors.values().min().copied();
            if let Some(cursor) = earliest.filter(|cursor| *cursor > zap.boundary) {
                zap.boundary = cursor;
                zap.skew = Some(SignedDuration::ZERO);
            }
            zap.cursors.clear();
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
        })
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
            boundary: who.first_boundary,
            skew: None,
            opened_at: who.now,
            cursors: BTreeMap::new(),
        });
    }

    fn commit(&mut self, page: &PageCommit) -> PageCommitted {
        let mut done = PageCommitted::default();
        for event in &page.events {
            for target in &event.targets {
                self.commit_target(event, target, &mut done);
            }
        }
        for cursor in &page.cursors {
            let cursors = &mut self.zaps[index(cursor.zap)].cursors;
            let now = cursors.entry(cursor.query.clone()).or_insert(cursor.at);
            *now = (*now).max(cursor.at);
        }
        done
    }

    fn commit_target(&mut self, event: &NewEvent, target: &Target, done: &mut PageCommitted) {
        let zap = index(target.zap);
        let key = (zap, event.key.kind.clone(), event.key.id.clone());
        if self.ledger.contains_key(&key) {
            done.known += 1;
            return;
        }
        let (made, depth, _) =
            event.order.as_ref().and_then(|order| self.touched.get(order)).copied().unwrap_or_default();
        if target.fate == Fate::Fire && (target.own || !made) {
            done.fired += 1;
            self.ledger.insert(key, Some(self.made));
            let content = self.revisions[usize::try_from(target.revision.0).unwrap() - 1].1.clone();
            self.runs.push(new_run(self.made, event, target, depth.max(event.depth), content));
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
