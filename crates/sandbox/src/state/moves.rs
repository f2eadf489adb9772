//! What business does to orders: the life cycle of contract §2.1.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use thiserror::Error;

use super::catalog::{self, Product};
use super::{
    Buyer, Chargeback, Fulfillment, FulfillmentStatus, Line, MAX_ORDERS, Order, OrderStatus, OrderType, Patch, Payment,
    PurchaseStatus, ResponseType, ReviewStatus, State, Transaction, TxnType, contact, take,
};
use crate::money::Money;

/// Days between two bills of a subscription.
const BILLING_DAYS: i64 = 30;

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
    /// Further fields, see [`Order::extra`].
    pub extra: BTreeMap<String, String>,
    /// Makes a new customer even for a known e-mail.
    pub new_customer: bool,
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

/// What a new transaction says beyond its order.
struct Entry<'a> {
    txn_type: TxnType,
    response: (ResponseType, &'a str),
    amount: Money,
    payment: Option<Payment>,
    parent: Option<u64>,
    order_type: OrderType,
    cycle: u32,
    recycle: u32,
    refund_reason: &'a str,
}

impl<'a> Entry<'a> {
    fn first_cycle(txn_type: TxnType, response: (ResponseType, &'a str), order: &Order, amount: Money) -> Self {
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

const APPROVED: (ResponseType, &str) = (ResponseType::Success, "Approved");

impl State {
    /// Takes a lead in and gives its orderId: the partial named by `order_id`, else an open partial of the same
    /// campaign, person and address, else a new one.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`] or [`Refusal::Status`] for an `order_id` that is no partial, [`Refusal::NoProducts`]
    /// for an unknown product in the cart, [`Refusal::Full`].
    pub fn lead(&mut self, lead: Lead) -> Result<String, Refusal> {
        let now = self.now();
        let mut order = match &lead.order_id {
            Some(order_id) => self.in_status(order_id, &[OrderStatus::Partial])?,
            None => match self.open_partial(lead.campaign_id, &lead.buyer) {
                Some(order) => order,
                None => self.blank(lead.campaign_id, &lead.buyer, lead.new_customer)?,
            },
        };
        if !lead.cart.is_empty() {
            order.lines = self.lines(lead.campaign_id, &lead.cart)?;
        }
        order.campaign_id = lead.campaign_id;
        merge_buyer(&mut order.buyer, &lead.buyer);
        order.extra.extend(lead.extra);
        order.updated = now;
        let key = (order.campaign_id, contact(&order.buyer), order.buyer.ip.clone());
        self.open_partials.insert(key, order.actual_order_id);
        let order_id = order.order_id.clone();
        self.insert_order(order);
        Ok(order_id)
    }

    /// Sells: a partial becomes COMPLETE (or PENDING in quality assurance, or COD_PENDING), with its transaction.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is a partial, [`Refusal::NoProducts`].
    pub fn sell(&mut self, order_id: &str, checkout: Checkout) -> Result<Option<u64>, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Partial])?;
        order.lines = self.lines(order.campaign_id, &checkout.cart)?;
        order.tax = checkout.tax;
        order.updated = self.now();
        let charged = !matches!(checkout.payment.source.as_str(), "PREPAID" | "COD");
        let cod = checkout.payment.source == "COD";
        order.payment = Some(checkout.payment);
        for line in &mut order.lines {
            line.purchase_id = self.hex_id();
        }
        let txn_type = if checkout.qa { TxnType::Authorize } else { TxnType::Sale };
        if checkout.qa {
            order.status = OrderStatus::Pending;
            order.review = Some(ReviewStatus::Pending);
            set_purchases(&mut order, PurchaseStatus::Pending, txn_type);
        } else {
            self.complete(&mut order, txn_type);
        }
        if cod && !checkout.qa {
            order.status = OrderStatus::CodPending;
            order.paid = Money::ZERO;
        }
        let entry = Entry::first_cycle(txn_type, APPROVED, &order, order.charge());
        let transaction = charged.then(|| self.record(&order, entry));
        self.insert_order(order);
        Ok(transaction)
    }

