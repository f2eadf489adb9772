//! Parameters of filters and tests, and the arguments of one call.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Span;
use jiff::tz::TimeZone;
use regex::Regex;

use super::FilterSpec;
use crate::diagnostic::did_you_mean;
use crate::expression::budget::Budget;
use crate::expression::problem::Fault;
use crate::expression::tests_table::TestSpec;
use crate::expression::{Key, Settings};
use crate::path::JsonPath;
use crate::table::Table;
use crate::value::{Decimal, Kind, Value};

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name, as `name=value` uses it.
    pub name: &'static str,
    /// What it takes.
    pub ty: ParamType,
    /// What it is when it is not given.
    pub fallback: Fallback,
    /// Meaning in a few words.
    pub doc: &'static str,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Any value.
    Any,
    /// Any value, also nothing.
    Missing,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Bool,
    /// A list.
    List,
    /// A member's name, or several with dots between.
    Attribute,
    /// A regular expression.
    Pattern,
    /// A JSONPath.
    Path,
    /// The name of a time zone.
    Zone,
    /// A duration with its units, such as `3d` or `-90m`.
    Duration,
    /// A strftime pattern.
    DateFormat,
    /// An ISO 4217 code.
    Currency,
    /// A country, by the two letters of ISO 3166.
    Region,
    /// The name of a look-up table, written as it is.
    Table,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl ParamType {
    /// What it takes, in words.
    pub fn words(self) -> &'static str {
        match self {
            ParamType::Any => "any value",
            ParamType::Missing => "any value, also none",
            ParamType::Text => "text",
            ParamType::Number => "number",
            ParamType::Whole => "whole number",
            ParamType::Bool => "true or false",
            ParamType::List => "list",
            ParamType::Attribute => "name of a member, with dots between several",
            ParamType::Pattern => "regular expression",
            ParamType::Path => "JSONPath",
            ParamType::Zone => "time zone",
            ParamType::Duration => "duration",
            ParamType::DateFormat => "strftime pattern",
            ParamType::Currency => "ISO 4217 code",
            ParamType::Region => "ISO 3166 code",
            ParamType::Table => "name of a table",
            ParamType::Choice(_) => "one of its words",
        }
    }
}

/// What a parameter is when it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// It must be given.
    Required,
    /// Nothing.
    Nothing,
    /// A text.
    Text(&'static str),
    /// A whole number.
    Whole(i64),
    /// A truth value.
    Bool(bool),
}

/// Shorthand of the tables.
pub(crate) const fn param(name: &'static str, ty: ParamType, fallback: Fallback, doc: &'static str) -> Param {
    Param { name, ty, fallback, doc }
}

/// The compiled form of an argument.
#[derive(Debug, Clone)]
pub(crate) enum Ready {
    Attribute(Attribute),
    Pattern(Regex),
    Path(JsonPath),
    Zone(TimeZone),
    Duration(Span),
    Table(Arc<Table>),
}

/// Steps to a member.
#[derive(Debug, Clone)]
pub(crate) struct Attribute(pub(crate) Vec<Key>);

impl Attribute {
    fn parse(text: &str) -> Self {
        let key = |part: &str| match part.parse::<i64>() {
            Ok(at) => Key::At(at),
            Err(_) => Key::Name(Arc::from(part)),
        };
        Attribute(text.split('.').map(key).collect())
    }

    /// As it was written.
    pub(crate) fn label(&self) -> String {
        let part = |key: &Key| match key {
            Key::Name(name) => name.to_string(),
            Key::At(at) => at.to_string(),
        };
        self.0.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// The member of `item`; what is absent is given as such.
    pub(crate) fn of<'v>(&self, item: &'v Value) -> Result<&'v Value, Fault> {
        crate::expression::walk(item, &self.0)
            .map_err(|kind| Fault::new(format!("an item is {kind} and has no member `{}`", self.label())))
    }

    /// The member of `item`, which must be there.
    pub(crate) fn present<'v>(&self, item: &'v Value) -> Result<&'v Value, Fault> {
        let value = self.of(item)?;
        if value.is_missing() {
            Err(Fault::new(format!("`{}` of an item is missing", self.label())))
        } else {
            Ok(value)
        }
    }
}

