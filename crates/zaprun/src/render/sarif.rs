//! Findings as SARIF 2.1.0, as code scanning reads it.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use zaprun_core::diagnostic::{CODES, Code, Diagnostic};
use zaprun_core::source::{SourceMap, Span};

use super::{Findings, severity_word};
use crate::output::pretty;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    original_uri_base_ids: BaseIds,
    results: Vec<Outcome>,
}

/// What the places are relative to. Where that lies, whoever reads knows.
#[derive(Serialize)]
struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    root: BaseId,
}

#[derive(Serialize)]
struct BaseId {
    description: Message,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints {
    /// The name under which code scanning follows a finding from one commit to the next.
    primary_location_line_hash: String,
}

/// What stays as it is in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn render(findings: &Findings<'_>) -> String {
    let mut seen = HashMap::new();
    let version = env!("CARGO_PKG_VERSION");
    let driver = Driver {
        name: "zaprun",
        version,
        semantic_version: version,
        rules: CODES.iter().map(|code| rule(code)).collect(),
    };
    pretty(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BaseIds {
                root: BaseId { description: Message { text: "the top of the repository".to_owned() } },
            },
            results: findings
                .diagnostics
                .iter()
                .map(|diagnostic| outcome(findings, diagnostic, &mut seen))
                .collect(),
        }],
    })
}

fn rule(code: &Code) -> Rule {
    Rule {
        id: code.id,
        short_description: Message { text: code.title.to_owned() },
        full_description: Message { text: code.why.to_owned() },
        help: Message { text: format!("{}\n\nbad:\n{}\n\ngood:\n{}", code.why, code.bad, code.good) },
        default_configuration: Configuration { level: severity_word(code.severity) },
    }
}

fn outcome(findings: &Findings<'_>, diagnostic: &Diagnostic, seen: &mut HashMap<String, usize>) -> Outcome {
    let text = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let related =
        |(span, words): &(Span, String)| location(findings, *span, Some(Message { text: words.clone() }));
    Outcome {
        rule_id: diagnostic.code.id,
        rule_index: CODES.iter().position(|code| code.id == diagnostic.code.id).unwrap_or(0),
        level: severity_word(diagnostic.severity),
        message: Message { text },
        locations: diagnostic.span.iter().map(|span| location(findings, *span, None)).collect(),
        related_locations: diagnostic.related.iter().map(related).collect(),
        partial_fingerprints: Fingerprints {
            primary_location_line_hash: fingerprint(findings.sources, diagnostic, seen),
        },
    }
}

fn location(findings: &Findings<'_>, span: Span, message: Option<Message>) -> Location {
    let path = format!("{}{}", findings.prefix, findings.sources.file(span.file).path);
    let (start, end) = findings.sources.range(span);
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: utf8_percent_encode(&path, PATH).to_string(),
                uri_base_id: "%SRCROOT%",
            },
            region: Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
            },
        },
        message,
    }
}

/// What stays the same while other lines of the file come and go: code, file, place within the document and what is
/// said of it; equal ones are numbered.
fn fingerprint(sources: &SourceMap, diagnostic: &Diagnostic, seen: &mut HashMap<String, usize>) -> String {
    let file = diagnostic.span.map_or("", |span| sources.file(span.file).path.as_str());
    let parts = [
        diagnostic.code.id,
        file,
        diagnostic.zap.as_deref().unwrap_or(""),
        diagnostic.pointer.as_deref().unwrap_or(""),
        &diagnostic.message,
    ];
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash: String = hasher.finalize().to_hex().chars().take(16).collect();
    let number = seen.entry(hash.clone()).and_modify(|number| *number += 1).or_insert(1);
    format!("{hash}:{number}")
}
