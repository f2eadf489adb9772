//! `order/qa`.

use super::{Endpoint, Repeat};

/// Lets an order in quality assurance through, or turns it down. (contract §5).
pub static QA_ORDER: Endpoint = Endpoint {
    action: "konnektive.qa_order",
    path: "order/qa",
    permission: "Order QA",
    summary: "Lets an order in quality assurance through, or turns it down.",
    params: &[],
    rules: &[],
    repeat: Repeat::Never,
    reply: &[],
};
