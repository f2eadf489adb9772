//! fulfillment/update (contract §5.3).

use jiff::civil::DateTime;

use super::answer;
use crate::crm::check::{Field, Form, field, fields, need, text};
use crate::crm::dates;
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::money::Money;
use crate::state::moves::{ParcelChange, Parcels};
use crate::state::{FulfillmentStatus, State};

/// The statuses that the endpoint sets.
const STATUSES: &[&str] = &["SHIPPED", "RMA_PENDING", "RETURNED", "CANCELLED"];

const FIELDS: &[Field] = &[
    text("orderId", 32),
    text("fulfillmentId", 32),
    field("fulfillmentStatus", Form::OneOf(STATUSES)),
    text("trackingNumber", 32),
    field("dateShipped", Form::Day),
    field("refundAmount", Form::Amount),
    text("rmaNumber", 32),
    field("dateReturned", Form::Day),
    text("shipCarrier", 32),
    text("shipMethod", 32),
];

/// Answers fulfillment/update.
pub(crate) fn fulfillment_update(state: &mut State, params: &Params) -> Reply {
    if let Err(refusal) = checked(params) {
        return refusal;
    }
    let order_id = params.get("orderId");
    let which = match (params.get("fulfillmentId"), order_id) {
        // An id that is no number belongs to no parcel.
        (Some(id), order_id) => Parcels::One { fulfillment_id: id.parse().unwrap_or(0), order_id },
        (None, order_id) => Parcels::Of(order_id.unwrap_or_default()),
    };
    answer(state.update_parcels(which, &change(params)), "fulfillment updated")
}

fn checked(params: &Params) -> Result<(), Reply> {
    if params.get("fulfillmentId").is_some() {
        need(params, &["fulfillmentStatus"])?;
    } else {
        need(params, &["orderId"])?;
    }
    fields(params, &[FIELDS])?;
    match params.get("fulfillmentStatus") {
        Some("SHIPPED") => need(params, &["trackingNumber", "dateShipped"]),
        Some("RMA_PENDING") => need(params, &["refundAmount", "rmaNumber"]),
        Some("RETURNED") => need(params, &["dateReturned"]),
        _ => Ok(()),
    }
}

fn change(params: &Params) -> ParcelChange {
    let text = |name: &str| params.get(name).map(str::to_owned);
    let day = |name: &str| params.get(name).and_then(dates::us_date).map(DateTime::from);
    let status = params.get("fulfillmentStatus").and_then(FulfillmentStatus::parse);
    let rma = status == Some(FulfillmentStatus::RmaPending);
    ParcelChange {
        status,
        tracking_number: text("trackingNumber"),
        carrier: text("shipCarrier"),
        method: text("shipMethod"),
        rma_number: text("rmaNumber"),
        shipped: day("dateShipped"),
        returned: day("dateReturned"),
        refund: params.get("refundAmount").and_then(Money::parse).filter(|_| rma),
    }
}
