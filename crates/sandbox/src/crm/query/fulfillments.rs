//! fulfillment/query (contract §3.6).

use super::{Common, Facts, Paged, Paging, in_order};
use crate::config::BeyondEnd;
use crate::crm::dates::{self, RangeType};
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::crm::rows::fulfillment_row;
use crate::crm::variety::Variety;
use crate::state::{Fulfillment, Order, State};

/// Answers fulfillment/query. Only the order and the window narrow it: other filters are not attested.
pub(crate) fn fulfillments(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let asked = Common::read(params, &["orderId"]).and_then(|common| {
        Ok((common, dates::range_type(params, &[RangeType::Created, RangeType::Updated])?))
    });
    let (mut common, range) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    common.buyer.clear();
    let admits = |order: &Order, parcel: &Fulfillment| {
        common.admits(&Facts {
            at: if range == RangeType::Updated { parcel.updated } else { parcel.created },
            order_id: &order.order_id,
            customer_id: order.customer_id,
            campaign_id: order.campaign_id,
            buyer: &order.buyer,
            extra: &order.extra,
        })
    };
    let all = state.orders().flat_map(|order| order.fulfillments.iter().map(move |parcel| (order, parcel)));
    let rows: Vec<(&Order, &Fulfillment)> = all.filter(|(order, parcel)| admits(order, parcel)).collect();
    let rows = in_order(rows, Paging::read(params), |(_, parcel)| (parcel.created, parcel.fulfillment_id));
    let page = Paged { things: "fulfillments", params, range, beyond, variety };
    page.reply(&rows, |(order, parcel)| fulfillment_row(order, parcel, variety))
}
