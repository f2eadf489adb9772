//! One test.

use super::Reader;
use crate::definition::{StepKind, Test, Trigger, Zap};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::load::unread;
use crate::rehearsal::answer::Answer;
use crate::rehearsal::case::{Case, Ending, Expect, Expected, Given, Places, Replies};
use crate::source::Span;
use crate::yaml::{self, MapRef, NodeId, NodeRef, Tree};

/// What reading one test works with.
pub(super) struct Reading<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) tree: &'r Tree,
    /// The file in which the test stands.
    pub(super) path: &'r str,
    pub(super) zap: &'r Zap,
    pub(super) findings: Vec<Diagnostic>,
}

/// A step, as far as tests tell it apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepInfo {
    pub(super) kind: StepKind,
    pub(super) each: bool,
}

impl StepInfo {
    /// What it is, in plain words.
    pub(super) fn words(self) -> &'static str {
        match self.kind {
            StepKind::Http => "an http request",
            StepKind::Crm => "a write to the CRM",
            StepKind::Query => "a look-up in the CRM",
        }
    }
}

impl Reading<'_, '_> {
    /// Reads a test as far as it goes. Of a `broken` one the structure has findings already.
    pub(super) fn read(&mut self, node: NodeId, broken: bool) -> Option<Case> {
        let test = match yaml::from_node::<Test>(self.tree, node) {
            Ok(test) => test,
            Err(error) => {
                if !broken {
                    self.findings.push(unread(self.tree, &error));
                }
                return None;
            }
        };
        self.unique(&test);
        let vars = self.map(test.vars.as_ref());
        self.known_vars(test.vars);
        let given = match &test.records {
            None => self.given(&test).map(|given| vec![given]),
            Some(NodeRef(records)) => self.several(&test, *records),
        };
        let many = test.records.as_ref().map(|records| self.tree.items(records.0).len());
        let expect = self.expected(test.expect.0, many);
        let (mut given, expect, vars) = (given?, expect?, vars?);
        given.iter_mut().for_each(|given| given.vars.clone_from(&vars));
        Some(Case {
            zap: self.zap.name.as_str().to_owned(),
            name: test.name.value.clone(),
            span: self.tree.span(test.name.node),
            engine: test.records.is_some() || needs_engine(&given, &expect),
            given: given.into(),
            expect,
            places: self.places(node, test.expect.0),
        })
    }

    /// Where everything that is expected is written.
    fn places(&self, test: NodeId, expect: NodeId) -> Places {
        let (test, whole) = (self.tree.span(test), self.tree.span(expect));
        // What stands elsewhere, and is used here by an alias, is another test's.
        let own = test.start <= whole.start && whole.end <= test.end;
        let mut places = Places { whole: own.then_some(whole), parts: Vec::new() };
        self.tree.walk(expect, &mut |node, pointer| {
            places.parts.push((pointer.to_owned(), self.tree.span(node)));
        });
        places
    }

    /// Two tests of one name cannot be told apart in what is printed.
    fn unique(&mut self, test: &Test) {
        let name = (self.zap.name.as_str().to_owned(), test.name.value.clone());
        if !self.reader.names.insert(name) {
            let message = format!("another test of `{}` is called so", self.zap.name.value);
            self.report(
                Diagnostic::new(&code::DUPLICATE_TEST, message)
                    .at(self.tree.span(test.name.node))
                    .help("give one of the two another name"),
            );
        }
    }

    /// What the test gives; nothing when it is not enough.
    fn given(&mut self, test: &Test) -> Option<Given> {
        let given = [
            ("record", test.record.map(|node| node.0)),
            ("fresh", test.fresh.map(|node| node.0)),
            ("headers", test.headers.map(|map| map.0)),
            ("query", test.query.map(|map| map.0)),
            ("at", test.at.as_ref().map(|at| at.node)),
        ];
        self.complete(&given, test.name.node);
        let record = self.value(test.record.as_ref());
        let fresh = self.value(test.fresh.as_ref());
        let headers = self.map(test.headers.as_ref());
        let query = self.map(test.query.as_ref());
        let replies = test.replies.map_or_else(Vec::new, |replies| self.replies(replies.0));
        let event = test.event.as_ref().map(|event| &event.value);
        Some(Given {
            arrives: None,
            also: None,
            record: record?,
            fresh: fresh?,
            headers: headers?.map(|headers| super::given::lowered(&headers)),
            query: query?,
            tick: test.at.as_ref().map(|at| at.value.0),
            at: event.and_then(|event| event.at.as_ref()).map(|at| at.value.0),
            key: event.and_then(|event| event.key.as_ref()).map(|key| key.value.clone()),
            // Told to all records of the test.
            vars: None,
            replies,
        })
    }

