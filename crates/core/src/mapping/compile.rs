//! From what was written to a [`Mapping`].

use std::collections::HashSet;
use std::sync::Arc;

use super::{Constant, Each, If, Mapping, Part, Slots};
use crate::diagnostic::{Code, Diagnostic, code, did_you_mean};
use crate::expression::{Access, Carried, Condition, Gap, Names, Problem, Shape, Text, Type};
use crate::source::Span;
use crate::table::Tables;
use crate::value::{Decimal, Kind as ValueKind, Value};
use crate::yaml::{Entry, Kind, NodeId, Tree};

/// The keys of the mapping language that begin with `$`.
const WORDS: [&str; 8] = ["$each", "$as", "$map", "$if", "$then", "$else", "$drop_null", "$clear"];

/// What a loop's element cannot be called: the roots, what every loop binds, and the words of the language.
const TAKEN: &[&str] = &[
    "record",
    "record_raw",
    "vars",
    "let",
    "steps",
    "event",
    "run",
    "connection",
    "step",
    "response",
    "index",
    "key",
    "loop",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "recursive",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "raw",
    "include",
    "import",
    "macro",
    "call",
    "block",
    "extends",
    "from",
    "do",
    "break",
    "continue",
    "autoescape",
];

/// How a branch of a choice is compiled.
type Branch<'a> = fn(&mut Compiler<'a>, NodeId, &Names, &str) -> Option<Mapping>;

/// Compiles the parts of one zap: gathers findings and what is read.
pub(crate) struct Compiler<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) reads: Vec<Access>,
    /// The project's look-up tables.
    pub(crate) tables: &'a Tables,
    /// What flows into the values compiled so far, and where.
    pub(crate) flows: Vec<Flow>,
}

