//! purchase/query (contract §3.3).

use std::collections::HashSet;

use super::{Common, Facts, Paged, Paging, in_order, one_of};
use crate::config::BeyondEnd;
use crate::crm::dates::{self, RangeType};
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::crm::rows::purchase_row;
use crate::crm::variety::Variety;
use crate::state::{Line, Order, PurchaseStatus, State};

/// Answers purchase/query.
pub(crate) fn purchases(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let query = match PurchaseQuery::read(params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let page = Paged { things: "purchases", params, range: query.range, beyond, variety };
    page.reply(&rows, |(order, line)| purchase_row(state, order, line, variety))
}

#[derive(Debug)]
struct PurchaseQuery {
    common: Common,
    range: RangeType,
    purchase_id: Option<String>,
    status: Option<PurchaseStatus>,
}

impl PurchaseQuery {
    fn read(params: &Params) -> Result<PurchaseQuery, Reply> {
        Ok(PurchaseQuery {
            common: Common::read(params, &["orderId", "purchaseId", "customerId"])?,
            range: dates::range_type(params, &[RangeType::Created, RangeType::Updated])?,
            purchase_id: params.get("purchaseId").map(str::to_owned),
            status: one_of(params, "status", PurchaseStatus::ALL)?,
        })
    }

    fn admits(&self, order: &Order, line: &Line) -> bool {
        let at = if self.range == RangeType::Updated { line.changed } else { line.bought };
        let facts = Facts {
            at: at.unwrap_or(order.created),
            order_id: &order.order_id,
            customer_id: order.customer_id,
            campaign_id: order.campaign_id,
            buyer: &order.buyer,
            extra: &order.extra,
        };
        self.purchase_id.as_ref().is_none_or(|wanted| *wanted == line.purchase_id)
            && self.status.is_none_or(|wanted| Some(wanted) == line.purchase_status)
            && self.common.admits(&facts)
    }

    /// A purchase is a line of the order that began it; the orders of its later cycles show it again.
    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<(&'a Order, &'a Line)> {
        let mut seen = HashSet::new();
        let bought = state.orders().flat_map(|order| order.lines.iter().map(move |line| (order, line)));
        let bought = bought.filter(|(_, line)| !line.purchase_id.is_empty());
        let first = bought.filter(|(_, line)| seen.insert(line.purchase_id.as_str()));
        let rows = first.filter(|(order, line)| self.admits(order, line)).collect();
        in_order(rows, paging, |(_, line)| (line.bought, line.actual_purchase_id))
    }
}
