//! One zap file.

use super::mend::{self, Outcome};
use super::{File, Reader, ZapFile, action, secrets, start, trigger, with_traps};
use crate::definition::{Duration, Zap};
use crate::diagnostic::{Diagnostic, code};
use crate::pointer;
use crate::schema::{self, Document};
use crate::variables::looks_like_reference;
use crate::yaml::{Kind, MAX_FINDINGS, NodeId, Tree};

/// Reads a zap file.
pub(super) fn read(reader: &mut Reader, file: &File) -> ZapFile {
    let before = reader.findings.len();
    let read = reader.read(file);
    let Some(tree) = read.tree.filter(|tree| tree.node(tree.root()).kind != Kind::Null) else {
        if !reader.is_broken(read.file) {
            reader.findings.push(
                Diagnostic::new(&code::EMPTY_FILE, format!("{} is empty", file.path))
                    .at(start(read.file))
                    .help("write a zap, or remove the file; `zaprun init` writes a first one"),
            );
        }
        return ZapFile {
            file: read.file,
            name: None,
            enabled: false,
            definition: None,
            mended: None,
            tree: None,
        };
    };
    let name = tree.get(tree.root(), "name").and_then(|node| tree.text(node)).map(str::to_owned);
    let mut findings = schema::check(Document::Zap, &tree);
    let (definition, mended) =
        match mend::read::<Zap>(&tree, &mut findings, |zap, steps| zap.open_steps = steps) {
            Outcome::Good(zap) => (Some(zap), None),
            Outcome::Mended(mended) => (None, Some(mended)),
            Outcome::Lost => (None, None),
        };
    findings.extend(variables(&tree));
    findings.extend(action::check(&tree));
    findings.extend(trigger::check(&tree));
    findings.extend(secrets::in_zap(&tree));
    // A key of another kind of trigger or row: where it belongs says more than that it is not known here.
    let placed: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == &code::NO_EFFECT)
        .map(|finding| finding.span)
        .collect();
    findings.retain(|finding| finding.code != &code::UNKNOWN_KEY || !placed.contains(&finding.span));
    with_traps(&mut findings, read.traps);
    pointer::fill(&tree, &mut findings);
    reader.findings.append(&mut findings);
    for finding in &mut reader.findings[before..] {
        finding.zap.clone_from(&name);
    }
    let enabled = definition.as_ref().and_then(|zap| zap.enabled).is_none_or(|enabled| *enabled);
    ZapFile { file: read.file, name, enabled, definition, mended, tree: Some(tree) }
}

/// A duration that leaves no time for what it is about.
pub(super) fn too_short(
    tree: &Tree,
    node: NodeId,
    key: &str,
    least: std::time::Duration,
) -> Option<Diagnostic> {
    let length: Duration = tree.text(node)?.parse().ok()?;
    (length.0 < least).then(|| {
        Diagnostic::new(&code::OUT_OF_RANGE, format!("`{key}` must be at least {}", Duration(least)))
            .at(tree.span(node))
            .help(format!("write {} or more", Duration(least)))
    })
}

/// `${…}` where somebody seems to expect a variable.
fn variables(tree: &Tree) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for id in tree.ids() {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        let Kind::Text { value, .. } = &tree.node(id).kind else { continue };
        let Some(range) = looks_like_reference(value) else { continue };
        findings.push(
            Diagnostic::new(
                &code::VARIABLE_IN_ZAP,
                format!("`{}` is not replaced here: zaps cannot read the environment", &value[range.clone()]),
            )
            .at(tree.place(id, range))
            .help(
                "give zaprun.yaml a `vars:` entry and write {{ vars.NAME }}; secrets belong to a connection",
            ),
        );
    }
    findings
}
