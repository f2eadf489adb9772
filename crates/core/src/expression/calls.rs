//! Calls of filters and tests: names are looked up, arguments are bound to parameters and checked.

use std::ops::Range;
use std::sync::Arc;

use super::infer;
use super::ir::{ArgNode, Arguments, FilterCall, InnerCall, Node, NodeKind, TestCall};
use super::known;
use super::names::{Access, Key, TABLES};
use super::problem::{Fault, Problem};
use super::resolve::Resolver;
use super::tests_table::{self, TestSpec};
use super::tree::{Argument, Tree, TreeKind};
use super::types::{NoMember, Type};
use crate::diagnostic::{code, did_you_mean};
use crate::filters::{self, Attribute, Fallback, Param, ParamType, Ready, Takes};
use crate::value::Value;

/// Arguments as they were written, some of which may have been used up.
#[derive(Clone, Copy)]
pub(crate) struct Given<'t> {
    arguments: &'t [Argument],
}

impl<'t> Given<'t> {
    pub(crate) fn new(arguments: &'t [Argument]) -> Self {
        Given { arguments }
    }

    fn has(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument.name.as_deref() == Some(name))
    }

    /// The first positional argument and those after it.
    pub(crate) fn split_first(&self) -> Option<(&'t Tree, Given<'t>)> {
        let (first, rest) = self.arguments.split_first()?;
        if first.name.is_some() { None } else { Some((&first.value, Given { arguments: rest })) }
    }
}

/// A filter or test on whose behalf arguments are bound.
struct Callee<'a> {
    name: &'a str,
    range: &'a Range<usize>,
    params: &'static [Param],
}

