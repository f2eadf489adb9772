//! The schemas of what the CRM's endpoints take, for editors: made from the endpoints' descriptions.
//!
//! They say what the descriptions say, as far as an editor can know it; the check itself is made from the
//! descriptions, not from here.

use serde_json::{Map, Value, json};

use crate::crm::{ENDPOINTS, Endpoint, Given, LOOKUPS, Lookup, Param, ParamType, Rule};

/// How an editor knows a text that is computed: a template, or a JSONPath.
const COMPUTED: &str = r"\{\{|\{%|^\$";

/// The schemas by their file's name without its ending.
pub(super) fn all() -> impl Iterator<Item = (String, Value)> {
    let writes = ENDPOINTS.iter().map(|endpoint| (file(endpoint), write(endpoint)));
    writes.chain(LOOKUPS.iter().map(|lookup| (lookup_file(lookup), find(lookup))))
}

/// Lets the schema of a zap point at them.
pub(super) fn refer(zap: &mut Value) {
    let branches = zap.pointer_mut("/definitions/Action/allOf").and_then(Value::as_array_mut);
    for branch in branches.into_iter().flatten() {
        let action = branch.pointer("/if/properties/type/const").and_then(Value::as_str).map(str::to_owned);
        let Some(action) = action else { continue };
        let Some(then) = branch.get_mut("then").and_then(Value::as_object_mut) else { continue };
        if let Some(endpoint) = ENDPOINTS.iter().find(|endpoint| endpoint.action == action) {
            let map = then.get_mut("properties").and_then(|all| all.get_mut("map"));
            if let Some(Value::Object(map)) = map {
                map.remove("type");
                map.insert("allOf".to_owned(), json!([reference(&file(endpoint))]));
            }
        } else if action == "konnektive.query" {
            let choices = LOOKUPS.iter().map(|lookup| {
                json!({
                    "if": { "properties": { "find": { "const": lookup.find } }, "required": ["find"] },
                    "then": { "properties": { "by": reference(&lookup_file(lookup)) } },
                })
            });
            then.insert("allOf".to_owned(), choices.collect());
        }
    }
}

fn reference(file: &str) -> Value {
    json!({ "$ref": format!("{file}.schema.json") })
}

fn file(endpoint: &Endpoint) -> String {
    format!("actions/{}", endpoint.short_name())
}

fn lookup_file(lookup: &Lookup) -> String {
    format!("actions/query_{}", lookup.find)
}

fn write(endpoint: &Endpoint) -> Value {
    let params: Vec<&Param> = endpoint.params().collect();
    let mut schema = object(endpoint.action, endpoint.summary, &params, endpoint.clears);
    let required: Vec<&str> = endpoint
        .rules
        .iter()
        .filter_map(|rule| if let Rule::Required(names) = rule { Some(names.iter().copied()) } else { None })
        .flatten()
        .collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    let rules: Vec<Value> = endpoint.rules.iter().filter_map(|rule| condition(endpoint, rule)).collect();
    if !rules.is_empty() {
        schema.insert("allOf".to_owned(), rules.into());
    }
    schema.into()
}

fn find(lookup: &Lookup) -> Value {
    let params: Vec<&Param> = lookup.params().collect();
    let summary = format!("Filters of a look-up of {}.", lookup.find);
    object("konnektive.query", &summary, &params, false).into()
}

