//! `# zaprun: ignore ZR0114 -- reason`: findings that their author has decided to live with.

use std::collections::HashSet;

use crate::diagnostic::{CODES, Code, Diagnostic, Severity, code};
use crate::source::{FileId, SourceMap, Span};

/// Errors that only probably are ones: what is found may be meant, and a project's policy may have exceptions. Any other
/// error leaves a definition without a meaning, so it cannot be silenced. Warnings always can.
const DOUBTFUL: &[&str] = &["ZR0604", "ZR0605", "ZR1201", "ZR1202", "ZR1203"];

/// The comments that silence findings.
#[derive(Debug, Clone, Default)]
pub struct Ignores {
    comments: Vec<Ignore>,
}

#[derive(Debug, Clone)]
struct Ignore {
    span: Span,
    /// The lines whose findings it silences.
    lines: Vec<usize>,
    codes: Vec<String>,
    /// What is wrong with the comment itself.
    problem: Option<&'static str>,
}

const MARK: &str = "# zaprun:";
/// How many lines below itself a comment looks for the one it speaks of.
const FAR: usize = 20;
/// How many comments of one file count.
const MANY: usize = 1000;

impl Ignores {
    /// Finds the comments of all files; `scalars` holds the bytes in which a `#` is no comment.
    pub(super) fn collect(sources: &SourceMap, scalars: &[(FileId, Vec<(usize, usize)>)]) -> Self {
        let mut comments = Vec::new();
        for (file, scalars) in scalars {
            let text = &*sources.file(*file).text;
            let (mut end, mut found) = (0, 0);
            for (at, _) in text.match_indices(MARK) {
                // A second mark in one comment is part of its text.
                if at < end {
                    continue;
                }
                let after = scalars.partition_point(|(start, _)| *start <= at);
                let inside = after > 0 && scalars[after - 1].1 > at;
                let separate = text[..at].chars().next_back().is_none_or(char::is_whitespace);
                if !inside && separate && found < MANY {
                    found += 1;
                    let comment = read(sources, *file, text, at);
                    end = comment.span.end;
                    comments.push(comment);
                }
            }
        }
        Ignores { comments }
    }

    /// Finds the comments of more files.
    pub(crate) fn add(&mut self, sources: &SourceMap, scalars: &[(FileId, Vec<(usize, usize)>)]) {
        self.comments.append(&mut Self::collect(sources, scalars).comments);
    }

    /// Drops what is silenced and adds what is wrong with the comments.
    pub fn apply(&self, sources: &SourceMap, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut used = vec![HashSet::new(); self.comments.len()];
        let mut kept = Vec::new();
        for finding in findings {
            let Some((at, comment)) = self.of(sources, &finding) else {
                kept.push(finding);
                continue;
            };
            used[at].insert(finding.code.id);
            if comment.problem.is_some() {
                kept.push(finding);
            } else if !can_be_silenced(&finding) {
                let message = format!("{} cannot be silenced", finding.code.id);
                let refusal = Diagnostic::new(&code::IGNORE_REFUSED, message)
                    .at(comment.span)
                    .help("put right what it says, and remove the comment");
                kept.push(refusal);
                kept.push(finding);
            }
        }
        for (comment, used) in self.comments.iter().zip(used) {
            let finding = match comment.problem {
                Some(problem) => Diagnostic::new(&code::IGNORE_FORM, problem)
                    .help("write # zaprun: ignore ZR0114 -- why it is meant"),
                None if !used.is_empty() => {
                    let idle = comment.codes.iter().find(|code| !used.contains(code.as_str()));
                    let Some(idle) = idle else { continue };
                    Diagnostic::new(
                        &code::IGNORE_UNUSED,
                        format!("nothing is found here that {idle} would silence"),
                    )
                    .help(format!("remove {idle} from the comment"))
                }
                None => {
                    Diagnostic::new(&code::IGNORE_UNUSED, "nothing is found here that this would silence")
                        .help("remove the comment")
                }
            };
            kept.push(finding.at(comment.span));
        }
        kept
    }

    fn of(&self, sources: &SourceMap, finding: &Diagnostic) -> Option<(usize, &Ignore)> {
        if self.comments.is_empty() {
            return None;
        }
        let span = finding.span?;
        let line = sources.range(span).0.line;
        self.comments.iter().enumerate().find(|(_, comment)| {
            comment.span.file == span.file
                && comment.lines.contains(&line)
                && comment.codes.iter().any(|code| code == finding.code.id)
        })
    }
}

fn can_be_silenced(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Warning || DOUBTFUL.contains(&finding.code.id)
}

fn read(sources: &SourceMap, file: FileId, text: &str, at: usize) -> Ignore {
    let end = text[at..].find(['\n', '\r']).map_or(text.len(), |length| at + length);
    let line = sources.file(file).position(at).line;
    let line_start = text[..at].rfind('\n').map_or(0, |start| start + 1);
    // A comment on a line of its own speaks of the next line that is not one.
    let mut lines = vec![line];
    if text[line_start..at].trim().is_empty() {
        let below = text[end..].lines().skip(1).take(FAR).position(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        lines.extend(below.map(|distance| line + 1 + distance));
    }
    let (codes, problem) = parse(&text[at + MARK.len()..end]);
    Ignore { span: Span::new(file, at, end), lines, codes, problem }
}

fn parse(comment: &str) -> (Vec<String>, Option<&'static str>) {
    let Some(rest) = comment.trim().strip_prefix("ignore") else {
        return (Vec::new(), Some("the only comment for zaprun is `ignore`"));
    };
    let (codes, reason) = match rest.split_once("--") {
        Some((codes, reason)) => (codes, reason.trim()),
        None => (rest, ""),
    };
    let codes: Vec<String> =
        codes.split([',', ' ', '\t']).filter(|code| !code.is_empty()).map(str::to_owned).collect();
    let known = |code: &String| CODES.iter().any(|known: &&Code| known.id == code);
    let problem = if codes.is_empty() {
        Some("the comment names no code")
    } else if !codes.iter().all(known) {
        Some("the comment names a code that does not exist")
    } else if reason.is_empty() {
        Some("the comment gives no reason")
    } else {
        None
    };
    (codes, problem)
}
