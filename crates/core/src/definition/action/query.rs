//! A look-up in the CRM.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Common, Retry, common};
use crate::definition::formats::{Duration, Word};
use crate::yaml::{MapRef, NodeRef, Spanned};

common! {
    /// A look-up in the CRM, for the steps after it.
    pub struct QueryAction {
        /// The connection of type konnektive to read.
        pub connection: Spanned<String>,
        /// What to look up: orders, transactions, purchases or customers.
        pub find: Spanned<Find>,
        /// Filters by the vendor's names: values of the mapping.
        pub by: MapRef,
        /// The first day to look at, a date or an instant. Without an id in `by` it is needed.
        pub from: Option<Spanned<String>>,
        /// The last day to look at. Default: the day of the event.
        pub to: Option<Spanned<String>>,
        /// Which of the rows found count: a boolean expression over `item`, a row.
        #[serde(rename = "match")]
        pub matches: Option<Spanned<String>>,
        /// one: the run stops unless exactly one row is found; any (default): `response.rows` may be empty.
        pub expect: Option<Spanned<Expect>>,
    }
}

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Find {
    /// `order/query`
    Orders,
    /// `transactions/query`
    Transactions,
    /// `purchase/query`
    Purchases,
    /// `customer/query`
    Customers,
}

/// How many rows are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Exactly one.
    One,
    /// Any number.
    Any,
}

crate::definition::formats_of_words!(
    Find,
    "Find",
    "What to look up.",
    ["orders", "transactions", "purchases", "customers"]
);
crate::definition::formats_of_words!(Expect, "Expect", "How many rows are expected.", ["one", "any"]);
