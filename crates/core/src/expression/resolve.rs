//! From the tree to the compiled form: names become slots, filters and tests are looked up, constants are checked,
//! and what cannot be right whatever the record is reported.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::calls::Given;
use super::infer;
use super::ir::{
    Base, Choose, FilterCall, FilterNode, LoopField, LoopSlots, Node, NodeKind, ScopeEntry, Slice, TestNode,
};
use super::known;
use super::names::{Access, Key, Names};
use super::narrow::{Fact, Facts, facts};
use super::problem::Problem;
use super::tree::{BinaryOp, Tree, TreeKind};
use super::types::{Carried, Gap, NoMember, Shape, TextBounds, Type};
use crate::diagnostic::{code, did_you_mean};
use crate::value::{Kind, Value};

/// A compiled part and what is known of its value.
pub(crate) type Known = (Node, Type);

/// What a name in scope stands for.
#[derive(Clone)]
pub(crate) enum Meaning {
    Slot(Base, Type),
    Loop(LoopSlots),
}

pub(crate) struct Resolver<'a> {
    pub(crate) source: &'a str,
    names: &'a Names,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) locals: usize,
    pub(crate) reads: Vec<Access>,
    pub(crate) problems: Vec<Problem>,
    /// What is probably wrong.
    pub(crate) doubts: Vec<Problem>,
    /// What is known at this place, since a condition around it asks.
    said: Vec<Fact>,
    /// What was written into a text.
    pub(crate) emitted: Carried,
    /// What is known of the arguments bound last.
    pub(crate) arguments: Vec<Type>,
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
            doubts: Vec::new(),
            said: Vec::new(),
            emitted: Carried::default(),
            arguments: Vec::new(),
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
    pub(crate) fn declare(&mut self, name: &str, of: Type) -> usize {
        if let Some(Meaning::Slot(Base::Local(slot), known)) =
            self.scopes.last_mut().and_then(|scope| scope.names.get_mut(name))
        {
            // Set anew within a branch it may hold the one or the other.
            *known = Type::any().carrying(&known.all_carried()).carrying(&of.all_carried());
            let slot = *slot;
            self.said.retain(|fact| fact.place.base != Base::Local(slot));
            return slot;
        }
        let outer = match self.meaning(name) {
            Some(Meaning::Slot(base, _)) => Some(base),
            _ => None,
        };
        let slot = self.new_slot();
        if let Some(scope) = self.scopes.last_mut() {
            scope.entry.0.push((slot, outer));
            scope.names.insert(name.to_owned(), Meaning::Slot(Base::Local(slot), of));
        }
        slot
    }

    fn meaning(&self, name: &str) -> Option<Meaning> {
        let local = self.scopes.iter().rev().find_map(|scope| scope.names.get(name));
        local.cloned().or_else(|| {
            let slot = self.names.slot(name)?;
            Some(Meaning::Slot(Base::Root(slot), self.names.of(slot)))
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
                known(tree, NodeKind::Not(Box::new(operand)), Type::scalar(Kind::Bool))
            }
            TreeKind::Negate(operand) => self.negate(tree, operand),
            TreeKind::Binary(op, left, right) => self.binary(tree, *op, left, right),
            TreeKind::Chain(first, rest) => self.chain(tree, first, rest),
            TreeKind::And(left, right) => {
                let (pair, of) = self.logic(left, right, true);
                known(tree, NodeKind::And(pair), of)
            }
            TreeKind::Or(left, right) => {
                let (pair, of) = self.logic(left, right, false);
                known(tree, NodeKind::Or(pair), of)
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
                let (input, of) = self.expr(input);
                // What it is tested against is no argument of a filter around it.
                let before = self.arguments.len();
                let call = self.test_call(name, name_range, Given::new(arguments));
                self.arguments.truncate(before);
                match call {
                    Some(call) => {
                        self.check_test(&call, &of);
                        if !call.spec.sees_missing {
                            self.need(&input, &of);
                        }
                        let node = TestNode { input, call, name_range: name_range.clone() };
                        known(tree, NodeKind::Test(Box::new(node)), Type::scalar(Kind::Bool))
                    }
                    None => self.unknown(tree),
                }
            }
            TreeKind::List(items) => {
                let (nodes, types): (Vec<Node>, Vec<Type>) = items.iter().map(|item| self.expr(item)).unzip();
                let item =
                    types.into_iter().reduce(|some, other| some.join(&other)).unwrap_or_else(Type::any);
                known(tree, NodeKind::List(nodes), Type::list_of(item))
            }
            TreeKind::Map(pairs) => self.map(tree, pairs),
        }
    }

    fn constant(&mut self, tree: &Tree, value: Value) -> Known {
        let of = infer::constant(&value);
        known(tree, NodeKind::Const(value), of)
    }

    /// Stands for what was reported.
    fn unknown(&mut self, tree: &Tree) -> Known {
        known(tree, NodeKind::Const(Value::Null), Type::any())
    }

    fn block_text(&mut self, tree: &Tree) -> Known {
        let slot = self.block_text.unwrap_or_default();
        known(tree, NodeKind::BlockText(slot), Type::scalar(Kind::Text))
    }

    /// A name or a step into something, recorded as read.
    fn place(&mut self, tree: &Tree) -> Known {
        let (node, of) = self.place_unread(tree);
        self.read(&node);
        (node, of)
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
                let (of, ty) = self.place_unread(of);
                self.step(tree, of, &ty, Key::Name(Arc::from(name.as_str())))
            }
            TreeKind::Index(of, index) => {
                let (of, ty) = self.place_unread(of);
                match &index.kind {
                    TreeKind::Text(name) => self.step(tree, of, &ty, Key::Name(Arc::from(name.as_str()))),
                    TreeKind::Number(number) if number.to_i64().is_some() => {
                        self.step(tree, of, &ty, Key::At(number.to_i64().unwrap_or_default()))
                    }
                    TreeKind::Negate(inner) if whole(inner).is_some() => {
                        self.step(tree, of, &ty, Key::At(whole(inner).unwrap_or_default().saturating_neg()))
                    }
                    _ => {
                        self.read(&of);
                        self.need(&of, &ty);
                        let (index, index_type) = self.expr(index);
                        self.need(&index, &index_type);
                        known(tree, NodeKind::Index(Box::new((of, index))), ty.item())
                    }
                }
            }
            _ => self.expr(tree),
        }
    }

    fn name(&mut self, tree: &Tree, name: &str) -> Known {
        match self.meaning(name) {
            Some(Meaning::Slot(base, of)) => {
                self.narrowed(known(tree, NodeKind::Path(base, Box::default()), of))
            }
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
                let help = help.unwrap_or_else(|| {
                    let locals = self.scopes.iter().flat_map(|scope| scope.names.keys().map(String::as_str));
                    let names: Vec<&str> = self.names.iter().chain(locals).collect();
                    format!("names here are {}; text stands in quotes", known::listed(&names))
                });
                let problem =
                    Problem::new(&code::UNKNOWN_NAME, format!("unknown name `{name}`"), tree.range.clone());
                self.report(problem.help(help));
                self.unknown(tree)
            }
        }
    }

    /// Help for a field that was written without `record.`.
    fn as_field(&self, name: &str) -> Option<String> {
        let record = self.names.of(self.names.slot("record")?);
        if matches!(record.shape, Shape::Any) {
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
        Some(known(tree, NodeKind::Loop(*field, slots), Type::scalar(kind)))
    }

    fn step(&mut self, tree: &Tree, of: Node, ty: &Type, key: Key) -> Known {
        let of_label = self.label(&of.range);
        let result = match &key {
            Key::Name(name) => self.member_type(tree, of_label, ty, name),
            Key::At(_) => match ty.kind() {
                None | Some(Kind::List) => match &ty.gap {
                    Some(gap) => Type { gap: Some(gap.clone()), ..ty.item() },
                    None => ty.item_at(),
                },
                Some(kind) => {
                    let message = format!("`{of_label}` is {kind} and has no positions");
                    let help = (kind == Kind::Text).then(|| format!("a character is `{of_label}[0:1]`"));
                    let problem = Problem::new(&code::UNKNOWN_MEMBER, message, tree.range.clone());
                    self.report(problem.maybe_help(help));
                    Type::any()
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
        self.narrowed(known(tree, kind, result))
    }

    /// What a condition around it says of a place.
    fn narrowed(&self, (node, of): Known) -> Known {
        let NodeKind::Path(base, keys) = &node.kind else { return (node, of) };
        let there = |keys: &[Key]| {
            self.said.iter().any(|fact| fact.shows(*base, keys))
                || matches!(base, Base::Root(root) if self.names.is_present(*root, keys))
        };
        let mut of = if there(keys) { of.present() } else { of };
        if of.empty && of.kind() == Some(Kind::List) {
            let first: Vec<Key> = keys.iter().cloned().chain([Key::At(0)]).collect();
            of.empty = !there(&first);
        }
        if of.text.words.is_some() {
            let said = self.said.iter().chain(self.names.said());
            let words = said.filter(|fact| fact.place.base == *base && *fact.place.path == **keys);
            words.filter_map(|fact| fact.words.as_ref()).for_each(|words| of.text.keep(words));
        }
        (node, of)
    }

    fn member_type(&mut self, tree: &Tree, of: &str, ty: &Type, name: &str) -> Type {
        let no_member = match ty.member(name) {
            Ok(member) => return member,
            Err(no_member) => no_member,
        };
        let (message, help) = match no_member {
            NoMember::Unknown { likely } => (
                format!("`{of}` has no field `{name}`"),
                likely
                    .map(|likely| format!("did you mean `{likely}`?"))
                    .or_else(|| known::members(of, &ty.shape)),
            ),
            NoMember::Without(Kind::List) => (
                format!("`{of}` is a list and has no field `{name}`"),
                Some(format!("write `{of}[0].{name}`, or `{of} | map(attribute='{name}')` for all")),
            ),
            NoMember::Without(kind) => {
                (format!("`{of}` is {kind} and has no field `{name}`"), Some(format!("write `{of}` alone")))
            }
        };
        self.report(Problem::new(&code::UNKNOWN_MEMBER, message, tree.range.clone()).maybe_help(help));
        Type::any()
    }

    fn slice(&mut self, tree: &Tree, of: &Tree, bounds: [&Option<Box<Tree>>; 3]) -> Known {
        let (of, ty) = self.expr(of);
        self.need(&of, &ty);
        let [start, stop, step] = bounds.map(|bound| bound.as_ref().map(|bound| self.expr(bound).0));
        let ty = Type { text: TextBounds::default(), like: None, ..ty.present() };
        known(tree, NodeKind::Slice(Box::new(Slice { of, start, stop, step })), ty)
    }

    fn negate(&mut self, tree: &Tree, operand: &Tree) -> Known {
        let (operand, of) = self.expr(operand);
        if let NodeKind::Const(Value::Number(number)) = &operand.kind {
            return self.constant(tree, Value::Number(number.negated()));
        }
        if let Some(kind) = of.kind().filter(|kind| *kind != Kind::Number) {
            self.report_arithmetic(tree, BinaryOp::Sub, Kind::Number, kind);
        }
        self.need(&operand, &of);
        let result = Type::scalar(Kind::Number).carrying(&of.all_carried());
        known(tree, NodeKind::Negate(Box::new(operand)), result)
    }

    fn binary(&mut self, tree: &Tree, op: BinaryOp, left: &Tree, right: &Tree) -> Known {
        let (left, left_type) = self.expr(left);
        let (right, right_type) = self.expr(right);
        self.check_operands(&tree.range, op, (&left, &left_type), (&right, &right_type));
        if matches!(op, BinaryOp::In | BinaryOp::NotIn) {
            self.check_items(&left_type, &right);
        }
        let of = infer::binary(op, &left_type, &right_type);
        known(tree, NodeKind::Binary(op, Box::new((left, right))), of)
    }

    fn chain(&mut self, tree: &Tree, first: &Tree, rest: &[(BinaryOp, Tree)]) -> Known {
        let (first_node, left_type) = self.expr(first);
        let mut nodes = vec![first_node];
        let mut left_type = left_type;
        let mut ops = Vec::new();
        let mut start = first.range.start;
        for (op, link) in rest {
            let (node, of) = self.expr(link);
            let range = start..link.range.end.max(start);
            if let Some(left) = nodes.last() {
                self.check_operands(&range, *op, (left, &left_type), (&node, &of));
            }
            start = link.range.start;
            left_type = of;
            ops.push(*op);
            nodes.push(node);
        }
        let mut nodes = nodes.into_iter();
        // The first was put there above.
        let first = nodes.next().unwrap_or_else(|| self.unknown(tree).0);
        let links = ops.into_iter().zip(nodes).collect();
        known(tree, NodeKind::Chain(Box::new(first), links), Type::scalar(Kind::Bool))
    }

    /// `and`, or `or`: what stands right is looked at where the left holds, or does not.
    fn logic(&mut self, left: &Tree, right: &Tree, both: bool) -> (Box<(Node, Node)>, Type) {
        let (left, left_type) = self.expr(left);
        let Facts { holding, failing } = self.facts(&left);
        let (right, right_type) = self.given(if both { holding } else { failing }, |this| this.expr(right));
        let truths = [&left_type, &right_type].into_iter().all(|of| of.kind() == Some(Kind::Bool));
        let of = if truths { Type::scalar(Kind::Bool) } else { Type::any() };
        let of = of.carrying(&left_type.all_carried()).carrying(&right_type.all_carried());
        (Box::new((left, right)), of)
    }

    /// What follows from a condition.
    pub(crate) fn facts(&self, condition: &Node) -> Facts {
        facts(condition, self.names)
    }

    /// Compiles what is only looked at where this is so.
    pub(crate) fn given<T>(&mut self, said: Vec<Fact>, within: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.said.len();
        self.said.extend(said);
        let result = within(self);
        self.said.truncate(before);
        result
    }

    fn choose(&mut self, tree: &Tree, test: &Tree, then: &Tree, otherwise: Option<&Tree>) -> Known {
        let (test, _) = self.expr(test);
        let Facts { holding, failing } = self.facts(&test);
        let (then, then_type) = self.given(holding, |this| this.expr(then));
        let otherwise = otherwise.map(|otherwise| self.given(failing, |this| this.expr(otherwise)));
        let of = match &otherwise {
            Some((_, other)) => then_type.join(other),
            None => then_type.with_gap(Gap::NotFound),
        };
        let otherwise = otherwise.map(|(node, _)| node);
        known(tree, NodeKind::Choose(Box::new(Choose { test, then, otherwise })), of)
    }

    fn map(&mut self, tree: &Tree, pairs: &[(Tree, Tree)]) -> Known {
        let mut nodes = Vec::new();
        let mut members: Option<Vec<(Arc<str>, Type)>> = Some(Vec::new());
        let mut carried = Type::any();
        for (name, value) in pairs {
            let (name_node, name_type) = self.expr(name);
            if let Some(kind) = name_type.kind().filter(|kind| *kind != Kind::Text) {
                let message = format!("an object's names are text, not {kind}");
                self.report(
                    Problem::new(&code::KIND_MISMATCH, message, name.range.clone())
                        .help("write it in quotes"),
                );
            }
            let (value, of) = self.expr(value);
            carried = carried.carrying(&name_type.all_carried()).carrying(&of.all_carried());
            match (&name_node.kind, &mut members) {
                (NodeKind::Const(Value::Text(name)), Some(members)) => members.push((Arc::clone(name), of)),
                _ => members = None,
            }
            nodes.push((name_node, value));
        }
        let of = members.map_or(carried, |members| Shape::members(members).into());
        known(tree, NodeKind::Map(nodes), of)
    }

    fn filter(
        &mut self,
        tree: &Tree,
        name: &str,
        name_range: &Range<usize>,
        (input, of): Known,
        given: &Given<'_>,
    ) -> Known {
        let before = self.arguments.len();
        let call = self.filter_call(name, name_range, *given, &of);
        let arguments = self.arguments.split_off(before);
        let Some(call) = call else {
            return self.unknown(tree);
        };
        self.check_input(call.spec, &input, &of, name_range);
        if !call.spec.sees_missing {
            self.need(&input, &of);
        }
        self.doubt_input(&call, &input, &of);
        let output = match self.path_type(&call, &input, &of) {
            Some(output) => output,
            None => infer::filter(&call, &of, given, &arguments),
        };
        let node = FilterNode { input, call, name_range: name_range.clone() };
        known(tree, NodeKind::Filter(Box::new(node)), output)
    }

    /// What a path that is written out finds in a value of which something is known.
    fn path_type(&mut self, call: &FilterCall, input: &Node, of: &Type) -> Option<Type> {
        let (path, range) = infer::path_of(call)?;
        let label = format!("`{}`", self.label(&input.range));
        match crate::path::check(path, of, &label) {
            Ok(found) if path.is_singular() => Some(found),
            Ok(found) => Some(Type::list_of(found)),
            Err(mut problem) => {
                problem.range = range.clone();
                self.report(problem);
                None
            }
        }
    }
}

pub(crate) fn known(tree: &Tree, kind: NodeKind, of: Type) -> Known {
    (Node { range: tree.range.clone(), kind }, of)
}

fn whole(tree: &Tree) -> Option<i64> {
    if let TreeKind::Number(number) = &tree.kind { number.to_i64() } else { None }
}
