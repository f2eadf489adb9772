#![allow(clippy::unwrap_used, reason = "tests")]

mod examples;
mod mended;
mod projects;
mod random;
mod tables;
mod triggers;
mod webhooks;
mod zaps;

use super::*;

/// The findings of a project as text: one per line, `file:line:col code message | help`.
pub(crate) fn shown(loaded: &Loaded) -> String {
    let mut out = String::new();
    for finding in loaded.conclude(Vec::new()) {
        if let Some(span) = finding.span {
            let at = loaded.sources.range(span).0;
            let path = &loaded.sources.file(span.file).path;
            out.push_str(&format!("{path}:{}:{} ", at.line, at.column));
        }
        out.push_str(&format!("{} {}", finding.code.id, finding.message));
        if let Some(help) = finding.help {
            out.push_str(&format!(" | {help}"));
        }
        for (span, words) in finding.related {
            let at = loaded.sources.range(span).0;
            let path = &loaded.sources.file(span.file).path;
            out.push_str(&format!(" ({path}:{}:{} {words})", at.line, at.column));
        }
        out.push('\n');
    }
    out
}

pub(crate) fn file(path: &str, text: impl AsRef<[u8]>) -> File {
    File { path: path.to_owned(), content: Ok(text.as_ref().to_vec()) }
}

pub(crate) const PROJECT: &str = "\
version: 1
connections:
  crm:
    type: konnektive
    login_id: ${KONNEKTIVE_LOGIN_ID}
    password: ${KONNEKTIVE_PASSWORD}
    timezone: America/New_York
  slack:
    type: http
    base_url: ${SLACK_WEBHOOK_URL}
";

pub(crate) fn with_zaps(zaps: &[&str]) -> Loaded {
    let zaps =
        zaps.iter().enumerate().map(|(index, text)| file(&format!("zaps/{index}.yaml"), text)).collect();
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps,
        tables: Vec::new(),
        env: None,
    };
    load(&input, None)
}

pub(crate) fn project(text: &str, overlays: &[(&str, &str)]) -> Input {
    let overlays = overlays
        .iter()
        .map(|(env, text)| Overlay {
            env: (*env).to_owned(),
            file: file(&format!("zaprun.{env}.yaml"), text),
        })
        .collect();
    Input { project: file("zaprun.yaml", text), overlays, zaps: Vec::new(), tables: Vec::new(), env: None }
}
