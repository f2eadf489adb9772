//! The search for a record that breaks a law, and how it is made small.

use std::collections::HashMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::example::{examples, misspelt};
use super::judge::{Broken, End, Judged, judge, judge_once};
use super::laws::{KNOWN, Law};
use super::members::Mode;
use super::outlined::outlined;
use super::sample::{Sample, Samples, samples};
use super::values::World;
use crate::rehearsal::{Case, Given};
use crate::request::Request;
use crate::value::{Object, Value};
use crate::zap::{Trigger, Zap};

/// Distinct failures of usual records that are told, and of odd ones: a zap with more has said enough.
const MOST: usize = 20;
/// Steps of making one record small.
const STEPS: u32 = 3_000;

/// From what the records are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the table of the row's fields.
    Fields {
        /// What a row is: `order`.
        row: &'static str,
    },
    /// From the schema or the samples of its trigger, and the records of its tests.
    Outline {
        /// How many tests have one.
        records: usize,
    },
    /// From the records of the zap's tests.
    Tests {
        /// How many.
        records: usize,
    },
    /// From the times of its schedule.
    Times,
    /// From nothing: no table says what arrives, and no test has a record.
    Nothing,
}

/// What a search found.
#[derive(Debug)]
pub struct Search {
    /// From what the records are made.
    pub source: Source,
    /// How many were made.
    pub cases: u32,
    /// How many of them the trigger does not take.
    pub ignored: u32,
    /// How many the filter leaves alone.
    pub filtered: u32,
    /// What is wrong, each once, in the order in which it was found.
    pub failures: Vec<Failure>,
    /// What only odd records break.
    pub odd: Vec<Oddity>,
}

impl Search {
    fn is_full(&self, usual: bool) -> bool {
        let told = if usual { self.failures.len() } else { self.odd.len() };
        told >= MOST
    }

    /// Whether nearly every record is filtered, so that the steps are hardly tried.
    pub fn is_filtered(&self) -> bool {
        let taken = self.cases.saturating_sub(self.ignored);
        taken > 0 && self.filtered >= taken - taken / 20
    }
}

/// A record that breaks a law, and is usual.
#[derive(Debug)]
pub struct Failure {
    /// The law.
    pub law: &'static Law,
    /// The step, or the property's name; none where it did not come to a step.
    pub subject: Option<String>,
    /// The place in the zap.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The smallest record that fails so; none for a schedule.
    pub record: Option<Value>,
    /// The field of the record on which it hangs, where that can be told.
    pub field: Option<String>,
    /// What would be sent for that record, by step.
    pub requests: Vec<(String, Request)>,
    /// The case that found it.
    pub case: u32,
    /// How many cases fail so.
    pub times: u32,
    pub(super) given: Given,
    pub(super) end: End,
    /// The steps that send something for `given`, which is whole where `record` is bare.
    pub(super) sends: Vec<String>,
}

/// What only odd records break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// What is wrong.
    pub message: String,
    /// The place in the zap.
    pub place: Option<String>,
    /// The member that is odd.
    pub field: Option<String>,
    /// How many cases break it.
    pub times: u32,
}

/// Makes up records and takes each through the zap. The same zap, tests, number and seed give the same.
pub fn search(zap: &Zap, tests: &[Case], cases: u32, seed: u64) -> Search {
    Searcher::new(zap, tests, seed).run(cases)
}

/// Whether a usual record among so many breaks a law. [`search`] would tell which and how; this stops at the first.
pub fn fails(zap: &Zap, tests: &[Case], cases: u32, seed: u64) -> bool {
    let searcher = Searcher::new(zap, tests, seed);
    if !searcher.misspelt.is_empty() {
        return true;
    }
    let trees = (0..cases).map_while(|case| searcher.tree(case));
    trees
        .map(|tree| tree.current())
        .any(|sample| sample.odd.is_empty() && !judge_once(zap, &sample.given).broken.is_empty())
}

/// Whether two zaps of one trigger do the same with each of so many records that are made up for the first, and with
/// those of its tests.
pub fn agree(zap: &Zap, other: &Zap, tests: &[Case], cases: u32, seed: u64) -> bool {
    let searcher = Searcher::new(zap, tests, seed);
    let made = (0..cases).map_while(|case| searcher.tree(case)).map(|tree| tree.current().given);
    let given = tests.iter().filter(|case| case.zap == zap.name).flat_map(|case| case.given.iter().cloned());
    given.chain(made).all(|given| {
        let (one, two) = (judge_once(zap, &given), judge_once(other, &given));
        let broken = |judged: &Judged| judged.broken.iter().map(|broken| broken.gist()).collect::<Vec<_>>();
        one.end == two.end && one.sent == two.sent && broken(&one) == broken(&two)
    })
}

