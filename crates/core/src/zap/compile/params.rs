//! Parameters as a zap writes them, against what an endpoint takes.

use std::sync::Arc;

use crate::crm::{self, Held, Param, Wrong, WrongKind};
use crate::diagnostic::{Code, Diagnostic, Severity, code, did_you_mean};
use crate::expression::{Gap, Names, Settings, Type};
use crate::mapping::{Compiler, Decided, Leaf};
use crate::source::Span;
use crate::value::{Kind as ValueKind, Value};
use crate::yaml::{Entry, Kind, NodeId, Tree};
use crate::zap::action::Parameter;

/// A list of names up to this long is shown whole in a hint.
const FEW: usize = 12;

/// What may be written.
pub(super) struct Table<'a> {
    /// The action's name, for messages.
    pub(super) action: &'a str,
    /// The name of its schema.
    pub(super) schema: String,
    /// The parameters; a family or pattern stands for all that it covers.
    pub(super) params: Vec<&'static Param>,
    /// The account's zone and currency.
    pub(super) settings: &'a Settings,
    /// Whether a field can be emptied.
    pub(super) clears: bool,
    /// Parameters that must be there, and so cannot be emptied.
    pub(super) required: &'a dyn Fn(&str) -> bool,
    /// Why a name is refused although the CRM knows it, and what to write instead.
    pub(super) refused: &'a dyn Fn(&str) -> Option<Refusal>,
}

/// The finding for a name that is refused: code, what is wrong, what to write instead.
pub(super) type Refusal = (&'static Code, String, &'static str);

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    /// The parameters; nothing when one of them has findings.
    pub(super) params: Option<Vec<Parameter>>,
    /// What is known of them before there is a record.
    pub(super) known: Vec<Known>,
    /// Names that unknown ones were taken for.
    pub(super) meant: Vec<String>,
}

/// What is known of a parameter before there is a record.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) sure: bool,
    /// What it can come to.
    pub(super) alternatives: Vec<Alternative>,
    /// Where it is written.
    pub(super) at: Span,
    /// That it may not be there has been said.
    pub(super) doubted: bool,
}

/// One of several things that a parameter can come to.
pub(super) struct Alternative {
    /// What it hangs on.
    pub(super) decided: Vec<Decided>,
    /// Whether it is there at all.
    pub(super) there: bool,
    /// The value as it is sent; nothing while it depends on the record.
    pub(super) value: Option<String>,
}

impl Written {
    /// What is known, as rules look at it.
    pub(super) fn held(&self) -> Vec<Held<'_>> {
        self.known
            .iter()
            .map(|known| Held { name: &known.name, value: known.value.as_deref(), sure: known.sure })
            .collect()
    }

    /// Whether a parameter is written.
    pub(super) fn has(&self, name: &str) -> bool {
        self.known.iter().any(|known| known.name == name)
    }
}

/// Compiles the parameters under a key of an action.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    table: &Table<'_>,
    map: NodeId,
    names: &Names,
    place: &str,
) -> Written {
    let mut written = Written { params: Some(Vec::new()), ..Written::default() };
    let tree = compiler.tree;
    for entry in tree.entries(map) {
        let compiled = parameter(compiler, table, entry, names, place, &mut written);
        match (compiled, &mut written.params) {
            (Some(parameter), Some(params)) => params.push(parameter),
            _ => written.params = None,
        }
    }
    written
}

