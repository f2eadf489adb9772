//! `order/cancel`.

use super::{Endpoint, Repeat};

/// Cancels an order. (contract §5).
pub static CANCEL_ORDER: Endpoint = Endpoint {
    action: "konnektive.cancel_order",
    path: "order/cancel",
    permission: "Cancel Order",
    summary: "Cancels an order.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
