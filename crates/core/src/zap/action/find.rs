//! A compiled look-up in the CRM.

use crate::expression::Condition;
use crate::mapping::{MapError, Mapping};
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
}
