//! Who buys, with what, and what is kept of them.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::BlacklistType;
use super::enums::wire_enum;

/// A postal address; an empty part is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `firstName` of the addressee.
    pub first_name: String,
    /// `lastName` of the addressee.
    pub last_name: String,
    /// `companyName`.
    pub company_name: String,
    /// `address1`.
    pub address1: String,
    /// `address2`.
    pub address2: String,
    /// `city`.
    pub city: String,
    /// `state`.
    pub state: String,
    /// `country`, two letters.
    pub country: String,
    /// `postalCode`.
    pub postal_code: String,
}

/// Who orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// Name and billing address.
    pub bill: Address,
    /// Where parcels go.
    pub ship: Address,
    /// `emailAddress`.
    pub email: String,
    /// `phoneNumber`.
    pub phone: String,
    /// `ipAddress`.
    pub ip: String,
}

impl Buyer {
    /// What a buyer is known by: e-mail, else phone.
    pub(in crate::state) fn contact(&self) -> String {
        if self.email.is_empty() { self.phone.clone() } else { self.email.to_lowercase() }
    }

    /// Fields that are given replace those known; absent ones stay.
    pub(in crate::state) fn learn(&mut self, given: &Buyer) {
        self.bill.learn(&given.bill);
        self.ship.learn(&given.ship);
        learn(&mut self.email, &given.email);
        learn(&mut self.phone, &given.phone);
        learn(&mut self.ip, &given.ip);
    }
}

impl Address {
    fn learn(&mut self, given: &Address) {
        learn(&mut self.first_name, &given.first_name);
        learn(&mut self.last_name, &given.last_name);
        learn(&mut self.company_name, &given.company_name);
        learn(&mut self.address1, &given.address1);
        learn(&mut self.address2, &given.address2);
        learn(&mut self.city, &given.city);
        learn(&mut self.state, &given.state);
        learn(&mut self.country, &given.country);
        learn(&mut self.postal_code, &given.postal_code);
    }
}

fn learn(known: &mut String, given: &str) {
    if !given.is_empty() {
        given.clone_into(known);
    }
}

/// What of a card the CRM shows again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// `cardType`, such as `VISA` or `TESTCARD`.
    pub kind: String,
    /// First six digits.
    pub bin: String,
    /// Last four digits.
    pub last4: String,
    /// Month of expiry, 1 to 12.
    pub month: i8,
    /// Year of expiry.
    pub year: i16,
}

/// How an order is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// `paySource`, such as `CREDITCARD` or `PREPAID`.
    pub source: String,
    /// The card, for those who pay by one.
    pub card: Option<Card>,
}

impl Payment {
    /// Whether the card is the CRM's own test card.
    pub fn is_test(&self) -> bool {
        self.card.as_ref().is_some_and(|card| card.kind == "TESTCARD")
    }
}

/// A row of customer/query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// `customerId`, counting up.
    pub customer_id: u64,
    /// `dateCreated`, local time.
    pub created: DateTime,
    /// `dateUpdated`, local time.
    pub updated: DateTime,
    /// `mostRecentActivity`, local time.
    pub active: DateTime,
    /// The campaign of the first order.
    pub campaign_id: u64,
    /// Name, addresses and contacts as last known.
    pub buyer: Buyer,
    /// `custom1` to `custom5` of the customer.
    pub custom: BTreeMap<String, String>,
    /// Accounts on file, the latest last.
    pub accounts: Vec<Payment>,
}

impl Customer {
    /// `paySourceId` of one of this customer's accounts.
    pub fn pay_source_id(customer_id: u64, payment: &Payment) -> u64 {
        let last4 = payment.card.as_ref().and_then(|card| card.last4.parse::<u64>().ok());
        customer_id * 10_000 + last4.unwrap_or(0)
    }
}

wire_enum! {
    /// Kind of an entry in a customer's history.
    EntryKind {
        /// Written by customer/addnote.
        Note = "NOTE",
        /// A postback was sent.
        Export = "EXPORT",
    }
}

/// An entry in a customer's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Id, counting up.
    pub id: u64,
    /// The customer.
    pub customer_id: u64,
    /// The order it is about.
    pub order_id: Option<String>,
    /// When, local time.
    pub at: DateTime,
    /// Kind.
    pub kind: EntryKind,
    /// What it says.
    pub text: String,
}

/// An entry of the blacklist. The same value can be there twice: nothing de-duplicates a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banned {
    /// What it goes by.
    pub by: BlacklistType,
    /// The value, in lower case; `state,country` for a place.
    pub value: String,
    /// Since when, local time.
    pub since: DateTime,
}

impl Banned {
    /// Whether it is about this buyer, or a card of these first digits.
    pub fn is_about(&self, buyer: &Buyer, bin: Option<&str>) -> bool {
        let same = |text: &str| !text.is_empty() && text.to_lowercase() == self.value;
        match self.by {
            BlacklistType::CardBin => bin.is_some_and(same),
            BlacklistType::StateCountry => same(&format!("{},{}", buyer.bill.state, buyer.bill.country)),
            BlacklistType::EmailAddress => same(&buyer.email),
            BlacklistType::PhoneNumber => same(&buyer.phone),
            BlacklistType::IpAddress => same(&buyer.ip),
        }
    }
}
