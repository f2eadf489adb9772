//! What is asked of the CRM.

use crate::record::{CUSTOMER, ORDER, PURCHASE, Schema, TRANSACTION};

/// A read endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `order/query` (contract §3.1).
    Orders,
    /// `transactions/query` (contract §3.2).
    Transactions,
    /// `purchase/query` (contract §3.3).
    Purchases,
    /// `customer/query` (contract §3.4).
    Customers,
}

impl Endpoint {
    /// Every one of them.
    pub const ALL: [Endpoint; 4] =
        [Endpoint::Orders, Endpoint::Transactions, Endpoint::Purchases, Endpoint::Customers];

    /// The path as the vendor writes it, without slashes at its ends.
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::Orders => "order/query",
            Endpoint::Transactions => "transactions/query",
            Endpoint::Purchases => "purchase/query",
            Endpoint::Customers => "customer/query",
        }
    }

    /// The rows it gives.
    pub fn schema(self) -> &'static Schema {
        match self {
            Endpoint::Orders => &ORDER,
            Endpoint::Transactions => &TRANSACTION,
            Endpoint::Purchases => &PURCHASE,
            Endpoint::Customers => &CUSTOMER,
        }
    }

    /// The name of the permission an API user needs (contract §1.2).
    pub fn permission(self) -> &'static str {
        match self {
            Endpoint::Orders => "Query Orders",
            Endpoint::Transactions => "Query Transactions",
            Endpoint::Purchases => "Query Purchases",
            Endpoint::Customers => "Query Customers",
        }
    }
}

/// Which date the day window is about (contract §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DateRange {
    /// `dateCreated`
    Created,
    /// `dateUpdated`
    Updated,
}

impl DateRange {
    /// The value of `dateRangeType`, which is also the name of the row's field.
    pub fn field(self) -> &'static str {
        match self {
            DateRange::Created => "dateCreated",
            DateRange::Updated => "dateUpdated",
        }
    }
}

/// One endpoint and kind of row. Zaps on one connection with an equal query share one walk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query {
    /// Endpoint.
    pub endpoint: Endpoint,
    /// The date a window selects by.
    pub seen_through: DateRange,
    /// Parameters that choose the kind of row, by the vendor's names.
    pub params: Vec<(&'static str, String)>,
}

impl Query {
    /// A stable name, by which cursors are kept.
    pub fn name(&self) -> String {
        let params: String = self.params.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        format!("{} {}{params}", self.endpoint.path(), self.seen_through.field())
    }
}

/// What narrows a walk: the union over the zaps that share it, so each zap checks its rows again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Narrowing {
    /// `campaignId`, sorted; empty: all.
    pub campaign_ids: Vec<String>,
    /// `campaignProductId`, sorted; empty: all. Orders only.
    pub campaign_product_ids: Vec<String>,
}
