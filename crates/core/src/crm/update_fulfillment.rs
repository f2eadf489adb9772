//! `fulfillment/update` (contract §5.3).

use super::describe::perhaps;
use super::{Endpoint, Given, Param, ParamType, Repeat, Rule};

/// Says that a parcel was shipped, returned or stopped.
pub(super) static UPDATE_FULFILLMENT: Endpoint = Endpoint {
    groups: &[&[
        Param::new("orderId", ParamType::Id, "order, all of whose shipments are meant").max(32),
        Param::new("fulfillmentId", ParamType::Id, "one shipment").max(32),
        Param::new(
            "fulfillmentStatus",
            ParamType::Enum(&["SHIPPED", "RMA_PENDING", "RETURNED", "CANCELLED"]),
            "what happened to it",
        ),
        Param::new("trackingNumber", ParamType::Id, "tracking number").max(32),
        Param::new("dateShipped", ParamType::Date, "day it was shipped"),
        Param::new("shipCarrier", ParamType::Text, "carrier").max(32),
        Param::new("shipMethod", ParamType::Text, "shipping method").max(32),
        Param::new("refundAmount", ParamType::Money, "amount to give back on return"),
        Param::new("rmaNumber", ParamType::Id, "return number").max(32),
        Param::new("dateReturned", ParamType::Date, "day it came back"),
    ]],
    rules: &[
        Rule::AnyOf(&["orderId", "fulfillmentId"]),
        Rule::RequiredIf { given: Given::Param("fulfillmentId"), needs: &["fulfillmentStatus"] },
        Rule::RequiredIf {
            given: Given::Value("fulfillmentStatus", &["SHIPPED"]),
            needs: &["trackingNumber", "dateShipped"],
        },
        Rule::RequiredIf {
            given: Given::Value("fulfillmentStatus", &["RMA_PENDING"]),
            needs: &["refundAmount", "rmaNumber"],
        },
        Rule::RequiredIf {
            given: Given::Value("fulfillmentStatus", &["RETURNED"]),
            needs: &["dateReturned"],
        },
    ],
    repeat_if: &[(Given::Param("refundAmount"), Repeat::Never)],
    reply: &[
        perhaps("orderId", "public id of the order, where it was named"),
        perhaps("fulfillmentId", "the shipment, where it was named"),
    ],
    ..Endpoint::new(
        "konnektive.update_fulfillment",
        "fulfillment/update",
        "Update Fulfillment",
        "Says that a parcel was shipped, returned or stopped.",
    )
};
