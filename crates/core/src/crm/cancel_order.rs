//! `order/cancel` (contract §5.4).

use super::shared::{FULL_REFUND, ORDER_REPLY};
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Cancels an order.
pub(super) static CANCEL_ORDER: Endpoint = Endpoint {
    groups: &[&[
        Param::new("orderId", ParamType::Id, "the order").max(30),
        Param::new("cancelReason", ParamType::Text, "why").max(100),
        Param::new("fullRefund", ParamType::Flag, "whether to give all of the money back"),
        Param::new("afterNextBill", ParamType::Flag, "whether it ends only after the next charge"),
    ]],
    rules: &[Rule::Required(&["orderId", "cancelReason"])],
    repeat_if: &[(FULL_REFUND, Repeat::Never)],
    reply: ORDER_REPLY,
    ..Endpoint::new("konnektive.cancel_order", "order/cancel", "Cancel Order", "Cancels an order.")
};
