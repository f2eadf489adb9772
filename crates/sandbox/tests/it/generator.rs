//! The stream is the same for a seed, says what it did, and keeps to its pace's end.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::SignedDuration;
use tokio::sync::watch;
use zaprun_sandbox::state::{OrderStatus, OrderType, ResponseType, TxnType};
use zaprun_sandbox::{Config, Control, Event, Generator, ManualClock, Rate, run_generator};

use crate::bed::{Bed, noon, steady};

fn run(seed: u64, steps: usize) -> (Control, Vec<Event>) {
    let clock = ManualClock::at(noon());
    let control = Control::new(&Config { clock: clock.clock(), ..steady() }).unwrap();
    let mut generator = Generator::new(seed);
    let events = (0..steps).map(|_| {
        clock.advance(SignedDuration::from_secs(7));
        generator.step(&control).unwrap()
    });
    let events = events.collect();
    (control, events)
}

#[test]
fn a_seed_decides_the_stream() {
    let shown = |control: &Control| control.with(|state| format!("{:?}", state.orders().collect::<Vec<_>>()));
    let (first, events) = run(5, 300);
    let (second, again) = run(5, 300);
    assert_eq!(events, again);
    assert_eq!(shown(&first), shown(&second));
    assert_ne!(events, run(6, 300).1);
}

#[test]
fn events_tell_all_that_is_in_the_books() {
    let (control, events) = run(11, 3000);
    let mut sold = 0;
    let (mut declined, mut refunds, mut cancelled, mut leads, mut charged_back) = (0, 0, 0, 0, 0);
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for event in &events {
        let name = format!("{event:?}");
        *kinds.entry(name.split([' ', '{']).next().unwrap().to_owned()).or_default() += 1;
        match event {
            Event::Sale { .. } | Event::Approved { .. } => sold += 1,
            Event::Declined { was_lead, .. } => {
                declined += 1;
                leads += usize::from(!was_lead);
            }
            Event::RebillDeclined { .. } => declined += 1,
            Event::Refunded { transaction_ids, .. } => refunds += transaction_ids.len(),
            Event::Cancelled { .. } => cancelled += 1,
            Event::Lead { .. } => leads += 1,
            Event::ChargedBack { .. } => charged_back += 1,
            _ => {}
        }
    }
    assert_eq!(kinds.len(), 13, "every kind happens: {kinds:?}");
    control.with(|state| {
        use OrderStatus::{Cancelled, Complete, Partial, Pending, Refunded};
        let first = |status: &OrderStatus| matches!(status, Complete | Refunded | Cancelled);
        let sales =
            state.orders().filter(|order| order.order_type == OrderType::NewSale && first(&order.status));
        assert_eq!(sales.count(), sold);
        assert_eq!(state.orders().filter(|order| order.status == Cancelled).count(), cancelled);
        let refused = |kind| matches!(kind, ResponseType::SoftDecline | ResponseType::HardDecline);
        assert_eq!(state.transactions().filter(|found| refused(found.response_type)).count(), declined);
        assert_eq!(state.transactions().filter(|found| found.txn_type == TxnType::Refund).count(), refunds);
        let back = state.transactions().filter(|found| found.chargeback.is_some()).count();
        assert_eq!(back, charged_back);
        let open = state.orders().filter(|order| matches!(order.status, Partial | Pending)).count();
        assert!(open > 0 && leads > 0);
        let rows = serde_json::to_string(
            &state.orders().map(|order| order.buyer.bill.last_name.as_str()).collect::<Vec<_>>(),
        );
        let names = rows.unwrap();
        for odd in ["O'Connor", "山田", "D'Arcy", "Hohenstein", "<b>Smith</b>"] {
            assert!(names.contains(odd), "{odd}");
        }
    });
}

#[tokio::test]
async fn history_lies_before_now() {
    let bed = Bed::with(Config { history: 200, ..steady() }).await;
    bed.control.with(|state| {
        let now = state.now();
        assert!(state.orders().count() > 50);
        assert!(state.orders().all(|order| order.created < now && order.updated < now));
        let days: std::collections::BTreeSet<_> = state.orders().map(|order| order.created.date()).collect();
        assert!(days.len() >= 3, "{days:?}");
    });
}

#[tokio::test]
async fn a_running_stream_tells_and_stops() {
    let bed = Bed::new().await;
    let (stop, stopped) = watch::channel(false);
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let rate = Rate::per_second(NonZeroU32::new(10_000).unwrap());
    let stream = tokio::spawn(run_generator(bed.control.clone(), rate, 3, stopped, move |event| {
        let _ = told.send(event);
    }));
    for _ in 0..50 {
        heard.recv().await.unwrap();
    }
    stop.send(true).unwrap();
    stream.await.unwrap();
    assert!(bed.control.with(|state| state.orders().count()) > 0);
}

#[tokio::test]
async fn a_configured_stream_runs_by_itself() {
    let rate = Some(Rate::per_second(NonZeroU32::new(1000).unwrap()));
    let bed = Bed::with(Config { rate, ..steady() }).await;
    while bed.control.with(|state| state.orders().count()) < 5 {
        tokio::task::yield_now().await;
    }
    bed.running.shutdown().await;
}
