//! Files of records, as they are given to a command.

use crate::diagnostic::{Diagnostic, code};
use crate::source::{SourceMap, Span};
use crate::value::Value;
use crate::yaml;

/// Reads a file that holds one record, or a list of them: JSON, or YAML. The records are JSON, byte for byte where the
/// file is.
///
/// # Errors
/// What is wrong with the file, with places in `sources`.
pub fn read_records(
    sources: &mut SourceMap,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<Vec<u8>>, Vec<Diagnostic>> {
    let whole = |sources: &mut SourceMap, message: String| {
        let file = sources.add(path, "");
        vec![Diagnostic::new(&code::UNREADABLE, message).at(Span::new(file, 0, 0))]
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(whole(sources, format!("{path} is not UTF-8 text")));
    };
    // Editors of some systems put a mark at the head of a file.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(whole(sources, format!("{path} is empty")));
    }
    let json = match Value::from_json(text) {
        Ok(value) => return split(text, &value).map_err(|message| whole(sources, message)),
        Err(error) => error,
    };
    if path.ends_with(".json") || text.trim_start().starts_with(['{', '[']) && !path.ends_with(".yaml") {
        if let Some(lines) = lines(text) {
            return Ok(lines);
        }
        let file = sources.add(path, text);
        let finding = Diagnostic::new(&code::UNREADABLE, format!("it is not JSON: {}", json.what));
        return Err(vec![finding.at(Span::new(file, json.at, json.at))]);
    }
    let parsed = yaml::parse(sources, path, text.as_bytes());
    let at = Span::new(parsed.file, 0, 0);
    let findings: Vec<Diagnostic> = parsed
        .diagnostics
        .into_iter()
        .map(|finding| if finding.span.is_none() { finding.at(at) } else { finding })
        .collect();
    match parsed.tree.filter(|_| findings.is_empty()) {
        Some(tree) => {
            let value = super::read::written(&tree, tree.root());
            let items = match &value {
                Value::List(items) => items.iter().map(super::case::json).collect(),
                value => vec![super::case::json(value)],
            };
            Ok(items)
        }
        None => Err(findings),
    }
}

/// One record for each member of a list, or the record itself.
fn split(text: &str, value: &Value) -> Result<Vec<Vec<u8>>, String> {
    if !matches!(value, Value::List(_)) {
        return Ok(vec![text.trim().as_bytes().to_vec()]);
    }
    let items: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    Ok(items.into_iter().map(|item| item.get().as_bytes().to_vec()).collect())
}

/// A record on each line.
fn lines(text: &str) -> Option<Vec<Vec<u8>>> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let objects =
        lines.len() > 1 && lines.iter().all(|line| line.starts_with('{') && Value::from_json(line).is_ok());
    objects.then(|| lines.into_iter().map(|line| line.as_bytes().to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Result<Vec<String>, Vec<String>> {
        let mut sources = SourceMap::default();
        let read = read_records(&mut sources, path, text.as_bytes());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let told = |finding: Diagnostic| {
            let at = sources.range(finding.span.unwrap()).0;
            format!("{}:{} {}", at.line, at.column, finding.message)
        };
        read.map(|records| records.into_iter().map(text).collect())
            .map_err(|findings| findings.into_iter().map(told).collect())
    }

    #[test]
    fn records_keep_their_bytes() {
        assert_eq!(read("a.json", "\u{feff}{\"a\": 1.50}\n").unwrap(), ["{\"a\": 1.50}"]);
        assert_eq!(read("-", "[{\"a\": 1.50},\n {\"b\":2}]").unwrap(), ["{\"a\": 1.50}", "{\"b\":2}"]);
        assert_eq!(read("a.json", "{\"a\":1}\n{\"a\":2}\n").unwrap(), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(read("a.yaml", "a: 1.50\nb: [x]\n").unwrap(), ["{\"a\":1.50,\"b\":[\"x\"]}"]);
        assert_eq!(read("-", "- a: 1\n- a: 2\n").unwrap(), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(read("a.yaml", "{ a: 1 }\n").unwrap(), ["{\"a\":1}"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(read("a.json", " \n").unwrap_err(), ["1:1 a.json is empty"]);
        assert!(read("a.json", "{\"a\": 1,\n \"b\": }").unwrap_err()[0].starts_with("2:7 it is not JSON: "));
        assert!(read("-", "{\"a\": ").unwrap_err()[0].contains("it is not JSON: "));
        assert!(read("a.yaml", "a: 1\na: 2\n").unwrap_err()[0].starts_with("2:1 "));
    }
}
