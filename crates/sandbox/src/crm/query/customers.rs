//! customer/query and customer/history (contract §3.4, §3.5).

use super::{Common, Facts, Paged, Paging, in_order, whole};
use crate::config::BeyondEnd;
use crate::crm::dates::{self, RangeType};
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::crm::rows::{customer_row, history_row};
use crate::crm::variety::Variety;
use crate::state::{Customer, Entry, State};

/// Answers customer/query.
pub(crate) fn customers(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let query = match CustomerQuery::read(state, params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let history = !params.flag("excludeHistory");
    let page = Paged { things: "customers", params, range: query.range, beyond, variety };
    page.reply(&rows, |customer| customer_row(state, customer, variety, history))
}

#[derive(Debug)]
struct CustomerQuery {
    common: Common,
    range: RangeType,
    /// Part of an e-mail; with `exactEmailMatch` the whole is among the common filters.
    email_part: Option<String>,
    /// The customer of the order asked for; 0 for an order that is not there.
    of_order: Option<u64>,
}

impl CustomerQuery {
    fn read(state: &State, params: &Params) -> Result<CustomerQuery, Reply> {
        let mut common = Common::read(params, &["customerId", "orderId"])?;
        let mut email_part = None;
        if !params.flag("exactEmailMatch") {
            email_part = params.get("emailAddress").map(str::to_lowercase);
            common.buyer.retain(|(name, _)| *name != "emailAddress");
        }
        let of_order = common.order_id.take().map(|id| state.order(&id).map_or(0, |order| order.customer_id));
        let known = [RangeType::Created, RangeType::Updated, RangeType::Activity];
        Ok(CustomerQuery { common, range: dates::range_type(params, &known)?, email_part, of_order })
    }

    fn admits(&self, customer: &Customer) -> bool {
        let at = match self.range {
            RangeType::Created => customer.created,
            RangeType::Updated => customer.updated,
            RangeType::Activity => customer.active,
        };
        let facts = Facts {
            at,
            order_id: "",
            customer_id: customer.customer_id,
            campaign_id: customer.campaign_id,
            buyer: &customer.buyer,
            extra: &customer.custom,
        };
        let email = || customer.buyer.email.to_lowercase();
        self.of_order.is_none_or(|wanted| wanted == customer.customer_id)
            && self.email_part.as_ref().is_none_or(|part| email().contains(part))
            && self.common.admits(&facts)
    }

    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Customer> {
        let rows = state.customers().filter(|customer| self.admits(customer)).collect();
        in_order(rows, paging, |customer| (customer.created, customer.customer_id))
    }
}

/// Answers customer/history. A customer without entries is no error.
pub(crate) fn customer_history(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let asked = whole(params, "customerId").and_then(|customer_id| {
        let window = dates::window(params, customer_id.is_some())?;
        Ok((customer_id, window))
    });
    let (customer_id, window) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let admits = |entry: &&Entry| {
        customer_id.is_none_or(|wanted| wanted == entry.customer_id)
            && window.is_none_or(|window| window.holds(entry.at))
    };
    let rows = state.history().filter(admits).collect();
    let rows: Vec<&Entry> = in_order(rows, Paging::read(params), |entry| (entry.at, entry.id));
    let page = Paged { things: "history", params, range: RangeType::Created, beyond, variety };
    page.page(&rows, |entry| history_row(entry))
}