/// What flows into one value that not everybody may see.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) at: Span,
    pub(crate) carried: Carried,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(tree: &'a Tree, tables: &'a Tables) -> Self {
        Compiler { tree, findings: Vec::new(), reads: Vec::new(), tables, flows: Vec::new() }
    }

    /// A mapping value; nothing when it has findings.
    pub(crate) fn mapping(&mut self, node: NodeId, names: &Names, place: &str) -> Option<Mapping> {
        let part = match &self.tree.node(node).kind {
            Kind::Null => constant(Value::Null, "null"),
            Kind::Bool(truth) => constant(Value::Bool(*truth), if *truth { "true" } else { "false" }),
            Kind::Number(digits) => match Decimal::parse(digits) {
                Ok(number) => constant(Value::Number(number), digits),
                Err(_) => {
                    let finding = Diagnostic::new(&code::NUMBER_RANGE, "the number is too long or too large");
                    self.report(finding.at(self.tree.span(node)).help("write it as text, in quotes"));
                    return None;
                }
            },
            Kind::Text { value, .. } | Kind::Hole(value) => Part::Text(self.text(node, value, names)?),
            Kind::List(items) => {
                let parts: Vec<Option<Mapping>> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.mapping(*item, names, &format!("{place}[{at}]")))
                    .collect();
                Part::List(parts.into_iter().collect::<Option<_>>()?)
            }
            Kind::Map(entries) => self.map(node, entries, names, place)?,
        };
        Some(Mapping { part, place: Arc::from(place), node })
    }

    /// A value of a CRM's parameter, which may also be emptied: `$clear: true`, alone or behind `$if`.
    pub(crate) fn parameter(&mut self, node: NodeId, names: &Names, place: &str) -> Option<Mapping> {
        let part = match &self.tree.node(node).kind {
            Kind::Map(entries) if entries.iter().any(|entry| &*entry.key == "$clear") => {
                self.clear(entries)?
            }
            Kind::Map(entries) if entries.iter().any(|entry| &*entry.key == "$if") => {
                self.choice(node, entries, names, place, Self::parameter)?
            }
            _ => return self.mapping(node, names, place),
        };
        Some(Mapping { part, place: Arc::from(place), node })
    }

    fn clear(&mut self, entries: &[Entry]) -> Option<Part> {
        let alone = self.only(entries, &["$clear"]);
        let entry = entries.iter().find(|entry| &*entry.key == "$clear")?;
        let yes = self.tree.node(entry.value).kind == Kind::Bool(true)
            || self.word_misused(entry.key_span, "`$clear` is true, or not there");
        (alone && yes).then_some(Part::Clear)
    }

    /// A text in any of its forms.
    pub(crate) fn text(&mut self, node: NodeId, source: &str, names: &Names) -> Option<Text> {
        match Text::compile(source, names) {
            Ok(text) => {
                if let Text::Literal(literal) = &text
                    && !source.starts_with("$$")
                {
                    self.unbraced(node, literal, names);
                }
                self.used(node, text.reads(), text.doubts(), &text.of());
                Some(text)
            }
            Err(problems) => self.refuse(node, problems),
        }
    }

    /// Notes what a compiled text reads, what is probably wrong with it, and what flows into it.
    pub(crate) fn used(&mut self, node: NodeId, reads: &[Access], doubts: Vec<Problem>, of: &Type) {
        self.reads.extend(reads.iter().cloned());
        self.doubt(node, doubts);
        let carried = of.all_carried();
        if !carried.is_plain() {
            self.flows.push(Flow { at: self.tree.span(node), carried });
        }
    }

    /// A condition in braces.
    pub(crate) fn condition(&mut self, node: NodeId, names: &Names) -> Option<Condition> {
        let Some(source) = self.tree.text(node) else {
            let words = self.tree.node(node).words();
            let finding =
                Diagnostic::new(&code::CONDITION_FORM, format!("a condition is wanted here, not {words}"));
            self.report(
                finding
                    .at(self.tree.span(node))
                    .help("write `\"{{ … }}\"` with an expression that is true or false"),
            );
            return None;
        };
        match Condition::compile(source, names) {
            Ok(condition) => {
                self.reads.extend(condition.reads().iter().cloned());
                self.doubt(node, condition.doubts());
                Some(condition)
            }
            Err(problems) => self.refuse(node, problems),
        }
    }

    /// Whether there can be a loop over it.
    pub(crate) fn has_elements(&mut self, source: &Mapping, what: &str) -> bool {
        let Some(kind) = source.of().kind().filter(|kind| !kind.is_container()) else { return true };
        let message = format!("{what} goes over a list or an object, and this is {kind}");
        self.report(Diagnostic::new(&code::KIND_MISMATCH, message).at(self.tree.span(source.node)));
        false
    }

    /// Whether the values of pairs, each of which is one text or several, can be that.
    pub(crate) fn are_pairs(&mut self, pairs: &Mapping) -> bool {
        let Part::Object { members, .. } = &pairs.part else { return true };
        let mut good = true;
        for (_, mapping) in members {
            let of = mapping.of();
            let of = match of.shape {
                Shape::List(_) => of.item(),
                _ => of,
            };
            let Some(kind) = of.kind().filter(|kind| kind.is_container()) else { continue };
            let finding = Diagnostic::new(&code::KIND_MISMATCH, format!("{kind} has no text form"));
            self.report(
                finding.at(self.tree.span(mapping.node)).help("write it as JSON text with `| tojson`"),
            );
            good = false;
        }
        good
    }

    /// A field that is written as a text of its own, without the braces that make it one.
    fn unbraced(&mut self, node: NodeId, text: &str, names: &Names) {
        let bare = text.strip_prefix("${").or_else(|| text.strip_prefix('{'));
        let bare = bare.map_or(text, |bare| bare.strip_suffix('}').unwrap_or(bare)).trim();
        let (path, dollar) = match bare.strip_prefix('$') {
            Some(field) => (field, true),
            None => (bare, false),
        };
        let parts: Vec<&str> = path.split('.').collect();
        let all_names = parts.iter().all(|part| is_name(part));
        let (root, members) = match parts.as_slice() {
            [field] if dollar => ("record", vec![*field]),
            [root, members @ ..] if !dollar && !members.is_empty() => (*root, members.to_vec()),
            _ => return,
        };
        let Some(of) = names.slot(root).filter(|_| all_names).map(|slot| names.of(slot)) else { return };
        let found = members.iter().try_fold(of, |of, name| match of.shape {
            // Anything may be called so.
            Shape::Any | Shape::Open(_) => None,
            _ => of.member(name).ok(),
        });
        if found.is_some() {
            let path = members.join(".");
            let finding = Diagnostic::new(
                &code::UNBRACED_FIELD,
                format!("this sends the words `{text}`, not the field"),
            );
            self.report(
                finding.at(self.tree.span(node)).help(format!("write `\"{{{{ {root}.{path} }}}}\"`")),
            );
        }
    }

    /// Turns findings within a text into findings within the file.
    pub(crate) fn refuse<T>(&mut self, node: NodeId, problems: Vec<Problem>) -> Option<T> {
        self.doubt(node, problems);
        None
    }

    /// The same for findings that leave the text usable.
    pub(crate) fn doubt(&mut self, node: NodeId, problems: Vec<Problem>) {
        for problem in problems {
            let span = self.tree.place(node, problem.range.clone());
            self.report(Diagnostic::new(problem.code, problem.message).maybe_help(problem.help).at(span));
        }
    }

    /// Takes back findings of a code, from the given one on.
    pub(crate) fn forget(&mut self, from: usize, code: &Code) {
        let mut at = 0;
        self.findings.retain(|finding| {
            at += 1;
            at <= from || finding.code != code
        });
    }

    pub(crate) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// The name of a loop's element; nothing, with a finding, when it means something else.
    pub(crate) fn loop_name<'n>(&mut self, name: &'n str, at: Span) -> Option<&'n str> {
        if !TAKEN.contains(&name) {
            return Some(name);
        }
        let message = format!("`{name}` means something else already");
        let help = "give the element another name, for example `line`";
        self.report(Diagnostic::new(&code::TAKEN_NAME, message).at(at).help(help));
        None
    }

    /// The names within a loop, and their slots.
    pub(crate) fn loop_names(names: &Names, item: &str, of: Type) -> (Names, Slots) {
        // The names of an object's members, which may be made of anything that the object holds.
        let key = Type::scalar(ValueKind::Text).carrying(&of.carries);
        let names =
            names.clone().with(item, of).with("index", Shape::Scalar(ValueKind::Number)).with("key", key);
        // All three were just added.
        let slot = |name: &str| names.slot(name).unwrap_or(usize::MAX);
        let slots = Slots { item: slot(item), index: slot("index"), key: slot("key") };
        (names, slots)
    }

    fn map(&mut self, node: NodeId, entries: &[Entry], names: &Names, place: &str) -> Option<Part> {
        let has = |key: &str| entries.iter().any(|entry| &*entry.key == key);
        if has("$each") {
            return self.each(node, entries, names, place);
        }
        if has("$if") {
            return self.choice(node, entries, names, place, Self::mapping);
        }
        if let Some(entry) = entries.iter().find(|entry| &*entry.key == "$clear") {
            let finding = Diagnostic::new(&code::CLEAR_OUTSIDE_CRM, "`$clear` has no meaning here");
            self.report(
                finding.at(entry.key_span).help("it clears a field of the CRM; write null to send a null"),
            );
            return None;
        }
        self.object(entries, names, place)
    }

    fn object(&mut self, entries: &[Entry], names: &Names, place: &str) -> Option<Part> {
        let mut members = Vec::with_capacity(entries.len());
        let mut drop_null = false;
        let mut whole = true;
        let mut dollars = HashSet::new();
        for entry in entries {
            if &*entry.key == "$drop_null" {
                match self.tree.node(entry.value).kind {
                    Kind::Bool(truth) => drop_null = truth,
                    _ => whole &= self.word_misused(entry.key_span, "`$drop_null` is true or false"),
                }
                continue;
            }
            whole &= self.known_word(entry);
            let key =
                entry.key.strip_prefix("$$").map_or_else(|| entry.key.to_string(), |rest| format!("${rest}"));
            // `$$x` and `$x` write the same; plain repetitions were found when the file was read.
            if key.starts_with('$') && !dollars.insert(key.clone()) {
                whole &= self.word_misused(entry.key_span, &format!("another key writes `{key}` too"));
            }
            match self.mapping(entry.value, names, &format!("{place}.{key}")) {
                Some(mapping) => members.push((Arc::from(key), mapping)),
                None => whole = false,
            }
        }
        whole.then_some(Part::Object { members, drop_null })
    }

    /// Words in the wrong company, and near misses.
    fn known_word(&mut self, entry: &Entry) -> bool {
        let key = &*entry.key;
        if !key.starts_with('$') || key.starts_with("$$") {
            return true;
        }
        if WORDS.contains(&key) {
            let partner = if matches!(key, "$as" | "$map") { "$each" } else { "$if" };
            return self.word_misused(entry.key_span, &format!("`{key}` belongs beside `{partner}`"));
        }
        match did_you_mean(key, WORDS) {
            Some(word) => {
                let finding = Diagnostic::new(
                    &code::NEAR_WORD,
                    format!("`{key}` is not a word of the mapping language"),
                );
                let help = format!("did you mean `{word}`? for a field of that name write `${key}`");
                self.report(finding.at(entry.key_span).help(help));
                false
            }
            None => true,
        }
    }

    fn word_misused(&mut self, at: Span, message: &str) -> bool {
        let help = "`zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`";
        self.report(Diagnostic::new(&code::WORD_MISUSED, message).at(at).help(help));
        false
    }

    fn only(&mut self, entries: &[Entry], allowed: &[&str]) -> bool {
        let mut good = true;
        for entry in entries.iter().filter(|entry| !allowed.contains(&&*entry.key)) {
            let words = allowed.join("`, `");
            good =
                self.word_misused(entry.key_span, &format!("`{}` cannot stand beside `{words}`", entry.key));
        }
        good
    }

    fn each(&mut self, node: NodeId, entries: &[Entry], names: &Names, place: &str) -> Option<Part> {
        let mut good = self.only(entries, &["$each", "$as", "$map"]);
        let get = |key: &str| entries.iter().find(|entry| &*entry.key == key).map(|entry| entry.value);
        let source = self.mapping(get("$each")?, names, &format!("{place}.$each"));
        let item = match get("$as") {
            None => "item",
            Some(node) => match self.tree.text(node) {
                Some(name) if is_name(name) => {
                    let free = self.loop_name(name, self.tree.span(node));
                    good &= free.is_some();
                    free.unwrap_or("item")
                }
                _ => {
                    self.word_misused(
                        self.tree.span(node),
                        "`$as` is a name: letters, digits and underscores",
                    );
                    return None;
                }
            },
        };
        let Some(body) = get("$map") else {
            self.word_misused(self.tree.span(node), "`$each` needs `$map`: what each element becomes");
            return None;
        };
        if let Some(source) = &source {
            good &= self.has_elements(source, "`$each`");
        }
        let of = source.as_ref().map_or_else(Type::any, Mapping::element);
        let (names, slots) = Self::loop_names(names, item, of);
        let element = self.mapping(body, &names, &format!("{place}.$map"));
        good.then_some(())?;
        Some(Part::Each(Box::new(Each { source: source?, slots, element: element? })))
    }

    /// `branch` compiles what stands behind `$then` and `$else`.
    fn choice(
        &mut self,
        node: NodeId,
        entries: &[Entry],
        names: &Names,
        place: &str,
        branch: Branch<'a>,
    ) -> Option<Part> {
        let good = self.only(entries, &["$if", "$then", "$else"]);
        let get = |key: &str| entries.iter().find(|entry| &*entry.key == key).map(|entry| entry.value);
        let condition = self.condition(get("$if")?, names);
        let Some(then) = get("$then") else {
            self.word_misused(self.tree.span(node), "`$if` needs `$then`");
            return None;
        };
        let holding = names.clone().given_by(condition.as_ref());
        let failing = match &condition {
            Some(condition) => names.clone().given(condition.given_not()),
            None => holding.clone(),
        };
        let then = branch(self, then, &holding, &format!("{place}.$then"));
        let otherwise = match get("$else") {
            Some(node) => Some(branch(self, node, &failing, &format!("{place}.$else"))?),
            None => None,
        };
        good.then_some(())?;
        Some(Part::If(Box::new(If { condition: condition?, then: then?, otherwise })))
    }
}