/// Checks an argument against its parameter and compiles it where that is worth it. Constants pass here once, when
/// the expression is compiled.
pub(crate) fn prepare(param: &Param, value: &Value) -> Result<Option<Ready>, Fault> {
    let name = param.name;
    let expected = match param.ty {
        ParamType::Missing => return Ok(None),
        _ if value.is_missing() => return Err(Fault::new(format!("argument `{name}` is missing"))),
        ParamType::Any => return Ok(None),
        ParamType::Number => Kind::Number,
        ParamType::Bool => Kind::Bool,
        ParamType::List => Kind::List,
        ParamType::Whole => return whole(name, value).map(|_| None),
        ParamType::Attribute => return attribute(name, value).map(Some),
        _ => Kind::Text,
    };
    if value.kind() != expected {
        return Err(Fault::new(format!("argument `{name}` must be {expected}, not {}", value.kind())));
    }
    let Some(text) = value.as_text() else { return Ok(None) };
    match param.ty {
        ParamType::Pattern => pattern(name, text).map(|pattern| Some(Ready::Pattern(pattern))),
        ParamType::Path => {
            JsonPath::parse(text).map(|path| Some(Ready::Path(path))).map_err(|problem| Fault {
                message: format!("argument `{name}`: {}", problem.message),
                help: problem.help,
                value: None,
            })
        }
        ParamType::Zone => zone(text).map(|zone| Some(Ready::Zone(zone))),
        ParamType::Duration => super::time::parse_duration(text).map(|span| Some(Ready::Duration(span))),
        ParamType::DateFormat => super::time::check_format(text).map(|()| None),
        ParamType::Region => super::phone::region(text).map(|_| None),
        ParamType::Currency => super::money::check_currency(text).map(|()| None),
        ParamType::Choice(words) if !words.contains(&text) => {
            let fault = Fault::new(format!("argument `{name}` must be one of {}", words.join(", ")));
            Err(match did_you_mean(text, words.iter().copied()) {
                Some(likely) => fault.help(format!("did you mean `{likely}`?")),
                None => fault,
            })
        }
        _ => Ok(None),
    }
}

fn whole(name: &str, value: &Value) -> Result<i64, Fault> {
    let number = value.as_number().and_then(Decimal::to_i64);
    number
        .ok_or_else(|| Fault::new(format!("argument `{name}` must be a whole number, not {}", value.kind())))
}

fn attribute(name: &str, value: &Value) -> Result<Ready, Fault> {
    match value {
        Value::Text(text) => Ok(Ready::Attribute(Attribute::parse(text))),
        _ => Ok(Ready::Attribute(Attribute(vec![Key::At(whole(name, value)?)]))),
    }
}

/// Patterns are linear in time by construction; the size bounds their memory.
fn pattern(name: &str, text: &str) -> Result<Regex, Fault> {
    regex::RegexBuilder::new(text).size_limit(256 * 1024).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        Fault::new(format!("argument `{name}` is no regular expression: {reason}"))
    })
}

fn zone(text: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(text).map_err(|_| {
        Fault::new("there is no such time zone").value(text).help("write it as `America/New_York` or `UTC`")
    })
}

/// One argument of a call.
pub(crate) struct Arg<'a> {
    pub(crate) value: Cow<'a, Value>,
    pub(crate) ready: Option<Cow<'a, Ready>>,
}

/// What `map`, `select` and their like apply to each item.
pub(crate) enum Inner<'a> {
    Filter(&'static FilterSpec, Box<Call<'a>>),
    Test(&'static TestSpec, Box<Call<'a>>),
}

/// One call of a filter or test: its arguments, checked, and what evaluation knows.
pub(crate) struct Call<'a> {
    pub(crate) params: &'static [Param],
    pub(crate) args: Vec<Option<Arg<'a>>>,
    pub(crate) inner: Option<Inner<'a>>,
    pub(crate) settings: &'a Settings,
    pub(crate) budget: &'a Budget,
}

