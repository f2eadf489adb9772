//! Evaluation. Every rule about what is missing stands here, once.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::budget::Budget;
use super::ir::{
    ArgNode, Arguments, Base, FilterCall, FilterNode, InnerCall, LoopField, LoopSlots, Node, NodeKind, Slice,
    TestCall, TestNode,
};
use super::names::{Frame, Key};
use super::ops;
use super::problem::{EvalError, Fault};
use super::tests_table;
use super::tree::BinaryOp;
use crate::filters::{self, Arg, Call, Inner, Param, ParamType};
use crate::value::{ABSENT_UNKNOWN, Kind, Object, Value};

/// One evaluation: the text it came from, what is in scope, and what it may still cost.
pub(crate) struct Evaluator<'a> {
    pub(crate) source: &'a str,
    pub(crate) frame: Frame<'a>,
    pub(crate) budget: Budget,
}

type Result<T> = std::result::Result<T, EvalError>;
type Found<'v> = Cow<'v, Value>;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(source: &'a str, frame: Frame<'a>) -> Self {
        Evaluator { source, frame, budget: Budget::new() }
    }

    /// The value of a node; what is missing is given as such.
    pub(crate) fn eval<'v>(&'v self, node: &'v Node, locals: &'v [Value]) -> Result<Found<'v>> {
        self.budget.spend(1).map_err(|fault| self.fault(fault, node))?;
        match &node.kind {
            NodeKind::Const(value) => Ok(Cow::Borrowed(value)),
            NodeKind::Path(base, keys) => self.path(node, *base, keys, locals),
            NodeKind::Get(of, key) => {
                let of_value = self.eval(of, locals)?;
                self.step(node, of_value, key)
            }
            NodeKind::Index(pair) => self.index(node, &pair.0, &pair.1, locals),
            NodeKind::Slice(slice) => self.slice(node, slice, locals).map(Cow::Owned),
            NodeKind::Not(operand) => self.truth(operand, locals).map(|truth| owned(!truth)),
            NodeKind::Negate(operand) => {
                let value = self.present(operand, locals)?;
                self.at(node, ops::negate(&value))
            }
            NodeKind::Binary(op, pair) => self.binary(node, *op, &pair.0, &pair.1, locals),
            NodeKind::Chain(first, links) => self.chain(node, first, links, locals),
            NodeKind::And(pair) => self.logic(&pair.0, &pair.1, false, locals),
            NodeKind::Or(pair) => self.logic(&pair.0, &pair.1, true, locals),
            NodeKind::Choose(choose) => {
                if self.truth(&choose.test, locals)? {
                    return self.eval(&choose.then, locals);
                }
                match &choose.otherwise {
                    Some(otherwise) => self.eval(otherwise, locals),
                    None => Ok(Cow::Borrowed(&ABSENT_UNKNOWN)),
                }
            }
            NodeKind::Filter(filter) => self.filter(filter, locals).map(Cow::Owned),
            NodeKind::Test(test) => self.test(test, locals).map(owned),
            NodeKind::List(items) => {
                let items: Result<Vec<Value>> = items.iter().map(|item| self.element(item, locals)).collect();
                self.checked(node, Value::list(items?))
            }
            NodeKind::Map(pairs) => self.map(node, pairs, locals),
            NodeKind::Loop(field, slots) => Ok(Cow::Owned(loop_field(*field, *slots, locals))),
            NodeKind::BlockText(slot) => Ok(Cow::Borrowed(locals.get(*slot).unwrap_or(&ABSENT_UNKNOWN))),
        }
    }

    /// The value of a node, which must be there.
    pub(crate) fn present<'v>(&'v self, node: &'v Node, locals: &'v [Value]) -> Result<Found<'v>> {
        let value = self.eval(node, locals)?;
        if value.is_missing() { Err(self.missing(node, locals)) } else { Ok(value) }
    }

    /// A part of a list or object: what a schema knows to be absent is null there.
    fn element(&self, node: &Node, locals: &[Value]) -> Result<Value> {
        let value = self.eval(node, locals)?;
        match &*value {
            Value::Absent(crate::value::Absence::Unknown) => Err(self.missing(node, locals)),
            Value::Absent(_) => Ok(Value::Null),
            _ => Ok(value.into_owned()),
        }
    }

    /// Whether a node counts as true.
    pub(crate) fn truth(&self, node: &Node, locals: &[Value]) -> Result<bool> {
        let value = self.eval(node, locals)?;
        ops::truth(&value).ok_or_else(|| self.missing(node, locals))
    }

    /// The error that names what is missing: the first step on the way that has nothing.
    pub(crate) fn missing(&self, node: &Node, locals: &[Value]) -> EvalError {
        let named = |range: &Range<usize>| {
            let label = super::problem::shorten(self.source.get(range.clone()).unwrap_or("").trim());
            EvalError::new(format!("`{label}` is missing"), range.clone())
                .help("give it a value with `| default(…)`, or ask `is defined`")
        };
        match &node.kind {
            NodeKind::Path(base, keys) => {
                let missing_at = (0..keys.len()).find(|steps| {
                    let found = walk(self.base(*base, locals), keys.get(..*steps).unwrap_or(&[]));
                    found.is_ok_and(Value::is_missing)
                });
                match missing_at.and_then(|steps| path_prefix(self.source, &node.range, steps)) {
                    Some(range) => named(&range),
                    None => named(&node.range),
                }
            }
            NodeKind::Get(of, _) if self.is_missing(of, locals) => self.missing(of, locals),
            NodeKind::Index(pair) if self.is_missing(&pair.0, locals) => self.missing(&pair.0, locals),
            NodeKind::Or(pair) | NodeKind::And(pair) => self.missing(&pair.1, locals),
            _ => named(&node.range),
        }
    }

    fn is_missing(&self, node: &Node, locals: &[Value]) -> bool {
        self.eval(node, locals).is_ok_and(|value| value.is_missing())
    }

    pub(crate) fn fault(&self, fault: Fault, node: &Node) -> EvalError {
        let label = super::problem::shorten(self.source.get(node.range.clone()).unwrap_or("").trim());
        EvalError::from_fault(fault, &format!("`{label}`"), node.range.clone())
    }

    fn at<'v>(&self, node: &Node, result: std::result::Result<Value, Fault>) -> Result<Found<'v>> {
        result.map(Cow::Owned).map_err(|fault| self.fault(fault, node))
    }

    fn checked<'v>(&self, node: &Node, value: Value) -> Result<Found<'v>> {
        self.at(node, self.budget.check(&value).map(|()| value))
    }

    fn base<'v>(&'v self, base: Base, locals: &'v [Value]) -> &'v Value {
        let found = match base {
            Base::Root(slot) => self.frame.values.get(slot),
            Base::Local(slot) => locals.get(slot),
        };
        found.unwrap_or(&ABSENT_UNKNOWN)
    }

    fn path<'v>(&'v self, node: &Node, base: Base, keys: &[Key], locals: &'v [Value]) -> Result<Found<'v>> {
        match walk(self.base(base, locals), keys) {
            Ok(value) => Ok(Cow::Borrowed(value)),
            Err(kind) => Err(self.no_step(node, kind)),
        }
    }

    fn no_step(&self, node: &Node, kind: Kind) -> EvalError {
        let label = self.source.get(node.range.clone()).unwrap_or("");
        EvalError::new(format!("`{label}` cannot be read: it leads into {kind}"), node.range.clone())
    }

    fn step<'v>(&self, node: &Node, of: Found<'v>, key: &Key) -> Result<Found<'v>> {
        let keys = std::slice::from_ref(key);
        match of {
            Cow::Borrowed(of) => walk(of, keys).map(Cow::Borrowed),
            Cow::Owned(of) => walk(&of, keys).cloned().map(Cow::Owned),
        }
        .map_err(|kind| self.no_step(node, kind))
    }

    fn index<'v>(
        &'v self,
        node: &'v Node,
        of: &'v Node,
        index: &'v Node,
        locals: &'v [Value],
    ) -> Result<Found<'v>> {
        let of_value = self.eval(of, locals)?;
        let index_value = self.present(index, locals)?;
        let key = match &*index_value {
            Value::Text(name) => Some(Key::Name(Arc::clone(name))),
            Value::Number(number) => number.to_i64().map(Key::At),
            _ => None,
        };
        match key {
            Some(key) => self.step(node, of_value, &key),
            None => {
                let fault =
                    Fault::new(format!("a position is text or a whole number, not {}", index_value.kind()));
                Err(self.fault(fault, index))
            }
        }
    }

    fn slice(&self, node: &Node, slice: &Slice, locals: &[Value]) -> Result<Value> {
        let of = self.present(&slice.of, locals)?;
        let bound = |bound: &Option<Node>| -> Result<Option<i64>> {
            let Some(bound) = bound else { return Ok(None) };
            let value = self.eval(bound, locals)?;
            if matches!(*value, Value::Null) {
                return Ok(None);
            }
            match value.as_number().and_then(crate::value::Decimal::to_i64) {
                Some(at) => Ok(Some(at)),
                None if value.is_missing() => Err(self.missing(bound, locals)),
                None => Err(self.fault(Fault::new("a slice is bounded by whole numbers"), bound)),
            }
        };
        let (start, stop, step) = (bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?);
        let part = ops::slice(&of, start, stop, step.unwrap_or(1), &self.budget);
        self.at(node, part).map(Cow::into_owned)
    }

    fn binary<'v>(
        &'v self,
        node: &Node,
        op: BinaryOp,
        left: &'v Node,
        right: &'v Node,
        locals: &'v [Value],
    ) -> Result<Found<'v>> {
        let (left, right) = (self.operand(op, left, true, locals)?, self.operand(op, right, false, locals)?);
        self.at(node, ops::binary(op, &left, &right, &self.budget))
    }

    /// An operand: what is missing is null to `==`, `!=` and `in` if a schema knows it, and an error otherwise.
    fn operand<'v>(
        &'v self,
        op: BinaryOp,
        node: &'v Node,
        left: bool,
        locals: &'v [Value],
    ) -> Result<Found<'v>> {
        let value = self.eval(node, locals)?;
        let looked_into = matches!(op, BinaryOp::In | BinaryOp::NotIn) && !left;
        let fine = match &*value {
            Value::Absent(crate::value::Absence::Unknown) => false,
            missing if missing.is_missing() => op.sees_missing() && !looked_into,
            _ => true,
        };
        if fine { Ok(value) } else { Err(self.missing(node, locals)) }
    }

    fn chain<'v>(
        &'v self,
        node: &Node,
        first: &'v Node,
        links: &'v [(BinaryOp, Node)],
        locals: &'v [Value],
    ) -> Result<Found<'v>> {
        let mut left = first;
        for (op, right) in links {
            let holds = self.binary(node, *op, left, right, locals)?;
            if holds.as_bool() != Some(true) {
                return Ok(owned(false));
            }
            left = right;
        }
        Ok(owned(true))
    }

    /// `and`, `or`: the deciding operand; what is missing counts, and is given, as `false`.
    fn logic<'v>(
        &'v self,
        left: &'v Node,
        right: &'v Node,
        is_or: bool,
        locals: &'v [Value],
    ) -> Result<Found<'v>> {
        let first = self.logic_operand(left, locals)?;
        if ops::truth(&first) == Some(is_or) {
            return Ok(first);
        }
        self.logic_operand(right, locals)
    }

    fn logic_operand<'v>(&'v self, node: &'v Node, locals: &'v [Value]) -> Result<Found<'v>> {
        let value = self.eval(node, locals)?;
        match &*value {
            Value::Absent(crate::value::Absence::Unknown) => Err(self.missing(node, locals)),
            missing if missing.is_missing() => Ok(owned(false)),
            _ => Ok(value),
        }
    }

    fn map<'v>(&'v self, node: &Node, pairs: &'v [(Node, Node)], locals: &'v [Value]) -> Result<Found<'v>> {
        let mut entries = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let name_value = self.present(name, locals)?;
            let Value::Text(text) = &*name_value else {
                let fault = Fault::new(format!("an object's names are text, not {}", name_value.kind()));
                return Err(self.fault(fault, name));
            };
            entries.push((Arc::clone(text), self.element(value, locals)?));
        }
        self.checked(node, Value::Object(Object::new(entries, None)))
    }

    fn filter(&self, filter: &FilterNode, locals: &[Value]) -> Result<Value> {
        let spec = filter.call.spec;
        let input = if spec.sees_missing {
            self.eval(&filter.input, locals)?
        } else {
            self.present(&filter.input, locals)?
        };
        let call = self.filter_call(&filter.call, &filter.name_range, locals)?;
        filters::run(spec, &call, &input).map_err(|fault| {
            EvalError::from_fault(fault, &format!("`{}`", spec.name), filter.name_range.clone())
        })
    }

    /// What a filter makes of a value, or that it fails; nothing where its arguments are not written out.
    pub(crate) fn apply(
        &self,
        call: &FilterCall,
        input: &Value,
    ) -> Option<std::result::Result<Value, Fault>> {
        let inner = match call.inner.as_deref() {
            None => true,
            Some(InnerCall::Filter(inner)) => written(&inner.arguments) && inner.inner.is_none(),
            Some(InnerCall::Test(inner)) => written(&inner.arguments),
        };
        if !inner || !written(&call.arguments) {
            return None;
        }
        let bound = self.filter_call(call, &(0..0), &[]).ok()?;
        Some(filters::run(call.spec, &bound, input))
    }

    /// Whether a value passes a test, or that it fails; nothing where its arguments are not written out.
    pub(crate) fn apply_test(
        &self,
        call: &TestCall,
        input: &Value,
    ) -> Option<std::result::Result<bool, Fault>> {
        if !written(&call.arguments) {
            return None;
        }
        let bound = self.bind(call.spec.name, call.spec.params, &call.arguments, &(0..0), &[]).ok()?;
        Some(tests_table::run(call.spec, &bound, input))
    }

    fn filter_call<'v>(
        &'v self,
        call: &'v FilterCall,
        range: &Range<usize>,
        locals: &'v [Value],
    ) -> Result<Call<'v>> {
        let inner = match call.inner.as_deref() {
            None => None,
            Some(InnerCall::Filter(inner)) => {
                Some(Inner::Filter(inner.spec, Box::new(self.filter_call(inner, range, locals)?)))
            }
            Some(InnerCall::Test(inner)) => {
                let spec = inner.spec;
                let bound = self.bind(spec.name, spec.params, &inner.arguments, range, locals)?;
                Some(Inner::Test(spec, Box::new(bound)))
            }
        };
        let mut bound = self.bind(call.spec.name, call.spec.params, &call.arguments, range, locals)?;
        bound.inner = inner;
        Ok(bound)
    }

    fn bind<'v>(
        &'v self,
        name: &str,
        params: &'static [Param],
        arguments: &'v Arguments,
        range: &Range<usize>,
        locals: &'v [Value],
    ) -> Result<Call<'v>> {
        let mut args = Vec::with_capacity(arguments.len());
        for (param, argument) in params.iter().zip(arguments) {
            args.push(match argument {
                None => None,
                Some(argument) => Some(self.argument(name, param, argument, range, locals)?),
            });
        }
        Ok(Call { params, args, inner: None, settings: self.frame.settings, budget: &self.budget })
    }

    fn argument<'v>(
        &'v self,
        name: &str,
        param: &Param,
        argument: &'v ArgNode,
        range: &Range<usize>,
        locals: &'v [Value],
    ) -> Result<Arg<'v>> {
        if let NodeKind::Const(value) = &argument.node.kind {
            // Constants were checked when the expression was compiled.
            return Ok(Arg {
                value: Cow::Borrowed(value),
                ready: argument.ready.as_ref().map(Cow::Borrowed),
            });
        }
        let value = if param.ty == ParamType::Missing {
            self.eval(&argument.node, locals)?
        } else {
            self.present(&argument.node, locals)?
        };
        let ready = filters::prepare(param, &value)
            .map_err(|fault| EvalError::from_fault(fault, &format!("`{name}`"), range.clone()))?;
        Ok(Arg { value, ready: ready.map(Cow::Owned) })
    }

    fn test(&self, test: &TestNode, locals: &[Value]) -> Result<bool> {
        let spec = test.call.spec;
        let input = if spec.sees_missing {
            self.eval(&test.input, locals)?
        } else {
            self.present(&test.input, locals)?
        };
        let call = self.bind(spec.name, spec.params, &test.call.arguments, &test.name_range, locals)?;
        tests_table::run(spec, &call, &input).map_err(|fault| {
            EvalError::from_fault(fault, &format!("`is {}`", spec.name), test.name_range.clone())
        })
    }
}

