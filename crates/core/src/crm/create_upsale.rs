//! `upsale/import`.

use super::{Endpoint, Repeat};

/// Adds a product to a sale. (contract §5).
pub static CREATE_UPSALE: Endpoint = Endpoint {
    action: "konnektive.create_upsale",
    path: "upsale/import",
    permission: "Import Upsale",
    summary: "Adds a product to a sale.",
    params: &[],
    rules: &[],
    repeat: Repeat::Never,
    reply: &[],
};
