//! Products that join a sale after it was made.

use super::life::{activate, stop};
use super::{CartLine, Decline, Refusal};
use crate::money::Money;
use crate::state::books::{APPROVED, Entry};
use crate::state::news::{News, Route};
use crate::state::{
    FulfillmentStatus, Line, Order, OrderStatus, PurchaseStatus, ResponseType, State, TxnType,
};

impl State {
    /// Sells more on an order, paid as the order was, and gives the charge (none if the order was paid elsewhere).
    /// The line of `replaces`, a campaign product, ends. Nothing de-duplicates: the same again is sold again.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is sold and not over, [`Refusal::NoProducts`]
    /// also for a product to replace that the order does not have.
    pub fn upsell(
        &mut self,
        order_id: &str,
        cart: &[CartLine],
        tax: Money,
        replaces: Option<u64>,
    ) -> Result<Option<u64>, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Complete, OrderStatus::Pending])?;
        let now = self.now();
        let mut added = self.lines(order.campaign_id, cart)?;
        self.open_purchases(&mut added);
        let amount = added.iter().map(Line::charge).sum::<Money>() + tax;
        let held = order.status == OrderStatus::Pending;
        let txn_type = if held { TxnType::Authorize } else { TxnType::Sale };
        for line in &mut added {
            "UPSALE".clone_into(&mut line.product_type);
            line.purchase_status = Some(PurchaseStatus::Pending);
            line.txn_type = Some(txn_type);
        }
        if !held {
            activate(&mut added, txn_type, now);
            order.paid = order.paid + amount;
        }
        if let Some(product) = replaces {
            let old = order.lines.iter_mut().find(|line| line.product_id == product);
            let old = old.ok_or(Refusal::NoProducts)?;
            stop(old, now, "replaced");
            old.replaced_by = added.first().map(|line| line.order_item_id);
        }
        let first = added.first().map(|line| line.order_item_id);
        join(&mut order, added);
        order.tax = order.tax + tax;
        order.updated = now;
        self.pack(&mut order);
        let entry = Entry::first_cycle(txn_type, APPROVED, &order, amount);
        let elsewhere =
            order.payment.as_ref().is_none_or(|paid| matches!(paid.source.as_str(), "PREPAID" | "COD"));
        let transaction = (!elsewhere).then(|| self.record(&order, entry));
        let news = News::of(Route::Upsell, &order).transaction(transaction).line(first.unwrap_or(0));
        self.insert_order(order);
        self.tell(news);
        Ok(transaction)
    }

    /// Turns the payment of an upsale down: the order stays as it is, and a declined transaction is added.
    ///
    /// # Errors
    /// As [`State::upsell`].
    pub fn decline_upsell(
        &mut self,
        order_id: &str,
        cart: &[CartLine],
        tax: Money,
        why: &Decline,
    ) -> Result<u64, Refusal> {
        let mut order = self.in_status(order_id, &[OrderStatus::Complete, OrderStatus::Pending])?;
        let wanted = self.lines(order.campaign_id, cart)?;
        let amount = wanted.iter().map(Line::charge).sum::<Money>() + tax;
        let kind = if why.hard { ResponseType::HardDecline } else { ResponseType::SoftDecline };
        order.updated = self.now();
        let entry = Entry::first_cycle(TxnType::Sale, (kind, &why.text), &order, amount);
        let transaction = self.record(&order, entry);
        let news = News::of(Route::Decline, &order).transaction(transaction);
        self.insert_order(order);
        self.tell(news);
        Ok(transaction)
    }

    /// Puts all that is not on its way yet into the parcel that waits, or into a new one.
    fn pack(&mut self, order: &mut Order) {
        let sent = |line: &Line| {
            let holds = |item: &crate::state::ParcelItem| item.order_item_id == line.order_item_id;
            let mut gone =
                order.fulfillments.iter().filter(|parcel| parcel.status != FulfillmentStatus::Hold);
            gone.any(|parcel| parcel.items.iter().any(holds))
        };
        let waiting: Vec<Line> = order.lines.iter().filter(|line| !sent(line)).cloned().collect();
        let now = self.now();
        let items = self.packed(&waiting);
        let open = order.fulfillments.iter_mut().find(|parcel| parcel.status == FulfillmentStatus::Hold);
        match open {
            Some(parcel) => {
                parcel.items = items;
                parcel.updated = now;
            }
            // In quality assurance there are no parcels yet.
            None if order.status == OrderStatus::Complete => {
                let mut parcel = self.parcel(&[]);
                parcel.items = items;
                order.fulfillments.push(parcel);
            }
            None => {}
        }
    }
}

/// order/query keys its items by product, so one more of the same joins the line that is there; at another price it
/// stands beside it.
fn join(order: &mut Order, added: Vec<Line>) {
    for line in added {
        let same = |known: &&mut Line| {
            known.product_id == line.product_id && known.price == line.price && known.replaced_by.is_none()
        };
        match order.lines.iter_mut().find(same) {
            Some(known) => {
                known.qty = known.qty.saturating_add(line.qty);
                known.shipping = known.shipping + line.shipping;
                known.changed = line.changed;
            }
            None => order.lines.push(line),
        }
    }
}
