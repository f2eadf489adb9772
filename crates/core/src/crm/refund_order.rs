//! `order/refund`.

use super::{Endpoint, Repeat};

/// Gives money of an order back. (contract §5).
pub static REFUND_ORDER: Endpoint = Endpoint {
    action: "konnektive.refund_order",
    path: "order/refund",
    permission: "Refund Order",
    summary: "Gives money of an order back.",
    params: &[],
    rules: &[],
    repeat: Repeat::Never,
    reply: &[],
};
