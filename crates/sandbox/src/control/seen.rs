//! What the sandbox saw, and what became of it.

use std::future::Future;

use tokio::sync::watch;

use super::{Control, lock};
use crate::crm::CrmRequest;
use crate::push::Push;
use crate::sink::{Received, SinkSummary};
use crate::state::{OrderStatus, OrderType, Transaction};

impl Control {
    /// The sink's latest records, oldest first.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.0.sink).records().cloned().collect()
    }

    /// Counts over all that the sink ever received.
    pub fn sink_summary(&self) -> SinkSummary {
        lock(&self.0.sink).summary()
    }

    /// Forgets what the sink received. Counts begin anew.
    pub fn clear_sink(&self) {
        lock(&self.0.sink).clear();
        self.0.sink_count.send_replace(0);
    }

    /// Waits until the sink has received `count` requests since the start or the last clearing.
    pub async fn wait_for_sink(&self, count: u64) {
        reached(&self.0.sink_count, count).await;
    }

    /// The latest requests that the CRM served, oldest first.
    pub fn crm_requests(&self) -> Vec<CrmRequest> {
        lock(&self.0.crm).iter().cloned().collect()
    }

    /// How many requests the CRM served in all.
    pub fn crm_count(&self) -> u64 {
        *self.0.crm_count.borrow()
    }

    /// Waits until the CRM has served `count` requests in all.
    pub async fn wait_for_crm(&self, count: u64) {
        reached(&self.0.crm_count, count).await;
    }

    /// The latest requests that change something, oldest first, whatever became of them.
    pub fn writes(&self) -> Vec<CrmRequest> {
        lock(&self.0.crm).iter().filter(|request| request.write).cloned().collect()
    }

    /// The same of one endpoint, such as `order/import`.
    pub fn writes_to(&self, endpoint: &str) -> Vec<CrmRequest> {
        self.writes().into_iter().filter(|request| request.endpoint == endpoint).collect()
    }

    /// How many writes have yet to happen after their answer was lost.
    pub fn writes_late(&self) -> usize {
        lock(&self.0.late).len()
    }

    // What it came to.

    /// Transactions that took an order's money, upsales and later cycles included, oldest first.
    pub fn charges(&self, order_id: &str) -> Vec<u64> {
        self.with(|state| charged(state.transactions_of(order_id)))
    }

    /// Transactions that took money of a buyer of this e-mail, on whatever order, oldest first.
    pub fn charges_of(&self, email: &str) -> Vec<u64> {
        let same = |found: &&Transaction| found.buyer.email.eq_ignore_ascii_case(email);
        self.with(|state| charged(state.transactions().filter(same)))
    }

    /// orderIds that a buyer of this e-mail bought, oldest first: also those paid elsewhere, in quality assurance,
    /// cancelled or refunded since. Later cycles and turned-down orders do not count.
    pub fn sales_of(&self, email: &str) -> Vec<String> {
        use OrderStatus::{Declined, Partial};
        self.with(|state| {
            let bought = state.orders().filter(|order| {
                order.buyer.email.eq_ignore_ascii_case(email)
                    && order.order_type == OrderType::NewSale
                    && !matches!(order.status, Partial | Declined)
                    && order.payment.is_some()
            });
            bought.map(|order| order.order_id.clone()).collect()
        })
    }

    /// The customer of an order.
    pub fn customer_of(&self, order_id: &str) -> Option<u64> {
        self.with(|state| state.order(order_id).map(|order| order.customer_id))
    }

    /// Notes on a customer, oldest first.
    pub fn notes(&self, customer_id: u64) -> Vec<String> {
        use crate::state::EntryKind::Note;
        self.with(|state| {
            let mine = state.history().filter(|entry| entry.customer_id == customer_id && entry.kind == Note);
            mine.map(|entry| entry.text.clone()).collect()
        })
    }

    // Pushes.

    /// The latest pushes that were tried, oldest first.
    pub fn pushes(&self) -> Vec<Push> {
        lock(&self.0.outbox).sent().cloned().collect()
    }

    /// How many pushes wait for their batch or for another try.
    pub fn pushes_waiting(&self) -> usize {
        lock(&self.0.outbox).waiting()
    }

    /// Waits until so many pushes have been tried in all, again counted each time.
    pub fn wait_for_pushes(&self, count: u64) -> impl Future<Output = ()> + '_ {
        reached(&self.0.push_count, count)
    }
}

fn charged<'a>(transactions: impl Iterator<Item = &'a Transaction>) -> Vec<u64> {
    transactions.filter(|found| found.took_money()).map(|found| found.transaction_id).collect()
}

async fn reached(counter: &watch::Sender<u64>, count: u64) {
    // Fails only without a sender, and the borrow holds it.
    let _ = counter.subscribe().wait_for(|seen| *seen >= count).await;
}
