//! A write to the CRM.

use std::time::Duration;

use super::params::{self, Refusal, Table, Written, head, key_span};
use crate::crm::{self, Breach, CREATE_SALE, Endpoint, Repeat, WAYS_TO_PAY, broken};
use crate::definition::{CrmAction, LeadFirst, OnUncertain};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::expression::{Names, Settings};
use crate::mapping::Compiler;
use crate::zap::action::CrmCall;

/// A look may conclude that nothing happened after this long, unless the action says otherwise (delivery, § Sending).
const SETTLE_AFTER: Duration = Duration::from_secs(15 * 60);

/// Compiles a write; nothing when it has findings.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    endpoint: &'static Endpoint,
    written: &CrmAction,
    names: &Names,
    place: &str,
    settings: &Settings,
) -> Option<CrmCall> {
    let table = Table {
        action: endpoint.short_name(),
        schema: endpoint.short_name().to_owned(),
        params: endpoint.params().collect(),
        settings,
        clears: endpoint.clears,
        required: &|name| endpoint.requires(name),
        refused: &refused,
    };
    let map = params::compile(compiler, &table, written.map.0, names, &format!("{place}.map"));
    let before = compiler.findings.len();
    rules(compiler, endpoint, &map, written, place);
    options(compiler, endpoint, &map, written, place);
    let good = compiler.findings.len() == before;
    if good {
        doubts(compiler, endpoint, &map);
    }
    let map = map.params?;
    good.then(|| CrmCall {
        connection: written.connection.value.clone(),
        endpoint,
        settings: settings.clone(),
        map,
        lead_first: written.lead_first.as_ref().is_none_or(|choice| choice.value == LeadFirst::Auto),
        correlate_in: written.correlate_in.as_ref().map(|field| field.value.as_str()),
        settle_after: written.settle_after.as_ref().map_or(SETTLE_AFTER, |after| after.value.0),
    })
}

fn refused(name: &str) -> Option<Refusal> {
    crm::refused_param(name).map(|message| (&code::CARD_DATA, message, WAYS_TO_PAY))
}

/// What the parameters say together.
fn rules(compiler: &mut Compiler<'_>, endpoint: &Endpoint, map: &Written, written: &CrmAction, place: &str) {
    let at = key_span(compiler.tree, place, "map").unwrap_or_else(|| head(compiler.tree, written.map.0));
    for mut breach in broken(endpoint, &map.held()) {
        if let Breach::Missing { names, any, .. } = &mut breach {
            // One that is there and misspelt has its finding.
            let found = names.iter().any(|name| map.meant.contains(name));
            names.retain(|name| !map.meant.contains(name));
            if names.is_empty() || (*any && found) {
                continue;
            }
        }
        let code = match breach {
            Breach::Missing { .. } => &code::MISSING_PARAM,
            Breach::Together { .. } => &code::PARAMS_TOGETHER,
            Breach::Foreign { .. } => &code::PARAM_VALUE,
        };
        compiler.report(
            Diagnostic::new(code, format!("{}: {}", endpoint.short_name(), breach.message()))
                .maybe_help(help(&breach))
                .at(at),
        );
    }
}

/// What the parameters say together at times only: a branch leaves one out, or gives it another value.
fn doubts(compiler: &mut Compiler<'_>, endpoint: &Endpoint, map: &Written) {
    for doubt in map.doubts(endpoint) {
        let (code, help) = match &doubt.breach {
            Breach::Missing { names, .. } if names.iter().any(|name| map.meant.contains(name)) => continue,
            Breach::Missing { .. } => (
                &code::PARAM_MAY_BE_MISSING,
                "give it in every branch, with `| default(…)` for what may be null, or let only those pass that have it",
            ),
            Breach::Together { .. } => {
                (&code::PARAMS_TOGETHER, "give each under a condition that rules the other out")
            }
            Breach::Foreign { .. } => (&code::PARAM_MAY_NOT_FIT, "write the state by its code"),
        };
        let (name, what) = (endpoint.short_name(), doubt.breach.message());
        let message = match doubt.breach {
            Breach::Missing { .. } => format!("{name}: {what}, and may not be there"),
            _ => format!("{name}: at times {what}"),
        };
        let mut finding = Diagnostic::new(code, message).at(doubt.at).help(help);
        // Only the author knows whether the one goes with the other.
        finding.severity = Severity::Warning;
        compiler.report(finding);
    }
}

fn help(breach: &Breach) -> Option<String> {
    let keys = |names: &[String], word: &str| {
        names.iter().map(|name| format!("`{name}:`")).collect::<Vec<_>>().join(word)
    };
    match breach {
        Breach::Missing { names, .. } if names.iter().any(|name| name == "paySource") => {
            Some(WAYS_TO_PAY.to_owned())
        }
        Breach::Missing { names, any: true, .. } => Some(format!("add {}", keys(names, " or "))),
        Breach::Missing { names, .. } => Some(format!("add {}", keys(names, ", "))),
        Breach::Together { names } => names.last().map(|name| format!("remove `{name}:`")),
        Breach::Foreign { .. } => Some("write the state by its code".to_owned()),
    }
}

/// Options that have no meaning with this endpoint.
fn options(
    compiler: &mut Compiler<'_>,
    endpoint: &Endpoint,
    map: &Written,
    written: &CrmAction,
    place: &str,
) {
    let name = endpoint.short_name();
    let report = |compiler: &mut Compiler<'_>, code, key: &str, message: String, help: &str| {
        if let Some(at) = key_span(compiler.tree, place, key) {
            compiler.report(Diagnostic::new(code, message).at(at).help(help));
        }
    };
    let sale = endpoint == &CREATE_SALE;
    if !sale && written.lead_first.is_some() {
        let message = format!("`lead_first` says nothing about {name}");
        report(compiler, &code::NO_EFFECT, "lead_first", message, "remove it: it belongs to create_sale");
    }
    if let Some(field) = &written.correlate_in {
        let field = field.value.as_str();
        if !sale {
            let message = format!("`correlate_in` says nothing about {name}");
            report(
                compiler,
                &code::NO_EFFECT,
                "correlate_in",
                message,
                "remove it: it belongs to create_sale",
            );
        } else if map.has(field) {
            let message = format!("`{field}` is in `map` already, and `correlate_in` would overwrite it");
            report(
                compiler,
                &code::EXCLUSIVE_KEYS,
                "correlate_in",
                message,
                "choose a custom field that is free",
            );
        }
    }
    let repeat = repeat_of(endpoint, map);
    if repeat == Repeat::Safe && written.settle_after.is_some() {
        let message = format!("`settle_after` says nothing about {name}, which can be repeated");
        report(compiler, &code::NO_EFFECT, "settle_after", message, "remove it");
    }
    let retries = written.on_uncertain.as_ref().is_some_and(|choice| choice.value == OnUncertain::Retry);
    if retries && repeat == Repeat::Never {
        let message = format!("{name} moves money here, so it is never repeated without proof");
        let help =
            "remove `on_uncertain: retry`: the CRM is looked at, and what stays unclear waits for a person";
        report(compiler, &code::MONEY_RETRIED, "on_uncertain", message, help);
    }
}

/// What may follow an unknown outcome, as far as that is known before there is a record.
fn repeat_of(endpoint: &Endpoint, map: &Written) -> Repeat {
    let known: Vec<(String, String)> =
        map.held().iter().filter_map(|held| Some((held.name.to_owned(), held.value?.to_owned()))).collect();
    endpoint.repeat_of(&known)
}
