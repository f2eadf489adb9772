//! What samples have in common.

use std::sync::Arc;

use crate::expression::{Gap, Shape, Type};
use crate::value::{Kind, Object, Value};

/// What is known of values like these. A member that one of them lacks need not be there; one that none of them has is
/// taken for a mistake. A null tells nothing but that there may be one.
pub(crate) fn of_samples(samples: &[Value]) -> Type {
    common(&samples.iter().collect::<Vec<_>>())
}

fn common(samples: &[&Value]) -> Type {
    let there: Vec<&Value> = samples.iter().copied().filter(|sample| !sample.is_missing()).collect();
    let of = match there.first().map(|first| first.kind()) {
        Some(kind) if there.iter().all(|sample| sample.kind() == kind) => alike(kind, &there),
        _ => Type::any(),
    };
    if there.len() < samples.len() { of.with_gap(Gap::Null) } else { of }
}

/// Values of one kind.
fn alike(kind: Kind, samples: &[&Value]) -> Type {
    match kind {
        Kind::List => {
            let items: Vec<&Value> =
                samples.iter().filter_map(|sample| sample.as_list()).flat_map(|items| items.iter()).collect();
            Type::list_of(common(&items))
        }
        Kind::Object => members(&samples.iter().filter_map(|sample| sample.as_object()).collect::<Vec<_>>()),
        kind => Type::scalar(kind),
    }
}

fn members(samples: &[&Object]) -> Type {
    let mut names: Vec<Arc<str>> = Vec::new();
    for name in samples.iter().flat_map(|sample| sample.iter().map(|(name, _)| name)) {
        if !names.iter().any(|known| **known == **name) {
            names.push(Arc::from(&**name));
        }
    }
    let member = |name: Arc<str>| {
        let values: Vec<&Value> = samples.iter().filter_map(|sample| sample.get(&name)).collect();
        let of = common(&values);
        let of = if values.len() < samples.len() { of.left_out() } else { of };
        (name, of)
    };
    Shape::members(names.into_iter().map(member)).into()
}
