//! What a JSON Schema says of a value, as far as that is of use before there is one.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::combine::{both, either};
use super::pointer;
use crate::expression::{Carried, Gap, Shape, TextBounds, Type};
use crate::record::Class;
use crate::value::{Kind, Object, Value};

/// What is nested deeper is not known.
const DEEPEST: usize = 64;
/// So many schemas are read of one document at most; what is beyond is not known. A reference is read once.
const MOST: usize = 20_000;

/// The word by which a schema says who may see a value: `personal`, `card` or `secret`.
const CLASS: &str = "x-class";

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
/// `additionalProperties: true`. Of a schema that refers to itself, the inner one is not known.
///
/// # Errors
/// When it is no schema: a word of it has a value that it cannot have, or a reference leads nowhere.
pub(super) fn of_schema(schema: &Value) -> Result<Type, NotASchema> {
    let reader =
        Reader { root: schema, read: RefCell::default(), open: RefCell::default(), left: RefCell::new(MOST) };
    reader.of(schema, "", 0)
}

struct Reader<'a> {
    root: &'a Value,
    /// What references lead to.
    read: RefCell<HashMap<String, Type>>,
    /// References that are being followed.
    open: RefCell<HashSet<String>>,
    left: RefCell<usize>,
}

impl Reader<'_> {
    fn of(&self, schema: &Value, at: &str, depth: usize) -> Result<Type, NotASchema> {
        let wrong = |word: &str, what: &str| NotASchema {
            pointer: if word.is_empty() { at.to_owned() } else { format!("{at}/{word}") },
            what: what.to_owned(),
        };
        let left = self.left.replace_with(|left| left.saturating_sub(1));
        if depth > DEEPEST || left == 0 {
            return Ok(Type::any());
        }
        let object = match schema {
            Value::Bool(_) => return Ok(Type::any()),
            Value::Object(object) => object,
            _ => return Err(wrong("", "a schema is a map, or true")),
        };
        if let Some(reference) = object.get("$ref") {
            let reference = reference.as_text().unwrap_or_default();
            return self
                .referred(reference, at, depth)?
                .ok_or_else(|| wrong("$ref", "it leads nowhere: write `#/$defs/NAME`"));
        }
        let mut of = self.plain(object, at, depth)?;
        for word in ["anyOf", "oneOf"] {
            if let Some(some) = object.get(word) {
                of = both(&of, &self.one_of(some, &format!("{at}/{word}"), depth)?);
            }
        }
        if let Some(all) = object.get("allOf") {
            let Value::List(all) = all else { return Err(wrong("allOf", "it is a list of schemas")) };
            for (index, schema) in all.iter().enumerate() {
                of = both(&of, &self.of(schema, &format!("{at}/allOf/{index}"), depth + 1)?);
            }
        }
        match object.get(CLASS).map(|class| class.as_text().and_then(class_of)) {
            None => Ok(of),
            Some(Some(class)) => {
                let name = at.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("value");
                Ok(of.carrying(&Carried::field(class, &pointer::decoded(name))))
            }
            Some(None) => Err(wrong(CLASS, "it is personal, card or secret")),
        }
    }

    /// What stands at a reference; `None` when it leads nowhere. It is read once, and not within itself.
    fn referred(&self, reference: &str, at: &str, depth: usize) -> Result<Option<Type>, NotASchema> {
        let Some(target) = pointer::target(self.root, reference) else { return Ok(None) };
        if let Some(known) = self.read.borrow().get(reference) {
            return Ok(Some(known.clone()));
        }
        if !self.open.borrow_mut().insert(reference.to_owned()) {
            return Ok(Some(Type::any()));
        }
        let of = self.of(target, &format!("{at}/$ref"), depth + 1);
        self.open.borrow_mut().remove(reference);
        let of = of?;
        self.read.borrow_mut().insert(reference.to_owned(), of.clone());
        Ok(Some(of))
    }

    /// One of several; a null among them is one that may stand there.
    fn one_of(&self, some: &Value, at: &str, depth: usize) -> Result<Type, NotASchema> {
        let Value::List(some) = some else {
            return Err(NotASchema { pointer: at.to_owned(), what: "it is a list of schemas".to_owned() });
        };
        let (mut of, mut null): (Option<Type>, bool) = (None, false);
        for (index, schema) in some.iter().enumerate() {
            if is_null(schema) {
                null = true;
                continue;
            }
            let one = self.of(schema, &format!("{at}/{index}"), depth + 1)?;
            of = Some(of.map_or_else(|| one.clone(), |of| either(&of, &one)));
        }
        let of = of.unwrap_or_else(Type::any);
        Ok(if null { of.with_gap(Gap::Null) } else { of })
    }

    /// All that it says but for `anyOf` and its like. A null is said not to be there unless its `type` has it.
    fn plain(&self, object: &Object, at: &str, depth: usize) -> Result<Type, NotASchema> {
        let wrong =
            |word: &str, what: &str| NotASchema { pointer: format!("{at}/{word}"), what: what.to_owned() };
        let (kinds, null) = kinds(object).map_err(|what| wrong("type", what))?;
        let says_of_members = || ["properties", "required"].iter().any(|word| object.get(word).is_some());
        let mut of = match kinds.as_slice() {
            [] if says_of_members() => self.members(object, at, depth)?,
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
        // Without a type the alternatives beside it decide.
        let open =
            kinds.is_empty() && ["anyOf", "oneOf", "allOf"].iter().any(|word| object.get(word).is_some());
        Ok(if null || open { of.with_gap(Gap::Null) } else { of })
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
            let of = self.of(schema, &format!("{at}/properties/{}", pointer::encoded(name)), depth + 1)?;
            let of = if required.contains(&&**name) { of } else { of.left_out() };
            members.push((Arc::from(&**name), of));
        }
        let unnamed = required.iter().filter(|name| properties.get(name).is_none());
        members.extend(unnamed.map(any));
        let open = object.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        Ok(if open { Shape::Open(members.into()).into() } else { Shape::members(members).into() })
    }
}

fn is_null(schema: &Value) -> bool {
    schema.as_object().and_then(|schema| schema.get("type")).and_then(Value::as_text) == Some("null")
}

fn class_of(word: &str) -> Option<Class> {
    match word {
        "personal" => Some(Class::Personal),
        "card" => Some(Class::Card),
        "secret" => Some(Class::Secret),
        _ => None,
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