impl Mapping {
    /// What is known of the value.
    pub(crate) fn of(&self) -> Type {
        match &self.part {
            Part::Constant(constant) if constant.value.is_missing() => Type::any().with_gap(Gap::Null),
            Part::Constant(constant) => Type::scalar(constant.value.kind()),
            Part::Text(text) => text.of(),
            Part::List(items) => {
                let item = items.iter().map(Mapping::of).reduce(|some, other| some.join(&other));
                Type::list_of(item.unwrap_or_else(Type::any))
            }
            Part::Each(each) => Type::list_of(each.element.of()),
            Part::Object { members, drop_null } => {
                let left_out = |of: Type| match of.gap {
                    Some(Gap::Null | Gap::OptionalOrNull) if *drop_null => {
                        Type { gap: Some(Gap::Optional), ..of }
                    }
                    _ => of,
                };
                let members = members.iter().map(|(name, mapping)| (name.clone(), left_out(mapping.of())));
                Shape::members(members).into()
            }
            Part::If(choice) => match &choice.otherwise {
                Some(otherwise) => choice.then.of().join(&otherwise.of()),
                None => choice.then.of().with_gap(Gap::Optional),
            },
            Part::Clear => Type::any(),
        }
    }

    /// What its being true or false says of what it was computed from.
    pub(crate) fn facts(&self) -> crate::expression::Facts {
        match &self.part {
            Part::Text(Text::Expression(expression)) => expression.facts().clone(),
            _ => crate::expression::Facts::default(),
        }
    }

    /// What is known of the elements of the list or object that the mapping gives.
    pub(crate) fn element(&self) -> Type {
        self.of().item()
    }
}

fn constant(value: Value, written: &str) -> Part {
    Part::Constant(Constant { value, written: written.into() })
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
