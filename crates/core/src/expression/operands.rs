//! What an expression looked at: its leaves with their values, for a person who asks why it gave what it gave.

use super::eval::Evaluator;
use super::ir::{ArgNode, Base, FilterCall, InnerCall, Node, NodeKind, TestCall};
use super::names::Frame;
use super::{Condition, Expression};
use crate::value::Value;

/// More leaves than these say nothing more to a person.
const MOST: usize = 8;

/// A value is shown to so many characters.
const LONGEST: usize = 80;

/// A leaf of an expression and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// As it is written: `record.totalAmount`.
    pub written: String,
    /// Its value as JSON, texts in quotes, cut where it is long; `missing` where there is none.
    pub value: String,
}

impl Condition {
    /// Its leaves with their values, each once, in the order written. Nothing of it is computed before it is asked for.
    pub fn operands(&self, frame: &Frame<'_>) -> Vec<Operand> {
        let Condition(expression) = self;
        let mut found =
            Leaves { expression, evaluator: Evaluator::new(&expression.source, *frame), all: Vec::new() };
        found.node(&expression.node);
        found.all
    }
}

struct Leaves<'a> {
    expression: &'a Expression,
    evaluator: Evaluator<'a>,
    all: Vec<Operand>,
}

impl Leaves<'_> {
    fn node(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Path(Base::Root(_), _) => self.leaf(node),
            // What stands in brackets behind a name is part of the place it names.
            NodeKind::Get(of, _) if is_place(of) => self.leaf(node),
            NodeKind::Index(pair) if is_place(&pair.0) => {
                self.leaf(node);
                self.node(&pair.1);
            }
            NodeKind::Const(_) | NodeKind::Path(..) | NodeKind::Loop(..) | NodeKind::BlockText(_) => {}
            NodeKind::Get(of, _) | NodeKind::Not(of) | NodeKind::Negate(of) => self.node(of),
            NodeKind::Index(pair) | NodeKind::Binary(_, pair) | NodeKind::And(pair) | NodeKind::Or(pair) => {
                self.node(&pair.0);
                self.node(&pair.1);
            }
            NodeKind::Slice(slice) => {
                self.node(&slice.of);
                [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                    .for_each(|part| self.node(part));
            }
            NodeKind::Chain(first, links) => {
                self.node(first);
                links.iter().for_each(|(_, link)| self.node(link));
            }
            NodeKind::Choose(choose) => {
                self.node(&choose.test);
                self.node(&choose.then);
                choose.otherwise.iter().for_each(|otherwise| self.node(otherwise));
            }
            NodeKind::Filter(filter) => {
                self.node(&filter.input);
                self.filter(&filter.call);
            }
            NodeKind::Test(test) => {
                self.node(&test.input);
                self.test(&test.call);
            }
            NodeKind::List(items) => items.iter().for_each(|item| self.node(item)),
            NodeKind::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                self.node(key);
                self.node(value);
            }),
        }
    }

    fn filter(&mut self, call: &FilterCall) {
        self.arguments(&call.arguments);
        match call.inner.as_deref() {
            Some(InnerCall::Filter(inner)) => self.filter(inner),
            Some(InnerCall::Test(inner)) => self.test(inner),
            None => {}
        }
    }

    fn test(&mut self, call: &TestCall) {
        self.arguments(&call.arguments);
    }

    fn arguments(&mut self, arguments: &[Option<ArgNode>]) {
        arguments.iter().flatten().for_each(|argument| self.node(&argument.node));
    }

    fn leaf(&mut self, node: &Node) {
        let written = self.expression.source.get(node.range.clone()).unwrap_or("").trim();
        if self.all.len() >= MOST || self.all.iter().any(|known| known.written == written) {
            return;
        }
        let value = self.evaluator.eval(node, &[]).ok().filter(|value| !value.is_missing());
        let value = value.map_or_else(|| "missing".to_owned(), |value| shown(&value));
        self.all.push(Operand { written: written.to_owned(), value });
    }
}

/// Whether a node is a name and steps into it.
fn is_place(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Path(Base::Root(_), _) => true,
        NodeKind::Get(of, _) => is_place(of),
        NodeKind::Index(pair) => is_place(&pair.0),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    let Ok(json) = value.to_json() else { return value.kind().to_string() };
    match json.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", json.get(..at).unwrap_or("")),
        None => json,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

    use super::*;
    use crate::expression::{Names, Settings, Shape};

    fn operands(condition: &str, record: &str) -> String {
        let names = Names::new().with("record", Shape::Any);
        let condition = Condition::compile(condition, &names).unwrap();
        let values = [Value::from_json(record).unwrap()];
        let settings = Settings::default();
        let operands = condition.operands(&Frame { values: &values, settings: &settings });
        operands
            .iter()
            .map(|operand| format!("{} = {}", operand.written, operand.value))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn each_leaf_is_named_once_with_its_value() {
        let of = |condition: &str| {
            let record = r#"{"a": 12.50, "b": "x\ny", "c": null, "items": [{"id": 7}], "long": "LONG"}"#;
            operands(condition, &record.replace("LONG", &"é".repeat(200)))
        };
        insta::assert_snapshot!(of("{{ record.a >= 20 and record.a < 30 }}"), @"record.a = 12.50");
        insta::assert_snapshot!(of("{{ record.b | lower == 'x' or record.c is none }}"), @r#"record.b = "x\ny"; record.c = missing"#);
        insta::assert_snapshot!(of("{{ record.items[0].id == 7 }}"), @"record.items[0].id = 7");
        insta::assert_snapshot!(of("{{ record.items | length > 2 }}"), @r#"record.items = [{"id":7}]"#);
        insta::assert_snapshot!(of("{{ record[record.b] == 1 }}"), @r#"record[record.b] = missing; record.b = "x\ny""#);
        insta::assert_snapshot!(of("{{ not (record.a == 1 if record.gone is defined else true) }}"), @"record.gone = missing; record.a = 12.50");
        let long = of("{{ record.long == 'x' }}");
        assert!(long.ends_with('…') && long.chars().count() < 110, "{long}");
    }

    #[test]
    fn there_is_an_end_of_them() {
        let parts: Vec<String> = (0..20).map(|number| format!("record.f{number} == 1")).collect();
        let text = operands(&format!("{{{{ {} }}}}", parts.join(" or ")), "{}");
        assert_eq!(text.matches(" = ").count(), MOST);
    }
}
