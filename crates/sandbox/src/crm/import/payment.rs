//! How it is paid: cards, accounts on file, what was preauthorised, and what the gateway says (contract §5.2).

use crate::crm::check::{Field, Form, field, need, text};
use crate::crm::params::Params;
use crate::crm::reply::{self, Reply};
use crate::state::{Card, Customer, Order, Payment, State};

/// Ways to pay that order/import knows.
pub(super) const PAY_SOURCES: &[&str] = &[
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

/// Forms of what is said of the payment.
pub(super) const FIELDS: &[Field] = &[
    field("paySource", Form::OneOf(PAY_SOURCES)),
    text("cardSecurityCode", 4),
    field("customerId", Form::Whole),
    field("paySourceId", Form::Whole),
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

/// The payment of a sale, on the order that it goes on with.
///
/// # Errors
/// What the source needs and is not there, in the vendor's words where they are known.
pub(super) fn payment(state: &State, params: &Params, named: Option<&Order>) -> Result<Payment, Reply> {
    let source = params.text("paySource");
    match source.as_str() {
        "ACCTONFILE" => account(params, customer(state, params, named)?),
        "CREDITCARD" => match (params.get("cardNumber"), preauthorised(named)) {
            (None, Some(card)) => Ok(paid(source, Some(card.clone()))),
            (None, None) if elsewhere(params) => Ok(paid(source, None)),
            _ => Ok(paid(source, Some(card(params)?))),
        },
        // A lead whose card the bank has let through needs no more than its products.
        "" => match preauthorised(named) {
            Some(card) => Ok(paid("CREDITCARD".to_owned(), Some(card.clone()))),
            None => Err(reply::required(&["paySource"])),
        },
        "CHECK" => {
            need(params, &["achAccountType", "achRoutingNumber", "achAccountNumber"])?;
            Ok(paid(source, None))
        }
        "DIRECTDEBIT" => {
            need(params, &["iban", "ddbic", "accountHolder"])?;
            Ok(paid(source, None))
        }
        _ => Ok(paid(source, None)),
    }
}

fn paid(source: String, card: Option<Card>) -> Payment {
    Payment { source, card }
}

/// Whether the payment was preauthorised at another's gateway.
fn elsewhere(params: &Params) -> bool {
    params.get("preAuthBillerId").is_some() && params.get("preAuthMerchantTxnId").is_some()
}

pub(super) fn preauthorised(named: Option<&Order>) -> Option<&Card> {
    named?.preauthorised.as_ref()
}

/// The customer who pays from an account on file: the one named, else the lead's.
pub(super) fn customer<'a>(
    state: &'a State,
    params: &Params,
    named: Option<&Order>,
) -> Result<&'a Customer, Reply> {
    let id = match params.get("customerId") {
        Some(text) => text.parse().ok(),
        None => Some(named.ok_or_else(|| reply::required(&["customerId"]))?.customer_id),
    };
    id.and_then(|id| state.customer(id)).ok_or_else(|| reply::error("Customer not found"))
}

/// The account of this `paySourceId`, else the latest. Replies show it as what it is (contract §2).
fn account(params: &Params, customer: &Customer) -> Result<Payment, Reply> {
    let id = |account: &Payment| Customer::pay_source_id(customer.customer_id, account);
    let wanted = params.number("paySourceId");
    let fits = |account: &&Payment| wanted.is_none_or(|wanted| wanted == id(account));
    let found = customer.accounts.iter().rev().find(fits).cloned();
    found.ok_or_else(|| {
        reply::placeholder(format_args!("customer {} has no such account on file", customer.customer_id))
    })
}

/// The card of the request.
///
/// # Errors
/// What is missing or has no form.
pub(super) fn card(params: &Params) -> Result<Card, Reply> {
    need(params, &["cardNumber", "cardMonth", "cardYear", "cardSecurityCode"])?;
    let number = params.text("cardNumber");
    if !(15..=16).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(reply::invalid([("cardNumber", reply::own("must be 16 digits"))]));
    }
    let month =
        params.get("cardMonth").and_then(|month| month.parse().ok()).filter(|month| (1..=12).contains(month));
    let year =
        params.get("cardYear").and_then(|year| year.parse().ok()).filter(|year| (2000..=2999).contains(year));
    let (Some(month), Some(year)) = (month, year) else {
        return Err(reply::invalid([("cardMonth", reply::own("is not a valid expiry"))]));
    };
    let (kind, bin, last4) = (
        card_kind(&number),
        number.chars().take(6).collect(),
        number.chars().skip(number.len() - 4).collect(),
    );
    Ok(Card { kind, bin, last4, month, year })
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

/// Why the gateway turns the card of the request down.
pub(super) fn declined(params: &Params) -> Option<String> {
    let number = params.get("cardNumber")?;
    if number == TEST_CARD {
        let declines = params.get("cardSecurityCode") == Some(DECLINING_CODE);
        return declines.then(|| "Card Declined".to_owned());
    }
    DECLINING_CARDS.iter().find(|(card, _)| *card == number).map(|(_, text)| (*text).to_owned())
}
