//! What a condition says of the values it asks about: which of them are there when it holds, and when it does not, and
//! which of its words a text may be.
//!
//! There is one rule. A condition is tried with one value put for what it asks about and with nothing known of the rest
//! ([`Trial`]). Where it cannot come out true so, the value is not that where it holds; and it is not that where it does
//! not hold, if it cannot come out false.

use std::sync::Arc;

use super::eval::Evaluator;
use super::ir::{Arguments, Base, Node, NodeKind};
use super::names::{Frame, Key, Names, Settings};
use super::trial::{Ends, Trial};
use super::types::{Gap, Type};
use crate::value::{Decimal, Kind, Value};

/// A root or local and steps into it, of which something is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) base: Base,
    pub(crate) path: Vec<Key>,
}

/// What is known of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) place: Place,
    /// Whether it is surely there, and with it all on the way to it.
    pub(crate) present: bool,
    /// The texts that it can still be, where it is a text of known words.
    pub(crate) words: Option<Arc<[Arc<str>]>>,
}

impl Fact {
    /// Whether it says that a place is there.
    pub(crate) fn shows(&self, base: Base, path: &[Key]) -> bool {
        self.present && self.place.base == base && self.place.path.starts_with(path)
    }
}

/// What a condition says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Where the condition holds.
    pub(crate) holding: Vec<Fact>,
    /// Where it does not.
    pub(crate) failing: Vec<Fact>,
}

impl Facts {
    pub(crate) fn is_empty(&self) -> bool {
        self.holding.is_empty() && self.failing.is_empty()
    }
}

/// So many places of one condition are looked at; of further ones nothing is learnt.
const MOST: usize = 24;

/// How a step can have ended.
const OUTCOMES: [&str; 3] = ["done", "skipped", "failed"];

/// What follows from a condition.
pub(crate) fn facts(condition: &Node, names: &Names) -> Facts {
    let settings = Settings::default();
    let evaluator = Evaluator::new("", Frame { values: &[], settings: &settings });
    let mut places = Vec::new();
    let mut numbers = Vec::new();
    gather(condition, names, &mut places, &mut numbers);
    let mut facts = Facts::default();
    for place in &places {
        // Nothing is learnt of the names of which nothing is said to be true or false.
        let asking = Asking { condition, names, evaluator: &evaluator, place };
        let missing = asking.with(&Value::Null);
        let words = asking.words();
        for (side, truth) in [(&mut facts.holding, Ends::TRUE), (&mut facts.failing, Ends::FALSE)] {
            let present = !missing.may(truth);
            let words = words.as_ref().and_then(|words| asking.kept(words, truth));
            if words.as_deref().is_some_and(|words| matches!(words, [word] if &**word == "done"))
                && let Some(step) = asking.step_of_outcome()
            {
                side.push(step);
            }
            if present && asking.is_list() && !asking.with(&Value::list(Vec::new())).may(truth) {
                side.extend([0, -1].map(|at| asking.below(Key::At(at))));
            }
            if present && let Some(row) = asking.row_of_total(&numbers, truth) {
                side.push(row);
            }
            if present || words.is_some() {
                side.push(Fact { place: place.clone(), present, words });
            }
        }
    }
    facts
}

/// The places that a condition asks about, and the numbers written in it.
fn gather(node: &Node, names: &Names, places: &mut Vec<Place>, numbers: &mut Vec<Decimal>) {
    let mut add = |place: Place| {
        if places.len() < MOST && !places.contains(&place) {
            places.push(place);
        }
    };
    match &node.kind {
        NodeKind::Path(base, keys) => {
            let path = keys.to_vec();
            if let Base::Root(root) = base
                && let Some(told) = names.told_by(*root, &path)
            {
                told.holding.iter().chain(&told.failing).for_each(|fact| add(fact.place.clone()));
            }
            add(Place { base: *base, path });
        }
        NodeKind::Const(Value::Number(number)) => numbers.push(number.clone()),
        NodeKind::Const(_) | NodeKind::Loop(..) | NodeKind::BlockText(_) => {}
        NodeKind::Get(of, _) | NodeKind::Not(of) | NodeKind::Negate(of) => gather(of, names, places, numbers),
        NodeKind::Index(pair) | NodeKind::And(pair) | NodeKind::Or(pair) | NodeKind::Binary(_, pair) => {
            gather(&pair.0, names, places, numbers);
            gather(&pair.1, names, places, numbers);
        }
        NodeKind::Slice(slice) => gather(&slice.of, names, places, numbers),
        NodeKind::Chain(first, links) => {
            gather(first, names, places, numbers);
            links.iter().for_each(|(_, link)| gather(link, names, places, numbers));
        }
        NodeKind::Choose(choose) => {
            gather(&choose.test, names, places, numbers);
            gather(&choose.then, names, places, numbers);
            choose.otherwise.iter().for_each(|node| gather(node, names, places, numbers));
        }
        NodeKind::Filter(filter) => {
            gather(&filter.input, names, places, numbers);
            of_arguments(&filter.call.arguments, names, places, numbers);
        }
        NodeKind::Test(test) => {
            gather(&test.input, names, places, numbers);
            of_arguments(&test.call.arguments, names, places, numbers);
        }
        NodeKind::List(items) => items.iter().for_each(|item| gather(item, names, places, numbers)),
        NodeKind::Map(pairs) => pairs.iter().for_each(|(_, value)| gather(value, names, places, numbers)),
    }
}

