//! The CRM's things: orders, their lines and parcels, transactions.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value};

use crate::money::Money;

macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value with the vendor's spelling.
            pub const ALL: &[($name, &str)] = &[$(($name::$variant, $text),)+];

            /// The vendor's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value of the vendor's spelling.
            pub fn parse(text: &str) -> Option<$name> {
                Self::ALL.iter().find(|(_, spelling)| *spelling == text).map(|(value, _)| *value)
            }
        }
    };
}

wire_enum! {
    /// Where an order stands in its life (contract §2.1).
    OrderStatus {
        /// A lead, or a sale that was declined so far.
        Partial = "PARTIAL",
        /// In quality assurance.
        Pending = "PENDING",
        /// Sold.
        Complete = "COMPLETE",
        /// Turned down for good.
        Declined = "DECLINED",
        /// All money went back.
        Refunded = "REFUNDED",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// To be paid on delivery.
        CodPending = "COD_PENDING",
    }
}

wire_enum! {
    /// Whether an order is a buyer's first or a rebill's.
    OrderType {
        /// The buyer ordered.
        NewSale = "NEW_SALE",
        /// A later billing cycle.
        Recurring = "RECURRING",
    }
}

wire_enum! {
    /// Result of quality assurance.
    ReviewStatus {
        /// Waits for a person.
        Pending = "PENDING",
        /// Let through.
        Approved = "APPROVED",
        /// Turned down.
        Declined = "DECLINED",
    }
}

wire_enum! {
    /// Kind of a transaction.
    TxnType {
        /// Authorised and captured in one.
        Sale = "SALE",
        /// Authorised only.
        Authorize = "AUTHORIZE",
        /// Money of an earlier authorisation taken.
        Capture = "CAPTURE",
        /// An authorisation dropped.
        Void = "VOID",
        /// Money given back.
        Refund = "REFUND",
    }
}

wire_enum! {
    /// The gateway's answer to a transaction.
    ResponseType {
        /// Went through.
        Success = "SUCCESS",
        /// Refused; no use trying again.
        HardDecline = "HARD_DECLINE",
        /// Refused; may work later.
        SoftDecline = "SOFT_DECLINE",
    }
}

wire_enum! {
    /// State of a subscription or line.
    PurchaseStatus {
        /// Running.
        Active = "ACTIVE",
        /// In quality assurance.
        Pending = "PENDING",
        /// Nothing more to bill.
        Complete = "COMPLETE",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// A rebill failed and will be tried again.
        RecycleBilling = "RECYCLE_BILLING",
    }
}

wire_enum! {
    /// State of a parcel.
    FulfillmentStatus {
        /// Not handed over yet.
        Hold = "HOLD",
        /// Under way.
        Shipped = "SHIPPED",
        /// Will not be sent.
        Cancelled = "CANCELLED",
    }
}

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
    /// State of the purchase; none while nothing was bought.
    pub purchase_status: Option<PurchaseStatus>,
    /// Last transaction's kind; none while nothing was bought.
    pub txn_type: Option<TxnType>,
    /// Next billing day.
    pub next_bill: Option<Date>,
    /// `lastCancellationDate`.
    pub cancelled: Option<DateTime>,
    /// `cancellationScheduled`.
    pub cancellation_scheduled: bool,
    /// Billing cycles done.
    pub cycle: u32,
    /// `orderItemId`.
    pub order_item_id: u64,
    /// `transactionItemId`.
    pub transaction_item_id: u64,
}

impl Line {
    /// Price of the whole line without shipping.
    pub fn total(&self) -> Money {
        self.price.times(self.qty)
    }
}

/// One parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulfillment {
    /// `fulfillmentId`.
    pub fulfillment_id: u64,
    /// `clientFulfillmentId`, ten hex digits.
    pub client_fulfillment_id: String,
    /// State.
    pub status: FulfillmentStatus,
    /// `trackingNumber`; empty while there is none.
    pub tracking_number: String,
    /// `dateShipped`.
    pub shipped: Option<DateTime>,
    /// `dateCreated`.
    pub created: DateTime,
    /// Id of the first of its items; they count up.
    pub first_item_id: u64,
}

/// A last-minute change of the JSON row, to serve odd records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// Fields to replace or add.
    pub set: Map<String, Value>,
    /// Fields to leave out.
    pub remove: Vec<String>,
}

impl Patch {
    pub(crate) fn apply(&self, row: &mut Map<String, Value>) {
        for (key, value) in &self.set {
            row.insert(key.clone(), value.clone());
        }
        row.retain(|key, _| !self.remove.contains(key));
    }
}

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

/// What a chargeback adds to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chargeback {
    /// `chargebackAmount`.
    pub amount: Money,
    /// `chargebackDate`.
    pub date: Date,
    /// `chargebackReasonCode`.
    pub reason_code: String,
}

/// A row of transactions/query.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Id, counting up.
    pub transaction_id: u64,
    /// The transaction a refund belongs to.
    pub parent: Option<u64>,
    /// `dateCreated`, local time.
    pub created: DateTime,
    /// `dateUpdated`, local time.
    pub updated: DateTime,
    /// Kind.
    pub txn_type: TxnType,
    /// The gateway's answer.
    pub response_type: ResponseType,
    /// The gateway's words.
    pub response_text: String,
    /// The gateway's id.
    pub merchant_txn_id: String,
    /// Twelve hex digits.
    pub client_txn_id: String,
    /// `totalAmount`, positive on refunds as well.
    pub amount: Money,
    /// Public id of the order.
    pub order_id: String,
    /// Internal id of the order.
    pub actual_order_id: u64,
    /// First sale or rebill.
    pub order_type: OrderType,
    /// Which billing cycle, from 1.
    pub billing_cycle: u32,
    /// Which repeated try of a failed rebill, from 0.
    pub recycle: u32,
    /// The customer.
    pub customer_id: u64,
    /// The campaign.
    pub campaign_id: u64,
    /// The buyer as of then.
    pub buyer: Buyer,
    /// How it was paid.
    pub payment: Option<Payment>,
    /// The order's products as of then.
    pub lines: Vec<Line>,
    /// The money already given back of this one.
    pub refunded: Money,
    /// `refundReason`; empty on others.
    pub refund_reason: String,
    /// Set once the bank took the money back.
    pub chargeback: Option<Chargeback>,
    /// Further fields as on the order.
    pub extra: BTreeMap<String, String>,
    /// Change of the JSON row.
    pub patch: Patch,
}

impl Transaction {
    /// Whether it took money.
    pub fn took_money(&self) -> bool {
        matches!(self.txn_type, TxnType::Sale | TxnType::Capture)
            && self.response_type == ResponseType::Success
    }
}
