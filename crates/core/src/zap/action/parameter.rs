//! One parameter of an endpoint, compiled.

use crate::crm::{CLEARED, Param, ParamType, Wrong, WrongKind, write};
use crate::expression::Settings;
use crate::mapping::{MapError, Mapped, Mapping, Trace, member};
use crate::value::Value;

/// A parameter and the mapping of its value.
#[derive(Debug)]
pub(in crate::zap) struct Parameter {
    pub(in crate::zap) name: String,
    pub(in crate::zap) param: &'static Param,
    pub(in crate::zap) value: Mapping,
}

/// How values become parameters: by the run's settings they are computed, by the account's they are written.
pub(super) struct Writing<'a> {
    pub(super) run: &'a Settings,
    pub(super) account: &'a Settings,
    /// Whether the endpoint empties a field where the text is `NULL`.
    pub(super) clears: bool,
}

impl Parameter {
    /// The value as it is sent.
    /// `part` is the name of the whole: `map`.
    pub(super) fn eval(
        &self,
        values: &mut Vec<Value>,
        writing: &Writing<'_>,
        part: &str,
        trace: &mut Trace,
    ) -> Result<Sent, MapError> {
        let Some(mapped) = self.value.eval(values, writing.run)? else { return Ok(Sent::Left) };
        if mapped.is_null() {
            return Ok(Sent::Null);
        }
        let (node, fixed) = mapped.origin().unwrap_or((self.value.node(), self.value.is_fixed()));
        let text = if let Mapped::Cleared = mapped {
            CLEARED.to_owned()
        } else {
            let value = mapped.into_value();
            let written = write(self.param, &self.name, &value, writing.account, writing.clears);
            written.map_err(|wrong| self.refused(wrong))?
        };
        trace.text(&member(part, &self.name), node, fixed, &text);
        Ok(Sent::Text(text))
    }

    fn refused(&self, wrong: Wrong) -> MapError {
        let Wrong { kind, mut message, help, value } = wrong;
        // A run's reason is kept without the help.
        if let (WrongKind::Value, ParamType::Enum(words)) = (kind, self.param.ty) {
            message = format!("{message}; it is one of {}", words.join(", "));
        }
        MapError {
            message,
            help,
            place: self.value.place().to_owned(),
            value: value.filter(|_| kind != WrongKind::Card),
        }
    }
}

/// What a parameter came to.
pub(super) enum Sent {
    Text(String),
    /// It is null.
    Null,
    /// An `$if` left it out.
    Left,
}
