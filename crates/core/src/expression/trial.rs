//! A condition with one value put for one place, and nothing known of the rest: what it can come to.

use super::eval::{Evaluator, walk};
use super::ir::{Base, Node, NodeKind};
use super::names::{Key, Names};
use super::narrow::{Fact, Place};
use super::ops;
use super::tree::BinaryOp;
use crate::value::Value;

/// What something can come to: true, false, an error. A value counts as what it counts as in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends(u8);

impl Ends {
    pub(super) const TRUE: Ends = Ends(1);
    pub(super) const FALSE: Ends = Ends(2);
    const FAILS: Ends = Ends(4);
    const ANY: Ends = Ends(7);

    pub(super) fn may(self, end: Ends) -> bool {
        self.0 & end.0 != 0
    }

    fn or(self, other: Ends) -> Ends {
        Ends(self.0 | other.0)
    }

    fn without(self, end: Ends) -> Ends {
        Ends(self.0 & !end.0)
    }

    fn not(self) -> Ends {
        let swapped = [(Ends::TRUE, Ends::FALSE), (Ends::FALSE, Ends::TRUE), (Ends::FAILS, Ends::FAILS)];
        swapped.into_iter().filter(|(from, _)| self.may(*from)).fold(Ends(0), |all, (_, to)| all.or(to))
    }

    /// `and`, where the left comes to this.
    fn and(self, right: impl FnOnce() -> Ends) -> Ends {
        let right = if self.may(Ends::TRUE) { right() } else { Ends(0) };
        self.without(Ends::TRUE).or(right)
    }
}

/// What is known of a part of the condition.
enum Found {
    /// Its value.
    Is(Value),
    /// What it can come to.
    Ends(Ends),
}

/// The condition, with one value put for one place.
pub(super) struct Trial<'a> {
    pub(super) names: &'a Names,
    pub(super) evaluator: &'a Evaluator<'a>,
    pub(super) place: &'a Place,
    pub(super) value: &'a Value,
}

