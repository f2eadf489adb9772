//! What a JSON Schema says of a value, as far as that is of use before there is one.

use std::sync::Arc;

use crate::expression::{Gap, Shape, TextBounds, Type};
use crate::value::{Kind, Object, Value};

/// References that lead to references are followed so often.
const DEEPEST: usize = 32;

/// Why a document is no schema that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{pointer}`: {what}")]
pub(crate) struct NotASchema {
    /// JSON pointer of the place.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) what: String,
}

/// What is known of a value that a schema describes. Members that it does not name are taken for mistakes, unless it says
/// `additionalProperties: true`. Of `anyOf` and its like nothing is known, but for a null beside one other.
///
/// # Errors
/// When it is no schema: a word of it has a value that it cannot have, or a reference leads nowhere.
pub(crate) fn of_schema(schema: &Value) -> Result<Type, NotASchema> {
    Reader { root: schema }.of(schema, "", 0)
}

struct Reader<'a> {
    root: &'a Value,
}

impl Reader<'_> {
    fn of(&self, schema: &Value, at: &str, depth: usize) -> Result<Type, NotASchema> {
        let wrong = |word: &str, what: &str| NotASchema {
            pointer: if word.is_empty() { at.to_owned() } else { format!("{at}/{word}") },
            what: what.to_owned(),
        };
        if depth > DEEPEST {
            return Err(wrong("", "it is nested too deeply, or refers to itself"));
        }
        let object = match schema {
            Value::Bool(_) => return Ok(Type::any()),
            Value::Object(object) => object,
            _ => return Err(wrong("", "a schema is a map, or true")),
        };
        if let Some(reference) = object.get("$ref") {
            let target = reference.as_text().and_then(|reference| self.target(reference));
            let target = target.ok_or_else(|| wrong("$ref", "it leads nowhere: write `#/$defs/NAME`"))?;
            return self.of(target, &format!("{at}/$ref"), depth + 1);
        }
        if let Some(one) = self.one_or_null(object) {
            return Ok(self.of(one, &format!("{at}/anyOf"), depth + 1)?.with_gap(Gap::Null));
        }
        if ["anyOf", "oneOf", "allOf"].iter().any(|word| object.get(word).is_some()) {
            return Ok(Type::any());
        }
        let (kinds, null) = kinds(object).map_err(|what| wrong("type", what))?;
        let mut of = match kinds.as_slice() {
            [] if ["properties", "required"].iter().any(|word| object.get(word).is_some()) => {
                self.members(object, at, depth)?
            }
            [Kind::Object] => self.members(object, at, depth)?,
            [Kind::List] => match object.get("items") {
                Some(items) => Type::list_of(self.of(items, &format!("{at}/items"), depth + 1)?),
                None => Type::list_of(Type::any()),
            },
            [kind] => Type::scalar(*kind),
            _ => Type::any(),
        };
        of.text = text(object).map_err(|word| wrong(word, "it cannot have this value"))?;
        if of.text.words.is_some() && kinds.is_empty() {
            of.shape = Shape::Scalar(Kind::Text);
        }
        Ok(if null { of.with_gap(Gap::Null) } else { of })
    }

    fn members(&self, object: &Object, at: &str, depth: usize) -> Result<Type, NotASchema> {
        let wrong =
            |word: &str, what: &str| NotASchema { pointer: format!("{at}/{word}"), what: what.to_owned() };
        let required: Vec<&str> = match object.get("required") {
            None => Vec::new(),
            Some(Value::List(names)) => names.iter().filter_map(Value::as_text).collect(),
            Some(_) => return Err(wrong("required", "it is a list of names")),
        };
        // What it only says is there may be anything, beside members that it says nothing of.
        let any = |name: &&str| (Arc::from(*name), Type::any());
        let Some(properties) = object.get("properties") else {
            let members: Vec<_> = required.iter().map(any).collect();
            return Ok(if members.is_empty() { Type::any() } else { Shape::Open(members.into()).into() });
        };
        let properties =
            properties.as_object().ok_or_else(|| wrong("properties", "it is a map of schemas"))?;
        let mut members: Vec<(Arc<str>, Type)> = Vec::new();
        for (name, schema) in properties.iter() {
            let of = self.of(schema, &format!("{at}/properties/{name}"), depth + 1)?;
            let of = if required.contains(&&**name) { of } else { Type { gap: Some(Gap::Optional), ..of } };
            members.push((Arc::from(&**name), of));
        }
        let unnamed = required.iter().filter(|name| properties.get(name).is_none());
        members.extend(unnamed.map(any));
        let open = object.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        Ok(if open { Shape::Open(members.into()).into() } else { Shape::members(members).into() })
    }

    /// What stands at a local reference: `#`, `#/$defs/NAME`.
    fn target(&self, reference: &str) -> Option<&Value> {
        let mut value = self.root;
        for part in reference.strip_prefix('#')?.split('/').skip(1) {
            value = value.as_object()?.get(&part.replace("~1", "/").replace("~0", "~"))?;
        }
        Some(value)
    }

    /// Where a schema says "this, or null".
    fn one_or_null<'s>(&self, object: &'s Object) -> Option<&'s Value> {
        let either = object.get("anyOf").or_else(|| object.get("oneOf"))?;
        let Value::List(either) = either else { return None };
        let is_null = |schema: &&Value| {
            schema.as_object().and_then(|schema| schema.get("type")).and_then(Value::as_text) == Some("null")
        };
        match either.as_ref() {
            [one, other] if is_null(&other) => Some(one),
            [other, one] if is_null(&other) => Some(one),
            _ => None,
        }
    }
}

