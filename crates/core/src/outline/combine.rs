//! Types out of several: a value that is one of them, and a value that is all of them at once.

use std::sync::Arc;

use crate::expression::{Members, Shape, TextBounds, Type};

/// A value that one of two schemas describes: what both say.
pub(super) fn either(one: &Type, other: &Type) -> Type {
    let shape = match (&one.shape, &other.shape) {
        (Shape::Scalar(kind), Shape::Scalar(same)) if kind == same => Shape::Scalar(*kind),
        (Shape::List(one), Shape::List(other)) => Shape::List(Arc::new(either(one, other))),
        (Shape::Members(_), Shape::Members(_)) => Shape::Members(members(one, other, either_member)),
        (Shape::Members(_) | Shape::Open(_), Shape::Members(_) | Shape::Open(_)) => {
            Shape::Open(members(one, other, either_member))
        }
        _ => Shape::Any,
    };
    let joined = one.join(other);
    Type { shape, gap: nulls(one.may_be_null() || other.may_be_null()), ..joined }
}

/// A value that two schemas describe at once: what either says.
pub(super) fn both(one: &Type, other: &Type) -> Type {
    let shape = match (&one.shape, &other.shape) {
        (Shape::Any, shape) | (shape, Shape::Any) => shape.clone(),
        (Shape::Scalar(kind), Shape::Scalar(same)) if kind == same => Shape::Scalar(*kind),
        (Shape::List(one), Shape::List(other)) => Shape::List(Arc::new(both(one, other))),
        (Shape::Members(_) | Shape::Open(_), Shape::Members(_) | Shape::Open(_)) => {
            let all = members(one, other, both_member);
            // What says only which members are needed says nothing of others; so does one that lets others in.
            let open = |of: &Type| matches!(of.shape, Shape::Open(_)) && !only_names(of);
            let closed = matches!(one.shape, Shape::Members(_)) || matches!(other.shape, Shape::Members(_));
            if closed && !open(one) && !open(other) { Shape::Members(all) } else { Shape::Open(all) }
        }
        // They contradict each other, which is not ours to tell.
        _ => Shape::Any,
    };
    let text = TextBounds {
        words: one.text.words.clone().or_else(|| other.text.words.clone()),
        min: one.text.min.max(other.text.min),
        max: one.text.max.into_iter().chain(other.text.max).min(),
    };
    let null = one.may_be_null() && other.may_be_null();
    Type { gap: nulls(null), text, carries: one.carries.clone(), ..shape.into() }.carrying(&other.carries)
}

fn nulls(null: bool) -> Option<crate::expression::Gap> {
    null.then_some(crate::expression::Gap::Null)
}

/// Whether it is a list of needed names, of which nothing else is known.
fn only_names(of: &Type) -> bool {
    let Shape::Open(members) = &of.shape else { return false };
    members.iter().all(|(_, of)| matches!(of.shape, Shape::Any))
}

type Member = fn(Option<&Type>, Option<&Type>) -> Type;

/// The members of both, in the order of their first mention.
fn members(one: &Type, other: &Type, member: Member) -> Members {
    let of = |of: &Type| match &of.shape {
        Shape::Members(members) | Shape::Open(members) => members.clone(),
        _ => Members::from_iter([]),
    };
    let (one, other) = (of(one), of(other));
    let find = |list: &[(Arc<str>, Type)], name: &str| {
        list.iter().find(|(known, _)| **known == *name).map(|(_, of)| of.clone())
    };
    let more = other.iter().filter(|(name, _)| find(&one, name).is_none());
    let all = one.iter().chain(more);
    all.map(|(name, _)| {
        let (a, b) = (find(&one, name), find(&other, name));
        (Arc::clone(name), member(a.as_ref(), b.as_ref()))
    })
    .collect()
}

/// A member of the one or the other: what one of them lacks need not be there.
fn either_member(one: Option<&Type>, other: Option<&Type>) -> Type {
    match (one, other) {
        (Some(one), Some(other)) => {
            let of = either(one, other);
            if one.may_be_left_out() || other.may_be_left_out() { of.left_out() } else { of }
        }
        (Some(only), None) | (None, Some(only)) => only.clone().left_out(),
        (None, None) => Type::any(),
    }
}

/// A member of both at once: it is there where one of them needs it.
fn both_member(one: Option<&Type>, other: Option<&Type>) -> Type {
    match (one, other) {
        (Some(one), Some(other)) => {
            let of = both(one, other);
            if one.may_be_left_out() && other.may_be_left_out() { of.left_out() } else { of }
        }
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => Type::any(),
    }
}