    /// Whether what is given goes with the zap's trigger, and is enough for it.
    pub(super) fn complete(&mut self, given: &[(&'static str, Option<NodeId>)], at: NodeId) {
        let trigger = &self.zap.trigger.value;
        let (kind, takes, needs): (_, &[&str], _) = match trigger {
            Trigger::Orders(_) => ("konnektive.orders", &["record", "fresh"], Some("record")),
            Trigger::Transactions(_) => ("konnektive.transactions", &["record", "fresh"], Some("record")),
            Trigger::Customers(_) => ("konnektive.customers", &["record", "fresh"], Some("record")),
            Trigger::Http(_) => ("http", &["record"], Some("record")),
            Trigger::Webhook(_) => ("webhook", &["record", "headers", "query"], None),
            Trigger::Schedule(_) => ("schedule", &["at"], Some("at")),
            // What it takes nobody knows.
            Trigger::Unread => return,
        };
        for (key, node) in given.iter().filter_map(|(key, node)| Some((*key, (*node)?))) {
            if !takes.contains(&key) {
                let message = format!("`{key}` says nothing to a zap with a trigger of type {kind}");
                let help = format!("remove it; such a test takes {}", words(takes));
                self.report(
                    Diagnostic::new(&code::TEST_TRIGGER, message).at(self.tree.span(node)).help(help),
                );
            }
        }
        let has = |key: &str| given.iter().any(|(known, node)| *known == key && node.is_some());
        let missing = match needs {
            Some(needed) => (!has(needed)).then_some(needed),
            None => (!has("record") && !has("query")).then_some("record"),
        };
        if let Some(missing) = missing {
            let message = format!("the test has no `{missing}`");
            let help = match missing {
                "at" => "write when it fires: at: \"2026-09-16T08:00:00-04:00\"",
                _ => "write `record:` with a map, or the path of a file beside this one",
            };
            let at = self.tree.span(at);
            self.report(Diagnostic::new(&code::MISSING_KEY, message).at(at).help(help));
        }
    }

    fn known_vars(&mut self, vars: Option<MapRef>) {
        let Some(known) = self.reader.vars.clone() else { return };
        for entry in vars.map_or(&[][..], |vars| self.tree.entries(vars.0)) {
            if known.iter().any(|name| **name == *entry.key) {
                continue;
            }
            let message = format!("the project has no var `{}`", entry.key);
            let help = match did_you_mean(&entry.key, known.iter().map(String::as_str)) {
                Some(best) => format!("did you mean `{best}`?"),
                None => "add it to `vars:` of zaprun.yaml, or remove it here".to_owned(),
            };
            self.report(Diagnostic::new(&code::TEST_VAR, message).at(entry.key_span).help(help));
        }
    }

    /// A step by its id; nothing, and a finding, when the zap has none of that id.
    pub(super) fn step(&mut self, id: &str, at: Span) -> Option<StepInfo> {
        use crate::definition::Action;
        let all = || self.zap.actions.iter().chain(&self.zap.on_failure).map(|action| &action.value);
        if let Some(action) = all().find(|action| action.id().as_str() == id) {
            let kind = match action {
                Action::Http(_) => StepKind::Http,
                Action::Crm(..) => StepKind::Crm,
                Action::Query(_) => StepKind::Query,
                Action::Unread(_) => return None,
            };
            return Some(StepInfo { kind, each: action.common().each.is_some() });
        }
        if !self.zap.open_steps.is_empty() {
            return None;
        }
        let ids: Vec<&str> = all().map(|action| action.id().as_str()).collect();
        let help = match did_you_mean(id, ids.iter().copied()) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("its steps are {}", words(&ids)),
        };
        let message = format!("`{}` has no step `{id}`", self.zap.name.value);
        self.report(Diagnostic::new(&code::TEST_STEP, message).at(at).help(help));
        None
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// A value that may be the path of a fixture.
    #[expect(clippy::option_option, reason = "given or not, and then good or not")]
    pub(super) fn value(&mut self, node: Option<&NodeRef>) -> Option<Option<crate::value::Value>> {
        let Some(NodeRef(node)) = node else { return Some(None) };
        match self.tree.text(*node) {
            Some(path) => self.fixture(path, *node).map(Some),
            None => Some(Some(self.laid(None, *node))),
        }
    }

    #[expect(clippy::option_option, reason = "given or not, and then good or not")]
    pub(super) fn map(&mut self, map: Option<&MapRef>) -> Option<Option<crate::value::Value>> {
        Some(map.map(|MapRef(node)| self.laid(None, *node)))
    }
}

/// Whether a test says something of which a rehearsal knows nothing.
fn needs_engine(given: &[Given], expect: &Expected) -> bool {
    let told_by_attempt = |answers: &Vec<Answer>| {
        answers.len() > 1 || answers.iter().any(|answer| matches!(answer, Answer::Fault(_)))
    };
    let replies = given.iter().flat_map(|given| &given.replies).any(|(_, replies)| match replies {
        Replies::All(answers) => told_by_attempt(answers),
        Replies::Each(elements) => elements.iter().any(told_by_attempt),
    });
    let expects = match expect {
        Expected::One(Expect::Run { ending, .. }) => Ending::says_something(ending),
        Expected::One(Expect::Known) | Expected::Each(_) | Expected::Totals { .. } => true,
        Expected::One(Expect::Filtered | Expect::Ignored) => false,
    };
    replies || expects
}

/// `a`, `b` and `c`, each in backticks.
pub(super) fn words(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
