//! `order/confirm` (contract §5.6).

use super::shared::ORDER_REPLY;
use super::{Endpoint, Param, ParamType, Rule};

/// Sends the order's mails and hands it to fulfilment at once.
pub(super) static CONFIRM_ORDER: Endpoint = Endpoint {
    groups: &[&[Param::new("orderId", ParamType::Id, "the order").max(30)]],
    rules: &[Rule::Required(&["orderId"])],
    reply: ORDER_REPLY,
    ..Endpoint::new(
        "konnektive.confirm_order",
        "order/confirm",
        "Confirm Order",
        "Sends the order's mails and hands it to fulfilment at once.",
    )
};