fn object(title: &str, description: &str, params: &[&Param], clears: bool) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut patterns = Map::new();
    for param in params {
        let value = value(param, clears);
        match (param.name.split_once("N_"), param.name.strip_suffix('*')) {
            (Some((before, after)), _) => {
                // The first is offered by name; an editor completes no patterns.
                properties.insert(param.numbered(1), value.clone());
                patterns.insert(format!("^{before}[1-9][0-9]?_{after}$"), value);
            }
            (None, Some(start)) => {
                patterns.insert(format!("^{start}[A-Za-z0-9_]+$"), value);
            }
            (None, None) => {
                properties.insert(param.name.to_owned(), value);
            }
        }
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("title".to_owned(), title.into());
    schema.insert("description".to_owned(), description.into());
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !patterns.is_empty() {
        schema.insert("patternProperties".to_owned(), patterns.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// A value: a constant of its type, a text that is computed, or a map of the mapping language.
fn value(param: &Param, clears: bool) -> Value {
    let (types, constant): (&[&str], Option<String>) = match param.ty {
        ParamType::Id | ParamType::Phone => (&["string", "number", "object"], length(param)),
        ParamType::Text => (&["string", "number", "boolean", "object"], length(param)),
        ParamType::Number => (&["string", "integer", "object"], Some(" *[0-9]+ *".to_owned())),
        ParamType::Count => (&["string", "integer", "object"], Some(" *0*[1-9][0-9]* *".to_owned())),
        ParamType::Money => (&["string", "number", "object"], Some(r" *[0-9]+(\.[0-9]*)? *".to_owned())),
        ParamType::Email => (&["string", "object"], Some(r"\s*[^@\s]+@[^@\s]+\s*".to_owned())),
        ParamType::Country => (&["string", "object"], Some(" *[A-Za-z]{2} *".to_owned())),
        ParamType::Enum(words) => (&["string", "object"], Some(format!("({})", words.join("|")))),
        ParamType::Date => (
            &["string", "object"],
            Some(r" *([0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}) *".to_owned()),
        ),
        ParamType::Flag => (
            &["string", "boolean", "integer", "object"],
            Some(" *(0|1|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]) *".to_owned()),
        ),
        ParamType::Json => (&["string", "object"], None),
    };
    let mut schema = Map::new();
    schema.insert("description".to_owned(), description(param, clears).into());
    schema.insert("type".to_owned(), types.into());
    if let Some(constant) = constant {
        schema.insert("pattern".to_owned(), format!("^{constant}$|{COMPUTED}").into());
    }
    match param.ty {
        ParamType::Enum(words) => {
            schema.insert("examples".to_owned(), words.into());
        }
        ParamType::Count => {
            schema.insert("minimum".to_owned(), 1.into());
        }
        ParamType::Money | ParamType::Number => {
            schema.insert("minimum".to_owned(), 0.into());
        }
        ParamType::Flag => {
            schema.insert("minimum".to_owned(), 0.into());
            schema.insert("maximum".to_owned(), 1.into());
        }
        _ => {}
    }
    schema.into()
}

fn length(param: &Param) -> Option<String> {
    param.max.map(|max| format!(r"[\s\S]{{0,{max}}}"))
}

fn description(param: &Param, clears: bool) -> String {
    let mut meaning = param.meaning.to_owned();
    if let Some(first) = meaning.get(..1) {
        meaning = first.to_uppercase() + meaning.get(1..).unwrap_or_default();
    }
    let takes = match param.ty {
        ParamType::Enum(words) => words.join(", "),
        ty => ty.words().to_owned(),
    };
    let most = match param.ty {
        ParamType::Country => String::new(),
        _ => param.max.map_or(String::new(), |max| format!(", at most {max} characters")),
    };
    let clear = if clears { " { $clear: true } empties it." } else { "" };
    format!("{meaning}. Takes {takes}{most}.{clear}")
}

/// A rule that an editor can check.
fn condition(endpoint: &Endpoint, rule: &Rule) -> Option<Value> {
    Some(match rule {
        Rule::Required(_) | Rule::Numbered(_) | Rule::StateOf { .. } => return None,
        Rule::AnyOf(names) => {
            let (first, others) = names.split_first()?;
            let absent: Vec<Value> =
                others.iter().map(|name| json!({ "not": { "required": [name] } })).collect();
            json!({ "if": { "allOf": absent }, "then": { "required": [first] } })
        }
        Rule::AtMostOne(names) => {
            let set: Vec<Value> = names.iter().map(|name| is_set(endpoint, name)).collect();
            let pairs = set.iter().enumerate().flat_map(|(at, one)| {
                set.iter().skip(at + 1).map(move |other| json!({ "not": { "allOf": [one, other] } }))
            });
            json!({ "allOf": pairs.collect::<Vec<_>>() })
        }
        Rule::RequiredIf { given, needs } => json!({ "if": holds(*given), "then": { "required": needs } }),
        Rule::RequiredUnless { given, needs } => {
            let none: Vec<Value> = given.iter().map(|given| json!({ "not": may_hold(*given) })).collect();
            json!({ "if": { "allOf": none }, "then": { "required": needs } })
        }
    })
}

fn is_set(endpoint: &Endpoint, name: &str) -> Value {
    match endpoint.param(name).map(|param| param.ty) {
        Some(ParamType::Flag) => {
            json!({ "properties": { (name): { "enum": [1, true, "1", "true"] } }, "required": [name] })
        }
        _ => json!({ "required": [name] }),
    }
}

/// It surely holds.
fn holds(given: Given) -> Value {
    match given {
        Given::Param(name) => json!({ "required": [name] }),
        Given::Value(name, values) => {
            json!({ "properties": { (name): { "enum": written(values) } }, "required": [name] })
        }
    }
}

/// It holds, or may for some records.
fn may_hold(given: Given) -> Value {
    match given {
        Given::Param(name) => json!({ "required": [name] }),
        Given::Value(name, values) => {
            let words: Vec<&str> = values
                .iter()
                .flat_map(|value| if *value == "1" { vec!["1", "true"] } else { vec![*value] })
                .collect();
            let other = format!("^({})$|{COMPUTED}", words.join("|"));
            let plain = json!({ "type": "string", "not": { "pattern": other } });
            let off = json!({ "enum": [0, false] });
            json!({ "properties": { (name): { "allOf": [{ "not": plain }, { "not": off }] } }, "required": [name] })
        }
    }
}

/// A value as it may be written in a zap: a flag in several ways.
fn written(values: &[&str]) -> Vec<Value> {
    values
        .iter()
        .flat_map(|value| match *value {
            "1" => vec![json!(1), json!(true), json!("1"), json!("true")],
            word => vec![json!(word)],
        })
        .collect()
}
