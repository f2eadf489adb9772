//! Business that the stand-in's own shortcuts do not make.

use zaprun_sandbox::state::moves::{CartLine, Checkout};
use zaprun_sandbox::state::{Card, Payment};

/// One of each of these products, paid by a card of this kind, through quality assurance or not.
pub(crate) fn checkout(products: &[u64], card: &str, qa: bool) -> Checkout {
    let card = Card {
        kind: card.to_owned(),
        bin: "411111".to_owned(),
        last4: "1111".to_owned(),
        month: 12,
        year: 2030,
    };
    let payment = Payment { source: "CREDITCARD".to_owned(), card: Some(card) };
    let cart = products.iter().map(|product| CartLine::of(*product)).collect();
    Checkout { payment, cart, qa, tax: Default::default() }
}
