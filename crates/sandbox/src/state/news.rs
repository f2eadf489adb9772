//! What happened, for those who are told: the customer types of the CRM's export profiles (contract §6).

use super::model::wire_enum;
use super::{Order, State};

/// Most news that wait to be fetched; older ones are forgotten.
const MOST_NEWS: usize = 100_000;

wire_enum! {
    /// What an export profile can be told of.
    Route {
        /// A lead that is new.
        Partial = "partial",
        /// A sale, also one that waits for quality assurance.
        NewSale = "new_sale",
        /// A product more on a sale.
        Upsell = "upsell",
        /// A billed later cycle.
        Rebill = "rebill",
        /// A declined first payment, or an order turned down in quality assurance.
        Decline = "decline",
        /// A declined later cycle.
        RebillDecline = "rebill_decline",
        /// A cancelled order or purchase.
        Cancel = "cancel",
        /// A part of the money given back.
        PartialRefund = "partial_refund",
        /// All of the money given back.
        FullRefund = "full_refund",
        /// Money taken back by the bank.
        Chargeback = "chargeback",
        /// An order let through quality assurance.
        Capture = "capture",
        /// A parcel that left.
        Shipped = "shipped",
        /// A parcel that arrived.
        Delivered = "delivered",
        /// A parcel to come back.
        RmaIssued = "rma_issued",
        /// A parcel that came back.
        RmaReturned = "rma_returned",
    }
}

/// Something that happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What.
    pub route: Route,
    /// The order.
    pub order_id: String,
    /// The transaction that it is about.
    pub transaction_id: Option<u64>,
    /// The line that it is about, by its `orderItemId`; the first where none is named.
    pub order_item_id: Option<u64>,
    /// The parcel that it is about.
    pub fulfillment_id: Option<u64>,
}

impl News {
    pub(super) fn of(route: Route, order: &Order) -> News {
        let order_id = order.order_id.clone();
        News { route, order_id, transaction_id: None, order_item_id: None, fulfillment_id: None }
    }

    pub(super) fn transaction(self, transaction_id: impl Into<Option<u64>>) -> News {
        News { transaction_id: transaction_id.into(), ..self }
    }

    pub(super) fn line(self, order_item_id: u64) -> News {
        News { order_item_id: Some(order_item_id), ..self }
    }

    pub(super) fn parcel(self, fulfillment_id: u64) -> News {
        News { fulfillment_id: Some(fulfillment_id), ..self }
    }
}

impl State {
    /// Tells of it. Orders of the test card are never exported.
    pub(super) fn tell(&mut self, news: News) {
        if self.order(&news.order_id).is_some_and(Order::is_test) {
            return;
        }
        if self.news.len() >= MOST_NEWS {
            self.news.pop_front();
        }
        self.news.push_back(news);
    }

    /// Takes what happened since it was asked last, oldest first.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news).into()
    }
}
