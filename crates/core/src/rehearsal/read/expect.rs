//! What a test expects.

use super::one::{Reading, StepInfo, words};
use crate::definition::PARTS;
use crate::diagnostic::{Diagnostic, code};
use crate::rehearsal::case::{EachExpect, Ending, Expect, Expected, Outcome, StepExpect};
use crate::yaml::{Kind, NodeId};

/// Beside the steps: the run is given up before the first of them.
const ERROR: &str = "$error";
/// Beside the steps: how the run ends.
const OUTCOME: &str = "$outcome";
/// Beside the steps: what the reason of that holds.
const REASON: &str = "$reason";
/// Beside the steps: how often they are asked.
const ATTEMPTS: &str = "$attempts";
/// Instead of the steps: how many of several records come to what.
const TOTALS: &str = "$totals";

impl Reading<'_, '_> {
    /// What a test expects of its record, or of so many records. Nothing where its structure has findings.
    pub(super) fn expected(&mut self, node: NodeId, records: Option<usize>) -> Option<Expected> {
        let list = matches!(self.tree.node(node).kind, Kind::List(_));
        let totals = self.tree.entry(node, TOTALS).map(|entry| (entry.key_span, entry.value));
        match (records, totals) {
            (Some(_), Some((_, totals))) => self.totals(node, totals),
            (Some(records), None) if list => {
                let items = self.tree.items(node);
                if !self.as_many(node, items.len(), records) {
                    return None;
                }
                let each: Vec<Option<Expect>> = items.iter().map(|item| self.expect(*item)).collect();
                each.into_iter().collect::<Option<_>>().map(Expected::Each)
            }
            (Some(_), None) => {
                let finding = Diagnostic::new(&code::TEST_PART, "of several records a list is expected");
                let help =
                    "write one expectation for each, or how many come to what: { $totals: { delivered: 1 } }";
                self.report(finding.at(self.tree.span(node)).help(help));
                None
            }
            (None, Some((at, _))) => {
                let finding = Diagnostic::new(&code::TEST_PART, "`$totals` counts several records");
                self.report(finding.at(at).help("write `records:` with a list, or `$outcome`"));
                None
            }
            (None, None) if list => {
                let finding = Diagnostic::new(&code::TEST_PART, "a list is expected of several records");
                self.report(finding.at(self.tree.span(node)).help("write `records:` with a list"));
                None
            }
            (None, None) => self.expect(node).map(Expected::One),
        }
    }

    fn totals(&mut self, node: NodeId, totals: NodeId) -> Option<Expected> {
        let totals = self.counts(totals);
        let mut attempts = Vec::new();
        for entry in self.tree.entries(node) {
            match &*entry.key {
                TOTALS => {}
                ATTEMPTS => attempts = self.attempts_of_steps(entry.value),
                other => {
                    let message = format!("`{other}` does not stand beside `$totals`");
                    let finding = Diagnostic::new(&code::TEST_PART, message).at(entry.key_span);
                    self.report(finding.help("what each record sends is expected in a list"));
                }
            }
        }
        Some(Expected::Totals { totals, attempts })
    }

