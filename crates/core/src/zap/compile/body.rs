//! A body against the schema of what the receiver takes: what is the same for every record by the schema itself, what is
//! not by its type.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, code, did_you_mean};
use crate::expression::{Shape, Type};
use crate::mapping::{Compiler, Form, Mapping};
use crate::outline::{Place, Schema, Why, Wrong};
use crate::source::Span;
use crate::value::Kind as ValueKind;

/// So many members are named in a finding.
const FEW: usize = 5;

type Members = [(Arc<str>, Type)];

/// Checks a body against its schema.
pub(super) fn check(compiler: &mut Compiler<'_>, body: &Mapping, schema: &Schema) {
    let what = "the body".to_owned();
    Wanted { of: &schema.of, place: schema.top(), what }.check(compiler, body);
}

/// What is wanted at one place of a body.
struct Wanted<'s> {
    of: &'s Type,
    place: Place<'s>,
    /// How it is called.
    what: String,
}

impl<'s> Wanted<'s> {
    fn check(&self, compiler: &mut Compiler<'_>, body: &Mapping) {
        match body.form() {
            Form::Fixed(value) => self.fixed(compiler, body, &value),
            Form::Either(then, otherwise) => {
                self.check(compiler, then);
                otherwise.into_iter().for_each(|otherwise| self.check(compiler, otherwise));
            }
            Form::Object(members, drop_null) => match &self.of.shape {
                Shape::Members(want) => self.members(compiler, body, members, (want, false), drop_null),
                Shape::Open(want) => self.members(compiler, body, members, (want, true), drop_null),
                _ => self.kinds(compiler, body, &body.of()),
            },
            Form::List(items) => match &self.of.shape {
                Shape::List(want) => {
                    let item = self.item(want);
                    items.iter().for_each(|mapping| item.check(compiler, mapping));
                }
                _ => self.kinds(compiler, body, &body.of()),
            },
            Form::Each(element) => match &self.of.shape {
                Shape::List(want) => self.item(want).check(compiler, element),
                _ => self.kinds(compiler, body, &body.of()),
            },
            Form::Open(of, is_path) => {
                if is_path && of.may_be_null() && !self.takes_null() {
                    let message = format!("{} may be null, which its schema does not take", self.what);
                    let help = "write `{{ … | default(…) }}`, or `$drop_null: true` beside it";
                    let at = place(compiler, body);
                    report(compiler, at, Severity::Warning, message, Some(help.to_owned()));
                }
                self.open(compiler, body, &of);
            }
        }
    }

    fn takes_null(&self) -> bool {
        self.of.may_be_null() || matches!(self.of.shape, Shape::Any)
    }

