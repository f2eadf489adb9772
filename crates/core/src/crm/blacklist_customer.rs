//! `customer/blacklist`.

use super::{Endpoint, Repeat};

/// Puts a buyer on the blacklist. (contract §5).
pub static BLACKLIST_CUSTOMER: Endpoint = Endpoint {
    action: "konnektive.blacklist_customer",
    path: "customer/blacklist",
    permission: "Blacklist Customer",
    summary: "Puts a buyer on the blacklist.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
