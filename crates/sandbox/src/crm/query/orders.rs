//! order/query (contract §3.1).

use super::{Common, Facts, Paged, Paging, id_list, in_order, just_before, one_of};
use crate::config::BeyondEnd;
use crate::crm::dates::{self, RangeType};
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::crm::rows::{Style, order_row};
use crate::state::{Order, OrderStatus, OrderType, State};

/// Answers order/query.
pub(crate) fn orders(state: &State, params: &Params, style: Style, beyond: BeyondEnd) -> Reply {
    let query = match OrderQuery::read(params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let custom_fields = params.flag("includeCustomFields");
    let page = Paged { things: "orders", params, range: query.range, beyond, variety: style.variety };
    page.reply(&rows, |order| order_row(order, style, custom_fields))
}

/// Moves rows between pages, see [`super::shift_rows`].
pub(super) fn shift_orders(state: &mut State, params: &Params, insert: bool) {
    let (Ok(query), paging) = (OrderQuery::read(params), Paging::read(params)) else { return };
    let Some(first) = query.sorted(state, paging).first().map(|order| (*order).clone()) else { return };
    if insert {
        let mut twin = state.twin(&first);
        twin.created = just_before(first.created, paging);
        twin.updated = state.now();
        state.insert_order(twin);
    } else {
        state.remove_order(&first.order_id);
    }
}

#[derive(Debug)]
struct OrderQuery {
    common: Common,
    range: RangeType,
    status: Option<OrderStatus>,
    order_type: Option<OrderType>,
    products: Option<Vec<u64>>,
}

impl OrderQuery {
    fn read(params: &Params) -> Result<OrderQuery, Reply> {
        Ok(OrderQuery {
            common: Common::read(params, &["orderId", "customerId"])?,
            range: dates::range_type(params, &[RangeType::Created, RangeType::Updated])?,
            status: one_of(params, "orderStatus", OrderStatus::ALL)?,
            order_type: one_of(params, "orderType", OrderType::ALL)?,
            products: id_list(params, "campaignProductId")?,
        })
    }

    fn admits(&self, order: &Order) -> bool {
        let facts = Facts {
            at: if self.range == RangeType::Updated { order.updated } else { order.created },
            order_id: &order.order_id,
            customer_id: order.customer_id,
            campaign_id: order.campaign_id,
            buyer: &order.buyer,
            extra: &order.extra,
        };
        let sells = |wanted: &Vec<u64>| order.lines.iter().any(|line| wanted.contains(&line.product_id));
        self.status.is_none_or(|wanted| wanted == order.status)
            && self.order_type.is_none_or(|wanted| wanted == order.order_type)
            && self.products.as_ref().is_none_or(sells)
            && self.common.admits(&facts)
    }

    /// The rows in the order of their creation, whatever the window is about; the id decides between equals.
    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Order> {
        let rows: Vec<&Order> = state.orders().filter(|order| self.admits(order)).collect();
        in_order(rows, paging, |order| (order.created, order.actual_order_id))
    }
}
