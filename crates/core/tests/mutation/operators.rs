//! Ways to break a zap: one table. A zap is broken as a document, which is written as JSON, for that is YAML too.

use regex::Regex;
use serde_json::Value;
use zaprun_core::crm::{ENDPOINTS, Given, Rule};

/// What kind of mistake a break is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A name that is read or written is misspelt: a field, a step, a key, a word of the language.
    Name,
    /// A filter is misspelt.
    Filter,
    /// A `default` is gone.
    Default,
    /// A part is gone that its place needs: a key of a trigger or an action, a parameter that the endpoint demands.
    Needed,
    /// A value has another type, where its place has a description, or where it is computed.
    Type,
    /// A member of a body, a query or headers is gone or has another type: nobody but the target knows what it takes.
    Free,
    /// It means something else, and is as good a zap as before: another comparison, constant, path or field.
    Meaning,
}

impl Class {
    pub(crate) const ALL: [Class; 7] =
        [Class::Name, Class::Filter, Class::Default, Class::Needed, Class::Type, Class::Free, Class::Meaning];

    /// Whether what is broken can be told without knowing what was meant.
    pub(crate) fn is_typed(self) -> bool {
        !matches!(self, Class::Free | Class::Meaning)
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Class::Name => "a name is misspelt",
            Class::Filter => "a filter is misspelt",
            Class::Default => "a `default` is gone",
            Class::Needed => "a needed part is gone",
            Class::Type => "a type is another",
            Class::Free => "a member of a free body is gone or of another type",
            Class::Meaning => "it means something else",
        }
    }
}

/// A broken zap.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) class: Class,
    /// Where, and what was done.
    pub(crate) what: String,
    pub(crate) text: String,
}

/// Keys of a zap that are not broken: tests say what is meant, and names and words for people mean nothing to a run.
const LEFT_ALONE: [&str; 6] = ["tests", "properties", "name", "description", "enabled", "formerly"];

/// What a place within a zap is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Keys that have a description: of the trigger, of an action, of `map` and `by`.
    Described,
    /// A body, a query, headers, `let`.
    Free,
    /// `filter`, `when` and the like.
    Condition,
}

/// Every break of a zap, each once.
pub(crate) fn all(document: &Value) -> Vec<Mutant> {
    let mut made = Vec::new();
    let Value::Object(whole) = document else { return made };
    for (key, value) in whole.iter().filter(|(key, _)| !LEFT_ALONE.contains(&key.as_str())) {
        let mut maker = Maker { document, made: &mut made };
        maker.key(&format!("/{key}"), key, part_of(key, Part::Described), value);
        maker.value(&format!("/{key}"), part_of(key, Part::Described), value);
    }
    let mut seen = std::collections::HashSet::new();
    made.retain(|mutant| seen.insert(mutant.text.clone()));
    made
}

fn part_of(key: &str, around: Part) -> Part {
    match key {
        "json" | "form" | "query" | "headers" | "text" | "let" => Part::Free,
        "filter" | "when" | "unless" | "stop_if" | "success" | "match" | "$if" | "each" => Part::Condition,
        _ => around,
    }
}

struct Maker<'a> {
    document: &'a Value,
    made: &'a mut Vec<Mutant>,
}