fn parameter(
    compiler: &mut Compiler<'_>,
    table: &Table<'_>,
    entry: &Entry,
    names: &Names,
    place: &str,
    written: &mut Written,
) -> Option<Parameter> {
    let name = &*entry.key;
    if name.starts_with('$') {
        let message = format!("`{name}` has no place beside parameters");
        let help = "write it at the value of a parameter, or `when:` at the action";
        compiler.report(Diagnostic::new(&code::WORD_MISUSED, message).at(entry.key_span).help(help));
        return None;
    }
    if let Some((code, message, help)) = (table.refused)(name) {
        compiler.report(Diagnostic::new(code, message).at(entry.key_span).help(help));
        return None;
    }
    let param = table.find(name).or_else(|| {
        let (finding, meant) = table.unknown(name, entry.key_span);
        compiler.report(finding);
        written.meant.extend(meant);
        None
    });
    // What is written there is checked all the same.
    let before = compiler.findings.len();
    let value = compiler.parameter(entry.value, names, &format!("{place}.{name}"));
    let (param, value) = match (param, value) {
        (Some(param), Some(value)) => (param, value),
        // It is there all the same, with a mistake in it.
        (Some(_), None) => {
            written.known.push(Known::open(name, head(compiler.tree, entry.value)));
            return None;
        }
        (None, _) => return None,
    };
    let mut known = Known::open(name, head(compiler.tree, entry.value));
    let mut good = true;
    for (decided, leaf) in value.alternatives() {
        let mut one = Alternative { decided, there: true, value: None };
        match &leaf {
            Leaf::Left => {
                known.sure = false;
                one.there = false;
            }
            Leaf::Cleared => {
                good &= table.can_clear(compiler, name, entry.value);
                one.value = Some(crm::CLEARED.to_owned());
            }
            Leaf::Constant(constant) => {
                match crm::write(param, name, constant, table.settings, table.clears) {
                    Ok(text) => one.value = Some(text),
                    Err(wrong) => {
                        compiler.report(finding(wrong, head(compiler.tree, entry.value)));
                        good = false;
                    }
                }
            }
            Leaf::Open(of, pass) => {
                let at = head(compiler.tree, entry.value);
                let empty = of.empty && of.kind() == Some(ValueKind::Text);
                if (table.required)(name) && (of.gap.is_some() || empty) {
                    // That the run is given up then is said by this, and more.
                    compiler.forget(before, &code::MAY_BE_MISSING);
                    compiler.report(may_lack(name, of, pass.as_deref()).at(at));
                    known.doubted = true;
                    good = false;
                }
                for finding in table.unfit(param, name, of) {
                    good &= finding.severity == Severity::Warning;
                    compiler.report(finding.at(at));
                }
            }
        }
        known.alternatives.push(one);
    }
    // Of several values none is known to be the one.
    if let [only] = known.alternatives.as_slice() {
        known.value.clone_from(&only.value);
    }
    if known.alternatives.iter().any(|one| one.there) {
        written.known.push(known);
    }
    good.then(|| Parameter { name: name.to_owned(), param, value })
}

impl Known {
    /// A parameter that is there, with a value of which nothing is known.
    fn open(name: &str, at: Span) -> Self {
        Known { name: name.to_owned(), value: None, sure: true, alternatives: Vec::new(), at, doubted: false }
    }
}

impl Table<'_> {
    fn find(&self, name: &str) -> Option<&'static Param> {
        let exact = self.params.iter().find(|param| param.name == name);
        exact.or_else(|| self.params.iter().find(|param| param.covers(name))).copied()
    }

    /// The finding for a name that nobody knows, and the one that was meant.
    fn unknown(&self, name: &str, at: Span) -> (Diagnostic, Option<String>) {
        // A member of a family is meant with the number that is written.
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse().unwrap_or(1);
        let known: Vec<String> = self.params.iter().map(|param| param.numbered(number)).collect();
        let meant = did_you_mean(name, known.iter().map(String::as_str)).map(str::to_owned);
        let help = match &meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.len() <= FEW => {
                format!(
                    "it takes {}",
                    self.params.iter().map(|param| param.name).collect::<Vec<_>>().join(", ")
                )
            }
            None => format!("`zaprun schema actions/{}` shows what it takes", self.schema),
        };
        let message = format!("{} takes no `{name}`", self.action);
        (Diagnostic::new(&code::UNKNOWN_PARAM, message).at(at).help(help), meant)
    }

    /// Why values of a type may not be taken, as far as it is known.
    fn unfit(&self, param: &Param, name: &str, of: &Type) -> Vec<Diagnostic> {
        let takes = || format!("`{name}` takes {}", param.ty.words());
        if let Some(kind) = of.kind().filter(|kind| !crm::takes(param.ty, *kind)) {
            return vec![Diagnostic::new(&code::PARAM_VALUE, format!("{}, and this is {kind}", takes()))];
        }
        let others: Vec<&str> =
            of.kinds().iter().filter(|kind| !crm::takes(param.ty, *kind)).map(ValueKind::words).collect();
        if !others.is_empty() {
            let message = format!("{}, and this may be {}", takes(), others.join(" or "));
            return vec![
                Diagnostic::new(&code::PARAM_MAY_NOT_FIT, message)
                    .help("let it be of one kind: of a number's `default` write `default(0)`"),
            ];
        }
        if let Some(words) = &of.text.words {
            let refused = |word: &&Arc<str>| {
                crm::write(param, name, &Value::Text(Arc::clone(word)), self.settings, self.clears).is_err()
            };
            let refused: Vec<String> = words.iter().filter(refused).map(|word| format!("`{word}`")).collect();
            return match refused.len() {
                0 => Vec::new(),
                all if all == words.len() => {
                    vec![Diagnostic::new(&code::PARAM_VALUE, format!("{}, and this never is one", takes()))]
                }
                _ => {
                    let message = format!("{}, and this may be {}", takes(), refused.join(", "));
                    let help = "choose with `$if`, or let only those pass that it takes";
                    vec![Diagnostic::new(&code::PARAM_MAY_NOT_FIT, message).help(help)]
                }
            };
        }
        if let Some(like) = &of.like
            && let Some(shown) = like.first().and_then(|value| value.to_text().ok())
            && like.iter().all(|value| self.is_no(param, name, value))
        {
            let message = format!("{}, and this is like `{shown}`", takes());
            let help = "write what it takes, or let a filter make that of it";
            return vec![Diagnostic::new(&code::PARAM_MAY_NOT_FIT, message).help(help)];
        }
        let Some(most) = param.max else { return Vec::new() };
        let help = format!("write `| truncate_chars({most})`");
        if of.text.min > most {
            let message = format!("`{name}` takes {most} characters, and this has at least {}", of.text.min);
            return vec![Diagnostic::new(&code::PARAM_TOO_LONG, message).help(help)];
        }
        match of.text.max.filter(|max| *max > most) {
            Some(max) => {
                let message = format!("`{name}` takes {most} characters, and this may have {max}");
                vec![Diagnostic::new(&code::PARAM_MAY_NOT_FIT, message).help(help)]
            }
            None => Vec::new(),
        }
    }

    /// Whether a value is of another sort than a parameter takes; too long is another matter.
    fn is_no(&self, param: &Param, name: &str, value: &Value) -> bool {
        crm::write(param, name, value, self.settings, self.clears)
            .is_err_and(|wrong| wrong.kind == WrongKind::Value)
    }

    fn can_clear(&self, compiler: &mut Compiler<'_>, name: &str, value: NodeId) -> bool {
        let (message, help) = if !self.clears {
            (
                format!("{} cannot empty `{name}`", self.action),
                "leave the parameter out; only update_customer empties fields",
            )
        } else if (self.required)(name) {
            (format!("`{name}` is needed, and cannot be emptied"), "write its value")
        } else {
            return true;
        };
        compiler
            .report(Diagnostic::new(&code::CLEAR_REFUSED, message).at(head(compiler.tree, value)).help(help));
        false
    }
}

