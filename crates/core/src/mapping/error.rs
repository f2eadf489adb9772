//! Why a mapping gave nothing.

use std::fmt;

use crate::expression::EvalError;

/// A value that could not be made, and where in the zap it stands. Holds no value of the record but in `value`.
#[derive(Clone, PartialEq, Eq)]
pub struct MapError {
    /// What is wrong: a lowercase fragment that names the field or filter.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Place in the zap: `actions[0].json.order`.
    pub place: String,
    /// The beginning of the value that caused it. May be personal: masked before it is kept.
    pub value: Option<String>,
}

impl MapError {
    /// An error at a place.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        MapError { message: message.into(), help: None, place: place.into(), value: None }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn of(place: &str, error: &EvalError) -> Self {
        MapError {
            message: error.message().to_owned(),
            help: error.hint().map(str::to_owned),
            place: place.to_owned(),
            value: error.value().map(str::to_owned),
        }
    }
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Without the value, which may be personal.
impl fmt::Debug for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapError({self})")
    }
}

impl std::error::Error for MapError {}