impl Maker<'_> {
    fn push(&mut self, class: Class, at: &str, what: &str, change: impl FnOnce(&mut Value)) {
        let mut document = self.document.clone();
        change(&mut document);
        if document != *self.document {
            let what = format!("{at}: {what}");
            self.made.push(Mutant { class, what, text: document.to_string() });
        }
    }

    fn instead(&mut self, class: Class, at: &str, what: &str, value: Value) {
        self.push(class, at, what, |document| {
            if let Some(place) = document.pointer_mut(at) {
                *place = value;
            }
        });
    }

    /// Breaks a key: it is gone, or misspelt.
    fn key(&mut self, at: &str, key: &str, part: Part, value: &Value) {
        let class = match part {
            // Of a choice the whole is a value; without its parts it is none.
            _ if ["$if", "$then", "$each", "$map"].contains(&key) => Class::Needed,
            Part::Described if is_needed(self.document, at, key) => Class::Needed,
            Part::Free if !is_own(at) => Class::Free,
            _ => Class::Meaning,
        };
        self.push(class, at, "gone", |document| drop(taken(document, at)));
        let part = if key.starts_with('$') { Part::Described } else { part };
        let misspelt = misspelt(key);
        let class = if part == Part::Free && !is_own(at) { Class::Free } else { Class::Name };
        self.push(class, at, &format!("called `{misspelt}`"), |document| {
            let Some((parent, _)) = at.rsplit_once('/') else { return };
            if let Some(Value::Object(members)) = document.pointer_mut(parent) {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(name, value)| (if name == key { misspelt.clone() } else { name }, value))
                    .collect();
            }
        });
        if let (Some(then), "$then") = (value.as_str().map(|_| value.clone()), key) {
            let Some((parent, _)) = at.rsplit_once('/') else { return };
            self.push(Class::Needed, parent, "always, without `$if`", |document| {
                if let Some(choice) = document.pointer_mut(parent) {
                    *choice = then;
                }
            });
        }
    }

    fn value(&mut self, at: &str, part: Part, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, inner) in members {
                    // Ids and paths of webhooks are names that mean nothing by themselves.
                    let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    let part = part_of(key, part);
                    self.key(&place, key, part, inner);
                    self.value(&place, part, inner);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    let place = format!("{at}/{index}");
                    let class = if part == Part::Free { Class::Free } else { Class::Meaning };
                    self.push(class, &place, "gone", |document| drop(taken(document, &place)));
                    self.value(&place, part, inner);
                }
            }
            Value::String(text) if is_code(text) => self.code(at, part, text),
            constant => self.constant(at, part, constant),
        }
    }

    /// Breaks a constant: its type, and what it says.
    fn constant(&mut self, at: &str, part: Part, value: &Value) {
        let typed = if part == Part::Free { Class::Free } else { Class::Type };
        let (other, word) = match value {
            Value::String(text) => (Value::from(7), Some(misspelt(text))),
            Value::Bool(_) => (Value::from("perhaps"), None),
            _ => (Value::from("several"), None),
        };
        self.instead(typed, at, &format!("{other} instead of {value}"), other);
        self.instead(typed, at, "in a list", Value::from(vec![value.clone()]));
        if let Value::Bool(truth) = value {
            self.instead(Class::Meaning, at, "the other truth", Value::from(!truth));
        }
        if let Some(word) = word.filter(|word| !word.is_empty()) {
            // A word of a described place is one of a few, or a name.
            let key = at.rsplit('/').next().unwrap_or_default();
            let class = if WORDS.contains(&key) { Class::Name } else { Class::Meaning };
            self.instead(class, at, &format!("`{word}`"), Value::from(word));
        }
    }

    /// Breaks an expression, a template or a path.
    fn code(&mut self, at: &str, in_body: Part, text: &str) {
        for (class, pattern, what, by) in REWRITES {
            let pattern = Regex::new(pattern).unwrap();
            for found in pattern.captures_iter(text) {
                let (whole, part) = (found.get(0).unwrap(), found.get(1).unwrap());
                let Some(instead) = by(part.as_str()) else { continue };
                let new = format!("{}{instead}{}", &text[..part.start()], &text[part.end()..]);
                let shown = format!("{what} `{}`", whole.as_str().trim());
                // Of a free body nobody knows the types.
                let class = if *class == Class::Type && in_body == Part::Free { Class::Free } else { *class };
                self.instead(class, at, &shown, Value::from(new));
            }
        }
        if in_body != Part::Condition {
            let class = if in_body == Part::Free { Class::Free } else { Class::Type };
            self.instead(class, at, "in a list", Value::from(vec![text]));
        }
    }
}

/// Keys whose words come from a list, or name something of the project.
const WORDS: [&str; 13] = [
    "type",
    "connection",
    "order_type",
    "transaction_type",
    "find",
    "expect",
    "method",
    "every",
    "start",
    "settle",
    "delay",
    "on_uncertain",
    "correlate_in",
];

/// Keys that a trigger or an action cannot be without.
const NEEDED: [&str; 14] = [
    "trigger",
    "actions",
    "type",
    "connection",
    "order_type",
    "transaction_type",
    "key",
    "items",
    "id",
    "map",
    "find",
    "by",
    "cron",
    "timezone",
];

/// Whether the key is one of an action or a trigger itself: `/actions/0/json`, `/let`.
fn is_own(at: &str) -> bool {
    let parts: Vec<&str> = at.split('/').skip(1).collect();
    matches!(parts.as_slice(), [_] | ["trigger", _] | ["actions" | "on_failure", _, _])
}

