//! A difference: where, what is expected there, what came, and how the test would have to say it.

use crate::source::Span;
use crate::value::Value;
use crate::yaml::push_key;

/// In what a run is not as its test expects it.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where: a step and the part of its request, `notify.json.order`, or `the run`.
    pub place: String,
    /// What the test expects there.
    pub expected: String,
    /// What is there.
    pub got: String,
    /// What to do about it, where that can be told.
    pub help: Option<String>,
    /// Where the expectation is written, or where it would be.
    pub span: Option<Span>,
    /// What the test would have to expect.
    pub fix: Option<Fix>,
}

/// How an expectation would have to be written for what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Where, by its JSON pointer within `expect`.
    pub pointer: String,
    /// What; nothing: it is not to be there.
    pub to: Option<Value>,
}

/// A longer value is shown up to here.
const LONGEST: usize = 400;
/// So much of what is equal is shown before the first sign that differs, in long values.
const BEFORE: usize = 80;

impl Difference {
    pub(in crate::rehearsal) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Difference {
        let (expected, got) = clipped(expected.into(), got.into());
        Difference { place: place.into(), expected, got, help: None, span: None, fix: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Difference {
        self.help = Some(help.into());
        self
    }

    /// What would have to be expected at a place of the test.
    pub(super) fn fix(mut self, at: &At, to: impl Into<Option<Value>>) -> Difference {
        self.fix = Some(Fix { pointer: at.pointer.clone(), to: to.into() });
        self
    }
}

/// Two long texts, each from shortly before they begin to differ.
fn clipped(mut expected: String, mut got: String) -> (String, String) {
    if expected.chars().count() <= LONGEST && got.chars().count() <= LONGEST {
        return (expected, got);
    }
    let same = expected.chars().zip(got.chars()).take_while(|(one, other)| one == other).count();
    if same > BEFORE && same < expected.chars().count().max(got.chars().count()) {
        let cut = |text: &str| format!("…{}", text.chars().skip(same - BEFORE).collect::<String>());
        (expected, got) = (cut(&expected), cut(&got));
    }
    for text in [&mut expected, &mut got] {
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
            text.push('…');
        }
    }
    (expected, got)
}

/// A place, as people read it, and as a pointer into what is expected.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) place: String,
    pub(super) pointer: String,
}

impl At {
    /// What is expected of a whole record.
    pub(super) fn whole() -> At {
        At { place: RUN.to_owned(), pointer: String::new() }
    }

    /// A step, or another key beside the steps.
    pub(super) fn key(&self, key: &str) -> At {
        let mut pointer = self.pointer.clone();
        push_key(&mut pointer, key);
        let head = self.place.strip_suffix(RUN).unwrap_or(&self.place);
        At { place: format!("{head}{key}"), pointer }
    }

    /// A part below.
    pub(super) fn part(&self, key: &str) -> At {
        let mut pointer = self.pointer.clone();
        push_key(&mut pointer, key);
        At { place: format!("{}.{key}", self.place), pointer }
    }

    /// The same place, shown as another.
    pub(super) fn shown(&self, place: String) -> At {
        At { place, pointer: self.pointer.clone() }
    }

    pub(super) fn of_list(&self, at: usize) -> At {
        At { place: format!("{}[{at}]", self.place), pointer: format!("{}/{at}", self.pointer) }
    }
}

/// The place of what is not about a step.
pub(super) const RUN: &str = "the run";
