//! leads/import and order/import (contract §5.1, §5.2).

use serde_json::{Map, Value};

use super::import_reply::{lead_reply, sale_reply};
use super::order_rows::Style;
use super::params::Params;
use super::reply::{self, Reply};
use super::writes::refused;
use crate::money::Money;
use crate::state::moves::{CartLine, Checkout, Decline, Lead};
use crate::state::{Address, Buyer, Card, OrderStatus, Payment, State};

/// Ways to pay that order/import knows.
const PAY_SOURCES: &[&str] = &[
    "CREDITCARD",
    "PREPAID",
    "CHECK",
    "ACCTONFILE",
    "COD",
    "DIRECTDEBIT",
    "PAYPAL",
    "AMAZON",
    "APPLEPAY",
    "GOOGLEPAY",
];

/// The CRM's test card, and the security code that makes it decline.
const TEST_CARD: &str = "0000000000000000";
const DECLINING_CODE: &str = "900";

/// Well-known gateway test numbers and what becomes of them here.
const DECLINING_CARDS: &[(&str, &str)] = &[
    ("4000000000000002", "Card Declined"),
    ("4000000000009995", "Insufficient funds"),
    ("4000000000000069", "Prepaid Credit Cards Are Not Accepted"),
];

/// Most products that one order may name.
const MOST_PRODUCTS: u64 = 50;

/// Extra fields that are kept under the vendor's name.
const EXTRA: &[&str] = &[
    "affId",
    "sourceId",
    "sourceTitle",
    "sourceValue1",
    "sourceValue2",
    "sourceValue3",
    "sourceValue4",
    "sourceValue5",
    "custom1",
    "custom2",
    "custom3",
    "custom4",
    "custom5",
    "UTMSource",
    "UTMMedium",
    "UTMCampaign",
    "UTMTerm",
    "UTMContent",
    "couponCode",
    "salesUrl",
];

/// What order/import depends on beside its parameters.
#[derive(Clone, Debug)]
pub(crate) struct SaleRules {
    pub(crate) style: Style,
    pub(crate) prepaid_skips_qa: bool,
    /// A decline that was asked for as a fault.
    pub(crate) decline: Option<String>,
}

/// Answers leads/import.
pub(crate) fn leads_import(state: &mut State, params: &Params, style: Style) -> Reply {
    if params.get("firstName").is_none() || params.get("lastName").is_none() {
        return reply::error("First and last name are required fields.");
    }
    let Some(campaign_id) = params.number("campaignId") else {
        return reply::required(&["campaignId"]);
    };
    if params.get("emailAddress").is_none() && params.get("phoneNumber").is_none() {
        return reply::required(&["emailAddress"]);
    }
    match state.lead(lead(params, campaign_id)) {
        Ok(order_id) => match state.order(&order_id) {
            Some(order) => reply::success(lead_reply(order, params, style.shape)),
            None => reply::placeholder("the lead is gone"),
        },
        Err(refusal) => refused(&refusal),
    }
}

/// Answers order/import.
pub(crate) fn order_import(state: &mut State, params: &Params, rules: &SaleRules) -> Reply {
    let (campaign_id, payment) = match checked(state, params) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let cart = cart(params);
    let products_exist = !cart.is_empty()
        && cart.iter().all(|line| crate::state::catalog::product(campaign_id, line.product_id).is_some());
    if !products_exist {
        return reply::error("No products exist in the order");
    }
    if payment.is_test() && is_live_customer(state, params) {
        return reply::error("Cannot user test card with live customer.");
    }
    let order_id = match state.lead(sale_lead(state, params, campaign_id)) {
        Ok(order_id) => order_id,
        Err(refusal) => return refused(&refusal),
    };
    let tax = params.get("salesTax").and_then(Money::parse).unwrap_or_default();
    let prepaid_qa = payment.source == "PREPAID" && !rules.prepaid_skips_qa;
    let qa = (params.flag("forceQA") || prepaid_qa) && !params.flag("skipQA");
    let checkout = Checkout { payment, cart, qa, tax };
    if let Some(text) = decline_text(params, rules) {
        let why = Decline { hard: false, text: text.clone() };
        return match state.decline(&order_id, checkout, &why) {
            Ok(_) => reply::error(format!("Transaction Declined: {text}")),
            Err(refusal) => refused(&refusal),
        };
    }
    if let Err(refusal) = state.sell(&order_id, checkout) {
        return refused(&refusal);
    }
    let merchant_txn = state.transactions_of(&order_id).last().map(|found| found.merchant_txn_id.clone());
    match state.order(&order_id) {
        Some(order) => reply::success(sale_reply(order, merchant_txn.as_deref(), rules.style.shape)),
        None => reply::placeholder("the order is gone"),
    }
}

