//! Random histories of an account against a simple oracle: every row that should fire fires exactly once.

use super::support::{Rig, Spec, local};
use crate::ports::{Clock, ReadError, StoreError};
use crate::testing::{Call, FakeRow, Fault, Moment};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;
use zaprun_core::trigger::Endpoint;

#[derive(Debug, Clone)]
enum Step {
    /// So many orders come, as leads or sold at once.
    Come { count: usize, sold: bool },
    /// A lead buys.
    Buy(usize),
    /// A sale is refunded or cancelled.
    Turn { which: usize, status: &'static str },
    /// A row of any kind is touched.
    Touch(usize),
    /// Time passes.
    Pass { minutes: i64 },
    /// A poll; `faults` chooses which reads and commits fail, and where an order comes in mid-walk.
    Poll { faults: Vec<usize>, arrives: Option<usize> },
    /// A poll by a process that dies.
    Die { nth: usize, before: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_usize..4, any::<bool>()).prop_map(|(count, sold)| Step::Come { count, sold }),
        1 => (150_usize..420, any::<bool>()).prop_map(|(count, sold)| Step::Come { count, sold }),
        3 => any::<usize>().prop_map(Step::Buy),
        2 => (any::<usize>(), proptest::sample::select(vec!["REFUNDED", "CANCELLED"]))
            .prop_map(|(which, status)| Step::Turn { which, status }),
        2 => any::<usize>().prop_map(Step::Touch),
        3 => (1_i64..2_000).prop_map(|minutes| Step::Pass { minutes }),
        3 => (proptest::collection::vec(1_usize..30, 0..4), proptest::option::of(1_usize..12))
            .prop_map(|(faults, arrives)| Step::Poll { faults, arrives }),
        2 => (1_usize..40, any::<bool>()).prop_map(|(nth, before)| Step::Die { nth, before }),
    ];
    proptest::collection::vec(step, 1..24)
}

/// What should have happened, told by the person who made it happen.
#[derive(Default)]
struct Oracle {
    orders: u64,
    sales: BTreeSet<String>,
    leads: BTreeSet<String>,
}

struct World {
    rig: Rig,
    oracle: Oracle,
}

impl World {
    /// An account with some history, and two zaps that start now.
    fn new() -> Self {
        let mut rig = Rig::with("sales", Spec::of("new_sale"));
        rig.deploy("leads", Spec::of("new_lead"));
        let mut world = World { rig, oracle: Oracle::default() };
        let long_ago = world.rig.clock.now() - SignedDuration::from_hours(24 * 40);
        world.come(3, true, long_ago);
        world.come(3, false, long_ago);
        world.oracle = Oracle { orders: world.oracle.orders, ..Oracle::default() };
        world.rig.poll();
        world.rig.later(60);
        world
    }

    fn come(&mut self, count: usize, sold: bool, at: Timestamp) {
        for _ in 0..count {
            let id = format!("{:010X}", self.oracle.orders);
            self.oracle.orders += 1;
            let status = if sold { "COMPLETE" } else { "PARTIAL" };
            self.rig.insert(FakeRow::order(&id, &local(at)).with("orderStatus", status));
            if sold {
                self.rig.insert(FakeRow::sale(self.oracle.orders, &id, &local(at)));
                self.oracle.sales.insert(id);
            }
        }
    }

    /// The id of one of the orders in a status, if any.
    fn pick(&self, which: usize, status: &str) -> Option<String> {
        let ids: Vec<String> = self.rig.crm.change(|table| {
            let orders = table.rows().iter().filter(|row| row.endpoint == Endpoint::Orders);
            orders.filter(|row| row.text("orderStatus") == status).map(FakeRow::id).collect()
        });
        (!ids.is_empty()).then(|| ids[which % ids.len()].clone())
    }

    fn set(&mut self, id: &str, status: Option<&str>) {
        let now = self.rig.now();
        self.rig.crm.change(|table| {
            table.update_order(id, &[("dateUpdated", now.into())]);
            if let Some(status) = status {
                table.update_order(id, &[("orderStatus", status.into())]);
            }
        });
    }