/// Whether the key's place needs it, by what is written about the place.
fn is_needed(document: &Value, at: &str, key: &str) -> bool {
    if is_own(at) {
        let webhook = document.pointer("/trigger/type").and_then(Value::as_str) == Some("webhook");
        return NEEDED.contains(&key) || (at == "/trigger/path" && webhook);
    }
    let Some((map, _)) = at.rsplit_once('/') else { return false };
    let Some(action) = map.strip_suffix("/map") else { return false };
    let kind = document.pointer(&format!("{action}/type")).and_then(Value::as_str).unwrap_or_default();
    let Some(endpoint) = ENDPOINTS.iter().find(|endpoint| endpoint.action == kind) else { return false };
    let given = |name: &str| document.pointer(&format!("{map}/{name}")).filter(|_| name != key);
    let holds = |condition: &Given| match condition {
        Given::Param(name) => given(name).is_some(),
        Given::Value(name, values) => match given(name) {
            Some(Value::Bool(truth)) => *truth && values.contains(&"1"),
            Some(Value::String(word)) => values.contains(&word.as_str()),
            _ => false,
        },
    };
    endpoint.rules.iter().any(|rule| match rule {
        Rule::Required(needs) => needs.contains(&key),
        Rule::AnyOf(names) => names.contains(&key) && !names.iter().any(|name| given(name).is_some()),
        Rule::RequiredIf { given, needs } => needs.contains(&key) && holds(given),
        Rule::RequiredUnless { given, needs } => needs.contains(&key) && !given.iter().any(holds),
        Rule::Numbered(anchor) => key == anchor.replacen("N_", "1_", 1),
        Rule::AtMostOne(_) | Rule::StateOf { .. } => false,
    })
}

type Rewrite = (Class, &'static str, &'static str, fn(&str) -> Option<String>);

/// Breaks within code: what is found, of which the first group is replaced.
const REWRITES: &[Rewrite] = &[
    (Class::Name, r"\b(?:record|item|row)\.(\w+)", "misspelt", |name| Some(misspelt(name))),
    (Class::Name, r"\b(?:steps|let|vars|event|connection|failure)\.(\w+)", "misspelt", |name| {
        Some(misspelt(name))
    }),
    (Class::Name, r"\b(record|steps|let|vars|connection|item|failure)[.\[]", "misspelt", |name| {
        Some(misspelt(name))
    }),
    (Class::Name, r"\.(response|rows|row|body|outcome)\b", "misspelt", |name| Some(misspelt(name))),
    (Class::Name, r"^\$\.(\w+)", "misspelt", |name| Some(misspelt(name))),
    (Class::Filter, r"\|\s*(\w+)", "misspelt", |name| Some(misspelt(name))),
    (Class::Default, r"(\s*\|\s*default\((?:[^()']|'[^']*')*\))", "gone", |_| Some(String::new())),
    (
        Class::Type,
        r"(\s*\|\s*(?:number|datetime|money|date_format|join|map)(?:\((?:[^()]|\([^()]*\))*\))?)",
        "gone",
        |_| Some(String::new()),
    ),
    (
        Class::Meaning,
        r"(\s*\|\s*(?:date_add|norm_email|lower|upper|trim|select|truncate_chars)(?:\([^()]*\))?)",
        "gone",
        |_| Some(String::new()),
    ),
    (Class::Meaning, r"(==|!=|>=|<=|>|<|\bnot in\b)", "another comparison for", |sign| {
        Some(
            match sign {
                "==" => "!=",
                "!=" => "==",
                ">=" => "<",
                "<=" => ">",
                ">" => "<=",
                "<" => ">=",
                _ => "in",
            }
            .to_owned(),
        )
    }),
    (Class::Meaning, r"\b(and|or)\b", "another connective for", |word| {
        Some(if word == "and" { "or" } else { "and" }.to_owned())
    }),
    (Class::Meaning, r"'([^']+)'", "another text for", |text| Some(format!("{text}x"))),
    (Class::Meaning, r"\b(?:>=|<=|==|>|<)\s*(\d+)", "another number for", |number| {
        Some(format!("{number}7"))
    }),
    (Class::Meaning, r"\brecord\.(firstName|lastName|shipFirstName)\b", "another field for", |_| {
        Some("campaignName".to_owned())
    }),
    (Class::Meaning, r"\bsteps\.(sale|lead)\b", "another step for", |step| {
        Some(if step == "sale" { "refund" } else { "sale" }.to_owned())
    }),
];

fn is_code(text: &str) -> bool {
    text.contains("{{") || text.starts_with("$.") || text.starts_with("$[")
}

/// The last letter is gone, or doubled where there is one only.
fn misspelt(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    match letters.as_slice() {
        [] => {}
        [only] => letters.push(*only),
        _ => drop(letters.pop()),
    }
    letters.into_iter().collect()
}

fn taken(document: &mut Value, at: &str) -> Option<Value> {
    let (parent, key) = at.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(members) => members.shift_remove(&key.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => Some(items.remove(key.parse().ok()?)),
        _ => None,
    }
}
