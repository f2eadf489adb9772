//! A compiled look-up in the CRM.

use crate::expression::Condition;
use crate::mapping::{MapError, Mapping};
use crate::record::{self, ReadSet};
use crate::request::FindRequest;
use crate::trigger::Endpoint;
use crate::value::Value;
use crate::zap::scope::Scope;

/// A look-up in the CRM.
#[derive(Debug)]
pub(in crate::zap) struct FindCall {
    pub(in crate::zap) connection: String,
    pub(in crate::zap) endpoint: Endpoint,
    pub(in crate::zap) by: Mapping,
    pub(in crate::zap) from: Option<Mapping>,
    pub(in crate::zap) to: Option<Mapping>,
    pub(in crate::zap) matches: Option<Condition>,
    /// Exactly one row is expected.
    pub(in crate::zap) one: bool,
}

impl FindCall {
    /// Renders the look-up.
    pub(super) fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        _place: &str,
    ) -> Result<FindRequest, MapError> {
        let mapped = self.by.eval(values, &scope.settings)?;
        let params = mapped.map_or(Ok(Vec::new()), |mapped| mapped.into_pairs(self.by.place()))?;
        Ok(FindRequest { connection: self.connection.clone(), endpoint: self.endpoint, params, days: None })
    }

    /// What was found, as later steps see it.
    pub(super) fn found(
        &self,
        scope: &Scope,
        _element: Option<&str>,
        rows: &[impl AsRef<[u8]>],
        place: &str,
    ) -> Result<Vec<u8>, MapError> {
        let mut found = Vec::new();
        for row in rows {
            let schema = self.endpoint.schema();
            let row = record::view(row.as_ref(), schema, &ReadSet::All, &mut Vec::new())
                .map_err(|error| MapError::new(place, error.to_string()))?;
            found.push(Value::Object(row));
        }
        let _ = scope;
        let total = found.len();
        if self.one && total != 1 {
            return Err(MapError::new(place, format!("exactly one row is expected, and there are {total}")));
        }
        let answer = Value::object(vec![
            ("row".into(), found.first().cloned().unwrap_or(Value::Null)),
            ("total".into(), Value::from(i64::try_from(total).unwrap_or(i64::MAX))),
            ("rows".into(), Value::list(found)),
        ]);
        let mut json = Vec::new();
        answer.write_json(&mut json).map_err(|error| MapError::new(place, error.to_string()))?;
        Ok(json)
    }
}
