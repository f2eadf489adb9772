//! `order/confirm`.

use super::{Endpoint, Repeat};

/// Sends the order's mails and hands it to fulfilment at once. (contract §5).
pub static CONFIRM_ORDER: Endpoint = Endpoint {
    action: "konnektive.confirm_order",
    path: "order/confirm",
    permission: "Confirm Order",
    summary: "Sends the order's mails and hands it to fulfilment at once.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
