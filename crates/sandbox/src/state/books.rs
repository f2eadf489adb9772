//! Making the rows that moves add: ids, times and snapshots in one place.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

use super::catalog::{self, Product};
use super::moves::{CartLine, Refusal};
use super::{
    Buyer, Fulfillment, FulfillmentStatus, Line, MAX_ORDERS, Order, OrderStatus, OrderType, ParcelItem,
    Patch, Payment, ResponseType, State, Transaction, TxnType, take,
};
use crate::money::Money;

/// Days between two bills of a subscription.
const BILLING_DAYS: i64 = 30;

/// What a new transaction says beyond its order.
pub(super) struct Entry<'a> {
    pub(super) txn_type: TxnType,
    pub(super) response: (ResponseType, &'a str),
    pub(super) amount: Money,
    pub(super) payment: Option<Payment>,
    pub(super) parent: Option<u64>,
    pub(super) order_type: OrderType,
    pub(super) cycle: u32,
    pub(super) recycle: u32,
    pub(super) refund_reason: &'a str,
}

impl<'a> Entry<'a> {
    pub(super) fn first_cycle(
        txn_type: TxnType,
        response: (ResponseType, &'a str),
        order: &Order,
        amount: Money,
    ) -> Self {
        Entry {
            txn_type,
            response,
            amount,
            payment: order.payment.clone(),
            parent: None,
            order_type: order.order_type,
            cycle: 1,
            recycle: 0,
            refund_reason: "",
        }
    }
}

/// The gateway let it through.
pub(super) const APPROVED: (ResponseType, &str) = (ResponseType::Success, "Approved");

impl State {
    /// A new empty partial with fresh ids, not inserted yet.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub fn blank(&mut self, campaign_id: u64, buyer: &Buyer, new_customer: bool) -> Result<Order, Refusal> {
        self.room()?;
        let customer_id = self.customer_of(campaign_id, buyer, !new_customer);
        self.blank_for(customer_id, campaign_id, buyer)
    }

    fn room(&self) -> Result<(), Refusal> {
        if self.orders.len() >= MAX_ORDERS { Err(Refusal::Full) } else { Ok(()) }
    }

    /// A new empty partial of this customer, not inserted yet.
    pub(super) fn blank_for(
        &mut self,
        customer_id: u64,
        campaign_id: u64,
        buyer: &Buyer,
    ) -> Result<Order, Refusal> {
        self.room()?;
        let now = self.now();
        Ok(Order {
            order_id: self.order_id(),
            actual_order_id: take(&mut self.next.order),
            customer_id,
            created: now,
            updated: now,
            order_type: OrderType::NewSale,
            status: OrderStatus::Partial,
            review: None,
            campaign_id,
            buyer: buyer.clone(),
            payment: None,
            preauthorised: None,
            first_order: None,
            confirmed: None,
            lines: Vec::new(),
            fulfillments: Vec::new(),
            discount: Money::ZERO,
            tax: Money::ZERO,
            paid: Money::ZERO,
            refunded: Money::ZERO,
            last_refund: None,
            extra: BTreeMap::new(),
            patch: Patch::default(),
        })
    }

    /// A copy of an order under fresh ids, not inserted yet.
    pub(crate) fn twin(&mut self, order: &Order) -> Order {
        Order { order_id: self.order_id(), actual_order_id: take(&mut self.next.order), ..order.clone() }
    }

    /// A copy of a transaction under a fresh id, not inserted yet.
    pub(crate) fn twin_transaction(&mut self, transaction: &Transaction) -> Transaction {
        Transaction { transaction_id: take(&mut self.next.transaction), ..transaction.clone() }
    }

    pub(super) fn lines(&mut self, campaign_id: u64, cart: &[CartLine]) -> Result<Vec<Line>, Refusal> {
        let mut lines: Vec<Line> = Vec::with_capacity(cart.len());
        for wanted in cart {
            let product = catalog::product(campaign_id, wanted.product_id).ok_or(Refusal::NoProducts)?;
            // order/query keys its items by product, so a product has one line.
            match lines.iter_mut().find(|line| line.product_id == wanted.product_id) {
                Some(line) => line.qty = line.qty.saturating_add(wanted.qty.max(1)),
                None => lines.push(self.line(product, wanted)),
            }
        }
        if lines.is_empty() { Err(Refusal::NoProducts) } else { Ok(lines) }
    }

