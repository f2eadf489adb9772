//! From a lead to a sale, and to its end.

use jiff::civil::DateTime;

use super::{Checkout, Decline, Lead, Refusal};
use crate::money::Money;
use crate::state::books::{APPROVED, Entry, next_bill};
use crate::state::{
    Buyer, FulfillmentStatus, Order, OrderStatus, PurchaseStatus, ResponseType, ReviewStatus, State, TxnType,
    contact,
};

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
            let mut entry =
                Entry::first_cycle(TxnType::Void, (ResponseType::Success, "Voided"), &order, order.charge());
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
        for parcel in order.fulfillments.iter_mut().filter(|parcel| parcel.status == FulfillmentStatus::Hold)
        {
            parcel.status = FulfillmentStatus::Shipped;
            parcel.shipped = Some(now);
            tracking_number.clone_into(&mut parcel.tracking_number);
        }
        self.insert_order(order);
        Ok(())
    }

    pub(super) fn in_status(&self, order_id: &str, allowed: &[OrderStatus]) -> Result<Order, Refusal> {
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
