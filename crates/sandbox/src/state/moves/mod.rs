//! What business does to orders: the life cycle of contract §2.1.
//!
//! [`State`](super::State) has one method for each move; `life` holds those of an order's life, `money` those
//! that bill again or give back, `upsell` what joins an order later, `parcels` what is shipped, and `customers`
//! what is written about people.

mod customers;
mod life;
mod money;
mod parcels;
mod upsell;

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Buyer, FulfillmentStatus, MAX_ORDERS, OrderStatus, Payment, PurchaseStatus};
use crate::money::Money;

pub use customers::CustomerChange;
pub use parcels::{ParcelChange, Parcels};

/// Why a move is not possible.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No order of this id.
    #[error("no order {0}")]
    NoOrder(String),
    /// No transaction of this id.
    #[error("no transaction {0}")]
    NoTransaction(u64),
    /// The order's status does not allow it.
    #[error("order {order_id} is {}", status.as_str())]
    Status {
        /// The order.
        order_id: String,
        /// Where it stands.
        status: OrderStatus,
    },
    /// Nothing to sell, or a product that the campaign does not have.
    #[error("no products")]
    NoProducts,
    /// Nothing that bills again.
    #[error("order {0} has no running subscription")]
    NoSubscription(String),
    /// No purchase of this id.
    #[error("no purchase {0}")]
    NoPurchase(String),
    /// The purchase's status does not allow it.
    #[error("purchase {purchase_id} is {}", status.as_str())]
    Purchase {
        /// The purchase.
        purchase_id: String,
        /// Where it stands.
        status: PurchaseStatus,
    },
    /// No customer of this id.
    #[error("no customer {0}")]
    NoCustomer(u64),
    /// No parcel of this id, or none of this order.
    #[error("no fulfillment of {0}")]
    NoParcel(String),
    /// The parcel's status does not allow it.
    #[error("fulfillment {fulfillment_id} is {}", status.as_str())]
    Parcel {
        /// The parcel.
        fulfillment_id: u64,
        /// Where it stands.
        status: FulfillmentStatus,
    },
    /// Parcels of the test card are never sent.
    #[error("order {0} is a test order and stays on HOLD")]
    TestParcel(String),
    /// More than there is to give back, or nothing.
    #[error("cannot refund {asked} of {left}")]
    Amount {
        /// The amount asked for.
        asked: Money,
        /// What could be given back.
        left: Money,
    },
    /// The sandbox holds as many orders as it can.
    #[error("the sandbox holds {MAX_ORDERS} orders, its limit")]
    Full,
}

/// A lead as it comes in.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    /// The campaign.
    pub campaign_id: u64,
    /// Who.
    pub buyer: Buyer,
    /// The partial to go on with.
    pub order_id: Option<String>,
    /// Products in the cart.
    pub cart: Vec<CartLine>,
    /// Further fields, see [`Order::extra`](super::Order::extra).
    pub extra: BTreeMap<String, String>,
    /// Makes a new customer even for a known e-mail.
    pub new_customer: bool,
    /// The customer of a new order, where that is known.
    pub customer_id: Option<u64>,
}

/// One product to buy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartLine {
    /// Campaign product id.
    pub product_id: u64,
    /// How many; 0 counts as 1.
    pub qty: u32,
    /// Price of one, if not the campaign's.
    pub price: Option<Money>,
    /// Shipping of the line, if not the campaign's.
    pub shipping: Option<Money>,
}

impl CartLine {
    /// One of this product at the campaign's price.
    pub fn of(product_id: u64) -> CartLine {
        CartLine { product_id, qty: 1, price: None, shipping: None }
    }
}

/// A payment for a cart.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// How it is paid.
    pub payment: Payment,
    /// What is bought.
    pub cart: Vec<CartLine>,
    /// Whether it goes through quality assurance.
    pub qa: bool,
    /// `salesTax`.
    pub tax: Money,
}

/// How the gateway turns a payment down.
#[derive(Clone, Debug)]
pub struct Decline {
    /// Whether trying again is pointless.
    pub hard: bool,
    /// The gateway's words.
    pub text: String,
}

/// A billed cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebilled {
    /// The order that carries the charge: a new one if the cycle ships, else the old one.
    pub order_id: String,
    /// The charge.
    pub transaction_id: u64,
}
