//! Triggers: which rows of the CRM make which events.
//!
//! Each kind is one file and one entry of [`KINDS`]: what it asks, which rows it takes, and when a row is news
//! (polling rule "what is new"). All of it is a pure function of rows and instants.
//!
//! A kind fires once per natural id and zap, ever: only a row that the ledger does not hold is judged, against the
//! zap's boundary. What dates each kind, and so parts news from what is primed:
//!
//! | kind | found as | fires if |
//! |---|---|---|
//! | new_sale | orders COMPLETE, REFUNDED, CANCELLED | COMPLETE: begun since the boundary; else, and for the others: first successful SALE or CAPTURE since it. Never charged: primed |
//! | rebill | the same of type RECURRING | as new_sale |
//! | cancelled | orders CANCELLED | latest `lastCancellationDate` of its items since the boundary; without one: by its update |
//! | new_lead | orders PARTIAL, others with `include_bought` | begun since the boundary |
//! | declined | orders DECLINED | begun since the boundary; else last declined charge since it; in review, or without any: by its update |
//! | refunded | orders REFUNDED | begun since the boundary; else last successful REFUND or VOID since it; without any: by its update |
//! | shipped | orders COMPLETE, REFUNDED, CANCELLED with a parcel that left | first `dateShipped` since the boundary (midnight: some time of that day, and then updated since it); without one: by its update |
//! | decline, refund | transactions, by `dateCreated` | `dateCreated` since the boundary |
//! | chargeback | transactions with `isChargedback`, by `dateUpdated` | updated since the boundary, and `chargebackDate` at most 90 days before it, or, without one, the charge at most 540 |
//! | new_customer | customers, by `dateCreated` | `dateCreated` since the boundary |
//!
//! "By its update": begun at most 90 days before the boundary and updated since it; else primed and counted as undated.
//! Whatever does not fire is primed. Only what needs the charges of an order asks for its transactions, and only if the
//! order was updated since the boundary.

mod cancelled;
mod chargeback;
mod charges;
mod decline;
mod declined;
mod kind;
mod new_customer;
mod new_lead;
mod new_sale;
mod query;
mod rebill;
mod refund;
mod refunded;
mod sale;
mod shipped;
#[cfg(test)]
mod tests;

pub use charges::{Charges, charges_lookup, charges_lookup_fields};
pub use kind::{KINDS, Kind, Options, Verdict, When, kind};
pub use query::{DateRange, Endpoint, Narrowing, Query};
