//! From a lead to a sale, and to its end.

use jiff::civil::DateTime;

use super::{Checkout, Decline, Lead, Refusal};
use crate::money::Money;
use crate::state::books::{APPROVED, Entry, next_bill};
use crate::state::news::{News, Route};
use crate::state::{
    Buyer, Card, FulfillmentStatus, Line, Order, OrderStatus, PurchaseStatus, ResponseType, ReviewStatus,
    State, TxnType,
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
        let known = match &lead.order_id {
            Some(order_id) => Some(self.in_status(order_id, &[OrderStatus::Partial])?),
            None => self.open_partial(lead.campaign_id, &lead.buyer),
        };
        let is_new = known.is_none();
        let mut order = match (known, lead.customer_id) {
            (Some(order), _) => order,
            (None, Some(customer)) => self.blank_for(customer, lead.campaign_id, &lead.buyer)?,
            (None, None) => self.blank(lead.campaign_id, &lead.buyer, lead.new_customer)?,
        };
        if !lead.cart.is_empty() {
            order.lines = self.lines(lead.campaign_id, &lead.cart)?;
        }
        order.campaign_id = lead.campaign_id;
        order.buyer.learn(&lead.buyer);
        order.extra.extend(lead.extra);
        order.updated = now;
        let key = (order.campaign_id, order.buyer.contact(), order.buyer.ip.clone());
        self.open_partials.insert(key, order.actual_order_id);
        let order_id = order.order_id.clone();
        let news = is_new.then(|| News::of(Route::Partial, &order));
        self.heard_of(&order, &lead.buyer);
        self.insert_order(order);
        news.into_iter().for_each(|news| self.tell(news));
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
        let preauthorised = order.preauthorised.take();
        let captures = preauthorised.is_some() && preauthorised == checkout.payment.card;
        order.payment = Some(checkout.payment);
        self.open_purchases(&mut order.lines);
        let txn_type = match (checkout.qa, captures) {
            (true, _) => TxnType::Authorize,
            (false, true) => TxnType::Capture,
            (false, false) => TxnType::Sale,
        };
        if checkout.qa {
            order.status = OrderStatus::Pending;
            order.review = Some(ReviewStatus::Pending);
            for line in &mut order.lines {
                line.purchase_status = Some(PurchaseStatus::Pending);
                line.txn_type = Some(txn_type);
            }
        } else {
            self.complete(&mut order, txn_type);
        }
        if cod && !checkout.qa {
            order.status = OrderStatus::CodPending;
            order.paid = Money::ZERO;
        }
        let entry = Entry::first_cycle(txn_type, APPROVED, &order, order.charge());
        let transaction = charged.then(|| self.record(&order, entry));
        self.heard_of(&order, &Buyer::default());
        let news = News::of(Route::NewSale, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
        Ok(transaction)
    }

    /// Keeps a card that the bank let through for an order that is still a partial.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is a partial.
    pub fn preauthorise(&mut self, order_id: &str, card: Card) -> Result<(), Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Partial])?;
        order.preauthorised = Some(card);
        order.updated = self.now();
        self.insert_order(order);
        Ok(())
    }

    /// Says that nothing more joins the order, so that its mails and parcels need not wait.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is sold.
    pub fn confirm(&mut self, order_id: &str) -> Result<(), Refusal> {
        use OrderStatus::{CodPending, Complete, Pending};
        let mut order = self.in_status(order_id, &[Complete, Pending, CodPending])?;
        let now = self.now();
        order.confirmed = Some(now);
        order.updated = now;
        self.insert_order(order);
        Ok(())
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
        let news = News::of(Route::Decline, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
        Ok(transaction)
    }

    /// Lets an order through quality assurance: COMPLETE, with new purchases, and a CAPTURE for each authorisation
    /// (none if it was paid elsewhere).
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is PENDING.
    pub fn approve(&mut self, order_id: &str) -> Result<Option<u64>, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Pending])?;
        order.updated = self.now();
        order.review = Some(ReviewStatus::Approved);
        self.open_purchases(&mut order.lines);
        self.complete(&mut order, TxnType::Capture);
        let held = self.authorised(order_id);
        let mut transaction = None;
        for (parent, amount) in held {
            let mut entry = Entry::first_cycle(TxnType::Capture, APPROVED, &order, amount);
            entry.parent = Some(parent);
            transaction = Some(self.record(&order, entry));
        }
        let news = News::of(Route::Capture, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
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
        stop_purchases(&mut order, now, "");
        let mut transaction = None;
        for (parent, amount) in self.authorised(order_id) {
            let voided = (ResponseType::Success, "Voided");
            let mut entry = Entry::first_cycle(TxnType::Void, voided, &order, amount);
            entry.parent = Some(parent);
            transaction = Some(self.record(&order, entry));
        }
        let news = News::of(Route::Decline, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
        Ok(())
    }

    /// The order's successful authorisations with their amounts.
    fn authorised(&self, order_id: &str) -> Vec<(u64, Money)> {
        let open = self.transactions_of(order_id).filter(|found| {
            found.txn_type == TxnType::Authorize && found.response_type == ResponseType::Success
        });
        open.map(|found| (found.transaction_id, found.amount)).collect()
    }

    /// Cancels an order with its purchases and the parcels not sent yet. In quality assurance it ends DECLINED.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] for an order that is over already.
    pub fn cancel(&mut self, order_id: &str, reason: &str) -> Result<(), Refusal> {
        use OrderStatus::{CodPending, Complete, Partial, Pending};
        let mut order = self.in_status(order_id, &[Partial, Pending, Complete, CodPending])?;
        if order.status == Pending {
            return self.reject(order_id);
        }
        let now = self.now();
        order.updated = now;
        order.status = OrderStatus::Cancelled;
        stop_purchases(&mut order, now, reason);
        let news = News::of(Route::Cancel, &order);
        self.insert_order(order);
        self.tell(news);
        Ok(())
    }

    /// Marks the order's subscriptions to end after their next bill.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is COMPLETE.
    pub fn cancel_after_next_bill(&mut self, order_id: &str) -> Result<(), Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Complete])?;
        let now = self.now();
        order.updated = now;
        for line in &mut order.lines {
            line.cancellation_scheduled = line.recurring;
            line.changed = Some(now);
        }
        self.insert_order(order);
        Ok(())
    }

    /// The line that began the purchase, and its order.
    pub fn purchase(&self, purchase_id: &str) -> Option<(&Order, &Line)> {
        let named = |line: &&Line| !purchase_id.is_empty() && line.purchase_id == purchase_id;
        self.orders().find_map(|order| Some((order, order.lines.iter().find(named)?)))
    }

    /// Cancels one purchase now, or marks it to end after its next bill. The order stays as it is.
    ///
    /// # Errors
    /// [`Refusal::NoPurchase`], [`Refusal::Purchase`] for one that is over already.
    pub fn cancel_purchase(
        &mut self,
        purchase_id: &str,
        reason: &str,
        after_next_bill: bool,
    ) -> Result<(), Refusal> {
        use PurchaseStatus::{Cancelled, RecycleFailed};
        let now = self.now();
        let found = self.purchase(purchase_id);
        let (order, line) = found.ok_or_else(|| Refusal::NoPurchase(purchase_id.to_owned()))?;
        let over = line.purchase_status.filter(|status| matches!(status, Cancelled | RecycleFailed));
        if let Some(status) = over {
            return Err(Refusal::Purchase { purchase_id: purchase_id.to_owned(), status });
        }
        let mut order = order.clone();
        order.updated = now;
        let mut item = None;
        for line in order.lines.iter_mut().filter(|line| line.purchase_id == purchase_id) {
            item = Some(line.order_item_id);
            line.changed = Some(now);
            if after_next_bill {
                line.cancellation_scheduled = true;
            } else {
                stop(line, now, reason);
            }
        }
        let news = item.filter(|_| !after_next_bill).map(|item| News::of(Route::Cancel, &order).line(item));
        self.insert_order(order);
        news.into_iter().for_each(|news| self.tell(news));
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
        let key = (campaign_id, buyer.contact(), buyer.ip.clone());
        let order = self.orders.get(self.open_partials.get(&key)?)?;
        (order.status == OrderStatus::Partial).then(|| order.clone())
    }

    fn complete(&mut self, order: &mut Order, txn_type: TxnType) {
        let now = self.now();
        order.status = OrderStatus::Complete;
        order.paid = order.charge();
        activate(&mut order.lines, txn_type, now);
        let parcel = self.parcel(&order.lines);
        order.fulfillments.push(parcel);
    }
}

/// Lines that were paid: those that bill again are running, the others done.
pub(super) fn activate(lines: &mut [Line], txn_type: TxnType, now: DateTime) {
    for line in lines {
        line.txn_type = Some(txn_type);
        line.purchase_status = Some(PurchaseStatus::Complete);
        line.changed = Some(now);
        if line.recurring {
            line.purchase_status = Some(PurchaseStatus::Active);
            line.next_bill = next_bill(now);
        }
    }
}

fn stop_purchases(order: &mut Order, now: DateTime, reason: &str) {
    order.lines.iter_mut().for_each(|line| stop(line, now, reason));
    for parcel in order.fulfillments.iter_mut().filter(|parcel| parcel.status == FulfillmentStatus::Hold) {
        parcel.status = FulfillmentStatus::Cancelled;
        parcel.updated = now;
    }
}

/// Ends a line's purchase.
pub(super) fn stop(line: &mut Line, now: DateTime, reason: &str) {
    line.purchase_status = Some(PurchaseStatus::Cancelled);
    line.cancelled = Some(now);
    line.changed = Some(now);
    reason.clone_into(&mut line.cancel_reason);
    line.next_bill = None;
}
