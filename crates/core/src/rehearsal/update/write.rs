//! Values as YAML.

use crate::value::Value;
use crate::yaml::{Kind, Style};

/// Whether it is written as several values.
pub(super) fn is_collection(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().len() > 0,
        Value::List(items) => !items.is_empty(),
        _ => false,
    }
}

/// A value in one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(object) if object.iter().len() == 0 => "{}".to_owned(),
        Value::Object(object) => {
            let members: Vec<String> =
                object.iter().map(|(name, value)| format!("{}: {}", key(name), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Text(text) => text_of(text),
        Value::Null | Value::Absent(_) => "null".to_owned(),
        other => other.to_json().unwrap_or_default(),
    }
}

/// A value in lines of its own, the first of which is begun already at this column.
pub(super) fn block(value: &Value, column: usize) -> String {
    let indent = " ".repeat(column);
    let lines: Vec<String> = match value {
        Value::Object(object) if is_collection(value) => object
            .iter()
            .map(|(name, value)| match is_collection(value) {
                true => format!("{}:\n{indent}  {}", key(name), block(value, column + 2)),
                false => format!("{}: {}", key(name), flow(value)),
            })
            .collect(),
        Value::List(items) if is_collection(value) => {
            items.iter().map(|item| format!("- {}", block(item, column + 2))).collect()
        }
        other => vec![flow(other)],
    };
    lines.join(&format!("\n{indent}"))
}

/// A value where a scalar stood, in its manner where that holds it.
pub(super) fn scalar(value: &Value, was: &Kind, raw: &str) -> String {
    let (Value::Text(text), Kind::Text { style, .. }) = (value, was) else { return flow(value) };
    match style {
        Style::Single if single_holds(text) => format!("'{text}'"),
        Style::Literal => literal(text, raw).unwrap_or_else(|| quoted(text)),
        Style::Single | Style::Double | Style::Folded | Style::Variable => quoted(text),
        Style::Plain => text_of(text),
    }
}

fn single_holds(text: &str) -> bool {
    !text.contains('\'') && !text.chars().any(|sign| sign == '\n' || must_escape(sign))
}

/// `|` and lines below it, as deep as they stood.
fn literal(text: &str, raw: &str) -> Option<String> {
    let (head, lines) = raw.split_once('\n')?;
    // A header that says how deep its lines stand, or has a comment, is left to quotes.
    let plain_head = matches!(head.trim_end(), "|" | "|-" | "|+");
    let first = lines.lines().find(|line| !line.trim().is_empty())?;
    let indent = first.len() - first.trim_start_matches(' ').len();
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let odd = body.is_empty()
        || body.starts_with([' ', '\n'])
        || body.ends_with('\n')
        || body.chars().any(|sign| sign != '\n' && (must_escape(sign) || sign == '\t'));
    if !plain_head || odd || indent == 0 {
        return None;
    }
    let indent = " ".repeat(indent);
    let lines: Vec<String> = body
        .split('\n')
        .map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") })
        .collect();
    Some(format!("{head}\n{}", lines.join("\n")))
}

/// A key.
pub(super) fn key(name: &str) -> String {
    // `$outcome` and its like are plain.
    let plain = name.strip_prefix('$').unwrap_or(name);
    if is_plain(plain) { name.to_owned() } else { quoted(name) }
}

fn text_of(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text can stand without quotes anywhere, and nobody takes it for anything else.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    let mut signs = text.chars();
    signs.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && signs.all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// In double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for sign in text.chars() {
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            sign if must_escape(sign) && u32::from(sign) > 0xffff => {
                out.push_str(&format!("\\U{:08x}", u32::from(sign)));
            }
            sign if must_escape(sign) => out.push_str(&format!("\\u{:04x}", u32::from(sign))),
            sign => out.push(sign),
        }
    }
    out.push('"');
    out
}

/// Signs that YAML does not take as they are, and those that nobody would see.
fn must_escape(sign: char) -> bool {
    sign.is_control()
        || matches!(sign,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
        || (u32::from(sign) & 0xfffe) == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_lines() {
        let value = Value::from_json(r#"{"a":1.50,"b":{"c":["x y",{"d":null,"e":[]}]},"7":"yes"}"#);
        let value = value.unwrap_or_default();
        insta::assert_snapshot!(flow(&value), @r#"{ a: 1.50, b: { c: ["x y", { d: null, e: [] }] }, "7": "yes" }"#);
        insta::assert_snapshot!(block(&value, 0), @r#"
        a: 1.50
        b:
          c:
            - "x y"
            - d: null
              e: []
        "7": "yes"
        "#);
    }

    #[test]
    fn texts_keep_their_manner_where_it_holds_them() {
        let was = |style| Kind::Text { value: "".into(), style };
        let text = Value::text("it's");
        assert_eq!(scalar(&text, &was(Style::Single), "'a'"), "\"it's\"");
        assert_eq!(scalar(&Value::text("a b"), &was(Style::Single), "'a'"), "'a b'");
        assert_eq!(scalar(&Value::text("x\ny\n"), &was(Style::Literal), "|\n    a\n"), "|\n    x\n    y");
        assert_eq!(scalar(&Value::text("x\n\ny"), &was(Style::Literal), "|-\n  a"), "|-\n  x\n\n  y");
        assert_eq!(scalar(&Value::text("x\u{2028}"), &was(Style::Literal), "|-\n  a"), "\"x\\u2028\"");
        assert_eq!(scalar(&Value::text("on"), &was(Style::Plain), "a"), "\"on\"");
    }
}
