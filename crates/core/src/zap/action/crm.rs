//! A compiled write to the CRM: from a run's values to checked and converted parameters.

use std::time::Duration;

use crate::crm::Endpoint;
use crate::mapping::{MapError, Mapping};
use crate::request::CrmRequest;
use crate::value::Value;
use crate::zap::scope::Scope;

/// A write to the CRM.
#[derive(Debug)]
pub(in crate::zap) struct CrmCall {
    pub(in crate::zap) connection: String,
    pub(in crate::zap) endpoint: &'static Endpoint,
    pub(in crate::zap) map: Mapping,
    pub(in crate::zap) lead_first: bool,
    pub(in crate::zap) correlate_in: Option<&'static str>,
    pub(in crate::zap) settle_after: Duration,
}

impl CrmCall {
    /// Renders the write.
    pub(super) fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        _place: &str,
        idempotency_key: String,
    ) -> Result<CrmRequest, MapError> {
        let mapped = self.map.eval(values, &scope.settings)?;
        let params = mapped.map_or(Ok(Vec::new()), |mapped| mapped.into_pairs(self.map.place()))?;
        Ok(CrmRequest {
            connection: self.connection.clone(),
            endpoint: self.endpoint,
            params,
            idempotency_key,
            correlate_in: self.correlate_in.map(str::to_owned),
            settle_after: self.settle_after,
            repeat: self.endpoint.repeat,
            serial: None,
            lead: None,
        })
    }
}
