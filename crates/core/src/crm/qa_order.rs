//! `order/qa` (contract §5.6).

use super::shared::ORDER_REPLY;
use super::{Endpoint, Given, Param, ParamType, Repeat, Rule};

/// Lets an order in quality assurance through, or turns it down. Only letting it through charges the buyer.
pub(super) static QA_ORDER: Endpoint = Endpoint {
    groups: &[&[
        Param::new("orderId", ParamType::Id, "the order").max(30),
        Param::new("action", ParamType::Enum(&["APPROVE", "DECLINE"]), "let it through, or turn it down"),
    ]],
    rules: &[Rule::Required(&["orderId", "action"])],
    repeat: Repeat::Never,
    repeat_if: &[(Given::Value("action", &["DECLINE"]), Repeat::LookFirst)],
    reply: ORDER_REPLY,
    ..Endpoint::new(
        "konnektive.qa_order",
        "order/qa",
        "Order QA",
        "Lets an order in quality assurance through, or turns it down.",
    )
};