/// The kinds of `type`, and whether null is one of them.
fn kinds(object: &Object) -> Result<(Vec<Kind>, bool), &'static str> {
    let words: Vec<&str> = match object.get("type") {
        None => Vec::new(),
        Some(Value::Text(word)) => vec![word],
        Some(Value::List(words)) => words.iter().filter_map(Value::as_text).collect(),
        Some(_) => return Err("it is a word or a list of words"),
    };
    let mut kinds = Vec::new();
    let mut null = false;
    for word in words {
        match word {
            "null" => null = true,
            "string" => kinds.push(Kind::Text),
            "number" | "integer" if kinds.contains(&Kind::Number) => {}
            "number" | "integer" => kinds.push(Kind::Number),
            "boolean" => kinds.push(Kind::Bool),
            "object" => kinds.push(Kind::Object),
            "array" => kinds.push(Kind::List),
            _ => return Err("it is string, number, integer, boolean, object, array or null"),
        }
    }
    Ok((kinds, null))
}

/// Which texts it allows. `Err` names the word that is wrong.
fn text(object: &Object) -> Result<TextBounds, &'static str> {
    let mut bounds = TextBounds::default();
    let words = match (object.get("enum"), object.get("const")) {
        (Some(Value::List(words)), _) => Some(words.to_vec()),
        (Some(_), _) => return Err("enum"),
        (None, Some(word)) => Some(vec![word.clone()]),
        (None, None) => None,
    };
    if let Some(words) = words {
        let texts: Option<Vec<Arc<str>>> = words
            .iter()
            .filter(|word| !word.is_missing())
            .map(|word| if let Value::Text(text) = word { Some(Arc::clone(text)) } else { None })
            .collect();
        bounds.words = texts.filter(|texts| !texts.is_empty()).map(Into::into);
    }
    let length = |word: &'static str| match object.get(word) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            number.to_i64().and_then(|length| usize::try_from(length).ok()).map(Some).ok_or(word)
        }
        Some(_) => Err(word),
    };
    bounds.max = length("maxLength")?;
    bounds.min = length("minLength")?.unwrap_or_default();
    Ok(bounds)
}
