//! `fulfillment/update`.

use super::{Endpoint, Repeat};

/// Says that a parcel was shipped, returned or stopped. (contract §5).
pub static UPDATE_FULFILLMENT: Endpoint = Endpoint {
    action: "konnektive.update_fulfillment",
    path: "fulfillment/update",
    permission: "Update Fulfillment",
    summary: "Says that a parcel was shipped, returned or stopped.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
