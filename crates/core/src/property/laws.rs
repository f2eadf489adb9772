//! What every run keeps, whatever the record: one table, from which the checks and the reference come.

use std::borrow::Cow;

use crate::crm::{Held, broken};
use crate::request::{Destination, HttpRequest, Request};
use crate::value::Value;
use crate::yaml::{Kind, Tree};

/// Something that every run keeps.
#[derive(Debug)]
pub struct Law {
    /// Its name, as reports write it.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// What a request says against it; nothing for what is no matter of one request.
    check: Option<fn(&Look<'_>) -> Option<String>>,
}

/// Every law.
pub static LAWS: &[Law] = &[
    GIVEN_UP,
    Law {
        name: "description",
        meaning: "A write has what its endpoint needs, in the form that it takes.",
        check: Some(description),
    },
    Law { name: "body", meaning: "A body is what its content type says.", check: Some(body) },
    Law {
        name: "address",
        meaning: "An address and its path can be read, and hold no sign that is not escaped.",
        check: Some(address),
    },
    Law { name: "headers", meaning: "Names and values of headers are such.", check: Some(headers) },
    Law {
        name: "leftovers",
        meaning: "No text tells of something missing (None, null, undefined, NaN, [object Object]) that neither \
                  the record nor the zap holds.",
        check: Some(leftovers),
    },
    Law {
        name: "templates",
        meaning: "No template and no ${VARIABLE} is left in what is sent.",
        check: Some(templates),
    },
    SAME,
    KNOWN,
    PROPERTY,
];

/// A run comes to its end.
pub(super) const GIVEN_UP: Law = Law {
    name: "given up",
    meaning: "No run is given up since something of the zap has no value for its record.",
    check: None,
};
/// Mapping is a function of the record.
pub(super) const SAME: Law =
    Law { name: "same", meaning: "The same record gives the same requests.", check: None };
/// Where no table says what arrives, the tests do.
pub(super) const KNOWN: Law = Law {
    name: "known",
    meaning: "What a zap reads of a record of which no table says what it holds is in a record of one of its tests, or \
              at least nothing is there that is spelt nearly so.",
    check: None,
};
/// What the author says.
pub(super) const PROPERTY: Law =
    Law { name: "property", meaning: "The zap's own `properties:` hold.", check: None };

/// A request, and what the texts in it may be made of.
pub(super) struct Look<'a> {
    pub(super) request: &'a Request,
    /// All texts of the record, of the replies and of the project's values.
    pub(super) source: &'a str,
    /// The words that the zap itself holds.
    pub(super) own: &'a [&'static str],
}

/// Each law that the request breaks, with what is wrong.
pub(super) fn broken_laws(look: &Look<'_>) -> Vec<(&'static Law, String)> {
    LAWS.iter().filter_map(|law| Some((law, law.check?(look)?))).collect()
}

fn description(look: &Look<'_>) -> Option<String> {
    let Request::Crm(crm) = look.request else { return None };
    let held: Vec<Held<'_>> =
        crm.params.iter().map(|(name, value)| Held { name, value: Some(value), sure: true }).collect();
    if let Some(breach) = broken(crm.endpoint, &held).first() {
        return Some(breach.message());
    }
    crm.params.iter().find_map(|(name, value)| match crm.endpoint.param(name) {
        None => Some(format!("`{name}` is no parameter of {}", crm.endpoint.path)),
        Some(param) => {
            let max = param.max.filter(|max| value.chars().count() > *max)?;
            Some(format!("`{name}` is longer than {max} characters"))
        }
    })
}

fn body(look: &Look<'_>) -> Option<String> {
    let body = look.request.http()?.body.as_ref()?;
    let text = std::str::from_utf8(&body.bytes);
    match (body.content_type, text) {
        (_, Err(_)) => Some("the body is not UTF-8".to_owned()),
        ("application/json", Ok(text)) => {
            Value::from_json(text).err().map(|error| format!("the body is not JSON: {}", error.what))
        }
        ("application/x-www-form-urlencoded", Ok(text)) => {
            text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f).then(|| "the body is no form".to_owned())
        }
        _ => None,
    }
}

fn address(look: &Look<'_>) -> Option<String> {
    let http = look.request.http()?;
    let (whole, written) = match &http.destination {
        Destination::Url { url, .. } => (Cow::Borrowed(url.as_str()), url),
        Destination::Connection { path, .. } | Destination::Linked { path, .. } => {
            (Cow::Owned(format!("https://host.test/{}", path.trim_start_matches('/'))), path)
        }
    };
    if written.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
        return Some("the address holds a sign that is not escaped".to_owned());
    }
    url::Url::parse(&whole).err().map(|error| format!("the address cannot be read: {error}"))
}

