//! The store as it is documented, in memory and without cleverness.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "a module of one test target")]

use crate::common::{at, event_of, identity, step, update};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use zaprun_engine::ports::{
    BegunAttempt, ClaimedRun, Counts, CursorMove, EventKey, Fate, NewEvent, OnceOutcome, PageCommit,
    PageCommitted, RevisionId, RunId, RunState, RunUpdate, StepRecord, StoredEvent, Target, ZapId,
    ZapIdentity, ZapState,
};

pub const NAMES: [&str; 3] = ["a", "b", "c"];
pub const KINDS: [&str; 2] = ["new_lead", "new_sale"];

/// Zap, fate and value of `once_per`.
pub type Aim = (usize, u8, Option<u8>);
/// Kind, natural id and targets.
pub type Found = (usize, u8, Vec<Aim>);

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
    },
    Update {
        run: i64,
        state: u8,
        due: i64,
        steps: usize,
    },
    TakeOnce {
        zap: usize,
        value: u8,
        run: i64,
    },
    Detail {
        run: i64,
    },
    Counts,
    /// The process dies and another opens the state.
    Crash,
    /// A second engine on the same file.
    SecondEngine,
    /// A second engine that does not see the lock.
    TakeOver,
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
    state: RunState,
    due: Timestamp,
}

/// The state, and what the last step must have answered, as `Debug` prints it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    zaps: Vec<Zap>,
    revisions: Vec<(usize, String)>,
    ledger: BTreeMap<(usize, String, String), Option<usize>>,
    runs: Vec<Run>,
    once: BTreeMap<(usize, String), Option<i64>>,
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
        i64::try_from(self.runs.len()).unwrap()
    }

    pub fn zap_ids(&self) -> Vec<ZapId> {
        (0..self.zaps.len()).map(zap_id).collect()
    }

    /// The page of a step, with ids and revisions as the state gave them.
    pub fn page(&self, step: &Step) -> Option<PageCommit> {
        let Step::Commit { events, cursors } = step else { return None };
        let target = |(zap, fate, once): &Aim| Target {
            zap: zap_id(*zap),
            revision: self.latest_revision(*zap),
            key_base: Uuid::from_u128(u128::from(*fate)),
            fate: [Fate::Fire, Fate::Fire, Fate::Prime, Fate::PrimeUndated][usize::from(*fate)],
            once: once.map(|value| value.to_string()),
        };
        let event = |(kind, id, targets): &Found| NewEvent {
            seen_at: at(300 + self.clock),
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

    pub fn update_of(step_taken: &Step) -> Option<RunUpdate> {
        let Step::Update { run, state, due, steps } = step_taken else { return None };
        let states = [RunState::Pending, RunState::Delivered, RunState::Dead, RunState::Held];
        let mut change = update(RunId(*run), states[usize::from(*state)]);
        change.due_at = at(*due);
        change.attempts = u32::from(*state);
        change.steps = (0..*steps).map(|n| step(&format!("step{n}"))).collect();
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
            Step::Begin { run } => self.begin(*run),
            Step::Update { .. } => self.update(&Self::update_of(step).unwrap()),
            Step::TakeOnce { zap, value, run } => self.take_once(*zap, &value.to_string(), *run),
            Step::Detail { run } => format!("{:?}", self.detail(*run)),
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
        if target.fate == Fate::Fire {
            done.fired += 1;
            self.ledger.insert(key, Some(self.runs.len()));
            self.runs.push(new_run(self.runs.len(), event, target));
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

    /// Pending runs that no earlier one of their zap and natural id blocks.
    fn ready(&self, zap: usize) -> Vec<&Run> {
        let pending = |run: &&Run| run.state == RunState::Pending && run.claimed.zap == zap_id(zap);
        let blocked = |run: &Run| {
            self.runs.iter().filter(pending).any(|earlier| {
                earlier.claimed.id < run.claimed.id
                    && earlier.claimed.event.key.id == run.claimed.event.key.id
            })
        };
        let mut ready: Vec<&Run> = self.runs.iter().filter(pending).filter(|run| !blocked(run)).collect();
        ready.sort_by_key(|run| (run.due, run.claimed.id));
        ready
    }

    fn claim(&self, zap: usize, now: Timestamp, limit: usize, busy: &BTreeSet<i64>) -> Vec<ClaimedRun> {
        let free = |run: &&Run| run.due <= now && !busy.contains(&run.claimed.id.0);
        self.ready(zap).into_iter().filter(free).take(limit).map(|run| run.claimed.clone()).collect()
    }

    fn next_due(&self, busy: &BTreeSet<i64>) -> Option<Timestamp> {
        let free = |run: &&Run| !busy.contains(&run.claimed.id.0);
        (0..self.zaps.len()).flat_map(|zap| self.ready(zap)).filter(free).map(|run| run.due).min()
    }

    fn begin(&mut self, run: i64) -> String {
        match self.runs.iter_mut().find(|known| known.claimed.id.0 == run) {
            Some(known) if known.state == RunState::Pending => {
                known.claimed.begun = Some(begun());
                "()".to_owned()
            }
            _ => "refused".to_owned(),
        }
    }

    fn update(&mut self, change: &RunUpdate) -> String {
        let Some(run) = self.runs.iter_mut().find(|known| known.claimed.id == change.run) else {
            return "refused".to_owned();
        };
        run.state = change.state;
        run.due = change.due_at;
        run.claimed.attempts = change.attempts;
        run.claimed.retrying_since = change.retrying_since;
        run.claimed.begun = None;
        run.claimed.steps.extend(change.steps.clone());
        if change.state != RunState::Pending {
            run.claimed.steps.iter_mut().for_each(|step| step.response = None);
        }
        "()".to_owned()
    }

    fn take_once(&mut self, zap: usize, value: &str, run: i64) -> String {
        let key = (zap, value.to_owned());
        let of_zap = self.runs.iter().any(|r| r.claimed.id.0 == run && r.claimed.zap == zap_id(zap));
        let outcome = match self.once.get(&key) {
            Some(Some(holder)) if *holder == run => OnceOutcome::Taken,
            Some(holder) => OnceOutcome::TakenBy(holder.map(RunId)),
            None if !of_zap => return "refused".to_owned(),
            None => {
                self.once.insert(key, Some(run));
                OnceOutcome::Taken
            }
        };
        format!("{outcome:?}")
    }

    fn detail(&self, run: i64) -> Option<(RunState, Vec<StepRecord>, Option<BegunAttempt>)> {
        let run = self.runs.iter().find(|known| known.claimed.id.0 == run)?;
        Some((run.state, run.claimed.steps.clone(), run.claimed.begun.clone()))
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
        }
    }
}

pub fn begun() -> BegunAttempt {
    BegunAttempt { step: "step0".to_owned(), element: None, at: at(350) }
}

pub fn all_ids() -> Vec<String> {
    (0..4u8).map(|id| id.to_string()).collect()
}

fn new_run(position: usize, event: &NewEvent, target: &Target) -> Run {
    Run {
        claimed: ClaimedRun {
            id: RunId(i64::try_from(position).unwrap() + 1),
            zap: target.zap,
            event: StoredEvent {
                key: EventKey { kind: event.key.kind.clone(), id: event.key.id.clone() },
                at: event.at,
                seen_at: event.seen_at,
                record: event.record.clone(),
            },
            key_base: target.key_base,
            created_at: event.seen_at,
            attempts: 0,
            retrying_since: None,
            steps: Vec::new(),
            begun: None,
        },
        state: RunState::Pending,
        due: event.seen_at,
    }
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
