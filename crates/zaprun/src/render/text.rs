//! Findings for people.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use zaprun_core::diagnostic::{Diagnostic, Severity, code};
use zaprun_core::load::secret_in_line;
use zaprun_core::source::{SourceFile, Span};

use super::Findings;
use crate::output::clean;

/// A longer line is not shown: nobody reads it, and it may be the whole file.
const LONGEST_LINE: usize = 2_000;

pub(super) fn render(findings: &Findings<'_>, colored: bool, columns: Option<usize>) -> String {
    let renderer = if colored { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(columns.unwrap_or(140).max(40));
    let one = |diagnostic| renderer.render(&groups(findings, diagnostic));
    findings.diagnostics.iter().map(|diagnostic| format!("{}\n\n", one(diagnostic).trim_end())).collect()
}

fn groups<'a>(findings: &'a Findings<'_>, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(&diagnostic.message)).id(diagnostic.code.id);
    let mut first = Group::with_title(title);
    if let Some(span) = diagnostic.span {
        first = first.element(place(findings, span, AnnotationKind::Primary));
    }
    if let Some(help) = &diagnostic.help {
        first = first.element(Level::HELP.message(clean(help)));
    }
    let related = diagnostic.related.iter().map(|(span, words)| {
        Level::NOTE.secondary_title(clean(words)).element(place(findings, *span, AnnotationKind::Context))
    });
    std::iter::once(first).chain(related).collect()
}

/// The line with the place underlined; of a place over several lines, the first. Where the text cannot be shown,
/// only the name of the place.
fn place<'a>(findings: &'a Findings<'_>, span: Span, kind: AnnotationKind) -> Element<'a> {
    let file = findings.sources.file(span.file);
    let position = file.position(span.start);
    let Some((line, within)) = excerpt(file, span, &secrets(findings, span)) else {
        let origin = Origin::path(clean(&file.path));
        if file.text.is_empty() {
            return origin.into();
        }
        return origin.line(position.line).char_column(position.column).into();
    };
    Snippet::source(line)
        .line_start(position.line)
        .path(clean(&file.path))
        .annotation(kind.span(within))
        .into()
}

/// Where in the file of a place secrets stand in plain, which no log may hold.
fn secrets(findings: &Findings<'_>, beside: Span) -> Vec<Range<usize>> {
    let plain = findings.diagnostics.iter().filter(|finding| finding.code == &code::PLAIN_SECRET);
    let spans = plain.filter_map(|finding| finding.span).filter(|span| span.file == beside.file);
    spans.map(|span| span.start..span.end).collect()
}

/// The first line of a span without its line break, secrets masked, and the part of it that the span covers.
fn excerpt<'a>(
    file: &'a SourceFile,
    span: Span,
    secrets: &[Range<usize>],
) -> Option<(Cow<'a, str>, Range<usize>)> {
    let text: &str = &file.text;
    let start = floor_char_boundary(text, span.start);
    let end = floor_char_boundary(text, span.end).max(start);
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let line_end = text.get(start..)?.find('\n').map_or(text.len(), |at| start + at);
    let line = text.get(line_start..line_end)?.trim_end_matches('\r');
    if text.is_empty() || line.len() > LONGEST_LINE {
        return None;
    }
    let covered = |at: usize| (at - line_start).min(line.len());
    let within = covered(start)..covered(end);
    let line_range = line_start..line_start + line.len();
    let on_line = |secret: &&Range<usize>| secret.start < line_range.end && line_range.start < secret.end;
    let mut secrets: Vec<Range<usize>> = secrets.iter().filter(on_line).cloned().collect();
    if secrets.is_empty() {
        // No finding speaks of one, which in a file that is not read as meant says little.
        secrets.extend(secret_in_line(line).map(|within| line_start + within.start..line_start + within.end));
    }
    if !secrets.is_empty() {
        return Some(masked(line, line_start, within, &secrets));
    }
    Some((Cow::Borrowed(line), within))
}

/// The line with a star for each character of a secret.
fn masked<'a>(
    line: &str,
    line_start: usize,
    within: Range<usize>,
    secrets: &[Range<usize>],
) -> (Cow<'a, str>, Range<usize>) {
    let mut shown = String::with_capacity(line.len());
    let (mut start, mut end) = (0, 0);
    for (at, character) in line.char_indices() {
        if at == within.start {
            start = shown.len();
        }
        let secret = secrets.iter().any(|secret| secret.contains(&(line_start + at)));
        shown.push(if secret { '*' } else { character });
        if at < within.end {
            end = shown.len();
        }
    }
    (Cow::Owned(shown), start..end.max(start))
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    // The start of a text is a boundary.
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
