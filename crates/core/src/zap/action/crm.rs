//! A compiled write to the CRM: from a run's values to checked and converted parameters.

use std::time::Duration;

use uuid::Uuid;

use super::parameter::{Parameter, Sent, Writing};
use crate::crm::{self, CREATE_LEAD, CREATE_SALE, Endpoint, Held, broken};
use crate::expression::Settings;
use crate::mapping::{MapError, Trace};
use crate::request::CrmRequest;
use crate::value::Value;
use crate::zap::key;
use crate::zap::scope::Scope;

/// A write to the CRM.
#[derive(Debug)]
pub(in crate::zap) struct CrmCall {
    pub(in crate::zap) connection: String,
    pub(in crate::zap) endpoint: &'static Endpoint,
    /// The account's zone and currency.
    pub(in crate::zap) settings: Settings,
    pub(in crate::zap) map: Vec<Parameter>,
    pub(in crate::zap) lead_first: bool,
    pub(in crate::zap) correlate_in: Option<&'static str>,
    pub(in crate::zap) settle_after: Duration,
}

type Params = Vec<(String, String)>;

impl CrmCall {
    /// Renders the write.
    pub(super) fn request(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        place: &str,
        idempotency_key: String,
        trace: &mut Trace,
    ) -> Result<CrmRequest, MapError> {
        let mut params = self.params(values, scope, place, trace)?;
        if let Some(field) = self.correlate_in {
            params.push((field.to_owned(), idempotency_key.clone()));
        }
        let repeat = self.endpoint.repeat_of(&params);
        let serials = crm::serial::of_request(&self.connection, self.endpoint, &params, repeat);
        let lead = self.lead(&params, &idempotency_key, &serials);
        Ok(CrmRequest {
            connection: self.connection.clone(),
            endpoint: self.endpoint,
            params,
            idempotency_key,
            correlate_in: self.correlate_in.map(str::to_owned),
            settle_after: self.settle_after,
            repeat,
            serials,
            lead: lead.map(Box::new),
        })
    }

    /// The parameters, each converted, and all of them by the endpoint's rules.
    fn params(
        &self,
        values: &mut Vec<Value>,
        scope: &Scope,
        place: &str,
        trace: &mut Trace,
    ) -> Result<Params, MapError> {
        let writing = Writing { run: &scope.settings, account: &self.settings, clears: self.endpoint.clears };
        let mut params = Vec::with_capacity(self.map.len() + 1);
        for parameter in &self.map {
            if let Sent::Text(text) = parameter.eval(values, &writing, "map", trace)? {
                params.push((parameter.name.clone(), text));
            }
        }
        match broken(self.endpoint, &held(&params)).first() {
            None => Ok(params),
            Some(breach) => Err(MapError::new(format!("{place}.map"), breach.message())),
        }
    }

    /// The lead of a new sale, which is imported first so that the order's id is known before money moves.
    fn lead(&self, sale: &Params, sale_key: &str, serials: &[String]) -> Option<CrmRequest> {
        let given = |name: &str| value(sale, name).is_some_and(|text| !text.is_empty());
        let wanted = self.lead_first && self.endpoint == &CREATE_SALE;
        if !wanted || given("orderId") || !given("firstName") || !given("lastName") {
            return None;
        }
        let params: Params = sale
            .iter()
            // The key is the sale's own; what is too long for a lead, the sale brings itself.
            .filter(|(name, _)| self.correlate_in != Some(name.as_str()))
            .filter(|(name, text)| {
                let fits = |max: Option<usize>| max.is_none_or(|max| text.chars().count() <= max);
                CREATE_LEAD.param(name).is_some_and(|param| fits(param.max))
            })
            .cloned()
            .collect();
        // Its key is a key already, so it can always be read.
        let sale_key = Uuid::parse_str(sale_key).unwrap_or_default();
        broken(&CREATE_LEAD, &held(&params)).is_empty().then(|| CrmRequest {
            connection: self.connection.clone(),
            endpoint: &CREATE_LEAD,
            params,
            idempotency_key: key::step(sale_key, "lead", None).to_string(),
            correlate_in: None,
            settle_after: self.settle_after,
            repeat: CREATE_LEAD.repeat,
            // Until it is sold, whoever sells to the buyer would take it for his own.
            serials: serials.to_vec(),
            lead: None,
        })
    }
}

fn value<'p>(params: &'p Params, name: &str) -> Option<&'p str> {
    params.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// All is known now.
fn held(params: &Params) -> Vec<Held<'_>> {
    params.iter().map(|(name, value)| Held { name, value: Some(value), sure: true }).collect()
}
