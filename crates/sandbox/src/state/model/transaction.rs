//! A transaction.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::{Buyer, Line, OrderType, Patch, Payment, ResponseType, TxnType};
use crate::money::Money;

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
