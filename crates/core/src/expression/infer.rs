//! What is known of the results of operators and filters.

use super::calls::Given;
use super::ir::FilterCall;
use super::tree::BinaryOp;
use super::types::{Carried, Gap, Shape, TextBounds, Type};
use crate::filters::{FilterSpec, Output, Ready};
use crate::value::{Kind, Value};

/// A constant.
pub(super) fn constant(value: &Value) -> Type {
    let mut of = match value.kind() {
        Kind::Missing => Type::any().with_gap(Gap::Null),
        kind => Type::scalar(kind),
    };
    if let Value::Text(text) = value {
        of.text = TextBounds::exactly(text);
    }
    of
}

/// An operator's result.
pub(super) fn binary(op: BinaryOp, left: &Type, right: &Type) -> Type {
    let of: Type = match op {
        BinaryOp::Join => {
            let max = left.text.max.zip(right.text.max).map(|(left, right)| left.saturating_add(right));
            let text = TextBounds { words: None, min: left.text.min.saturating_add(right.text.min), max };
            Type { text, ..Type::scalar(Kind::Text) }
        }
        // Whether something is so tells little of what it is.
        _ if op.is_comparison() => return Type::scalar(Kind::Bool),
        BinaryOp::Add if !matches!(left.kind(), Some(Kind::Number)) => Type::any(),
        _ => Type::scalar(Kind::Number),
    };
    of.carrying(&left.all_carried()).carrying(&right.all_carried())
}

/// A filter's result, of an input that is there.
pub(super) fn filter(call: &FilterCall, input: &Type, given: &Given<'_>, arguments: &[Type]) -> Type {
    let spec = call.spec;
    let mut of = if spec.name == "default" {
        let other = arguments.first().cloned().unwrap_or_else(|| Type::scalar(Kind::Text));
        input.clone().present().join(&other)
    } else {
        output(spec, &input.clone().present(), given)
    };
    if spec.name == "truncate_chars"
        && let Some(length) = length_of(call)
        && input.kind() == Some(Kind::Text)
    {
        of.text = TextBounds::at_most(input.text.max.map_or(length, |max| max.min(length)));
    }
    if spec.may_find_nothing {
        of.gap = Some(Gap::NotFound);
    }
    if spec.hides {
        of.carries = Carried::default();
        return of;
    }
    // A member that was named carries what it holds, and no more.
    if spec.name != "map" || matches!(input.shape, Shape::Any) {
        of.carries.add(&carried_by(spec, input));
    }
    arguments.iter().for_each(|argument| of.carries.add(&argument.all_carried()));
    of
}

/// What of the input is in the result and not in its members already.
fn carried_by(spec: &FilterSpec, input: &Type) -> Carried {
    match spec.output {
        Output::Same | Output::Item | Output::Items => input.carries.clone(),
        Output::Any | Output::Is(_) => input.all_carried(),
    }
}

/// The number of characters that a filter cuts to, where it is written out.
fn length_of(call: &FilterCall) -> Option<usize> {
    match call.arguments.first()?.as_ref()?.node.kind {
        super::ir::NodeKind::Const(Value::Number(ref number)) => usize::try_from(number.to_i64()?).ok(),
        _ => None,
    }
}

fn output(spec: &FilterSpec, input: &Type, given: &Given<'_>) -> Type {
    if spec.name == "map" {
        let attribute = given.constant_text("attribute");
        let item = attribute.and_then(|name| input.item().member(name).ok());
        return Type::list_of(item.unwrap_or_else(Type::any));
    }
    let mapped = spec.over_lists && !matches!(input.kind(), Some(kind) if kind != Kind::List);
    match spec.output {
        Output::Same => Type { text: TextBounds::default(), ..input.clone() },
        Output::Item => input.item(),
        Output::Items => Type::list_of(input.item()),
        // Whether it maps over a list is open when the input is.
        Output::Is(_) if mapped => Type::any(),
        Output::Is(Kind::List) => Type::list_of(Type::any()),
        Output::Is(Kind::Object) | Output::Any => Type::any(),
        Output::Is(kind) => Type::scalar(kind),
    }
}

/// What a path that is written out finds, where that could be told.
pub(super) fn path_of(call: &FilterCall) -> Option<(&crate::path::JsonPath, &std::ops::Range<usize>)> {
    let argument = call.arguments.first()?.as_ref()?;
    match &argument.ready {
        Some(Ready::Path(path)) if call.spec.name == "jsonpath" => Some((path, &argument.node.range)),
        _ => None,
    }
}
