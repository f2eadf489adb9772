//! `customer/addnote`.

use super::{Endpoint, Repeat};

/// Writes a note on a customer. (contract §5).
pub static ADD_NOTE: Endpoint = Endpoint {
    action: "konnektive.add_note",
    path: "customer/addnote",
    permission: "Add Customer Note",
    summary: "Writes a note on a customer.",
    params: &[],
    rules: &[],
    repeat: Repeat::LookFirst,
    reply: &[],
};
