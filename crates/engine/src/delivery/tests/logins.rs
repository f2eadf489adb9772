//! A CRM that refuses the login: whoever uses the connection rests, together.

use super::engine::House;
use super::writes::SALE;
use crate::engine::{Engine, Options, Ports};
use crate::ports::{
    Clock, Crm, CrmReply, CrmWriter, Page, PageRequest, ReadError, RunState, Seen, Sight, Turn, WriteOutcome,
};
use crate::report::Event;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::request::{CrmRequest, FindRequest};

/// An account whose password may be wrong.
#[derive(Clone)]
struct Account {
    rows: crate::testing::FakeCrm,
    wrong: Arc<AtomicBool>,
    bad_logins: Arc<AtomicUsize>,
}

impl Account {
    fn log_in(&self) -> Result<(), ReadError> {
        if self.wrong.load(Ordering::Relaxed) {
            self.bad_logins.fetch_add(1, Ordering::Relaxed);
            return Err(ReadError::Credentials { text: "Could not authenticate".to_owned() });
        }
        Ok(())
    }

    fn bad_logins(&self) -> usize {
        self.bad_logins.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Crm for Account {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.log_in()?;
        self.rows.page(request).await
    }
}

#[async_trait]
impl CrmWriter for Account {
    async fn turn(&self) -> Turn {
        Turn::free()
    }

    async fn write_in_turn(&self, _: &CrmRequest, _: Turn) -> WriteOutcome {
        match self.log_in() {
            Err(error) => WriteOutcome::Stopped(error),
            Ok(()) => {
                let response = Bytes::from_static(br#"{"result":"SUCCESS","orderId":"0000000001"}"#);
                WriteOutcome::Done(CrmReply { body: response.clone(), response })
            }
        }
    }

    async fn look(&self, _: &CrmRequest, _: Option<&str>) -> Result<Sight, ReadError> {
        self.log_in()?;
        Ok(Sight { state: String::new(), seen: Seen::NotHappened, serials: Vec::new() })
    }

    async fn find(&self, _: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        self.log_in()?;
        Ok(Vec::new())
    }
}

/// Zaps that sell, beside ones that only poll.
fn engine(house: &House, account: &Account) -> Engine {
    let sale = |name: &str| SALE.replace("name: sale", &format!("name: {name}"));
    let zaps = ["one", "two", "three"].map(|name| super::kit::zap(&sale(name)));
    let ports = Ports {
        crms: HashMap::from([("crm".to_owned(), Arc::new(account.clone()) as Arc<dyn Crm>)]),
        writers: HashMap::from([("crm".to_owned(), Arc::new(account.clone()) as Arc<dyn CrmWriter>)]),
        sender: Arc::new(house.target.clone()),
        store: Arc::new(house.store.clone()),
        clock: Arc::new(house.clock.clone()),
        observer: Arc::new(house.seen.clone()),
    };
    Engine::new(zaps.to_vec(), ports, Options::default())
}

fn row(house: &House, id: &str) -> crate::testing::FakeRow {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let at = zone.to_datetime(house.clock.now()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    crate::testing::FakeRow::order(id, &at)
        .with("firstName", "Ann")
        .with("emailAddress", format!("{id}@example.com"))
}

async fn seconds(house: &House, seconds: i64) {
    house.clock.sleep_until(house.clock.now() + SignedDuration::from_secs(seconds)).await;
}

/// Runs an engine while the password is wrong from the second minute on for so long, with sales to deliver.
fn while_wrong(hours: i64) -> (House, Account) {
    let house = House::new();
    let account = Account { rows: house.crm.clone(), wrong: Arc::default(), bad_logins: Arc::default() };
    let stop = CancellationToken::new();
    let engine = engine(&house, &account);
    let events = async {
        seconds(&house, 30).await;
        for number in 0..20 {
            house.crm.change(|table| table.insert(row(&house, &format!("S{number}"))));
        }
        // Polling sees them; their sales and the next polls meet the wrong password.
        let wrong = Arc::clone(&account.wrong);
        house.crm.script(move |call| {
            if call.request.page == 1 && call.number > 3 {
                wrong.store(true, Ordering::Relaxed);
            }
            None
        });
        seconds(&house, hours * 3_600).await;
        house.crm.behave();
        account.wrong.store(false, Ordering::Relaxed);
        // Within one rest it is found out, and then all goes on.
        seconds(&house, 7 * 3_600).await;
        stop.cancel();
    };
    let work = async { tokio::join!(engine.run(stop.clone(), Duration::from_secs(1)), events) };
    house.clock.drive(work).unwrap().0.unwrap();
    (house, account)
}

#[test]
fn polling_and_delivery_rest_together_and_wake_each_other() {
    let (house, account) = while_wrong(24);
    // At once, then after 15 and 30 min, 1, 2, 4, 6, 6 h: polling alone would do the same, and three zaps' deliveries
    // do not add one.
    assert!((1..=8).contains(&account.bad_logins()), "{} bad logins in a day", account.bad_logins());
    let count = |test: fn(&Event) -> bool| house.seen.count(test);
    assert_eq!(count(|event| matches!(event, Event::Stopped { .. })), 1, "one alert");
    assert_eq!(count(|event| matches!(event, Event::Recovered { query: None, .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::BreakerOpened { .. })), 0, "not one for each side");
    let runs = house.store.all_runs();
    assert_eq!(runs.len(), 60, "20 sales, three zaps");
    let open: Vec<_> = runs.iter().filter(|run| run.state != RunState::Delivered).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn what_rests_when_it_recovers_goes_on_at_once() {
    let (house, _) = while_wrong(3);
    let events = house.seen.take();
    let recovered =
        events.iter().position(|event| matches!(event, Event::Recovered { query: None, .. })).unwrap();
    let delivered =
        |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count();
    assert_eq!(delivered(&events[..recovered]) + delivered(&events[recovered..]), 60);
    let lags = events[recovered..].iter().filter_map(|event| match event {
        Event::Delivered { lag, .. } => Some(*lag),
        _ => None,
    });
    // Refused for three hours, found out at the look after three hours and three quarters.
    let longest = lags.max().unwrap();
    assert!(longest < SignedDuration::from_mins(4 * 60), "{longest:?}");
}
