//! A schema, and the places within it: what is known of a value there, and what is wrong with one that is known.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Validator};

use super::pointer;
use super::schema::{NotASchema, of_schema};
use crate::expression::Type;
use crate::value::Value;

/// References that lead to references are followed so often.
const LONGEST: usize = 64;

/// A JSON Schema that describes data of another system.
#[derive(Debug)]
pub(crate) struct Schema {
    root: Value,
    json: serde_json::Value,
    /// What is known of a value that it describes.
    pub(crate) of: Type,
}

/// A place within a schema where values of one kind are described.
#[derive(Debug, Clone)]
pub(crate) struct Place<'s> {
    schema: &'s Schema,
    /// Where; nothing when several places describe it together.
    pointer: Option<String>,
}

/// What is wrong with a value.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    /// Where in the value, as a JSON pointer.
    pub(crate) pointer: String,
    /// The part that is wrong.
    pub(crate) value: serde_json::Value,
    /// What is wrong with it.
    pub(crate) why: Why,
}

/// Why a value does not fit.
#[derive(Debug, Clone)]
pub(crate) enum Why {
    /// It is of another kind, or null; the kinds that it can be, as the schema calls them.
    Kind(Vec<String>),
    /// It lacks a member.
    Lacks(String),
    /// It has members that it cannot have.
    Takes(Vec<String>),
    /// It is none of these.
    NoneOf(Vec<serde_json::Value>),
    /// It is longer than that.
    Longer(u64),
    /// In words.
    Other(String),
}

impl Schema {
    /// # Errors
    /// When it is no schema.
    pub(crate) fn read(root: Value) -> Result<Schema, NotASchema> {
        let of = of_schema(&root)?;
        let json = root.to_json().ok().and_then(|text| serde_json::from_str(&text).ok());
        let schema = Schema { root, json: json.unwrap_or_default(), of };
        match schema.top().validator() {
            Ok(_) => Ok(schema),
            Err(what) => Err(NotASchema { pointer: String::new(), what }),
        }
    }

    /// The place of a whole value.
    pub(crate) fn top(&self) -> Place<'_> {
        Place { schema: self, pointer: Some(String::new()) }.followed()
    }
}

impl<'s> Place<'s> {
    /// The place of a member.
    pub(crate) fn member(&self, name: &str) -> Place<'s> {
        self.below(&["properties", name])
    }

    /// The place of a list's items.
    pub(crate) fn items(&self) -> Place<'s> {
        self.below(&["items"])
    }

    fn below(&self, path: &[&str]) -> Place<'s> {
        let found = self.found().filter(|schema| !is_many(schema)).and_then(|mut schema| {
            for part in path {
                schema = schema.as_object()?.get(part)?;
            }
            self.pointer.clone()
        });
        let more = || path.iter().map(|part| format!("/{}", pointer::encoded(part))).collect::<String>();
        Place { schema: self.schema, pointer: found.map(|pointer| pointer + &more()) }.followed()
    }

    fn found(&self) -> Option<&'s Value> {
        let pointer = self.pointer.as_deref()?;
        let mut value = &self.schema.root;
        for part in pointer.split('/').skip(1) {
            let name = pointer::decoded(part);
            value = match value {
                Value::Object(object) => object.get(&name)?,
                Value::List(items) => items.get(name.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The place to which references lead from here.
    fn followed(mut self) -> Place<'s> {
        for _ in 0..LONGEST {
            let reference = self.found().and_then(Value::as_object).and_then(|schema| schema.get("$ref"));
            let Some(reference) = reference else { return self };
            self.pointer = reference.as_text().and_then(pointer::of_reference);
        }
        Place { pointer: None, ..self }
    }

    /// All that is wrong with a value that stands here; nothing where it is not known.
    pub(crate) fn wrong(&self, value: &serde_json::Value) -> Vec<Wrong> {
        let Ok(Some(validator)) = self.validator() else { return Vec::new() };
        validator.iter_errors(value).map(|error| told(&error)).collect()
    }

    /// `Ok(None)`: the place is not known.
    fn validator(&self) -> Result<Option<Validator>, String> {
        let Some(pointer) = &self.pointer else { return Ok(None) };
        let mut json = self.schema.json.clone();
        // The document stays whole, since references lead into it; in draft-07 nothing else counts beside a `$ref`.
        if let Some(root) = json.as_object_mut() {
            root.remove("$schema");
            root.remove("$id");
            if !pointer.is_empty() {
                root.insert("$ref".to_owned(), pointer::reference(pointer).into());
            }
        }
        let options = jsonschema::options().with_draft(Draft::Draft7).offline();
        options.build(&json).map(Some).map_err(|error| error.to_string())
    }
}

fn is_many(schema: &Value) -> bool {
    let many = |schema: &crate::value::Object| {
        ["anyOf", "oneOf", "allOf", "not", "if"].iter().any(|word| schema.get(word).is_some())
    };
    schema.as_object().is_none_or(many)
}

fn told(error: &jsonschema::ValidationError<'_>) -> Wrong {
    let why = match error.kind() {
        ValidationErrorKind::Type { kind } => {
            use jsonschema::error::TypeKind;
            Why::Kind(match kind {
                TypeKind::Single(one) => vec![one.to_string()],
                TypeKind::Multiple(some) => some.iter().map(|one| one.to_string()).collect(),
            })
        }
        ValidationErrorKind::Required { property } => {
            Why::Lacks(property.as_str().map_or_else(|| property.to_string(), str::to_owned))
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => Why::Takes(unexpected.clone()),
        ValidationErrorKind::Enum { options } => Why::NoneOf(options.as_array().cloned().unwrap_or_default()),
        ValidationErrorKind::Constant { expected_value } => Why::NoneOf(vec![(**expected_value).clone()]),
        ValidationErrorKind::MaxLength { limit } => Why::Longer(*limit),
        _ => Why::Other(error.to_string()),
    };
    Wrong {
        pointer: error.instance_path().as_str().to_owned(),
        value: error.instance().clone().into_owned(),
        why,
    }
}