fn of_arguments(arguments: &Arguments, names: &Names, places: &mut Vec<Place>, numbers: &mut Vec<Decimal>) {
    arguments.iter().flatten().for_each(|argument| gather(&argument.node, names, places, numbers));
}

/// A condition and one place that it asks about.
struct Asking<'a> {
    condition: &'a Node,
    names: &'a Names,
    evaluator: &'a Evaluator<'a>,
    place: &'a Place,
}

impl Asking<'_> {
    /// What the condition can come to where the place holds a value.
    fn with(&self, value: &Value) -> Ends {
        let trial = Trial { names: self.names, evaluator: self.evaluator, place: self.place, value };
        trial.ends(self.condition)
    }

    fn of(&self, path: &[Key]) -> Option<Type> {
        let Base::Root(root) = self.place.base else { return None };
        self.names.of_place(root, path)
    }

    fn is_list(&self) -> bool {
        self.of(&self.place.path).is_some_and(|of| of.kind() == Some(Kind::List))
    }

    fn below(&self, key: Key) -> Fact {
        let mut path = self.place.path.clone();
        path.push(key);
        Fact { place: Place { base: self.place.base, path }, present: true, words: None }
    }

    /// The words that the place can be.
    fn words(&self) -> Option<Vec<Arc<str>>> {
        if self.is_outcome() {
            return Some(OUTCOMES.iter().map(|word| Arc::from(*word)).collect());
        }
        self.of(&self.place.path)?.text.words.map(|words| words.to_vec())
    }

    /// Those of its words with which the condition may come out so; nothing where these are all, or none.
    fn kept(&self, words: &[Arc<str>], truth: Ends) -> Option<Arc<[Arc<str>]>> {
        let fits = |word: &&Arc<str>| self.with(&Value::Text(Arc::clone(word))).may(truth);
        let kept: Vec<Arc<str>> = words.iter().filter(fits).cloned().collect();
        (!kept.is_empty() && kept.len() < words.len()).then(|| kept.into())
    }

    fn is_outcome(&self) -> bool {
        let of_steps = matches!(self.place.base, Base::Root(root) if self.names.slot("steps") == Some(root));
        of_steps && matches!(self.place.path.as_slice(), [_, Key::Name(member)] if &**member == "outcome")
    }

    /// The answer of the step whose outcome is asked for: one that is done has one.
    fn step_of_outcome(&self) -> Option<Fact> {
        let step = self.place.path.first().filter(|_| self.is_outcome())?.clone();
        let path = vec![step, Key::Name("response".into())];
        Some(Fact { place: Place { base: self.place.base, path }, present: true, words: None })
    }

    /// The row beside the number of rows that a look-up found: there where that can only be one.
    fn row_of_total(&self, numbers: &[Decimal], truth: Ends) -> Option<Fact> {
        let (last, before) = self.place.path.split_last()?;
        let mut path = before.to_vec();
        path.push(Key::Name("row".into()));
        let looked_up = matches!(last, Key::Name(name) if &**name == "total")
            && self
                .of(&path)
                .is_some_and(|row| row.gap == Some(Gap::NotFound) && row.kind() == Some(Kind::Object));
        if !looked_up {
            return None;
        }
        // What is compared with numbers changes at these alone.
        let one = Decimal::from(1_i64);
        let around = numbers.iter().filter_map(|number| {
            Some([number.checked_sub(&one).ok()?, number.clone(), number.checked_add(&one).ok()?])
        });
        let mut others = around.flatten().chain([0_i64, 2, i64::from(i32::MAX)].map(Decimal::from));
        let other = others.any(|total| total != one && self.with(&Value::Number(total)).may(truth));
        (!other).then_some(Fact { place: Place { base: self.place.base, path }, present: true, words: None })
    }
}
