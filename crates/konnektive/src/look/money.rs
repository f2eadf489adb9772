//! How much was charged, and how much of it went back.

use super::facts::Txn;
use std::collections::BTreeSet;
use zaprun_core::value::Decimal;

/// Sums over the transactions of an order, a subscription or a charge.
pub(super) struct Balance {
    /// What was taken; `None` where an amount is missing.
    charged: Option<Decimal>,
    /// What was given back.
    back: Option<Decimal>,
}

impl Balance {
    pub(super) fn of(txns: &[Txn]) -> Balance {
        let charges: BTreeSet<&str> = taken(txns).map(|txn| txn.id.as_str()).collect();
        Balance { charged: sum(taken(txns)), back: sum(returned(txns, &charges)) }
    }

    /// Nothing was taken, so nothing can go back.
    pub(super) fn is_free(&self) -> bool {
        self.charged.as_ref().is_some_and(Decimal::is_zero)
    }

    /// All that was taken went back.
    pub(super) fn is_returned(&self) -> bool {
        match (&self.charged, &self.back) {
            (Some(charged), Some(back)) => !charged.is_zero() && back >= charged,
            _ => false,
        }
    }
}

/// The sum of amounts; `None` where one is missing.
pub(super) fn sum<'a>(txns: impl IntoIterator<Item = &'a Txn>) -> Option<Decimal> {
    txns.into_iter().try_fold(Decimal::ZERO, |sum, txn| sum.checked_add(txn.amount.as_ref()?).ok())
}

fn taken(txns: &[Txn]) -> impl Iterator<Item = &Txn> {
    txns.iter().filter(|txn| txn.succeeded() && matches!(txn.kind.as_str(), "SALE" | "CAPTURE"))
}

/// A void gives back only where it voids a charge: voiding a reservation moves nothing.
fn returned<'a>(txns: &'a [Txn], charges: &'a BTreeSet<&str>) -> impl Iterator<Item = &'a Txn> {
    txns.iter().filter(|txn| {
        txn.succeeded()
            && (txn.kind == "REFUND" || (txn.kind == "VOID" && charges.contains(txn.parent.as_str())))
    })
}
