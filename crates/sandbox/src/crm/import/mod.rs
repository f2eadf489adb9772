//! leads/import, order/preauth, order/import and upsale/import (contract §5.1, §5.2, §5.6).

mod buyer;
mod cart;
mod payment;

use super::check::{Field, Form, field, fields, flag, need, text};
use super::params::Params;
use super::reply::{self, Reply};
use super::rows::{Style, lead_reply, sale_reply};
use super::writes::refused;
use crate::money::Money;
use crate::state::moves::{Checkout, Decline, Lead};
use crate::state::{Buyer, Order, OrderStatus, Payment, State};

const CAMPAIGN: &[Field] = &[field("campaignId", Form::Whole)];

/// Free fields of a lead, shorter than those of a sale.
const LEAD_CUSTOM: &[Field] = &[
    text("custom1", 30),
    text("custom2", 30),
    text("custom3", 30),
    text("custom4", 30),
    text("custom5", 30),
];

const SALE: &[Field] = &[
    text("custom1", 50),
    text("custom2", 50),
    text("custom3", 50),
    text("custom4", 50),
    text("custom5", 50),
    text("salesUrl", 300),
    field("salesTax", Form::Amount),
    flag("forceQA"),
    flag("skipQA"),
    flag("insureShipment"),
];

const UPSALE: &[Field] =
    &[text("orderId", 30), field("productSalesTax", Form::Amount), field("replaceProductId", Form::Whole)];

/// What sales depend on beside their parameters.
#[derive(Clone, Debug)]
pub(crate) struct SaleRules {
    pub(crate) style: Style,
    pub(crate) prepaid_skips_qa: bool,
    /// A decline that was asked for as a fault.
    pub(crate) decline: Option<String>,
    /// Where the buyer is sent, if that was asked for as a fault.
    pub(crate) redirect: bool,
}

/// Answers leads/import.
pub(crate) fn leads_import(state: &mut State, params: &Params, style: Style) -> Reply {
    let campaign_id = match checked_lead(params) {
        Ok(campaign_id) => campaign_id,
        Err(refusal) => return refusal,
    };
    match state.lead(buyer::lead(params, campaign_id)) {
        Ok(order_id) => match state.order(&order_id) {
            Some(order) => reply::success(lead_reply(order, params, style.shape)),
            None => reply::placeholder("the lead is gone"),
        },
        Err(refusal) => refused(&refusal),
    }
}

fn checked_lead(params: &Params) -> Result<u64, Reply> {
    if params.get("firstName").is_none() || params.get("lastName").is_none() {
        return Err(reply::error("First and last name are required fields."));
    }
    need(params, &["campaignId"])?;
    fields(params, &[CAMPAIGN, buyer::FIELDS, LEAD_CUSTOM])?;
    if params.get("phoneNumber").is_none() {
        need(params, &["emailAddress"])?;
    }
    params.number("campaignId").ok_or_else(|| reply::required(&["campaignId"]))
}

/// Answers order/preauth.
pub(crate) fn preauth(state: &mut State, params: &Params, rules: &SaleRules) -> Reply {
    let known = params.get("orderId").and_then(|order_id| state.order(order_id));
    let of_customer = |id| state.orders().rev().find(|order| order.customer_id == id && is_open(order));
    let order = known.or_else(|| params.number("customerId").and_then(of_customer));
    let Some(order_id) = order.map(|order| order.order_id.clone()) else {
        return reply::error("Customer not found");
    };
    let card = match payment::card(params) {
        Ok(card) => card,
        Err(refusal) => return refusal,
    };
    if let Some(text) = rules.decline.clone().or_else(|| payment::declined(params)) {
        return declined(&text);
    }
    match state.preauthorise(&order_id, card) {
        Ok(()) => reply::success("Card is preauthorized"),
        Err(refusal) => refused(&refusal),
    }
}

fn is_open(order: &Order) -> bool {
    order.status == OrderStatus::Partial
}

/// Answers order/import.
pub(crate) fn order_import(state: &mut State, params: &Params, rules: &SaleRules) -> Reply {
    let (lead, payment) = match checked_sale(state, params) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let cart = lead.cart.clone();
    let order_id = match state.lead(lead) {
        Ok(order_id) => order_id,
        Err(refusal) => return refused(&refusal),
    };
    if rules.redirect {
        return reply::redirect(&format!("https://gateway.example.test/3ds?ref={order_id}"));
    }
    let tax = params.get("salesTax").and_then(Money::parse).unwrap_or_default();
    let prepaid_qa = payment.source == "PREPAID" && !rules.prepaid_skips_qa;
    let qa = (params.flag("forceQA") || prepaid_qa) && !params.flag("skipQA");
    let checkout = Checkout { payment, cart, qa, tax };
    if let Some(text) = rules.decline.clone().or_else(|| payment::declined(params)) {
        let why = Decline { hard: false, text: text.clone() };
        return match state.decline(&order_id, checkout, &why) {
            Ok(_) => declined(&text),
            Err(refusal) => refused(&refusal),
        };
    }
    match state.sell(&order_id, checkout) {
        Ok(_) => sold(state, &order_id, rules.style),
        Err(refusal) => refused(&refusal),
    }
}

fn declined(text: &str) -> Reply {
    reply::error(format!("Transaction Declined: {text}"))
}