impl Trial<'_> {
    pub(super) fn ends(&self, node: &Node) -> Ends {
        match self.find(node) {
            Found::Ends(ends) => ends,
            Found::Is(value) => match ops::truth(&value) {
                Some(true) => Ends::TRUE,
                Some(false) => Ends::FALSE,
                None => Ends::FAILS,
            },
        }
    }

    fn find(&self, node: &Node) -> Found {
        let fails = || Found::Ends(Ends::FAILS);
        let any = || Found::Ends(Ends::ANY);
        match &node.kind {
            NodeKind::Const(value) => Found::Is(value.clone()),
            NodeKind::Path(base, keys) => self.at(*base, keys),
            NodeKind::Get(of, key) => match self.find(of) {
                Found::Is(value) => match walk(&value, std::slice::from_ref(key)) {
                    Ok(found) => Found::Is(found.clone()),
                    Err(_) => fails(),
                },
                Found::Ends(Ends::FAILS) => fails(),
                Found::Ends(_) => any(),
            },
            NodeKind::Not(of) => Found::Ends(self.ends(of).not()),
            NodeKind::And(pair) => Found::Ends(self.ends(&pair.0).and(|| self.ends(&pair.1))),
            NodeKind::Or(pair) => {
                Found::Ends(self.ends(&pair.0).not().and(|| self.ends(&pair.1).not()).not())
            }
            NodeKind::Binary(op, pair) => self.binary(*op, &pair.0, &pair.1),
            NodeKind::Chain(first, links) => {
                let mut ends = Ends::TRUE;
                let mut left: &Node = first;
                for (op, right) in links {
                    ends = ends.and(|| match self.binary(*op, left, right) {
                        Found::Is(value) if value.as_bool() == Some(true) => Ends::TRUE,
                        Found::Is(_) => Ends::FALSE,
                        Found::Ends(ends) => ends,
                    });
                    left = right;
                }
                Found::Ends(ends)
            }
            NodeKind::Choose(choose) => match self.ends(&choose.test) {
                Ends::TRUE => self.find(&choose.then),
                Ends::FALSE => match &choose.otherwise {
                    Some(otherwise) => self.find(otherwise),
                    None => Found::Is(Value::Null),
                },
                Ends::FAILS => fails(),
                _ => any(),
            },
            NodeKind::Filter(filter) => match self.find(&filter.input) {
                Found::Is(value) if value.is_missing() && !filter.call.spec.sees_missing => fails(),
                Found::Is(value) => match self.evaluator.apply(&filter.call, &value) {
                    Some(Ok(made)) => Found::Is(made),
                    Some(Err(_)) => fails(),
                    None => any(),
                },
                Found::Ends(Ends::FAILS) => fails(),
                Found::Ends(_) => any(),
            },
            NodeKind::Test(test) => match self.find(&test.input) {
                Found::Is(value) if value.is_missing() && !test.call.spec.sees_missing => fails(),
                Found::Is(value) => match self.evaluator.apply_test(&test.call, &value) {
                    Some(Ok(holds)) => Found::Is(Value::Bool(holds)),
                    Some(Err(_)) => fails(),
                    None => any(),
                },
                Found::Ends(Ends::FAILS) => fails(),
                Found::Ends(_) => any(),
            },
            NodeKind::List(items) => {
                let items: Option<Vec<Value>> = items
                    .iter()
                    .map(|item| match self.find(item) {
                        Found::Is(value) => Some(value),
                        Found::Ends(_) => None,
                    })
                    .collect();
                items.map_or_else(any, |items| Found::Is(Value::list(items)))
            }
            NodeKind::Negate(of) => self.used(of),
            NodeKind::Slice(slice) => self.used(&slice.of),
            NodeKind::Index(_) | NodeKind::Map(_) | NodeKind::Loop(..) | NodeKind::BlockText(_) => any(),
        }
    }

    /// Something made of a value that must be there.
    fn used(&self, of: &Node) -> Found {
        match self.find(of) {
            Found::Is(value) if value.is_missing() => Found::Ends(Ends::FAILS),
            Found::Ends(Ends::FAILS) => Found::Ends(Ends::FAILS),
            _ => Found::Ends(Ends::ANY),
        }
    }

    fn at(&self, base: Base, keys: &[Key]) -> Found {
        if base == self.place.base
            && let Some(rest) = keys.strip_prefix(self.place.path.as_slice())
        {
            return match walk(self.value, rest) {
                Ok(found) => Found::Is(found.clone()),
                Err(_) => Found::Ends(Ends::FAILS),
            };
        }
        let Base::Root(root) = base else { return Found::Ends(Ends::ANY) };
        let Some(told) = self.names.told_by(root, keys) else { return Found::Ends(Ends::ANY) };
        // A `let` that was computed from the place: what it is tells what the place may be.
        let excluded = |facts: &[Fact]| facts.iter().any(|fact| self.excludes(fact));
        let mut ends = Ends::ANY;
        if excluded(&told.holding) {
            ends = ends.without(Ends::TRUE);
        }
        if excluded(&told.failing) {
            ends = ends.without(Ends::FALSE);
        }
        Found::Ends(ends)
    }

    /// Whether a fact says that the place does not hold the value.
    fn excludes(&self, fact: &Fact) -> bool {
        match self.value {
            value if value.is_missing() => fact.shows(self.place.base, &self.place.path),
            Value::Text(word) => {
                fact.place == *self.place && fact.words.as_ref().is_some_and(|words| !words.contains(word))
            }
            _ => false,
        }
    }

    /// As an evaluation does it: `==`, `!=`, `in` and `not in` see what is missing, all others fail on it.
    fn binary(&self, op: BinaryOp, left: &Node, right: &Node) -> Found {
        let looked_into = matches!(op, BinaryOp::In | BinaryOp::NotIn);
        let fits = |found: &Found, left: bool| match found {
            Found::Is(value) => !value.is_missing() || (op.sees_missing() && (left || !looked_into)),
            Found::Ends(ends) => *ends != Ends::FAILS,
        };
        let (left, right) = (self.find(left), self.find(right));
        if !fits(&left, true) || !fits(&right, false) {
            return Found::Ends(Ends::FAILS);
        }
        match (left, right) {
            (Found::Is(left), Found::Is(right)) => {
                match ops::binary(op, &left, &right, &self.evaluator.budget) {
                    Ok(value) => Found::Is(value),
                    Err(_) => Found::Ends(Ends::FAILS),
                }
            }
            _ => Found::Ends(Ends::ANY),
        }
    }
}
