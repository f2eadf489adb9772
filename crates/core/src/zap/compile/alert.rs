//! The targets of alerts, from what a project says of them.

use super::action;
use crate::definition;
use crate::diagnostic::{Diagnostic, Severity};
use crate::mapping::Compiler;
use crate::pointer;
use crate::yaml::Tree;
use crate::zap::alert::{self, AlertTarget, Alerts};
use crate::zap::documents::Documents;
use crate::zap::project::ProjectFacts;
use std::time::Duration;

/// How often the same is told unless the project says otherwise.
const EVERY: Duration = Duration::from_secs(15 * 60);

/// Compiles a project's alerts: `None` where it has none, or one has an error. Tables cannot be looked up in.
pub fn compile_alerts(
    project: &definition::Project,
    tree: &Tree,
    facts: &ProjectFacts,
) -> (Option<Alerts>, Vec<Diagnostic>) {
    let Some(written) = &project.alerts else { return (None, Vec::new()) };
    let mut compiler = Compiler::new(tree, &facts.tables);
    let names = alert::names(facts.vars_shape.clone());
    let documents = Documents::default();
    let mut targets = Vec::new();
    for (at, target) in written.value.to.iter().enumerate() {
        let action = definition::Action::Http(Box::new(target.value.as_action()));
        let place = format!("alerts.to[{at}]");
        let compiled = action::compile(&mut compiler, &action, &names, &place, (facts, &documents));
        targets.extend(compiled.map(|(action, _)| AlertTarget {
            action,
            vars: facts.vars.clone(),
            settings: alert::settings(),
        }));
    }
    let mut findings = compiler.findings;
    pointer::fill(tree, &mut findings);
    let every = written.value.every.as_ref().map_or(EVERY, |every| every.value.0);
    let good = findings.iter().all(|finding| finding.severity == Severity::Warning);
    (good.then_some(Alerts { every, targets }), findings)
}