struct Searcher<'a> {
    zap: &'a Zap,
    seed: u64,
    source: Source,
    made: Vec<(Mode, Samples)>,
    /// What is read and never there, with what is.
    misspelt: Vec<(String, String)>,
}

/// What is known of one kind of failure.
enum Known {
    /// Its place among the failures.
    Failure(usize),
    /// Its place among the oddities.
    Odd(usize),
}

impl<'a> Searcher<'a> {
    fn new(zap: &'a Zap, tests: &[Case], seed: u64) -> Self {
        let examples = examples(zap, tests);
        let world = World::of(&zap.settings.zone);
        let make = |mode: Mode| Some((mode, samples(zap, &examples, mode, &world)?));
        let made: Vec<(Mode, Samples)> = Mode::ALL.into_iter().filter_map(make).collect();
        let source = match &zap.trigger {
            _ if made.is_empty() => Source::Nothing,
            Trigger::Crm(trigger) => Source::Fields { row: trigger.schema().name },
            Trigger::Webhook(_) | Trigger::Http(_) if outlined(zap) => {
                Source::Outline { records: examples.len() }
            }
            Trigger::Webhook(_) | Trigger::Http(_) => Source::Tests { records: examples.len() },
            Trigger::Schedule(_) => Source::Times,
        };
        Searcher { zap, seed, source, made, misspelt: misspelt(zap, tests) }
    }

    fn tree(&self, case: u32) -> Option<Box<dyn ValueTree<Value = Sample>>> {
        let mode = Mode::of_case(case);
        let (_, samples) = self.made.iter().find(|(known, _)| *known == mode)?;
        // A strategy of this crate rejects nothing, so it always makes something.
        samples.new_tree(&mut runner(self.seed, &self.zap.name, case)).ok()
    }

    fn run(&self, cases: u32) -> Search {
        let mut search = Search {
            source: self.source,
            cases: 0,
            ignored: 0,
            filtered: 0,
            failures: self.misspelt.iter().map(|(name, likely)| unknown(name, likely)).collect(),
            odd: Vec::new(),
        };
        let mut known: HashMap<String, Known> = HashMap::new();
        for case in 0..cases {
            let Some(tree) = self.tree(case) else { break };
            search.cases += 1;
            let sample = tree.current();
            let Judged { end, broken, .. } = judge(self.zap, &sample.given);
            match end {
                // What a row of another kind breaks is nobody's concern.
                End::Ignored if broken.is_empty() => search.ignored += 1,
                End::Filtered => search.filtered += 1,
                _ => {}
            }
            for broken in broken {
                let gist = broken.gist();
                match known.get(&gist) {
                    Some(Known::Failure(at)) => {
                        search.failures.get_mut(*at).into_iter().for_each(|failure| failure.times += 1);
                    }
                    Some(Known::Odd(at)) if !sample.odd.is_empty() => {
                        search.odd.get_mut(*at).into_iter().for_each(|oddity| oddity.times += 1);
                    }
                    // What only the odd break must not keep what is usual from being told.
                    Some(Known::Odd(_)) | None if !search.is_full(sample.odd.is_empty()) => {
                        let told = self.look_into(case, &broken, &gist, &mut search);
                        known.insert(gist, told);
                    }
                    _ => {}
                }
            }
        }
        search
    }

    /// Makes the record of a case as small as it goes while it fails in the same way, and tells what it is then.
    fn look_into(&self, case: u32, broken: &Broken, gist: &str, search: &mut Search) -> Known {
        let fails = |given: &Given| judge(self.zap, given).broken.iter().any(|other| other.gist() == gist);
        let Some(mut tree) = self.tree(case) else { return Known::Odd(0) };
        let mut best = tree.current();
        let mut steps = 0;
        let mut more = tree.simplify();
        while more && steps < STEPS {
            steps += 1;
            let next = tree.current();
            if fails(&next.given) {
                best = next;
                more = tree.simplify();
            } else {
                more = tree.complicate();
            }
        }
        if !best.odd.is_empty() {
            search.odd.push(Oddity {
                message: broken.message.clone(),
                place: broken.place.clone(),
                field: culprit(&best.odd, &broken.message),
                times: 1,
            });
            return Known::Odd(search.odd.len() - 1);
        }
        // What is shown is bare; what is saved is a record such as arrives, since the mended zap must take it whole.
        let given = bare(best.given.clone(), &fails);
        let whole = judge(self.zap, &best.given);
        let now = judge(self.zap, &given);
        let broken =
            now.broken.into_iter().find(|other| other.gist() == gist).unwrap_or_else(|| broken.clone());
        search.failures.push(Failure {
            law: broken.law,
            field: field(&broken.message),
            subject: broken.subject,
            place: broken.place,
            message: broken.message,
            help: broken.help,
            record: given.record.clone().or_else(|| given.query.clone()),
            requests: now.sent.into_iter().map(|sent| (sent.step, sent.request)).collect(),
            case,
            times: 1,
            given: best.given,
            end: whole.end,
            sends: whole.sent.into_iter().map(|sent| sent.step).collect(),
        });
        Known::Failure(search.failures.len() - 1)
    }
}

