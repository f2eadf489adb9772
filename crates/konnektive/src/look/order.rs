//! Reading one order, and what was charged for it.

use super::Look;
use super::facts::{Order, Txn, same};
use crate::find::Ask;
use jiff::Timestamp;
use zaprun_core::trigger::Endpoint;
use zaprun_engine::ports::ReadError;

/// The transactions of something, and the CRM's clock when they were read.
pub(super) struct Ledger {
    pub(super) txns: Vec<Txn>,
    pub(super) at: Timestamp,
}

impl Look<'_> {
    /// The order of that id, if there is one.
    pub(super) async fn order(&self, id: &str) -> Result<Option<Order>, ReadError> {
        let ask = Ask { path: Endpoint::Orders.path(), filters: vec![("orderId", id)], days: None };
        for raw in &self.rows(ask).await?.rows {
            let order = Order::of(raw)?;
            // A filter that the CRM did not understand would give other orders.
            if order.is(id) {
                self.is_about(&order);
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// The transactions of an order.
    pub(super) async fn ledger_of(&self, order: &Order) -> Result<Ledger, ReadError> {
        let id = order.id();
        let mut ledger = self.ledger(vec![("orderId", id.as_str())]).await?;
        ledger.txns.retain(|txn| txn.order.is_empty() || order.is(&txn.order));
        Ok(ledger)
    }

    /// The transactions that a filter by id gives.
    pub(super) async fn ledger(&self, filters: Vec<(&str, &str)>) -> Result<Ledger, ReadError> {
        self.ledger_by(Ask { path: Endpoint::Transactions.path(), filters, days: None }).await
    }

    pub(super) async fn ledger_by(&self, ask: Ask<'_>) -> Result<Ledger, ReadError> {
        let found = self.rows(ask).await?;
        let zone = self.crm.timezone();
        let txns: Result<Vec<Txn>, ReadError> = found.rows.iter().map(|raw| Txn::of(raw, zone)).collect();
        Ok(Ledger { txns: txns?, at: found.at })
    }
}

impl Ledger {
    /// The transaction of that id.
    pub(super) fn find(&self, id: &str) -> Option<&Txn> {
        self.txns.iter().find(|txn| same(&txn.id, id))
    }
}
