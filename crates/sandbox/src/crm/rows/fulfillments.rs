//! Rows of fulfillment/query (contract §3.6).

use serde_json::{Value, json};

use super::orders::carrier;
use crate::clock::stamp;
use crate::crm::variety::{Row, Variety};
use crate::state::{Fulfillment, Line, Order};

/// One row.
pub(crate) fn fulfillment_row(order: &Order, parcel: &Fulfillment, variety: Variety) -> Value {
    let mut row = Row::default();
    let id = parcel.fulfillment_id;
    row.put("company", "System Fulfillment")
        .put("orderId", order.order_id.as_str())
        .put("fulfillmentId", id)
        .put("fulfillmentHouseId", Value::Null)
        .put("dateShipped", parcel.shipped.map(stamp))
        .put("dateDelivered", parcel.delivered.map(stamp))
        .put("dateReturned", parcel.returned.map(stamp))
        .put("dateCreated", stamp(parcel.created))
        .put("dateUpdated", stamp(parcel.updated))
        .put("dateExported", Value::Null)
        .put("clientFulfillmentId", parcel.client_fulfillment_id.as_str())
        .text("trackingNumber", &parcel.tracking_number)
        .put("isReshipment", variety.number(id, "isReshipment", 0.into()))
        .put("shipCarrier", carrier(parcel))
        .text("shipMethod", &parcel.method)
        .put("responseText", Value::Null)
        .put("status", parcel.status.as_str())
        .text("rmaNumber", &parcel.rma_number)
        .put("campaignId", variety.digits(id, "campaignId", order.campaign_id.into()))
        .put("customerId", order.customer_id)
        .put("items", items(order, parcel));
    Value::Object(row.0)
}

fn items(order: &Order, parcel: &Fulfillment) -> Vec<Value> {
    let item = |(id, line): (u64, &Line)| {
        json!({
            "fulfillmentItemId": id.to_string(),
            "name": line.name,
            "sku": line.sku,
            "qty": line.qty.to_string(),
            "status": parcel.status.as_str(),
            "productId": line.product_id.to_string(),
            "rmaNumber": parcel.rma_number,
        })
    };
    packed(order, parcel).map(item).collect()
}

/// The lines that lie in a parcel, with the ids of their places in it.
pub(super) fn packed<'a>(order: &'a Order, parcel: &'a Fulfillment) -> impl Iterator<Item = (u64, &'a Line)> {
    parcel.items.iter().filter_map(|item| {
        let line = order.lines.iter().find(|line| line.order_item_id == item.order_item_id)?;
        Some((item.item_id, line))
    })
}
