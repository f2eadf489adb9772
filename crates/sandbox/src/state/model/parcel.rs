//! A parcel.

use jiff::civil::DateTime;

use super::FulfillmentStatus;

/// One parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulfillment {
    /// `fulfillmentId`.
    pub fulfillment_id: u64,
    /// `clientFulfillmentId`, ten hex digits.
    pub client_fulfillment_id: String,
    /// State.
    pub status: FulfillmentStatus,
    /// `trackingNumber`; empty while there is none.
    pub tracking_number: String,
    /// `shipCarrier`; empty for the vendor's `Default`.
    pub carrier: String,
    /// `shipMethod`; empty while there is none.
    pub method: String,
    /// `rmaNumber`; empty while there is none.
    pub rma_number: String,
    /// `dateShipped`.
    pub shipped: Option<DateTime>,
    /// `dateDelivered`.
    pub delivered: Option<DateTime>,
    /// `dateReturned`.
    pub returned: Option<DateTime>,
    /// `dateCreated`.
    pub created: DateTime,
    /// `dateUpdated`.
    pub updated: DateTime,
    /// What is in it.
    pub items: Vec<ParcelItem>,
}

/// One line of the order in a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelItem {
    /// `fulfillmentItemId`.
    pub item_id: u64,
    /// The line's `orderItemId`.
    pub order_item_id: u64,
}
