//! `tables/NAME.csv` and `tables/NAME.yaml`: from their bytes to [`Tables`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{File, Read, Reader, start, with_traps};
use crate::diagnostic::{Diagnostic, code};
use crate::pointer;
use crate::source::{FileId, Span};
use crate::table::{Table, Tables};
use crate::value::{Decimal, Value};
use crate::yaml::{Entry, Kind, MAX_FINDINGS, NodeId, Tree};

/// The largest table in CSV, in bytes; one in YAML is a file of YAML like any other.
const MAX_CSV_BYTES: usize = 8 * 1024 * 1024;
/// The most columns of a table.
const MAX_COLUMNS: usize = 100;

/// Reads all tables.
pub(super) fn read(reader: &mut Reader, files: &[File]) -> Tables {
    let mut tables = BTreeMap::new();
    let mut first: BTreeMap<&str, (FileId, &str)> = BTreeMap::new();
    for file in files {
        let stem = file.path.rsplit('/').next().unwrap_or(&file.path);
        let (name, is_csv) = match stem.rsplit_once('.') {
            Some((name, "csv")) => (name, true),
            Some((name, _)) => (name, false),
            None => (stem, false),
        };
        let (id, table) = if is_csv { csv(reader, file, name) } else { yaml_table(reader, file, name) };
        match first.get(name) {
            Some((other, path)) => reader.findings.push(
                Diagnostic::new(&code::DUPLICATE_TABLE, format!("{path} is a table `{name}` too"))
                    .at(start(id))
                    .related(start(*other), "it is here first")
                    .help("give one of the two files another name"),
            ),
            None => {
                first.insert(name, (id, &file.path));
                tables.insert(name.to_owned(), table);
            }
        }
    }
    Tables::new(tables)
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads a table in CSV. All its values are text.
fn csv(reader: &mut Reader, file: &File, name: &str) -> (FileId, Option<Arc<Table>>) {
    let bytes = match &file.content {
        Ok(bytes) if bytes.len() > MAX_CSV_BYTES => {
            let id = reader.sources.add(file.path.clone(), "");
            let message =
                format!("{} has {} bytes, more than the {MAX_CSV_BYTES} of a table", file.path, bytes.len());
            reader.findings.push(Diagnostic::new(&code::TOO_LARGE, message).at(start(id)));
            return (id, None);
        }
        Ok(bytes) => bytes,
        Err(_) => return (reader.read(file).file, None),
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let id = reader.sources.add(file.path.clone(), "");
        let finding = Diagnostic::new(&code::UNREADABLE, format!("{} is not UTF-8 text", file.path));
        reader.findings.push(finding.at(start(id)).help("save the file as UTF-8"));
        return (id, None);
    };
    let id = reader.sources.add(file.path.clone(), text);
    let mut findings = Vec::new();
    let table = rows(id, text, name, &mut findings);
    let fine = findings.is_empty();
    reader.findings.append(&mut findings);
    (id, table.filter(|_| fine).map(Arc::new))
}

/// The line that begins at a byte, or after the blank lines there.
fn line(file: FileId, text: &str, at: usize) -> Span {
    let rest = text.get(at..).unwrap_or("");
    let begin = at + (rest.len() - rest.trim_start_matches(['\r', '\n', '\u{feff}']).len());
    let end =
        text.get(begin..).and_then(|rest| rest.find(['\r', '\n'])).map_or(text.len(), |end| begin + end);
    Span::new(file, begin.min(text.len()), end)
}

fn rows(file: FileId, text: &str, name: &str, findings: &mut Vec<Diagnostic>) -> Option<Table> {
    let form =
        |message: String, at: usize| Diagnostic::new(&code::TABLE_FORM, message).at(line(file, text, at));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().ok().cloned().unwrap_or_default();
    let columns: Vec<Arc<str>> = header.iter().skip(1).map(Arc::from).collect();
    if columns.is_empty() || columns.len() > MAX_COLUMNS {
        let message = match columns.len() {
            0 => "the table has no columns".to_owned(),
            many => format!("the table has {many} columns, more than {MAX_COLUMNS}"),
        };
        let help = "the first line names the columns, the key's first: `sku,account`";
        findings.push(form(message, 0).help(help));
        return None;
    }
    for (at, column) in columns.iter().enumerate() {
        if column.is_empty() || columns[..at].contains(column) {
            let message = match column.is_empty() {
                true => format!("column {} has no name", at + 2),
                false => format!("the column `{column}` is named twice"),
            };
            findings.push(form(message, 0).help("give each column a name of its own in the first line"));
            return None;
        }
    }
    let mut table = Table::new(name, columns, &hash(text.as_bytes()));
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for record in reader.records() {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        let record = match record {
            Ok(record) => record,
            // The text is UTF-8 and rows may be of any length here, so nothing is left that could be wrong.
            Err(error) => {
                findings.push(form(format!("the table cannot be read: {error}"), 0));
                break;
            }
        };
        let at = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(usize::MAX));
        if record.len() != header.len() {
            let message =
                format!("the row has {} values, and the table {} columns", record.len(), header.len());
            findings.push(form(message, at).help("put text that holds a comma in double quotes"));
            continue;
        }
        let key = record.get(0).unwrap_or_default();
        if key.is_empty() {
            findings.push(form("the row has no key".to_owned(), at).help("remove the row, or write its key"));
            continue;
        }
        if table.add(Arc::from(key), record.iter().skip(1).map(Value::text).collect()) {
            seen.insert(key.to_owned(), line(file, text, at));
            continue;
        }
        let mut finding = Diagnostic::new(&code::TABLE_KEY, format!("the key `{key}` occurs twice"))
            .at(line(file, text, at));
        if let Some(other) = seen.get(key) {
            finding = finding.related(*other, "it is here first");
        }
        findings.push(finding.help("keep one of the two rows"));
    }
    Some(table)
}