/// The field checks, in groups as the service reports them.
fn checked(state: &State, params: &Params) -> Result<(u64, Payment), Reply> {
    let missing = absent(params, &["campaignId", "paySource"]);
    if !missing.is_empty() {
        return Err(reply::required(&missing));
    }
    let Some(campaign_id) = params.number("campaignId") else {
        return Err(reply::invalid([("campaignId", "must be an integer".to_owned())]));
    };
    let source = params.text("paySource");
    if !PAY_SOURCES.contains(&source.as_str()) {
        return Err(reply::not_one_of("paySource", PAY_SOURCES.iter().copied()));
    }
    if params.get("orderId").is_none() && source != "ACCTONFILE" {
        let missing = absent(params, &["firstName", "lastName", "emailAddress"]);
        if !missing.is_empty() {
            return Err(reply::required(&missing));
        }
    }
    if source == "ACCTONFILE" && !params.number("customerId").is_some_and(|id| state.has_customer(id)) {
        return Err(reply::error("Customer not found"));
    }
    if !params.flag("billShipSame") && source != "ACCTONFILE" {
        // Live replies do not list the state.
        let missing = absent(params, &["shipAddress1", "shipCity", "shipPostalCode", "shipCountry"]);
        if !missing.is_empty() {
            return Err(reply::required(&missing));
        }
    }
    Ok((campaign_id, payment(params, source)?))
}

fn absent(params: &Params, names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| params.get(name).is_none()).collect()
}

/// The partial that the sale goes on with. The answer to a sale on an order that is sold already is not recorded;
/// the harshest reading is taken: the sale happens, as an order of its own.
fn sale_lead(state: &State, params: &Params, campaign_id: u64) -> Lead {
    let mut lead = lead(params, campaign_id);
    if let Some(named) = params.get("orderId").and_then(|order_id| state.order(order_id)) {
        if named.status == OrderStatus::Partial {
            lead.order_id = Some(named.order_id.clone());
        } else {
            lead.order_id = None;
            lead.buyer = named.buyer.clone();
        }
    }
    if let Some(buyer) = on_file(state, params) {
        lead.buyer = buyer;
    }
    lead.cart = cart(params);
    lead
}

/// The buyer of an account on file.
fn on_file(state: &State, params: &Params) -> Option<Buyer> {
    let customer_id =
        params.number("customerId").filter(|_| params.get("paySource") == Some("ACCTONFILE"))?;
    state.orders().rev().find(|order| order.customer_id == customer_id).map(|order| order.buyer.clone())
}

fn is_live_customer(state: &State, params: &Params) -> bool {
    let email = params.text("emailAddress").to_lowercase();
    let same = |order: &&crate::state::Order| !email.is_empty() && order.buyer.email.to_lowercase() == email;
    let live = |order: &crate::state::Order| order.payment.is_some() && !order.is_test();
    state.orders().filter(same).any(live)
}

fn decline_text(params: &Params, rules: &SaleRules) -> Option<String> {
    if let Some(text) = &rules.decline {
        return Some(text.clone());
    }
    let number = params.get("cardNumber")?;
    if number == TEST_CARD {
        let declines = params.get("cardSecurityCode") == Some(DECLINING_CODE);
        return declines.then(|| "Card Declined".to_owned());
    }
    DECLINING_CARDS.iter().find(|(card, _)| *card == number).map(|(_, text)| (*text).to_owned())
}

