//! What a write is about, beyond what it names: the order of a transaction, the customer of an order, the e-mail of a
//! customer. Two writes that name different ids may turn out to be about the same.

use super::Look;
use super::facts::{Order, any, same, text};
use crate::find::Ask;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use zaprun_core::crm::{Repeat, serial};
use zaprun_core::request::CrmRequest;
use zaprun_core::trigger::Endpoint;
use zaprun_engine::ports::ReadError;

/// Serials that a look has come upon.
#[derive(Debug, Default)]
pub(super) struct About(Mutex<BTreeSet<String>>);

impl About {
    fn add(&self, serials: impl IntoIterator<Item = Option<String>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(serials.into_iter().flatten());
    }

    /// The serials; a write that moves no money has none but those it names.
    pub(super) fn take(self, request: &CrmRequest) -> Vec<String> {
        let found = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.into_iter().filter(|_| request.repeat == Repeat::Never).collect()
    }
}

impl Look<'_> {
    /// It is about this order. A charge of an order may be taken for a sale to its buyer.
    pub(super) fn is_about(&self, order: &Order) {
        self.is_about_id("orderId", &order.id());
        if matches!(self.request.endpoint.path, "order/import" | "upsale/import" | "order/qa") {
            self.is_about_buyer_of(order);
        }
    }

    /// It is about whose order this is.
    pub(super) fn is_about_buyer_of(&self, order: &Order) {
        self.about.add([serial::of_row(&self.request.connection, &order.row)]);
        self.is_about_id("customerId", &text(&order.row, "customerId"));
    }

    /// It is about what has this id.
    pub(super) fn is_about_id(&self, name: &str, id: &str) {
        self.about.add([serial::of_id(&self.request.connection, name, id)]);
    }

    /// It is about a customer, whom other writes know by his e-mail. An API user that may not read customers does
    /// without.
    pub(super) async fn is_about_customer(&self, id: &str) -> Result<(), ReadError> {
        let ask = Ask { path: Endpoint::Customers.path(), filters: vec![("customerId", id)], days: None };
        let found = match self.rows(ask).await {
            Ok(found) => found,
            Err(ReadError::Permission { .. } | ReadError::Vendor { .. } | ReadError::TooMany { .. }) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for raw in &found.rows {
            let row = any(raw)?;
            if same(&text(&row, "customerId"), id) {
                let (connection, email) = (&self.request.connection, text(&row, "emailAddress"));
                self.about.add([serial::of_buyer(connection, self.param("campaignId"), Some(&email))]);
            }
        }
        Ok(())
    }
}