/// Reads a table in YAML: a map of keys to values, or to maps of the same columns.
fn yaml_table(reader: &mut Reader, file: &File, name: &str) -> (FileId, Option<Arc<Table>>) {
    let before = reader.findings.len();
    let Read { file: id, tree, traps } = reader.read(file);
    let Some(tree) = tree.filter(|tree| tree.node(tree.root()).kind != Kind::Null) else {
        if !reader.is_broken(id) {
            let finding = Diagnostic::new(&code::EMPTY_FILE, format!("{} is empty", file.path)).at(start(id));
            reader.findings.push(finding.help("write the table's keys and values, or remove the file"));
        }
        return (id, None);
    };
    let bytes = file.content.as_deref().unwrap_or_default();
    let mut findings = Vec::new();
    let table = entries(&tree, name, bytes, &mut findings);
    with_traps(&mut findings, traps);
    pointer::fill(&tree, &mut findings);
    reader.findings.append(&mut findings);
    let errors = reader.findings[before..].iter();
    let fine = errors.filter(|finding| finding.severity == crate::diagnostic::Severity::Error).count() == 0;
    (id, table.filter(|_| fine).map(Arc::new))
}

fn entries(tree: &Tree, name: &str, bytes: &[u8], findings: &mut Vec<Diagnostic>) -> Option<Table> {
    let Kind::Map(rows) = &tree.node(tree.root()).kind else {
        let finding = Diagnostic::new(&code::TABLE_FORM, "a table is a map of keys");
        findings
            .push(finding.at(tree.span(tree.root())).help("write `KEY: value`, or `KEY: { column: value }`"));
        return None;
    };
    let first = rows.first()?;
    let columns: Option<Vec<Arc<str>>> = match &tree.node(first.value).kind {
        Kind::Map(columns) => Some(columns.iter().map(|column| Arc::from(&*column.key)).collect()),
        _ => None,
    };
    let names = columns.clone().unwrap_or_else(|| vec![Arc::from("value")]);
    let mut table = Table::new(name, names, &hash(bytes));
    for row in rows {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        let values = match &columns {
            None => cell(tree, row, row.value, findings).map(|value| vec![value]),
            Some(columns) => columns_of(tree, row, columns, findings),
        };
        if let Some(values) = values {
            table.add(Arc::from(&*row.key), values);
        }
    }
    Some(table)
}

fn columns_of(
    tree: &Tree,
    row: &Entry,
    columns: &[Arc<str>],
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<Value>> {
    let form = |message: String, span: Span| Diagnostic::new(&code::TABLE_FORM, message).at(span);
    let Kind::Map(cells) = &tree.node(row.value).kind else {
        let finding =
            form(format!("`{}` is not a map of columns, as the first row is", row.key), row.key_span);
        findings.push(finding.help("give all rows the same form"));
        return None;
    };
    if let Some(extra) = cells.iter().find(|cell| !columns.iter().any(|column| **column == *cell.key)) {
        let finding = form(format!("the first row has no column `{}`", extra.key), extra.key_span);
        findings.push(finding.help("give all rows the same columns"));
        return None;
    }
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        let Some(found) = cells.iter().find(|cell| *cell.key == **column) else {
            let finding = form(format!("`{}` has no column `{column}`", row.key), row.key_span);
            findings.push(finding.help("give all rows the same columns"));
            return None;
        };
        values.push(cell(tree, found, found.value, findings)?);
    }
    Some(values)
}

/// One value of a table.
fn cell(tree: &Tree, entry: &Entry, node: NodeId, findings: &mut Vec<Diagnostic>) -> Option<Value> {
    match &tree.node(node).kind {
        Kind::Text { value, .. } | Kind::Hole(value) => return Some(Value::text(value.to_string())),
        Kind::Bool(truth) => return Some(Value::Bool(*truth)),
        Kind::Number(digits) => {
            if let Ok(number) = Decimal::parse(digits) {
                return Some(Value::Number(number));
            }
        }
        Kind::Null | Kind::List(_) | Kind::Map(_) => {}
    }
    let message = format!("`{}` is not text, a number, true or false", entry.key);
    findings.push(Diagnostic::new(&code::TABLE_FORM, message).at(entry.key_span));
    None
}
