#![allow(clippy::unwrap_used, reason = "tests")]

mod broken;
mod places;
mod random;
mod traps;
mod values;

use super::*;
use crate::source::SourceMap;

pub(crate) fn read(text: impl AsRef<[u8]>) -> (SourceMap, Parsed) {
    let mut sources = SourceMap::default();
    let parsed = parse(&mut sources, "a.yaml", text.as_ref());
    (sources, parsed)
}

/// The tree of a text without findings.
pub(crate) fn tree(text: &str) -> Tree {
    let (_, parsed) = read(text);
    assert_eq!(parsed.diagnostics, Vec::new(), "{text:?}");
    parsed.tree.unwrap()
}

/// All findings, traps last: `line:col code message | help`.
pub(crate) fn shown(text: impl AsRef<[u8]>) -> String {
    let (sources, parsed) = read(text);
    let mut out = String::new();
    for finding in parsed.diagnostics.iter().chain(parsed.traps.iter().map(|(_, trap)| trap)) {
        if let Some(span) = finding.span {
            let at = sources.range(span).0;
            let slice = sources.slice(span).replace('\0', "<NUL>").replace('\u{feff}', "<BOM>");
            out.push_str(&format!("{}:{} `{slice}` ", at.line, at.column));
        }
        out.push_str(&format!("{} {}", finding.code.id, finding.message));
        if let Some(help) = &finding.help {
            out.push_str(&format!(" | {help}"));
        }
        out.push('\n');
    }
    if parsed.tree.is_none() {
        out.push_str("no tree\n");
    }
    out
}
