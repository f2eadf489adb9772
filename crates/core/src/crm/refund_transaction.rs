//! `transactions/refund`.

use super::{Endpoint, Repeat};

/// Gives money of a transaction back. (contract §5).
pub static REFUND_TRANSACTION: Endpoint = Endpoint {
    action: "konnektive.refund_transaction",
    path: "transactions/refund",
    permission: "Refund Transaction",
    summary: "Gives money of a transaction back.",
    params: &[],
    rules: &[],
    repeat: Repeat::Never,
    reply: &[],
};
