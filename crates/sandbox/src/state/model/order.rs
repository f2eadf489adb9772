//! An order with its lines.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::{
    Buyer, Card, Fulfillment, OrderStatus, OrderType, Patch, Payment, PurchaseStatus, ReviewStatus, TxnType,
};
use crate::money::Money;

/// A row of order/query.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Public id: ten upper-case hex digits.
    pub order_id: String,
    /// Internal id, counting up.
    pub actual_order_id: u64,
    /// The customer.
    pub customer_id: u64,
    /// `dateCreated`, local time.
    pub created: DateTime,
    /// `dateUpdated`, local time.
    pub updated: DateTime,
    /// First sale or rebill.
    pub order_type: OrderType,
    /// Where it stands.
    pub status: OrderStatus,
    /// Quality assurance.
    pub review: Option<ReviewStatus>,
    /// The campaign.
    pub campaign_id: u64,
    /// Who orders.
    pub buyer: Buyer,
    /// How it is paid; none for a lead.
    pub payment: Option<Payment>,
    /// The card that was preauthorised for it; a sale without a card captures on this one.
    pub preauthorised: Option<Card>,
    /// The order that began the subscription, on a rebill's own order.
    pub first_order: Option<String>,
    /// When order/confirm was called for it.
    pub confirmed: Option<DateTime>,
    /// Products.
    pub lines: Vec<Line>,
    /// Parcels.
    pub fulfillments: Vec<Fulfillment>,
    /// `totalDiscount`.
    pub discount: Money,
    /// `salesTax`.
    pub tax: Money,
    /// Money taken so far.
    pub paid: Money,
    /// Money given back so far.
    pub refunded: Money,
    /// When money was given back last, and why.
    pub last_refund: Option<(DateTime, String)>,
    /// Further fields by the vendor's name: `affId`, `sourceValue1`, `custom1`, `UTMSource`, `couponCode`,
    /// `salesUrl`, and custom fields as `custom_Name`.
    pub extra: BTreeMap<String, String>,
    /// Change of the JSON row.
    pub patch: Patch,
}

impl Order {
    /// `totalAmount`: products, tax and discount, without shipping.
    pub fn total(&self) -> Money {
        self.lines.iter().map(Line::total).sum::<Money>() + self.tax - self.discount
    }

    /// `baseShipping`.
    pub fn shipping(&self) -> Money {
        self.lines.iter().map(|line| line.shipping).sum()
    }

    /// What the buyer is charged: [`Order::total`] and shipping.
    pub fn charge(&self) -> Money {
        self.total() + self.shipping()
    }

    /// `refundRemaining`.
    pub fn refundable(&self) -> Money {
        self.paid - self.refunded
    }

    /// Whether it was paid with the test card.
    pub fn is_test(&self) -> bool {
        self.payment.as_ref().is_some_and(Payment::is_test)
    }

    /// Further field by the vendor's name; empty when absent.
    pub fn extra(&self, name: &str) -> &str {
        self.extra.get(name).map_or("", String::as_str)
    }
}

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Campaign product id.
    pub product_id: u64,
    /// Id of the base product.
    pub actual_product_id: u64,
    /// `name`.
    pub name: String,
    /// `productSku`.
    pub sku: String,
    /// `productType`: `OFFER` or `UPSALE`.
    pub product_type: String,
    /// How many.
    pub qty: u32,
    /// Price of one.
    pub price: Money,
    /// Shipping of the line.
    pub shipping: Money,
    /// Whether it bills again.
    pub recurring: bool,
    /// `purchaseId`; empty while nothing was bought.
    pub purchase_id: String,
    /// `actualPurchaseId`; 0 while nothing was bought.
    pub actual_purchase_id: u64,
    /// When it was bought.
    pub bought: Option<DateTime>,
    /// When its purchase changed last.
    pub changed: Option<DateTime>,
    /// State of the purchase; none while nothing was bought.
    pub purchase_status: Option<PurchaseStatus>,
    /// Last transaction's kind; none while nothing was bought.
    pub txn_type: Option<TxnType>,
    /// Next billing day.
    pub next_bill: Option<Date>,
    /// `lastCancellationDate`.
    pub cancelled: Option<DateTime>,
    /// `cancelReason`; empty when absent.
    pub cancel_reason: String,
    /// `cancellationScheduled`.
    pub cancellation_scheduled: bool,
    /// Billing cycles done.
    pub cycle: u32,
    /// `orderItemId`.
    pub order_item_id: u64,
    /// `transactionItemId`.
    pub transaction_item_id: u64,
    /// `replacedByOrderItemId`: the upsale that took its place.
    pub replaced_by: Option<u64>,
}

impl Line {
    /// Price of the whole line without shipping.
    pub fn total(&self) -> Money {
        self.price.times(self.qty)
    }

    /// What the line costs with shipping.
    pub fn charge(&self) -> Money {
        self.total() + self.shipping
    }
}