fn headers(look: &Look<'_>) -> Option<String> {
    let token = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let control = |value: &str| value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f);
    let headers = &look.request.http()?.headers;
    let (name, _) = headers.iter().find(|(name, value)| !token(name) || control(value))?;
    Some(format!("the header `{name}` cannot be sent"))
}

/// What programs write where something is missing.
const LEFTOVERS: &[&str] = &["None", "null", "undefined", "NaN", "[object Object]"];

fn leftovers(look: &Look<'_>) -> Option<String> {
    texts(look.request).iter().find_map(|(place, text)| {
        // JSON within text has nulls of its own.
        let embedded = text.starts_with(['{', '[']) && Value::from_json(text).is_ok();
        let left =
            |word: &&&str| has_word(text, word) && !has_word(look.source, word) && !look.own.contains(word);
        let word = LEFTOVERS.iter().find(left).filter(|_| !embedded)?;
        Some(format!("`{place}` holds `{word}`, which is neither in the record nor in the zap"))
    })
}

fn templates(look: &Look<'_>) -> Option<String> {
    texts(look.request).iter().find_map(|(place, text)| {
        let left =
            |tag: &&&str| text.contains(**tag) && !look.source.contains(**tag) && !look.own.contains(*tag);
        let tag = TAGS.iter().find(left)?;
        Some(format!("`{place}` holds `{tag}`, which is not in the record"))
    })
}

const TAGS: &[&str] = &["{{", "{%", "${"];

/// The words of [`LEFTOVERS`] and tags that a zap holds itself, tests and properties aside.
pub(crate) fn own_words(tree: &Tree) -> Vec<&'static str> {
    let mut own: Vec<&'static str> = Vec::new();
    for entry in tree.entries(tree.root()).iter().filter(|entry| !super::BESIDE.contains(&&*entry.key)) {
        tree.walk(entry.value, &mut |node, _| {
            let Kind::Text { value, .. } = &tree.node(node).kind else { return };
            let words = LEFTOVERS.iter().filter(|word| has_word(value, word));
            // A tag in quotes, or in a raw block, is meant as text.
            let quoted = |tag: &&&str| {
                value.contains(&format!("'{tag}"))
                    || value.contains(&format!("\"{tag}"))
                    || value.contains("raw %}")
            };
            let tags = TAGS.iter().filter(quoted);
            own.extend(words.chain(tags).copied());
        });
    }
    own.sort_unstable();
    own.dedup();
    own
}

/// Whether the word stands there by itself.
fn has_word(text: &str, word: &str) -> bool {
    let inner = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !inner(before) && !inner(after)
    })
}

/// Every text of a request, with its place.
fn texts(request: &Request) -> Vec<(String, String)> {
    let of = |key: &str, pairs: &[(String, String)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (format!("{key}.{name}"), value.clone())).collect()
    };
    match request {
        Request::Http(http) => {
            let mut all = of("query", &http.query);
            all.extend(of("headers", &http.headers));
            all.extend(address_text(http));
            all.extend(body_texts(http));
            all
        }
        Request::Crm(crm) => of("map", &crm.params),
        Request::Find(find) => of("by", &find.params),
    }
}

fn address_text(http: &HttpRequest) -> Option<(String, String)> {
    let (key, written) = match &http.destination {
        Destination::Url { url, .. } => ("url", url),
        Destination::Connection { path, .. } | Destination::Linked { path, .. } => ("path", path),
    };
    let decoded = percent_encoding::percent_decode_str(written).decode_utf8_lossy();
    Some((key.to_owned(), decoded.into_owned()))
}

fn body_texts(http: &HttpRequest) -> Vec<(String, String)> {
    let Some(body) = &http.body else { return Vec::new() };
    let text = String::from_utf8_lossy(&body.bytes);
    match body.content_type {
        "application/json" => {
            let mut all = Vec::new();
            if let Ok(value) = Value::from_json(&text) {
                leaves(&value, "json", &mut |place, text| all.push((place.to_owned(), text.to_owned())));
            }
            all
        }
        "application/x-www-form-urlencoded" => url::form_urlencoded::parse(&body.bytes)
            .map(|(name, value)| (format!("form.{name}"), value.into_owned()))
            .collect(),
        _ => vec![("text".to_owned(), text.into_owned())],
    }
}

/// Every text within a value, with its place.
pub(super) fn leaves(value: &Value, place: &str, tell: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Text(text) => tell(place, text),
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{place}[{at}]"), tell);
            }
        }
        Value::Object(object) => {
            for (name, value) in object.iter() {
                leaves(value, &format!("{place}.{name}"), tell);
            }
        }
        _ => {}
    }
}