fn payment(params: &Params, source: String) -> Result<Payment, Reply> {
    if source != "CREDITCARD" {
        return Ok(Payment { source, card: None });
    }
    let missing = absent(params, &["cardNumber", "cardMonth", "cardYear", "cardSecurityCode"]);
    if !missing.is_empty() {
        return Err(reply::required(&missing));
    }
    let number = params.text("cardNumber");
    if !(15..=16).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(reply::invalid([("cardNumber", "must be 16 digits".to_owned())]));
    }
    let month =
        params.get("cardMonth").and_then(|month| month.parse().ok()).filter(|month| (1..=12).contains(month));
    let year =
        params.get("cardYear").and_then(|year| year.parse().ok()).filter(|year| (2000..=2999).contains(year));
    let (Some(month), Some(year)) = (month, year) else {
        return Err(reply::invalid([("cardMonth", "is not a valid expiry".to_owned())]));
    };
    let (kind, bin, last4) = (
        card_kind(&number),
        number.chars().take(6).collect(),
        number.chars().skip(number.len() - 4).collect(),
    );
    Ok(Payment { source, card: Some(Card { kind, bin, last4, month, year }) })
}

fn card_kind(number: &str) -> String {
    let kind = match number.as_bytes() {
        _ if number == TEST_CARD => "TESTCARD",
        [b'4', ..] => "VISA",
        [b'5' | b'2', ..] => "MASTERCARD",
        [b'3', ..] => "AMEX",
        _ => "DISCOVER",
    };
    kind.to_owned()
}

/// `product1_id` and so on up to the first gap, or `orderItems` as JSON.
fn cart(params: &Params) -> Vec<CartLine> {
    let numbered = |index: u64| {
        let part = |name: &str| params.get(&format!("product{index}_{name}"));
        Some(CartLine {
            product_id: part("id")?.parse().ok()?,
            qty: part("qty").and_then(|qty| qty.parse().ok()).unwrap_or(1),
            price: part("price").and_then(Money::parse),
            shipping: part("shipPrice").and_then(Money::parse),
        })
    };
    let lines: Vec<CartLine> = (1..=MOST_PRODUCTS).map_while(numbered).collect();
    if !lines.is_empty() {
        return lines;
    }
    let items =
        params.get("orderItems").and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let line = |(id, qty): (String, Value)| {
        let qty = qty.as_u64().and_then(|qty| u32::try_from(qty).ok()).unwrap_or(1);
        Some(CartLine { qty, ..CartLine::of(id.parse().ok()?) })
    };
    items.into_iter().flatten().filter_map(line).collect()
}

fn lead(params: &Params, campaign_id: u64) -> Lead {
    let mut extra: std::collections::BTreeMap<String, String> =
        EXTRA.iter().filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned()))).collect();
    let custom = params.iter().filter(|(name, value)| name.starts_with("custom_") && !value.is_empty());
    extra.extend(custom.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Lead {
        campaign_id,
        buyer: buyer(params),
        order_id: params.get("orderId").map(str::to_owned),
        cart: Vec::new(),
        extra,
        new_customer: params.flag("disableCustomerDedup"),
    }
}

fn buyer(params: &Params) -> Buyer {
    let bill = Address {
        first_name: params.text("firstName"),
        last_name: params.text("lastName"),
        company_name: params.text("companyName"),
        address1: params.text("address1"),
        address2: params.text("address2"),
        city: params.text("city"),
        state: params.text("state"),
        country: params.text("country"),
        postal_code: params.text("postalCode"),
    };
    let ship = Address {
        first_name: params.text("shipFirstName"),
        last_name: params.text("shipLastName"),
        company_name: params.text("shipCompanyName"),
        address1: params.text("shipAddress1"),
        address2: params.text("shipAddress2"),
        city: params.text("shipCity"),
        state: params.text("shipState"),
        country: params.text("shipCountry"),
        postal_code: params.text("shipPostalCode"),
    };
    let ship = if params.flag("billShipSame") { bill.clone() } else { ship };
    let text = |name| params.text(name);
    Buyer { bill, ship, email: text("emailAddress"), phone: text("phoneNumber"), ip: text("ipAddress") }
}
