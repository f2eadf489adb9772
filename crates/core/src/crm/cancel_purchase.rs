//! `purchase/cancel` (contract §5.6).

use super::describe::reply;
use super::shared::FULL_REFUND;
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Cancels a subscription.
pub(super) static CANCEL_PURCHASE: Endpoint = Endpoint {
    groups: &[&[
        Param::new("purchaseId", ParamType::Id, "the subscription").max(30),
        Param::new("cancelReason", ParamType::Text, "why").max(100),
        Param::new("fullRefund", ParamType::Flag, "whether to give all of the money back"),
        Param::new("afterNextBill", ParamType::Flag, "whether it ends only after the next charge"),
    ]],
    rules: &[Rule::Required(&["purchaseId"])],
    repeat_if: &[(FULL_REFUND, Repeat::Never)],
    reply: &[reply("purchaseId", "the subscription")],
    ..Endpoint::new(
        "konnektive.cancel_purchase",
        "purchase/cancel",
        "Cancel Purchase",
        "Cancels a subscription.",
    )
};
