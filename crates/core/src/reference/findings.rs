//! The page about findings.

use super::Page;
use super::markdown::{Doc, sentence};
use crate::diagnostic::{CODES, Severity};

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Findings");
    doc.block(
        "What `zaprun validate` finds. An error keeps the project from starting; a warning does not, unless with \
         `--strict`. `# zaprun: ignore ZR0114 -- reason` at the end of a line or above it silences a finding, and the \
         reason must be given.",
    );
    let link = |code: &&crate::diagnostic::Code| {
        [
            format!("[{0}](#{1})", code.id, code.id.to_lowercase()),
            severity(code.severity).to_owned(),
            code.title.to_owned(),
        ]
    };
    doc.table(["code", "", "what"], CODES.iter().map(link));
    for code in CODES {
        doc.section(code.id);
        doc.block(&format!("**{}** ({}). {}", code.title, severity(code.severity), sentence(code.why)));
        doc.code("yaml", &format!("# bad\n{}\n\n# good\n{}", code.bad, code.good));
    }
    Page::new("findings", "What `zaprun validate` finds, why, and what to write instead.", doc)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
