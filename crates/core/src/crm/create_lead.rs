//! `leads/import`.

use super::{Endpoint, Repeat};

/// Creates a lead. (contract §5).
pub static CREATE_LEAD: Endpoint = Endpoint {
    action: "konnektive.create_lead",
    path: "leads/import",
    permission: "Import Lead",
    summary: "Creates a lead.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