fn unknown(name: &str, likely: &str) -> Failure {
    Failure {
        law: &KNOWN,
        subject: None,
        place: None,
        message: format!("no record of the tests has `record.{name}`"),
        help: Some(format!("did you mean `{likely}`? or write a test with a record that has it")),
        record: None,
        field: Some(format!("record.{name}")),
        requests: Vec::new(),
        case: 0,
        times: 0,
        given: Given::default(),
        end: End::Ignored,
        sends: Vec::new(),
    }
}

/// A source of choices that hangs on nothing but the seed, the zap's name and the number of the case, so that each case
/// can be made again by itself.
fn runner(seed: u64, zap: &str, case: u32) -> TestRunner {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(&case.to_le_bytes()).update(zap.as_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, hasher.finalize().as_bytes());
    TestRunner::new_with_rng(Config::default(), rng)
}

/// Takes out every member without which it fails all the same.
fn bare(mut given: Given, fails: &dyn Fn(&Given) -> bool) -> Given {
    if let Some(record) = given.record.clone() {
        let with = |record: Value| Given { record: Some(record), ..given.clone() };
        let record = barer(record, &|record| fails(&with(record.clone())));
        given.record = Some(record);
    }
    let replies = std::mem::take(&mut given.replies);
    given.replies = replies.clone();
    for (id, _) in &replies {
        let mut without = given.clone();
        without.replies.retain(|(known, _)| known != id);
        if fails(&without) {
            given = without;
        }
    }
    given
}

fn barer(value: Value, fails: &dyn Fn(&Value) -> bool) -> Value {
    let mut value = value;
    for name in names(&value) {
        let without = without(&value, &name);
        if fails(&without) {
            value = without;
            continue;
        }
        // What must stay may hold members that need not.
        let inner = value.as_object().and_then(|object| object.get(&name)).cloned().unwrap_or_default();
        if inner.as_object().is_some() {
            let smaller = barer(inner, &|inner| fails(&replaced(&value, &name, inner)));
            value = replaced(&value, &name, &smaller);
        } else if let Some(items) = inner.as_list().map(<[Value]>::to_vec) {
            let kept = fewer(items, &|items| fails(&replaced(&value, &name, &Value::list(items.to_vec()))));
            value = replaced(&value, &name, &Value::list(kept));
        }
    }
    value
}

fn fewer(mut items: Vec<Value>, fails: &dyn Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut at = 0;
    while at < items.len() {
        let mut without = items.clone();
        let item = without.remove(at);
        if fails(&without) {
            items = without;
            continue;
        }
        let smaller = barer(item, &|item| {
            let mut with = items.clone();
            with[at] = item.clone();
            fails(&with)
        });
        items[at] = smaller;
        at += 1;
    }
    items
}

fn names(value: &Value) -> Vec<String> {
    value.as_object().into_iter().flat_map(Object::iter).map(|(name, _)| name.to_string()).collect()
}

fn without(value: &Value, name: &str) -> Value {
    let members = value.as_object().into_iter().flat_map(Object::iter);
    let kept = members.filter(|(known, _)| ***known != *name);
    Value::object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn replaced(value: &Value, name: &str, by: &Value) -> Value {
    let members = value.as_object().into_iter().flat_map(Object::iter);
    let with = |(known, value): (&std::sync::Arc<str>, &Value)| {
        (known.clone(), if **known == *name { by.clone() } else { value.clone() })
    };
    Value::object(members.map(with).collect())
}

/// Of the odd places of a record the one of which the message speaks, or the last.
fn culprit(odd: &[String], message: &str) -> Option<String> {
    let named = |place: &&String| message.contains(place.rsplit('.').next().unwrap_or_default());
    odd.iter().find(named).or_else(|| odd.last()).cloned()
}

/// The field that a message names first: `record.emailAddress`.
fn field(message: &str) -> Option<String> {
    let named = message.split('`').skip(1).step_by(2);
    named.into_iter().find(|name| name.contains('.') || name.starts_with("record")).map(str::to_owned)
}