/// Whether arguments do not depend on the record.
fn written(arguments: &Arguments) -> bool {
    arguments.iter().flatten().all(|argument| matches!(argument.node.kind, NodeKind::Const(_)))
}

fn owned<'v>(truth: bool) -> Found<'v> {
    Cow::Owned(Value::Bool(truth))
}

/// Steps into a value. Below what is missing there is nothing; what has no members gives its kind.
pub(crate) fn walk<'v>(value: &'v Value, keys: &[Key]) -> std::result::Result<&'v Value, Kind> {
    let mut at = value;
    for key in keys {
        at = match (at, key) {
            (Value::Object(object), Key::Name(name)) => object.member(name),
            (Value::List(items), Key::At(position)) => {
                let position = if *position < 0 {
                    items.len().checked_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX))
                } else {
                    usize::try_from(*position).ok()
                };
                position.and_then(|position| items.get(position)).unwrap_or(&ABSENT_UNKNOWN)
            }
            (missing, _) if missing.is_missing() => &ABSENT_UNKNOWN,
            (other, _) => return Err(other.kind()),
        };
    }
    Ok(at)
}

/// The range of a path's first steps, found in its text: each step begins with a dot or a bracket.
fn path_prefix(source: &str, range: &Range<usize>, steps: usize) -> Option<Range<usize>> {
    let text = source.get(range.clone())?;
    let mut starts = 0;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) => quote = Some(open).filter(|open| *open != byte),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'.' | b'[') => {
                if starts == steps {
                    return Some(range.start..range.start + at);
                }
                starts += 1;
            }
            _ => {}
        }
    }
    None
}

fn loop_field(field: LoopField, slots: LoopSlots, locals: &[Value]) -> Value {
    let number = |slot: usize| {
        let number = locals.get(slot).and_then(Value::as_number).and_then(crate::value::Decimal::to_i64);
        number.unwrap_or_default()
    };
    let (at, length) = (number(slots.index0), number(slots.length));
    match field {
        LoopField::Index => Value::from(at + 1),
        LoopField::Index0 => Value::from(at),
        LoopField::Revindex => Value::from(length - at),
        LoopField::Revindex0 => Value::from(length - at - 1),
        LoopField::First => Value::Bool(at == 0),
        LoopField::Last => Value::Bool(at + 1 == length),
        LoopField::Length => Value::from(length),
    }
}
