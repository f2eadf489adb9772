//! What a project asks of its zaps beside what the language does: `policy:` of `zaprun.yaml`.

use std::collections::HashSet;

use super::Case;
use super::case::{Expect, Expected, Outcome};
use crate::definition::{Action, Policy, Zap};
use crate::diagnostic::{Code, Diagnostic, code};
use crate::load::{Loaded, LoadedProject};
use crate::source::Span;
use crate::yaml::{MAX_FINDINGS, NodeId, Tree};

/// What the zaps lack of what the project asks for. `cases` are all tests of the project.
pub fn check_policy(loaded: &Loaded, cases: &[Case]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut known: HashSet<(&str, Option<Span>)> = HashSet::new();
    let projects = loaded.project.iter().chain(&loaded.others);
    for project in projects {
        let Some(policy) = &project.definition.policy else { continue };
        for zap in &loaded.zaps {
            let (Some(definition), Some(tree)) = (&zap.definition, &zap.tree) else { continue };
            let lacking = of_zap(policy, project, definition, tree, cases);
            findings.extend(
                lacking
                    .into_iter()
                    .filter(|finding| known.insert((finding.code.id, finding.span)))
                    .map(|finding| finding.zap(definition.name.as_str())),
            );
        }
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

fn of_zap(
    policy: &Policy,
    project: &LoadedProject,
    zap: &Zap,
    tree: &Tree,
    cases: &[Case],
) -> Vec<Diagnostic> {
    let Some(require) = &policy.require else { return Vec::new() };
    let mut findings = Vec::new();
    let mut lacks = |code: &'static Code, message: &str, at: NodeId, asked: NodeId, help: String| {
        findings.push(
            Diagnostic::new(code, message)
                .at(tree.span(at))
                .related(project.tree.span(asked), "the project asks for it here")
                .help(help),
        );
    };
    let wanted = |asked: &Option<crate::yaml::Spanned<bool>>| {
        asked.as_ref().filter(|asked| asked.value).map(|asked| asked.node)
    };
    let written = |text: &Option<crate::yaml::Spanned<String>>| {
        text.as_ref().is_some_and(|text| !text.value.trim().is_empty())
    };
    if let Some(asked) = wanted(&require.owner).filter(|_| !written(&zap.owner)) {
        let help = "add `owner:` with a person or a team".to_owned();
        lacks(&code::NO_OWNER, "the zap has no owner", zap.name.node, asked, help);
    }
    if let Some(asked) = wanted(&require.description).filter(|_| !written(&zap.description)) {
        let help = "add `description:` with a sentence".to_owned();
        lacks(&code::NO_DESCRIPTION, "the zap has no description", zap.name.node, asked, help);
    }
    for action in zap.actions.iter().chain(&zap.on_failure) {
        let action: &Action = &action.value;
        let Some(asked) = require.tests.iter().find(|kind| kind.value == action.kind()) else { continue };
        let (id, zap) = (action.id(), zap.name.as_str());
        if !cases.iter().any(|case| case.zap == zap && expects(case, id.as_str())) {
            let message = format!("no test expects anything of `{}`", id.as_str());
            let help = format!("add a test with `expect: {{ {}: … }}`", id.as_str());
            lacks(&code::NO_TESTS, &message, id.node, asked.node, help);
        }
    }
    findings
}

/// Whether a test says what a step does. That it is skipped says nothing of that.
fn expects(case: &Case, step: &str) -> bool {
    let of_one = |expect: &Expect| match expect {
        Expect::Run { steps, .. } => {
            steps.iter().any(|(id, expected)| id == step && expected.outcome != Outcome::Skipped)
        }
        Expect::Filtered | Expect::Ignored | Expect::Known => false,
    };
    match &case.expect {
        Expected::One(expect) => of_one(expect),
        Expected::Each(all) => all.iter().any(of_one),
        Expected::Totals { attempts, .. } => attempts.iter().any(|(id, asked)| id == step && *asked > 0),
    }
}