/// A parameter that must be there and whose value may be missing.
fn may_lack(name: &str, of: &Type, pass: Option<&str>) -> Diagnostic {
    let why = match &of.gap {
        Some(Gap::Step(step)) => format!("there is none when step `{step}` was skipped or failed"),
        Some(Gap::Optional | Gap::OptionalOrNull) => "this need not be there".to_owned(),
        Some(Gap::NotFound) => "this may find nothing".to_owned(),
        Some(Gap::Null) => "this is null in some rows".to_owned(),
        None => "this may be empty, which counts as nothing".to_owned(),
    };
    let pass = match pass {
        Some(pass) => format!(", or let only those pass where it is there: {pass}"),
        None => String::new(),
    };
    Diagnostic::new(&code::PARAM_MAY_BE_MISSING, format!("`{name}` is needed, and {why}"))
        .help(format!("write `{{{{ … | default(…) }}}}` with what is sent then{pass}"))
}

/// A constant that cannot be sent. The author knows what was written, so the finding shows it.
fn finding(wrong: Wrong, at: Span) -> Diagnostic {
    let Wrong { kind, message, help, value } = wrong;
    let code = match kind {
        WrongKind::Value => &code::PARAM_VALUE,
        WrongKind::TooLong => &code::PARAM_TOO_LONG,
        WrongKind::Card => &code::CARD_DATA,
        WrongKind::Null => &code::CLEAR_BY_TEXT,
    };
    let message = match value {
        Some(value) if kind == WrongKind::Value => format!("{message}: `{value}`"),
        _ => message,
    };
    Diagnostic::new(code, message).maybe_help(help).at(at)
}

/// A value's place; of a map its first key, so that no whole block is underlined.
pub(super) fn head(tree: &Tree, node: NodeId) -> Span {
    match &tree.node(node).kind {
        Kind::Map(entries) => entries.first().map_or(tree.span(node), |entry| entry.key_span),
        _ => tree.span(node),
    }
}

/// The place of a key of an action; `place` is the action's own: `actions[0]`.
pub(super) fn key_span(tree: &Tree, place: &str, key: &str) -> Option<Span> {
    let action = place.replace('[', "/").replace(']', "");
    tree.at(&format!("/{action}/{key}")).and_then(|(_, key)| key)
}

/// A value as it was written, when it does not depend on the record.
pub(super) fn constant(mapping: &crate::mapping::Mapping) -> Option<Value> {
    match mapping.leaves().into_iter().next() {
        Some(Leaf::Constant(value)) => Some(value),
        _ => None,
    }
}