    /// Whole numbers by name; others have a finding of the structure.
    fn counts(&self, node: NodeId) -> Vec<(String, u64)> {
        let count = |node: NodeId| match &self.tree.node(node).kind {
            Kind::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        let entries = self.tree.entries(node).iter();
        entries.filter_map(|entry| Some((entry.key.to_string(), count(entry.value)?))).collect()
    }

    fn attempts_of_steps(&mut self, node: NodeId) -> Vec<(String, u64)> {
        for entry in self.tree.entries(node) {
            self.step(&entry.key, entry.key_span);
        }
        self.counts(node)
    }

    /// What a test expects of one record. Nothing where its structure has findings.
    fn expect(&mut self, node: NodeId) -> Option<Expect> {
        match self.tree.text(node) {
            Some("filtered") => return Some(Expect::Filtered),
            Some("ignored") => return Some(Expect::Ignored),
            Some("known") => return Some(Expect::Known),
            Some(_) => return None,
            None => {}
        }
        let mut steps = Vec::new();
        let mut error = None;
        let mut ending = Ending::default();
        for entry in self.tree.entries(node) {
            match &*entry.key {
                ERROR => error = Some(self.tree.text(entry.value)?.to_owned()),
                OUTCOME => ending.outcome = Some(self.tree.text(entry.value)?.to_owned()),
                REASON => ending.reason = Some(self.tree.text(entry.value)?.to_owned()),
                ATTEMPTS => ending.attempts = self.attempts_of_steps(entry.value),
                key => {
                    let Some(step) = self.step(key, entry.key_span) else { continue };
                    steps.push((key.to_owned(), self.step_expect(entry.value, step)?));
                }
            }
        }
        Some(Expect::Run { error, steps, ending })
    }

    fn step_expect(&mut self, node: NodeId, step: StepInfo) -> Option<StepExpect> {
        let mut expect = StepExpect::default();
        match self.tree.text(node) {
            Some("done") => return Some(expect),
            Some("skipped") => return Some(StepExpect { outcome: Outcome::Skipped, ..expect }),
            Some(_) => return None,
            None => {}
        }
        let entries = self.tree.entries(node);
        for entry in entries {
            match &*entry.key {
                "exact" => expect.exact = self.tree.node(entry.value).kind == Kind::Bool(true),
                "skipped" => expect.outcome = Outcome::Skipped,
                "error" => expect.outcome = Outcome::Failed(self.tree.text(entry.value)?.to_owned()),
                "each" if step.each => expect.each = Some(self.each(entry.value, step)?),
                "each" => {
                    let finding = Diagnostic::new(&code::TEST_PART, "the step has no `each`");
                    self.report(finding.at(entry.key_span).help("write what is sent without it"));
                }
                key => {
                    // A key that no step has is a finding of the structure.
                    let part = PARTS.iter().find(|part| part.key == key)?;
                    if part.of == step.kind {
                        if part.key == "headers" {
                            self.headers_once(entry.value);
                        }
                        expect.parts.push((part.key, self.laid(None, entry.value)));
                        continue;
                    }
                    let keys: Vec<&str> =
                        PARTS.iter().filter(|part| part.of == step.kind).map(|part| part.key).collect();
                    let message = format!("the step is {}, which has no `{key}`", step.words());
                    let finding = Diagnostic::new(&code::TEST_PART, message).at(entry.key_span);
                    self.report(finding.help(format!("it takes {}", words(&keys))));
                }
            }
        }
        let skipped = entries.iter().find(|entry| &*entry.key == "skipped");
        if let (Some(skipped), Some(other)) = (skipped, entries.iter().find(|entry| &*entry.key != "skipped"))
        {
            let message = format!("`skipped` and `{}` exclude each other", other.key);
            let finding = Diagnostic::new(&code::EXCLUSIVE_KEYS, message).at(other.key_span);
            self.report(finding.related(skipped.key_span, "`skipped` is here"));
        }
        Some(expect)
    }

    /// Refuses two names of one header.
    fn headers_once(&mut self, headers: NodeId) {
        let entries = self.tree.entries(headers);
        for (at, entry) in entries.iter().enumerate() {
            let mut before = entries.iter().take(at);
            let Some(first) = before.find(|first| first.key.eq_ignore_ascii_case(&entry.key)) else {
                continue;
            };
            let message = format!("`{}` and `{}` are the same header", first.key, entry.key);
            let finding = Diagnostic::new(&code::DUPLICATE_KEY, message).at(entry.key_span);
            self.report(finding.related(first.key_span, "it is here first").help("keep one of the two"));
        }
    }

    fn each(&mut self, node: NodeId, step: StepInfo) -> Option<EachExpect> {
        // An element has no elements.
        let inner = StepInfo { each: false, ..step };
        match &self.tree.node(node).kind {
            Kind::List(items) => {
                let list: Option<Vec<StepExpect>> =
                    items.iter().map(|item| self.step_expect(*item, inner)).collect();
                list.map(EachExpect::List)
            }
            _ => {
                let entries = self.tree.entries(node);
                let keys: Option<Vec<(String, StepExpect)>> = entries
                    .iter()
                    .map(|entry| Some((entry.key.to_string(), self.step_expect(entry.value, inner)?)))
                    .collect();
                keys.map(EachExpect::Keys)
            }
        }
    }
}