/// The whole order, as sales answer.
fn sold(state: &State, order_id: &str, style: Style) -> Reply {
    let merchant_txn = state.transactions_of(order_id).last().map(|found| found.merchant_txn_id.as_str());
    match state.order(order_id) {
        Some(order) => reply::success(sale_reply(order, merchant_txn, style.shape)),
        None => reply::placeholder("the order is gone"),
    }
}

/// The checks of order/import, in groups as the service reports them; the lead that the sale goes on with, and its
/// payment.
fn checked_sale(state: &State, params: &Params) -> Result<(Lead, Payment), Reply> {
    let named = params.get("orderId").and_then(|order_id| state.order(order_id));
    let preauthorised = payment::preauthorised(named).is_some();
    need(params, if preauthorised { &["campaignId"] } else { &["campaignId", "paySource"] })?;
    fields(params, &[CAMPAIGN, payment::FIELDS, buyer::FIELDS, SALE])?;
    let campaign_id = params.number("campaignId").ok_or_else(|| reply::required(&["campaignId"]))?;
    let on_file = params.get("paySource") == Some("ACCTONFILE");
    if params.get("orderId").is_none() && !on_file {
        need(params, &["firstName", "lastName", "emailAddress"])?;
    }
    let payment = payment::payment(state, params, named)?;
    if !params.flag("billShipSame") && !on_file && !preauthorised {
        // Live replies do not list the state.
        need(params, &["shipAddress1", "shipCity", "shipPostalCode", "shipCountry"])?;
    }
    let cart = cart::cart(params)?;
    if !cart::sells(campaign_id, &cart) {
        return Err(reply::error("No products exist in the order"));
    }
    let mut lead = sale_lead(params, campaign_id, named);
    if on_file {
        let customer = payment::customer(state, params, named)?;
        lead.customer_id = Some(customer.customer_id);
        lead.buyer = customer.buyer.clone();
    }
    lead.cart = cart;
    if payment.is_test() && is_live_customer(state, &lead.buyer.email) {
        return Err(reply::error("Cannot user test card with live customer."));
    }
    let buyer = named.filter(|_| lead.order_id.is_some()).map_or(&lead.buyer, |order| &order.buyer);
    let bin = payment.card.as_ref().map(|card| card.bin.as_str());
    if state.is_blacklisted(&lead.buyer, bin) || state.is_blacklisted(buyer, bin) {
        return Err(reply::placeholder("the buyer is blacklisted"));
    }
    Ok((lead, payment))
}

/// The partial that the sale goes on with. The answer to a sale on an order that is sold already is not recorded;
/// the harshest reading is taken: the sale happens, as an order of its own.
fn sale_lead(params: &Params, campaign_id: u64, named: Option<&Order>) -> Lead {
    let mut lead = buyer::lead(params, campaign_id);
    if let Some(named) = named {
        if is_open(named) {
            lead.order_id = Some(named.order_id.clone());
        } else {
            lead.order_id = None;
            lead.buyer = named.buyer.clone();
        }
    }
    lead
}

fn is_live_customer(state: &State, email: &str) -> bool {
    let same = |order: &&Order| !email.is_empty() && order.buyer.email.eq_ignore_ascii_case(email);
    let live = |order: &Order| order.payment.is_some() && !order.is_test();
    state.orders().filter(same).any(live)
}

/// Answers upsale/import.
pub(crate) fn upsale_import(state: &mut State, params: &Params, rules: &SaleRules) -> Reply {
    let (order, cart) = match checked_upsale(state, params) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    if rules.redirect {
        return reply::redirect(&format!("https://gateway.example.test/3ds?ref={order}"));
    }
    let tax = params.get("productSalesTax").and_then(Money::parse).unwrap_or_default();
    if let Some(text) = &rules.decline {
        let why = Decline { hard: false, text: text.clone() };
        return match state.decline_upsell(&order, &cart, tax, &why) {
            Ok(_) => declined(text),
            Err(refusal) => refused(&refusal),
        };
    }
    match state.upsell(&order, &cart, tax, params.number("replaceProductId")) {
        Ok(_) => sold(state, &order, rules.style),
        Err(refusal) => refused(&refusal),
    }
}

fn checked_upsale(
    state: &State,
    params: &Params,
) -> Result<(String, Vec<crate::state::moves::CartLine>), Reply> {
    need(params, &["orderId"])?;
    if params.get("product1_id").is_none() && params.get("orderItems").is_none() {
        need(params, &["productId"])?;
    }
    fields(params, &[UPSALE])?;
    let cart = cart::upsale_cart(params)?;
    let order_id = params.text("orderId");
    // An unknown order has no buyer; the move refuses it.
    let nobody = Buyer::default();
    let order = state.order(&order_id);
    if order.is_some_and(|order| !cart::sells(order.campaign_id, &cart)) {
        return Err(reply::error("No products exist in the order"));
    }
    let payment = order.and_then(|order| order.payment.as_ref());
    let bin = payment.and_then(|payment| payment.card.as_ref()).map(|card| card.bin.as_str());
    if state.is_blacklisted(order.map_or(&nobody, |order| &order.buyer), bin) {
        return Err(reply::placeholder("the buyer is blacklisted"));
    }
    Ok((order_id, cart))
}