    fn item(&self, want: &'s Type) -> Wanted<'s> {
        Wanted { of: want, place: self.place.items(), what: "an item".to_owned() }
    }

    fn member(&self, name: &str, want: &'s Type) -> Wanted<'s> {
        Wanted { of: want, place: self.place.member(name), what: format!("`{name}`") }
    }

    /// Members that are written out.
    fn members(
        &self,
        compiler: &mut Compiler<'_>,
        body: &Mapping,
        have: &[(Arc<str>, Mapping)],
        (want, open): (&'s Members, bool),
        drop_null: bool,
    ) {
        for (name, wanted) in want.iter().filter(|(_, wanted)| !wanted.may_be_left_out()) {
            if !have.iter().any(|(known, _)| known == name) {
                self.lacks(compiler, body, name, Some(wanted));
            }
        }
        for (name, mapping) in have {
            let key = key(compiler, body, name).unwrap_or_else(|| place(compiler, mapping));
            match want.iter().find(|(known, _)| known == name) {
                Some((_, wanted)) => {
                    let of = mapping.of();
                    let path = matches!(mapping.form(), Form::Open(_, true));
                    // A path to what need not be there gives the run up, which is told already.
                    let left_out = of.may_be_left_out() && !path || drop_null && of.may_be_null();
                    if left_out && !wanted.may_be_left_out() {
                        let message = format!("`{name}` may be left out, and {} needs it", self.what);
                        let help = "write a value for the other case: `$else:`, `| default(…)`";
                        report(compiler, key, Severity::Warning, message, Some(help.to_owned()));
                    }
                    let wanted = self.member(name, wanted);
                    match drop_null {
                        // What is null is left out.
                        true => wanted.check_but_for_null(compiler, mapping),
                        false => wanted.check(compiler, mapping),
                    }
                }
                None if open => {}
                None => self.takes_no(compiler, key, name, want),
            }
        }
    }

    fn check_but_for_null(&self, compiler: &mut Compiler<'_>, body: &Mapping) {
        match body.form() {
            Form::Fixed(serde_json::Value::Null) => {}
            Form::Open(of, _) => self.open(compiler, body, &of),
            _ => self.check(compiler, body),
        }
    }

    fn lacks(&self, compiler: &mut Compiler<'_>, body: &Mapping, name: &str, wanted: Option<&Type>) {
        let words = wanted
            .and_then(|wanted| wanted.kind())
            .map_or("a value".to_owned(), |kind| kind.words().to_owned());
        let at = place(compiler, body);
        let message = format!("{} needs `{name}`", self.what);
        report(compiler, at, Severity::Error, message, Some(format!("add `{name}:`, {words}")));
    }

    fn takes_no(&self, compiler: &mut Compiler<'_>, at: Span, name: &str, want: &Members) {
        let likely = did_you_mean(name, want.iter().map(|(known, _)| &**known));
        let help = likely.map(|likely| format!("did you mean `{likely}`?"));
        report(compiler, at, Severity::Error, format!("{} takes no `{name}`", self.what), help);
    }

    /// What is the same for every record: the schema itself tells.
    fn fixed(&self, compiler: &mut Compiler<'_>, body: &Mapping, value: &serde_json::Value) {
        let wrong = self.place.wrong(value);
        if wrong.is_empty() && matches!(self.of.shape, Shape::Scalar(_)) {
            // The place may not be known where several schemas meet; the kinds are.
            if !value.is_null() {
                self.open(compiler, body, &body.of());
            }
        }
        for wrong in &wrong {
            self.one(compiler, body, wrong);
        }
        self.unnamed(compiler, body, value);
    }

    fn one(&self, compiler: &mut Compiler<'_>, body: &Mapping, wrong: &Wrong) {
        let part = body.part_at(&wrong.pointer);
        let what = match wrong.pointer.rsplit('/').next() {
            Some(name) if !name.is_empty() && name.parse::<usize>().is_err() => {
                format!("`{}`", name.replace("~1", "/").replace("~0", "~"))
            }
            Some(number) if !number.is_empty() => "an item".to_owned(),
            _ => self.what.clone(),
        };
        let at = place(compiler, part);
        let is = said(&wrong.value);
        let (message, help) = match &wrong.why {
            Why::Kind(kinds) => {
                let help = match (&wrong.value, kinds.as_slice()) {
                    (serde_json::Value::Number(_) | serde_json::Value::Bool(_), [only])
                        if only == "string" =>
                    {
                        Some("write it in quotes".to_owned())
                    }
                    _ => None,
                };
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind_words(kind)).collect();
                (format!("{what} must be {}, and this is {is}", kinds.join(" or ")), help)
            }
            Why::Lacks(name) => {
                let wanted = Wanted { of: self.of, place: self.place.clone(), what };
                return wanted.lacks(compiler, part, name, None);
            }
            Why::Takes(names) => {
                // Told with those that the schema only does not name.
                if wrong.pointer.is_empty() || names.is_empty() {
                    return;
                }
                (format!("{what} takes no `{}`", names.join("`, `")), None)
            }
            Why::NoneOf(options) => {
                let shown: Vec<String> =
                    options.iter().take(FEW * 4).map(|one| format!("`{}`", bare(one))).collect();
                (
                    format!("{what} cannot be `{}`", bare(&wrong.value)),
                    Some(format!("it is one of {}", shown.join(", "))),
                )
            }
            Why::Longer(most) => {
                let length = wrong.value.as_str().map_or(0, |text| text.chars().count());
                let message = format!("{what} takes {most} characters, and this has at least {length}");
                (message, Some(format!("write `| truncate_chars({most})`")))
            }
            Why::Other(why) => (format!("{what} is not what its schema takes: {why}"), None),
        };
        report(compiler, at, Severity::Error, message, help);
    }

    /// Members that the schema does not name, which it is taken not to mean.
    fn unnamed(&self, compiler: &mut Compiler<'_>, body: &Mapping, value: &serde_json::Value) {
        match (&self.of.shape, value) {
            (Shape::Members(want) | Shape::Open(want), serde_json::Value::Object(have)) => {
                let open = matches!(self.of.shape, Shape::Open(_));
                for (name, value) in have {
                    let part = body.part_at(&format!("/{}", name.replace('~', "~0").replace('/', "~1")));
                    match want.iter().find(|(known, _)| **known == **name) {
                        Some((_, wanted)) => self.member(name, wanted).unnamed(compiler, part, value),
                        None if open => {}
                        None => {
                            let at = key(compiler, body, name).unwrap_or_else(|| place(compiler, part));
                            self.takes_no(compiler, at, name, want);
                        }
                    }
                }
            }
            (Shape::List(want), serde_json::Value::Array(items)) => {
                let item = self.item(want);
                for (at, value) in items.iter().enumerate() {
                    item.unnamed(compiler, body.part_at(&format!("/{at}")), value);
                }
            }
            _ => {}
        }
    }

    /// What depends on the record.
    fn open(&self, compiler: &mut Compiler<'_>, body: &Mapping, of: &Type) {
        match (&of.shape, &self.of.shape) {
            (_, Shape::Any) | (Shape::Any, _) => {}
            (Shape::List(have), Shape::List(want)) => self.item(want).open(compiler, body, have),
            (Shape::Members(have), Shape::Members(want) | Shape::Open(want)) => {
                let needed = want.iter().filter(|(_, wanted)| !wanted.may_be_left_out());
                for (name, wanted) in needed {
                    if !have.iter().any(|(known, _)| known == name) {
                        self.lacks(compiler, body, name, Some(wanted));
                    }
                }
                for (name, of) in have.iter() {
                    if let Some((_, wanted)) = want.iter().find(|(known, _)| known == name) {
                        self.member(name, wanted).open(compiler, body, of);
                    }
                }
            }
            (Shape::Record(schema) | Shape::Item(schema), Shape::Members(want) | Shape::Open(want)) => {
                let has = |name: &str| {
                    schema.field(name).is_some() || matches!(of.shape, Shape::Item(_)) && name == "key"
                };
                let needed = want.iter().filter(|(_, wanted)| !wanted.may_be_left_out());
                for (name, wanted) in needed.filter(|(name, _)| !has(name)) {
                    self.lacks(compiler, body, name, Some(wanted));
                }
            }
            _ => self.kinds(compiler, body, of),
        }
    }

    fn kinds(&self, compiler: &mut Compiler<'_>, body: &Mapping, of: &Type) {
        let (Some(kind), Some(wanted)) = (of.kind(), self.of.kind()) else { return };
        let at = place(compiler, body);
        // An instant leaves as text.
        let kind = if kind == ValueKind::Instant { ValueKind::Text } else { kind };
        if kind != wanted {
            let help = match (kind, wanted) {
                (ValueKind::Text, ValueKind::Number) => Some("convert it: `| number`".to_owned()),
                (ValueKind::Number | ValueKind::Bool, ValueKind::Text) => {
                    Some("convert it: `| string`".to_owned())
                }
                _ => None,
            };
            let message = format!("{} must be {wanted}, and this is {kind}", self.what);
            return report(compiler, at, Severity::Error, message, help);
        }
        self.text(compiler, at, of);
    }

    /// Words and lengths.
    fn text(&self, compiler: &mut Compiler<'_>, at: Span, of: &Type) {
        let what = &self.what;
        if let (Some(words), Some(allowed)) = (&of.text.words, &self.of.text.words) {
            let refused: Vec<&str> =
                words.iter().filter(|word| !allowed.contains(word)).map(|word| &**word).collect();
            let severity = if refused.len() == words.len() { Severity::Error } else { Severity::Warning };
            if !refused.is_empty() {
                let allowed = allowed.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
                let message = format!("{what} cannot be `{}`", refused.join("`, `"));
                report(compiler, at, severity, message, Some(format!("it is one of {allowed}")));
            }
        }
        let Some(most) = self.of.text.max else { return };
        let help = Some(format!("write `| truncate_chars({most})`"));
        if of.text.min > most {
            let message = format!("{what} takes {most} characters, and this has at least {}", of.text.min);
            report(compiler, at, Severity::Error, message, help);
        } else if let Some(max) = of.text.max.filter(|max| *max > most) {
            let message = format!("{what} takes {most} characters, and this may have {max}");
            report(compiler, at, Severity::Warning, message, help);
        }
    }
}

fn report(compiler: &mut Compiler<'_>, at: Span, severity: Severity, message: String, help: Option<String>) {
    let finding = Diagnostic::new(&code::BODY_MISMATCH, message).maybe_help(help).at(at);
    compiler.report(Diagnostic { severity, ..finding });
}

fn place(compiler: &Compiler<'_>, body: &Mapping) -> Span {
    super::params::head(compiler.tree, body.written_at())
}

/// Where the key of a member is written.
fn key(compiler: &Compiler<'_>, body: &Mapping, name: &str) -> Option<Span> {
    compiler.tree.entry(body.written_at(), name).map(|entry| entry.key_span)
}

/// A kind as a schema calls it, in the words of the others.
fn kind_words(kind: &str) -> &str {
    match kind {
        "string" => ValueKind::Text.words(),
        "number" => ValueKind::Number.words(),
        "integer" => "a whole number",
        "boolean" => ValueKind::Bool.words(),
        "array" => ValueKind::List.words(),
        "object" => ValueKind::Object.words(),
        other => other,
    }
}

/// What a value is, in a word.
fn said(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "null".to_owned(),
        serde_json::Value::Bool(_) => ValueKind::Bool.to_string(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(_) => ValueKind::Text.to_string(),
        serde_json::Value::Array(_) => ValueKind::List.to_string(),
        serde_json::Value::Object(_) => ValueKind::Object.to_string(),
    }
}

fn bare(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
