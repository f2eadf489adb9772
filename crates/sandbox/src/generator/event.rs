//! What the stream tells of.

/// One business event that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new lead.
    Lead {
        /// Its order.
        order_id: String,
    },
    /// A sale: a lead that bought, or somebody who came to buy.
    Sale {
        /// Its order.
        order_id: String,
        /// The charge; none if it was paid elsewhere.
        transaction_id: Option<u64>,
        /// Whether the order had been a lead of an earlier event.
        was_lead: bool,
        /// Whether it was paid with the test card.
        test: bool,
    },
    /// A sale that waits for quality assurance.
    Pending {
        /// Its order.
        order_id: String,
        /// Whether the order had been a lead of an earlier event.
        was_lead: bool,
    },
    /// Quality assurance let an order through: it is a sale now.
    Approved {
        /// Its order.
        order_id: String,
        /// The charge; none if it was paid elsewhere.
        transaction_id: Option<u64>,
    },
    /// A declined first payment; its order is a lead, and new if it had not been one.
    Declined {
        /// Its order.
        order_id: String,
        /// The declined transaction.
        transaction_id: u64,
        /// Whether it is final.
        hard: bool,
        /// Whether the order had been a lead of an earlier event.
        was_lead: bool,
    },
    /// A billed later cycle.
    Rebilled {
        /// The order that carries the charge: a new one if the cycle ships.
        order_id: String,
        /// The order that began the subscription.
        first_order_id: String,
        /// The charge.
        transaction_id: u64,
    },
    /// A declined later cycle.
    RebillDeclined {
        /// The order that began the subscription.
        order_id: String,
        /// The declined transaction.
        transaction_id: u64,
    },
    /// Money given back.
    Refunded {
        /// The order.
        order_id: String,
        /// The refunds.
        transaction_ids: Vec<u64>,
        /// Whether all of it went back, so that the order is REFUNDED.
        full: bool,
    },
    /// A cancelled order.
    Cancelled {
        /// The order.
        order_id: String,
    },
    /// A parcel that left.
    Shipped {
        /// The order.
        order_id: String,
    },
    /// A parcel that arrived.
    Delivered {
        /// The order.
        order_id: String,
    },
    /// A product more on a sale.
    Upsold {
        /// The order.
        order_id: String,
        /// The charge; none if the order was paid elsewhere.
        transaction_id: Option<u64>,
    },
    /// Money that the bank took back.
    ChargedBack {
        /// The order.
        order_id: String,
        /// The charge that it was.
        transaction_id: u64,
    },
}
