//! From the tree to the compiled form: names become slots, filters and tests are looked up, constants are checked,
//! and what cannot be right whatever the record is reported.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::calls::Given;
use super::ir::{
    Base, Choose, FilterCall, FilterNode, LoopField, LoopSlots, Node, NodeKind, ScopeEntry, Slice, TestCall,
    TestNode,
};
use super::names::{Access, Key, Names, NoMember, Shape};
use super::ops;
use super::problem::Problem;
use super::tree::{BinaryOp, Tree, TreeKind};
use crate::diagnostic::{code, did_you_mean};
use crate::filters::{self, FilterSpec, Output, Ready};
use crate::value::{Kind, Value};

/// A compiled part and what is known of its value.
pub(crate) type Known = (Node, Shape);

/// What a name in scope stands for.
#[derive(Clone)]
pub(crate) enum Meaning {
    Slot(Base, Shape),
    Loop(LoopSlots),
}

pub(crate) struct Resolver<'a> {
    pub(crate) source: &'a str,
    names: &'a Names,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) locals: usize,
    pub(crate) reads: Vec<Access>,
    pub(crate) problems: Vec<Problem>,
    /// Where a filter block keeps its text.
    pub(crate) block_text: Option<usize>,
}

#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) names: HashMap<String, Meaning>,
    pub(crate) entry: ScopeEntry,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(source: &'a str, names: &'a Names) -> Self {
        Resolver {
            source,
            names,
            scopes: vec![Scope::default()],
            locals: 0,
            reads: Vec::new(),
            problems: Vec::new(),
            block_text: None,
        }
    }

    pub(crate) fn names(&self) -> &'a Names {
        self.names
    }

    pub(crate) fn label(&self, range: &Range<usize>) -> &'a str {
        self.source.get(range.clone()).unwrap_or("")
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn new_slot(&mut self) -> usize {
        self.locals += 1;
        self.locals - 1
    }

    /// Declares a name in the innermost scope; one that is there already keeps its slot.
    pub(crate) fn declare(&mut self, name: &str, shape: Shape) -> usize {
        if let Some(Meaning::Slot(Base::Local(slot), known)) =
            self.scopes.last_mut().and_then(|scope| scope.names.get_mut(name))
        {
            *known = Shape::Any;
            return *slot;
        }
        let outer = match self.meaning(name) {
            Some(Meaning::Slot(base, _)) => Some(base),
            _ => None,
        };
        let slot = self.new_slot();
        if let Some(scope) = self.scopes.last_mut() {
            scope.entry.0.push((slot, outer));
            scope.names.insert(name.to_owned(), Meaning::Slot(Base::Local(slot), shape));
        }
        slot
    }

    fn meaning(&self, name: &str) -> Option<Meaning> {
        let local = self.scopes.iter().rev().find_map(|scope| scope.names.get(name));
        local.cloned().or_else(|| {
            let slot = self.names.slot(name)?;
            Some(Meaning::Slot(Base::Root(slot), self.names.shape(slot)))
        })
    }

    pub(crate) fn expr(&mut self, tree: &Tree) -> Known {
        match &tree.kind {
            TreeKind::Null => self.constant(tree, Value::Null),
            TreeKind::Bool(truth) => self.constant(tree, Value::Bool(*truth)),
            TreeKind::Number(number) => self.constant(tree, Value::Number(number.clone())),
            TreeKind::Text(text) => self.constant(tree, Value::text(text.as_str())),
            TreeKind::Name(_) | TreeKind::Member(..) | TreeKind::Index(..) => self.place(tree),
            TreeKind::Slice { of, start, stop, step } => self.slice(tree, of, [start, stop, step]),
            TreeKind::Not(operand) => {
                let (operand, _) = self.expr(operand);
                known(tree, NodeKind::Not(Box::new(operand)), Shape::Scalar(Kind::Bool))
            }
            TreeKind::Negate(operand) => self.negate(tree, operand),
            TreeKind::Binary(op, left, right) => self.binary(tree, *op, left, right),
            TreeKind::Chain(first, rest) => self.chain(tree, first, rest),
            TreeKind::And(left, right) => {
                let (pair, shape) = self.logic(left, right);
                known(tree, NodeKind::And(pair), shape)
            }
            TreeKind::Or(left, right) => {
                let (pair, shape) = self.logic(left, right);
                known(tree, NodeKind::Or(pair), shape)
            }
            TreeKind::Choose { test, then, otherwise } => self.choose(tree, test, then, otherwise.as_deref()),
            TreeKind::Filter { name, name_range, input, arguments } => {
                let input = match input {
                    Some(input) => self.expr(input),
                    None => self.block_text(tree),
                };
                self.filter(tree, name, name_range, input, &Given::new(arguments))
            }
            TreeKind::Test { name, name_range, input, arguments } => {
                let (input, shape) = self.expr(input);
                let call = self.test_call(name, name_range, Given::new(arguments));
                match call {
                    Some(call) => {
                        self.check_test(&call, &shape);
                        let node = TestNode { input, call, name_range: name_range.clone() };
                        known(tree, NodeKind::Test(Box::new(node)), Shape::Scalar(Kind::Bool))
                    }
                    None => self.unknown(tree),
                }
            }
            TreeKind::List(items) => {
                let items: Vec<Node> = items.iter().map(|item| self.expr(item).0).collect();
                known(tree, NodeKind::List(items), Shape::list_of(Shape::Any))
            }
            TreeKind::Map(pairs) => self.map(tree, pairs),
        }
    }

    fn constant(&mut self, tree: &Tree, value: Value) -> Known {
        let shape = match value.kind() {
            Kind::Missing => Shape::Any,
            kind => Shape::Scalar(kind),
        };
        known(tree, NodeKind::Const(value), shape)
    }

    /// Stands for what was reported.
    fn unknown(&mut self, tree: &Tree) -> Known {
        known(tree, NodeKind::Const(Value::Null), Shape::Any)
    }

    fn block_text(&mut self, tree: &Tree) -> Known {
        let slot = self.block_text.unwrap_or_default();
        known(tree, NodeKind::BlockText(slot), Shape::Scalar(Kind::Text))
    }

    /// A name or a step into something, recorded as read.
    fn place(&mut self, tree: &Tree) -> Known {
        let (node, shape) = self.place_unread(tree);
        self.read(&node);
        (node, shape)
    }

    fn read(&mut self, node: &Node) {
        if let NodeKind::Path(Base::Root(root), keys) = &node.kind {
            let access = Access { root: *root, path: keys.to_vec() };
            if !self.reads.contains(&access) {
                self.reads.push(access);
            }
        }
    }

    fn place_unread(&mut self, tree: &Tree) -> Known {
        match &tree.kind {
            TreeKind::Name(name) => self.name(tree, name),
            TreeKind::Member(of, name) => {
                if let Some(field) = self.loop_field(of, name, tree) {
                    return field;
                }
                let (of, shape) = self.place_unread(of);
                self.step(tree, of, &shape, Key::Name(Arc::from(name.as_str())))
            }
            TreeKind::Index(of, index) => {
                let (of, shape) = self.place_unread(of);
                match &index.kind {
                    TreeKind::Text(name) => self.step(tree, of, &shape, Key::Name(Arc::from(name.as_str()))),
                    TreeKind::Number(number) if number.to_i64().is_some() => {
                        self.step(tree, of, &shape, Key::At(number.to_i64().unwrap_or_default()))
                    }
                    TreeKind::Negate(inner) if whole(inner).is_some() => self.step(
                        tree,
                        of,
                        &shape,
                        Key::At(whole(inner).unwrap_or_default().saturating_neg()),
                    ),
                    _ => {
                        self.read(&of);
                        let (index, _) = self.expr(index);
                        known(tree, NodeKind::Index(Box::new((of, index))), shape.item())
                    }
                }
            }
            _ => self.expr(tree),
        }
    }

    fn name(&mut self, tree: &Tree, name: &str) -> Known {
        match self.meaning(name) {
            Some(Meaning::Slot(base, shape)) => known(tree, NodeKind::Path(base, Box::default()), shape),
            Some(Meaning::Loop(_)) => {
                let problem =
                    Problem::new(&code::UNKNOWN_NAME, "`loop` alone is no value", tree.range.clone());
                self.report(problem.help("write `loop.index`, `loop.first`, …"));
                self.unknown(tree)
            }
            None => {
                let locals = self.scopes.iter().flat_map(|scope| scope.names.keys().map(String::as_str));
                let likely = did_you_mean(name, self.names.iter().chain(locals)).map(str::to_owned);
                let help =
                    likely.map(|likely| format!("did you mean `{likely}`?")).or_else(|| self.as_field(name));
                let problem =
                    Problem::new(&code::UNKNOWN_NAME, format!("unknown name `{name}`"), tree.range.clone());
                self.report(problem.maybe_help(help));
                self.unknown(tree)
            }
        }
    }

    /// Help for a field that was written without `record.`.
    fn as_field(&self, name: &str) -> Option<String> {
        let record = self.names.shape(self.names.slot("record")?);
        if matches!(record, Shape::Any) {
            return None;
        }
        record.member(name).ok().map(|_| format!("write `record.{name}`"))
    }

    fn loop_field(&mut self, of: &Tree, name: &str, tree: &Tree) -> Option<Known> {
        let TreeKind::Name(root) = &of.kind else { return None };
        let Some(Meaning::Loop(slots)) = self.meaning(root) else { return None };
        let Some((_, field)) = LoopField::NAMES.iter().find(|(known, _)| *known == name) else {
            let known = LoopField::NAMES.iter().map(|(known, _)| *known);
            let help = did_you_mean(name, known).map(|likely| format!("did you mean `loop.{likely}`?"));
            let problem =
                Problem::new(&code::UNKNOWN_MEMBER, format!("`loop` has no `{name}`"), tree.range.clone());
            self.report(problem.maybe_help(help));
            return Some(self.unknown(tree));
        };
        let kind =
            if matches!(field, LoopField::First | LoopField::Last) { Kind::Bool } else { Kind::Number };
        Some(known(tree, NodeKind::Loop(*field, slots), Shape::Scalar(kind)))
    }

    fn step(&mut self, tree: &Tree, of: Node, shape: &Shape, key: Key) -> Known {
        let of_label = self.label(&of.range);
        let result = match &key {
            Key::Name(name) => self.member_shape(tree, of_label, shape, name),
            Key::At(_) => match shape.kind() {
                None | Some(Kind::List) => shape.item(),
                Some(kind) => {
                    let message = format!("`{of_label}` is {kind} and has no positions");
                    let help = (kind == Kind::Text).then(|| format!("a character is `{of_label}[0:1]`"));
                    let problem = Problem::new(&code::UNKNOWN_MEMBER, message, tree.range.clone());
                    self.report(problem.maybe_help(help));
                    Shape::Any
                }
            },
        };
        let kind = match of.kind {
            NodeKind::Path(base, keys) => {
                let mut keys = keys.into_vec();
                keys.push(key);
                NodeKind::Path(base, keys.into())
            }
            other => NodeKind::Get(Box::new(Node { range: of.range, kind: other }), key),
        };
        known(tree, kind, result)
    }

    fn member_shape(&mut self, tree: &Tree, of: &str, shape: &Shape, name: &str) -> Shape {
        let no_member = match shape.member(name) {
            Ok(shape) => return shape,
            Err(no_member) => no_member,
        };
        let (message, help) = match no_member {
            NoMember::Unknown { likely } => (
                format!("`{of}` has no field `{name}`"),
                likely.map(|likely| format!("did you mean `{likely}`?")),
            ),
            NoMember::Without(Kind::List) => (
                format!("`{of}` is a list and has no field `{name}`"),
                Some(format!("write `{of}[0].{name}`, or `{of} | map(attribute='{name}')` for all")),
            ),
            NoMember::Without(kind) => (format!("`{of}` is {kind} and has no field `{name}`"), None),
        };
        self.report(Problem::new(&code::UNKNOWN_MEMBER, message, tree.range.clone()).maybe_help(help));
        Shape::Any
    }

    fn slice(&mut self, tree: &Tree, of: &Tree, bounds: [&Option<Box<Tree>>; 3]) -> Known {
        let (of, shape) = self.expr(of);
        let [start, stop, step] = bounds.map(|bound| bound.as_ref().map(|bound| self.expr(bound).0));
        known(tree, NodeKind::Slice(Box::new(Slice { of, start, stop, step })), shape)
    }

    fn negate(&mut self, tree: &Tree, operand: &Tree) -> Known {
        let (operand, shape) = self.expr(operand);
        if let NodeKind::Const(Value::Number(number)) = &operand.kind {
            return self.constant(tree, Value::Number(number.negated()));
        }
        if let Some(kind) = shape.kind().filter(|kind| *kind != Kind::Number) {
            self.report_arithmetic(tree, BinaryOp::Sub, Kind::Number, kind);
        }
        known(tree, NodeKind::Negate(Box::new(operand)), Shape::Scalar(Kind::Number))
    }

    fn binary(&mut self, tree: &Tree, op: BinaryOp, left: &Tree, right: &Tree) -> Known {
        let (left, left_shape) = self.expr(left);
        let (right, right_shape) = self.expr(right);
        self.check_operands(&tree.range, op, &left_shape, &right_shape);
        if matches!(op, BinaryOp::In | BinaryOp::NotIn) {
            self.check_items(&left_shape, &right);
        }
        let shape = match op {
            BinaryOp::Join => Shape::Scalar(Kind::Text),
            _ if op.is_comparison() => Shape::Scalar(Kind::Bool),
            BinaryOp::Add if !matches!(left_shape.kind(), Some(Kind::Number)) => Shape::Any,
            _ => Shape::Scalar(Kind::Number),
        };
        known(tree, NodeKind::Binary(op, Box::new((left, right))), shape)
    }

    /// Reports operands whose kinds are known and can never go together.
    fn check_operands(&mut self, range: &Range<usize>, op: BinaryOp, left: &Shape, right: &Shape) {
        let (left, right) = (left.kind(), right.kind());
        let at = Tree { range: range.clone(), kind: TreeKind::Null };
        match op {
            BinaryOp::Join => {
                if let Some(kind) = [left, right].into_iter().flatten().find(|kind| kind.is_container()) {
                    let problem =
                        Problem::new(&code::KIND_MISMATCH, format!("{kind} has no text form"), range.clone());
                    self.report(problem.help("write it with `| tojson`, or join a list with `| join(', ')`"));
                }
            }
            BinaryOp::In | BinaryOp::NotIn => {
                if let Some(kind) = right.filter(|kind| !kind.is_container() && *kind != Kind::Text) {
                    let message = format!("`in` looks into a list, text or an object, not {kind}");
                    self.report(Problem::new(&code::KIND_MISMATCH, message, range.clone()));
                }
            }
            _ if op.is_comparison() => {
                if let (Some(left), Some(right)) = (left, right)
                    && left != right
                {
                    let message = format!("{left} cannot be compared with {right}");
                    let problem = Problem::new(&code::KIND_MISMATCH, message, range.clone());
                    self.report(problem.maybe_help(ops::mismatch_help(left, right).map(str::to_owned)));
                }
            }
            BinaryOp::Add if left == Some(Kind::List) && right == Some(Kind::List) => {}
            _ => {
                if [left, right].into_iter().flatten().any(|kind| kind != Kind::Number) {
                    let (left, right) = (left.unwrap_or(Kind::Number), right.unwrap_or(Kind::Number));
                    self.report_arithmetic(&at, op, left, right);
                }
            }
        }
    }

    /// Reports items of a list that is written out which the left side can never equal.
    fn check_items(&mut self, left: &Shape, list: &Node) {
        let NodeKind::List(items) = &list.kind else { return };
        for item in items {
            self.check_compared(left, item);
        }
    }

    /// Reports a constant that is compared with a value of another kind.
    fn check_compared(&mut self, left: &Shape, constant: &Node) {
        let NodeKind::Const(value) = &constant.kind else { return };
        let Some(left) = left.kind().filter(|left| !value.is_missing() && *left != value.kind()) else {
            return;
        };
        let message = format!("{left} cannot be compared with {}", value.kind());
        let help = match (left, value) {
            (Kind::Text, Value::Number(_)) => {
                Some(format!("write it in quotes: '{}'", self.label(&constant.range)))
            }
            _ => ops::mismatch_help(left, value.kind()).map(str::to_owned),
        };
        self.report(Problem::new(&code::KIND_MISMATCH, message, constant.range.clone()).maybe_help(help));
    }

    /// The tests that compare are as strict as the operators.
    fn check_test(&mut self, call: &TestCall, left: &Shape) {
        let Some(Some(other)) = call.arguments.first() else { return };
        match call.spec.name {
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" => self.check_compared(left, &other.node),
            "in" => self.check_items(left, &other.node),
            _ => {}
        }
    }

    fn report_arithmetic(&mut self, tree: &Tree, op: BinaryOp, left: Kind, right: Kind) {
        let wrong = if left == Kind::Number { right } else { left };
        let message = format!("`{}` computes with numbers, not {wrong}", op.symbol());
        let problem = Problem::new(&code::KIND_MISMATCH, message, tree.range.clone());
        self.report(problem.maybe_help(ops::arithmetic_help(op, left, right).map(str::to_owned)));
    }

    fn chain(&mut self, tree: &Tree, first: &Tree, rest: &[(BinaryOp, Tree)]) -> Known {
        let (first_node, mut left_shape) = self.expr(first);
        let mut links = Vec::new();
        let mut start = first.range.start;
        for (op, link) in rest {
            let (node, shape) = self.expr(link);
            self.check_operands(&(start..link.range.end.max(start)), *op, &left_shape, &shape);
            start = link.range.start;
            left_shape = shape;
            links.push((*op, node));
        }
        known(tree, NodeKind::Chain(Box::new(first_node), links), Shape::Scalar(Kind::Bool))
    }

    fn logic(&mut self, left: &Tree, right: &Tree) -> (Box<(Node, Node)>, Shape) {
        let (left, left_shape) = self.expr(left);
        let (right, right_shape) = self.expr(right);
        let both = matches!((left_shape.kind(), right_shape.kind()), (Some(Kind::Bool), Some(Kind::Bool)));
        let shape = if both { Shape::Scalar(Kind::Bool) } else { Shape::Any };
        (Box::new((left, right)), shape)
    }

    fn choose(&mut self, tree: &Tree, test: &Tree, then: &Tree, otherwise: Option<&Tree>) -> Known {
        let (test, _) = self.expr(test);
        let (then, then_shape) = self.expr(then);
        let otherwise = otherwise.map(|otherwise| self.expr(otherwise));
        let shape = match &otherwise {
            Some((_, other)) if other.kind() == then_shape.kind() => match then_shape {
                Shape::Scalar(kind) => Shape::Scalar(kind),
                _ => Shape::Any,
            },
            _ => Shape::Any,
        };
        let otherwise = otherwise.map(|(node, _)| node);
        known(tree, NodeKind::Choose(Box::new(Choose { test, then, otherwise })), shape)
    }

    fn map(&mut self, tree: &Tree, pairs: &[(Tree, Tree)]) -> Known {
        let mut nodes = Vec::new();
        for (name, value) in pairs {
            let (name_node, shape) = self.expr(name);
            if let Some(kind) = shape.kind().filter(|kind| *kind != Kind::Text) {
                let message = format!("an object's names are text, not {kind}");
                self.report(
                    Problem::new(&code::KIND_MISMATCH, message, name.range.clone())
                        .help("write it in quotes"),
                );
            }
            nodes.push((name_node, self.expr(value).0));
        }
        known(tree, NodeKind::Map(nodes), Shape::Any)
    }

    fn filter(
        &mut self,
        tree: &Tree,
        name: &str,
        name_range: &Range<usize>,
        (input, shape): Known,
        given: &Given<'_>,
    ) -> Known {
        let Some(call) = self.filter_call(name, name_range, *given, &shape) else {
            return self.unknown(tree);
        };
        let spec = call.spec;
        self.check_input(spec, &input, &shape, name_range);
        let output = match self.path_shape(&call, &input, &shape) {
            Some(output) => output,
            None => output_shape(spec, &shape, given),
        };
        let node = FilterNode { input, call, name_range: name_range.clone() };
        known(tree, NodeKind::Filter(Box::new(node)), output)
    }

    /// What a path that is written out finds in a value of which something is known.
    fn path_shape(&mut self, call: &FilterCall, input: &Node, shape: &Shape) -> Option<Shape> {
        let argument = call.arguments.first()?.as_ref()?;
        let Some(Ready::Path(path)) = &argument.ready else { return None };
        if call.spec.name != "jsonpath" {
            return None;
        }
        let of = format!("`{}`", self.label(&input.range));
        match crate::path::check(path, shape, &of) {
            Ok(found) if path.is_singular() => Some(found),
            Ok(found) => Some(Shape::list_of(found)),
            Err(mut problem) => {
                problem.range = argument.node.range.clone();
                self.report(problem);
                None
            }
        }
    }

    fn check_input(&mut self, spec: &FilterSpec, input: &Node, shape: &Shape, name_range: &Range<usize>) {
        let Some(kind) = shape.kind() else { return };
        let mapped = spec.over_lists && kind == Kind::List;
        if mapped || spec.input.is_empty() || spec.sees_missing || spec.input.contains(&kind) {
            return;
        }
        let label = self.label(&input.range);
        let message =
            format!("`{}` takes {}, but `{label}` is {kind}", spec.name, filters::one_of(spec.input));
        let help = match (spec.input.first(), kind) {
            (Some(Kind::Number), Kind::Text) => Some("convert it first: `| number`".to_owned()),
            (Some(Kind::Text), Kind::Number | Kind::Bool) => Some("convert it first: `| string`".to_owned()),
            _ => None,
        };
        self.report(Problem::new(&code::KIND_MISMATCH, message, name_range.clone()).maybe_help(help));
    }
}

pub(crate) fn known(tree: &Tree, kind: NodeKind, shape: Shape) -> Known {
    (Node { range: tree.range.clone(), kind }, shape)
}

fn whole(tree: &Tree) -> Option<i64> {
    if let TreeKind::Number(number) = &tree.kind { number.to_i64() } else { None }
}

fn output_shape(spec: &FilterSpec, input: &Shape, given: &Given<'_>) -> Shape {
    if spec.name == "map" {
        let attribute = given.constant_text("attribute");
        let item = attribute.and_then(|name| input.item().member(name).ok());
        return Shape::list_of(item.unwrap_or(Shape::Any));
    }
    let mapped = spec.over_lists && !matches!(input.kind(), Some(kind) if kind != Kind::List);
    match spec.output {
        Output::Same => input.clone(),
        Output::Item => input.item(),
        Output::Items => Shape::list_of(input.item()),
        // Whether it maps over a list is open when the input is.
        Output::Is(_) if mapped => Shape::Any,
        Output::Is(Kind::List) => Shape::list_of(Shape::Any),
        Output::Is(Kind::Object) | Output::Any => Shape::Any,
        Output::Is(kind) => Shape::Scalar(kind),
    }
}
