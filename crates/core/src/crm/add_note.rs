//! `customer/addnote` (contract §5.6).

use super::shared::CUSTOMER_REPLY;
use super::{Endpoint, Param, ParamType, Rule};

/// Writes a note on a customer.
pub(super) static ADD_NOTE: Endpoint = Endpoint {
    groups: &[&[
        Param::new("customerId", ParamType::Id, "the customer").max(30),
        Param::new("message", ParamType::Text, "the note").max(500).personal(),
    ]],
    rules: &[Rule::Required(&["customerId", "message"])],
    reply: CUSTOMER_REPLY,
    ..Endpoint::new(
        "konnektive.add_note",
        "customer/addnote",
        "Add Customer Note",
        "Writes a note on a customer.",
    )
};
