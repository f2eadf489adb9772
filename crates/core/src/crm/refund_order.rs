//! `order/refund` (contract §5.6).

use super::shared::{ORDER_REPLY, REFUND, REFUND_RULES};
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Gives money of an order back.
pub(super) static REFUND_ORDER: Endpoint = Endpoint {
    groups: &[&[Param::new("orderId", ParamType::Id, "the order").max(30)], REFUND],
    rules: &[Rule::Required(&["orderId"]), REFUND_RULES[0], REFUND_RULES[1]],
    repeat: Repeat::Never,
    reply: ORDER_REPLY,
    ..Endpoint::new(
        "konnektive.refund_order",
        "order/refund",
        "Refund Order",
        "Gives money of an order back.",
    )
};
