//! What is bought: `productN_*`, `orderItems`, or the single product of an upsale (contract §5.2, §5.6).

use serde_json::{Map, Value};

use crate::crm::check::Form;
use crate::crm::params::Params;
use crate::crm::reply::{self, Reply};
use crate::money::Money;
use crate::state::catalog;
use crate::state::moves::CartLine;

/// Most products that one order may name.
const MOST_PRODUCTS: u64 = 50;

/// The parts of a product with their forms.
const PARTS: &[(&str, Form)] = &[("qty", Form::Whole), ("price", Form::Amount), ("shipPrice", Form::Amount)];

/// `product1_id` and so on up to the first gap, or `orderItems` as JSON. Empty if neither says anything.
///
/// # Errors
/// A text for each part that has no form.
pub(super) fn cart(params: &Params) -> Result<Vec<CartLine>, Reply> {
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    for index in 1..=MOST_PRODUCTS {
        let name = |part: &str| format!("product{index}_{part}");
        let Some(product_id) = params.get(&name("id")).and_then(|id| id.parse().ok()) else { break };
        wrong.extend(complaints(params, name));
        lines.push(line(params, product_id, name));
    }
    if !wrong.is_empty() {
        return Err(reply::invalid(wrong));
    }
    Ok(if lines.is_empty() { order_items(params) } else { lines })
}

/// The product of an upsale: `productId` and its parts, or as in [`cart`].
///
/// # Errors
/// A text for each part that has no form.
pub(super) fn upsale_cart(params: &Params) -> Result<Vec<CartLine>, Reply> {
    let Some(product_id) = params.get("productId").and_then(|id| id.parse().ok()) else {
        return cart(params);
    };
    let wrong = complaints(params, single);
    if wrong.is_empty() { Ok(vec![line(params, product_id, single)]) } else { Err(reply::invalid(wrong)) }
}

/// Whether there is something to sell, and the campaign has all of it.
pub(super) fn sells(campaign_id: u64, cart: &[CartLine]) -> bool {
    !cart.is_empty() && cart.iter().all(|line| catalog::product(campaign_id, line.product_id).is_some())
}

/// `productQty` and so on.
fn single(part: &str) -> String {
    let name = match part {
        "qty" => "productQty",
        "price" => "productPrice",
        _ => "productShipPrice",
    };
    name.to_owned()
}

fn complaints(params: &Params, name: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let wrong = |(part, form): &(&str, Form)| {
        let name = name(part);
        let complaint = form.complaint(params.get(&name)?)?;
        Some((name, complaint))
    };
    PARTS.iter().filter_map(wrong).collect()
}

fn line(params: &Params, product_id: u64, name: impl Fn(&str) -> String) -> CartLine {
    let part = |part: &str| params.get(&name(part));
    CartLine {
        product_id,
        qty: part("qty").and_then(|qty| qty.parse().ok()).unwrap_or(1),
        price: part("price").and_then(Money::parse),
        shipping: part("shipPrice").and_then(Money::parse),
    }
}

fn order_items(params: &Params) -> Vec<CartLine> {
    let items =
        params.get("orderItems").and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let line = |(id, qty): (String, Value)| {
        let qty = qty.as_u64().and_then(|qty| u32::try_from(qty).ok()).unwrap_or(1);
        Some(CartLine { qty, ..CartLine::of(id.parse().ok()?) })
    };
    items.into_iter().flatten().filter_map(line).collect()
}
