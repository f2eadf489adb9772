//! Later bills, refunds and chargebacks.

use super::{Decline, Rebilled, Refusal};
use crate::money::Money;
use crate::state::books::{APPROVED, Entry, next_bill};
use crate::state::news::{News, Route};
use crate::state::{
    Buyer, Chargeback, Line, Order, OrderStatus, OrderType, PurchaseStatus, ResponseType, State, TxnType,
    catalog, take,
};

impl State {
    /// Gives money back, all that is left if no amount is named, and says in which transactions (several if the
    /// order was charged several times, none if it was paid elsewhere). REFUNDED once all is back.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] for an order that took no money, [`Refusal::Amount`].
    pub fn refund(
        &mut self,
        order_id: &str,
        amount: Option<Money>,
        reason: &str,
    ) -> Result<Vec<u64>, Refusal> {
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
        self.book_refund(order, asked, refunds.last().copied(), reason);
        Ok(refunds)
    }

    /// Gives money of one transaction back, all that is left of it if no amount is named.
    ///
    /// # Errors
    /// [`Refusal::NoTransaction`] also for one that took no money, [`Refusal::NoOrder`], [`Refusal::Amount`].
    pub fn refund_transaction(
        &mut self,
        sale: u64,
        amount: Option<Money>,
        reason: &str,
    ) -> Result<u64, Refusal> {
        let found = self.transaction(sale).filter(|found| found.took_money());
        let found = found.ok_or(Refusal::NoTransaction(sale))?;
        let asked = refundable(amount, found.amount - found.refunded)?;
        let order_id = found.order_id.clone();
        let order = self.order(&order_id).cloned().ok_or(Refusal::NoOrder(order_id))?;
        let refund = self.give_back(&order, sale, asked, reason);
        self.book_refund(order, asked, Some(refund), reason);
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
        line.changed = Some(now);
        line.purchase_status = Some(PurchaseStatus::Active);
        line.next_bill = next_bill(now);
        if line.cancellation_scheduled {
            line.purchase_status = Some(PurchaseStatus::Cancelled);
            line.cancelled = Some(now);
            line.next_bill = None;
        }
        let billed = line.clone();
        order.updated = now;
        let ships =
            catalog::product(order.campaign_id, billed.product_id).is_some_and(|found| found.ships_again);
        let mut charged = if ships { self.follow_up(&order, &billed)? } else { order.clone() };
        let amount = billed.charge();
        let mut entry = Entry::first_cycle(TxnType::Sale, APPROVED, &charged, amount);
        entry.order_type = OrderType::Recurring;
        entry.cycle = billed.cycle;
        let transaction_id = self.record(&charged, entry);
        charged.paid = charged.paid + amount;
        let charged_id = charged.order_id.clone();
        let item = charged.lines.iter().find(|line| line.purchase_id == billed.purchase_id);
        let item = item.map_or(billed.order_item_id, |line| line.order_item_id);
        let news = News::of(Route::Rebill, &charged).transaction(transaction_id).line(item);
        self.heard_of(&charged, &Buyer::default());
        self.insert_order(order);
        self.insert_order(charged);
        self.tell(news);
        Ok(Rebilled { order_id: charged_id, transaction_id })
    }

    /// Turns the next cycle's bill down; the subscription goes into RECYCLE_BILLING.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::NoSubscription`].
    pub fn decline_rebill(&mut self, order_id: &str, why: &Decline) -> Result<u64, Refusal> {
        let (mut order, at) = self.subscription(order_id)?;
        let now = self.now();
        let Some(line) = order.lines.get_mut(at) else {
            return Err(Refusal::NoSubscription(order_id.to_owned()));
        };
        line.purchase_status = Some(PurchaseStatus::RecycleBilling);
        line.changed = Some(now);
        let item = line.order_item_id;
        let (cycle, amount) = (line.cycle + 1, line.charge());
        let tries = self.transactions_of(order_id).filter(|found| found.billing_cycle == cycle).count();
        order.updated = now;
        let kind = if why.hard { ResponseType::HardDecline } else { ResponseType::SoftDecline };
        let mut entry = Entry::first_cycle(TxnType::Sale, (kind, &why.text), &order, amount);
        entry.order_type = OrderType::Recurring;
        entry.cycle = cycle;
        entry.recycle = u32::try_from(tries).unwrap_or(u32::MAX);
        let transaction = self.record(&order, entry);
        let news = News::of(Route::RebillDecline, &order).transaction(transaction).line(item);
        self.insert_order(order);
        self.tell(news);
        Ok(transaction)
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
        let order_id = found.order_id.clone();
        let news = self.order(&order_id).map(|order| News::of(Route::Chargeback, order).transaction(sale));
        news.into_iter().for_each(|news| self.tell(news));
        Ok(())
    }

    /// The order and the place of its first line that bills again.
    fn subscription(&self, order_id: &str) -> Result<(Order, usize), Refusal> {
        use PurchaseStatus::{Active, RecycleBilling};
        let order = self.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
        let running = |line: &Line| {
            line.recurring
                && matches!(line.purchase_status, Some(Active | RecycleBilling))
                && line.next_bill.is_some()
        };
        let at = order.lines.iter().position(running);
        Ok((order.clone(), at.ok_or_else(|| Refusal::NoSubscription(order_id.to_owned()))?))
    }

    /// The new order of a cycle that ships.
    fn follow_up(&mut self, order: &Order, billed: &Line) -> Result<Order, Refusal> {
        let mut next = self.blank_for(order.customer_id, order.campaign_id, &order.buyer)?;
        next.first_order = Some(order.order_id.clone());
        next.order_type = OrderType::Recurring;
        next.status = OrderStatus::Complete;
        next.payment.clone_from(&order.payment);
        next.extra.clone_from(&order.extra);
        let mut line = Line { order_item_id: take(&mut self.next.order_item), ..billed.clone() };
        // The bill's turn stays with the order that the buyer placed.
        line.next_bill = None;
        line.txn_type = Some(TxnType::Sale);
        next.lines.push(line);
        let parcel = self.parcel(&next.lines);
        next.fulfillments.push(parcel);
        Ok(next)
    }

    fn give_back(&mut self, order: &Order, sale: u64, amount: Money, reason: &str) -> u64 {
        let now = self.now();
        let mut entry =
            Entry::first_cycle(TxnType::Refund, (ResponseType::Success, "Refund Approved"), order, amount);
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

    fn book_refund(&mut self, mut order: Order, amount: Money, transaction: Option<u64>, reason: &str) {
        order.updated = self.now();
        order.refunded = order.refunded + amount;
        order.last_refund = Some((order.updated, reason.to_owned()));
        if order.refundable() <= Money::ZERO && order.status == OrderStatus::Complete {
            order.status = OrderStatus::Refunded;
        }
        let full = order.refundable() <= Money::ZERO;
        let route = if full { Route::FullRefund } else { Route::PartialRefund };
        let news = News::of(route, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
    }
}

fn refundable(amount: Option<Money>, left: Money) -> Result<Money, Refusal> {
    let asked = amount.unwrap_or(left);
    if asked <= Money::ZERO || asked > left { Err(Refusal::Amount { asked, left }) } else { Ok(asked) }
}
