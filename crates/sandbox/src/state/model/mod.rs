//! The CRM's things: customers, orders with their lines and parcels, transactions.

mod enums;
mod order;
mod parcel;
mod people;
mod transaction;

use serde_json::{Map, Value};

pub(super) use enums::wire_enum;
pub use enums::{
    BlacklistType, FulfillmentStatus, OrderStatus, OrderType, PurchaseStatus, ResponseType, ReviewStatus,
    TxnType,
};
pub use order::{Line, Order};
pub use parcel::{Fulfillment, ParcelItem};
pub use people::{Address, Banned, Buyer, Card, Customer, Entry, EntryKind, Payment};
pub use transaction::{Chargeback, Transaction};

/// A last-minute change of the JSON row, to serve odd records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// Fields to replace or add.
    pub set: Map<String, Value>,
    /// Fields to leave out.
    pub remove: Vec<String>,
}

impl Patch {
    pub(crate) fn apply(&self, row: &mut Map<String, Value>) {
        for (key, value) in &self.set {
            row.insert(key.clone(), value.clone());
        }
        row.retain(|key, _| !self.remove.contains(key));
    }
}
