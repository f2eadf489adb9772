//! References within a document: `#`, `#/$defs/NAME`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::value::Value;

/// What stands at a local reference; `None` when it leads nowhere, or out of the document.
pub(super) fn target<'v>(root: &'v Value, reference: &str) -> Option<&'v Value> {
    let mut value = root;
    for part in parts(reference)? {
        value = match value {
            Value::Object(object) => object.get(&part)?,
            Value::List(items) => items.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The JSON pointer that a reference is, as [`target`] reads it.
pub(super) fn of_reference(reference: &str) -> Option<String> {
    Some(parts(reference)?.iter().map(|part| format!("/{}", encoded(part))).collect())
}

/// What the fragment of a URI cannot hold as it is (RFC 3986 §3.5).
const NOT_IN_FRAGMENTS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The reference to a JSON pointer.
pub(super) fn reference(pointer: &str) -> String {
    format!("#{}", utf8_percent_encode(pointer, NOT_IN_FRAGMENTS))
}

fn parts(reference: &str) -> Option<Vec<String>> {
    let text = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    match text.strip_prefix('/') {
        None if text.is_empty() => Some(Vec::new()),
        None => None,
        Some(path) => Some(path.split('/').map(|part| decoded(part).into_owned()).collect()),
    }
}

/// A name as a part of a pointer.
pub(super) fn encoded(name: &str) -> Cow<'_, str> {
    match name.contains(['~', '/']) {
        true => Cow::Owned(name.replace('~', "~0").replace('/', "~1")),
        false => Cow::Borrowed(name),
    }
}

/// A part of a pointer as the name it stands for.
pub(super) fn decoded(part: &str) -> Cow<'_, str> {
    match part.contains('~') {
        true => Cow::Owned(part.replace("~1", "/").replace("~0", "~")),
        false => Cow::Borrowed(part),
    }
}
