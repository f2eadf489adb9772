//! What is known of the results of operators and filters.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calls::Given;
use super::eval::Evaluator;
use super::ir::{FilterCall, InnerCall, NodeKind};
use super::names::{Frame, Key, Settings};
use super::tree::BinaryOp;
use super::types::{Carried, Gap, TextBounds, Type};
use crate::filters::{Attribute, FilterSpec, Output, ParamType, Ready, Takes};
use crate::value::{Decimal, Instant, Kind, Value};

/// A constant.
pub(super) fn constant(value: &Value) -> Type {
    let mut of = match value.kind() {
        Kind::Missing => Type::any().with_gap(Gap::Null),
        kind => Type::scalar(kind),
    };
    if let Value::Text(text) = value {
        of.text = TextBounds::exactly(text);
        of.empty = text.is_empty();
        of.like = Some([value.clone()].into());
    }
    of
}

/// An operator's result.
pub(super) fn binary(op: BinaryOp, left: &Type, right: &Type) -> Type {
    let of: Type = match op {
        BinaryOp::Join => {
            let max = left.text.max.zip(right.text.max).map(|(left, right)| left.saturating_add(right));
            let text = TextBounds { words: None, min: left.text.min.saturating_add(right.text.min), max };
            Type { text, empty: left.empty && right.empty, ..Type::scalar(Kind::Text) }
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
    let input = input.clone().present();
    let mut of = match spec.name {
        "default" => {
            let other = arguments.first().cloned().unwrap_or_else(|| constant(&Value::text("")));
            input.join(&other)
        }
        "map" => mapped(call, &input, given, arguments),
        _ => output(spec, &input),
    };
    if matches!(spec.output, Output::Is(Kind::Text)) && of.kind() == Some(Kind::Text) {
        of.text = text_bounds(call, &input);
        of.like = made(call, &input).map(|made| made.into_iter().flatten().collect());
        of.like = of.like.filter(|like| !like.is_empty());
        of.empty = spec.no_longer && input.empty;
    }
    if spec.may_find_nothing || (spec.output == Output::Item && input.empty) {
        of.gap = Some(Gap::NotFound);
    }
    if matches!(spec.takes, Takes::Test | Takes::AttributeTest) {
        // None of the items may pass.
        of.empty = true;
    }
    if spec.hides {
        of.carries = Carried::default();
        return of;
    }
    of.carries.add(&carried_by(spec, &input));
    // What items are only tested against is not in what is kept of them.
    if !matches!(call.inner.as_deref(), Some(InnerCall::Test(_))) {
        arguments.iter().for_each(|argument| of.carries.add(&argument.all_carried()));
    }
    of
}

/// What of the input is in the result and not in its members already.
fn carried_by(spec: &FilterSpec, input: &Type) -> Carried {
    match spec.output {
        Output::Same | Output::Item | Output::Items => input.carries.clone(),
        // A member that was named carries what it holds, and no more.
        Output::Any if spec.name == "map" => input.carries.clone(),
        Output::Any | Output::Is(_) => input.all_carried(),
    }
}

/// A list of what `map` takes of each item, or makes of it.
fn mapped(call: &FilterCall, input: &Type, given: &Given<'_>, arguments: &[Type]) -> Type {
    let item = input.item();
    let of = match call.inner.as_deref() {
        Some(InnerCall::Filter(inner)) => {
            let rest = given.split_first().map_or(*given, |(_, rest)| rest);
            filter(inner, &item, &rest, arguments)
        }
        _ => match call.arguments.first().and_then(Option::as_ref).map(|argument| &argument.ready) {
            Some(Some(Ready::Attribute(attribute))) => {
                member_at(&item, attribute).unwrap_or_else(|| Type::any().carrying(&item.all_carried()))
            }
            _ => Type::any().carrying(&item.all_carried()),
        },
    };
    Type { empty: input.empty, ..Type::list_of(of) }
}

/// The member that an attribute leads to, where each step of it is known.
pub(super) fn member_at(item: &Type, attribute: &Attribute) -> Option<Type> {
    attribute.0.iter().try_fold(item.clone(), |of, key| match key {
        Key::Name(name) => of.member(name).ok(),
        Key::At(_) => Some(of.item_at()),
    })
}

/// Which texts a filter makes of texts. Of words it makes what it makes of each, if nothing else goes into it.
fn text_bounds(call: &FilterCall, input: &Type) -> TextBounds {
    let spec = call.spec;
    if input.kind() != Some(Kind::Text) {
        return TextBounds::default();
    }
    if spec.name == "truncate_chars"
        && let Some(length) = length_of(call)
    {
        return TextBounds::at_most(input.text.max.map_or(length, |max| max.min(length)));
    }
    let max = input.text.max.filter(|_| spec.no_longer);
    match words(call, input) {
        Some(words) => {
            let lengths = || words.iter().map(|word| word.chars().count());
            let all_known = input.text.max.is_some();
            let min = lengths().min().filter(|_| all_known).unwrap_or_default();
            let max = lengths().max().filter(|_| all_known).or(max);
            TextBounds { words: Some(words), min, max }
        }
        None => TextBounds { words: None, min: 0, max },
    }
}

/// What a filter makes of values that are like its input; nothing for those on which it fails.
pub(super) fn made(call: &FilterCall, input: &Type) -> Option<Vec<Option<Value>>> {
    // Which keys a table has is not known of samples.
    if call.spec.params.iter().any(|param| param.ty == ParamType::Table) {
        return None;
    }
    let number = |digits: &str| Decimal::parse(digits).ok().map(Value::Number);
    let samples: Vec<Value> = match (&input.like, input.kind()) {
        (Some(like), _) => like.to_vec(),
        (None, Some(Kind::Number)) => ["2", "19.90"].into_iter().filter_map(number).collect(),
        (None, Some(Kind::Instant)) => {
            // 16 September 2026: no day of a month, so that the two are not mistaken for each other.
            let at = Timestamp::from_second(1_789_583_131).ok()?;
            vec![Value::Instant(Instant::new(at, TimeZone::UTC))]
        }
        _ => return None,
    };
    let settings = Settings::default();
    let evaluator = Evaluator::new("", Frame { values: &[], settings: &settings });
    samples.iter().map(|sample| Some(evaluator.apply(call, sample)?.ok())).collect()
}

fn words(call: &FilterCall, input: &Type) -> Option<Arc<[Arc<str>]>> {
    let words = input.text.words.as_ref()?;
    if call.spec.input != [Kind::Text] {
        return None;
    }
    let settings = Settings::default();
    let evaluator = Evaluator::new("", Frame { values: &[], settings: &settings });
    let of = |word: &Arc<str>| match evaluator.apply(call, &Value::Text(Arc::clone(word)))? {
        Ok(Value::Text(text)) => Some(text),
        _ => None,
    };
    words.iter().map(of).collect()
}

/// The number of characters that a filter cuts to, where it is written out.
fn length_of(call: &FilterCall) -> Option<usize> {
    match call.arguments.first()?.as_ref()?.node.kind {
        NodeKind::Const(Value::Number(ref number)) => usize::try_from(number.to_i64()?).ok(),
        _ => None,
    }
}

fn output(spec: &FilterSpec, input: &Type) -> Type {
    let over_list = spec.over_lists && !matches!(input.kind(), Some(kind) if kind != Kind::List);
    match spec.output {
        Output::Same => Type { text: TextBounds::default(), like: None, ..input.clone() },
        Output::Item => input.item(),
        Output::Items => Type { empty: input.empty, ..Type::list_of(input.item()) },
        // Whether it maps over a list is open when the input is.
        Output::Is(_) if over_list => Type::any(),
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
