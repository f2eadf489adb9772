//! What a condition says of the values it asks about: which of them are there when it holds, and when it does not.

use super::ir::{Base, Node, NodeKind};
use super::names::Key;
use super::tree::BinaryOp;
use crate::value::Value;

/// A root or local and steps into it, of which something is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) base: Base,
    pub(crate) path: Vec<Key>,
}

/// The places that are surely there.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Where the condition holds.
    pub(crate) holding: Vec<Place>,
    /// Where it does not.
    pub(crate) failing: Vec<Place>,
}

impl Facts {
    fn when_holding(place: Option<Place>) -> Self {
        Facts { holding: place.into_iter().collect(), failing: Vec::new() }
    }

    fn not(self) -> Self {
        Facts { holding: self.failing, failing: self.holding }
    }

    fn and(self, other: Facts) -> Self {
        Facts { holding: either(self.holding, other.holding), failing: both(self.failing, &other.failing) }
    }
}

fn either(mut some: Vec<Place>, others: Vec<Place>) -> Vec<Place> {
    some.extend(others);
    some
}

fn both(mut some: Vec<Place>, others: &[Place]) -> Vec<Place> {
    some.retain(|place| others.contains(place));
    some
}

/// What follows from a condition. A missing value counts as false, equals nothing but what is missing, and is an error in
/// every other comparison, after which it is known to be there. `steps` is the root of the steps: one that is done has its
/// answer.
pub(crate) fn facts(condition: &Node, steps: Option<usize>) -> Facts {
    match &condition.kind {
        NodeKind::Path(..) => Facts::when_holding(place(condition)),
        NodeKind::Not(inner) => facts(inner, steps).not(),
        NodeKind::And(pair) => facts(&pair.0, steps).and(facts(&pair.1, steps)),
        NodeKind::Or(pair) => facts(&pair.0, steps).not().and(facts(&pair.1, steps).not()).not(),
        NodeKind::Test(test) => {
            let asked = place(&test.input);
            match test.call.spec.name {
                "defined" => Facts::when_holding(asked),
                "none" | "undefined" => Facts::when_holding(asked).not(),
                "eq" | "in" => Facts::when_holding(asked.filter(|_| {
                    test.call.arguments.first().and_then(Option::as_ref).is_some_and(|of| is_there(&of.node))
                })),
                _ => Facts::default(),
            }
        }
        NodeKind::Binary(op, pair) => compared(*op, &pair.0, &pair.1, steps),
        NodeKind::Chain(first, links) => {
            let mut left: &Node = first;
            let mut all = Facts::default();
            for (at, (op, right)) in links.iter().enumerate() {
                let of_link = compared(*op, left, right, steps);
                // A chain fails at one link, and nobody knows at which; the first was looked at in any case.
                let failing = if at == 0 && links.len() == 1 { of_link.failing } else { Vec::new() };
                all = Facts { holding: either(all.holding, of_link.holding), failing };
                left = right;
            }
            all
        }
        _ => Facts::default(),
    }
}

fn compared(op: BinaryOp, left: &Node, right: &Node, steps: Option<usize>) -> Facts {
    match op {
        BinaryOp::Eq => equal(left, right, steps),
        BinaryOp::Ne => equal(left, right, steps).not(),
        BinaryOp::In => Facts::when_holding(place(left).filter(|_| is_there(right))),
        BinaryOp::NotIn => Facts::when_holding(place(left).filter(|_| is_there(right))).not(),
        _ if op.is_comparison() => {
            let there: Vec<Place> = [left, right].into_iter().filter_map(place).collect();
            Facts { holding: there.clone(), failing: there }
        }
        _ => Facts::default(),
    }
}

fn equal(left: &Node, right: &Node, steps: Option<usize>) -> Facts {
    let against = |asked: &Node, other: &Node| {
        if is_missing(other) {
            Facts::when_holding(place(asked)).not()
        } else {
            let asked = place(asked).filter(|_| is_there(other));
            let answer = asked.as_ref().and_then(|asked| answer(asked, other, steps));
            Facts { holding: asked.into_iter().chain(answer).collect(), failing: Vec::new() }
        }
    };
    let (one, other) = (against(left, right), against(right, left));
    Facts { holding: either(one.holding, other.holding), failing: either(one.failing, other.failing) }
}

/// The answer of the step whose outcome was asked for, where it is `done`.
fn answer(asked: &Place, other: &Node, steps: Option<usize>) -> Option<Place> {
    let [step, Key::Name(member)] = asked.path.as_slice() else { return None };
    let of_step = matches!(asked.base, Base::Root(root) if Some(root) == steps) && &**member == "outcome";
    let done = matches!(&other.kind, NodeKind::Const(Value::Text(word)) if &**word == "done");
    let path = vec![step.clone(), Key::Name("response".into())];
    (of_step && done).then_some(Place { base: asked.base, path })
}

fn place(node: &Node) -> Option<Place> {
    match &node.kind {
        NodeKind::Path(base, keys) => Some(Place { base: *base, path: keys.to_vec() }),
        _ => None,
    }
}

/// Whether it is written out, and nothing of it is null.
fn is_there(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Const(value) => !value.is_missing(),
        NodeKind::List(items) => items.iter().all(is_there),
        _ => false,
    }
}

fn is_missing(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Const(value) if value.is_missing())
}