    fn line(&mut self, product: &Product, wanted: &CartLine) -> Line {
        Line {
            product_id: product.id,
            actual_product_id: product.actual_id,
            name: product.name.to_owned(),
            sku: product.sku.to_owned(),
            product_type: if product.upsale { "UPSALE" } else { "OFFER" }.to_owned(),
            qty: wanted.qty.max(1),
            price: wanted.price.unwrap_or(product.price),
            shipping: wanted.shipping.unwrap_or(product.shipping),
            recurring: product.recurring,
            purchase_id: String::new(),
            actual_purchase_id: 0,
            bought: None,
            changed: None,
            purchase_status: None,
            txn_type: None,
            next_bill: None,
            cancelled: None,
            cancel_reason: String::new(),
            cancellation_scheduled: false,
            cycle: 1,
            order_item_id: take(&mut self.next.order_item),
            transaction_item_id: take(&mut self.next.transaction_item),
            replaced_by: None,
        }
    }

    /// Gives lines that are bought now their purchases.
    pub(super) fn open_purchases(&mut self, lines: &mut [Line]) {
        let now = self.now();
        for line in lines {
            line.purchase_id = self.hex_id();
            line.actual_purchase_id = take(&mut self.next.purchase);
            line.bought = Some(now);
            line.changed = Some(now);
        }
    }

    /// A parcel of these lines.
    pub(super) fn parcel(&mut self, lines: &[Line]) -> Fulfillment {
        let now = self.now();
        Fulfillment {
            fulfillment_id: take(&mut self.next.fulfillment),
            client_fulfillment_id: self.hex_id(),
            status: FulfillmentStatus::Hold,
            tracking_number: String::new(),
            carrier: String::new(),
            method: String::new(),
            rma_number: String::new(),
            shipped: None,
            delivered: None,
            returned: None,
            created: now,
            updated: now,
            items: self.packed(lines),
        }
    }

    /// Lines as they lie in a parcel.
    pub(super) fn packed(&mut self, lines: &[Line]) -> Vec<ParcelItem> {
        let item = |line: &Line| ParcelItem {
            item_id: take(&mut self.next.fulfillment_item),
            order_item_id: line.order_item_id,
        };
        lines.iter().map(item).collect()
    }

    pub(super) fn record(&mut self, order: &Order, entry: Entry<'_>) -> u64 {
        let now = self.now();
        let transaction = Transaction {
            transaction_id: take(&mut self.next.transaction),
            parent: entry.parent,
            created: now,
            updated: now,
            txn_type: entry.txn_type,
            response_type: entry.response.0,
            response_text: entry.response.1.to_owned(),
            merchant_txn_id: take(&mut self.next.merchant_txn).to_string(),
            client_txn_id: format!("{:012X}", self.rng.u64(..1 << 48)),
            amount: entry.amount,
            order_id: order.order_id.clone(),
            actual_order_id: order.actual_order_id,
            order_type: entry.order_type,
            billing_cycle: entry.cycle,
            recycle: entry.recycle,
            customer_id: order.customer_id,
            campaign_id: order.campaign_id,
            buyer: order.buyer.clone(),
            payment: entry.payment,
            lines: order.lines.clone(),
            refunded: Money::ZERO,
            refund_reason: entry.refund_reason.to_owned(),
            chargeback: None,
            extra: order.extra.clone(),
            patch: Patch::default(),
        };
        let id = transaction.transaction_id;
        self.insert_transaction(transaction);
        id
    }
}

/// The day of the next bill, if the calendar has it.
pub(super) fn next_bill(now: DateTime) -> Option<Date> {
    now.date().checked_add(BILLING_DAYS.days()).ok()
}
