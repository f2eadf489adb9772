//! The place of a finding within its document.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::{NodeId, Tree};

/// Gives each finding the pointer of the innermost value that holds its place.
pub(crate) fn fill(tree: &Tree, findings: &mut [Diagnostic]) {
    if findings.iter().all(|finding| finding.pointer.is_some()) {
        return;
    }
    let mut values: Vec<(Span, String)> = Vec::new();
    tree.walk(tree.root(), &mut |node: NodeId, pointer| values.push((tree.span(node), pointer.to_owned())));
    for finding in findings.iter_mut().filter(|finding| finding.pointer.is_none()) {
        let Some(at) = finding.span else { continue };
        let holds = |span: &Span| span.file == at.file && span.start <= at.start && at.end <= span.end;
        // Of values at the same place the last is the innermost, and the first that an alias repeats is its own.
        let innermost = values.iter().filter(|(span, _)| holds(span)).min_by_key(|(span, pointer)| {
            (span.end - span.start, std::cmp::Reverse(pointer.matches('/').count()))
        });
        finding.pointer = innermost.map(|(_, pointer)| pointer.clone());
    }
}
