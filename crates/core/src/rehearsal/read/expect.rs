//! What a test expects.

use super::one::{Reading, StepInfo, words};
use crate::definition::PARTS;
use crate::diagnostic::{Diagnostic, code};
use crate::rehearsal::case::{EachExpect, Expect, Outcome, StepExpect};
use crate::yaml::{Kind, NodeId};

/// Beside the steps: the run is given up before the first of them.
const ERROR: &str = "$error";

impl Reading<'_, '_> {
    /// What a test expects of the run. Nothing where its structure has findings.
    pub(super) fn expect(&mut self, node: NodeId) -> Option<Expect> {
        match self.tree.text(node) {
            Some("filtered") => return Some(Expect::Filtered),
            Some("ignored") => return Some(Expect::Ignored),
            Some(_) => return None,
            None => {}
        }
        let mut steps = Vec::new();
        let mut error = None;
        for entry in self.tree.entries(node) {
            if &*entry.key == ERROR {
                error = Some(self.tree.text(entry.value)?.to_owned());
                continue;
            }
            let Some(step) = self.step(&entry.key, entry.key_span) else { continue };
            steps.push((entry.key.to_string(), self.step_expect(entry.value, step)?));
        }
        Some(Expect::Run { error, steps })
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