    /// Turns a payment down: the partial stays, with the cart, and a declined transaction is added.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is a partial, [`Refusal::NoProducts`].
    pub fn decline(&mut self, order_id: &str, checkout: Checkout, why: &Decline) -> Result<u64, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Partial])?;
        order.lines = self.lines(order.campaign_id, &checkout.cart)?;
        order.tax = checkout.tax;
        order.updated = self.now();
        let kind = if why.hard { ResponseType::HardDecline } else { ResponseType::SoftDecline };
        let txn_type = if checkout.qa { TxnType::Authorize } else { TxnType::Sale };
        let mut entry = Entry::first_cycle(txn_type, (kind, &why.text), &order, order.charge());
        entry.payment = Some(checkout.payment);
        let transaction = self.record(&order, entry);
        self.insert_order(order);
        Ok(transaction)
    }

    /// Lets an order through quality assurance: COMPLETE, with a CAPTURE unless it was paid elsewhere.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is PENDING.
    pub fn approve(&mut self, order_id: &str) -> Result<Option<u64>, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Pending])?;
        order.updated = self.now();
        order.review = Some(ReviewStatus::Approved);
        self.complete(&mut order, TxnType::Capture);
        let parent = self.transactions_of(order_id).last().map(|authorised| authorised.transaction_id);
        let mut entry = Entry::first_cycle(TxnType::Capture, APPROVED, &order, order.charge());
        entry.parent = parent;
        let transaction = parent.is_some().then(|| self.record(&order, entry));
        self.insert_order(order);
        Ok(transaction)
    }

    /// Turns an order down in quality assurance: DECLINED, its authorisation voided.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is PENDING.
    pub fn reject(&mut self, order_id: &str) -> Result<(), Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Pending])?;
        let now = self.now();
        order.updated = now;
        order.status = OrderStatus::Declined;
        order.review = Some(ReviewStatus::Declined);
        stop_purchases(&mut order, now);
        if let Some(authorised) = self.transactions_of(order_id).last().map(|found| found.transaction_id) {
            let mut entry = Entry::first_cycle(TxnType::Void, (ResponseType::Success, "Voided"), &order, order.charge());
            entry.parent = Some(authorised);
            self.record(&order, entry);
        }
        self.insert_order(order);
        Ok(())
    }

    /// Cancels an order with its purchases and the parcels not sent yet. In quality assurance it ends DECLINED.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] for an order that is over already.
    pub fn cancel(&mut self, order_id: &str) -> Result<(), Refusal> {
        use OrderStatus::{CodPending, Complete, Partial, Pending};
        let mut order = self.in_status(order_id, &[Partial, Pending, Complete, CodPending])?;
        if order.status == Pending {
            return self.reject(order_id);
        }
        let now = self.now();
        order.updated = now;
        order.status = OrderStatus::Cancelled;
        stop_purchases(&mut order, now);
        self.insert_order(order);
        Ok(())
    }

    /// Marks the order's subscriptions to end after their next bill.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is COMPLETE.
    pub fn cancel_after_next_bill(&mut self, order_id: &str) -> Result<(), Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Complete])?;
        order.updated = self.now();
        for line in &mut order.lines {
            line.cancellation_scheduled = line.recurring;
        }
        self.insert_order(order);
        Ok(())
    }

    /// Gives money back, all that is left if no amount is named, and says in which transactions (several if the
    /// order was charged several times, none if it was paid elsewhere). REFUNDED once all is back.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] for an order that took no money, [`Refusal::Amount`].
    pub fn refund(&mut self, order_id: &str, amount: Option<Money>, reason: &str) -> Result<Vec<u64>, Refusal> {
        use OrderStatus::{Cancelled, Complete, Refunded};
        let order = self.in_status(order_id, &[Complete, Cancelled, Refunded])?;
        let asked = refundable(amount, order.refundable())?;
        let sales: Vec<(u64, Money)> = self
            .transactions_of(order_id)
            .filter(|found| found.took_money())
            .map(|sale| (sale.transaction_id, sale.amount - sale.refunded))
            .collect();
        let mut left = asked;
        let mut refunds = Vec::new();
        for (sale, available) in sales {
            let part = left.min(available);
            if part > Money::ZERO {
                refunds.push(self.give_back(&order, sale, part, reason));
                left = left - part;
            }
        }
        self.book_refund(order, asked);
        Ok(refunds)
    }

    /// Gives money of one transaction back, all that is left of it if no amount is named.
    ///
    /// # Errors
    /// [`Refusal::NoTransaction`] also for one that took no money, [`Refusal::NoOrder`], [`Refusal::Amount`].
    pub fn refund_transaction(&mut self, sale: u64, amount: Option<Money>, reason: &str) -> Result<u64, Refusal> {
        let found = self.transaction(sale).filter(|found| found.took_money());
        let found = found.ok_or(Refusal::NoTransaction(sale))?;
        let asked = refundable(amount, found.amount - found.refunded)?;
        let order_id = found.order_id.clone();
        let order = self.order(&order_id).cloned().ok_or(Refusal::NoOrder(order_id))?;
        let refund = self.give_back(&order, sale, asked, reason);
        self.book_refund(order, asked);
        Ok(refund)
    }

    /// Bills the next cycle of the order's first running subscription: on a new RECURRING order if that cycle
    /// ships, else as a further transaction of this order.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::NoSubscription`], [`Refusal::Full`].
    pub fn rebill(&mut self, order_id: &str) -> Result<Rebilled, Refusal> {
        let (mut order, at) = self.subscription(order_id)?;
        let now = self.now();
        let Some(line) = order.lines.get_mut(at) else {
            return Err(Refusal::NoSubscription(order_id.to_owned()));
        };
        line.cycle += 1;
        line.purchase_status = Some(PurchaseStatus::Active);
        line.next_bill = next_bill(now);
        if line.cancellation_scheduled {
            line.purchase_status = Some(PurchaseStatus::Cancelled);
            line.cancelled = Some(now);
            line.next_bill = None;
        }
        let billed = line.clone();
        order.updated = now;
        let ships = catalog::product(order.campaign_id, billed.product_id).is_some_and(|found| found.ships_again);
        let mut charged = if ships { self.follow_up(&order, &billed)? } else { order.clone() };
        let amount = billed.total() + billed.shipping;
        let mut entry = Entry::first_cycle(TxnType::Sale, APPROVED, &charged, amount);
        entry.order_type = OrderType::Recurring;
        entry.cycle = billed.cycle;
        let transaction_id = self.record(&charged, entry);
        charged.paid = charged.paid + amount;
        let charged_id = charged.order_id.clone();
        self.insert_order(order);
        self.insert_order(charged);
        Ok(Rebilled { order_id: charged_id, transaction_id })
    }

    /// Turns the next cycle's bill down; the subscription goes into RECYCLE_BILLING.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::NoSubscription`].
    pub fn decline_rebill(&mut self, order_id: &str, why: &Decline) -> Result<u64, Refusal> {
        let (mut order, at) = self.subscription(order_id)?;
        let Some(line) = order.lines.get_mut(at) else {
            return Err(Refusal::NoSubscription(order_id.to_owned()));
        };
        line.purchase_status = Some(PurchaseStatus::RecycleBilling);
        let (cycle, amount) = (line.cycle + 1, line.total() + line.shipping);
        let tries = self.transactions_of(order_id).filter(|found| found.billing_cycle == cycle).count();
        order.updated = self.now();
        let kind = if why.hard { ResponseType::HardDecline } else { ResponseType::SoftDecline };
        let mut entry = Entry::first_cycle(TxnType::Sale, (kind, &why.text), &order, amount);
        entry.order_type = OrderType::Recurring;
        entry.cycle = cycle;
        entry.recycle = u32::try_from(tries).unwrap_or(u32::MAX);
        let transaction = self.record(&order, entry);
        self.insert_order(order);
        Ok(transaction)
    }

    /// Sends the order's waiting parcels. Those of test orders stay on HOLD for ever.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is COMPLETE.
    pub fn ship(&mut self, order_id: &str, tracking_number: &str) -> Result<(), Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Complete])?;
        if order.is_test() {
            return Ok(());
        }
        let now = self.now();
        order.updated = now;
        for parcel in order.fulfillments.iter_mut().filter(|parcel| parcel.status == FulfillmentStatus::Hold) {
            parcel.status = FulfillmentStatus::Shipped;
            parcel.shipped = Some(now);
            tracking_number.clone_into(&mut parcel.tracking_number);
        }
        self.insert_order(order);
        Ok(())
    }

    /// The bank takes a sale's money back.
    ///
    /// # Errors
    /// [`Refusal::NoTransaction`] also for one that took no money.
    pub fn charge_back(&mut self, sale: u64, reason_code: &str) -> Result<(), Refusal> {
        let now = self.now();
        let Some(found) = self.transactions.get_mut(&sale).filter(|found| found.took_money()) else {
            return Err(Refusal::NoTransaction(sale));
        };
        found.updated = now;
        let reason_code = reason_code.to_owned();
        found.chargeback = Some(Chargeback { amount: found.amount, date: now.date(), reason_code });
        Ok(())
    }

    /// A new empty partial with fresh ids, not inserted yet.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub fn blank(&mut self, campaign_id: u64, buyer: &Buyer, new_customer: bool) -> Result<Order, Refusal> {
        if self.orders.len() >= MAX_ORDERS {
            return Err(Refusal::Full);
        }
        let now = self.now();
        Ok(Order {
            order_id: self.order_id(),
            actual_order_id: take(&mut self.next.order),
            customer_id: self.customer(buyer, !new_customer),
            created: now,
            updated: now,
            order_type: OrderType::NewSale,
            status: OrderStatus::Partial,
            review: None,
            campaign_id,
            buyer: buyer.clone(),
            payment: None,
            lines: Vec::new(),
            fulfillments: Vec::new(),
            discount: Money::ZERO,
            tax: Money::ZERO,
            paid: Money::ZERO,
            refunded: Money::ZERO,
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

    fn in_status(&self, order_id: &str, allowed: &[OrderStatus]) -> Result<Order, Refusal> {
        let order = self.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
        if !allowed.contains(&order.status) {
            return Err(Refusal::Status { order_id: order_id.to_owned(), status: order.status });
        }
        Ok(order.clone())
    }

    fn open_partial(&self, campaign_id: u64, buyer: &Buyer) -> Option<Order> {
        let key = (campaign_id, contact(buyer), buyer.ip.clone());
        let order = self.orders.get(self.open_partials.get(&key)?)?;
        (order.status == OrderStatus::Partial).then(|| order.clone())
    }

    /// The order and the place of its first line that bills again.
    fn subscription(&self, order_id: &str) -> Result<(Order, usize), Refusal> {
        use PurchaseStatus::{Active, RecycleBilling};
        let order = self.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
        let running = |line: &Line| {
            line.recurring && matches!(line.purchase_status, Some(Active | RecycleBilling)) && line.next_bill.is_some()
        };
        let at = order.lines.iter().position(running);
        Ok((order.clone(), at.ok_or_else(|| Refusal::NoSubscription(order_id.to_owned()))?))
    }

    /// The new order of a cycle that ships.
    fn follow_up(&mut self, order: &Order, billed: &Line) -> Result<Order, Refusal> {
        let mut next = self.blank(order.campaign_id, &order.buyer, false)?;
        next.customer_id = order.customer_id;
        next.order_type = OrderType::Recurring;
        next.status = OrderStatus::Complete;
        next.payment.clone_from(&order.payment);
        next.extra.clone_from(&order.extra);
        let mut line = Line { order_item_id: take(&mut self.next.order_item), ..billed.clone() };
        // The bill's turn stays with the order that the buyer placed.
        line.next_bill = None;
        line.txn_type = Some(TxnType::Sale);
        next.lines.push(line);
        let parcel = self.parcel(&next);
        next.fulfillments.push(parcel);
        Ok(next)
    }

    fn lines(&mut self, campaign_id: u64, cart: &[CartLine]) -> Result<Vec<Line>, Refusal> {
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
            purchase_status: None,
            txn_type: None,
            next_bill: None,
            cancelled: None,
            cancellation_scheduled: false,
            cycle: 1,
            order_item_id: take(&mut self.next.order_item),
            transaction_item_id: take(&mut self.next.transaction_item),
        }
    }

    fn complete(&mut self, order: &mut Order, txn_type: TxnType) {
        let now = self.now();
        order.status = OrderStatus::Complete;
        order.paid = order.charge();
        for line in &mut order.lines {
            line.txn_type = Some(txn_type);
            line.purchase_status = Some(PurchaseStatus::Complete);
            if line.recurring {
                line.purchase_status = Some(PurchaseStatus::Active);
                line.next_bill = next_bill(now);
            }
        }
        let parcel = self.parcel(order);
        order.fulfillments.push(parcel);
    }

    fn parcel(&mut self, order: &Order) -> Fulfillment {
        let first_item_id = self.next.fulfillment_item;
        self.next.fulfillment_item += order.lines.len() as u64;
        Fulfillment {
            fulfillment_id: take(&mut self.next.fulfillment),
            client_fulfillment_id: self.hex_id(),
            status: FulfillmentStatus::Hold,
            tracking_number: String::new(),
            shipped: None,
            created: self.now(),
            first_item_id,
        }
    }

    fn record(&mut self, order: &Order, entry: Entry<'_>) -> u64 {
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

    fn give_back(&mut self, order: &Order, sale: u64, amount: Money, reason: &str) -> u64 {
        let now = self.now();
        let mut entry = Entry::first_cycle(TxnType::Refund, (ResponseType::Success, "Refund Approved"), order, amount);
        entry.parent = Some(sale);
        entry.refund_reason = reason;
        if let Some(found) = self.transactions.get_mut(&sale) {
            found.refunded = found.refunded + amount;
            found.updated = now;
            entry.cycle = found.billing_cycle;
            entry.order_type = found.order_type;
        }
        self.record(order, entry)
    }

    fn book_refund(&mut self, mut order: Order, amount: Money) {
        order.updated = self.now();
        order.refunded = order.refunded + amount;
        if order.refundable() <= Money::ZERO && order.status == OrderStatus::Complete {
            order.status = OrderStatus::Refunded;
        }
        self.insert_order(order);
    }
}

fn refundable(amount: Option<Money>, left: Money) -> Result<Money, Refusal> {
    let asked = amount.unwrap_or(left);
    if asked <= Money::ZERO || asked > left { Err(Refusal::Amount { asked, left }) } else { Ok(asked) }
}

fn next_bill(now: DateTime) -> Option<Date> {
    now.date().checked_add(BILLING_DAYS.days()).ok()
}

fn set_purchases(order: &mut Order, status: PurchaseStatus, txn_type: TxnType) {
    for line in &mut order.lines {
        line.purchase_status = Some(status);
        line.txn_type = Some(txn_type);
    }
}

fn stop_purchases(order: &mut Order, now: DateTime) {
    for line in &mut order.lines {
        line.purchase_status = Some(PurchaseStatus::Cancelled);
        line.cancelled = Some(now);
        line.next_bill = None;
    }
    for parcel in order.fulfillments.iter_mut().filter(|parcel| parcel.status == FulfillmentStatus::Hold) {
        parcel.status = FulfillmentStatus::Cancelled;
    }
}

/// Fields that are given replace those known; absent ones stay.
fn merge_buyer(known: &mut Buyer, given: &Buyer) {
    fn set(known: &mut String, given: &str) {
        if !given.is_empty() {
            given.clone_into(known);
        }
    }
    for (known, given) in [(&mut known.bill, &given.bill), (&mut known.ship, &given.ship)] {
        set(&mut known.first_name, &given.first_name);
        set(&mut known.last_name, &given.last_name);
        set(&mut known.company_name, &given.company_name);
        set(&mut known.address1, &given.address1);
        set(&mut known.address2, &given.address2);
        set(&mut known.city, &given.city);
        set(&mut known.state, &given.state);
        set(&mut known.country, &given.country);
        set(&mut known.postal_code, &given.postal_code);
    }
    set(&mut known.email, &given.email);
    set(&mut known.phone, &given.phone);
    set(&mut known.ip, &given.ip);
}
