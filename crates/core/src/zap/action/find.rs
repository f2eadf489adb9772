//! A compiled look-up in the CRM: what is asked, and what of the rows found counts.

use jiff::civil::Date;

use super::parameter::{Parameter, Sent, Writing};
use crate::crm::{Lookup, day};
use crate::expression::{Condition, Frame, Settings};
use crate::mapping::{MapError, Mapped, Mapping, Trace};
use crate::record;
use crate::request::FindRequest;
use crate::value::Value;
use crate::zap::scope::{EVENT, Scope};

/// Rows that a later step can be given; more are a question that was put too widely.
const MOST: usize = 500;

/// A look-up in the CRM.
#[derive(Debug)]
pub(in crate::zap) struct FindCall {
    pub(in crate::zap) connection: String,
    pub(in crate::zap) lookup: &'static Lookup,
    /// The account's zone and currency.
    pub(in crate::zap) settings: Settings,
    pub(in crate::zap) by: Vec<Parameter>,
    pub(in crate::zap) from: Option<Mapping>,
    pub(in crate::zap) to: Option<Mapping>,
    /// Which rows count, and the slot of `item`.
    pub(in crate::zap) matches: Option<(Condition, usize)>,
    /// Exactly one row is expected.
    pub(in crate::zap) one: bool,
}

/// Why a look-up gave nothing to go on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfound {
    /// `match:` has no answer for a row, or a row cannot be read.
    #[error(transparent)]
    Mapping(#[from] MapError),
    /// One row is expected, and there is none.
    #[error("no {row} was found, and one is expected")]
    None {
        /// What a row is.
        row: &'static str,
    },
    /// One row is expected, and there are several.
    #[error("{count} {row}s were found, and one is expected")]
    Ambiguous {
        /// What a row is.
        row: &'static str,
        /// How many there are.
        count: usize,
    },
    /// There are more than later steps can be given.
    #[error("{count} {row}s were found, and at most {MOST} can be used: narrow `by:` or `match:`")]
    TooMany {
        /// What a row is.
        row: &'static str,
        /// How many there are.
        count: usize,
    },
}

impl FindCall {
    /// Renders the look-up.
    pub(super) fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        place: &str,
        trace: &mut Trace,
    ) -> Result<FindRequest, MapError> {
        let writing = Writing { run: &scope.settings, account: &self.settings, clears: false };
        let mut params = Vec::with_capacity(self.by.len());
        for parameter in &self.by {
            match parameter.eval(values, &writing, "find", trace)? {
                Sent::Text(text) if !text.is_empty() => params.push((parameter.name.clone(), text)),
                Sent::Left => {}
                Sent::Text(_) | Sent::Null => {
                    let message =
                        format!("`{}` is missing, and without it other rows would be found", parameter.name);
                    return Err(MapError::new(parameter.value.place(), message)
                        .help("skip the step with `when:`, or leave the filter out on purpose with `$if`"));
                }
            }
        }
        let days = self.days(values, scope)?;
        if let Some((first, last)) = days {
            let written = [("from", &self.from, first), ("to", &self.to, last)];
            for (part, mapping, day) in written {
                if let Some(mapping) = mapping {
                    trace.text(part, mapping.node(), mapping.is_fixed(), &day.to_string());
                }
            }
        }
        let by_id = params.iter().any(|(name, _)| self.lookup.ids.contains(&name.as_str()));
        if !by_id && days.is_none() {
            let message = format!("a look-up needs days or one of {}", self.lookup.ids.join(", "));
            return Err(MapError::new(format!("{place}.by"), message).help("add `from:`"));
        }
        Ok(FindRequest { connection: self.connection.clone(), endpoint: self.lookup.endpoint, params, days })
    }

    fn days(&self, values: &mut Vec<Value>, scope: &Scope) -> Result<Option<(Date, Date)>, MapError> {
        let Some(from) = &self.from else { return Ok(None) };
        let Some(first) = self.day(from, values, scope)? else { return Ok(None) };
        let last = match &self.to {
            Some(to) => self.day(to, values, scope)?,
            None => None,
        };
        // The event's own day is the last unless another is written, so that every attempt asks the same.
        let event = values.get(EVENT).and_then(Value::as_object);
        let happened = || day(event?.member("at"), &self.settings.zone);
        let last = last.or_else(happened).unwrap_or(first);
        if last < first {
            return Err(MapError::new(
                from.place(),
                format!("the days end on {last}, before they begin on {first}"),
            )
            .help("write `to:` after `from:`"));
        }
        Ok(Some((first, last)))
    }

    /// The day; nothing where it is null or left out.
    fn day(
        &self,
        written: &Mapping,
        values: &mut Vec<Value>,
        scope: &Scope,
    ) -> Result<Option<Date>, MapError> {
        let value = written.eval(values, &scope.settings)?.map_or(Value::Null, Mapped::into_value);
        if value.is_missing() {
            return Ok(None);
        }
        let day = day(&value, &self.settings.zone);
        day.map(Some).ok_or_else(|| {
            MapError::new(written.place(), format!("a day is wanted here, not {}", shown(&value)))
                .help("write 2026-09-16, or an instant: `{{ event.at | date_add('-90d') }}`")
        })
    }

    /// What was found, as later steps see it: `{rows, row, total}`.
    pub(super) fn found(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        rows: &[impl AsRef<[u8]>],
        place: &str,
    ) -> Result<Vec<u8>, Unfound> {
        let mut found = Vec::new();
        for row in rows {
            let row = record::shown(row.as_ref(), self.lookup.endpoint.schema())
                .map_err(|error| MapError::new(place, error.to_string()))?;
            let row = Value::Object(row);
            if self.counts(&row, values, &scope.settings, place)? {
                found.push(row);
            }
        }
        let (row, count) = (self.lookup.row, found.len());
        match count {
            0 if self.one => return Err(Unfound::None { row }),
            2.. if self.one => return Err(Unfound::Ambiguous { row, count }),
            _ if count > MOST => return Err(Unfound::TooMany { row, count }),
            _ => {}
        }
        let only = if let [only] = found.as_slice() { only.clone() } else { Value::Null };
        let answer = Value::object(vec![
            ("rows".into(), Value::list(found)),
            ("row".into(), only),
            ("total".into(), Value::from(count)),
        ]);
        let mut json = Vec::new();
        answer.write_json(&mut json).map_err(|error| MapError::new(place, error.to_string()))?;
        Ok(json)
    }

    fn counts(
        &self,
        row: &Value,
        values: &mut Vec<Value>,
        settings: &Settings,
        place: &str,
    ) -> Result<bool, MapError> {
        let Some((matches, slot)) = &self.matches else { return Ok(true) };
        if values.len() <= *slot {
            values.resize(slot + 1, Value::Null);
        }
        values[*slot] = row.clone();
        let frame = Frame { values, settings };
        matches.eval(&frame).map_err(|error| MapError::of(&format!("{place}.match"), &error))
    }
}

/// What stands where a day is wanted.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(_) => "another text".to_owned(),
        other => other.kind().to_string(),
    }
}
