//! `order/import`.

use super::{Endpoint, Repeat};

/// Creates a new sale. (contract §5).
pub static CREATE_SALE: Endpoint = Endpoint {
    action: "konnektive.create_sale",
    path: "order/import",
    permission: "Import Order",
    summary: "Creates a new sale.",
    params: &[],
    rules: &[],
    repeat: Repeat::Never,
    reply: &[],
};
