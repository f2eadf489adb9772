//! What transactions say that were not there before.

use super::facts::Txn;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A decline may be the first of several tries at other merchant accounts (contract §3.2, `cascadeId`). Only when
/// nothing has followed it for this long does it stand.
const CASCADE: SignedDuration = SignedDuration::from_secs(60);

/// What new transactions come to.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    /// There are none.
    Nothing,
    /// These succeeded.
    Succeeded(Vec<&'a Txn>),
    /// One is not decided yet; why, in plain words.
    Open(String),
    /// Nothing but declines; the gateway's words of the last.
    Declined(&'a Txn),
}

/// The marks of transactions, for a state.
pub(super) fn marks<'a>(txns: impl IntoIterator<Item = &'a Txn>) -> BTreeSet<String> {
    txns.into_iter().map(Txn::mark).collect()
}

/// What those of `now` say whose marks are not in `before`.
pub(super) fn turn<'a>(
    now: impl IntoIterator<Item = &'a Txn>,
    before: &BTreeSet<String>,
    clock: Timestamp,
) -> Turn<'a> {
    let new: Vec<&Txn> = now.into_iter().filter(|txn| !before.contains(&txn.mark())).collect();
    let succeeded: Vec<&Txn> = new.iter().copied().filter(|txn| txn.succeeded()).collect();
    if !succeeded.is_empty() {
        return Turn::Succeeded(succeeded);
    }
    if let Some(open) = new.iter().find(|txn| !txn.declined()) {
        return Turn::Open(format!("transaction {} is not decided yet", open.id));
    }
    let Some(last) = new.iter().copied().max_by_key(|txn| txn.at.map(|at| at.at)) else {
        return Turn::Nothing;
    };
    match new.iter().map(|txn| age(txn, clock)).min().flatten() {
        Some(age) if age >= CASCADE => Turn::Declined(last),
        _ => Turn::Open(format!("transaction {} was declined just now, and another try may follow", last.id)),
    }
}

/// How old a transaction is by the CRM's own clock. A repeated local time is the later instant, unless that would lie
/// ahead.
fn age(txn: &Txn, clock: Timestamp) -> Option<SignedDuration> {
    let moment = txn.at?;
    let since = |at: Timestamp| clock.duration_since(at);
    let later = since(moment.latest);
    Some(if later.is_negative() { since(moment.at) } else { later })
}

/// `Transaction Declined: Card Declined`, as the CRM would have said it.
pub(super) fn decline_words(txn: &Txn) -> String {
    let words = if txn.words.is_empty() { "no reason given" } else { txn.words.as_str() };
    format!("Transaction Declined: {words}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use bytes::Bytes;
    use jiff::tz::TimeZone;

    fn txn(id: u32, answer: &str, at: &str) -> Txn {
        let row = format!(
            r#"{{"transactionId":{id},"txnType":"SALE","responseType":"{answer}","responseText":"No","dateCreated":"{at}"}}"#
        );
        Txn::of(&Bytes::from(row), &TimeZone::get("America/New_York").unwrap()).unwrap()
    }

    fn clock(at: &str) -> Timestamp {
        at.parse().unwrap()
    }

    #[test]
    fn a_success_outranks_what_is_open_and_that_a_decline() {
        let all = [
            txn(1, "SOFT_DECLINE", "2026-09-16 10:00:00"),
            txn(2, "PENDING", "2026-09-16 10:00:01"),
            txn(3, "SUCCESS", "2026-09-16 10:00:02"),
        ];
        let now = clock("2026-09-16T15:00:00Z");
        let none = BTreeSet::new();
        assert!(matches!(turn(&all, &none, now), Turn::Succeeded(found) if found[0].id == "3"));
        assert!(matches!(turn(&all[..2], &none, now), Turn::Open(_)));
        assert!(matches!(turn(&all[..1], &none, now), Turn::Declined(last) if last.id == "1"));
        assert!(matches!(turn(&all, &marks(&all), now), Turn::Nothing));
        // What was open before and has succeeded since is new.
        let before = marks(&[txn(2, "PENDING", "2026-09-16 10:00:01")]);
        let later = [txn(2, "SUCCESS", "2026-09-16 10:00:01")];
        assert!(matches!(turn(&later, &before, now), Turn::Succeeded(_)));
    }

    #[test]
    fn a_decline_stands_only_when_nothing_followed_it() {
        let one = [txn(1, "HARD_DECLINE", "2026-09-16 10:00:00")];
        let none = BTreeSet::new();
        for (now, stands) in [
            ("2026-09-16T14:00:59Z", false),
            ("2026-09-16T14:01:00Z", true),
            // By a zone that is wrong it lies ahead.
            ("2026-09-16T13:00:00Z", false),
        ] {
            assert_eq!(matches!(turn(&one, &none, clock(now)), Turn::Declined(_)), stands, "{now}");
        }
        let undated = [txn(1, "HARD_DECLINE", "")];
        assert!(matches!(turn(&undated, &none, clock("2026-09-16T14:01:00Z")), Turn::Open(_)));
    }

    #[test]
    fn the_hour_that_autumn_repeats_is_neither_ahead_nor_an_hour_old() {
        let one = [txn(1, "HARD_DECLINE", "2026-11-01 01:30:00")];
        let none = BTreeSet::new();
        for (now, stands) in [
            // The first half past one.
            ("2026-11-01T05:30:30Z", false),
            ("2026-11-01T05:32:00Z", true),
            // The second one: an hour later by the clock, but it may be just now.
            ("2026-11-01T06:30:30Z", false),
            ("2026-11-01T06:32:00Z", true),
        ] {
            assert_eq!(matches!(turn(&one, &none, clock(now)), Turn::Declined(_)), stands, "{now}");
        }
    }
}