impl<'a> Call<'a> {
    fn arg(&self, at: usize) -> Option<&Arg<'a>> {
        self.args.get(at).and_then(Option::as_ref)
    }

    fn fallback(&self, at: usize) -> Fallback {
        self.params.get(at).map_or(Fallback::Nothing, |param| param.fallback)
    }

    /// The value given.
    pub(crate) fn value(&self, at: usize) -> Option<&Value> {
        self.arg(at).map(|arg| &*arg.value)
    }

    /// The text given, or the parameter's own; the empty text where neither is.
    pub(crate) fn text(&self, at: usize) -> &str {
        match (self.value(at).and_then(Value::as_text), self.fallback(at)) {
            (Some(text), _) | (None, Fallback::Text(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn given_text(&self, at: usize) -> Option<&str> {
        self.value(at).and_then(Value::as_text)
    }

    /// The whole number given, or the parameter's own; zero where neither is.
    pub(crate) fn whole(&self, at: usize) -> i64 {
        match (self.value(at).and_then(Value::as_number).and_then(Decimal::to_i64), self.fallback(at)) {
            (Some(number), _) | (None, Fallback::Whole(number)) => number,
            _ => 0,
        }
    }

    pub(crate) fn given_whole(&self, at: usize) -> Option<i64> {
        self.value(at).and_then(Value::as_number).and_then(Decimal::to_i64)
    }

    /// The flag given, or the parameter's own; `false` where neither is.
    pub(crate) fn flag(&self, at: usize) -> bool {
        match (self.value(at).and_then(Value::as_bool), self.fallback(at)) {
            (Some(flag), _) | (None, Fallback::Bool(flag)) => flag,
            _ => false,
        }
    }

    fn ready(&self, at: usize) -> Option<&Ready> {
        self.arg(at).and_then(|arg| arg.ready.as_deref())
    }

    pub(crate) fn attribute(&self, at: usize) -> Option<&Attribute> {
        if let Some(Ready::Attribute(attribute)) = self.ready(at) { Some(attribute) } else { None }
    }

    /// A required pattern.
    pub(crate) fn pattern(&self, at: usize) -> Result<&Regex, Fault> {
        if let Some(Ready::Pattern(pattern)) = self.ready(at) { Ok(pattern) } else { Err(self.not_given(at)) }
    }

    /// A required path.
    pub(crate) fn path(&self, at: usize) -> Result<&JsonPath, Fault> {
        if let Some(Ready::Path(path)) = self.ready(at) { Ok(path) } else { Err(self.not_given(at)) }
    }

    /// A required duration.
    pub(crate) fn duration(&self, at: usize) -> Result<Span, Fault> {
        if let Some(Ready::Duration(span)) = self.ready(at) { Ok(*span) } else { Err(self.not_given(at)) }
    }

    /// The zone given, or the account's.
    pub(crate) fn zone(&self, at: usize) -> &TimeZone {
        if let Some(Ready::Zone(zone)) = self.ready(at) { zone } else { &self.settings.zone }
    }

    /// The currency given, or the account's.
    pub(crate) fn currency(&self, at: usize) -> &str {
        self.given_text(at).unwrap_or(&self.settings.currency)
    }

    /// A required table.
    pub(crate) fn table(&self, at: usize) -> Result<&Table, Fault> {
        if let Some(Ready::Table(table)) = self.ready(at) { Ok(table) } else { Err(self.not_given(at)) }
    }

    fn not_given(&self, at: usize) -> Fault {
        let name = self.params.get(at).map_or("?", |param| param.name);
        Fault::new(format!("argument `{name}` is not given"))
    }

    /// Applies the inner filter to an item.
    pub(crate) fn apply(&self, item: &Value) -> Result<Value, Fault> {
        match &self.inner {
            Some(Inner::Filter(spec, call)) => {
                super::run(spec, call, item).map_err(|fault| named(spec.name, fault))
            }
            _ => Ok(item.clone()),
        }
    }

    /// Whether an item passes the inner test; without one, whether it counts as true.
    pub(crate) fn passes(&self, item: &Value) -> Result<bool, Fault> {
        match &self.inner {
            Some(Inner::Test(spec, call)) => {
                crate::expression::tests_table::run(spec, call, item).map_err(|fault| named(spec.name, fault))
            }
            _ => crate::expression::ops::truth(item)
                .ok_or_else(|| Fault::new("a member of an item is missing")),
        }
    }
}

fn named(name: &str, fault: Fault) -> Fault {
    Fault { message: format!("`{name}`: {}", fault.message), ..fault }
}