impl Resolver<'_> {
    pub(crate) fn filter_call(
        &mut self,
        name: &str,
        range: &Range<usize>,
        given: Given<'_>,
        input: &Type,
    ) -> Option<FilterCall> {
        let Some(spec) = filters::find(name) else {
            let help = match name {
                // Jinja's, for what is escaped by itself there.
                "safe" => "remove it: nothing is escaped here unless `| escape` says so".to_owned(),
                _ => did_you_mean(name, filters::names()).map_or_else(
                    || "`zaprun filters` lists all there are".to_owned(),
                    |likely| format!("did you mean `{likely}`?"),
                ),
            };
            let problem =
                Problem::new(&code::UNKNOWN_FILTER, format!("unknown filter `{name}`"), range.clone());
            self.report(problem.help(help));
            return None;
        };
        let callee = Callee { name, range, params: spec.params };
        let (arguments, inner) = match spec.takes {
            Takes::Params => (self.bind(&callee, given)?, None),
            Takes::Filter => self.bind_filter(&callee, given, input)?,
            Takes::Test => match given.split_first() {
                None => (self.bind(&callee, given)?, None),
                Some((test, rest)) => (Vec::new(), Some(self.inner_test(test, rest, &input.item())?)),
            },
            Takes::AttributeTest => self.bind_attribute_test(&callee, given, input)?,
        };
        self.check_attributes(&callee, &arguments, input);
        self.check_column(&callee, &arguments)?;
        Some(FilterCall { spec, arguments, inner: inner.map(Box::new) })
    }

    fn bind_filter(
        &mut self,
        callee: &Callee<'_>,
        given: Given<'_>,
        input: &Type,
    ) -> Option<(Arguments, Option<InnerCall>)> {
        if given.has("attribute") {
            return Some((self.bind(callee, given)?, None));
        }
        let Some((name, rest)) = given.split_first() else {
            self.bad_call(callee, "needs `attribute='name'` or the name of a filter");
            return None;
        };
        let (text, range) = self.constant_name(name, "a filter")?;
        let call = self.filter_call(&text, &range, rest, &input.item())?;
        Some((Vec::new(), Some(InnerCall::Filter(call))))
    }

    fn bind_attribute_test(
        &mut self,
        callee: &Callee<'_>,
        given: Given<'_>,
        input: &Type,
    ) -> Option<(Arguments, Option<InnerCall>)> {
        let Some((attribute, rest)) = given.split_first() else {
            self.bad_call(callee, "needs the name of an attribute");
            return None;
        };
        let param = callee.params.first()?;
        let argument = self.argument(callee, param, attribute)?;
        let member = match &argument.ready {
            Some(Ready::Attribute(attribute)) => infer::member_at(&input.item(), attribute),
            _ => None,
        };
        let arguments = vec![Some(argument)];
        let inner = match rest.split_first() {
            None => None,
            Some((test, rest)) => Some(self.inner_test(test, rest, &member.unwrap_or_else(Type::any))?),
        };
        Some((arguments, inner))
    }

    /// A test of items, or of a member of them, and what is known of what it tests.
    fn inner_test(&mut self, name: &Tree, rest: Given<'_>, tested: &Type) -> Option<InnerCall> {
        let (text, range) = self.constant_name(name, "a test")?;
        let call = self.test_call(&text, &range, rest)?;
        self.check_test(&call, tested);
        Some(InnerCall::Test(call))
    }

    fn constant_name(&mut self, tree: &Tree, what: &str) -> Option<(String, Range<usize>)> {
        if let TreeKind::Text(text) = &tree.kind {
            return Some((text.clone(), tree.range.clone()));
        }
        let message = format!("the name of {what} must be written as text");
        self.report(Problem::new(&code::BAD_ARGUMENT, message, tree.range.clone()));
        None
    }

    pub(crate) fn test_call(
        &mut self,
        name: &str,
        range: &Range<usize>,
        given: Given<'_>,
    ) -> Option<TestCall> {
        let Some(spec) = tests_table::find(name) else {
            let names: Vec<&str> = tests_table::names().collect();
            let help = did_you_mean(name, names.iter().copied()).map_or_else(
                || format!("tests are {}", known::listed(&names)),
                |likely| format!("did you mean `{likely}`?"),
            );
            let problem = Problem::new(&code::UNKNOWN_TEST, format!("unknown test `{name}`"), range.clone());
            self.report(problem.help(help));
            return None;
        };
        let spec: &'static TestSpec = spec;
        let arguments = self.bind(&Callee { name, range, params: spec.params }, given)?;
        Some(TestCall { spec, arguments })
    }

    /// One argument per parameter; positional ones first, then by name.
    fn bind(&mut self, callee: &Callee<'_>, given: Given<'_>) -> Option<Arguments> {
        let mut bound: Arguments = callee.params.iter().map(|_| None).collect();
        let mut fine = true;
        for (at, argument) in given.arguments.iter().enumerate() {
            let position = match &argument.name {
                None => Some(at).filter(|at| *at < callee.params.len()),
                Some(name) => callee.params.iter().position(|param| param.name == name),
            };
            let Some((param, place)) =
                position.and_then(|at| Some((callee.params.get(at)?, bound.get_mut(at)?)))
            else {
                self.too_many(callee, argument);
                fine = false;
                continue;
            };
            if place.is_some() {
                self.bad_call(callee, &format!("argument `{}` is given twice", param.name));
                fine = false;
                continue;
            }
            match self.argument(callee, param, &argument.value) {
                Some(node) => *place = Some(node),
                None => fine = false,
            }
        }
        for (param, place) in callee.params.iter().zip(&bound) {
            if fine && place.is_none() && param.fallback == Fallback::Required {
                self.bad_call(callee, &format!("needs the argument `{}`: {}", param.name, param.doc));
                fine = false;
            }
        }
        fine.then_some(bound)
    }

    fn too_many(&mut self, callee: &Callee<'_>, argument: &Argument) {
        let known = callee.params.iter().map(|param| param.name);
        let help = match &argument.name {
            Some(name) => did_you_mean(name, known.clone()).map(|likely| format!("did you mean `{likely}`?")),
            None => None,
        };
        let listed: Vec<String> = known.map(|name| format!("`{name}`")).collect();
        let takes = if listed.is_empty() {
            "takes no arguments".to_owned()
        } else {
            format!("takes {}", listed.join(", "))
        };
        let message = match &argument.name {
            Some(name) => format!("`{}` has no argument `{name}`", callee.name),
            None => format!("`{}` has too many arguments", callee.name),
        };
        let problem = Problem::new(&code::BAD_ARGUMENT, message, argument.value.range.clone());
        self.report(problem.maybe_help(Some(takes)).maybe_help(help));
    }

    fn bad_call(&mut self, callee: &Callee<'_>, message: &str) {
        let message = format!("`{}` {message}", callee.name);
        self.report(Problem::new(&code::BAD_ARGUMENT, message, callee.range.clone()));
    }

    /// Compiles an argument; a constant is checked and made ready at once.
    fn argument(&mut self, callee: &Callee<'_>, param: &Param, tree: &Tree) -> Option<ArgNode> {
        let (node, of) = self.expr(tree);
        self.arguments.push(of.clone());
        if param.ty == ParamType::Table {
            return self.table_argument(callee, node, tree);
        }
        if let NodeKind::Const(value) = &node.kind {
            return match filters::prepare(param, value) {
                Ok(ready) => Some(ArgNode { node, ready }),
                Err(fault) => {
                    self.report(argument_problem(callee, fault, tree));
                    None
                }
            };
        }
        if let (Some(expected), Some(kind)) = (param.ty.kind(), of.kind())
            && expected != kind
        {
            let fault = Fault::new(format!("argument `{}` must be {expected}, not {kind}", param.name));
            self.report(argument_problem(callee, fault, tree));
            return None;
        }
        if param.ty != ParamType::Missing {
            self.need(&node, &of);
        }
        Some(ArgNode { node, ready: None })
    }

    /// The name of a table is known before there is a record, so that a wrong one is found before a run.
    fn table_argument(&mut self, callee: &Callee<'_>, node: Node, tree: &Tree) -> Option<ArgNode> {
        let TreeKind::Text(name) = &tree.kind else {
            let fault = Fault::new("the name of a table must be written as text");
            self.report(argument_problem(callee, fault, tree));
            return None;
        };
        let Some(table) = self.names().tables().get(name) else {
            let likely = did_you_mean(name, self.names().tables().names());
            let help = match likely {
                Some(likely) => format!("did you mean `{likely}`?"),
                None => format!("write the file tables/{name}.csv or tables/{name}.yaml"),
            };
            let message = format!("there is no table `{name}`");
            self.report(Problem::new(&code::UNKNOWN_TABLE, message, tree.range.clone()).help(help));
            return None;
        };
        let ready = table.cloned().map(Ready::Table);
        let access = Access { root: TABLES, path: vec![Key::Name(Arc::from(name.as_str()))] };
        if !self.reads.contains(&access) {
            self.reads.push(access);
        }
        Some(ArgNode { node, ready })
    }

    /// A table of several columns must be told which, and has the one that is written.
    fn check_column(&mut self, callee: &Callee<'_>, arguments: &Arguments) -> Option<()> {
        let mut given = callee.params.iter().zip(arguments);
        let Some((_, Some(ArgNode { ready: Some(Ready::Table(table)), .. }))) =
            given.clone().find(|(param, _)| param.ty == ParamType::Table)
        else {
            return Some(());
        };
        let column = given.find(|(param, _)| param.name == "column").and_then(|(_, given)| given.as_ref());
        let columns = || table.columns().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
        let (message, help, range) = match column {
            None if table.columns().count() == 1 => return Some(()),
            None => {
                let message = format!("the table `{}` has the columns {}", table.name(), columns());
                (message, "say which: `column='NAME'`".to_owned(), callee.range.clone())
            }
            Some(ArgNode { node: Node { kind: NodeKind::Const(Value::Text(name)), range }, .. }) => {
                if table.column(name).is_some() {
                    return Some(());
                }
                let help = match did_you_mean(name, table.columns()) {
                    Some(likely) => format!("did you mean `{likely}`?"),
                    None => format!("it has {}", columns()),
                };
                (format!("the table `{}` has no column `{name}`", table.name()), help, range.clone())
            }
            Some(other) => {
                let message = "the name of a column must be written as text".to_owned();
                (message, format!("the table has {}", columns()), other.node.range.clone())
            }
        };
        self.report(Problem::new(&code::TABLE_COLUMN, message, range).help(help));
        None
    }

    /// Attributes of items whose fields are known must be among them.
    fn check_attributes(&mut self, callee: &Callee<'_>, arguments: &Arguments, input: &Type) {
        for argument in arguments.iter().flatten() {
            if let Some(Ready::Attribute(attribute)) = &argument.ready {
                let (range, item) = (argument.node.range.clone(), input.item());
                self.check_attribute(callee, attribute, item, range);
            }
        }
    }

    fn check_attribute(
        &mut self,
        callee: &Callee<'_>,
        attribute: &Attribute,
        item: Type,
        range: Range<usize>,
    ) {
        let mut of = item;
        for key in &attribute.0 {
            let Key::Name(name) = key else { return };
            match of.member(name) {
                Ok(member) => of = member,
                Err(no_member) => {
                    let help = match no_member {
                        NoMember::Unknown { likely } => likely
                            .map(|likely| format!("did you mean `{likely}`?"))
                            .or_else(|| known::members("item", &of.shape)),
                        NoMember::Without(kind) => Some(format!("what it is looked for in is {kind}")),
                    };
                    let message = format!("`{}`: items have no field `{name}`", callee.name);
                    self.report(Problem::new(&code::UNKNOWN_MEMBER, message, range).maybe_help(help));
                    return;
                }
            }
        }
    }
}

fn argument_problem(callee: &Callee<'_>, fault: Fault, tree: &Tree) -> Problem {
    let message = format!("`{}`: {}", callee.name, fault.message);
    Problem::new(&code::BAD_ARGUMENT, message, tree.range.clone()).maybe_help(fault.help)
}

impl ParamType {
    /// The kind of value it takes, where there is but one.
    fn kind(self) -> Option<crate::value::Kind> {
        use crate::value::Kind;
        match self {
            ParamType::Any | ParamType::Missing | ParamType::Attribute => None,
            ParamType::Number | ParamType::Whole => Some(Kind::Number),
            ParamType::Bool => Some(Kind::Bool),
            ParamType::List => Some(Kind::List),
            _ => Some(Kind::Text),
        }
    }
}
