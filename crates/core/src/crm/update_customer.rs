//! `customer/update`.

use super::{Endpoint, Repeat};

/// Changes a customer's data. (contract §5).
pub static UPDATE_CUSTOMER: Endpoint = Endpoint {
    action: "konnektive.update_customer",
    path: "customer/update",
    permission: "Update Customer",
    summary: "Changes a customer's data.",
    params: &[],
    rules: &[],
    repeat: Repeat::Safe,
    reply: &[],
};