    fn step(&mut self, step: &Step) {
        let now = self.rig.clock.now();
        match step {
            Step::Come { count, sold } => {
                self.come(*count, *sold, now);
            }
            Step::Buy(which) => {
                if let Some(id) = self.pick(*which, "PARTIAL") {
                    self.rig.insert(FakeRow::sale(900_000 + self.oracle.orders, &id, &self.rig.now()));
                    self.oracle.orders += 1;
                    self.set(&id, Some("COMPLETE"));
                    self.oracle.sales.insert(id);
                }
            }
            Step::Turn { which, status } => {
                if let Some(id) = self.pick(*which, "COMPLETE") {
                    self.set(&id, Some(status));
                }
            }
            Step::Touch(which) => {
                let status = ["COMPLETE", "PARTIAL", "REFUNDED", "CANCELLED"][which % 4];
                if let Some(id) = self.pick(*which, status) {
                    self.set(&id, None);
                }
            }
            Step::Pass { minutes } => self.rig.later(minutes * 60),
            Step::Poll { faults, arrives } => self.poll(faults.clone(), *arrives),
            Step::Die { nth, before } => {
                let moment = if *before { Moment::Before } else { Moment::After };
                self.rig.calls.crash_at(*nth, moment);
                self.rig.try_poll();
                self.rig.calls.calm();
            }
        }
        self.rig.later(1);
    }

    fn poll(&mut self, faults: Vec<usize>, arrives: Option<usize>) {
        let id = format!("{:010X}", self.oracle.orders);
        self.oracle.orders += 1;
        let (mut reads, mut came, clock) = (0, false, self.rig.clock.clone());
        let (broken, arrived) = (faults.clone(), std::sync::Arc::new(std::sync::Mutex::new(false)));
        let flag = std::sync::Arc::clone(&arrived);
        let newcomer = id.clone();
        self.rig.crm.script(move |call: Call<'_>| {
            reads += 1;
            if Some(reads) == arrives && !came {
                came = true;
                *flag.lock().unwrap() = true;
                call.table.insert(FakeRow::order(&newcomer, &local(clock.now())));
                call.table.insert(FakeRow::sale(reads as u64 + 5_000_000, &newcomer, &local(clock.now())));
            }
            let text = "cut".to_owned();
            broken.contains(&reads).then_some(Fault::Fail(ReadError::Transport { text, retry_after: None }))
        });
        let mut commits = 0;
        self.rig.store.script(move |method| {
            commits += usize::from(method == "commit_page");
            let fails = method == "commit_page" && faults.contains(&(commits + 20));
            fails.then(|| StoreError::Io { reason: "disk full".to_owned() })
        });
        self.rig.try_poll();
        self.rig.crm.behave();
        self.rig.store.behave();
        if *arrived.lock().unwrap() {
            self.oracle.sales.insert(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_sale_fires_exactly_once(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.rig.later(60);
        let polled = world.rig.poll();
        prop_assert_eq!(polled.failed, 0);
        let expected: Vec<String> = world.oracle.sales.iter().cloned().collect();
        prop_assert_eq!(world.rig.fired_sorted("sales"), expected);
        world.rig.later(60);
        prop_assert_eq!(world.rig.poll().tally.fired, 0, "and nothing is new after that");
    }

    #[test]
    fn no_lead_fires_twice_and_none_that_was_polled_is_missed(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            if matches!(step, Step::Poll { .. } | Step::Die { .. }) {
                // Leads that are there when a poll without faults is made must fire, whatever they become.
                let polled = world.rig.poll();
                prop_assert_eq!(polled.failed, 0);
                let began = world.rig.state("leads").boundary;
                let leads: Vec<String> = world.rig.crm.change(|table| {
                    let rows = table.rows().iter().filter(|row| row.text("orderStatus") == "PARTIAL");
                    rows.filter(|row| row.text("dateCreated") >= local(began)).map(FakeRow::id).collect()
                });
                world.oracle.leads.extend(leads);
            }
            world.step(step);
        }
        let fired = world.rig.fired_sorted("leads");
        let once: BTreeSet<String> = fired.iter().cloned().collect();
        prop_assert_eq!(once.len(), fired.len(), "none twice");
        prop_assert!(world.oracle.leads.is_subset(&once));
    }
}
