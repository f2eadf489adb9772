//! `purchase/cancel`.

use super::{Endpoint, Repeat};

/// Cancels a subscription. (contract §5).
pub static CANCEL_PURCHASE: Endpoint = Endpoint {
    action: "konnektive.cancel_purchase",
    path: "purchase/cancel",
    permission: "Cancel Purchase",
    summary: "Cancels a subscription.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
