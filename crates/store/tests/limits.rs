//! What zaps with limits have used up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, event, identity, page, target, update, wait};
use jiff::{SignedDuration, Timestamp};
use zaprun_core::value::Decimal;
use zaprun_engine::ports::{Brake, Cost, Fate, RunId, RunState, Spend, Spent, Store};
use zaprun_store::SqliteStore;

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn with_runs(runs: i64) -> SqliteStore {
    let store = SqliteStore::in_memory().unwrap();
    let zap = store.open_zap(identity("a")).await.unwrap();
    let events = (1..=runs).map(|n| event(&n.to_string(), vec![target(&zap, Fate::Fire)])).collect();
    store.commit_page(page(events)).await.unwrap();
    store
}

fn write(run: i64, at: Timestamp) -> Spend {
    let step = "post".to_owned();
    Spend { run: RunId(run), step, element: None, writes_per_hour: Some(1), money: None, at }
}

fn costs(run: i64, amount: &str, at: Timestamp) -> Spend {
    let money = Cost {
        day: jiff::tz::TimeZone::UTC.to_datetime(at).date(),
        amount: Some(Decimal::parse(amount).unwrap()),
        max: Decimal::parse("0.30").unwrap(),
    };
    Spend { writes_per_hour: None, money: Some(money), ..write(run, at) }
}

/// A retry may come after weeks, and must not count again; of a run that has ended nobody asks.
#[test]
fn what_was_counted_goes_once_nobody_can_ask_for_it() {
    wait(async {
        let store = with_runs(3).await;
        let start = at(1_000_000);
        let later = |days: i32| start + DAY * days;
        assert_eq!(store.spend(write(1, start)).await, Ok(Spent::Yes));
        assert_eq!(store.spend(write(2, later(1))).await, Ok(Spent::Yes));
        store.update_run(update(RunId(1), RunState::Delivered)).await.unwrap();
        assert_eq!(store.spend(write(3, later(9))).await, Ok(Spent::Yes));
        let over = Ok(Spent::Over(Brake::Writes));
        assert_eq!(store.spend(write(2, later(9))).await, Ok(Spent::Yes), "it waits, and is known");
        assert_eq!(store.spend(write(1, later(9))).await, over, "it has ended, and is not");
    });
}

#[test]
fn money_is_exact_and_counts_once_a_run() {
    wait(async {
        let store = with_runs(4).await;
        let now = at(1_000_000);
        for run in [1, 2] {
            assert_eq!(store.spend(costs(run, "0.10", now)).await, Ok(Spent::Yes));
            assert_eq!(store.spend(costs(run, "0.10", now)).await, Ok(Spent::Yes), "a retry");
            let other = Spend { step: "other".to_owned(), ..costs(run, "0.10", now) };
            assert_eq!(store.spend(other).await, Ok(Spent::Yes), "another step of the run");
        }
        let over = Ok(Spent::Over(Brake::Money { spent: "0.20".to_owned() }));
        assert_eq!(store.spend(costs(3, "0.11", now)).await, over);
        assert_eq!(store.spend(costs(3, "0.10", now)).await, Ok(Spent::Yes), "0.10 three times is 0.30");
        let full = Ok(Spent::Over(Brake::Money { spent: "0.30".to_owned() }));
        assert_eq!(store.spend(costs(4, "0.01", now)).await, full);
        assert_eq!(store.spend(costs(4, "0.01", now + DAY)).await, Ok(Spent::Yes), "another day");
    });
}
