//! A schema's complaints in the words of this program.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::Document;
use super::check::Place;
use crate::definition::{Format, STEP_WORD, format_of, later};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::yaml::{Kind, Style};

/// How many unknown keys of one map are looked at.
const MANY: usize = 50;

/// The findings for one error of the validator.
pub(super) fn findings(place: &Place<'_>, error: &ValidationError<'_>) -> Vec<Diagnostic> {
    let schema = schema_of(place.document, error);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().take(MANY).map(|key| unknown_key(place, schema, key)).collect()
        }
        ValidationErrorKind::Required { property } => {
            missing_key(place, schema, property.as_str().unwrap_or("")).into_iter().collect()
        }
        ValidationErrorKind::PropertyNames { error } => vec![bad_name(place, error)],
        kind => vec![value(place, schema, kind, error)],
    }
}

/// The types that a type error wanted.
pub(super) fn wanted_types(error: &ValidationError<'_>) -> Vec<String> {
    match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(one) } => vec![one.to_string()],
        ValidationErrorKind::Type { kind: TypeKind::Multiple(set) } => {
            set.iter().map(|one| one.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

fn value(
    place: &Place<'_>,
    schema: Option<&Value>,
    kind: &ValidationErrorKind,
    error: &ValidationError<'_>,
) -> Diagnostic {
    let node = place.tree.node(place.node);
    if let Kind::Text { style: Style::Variable, .. } = node.kind {
        return from_variable(place, schema, kind);
    }
    let name = title(place);
    let finding = match kind {
        ValidationErrorKind::Type { .. } => wrong_type(place, schema, error),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            not_one_of(place, &options)
        }
        ValidationErrorKind::Constant { expected_value } => {
            Diagnostic::new(&code::NOT_ONE_OF, format!("{name} can only be {expected_value}"))
                .help(format!("write {expected_value}"))
        }
        ValidationErrorKind::Pattern { pattern } => bad_format(place, pattern),
        ValidationErrorKind::Minimum { limit } => range(&name, "at least", limit),
        ValidationErrorKind::Maximum { limit } => range(&name, "at most", limit),
        ValidationErrorKind::MinItems { .. } => {
            Diagnostic::new(&code::OUT_OF_RANGE, format!("{name} is an empty list"))
                .help("write at least one member")
        }
        ValidationErrorKind::MaxItems { limit } => {
            Diagnostic::new(&code::OUT_OF_RANGE, format!("{name} has more than {limit} members"))
                .help("split it")
        }
        ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MaxProperties { .. } => {
            Diagnostic::new(&code::EXCLUSIVE_KEYS, format!("{name} takes exactly one key"))
                .maybe_help(keys_of(schema).map(|keys| format!("write one of {}", list(&keys))))
        }
        _ => Diagnostic::new(&code::WRONG_TYPE, format!("{name} does not fit here")),
    };
    let span = match node.kind {
        Kind::Null => place.key_or_value(),
        _ => place.head(),
    };
    finding.at(span).pointer(place.pointer.clone())
}

/// Never shows what the variable holds.
fn from_variable(place: &Place<'_>, schema: Option<&Value>, kind: &ValidationErrorKind) -> Diagnostic {
    let what = match (kind, schema) {
        (ValidationErrorKind::Minimum { limit }, _) => format!("a number of at least {limit}"),
        (ValidationErrorKind::Maximum { limit }, _) => format!("a number of at most {limit}"),
        (_, schema) => wanted_words(schema),
    };
    let name = title(place);
    Diagnostic::new(&code::VARIABLE_VALUE, format!("the variable in {name} does not hold {what}"))
        .maybe_help(pattern_of(schema).and_then(format_of).map(|format| format.help.to_owned()))
        .at(place.tree.span(place.node))
        .pointer(place.pointer.clone())
}

/// What a schema of one type or pattern asks for.
fn wanted_words(schema: Option<&Value>) -> String {
    match pattern_of(schema).and_then(format_of) {
        Some(format) => format.words.to_owned(),
        None => schema
            .and_then(|schema| schema.get("type"))
            .and_then(Value::as_str)
            .map_or_else(|| "a fitting value".to_owned(), |ty| type_words(ty).to_owned()),
    }
}

fn wrong_type(place: &Place<'_>, schema: Option<&Value>, error: &ValidationError<'_>) -> Diagnostic {
    let node = place.tree.node(place.node);
    let name = title(place);
    let format = pattern_of(schema).and_then(format_of);
    let wanted = wanted_types(error);
    let wants = |ty: &str| wanted.iter().any(|wanted| wanted == ty);
    let what = match (format, wanted.as_slice()) {
        (Some(format), _) => format.words.to_owned(),
        (None, [one]) => type_words(one).to_owned(),
        (None, _) if wants("array") => "a value or a list of values".to_owned(),
        (None, _) if wants("object") => "a map of keys".to_owned(),
        (None, _) => "a single value".to_owned(),
    };
    if node.kind == Kind::Null {
        return Diagnostic::new(&code::EMPTY_VALUE, format!("{name} is empty"))
            .help(format!("write {what} after the `:`"));
    }
    let finding = Diagnostic::new(&code::WRONG_TYPE, format!("{name} takes {what}, found {}", node.words()));
    let help = match &node.kind {
        _ if wants("string") && is_condition(&place.name()) => {
            Some("write `\"{{ … }}\"` with an expression that is true or false".to_owned())
        }
        Kind::Number(_) if format.is_some() => format.map(|format| format.help.to_owned()),
        Kind::Number(digits) if wants("string") => Some(format!("write \"{digits}\" in quotes")),
        Kind::Bool(value) if wants("string") => Some(format!("write \"{value}\" in quotes")),
        Kind::Text { value, .. } if wants("boolean") && matches!(&**value, "true" | "false") => {
            Some(format!("write {value} without quotes"))
        }
        Kind::Text { value, .. } if wants("integer") && value.parse::<i64>().is_ok() => {
            Some(format!("write {value} without quotes"))
        }
        Kind::Text { .. } | Kind::Number(_) if wants("boolean") => Some("write true or false".to_owned()),
        Kind::Text { .. } if wants("array") => Some("write a list: [a, b], or one `- ` per line".to_owned()),
        Kind::Map(_) if wants("array") && !wants("string") => Some("begin each member with `- `".to_owned()),
        _ if format.is_some() => format.map(|format| format.help.to_owned()),
        _ if wanted.len() > 1 && wants("array") => {
            Some("write text, a number, true or false, or a list of them".to_owned())
        }
        _ if wanted.len() > 1 && !wants("object") => Some("write text, a number, true or false".to_owned()),
        Kind::List(_) if wants("object") => {
            Some("write `key: value` lines, without `- ` before them".to_owned())
        }
        _ if wants("boolean") => Some("write true or false".to_owned()),
        _ if wants("integer") => Some("write a whole number: 3".to_owned()),
        _ if wants("object") => Some("write `key: value` lines below it".to_owned()),
        _ if wants("array") => Some("write a list: [a, b], or one `- ` per line".to_owned()),
        _ => Some("write one text; in quotes where it holds `: `, `{` or `[`".to_owned()),
    };
    finding.maybe_help(help)
}

/// Keys that hold a condition.
fn is_condition(key: &str) -> bool {
    matches!(key, "filter" | "when" | "success" | "unless" | "stop_if" | "match")
}

fn type_words(ty: &str) -> &str {
    match ty {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map of keys",
        other => other,
    }
}

fn not_one_of(place: &Place<'_>, options: &[&str]) -> Diagnostic {
    let written = place.tree.text(place.node).unwrap_or("");
    let slot = later_place(place, &place.name());
    if let Some(finding) = slot.and_then(|slot| not_available(slot, written)) {
        return finding;
    }
    let finding = Diagnostic::new(&code::NOT_ONE_OF, format!("{} cannot be `{written}`", title(place)));
    finding.help(meant(written, options))
}

/// `did you mean …?` when one candidate is close, and all of them.
fn meant(written: &str, options: &[&str]) -> String {
    match did_you_mean(written, options.iter().copied()) {
        Some(best) if options.len() > 1 => format!("did you mean `{best}`? one of {}", list(options)),
        Some(best) => format!("did you mean `{best}`?"),
        None if options.len() == 1 => format!("write {}", list(options)),
        None => format!("write one of {}", list(options)),
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn bad_format(place: &Place<'_>, pattern: &str) -> Diagnostic {
    let written = place.tree.text(place.node).unwrap_or("");
    match format_of(pattern) {
        Some(Format { check, help, words, .. }) => {
            let message = check(written).unwrap_or_else(|| format!("`{written}` is not {words}"));
            Diagnostic::new(&code::BAD_FORMAT, message).help(*help)
        }
        None => {
            let help = match place.name().as_str() {
                "currency" => "write the three letters of the currency: USD",
                "verify" => "write hmac, token or basic as a key, or the word none",
                "expect" => "write filtered, ignored, or what each step sends: notify: { json: { … } }",
                _ if pattern == STEP_WORD => "write done, skipped, or what is sent: { json: { … } }",
                _ => "check the spelling",
            };
            Diagnostic::new(&code::BAD_FORMAT, format!("{} cannot be `{written}`", title(place))).help(help)
        }
    }
}

fn range(name: &str, words: &str, limit: &Value) -> Diagnostic {
    let help =
        if words == "at least" { format!("write {limit} or more") } else { format!("write {limit} or less") };
    Diagnostic::new(&code::OUT_OF_RANGE, format!("{name} must be {words} {limit}")).help(help)
}

fn unknown_key(place: &Place<'_>, schema: Option<&Value>, key: &str) -> Diagnostic {
    let span = place.tree.entry(place.node, key).map_or_else(|| place.head(), |entry| entry.key_span);
    let finding = match container(place).and_then(|slot| not_available(slot, key)) {
        Some(finding) => finding,
        None => {
            let known = keys_of(schema).unwrap_or_default();
            let help = match intended(place, &known, key) {
                Some(best) => format!("did you mean `{best}`?"),
                None => format!("known keys are {}", list(&known)),
            };
            Diagnostic::new(&code::UNKNOWN_KEY, format!("unknown key `{key}`")).help(help)
        }
    };
    finding.at(span).pointer(place.below(key))
}

/// Nothing when the key is there and only misspelt: the unknown key's finding names it.
fn missing_key(place: &Place<'_>, schema: Option<&Value>, key: &str) -> Option<Diagnostic> {
    let known = keys_of(schema).unwrap_or_default();
    let unknown = place.tree.entries(place.node).iter().filter(|entry| !known.contains(&&*entry.key));
    if unknown.take(MANY).any(|entry| intended(place, &known, &entry.key) == Some(key)) {
        return None;
    }
    let at = if place.pointer.is_empty() { "the file".to_owned() } else { title(place) };
    let property = schema.and_then(|schema| schema.get("properties")).and_then(|all| all.get(key));
    let options = property.and_then(|property| words_of(place.document, property));
    let help = match options {
        Some(options) => format!("add `{key}:` with one of {}", list(&options)),
        None => format!("add `{key}:`"),
    };
    Some(
        Diagnostic::new(&code::MISSING_KEY, format!("{at} has no `{key}`"))
            .help(help)
            .at(place.key_or_value())
            .pointer(place.pointer.clone()),
    )
}

/// The known key that an unknown one stands for, probably; one that is there already it does not.
fn intended<'a>(place: &Place<'_>, known: &[&'a str], key: &str) -> Option<&'a str> {
    let free = |known: &&str| place.tree.entry(place.node, known).is_none();
    // Looking whether a key is there takes time in a large map, so only likely keys are looked for.
    let best = did_you_mean(key, known.iter().copied())?;
    if free(&best) { Some(best) } else { did_you_mean(key, known.iter().copied().filter(free)) }
}

/// A key that cannot be used as a name.
fn bad_name(place: &Place<'_>, error: &ValidationError<'_>) -> Diagnostic {
    let key = error.instance().as_str().unwrap_or("").to_owned();
    let span = place.tree.entry(place.node, &key).map_or_else(|| place.head(), |entry| entry.key_span);
    let format = match error.kind() {
        ValidationErrorKind::Pattern { pattern } => format_of(pattern),
        _ => None,
    };
    Diagnostic::new(&code::BAD_FORMAT, format!("`{key}` is not a name that expressions can use"))
        .maybe_help(format.map(|format| format.help.to_owned()))
        .at(span)
        .pointer(place.below(&key))
}

fn not_available(slot: &str, word: &str) -> Option<Diagnostic> {
    later(slot, word)?;
    Some(
        Diagnostic::new(&code::NOT_AVAILABLE, format!("`{word}` is not available in this version"))
            .help("remove it until a later version has it"),
    )
}

/// The part of a zap that a map is, as the table of later features calls it.
fn container(place: &Place<'_>) -> Option<&'static str> {
    match (place.document, place.pointer.as_str()) {
        (Document::Project, "") => Some("project"),
        (Document::Zap, "") => Some("zap"),
        (Document::Zap, "/trigger") => Some("trigger"),
        (Document::Zap, pointer) if pointer.starts_with("/actions/") && pointer.matches('/').count() == 2 => {
            Some("action")
        }
        _ => None,
    }
}

fn later_place(place: &Place<'_>, key: &str) -> Option<&'static str> {
    match (place.document, key, place.pointer.as_str()) {
        (Document::Zap, "type", "/trigger/type") => Some("trigger.type"),
        (Document::Zap, "type", pointer) if pointer.starts_with("/actions/") => Some("action.type"),
        _ => None,
    }
}

/// How a person would call the value: its key, or the member of a list.
fn title(place: &Place<'_>) -> String {
    let name = place.name();
    if place.pointer.is_empty() {
        return "the file".to_owned();
    }
    match name.parse::<usize>() {
        Ok(index) => {
            let list = place.pointer.rsplit('/').nth(1).unwrap_or("");
            format!("member {} of `{list}`", index + 1)
        }
        Err(_) => format!("`{name}`"),
    }
}

fn keys_of(schema: Option<&Value>) -> Option<Vec<&str>> {
    let keys: Vec<&str> = schema?.get("properties")?.as_object()?.keys().map(String::as_str).collect();
    (!keys.is_empty()).then_some(keys)
}

fn pattern_of(schema: Option<&Value>) -> Option<&str> {
    schema?.get("pattern")?.as_str()
}

/// The words that a property takes, through one reference.
fn words_of(document: Document, property: &Value) -> Option<Vec<&str>> {
    let mut schema = property;
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        schema = only;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        schema = referred(document, reference)?;
    }
    let words: Vec<&str> = schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!words.is_empty()).then_some(words)
}

fn referred(document: Document, reference: &str) -> Option<&'static Value> {
    document.schema().pointer(reference.strip_prefix('#')?)
}

/// The schema in which the keyword that failed stands.
fn schema_of(document: Document, error: &ValidationError<'_>) -> Option<&'static Value> {
    let path = error.evaluation_path().as_str();
    let (path, _keyword) = path.rsplit_once('/')?;
    let mut schema = document.schema();
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        schema = match (part.as_str(), schema) {
            ("$ref", schema) => referred(document, schema.get("$ref")?.as_str()?)?,
            (part, Value::Array(items)) => items.get(part.parse::<usize>().ok()?)?,
            (part, schema) => schema.get(part)?,
        };
    }
    Some(schema)
}
