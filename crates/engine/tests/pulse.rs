//! Triggers that are looked at, and those that are overdue.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zaprun_core::load::{File, Input, load};
use zaprun_core::trigger::Query;
use zaprun_core::zap::{ProjectFacts, Zap, compile};
use zaprun_engine::measure::{Measure, Witness};
use zaprun_engine::memory::FakeClock;
use zaprun_engine::ports::{RevisionId, ZapId, ZapState};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::Event;

const ACTIONS: &str = "actions:\n  - { id: send, type: http, url: https://a.example, text: hello }\n";

fn zap(name: &str, trigger: &str) -> Zap {
    let file = |path: &str, text: String| File { path: path.to_owned(), content: Ok(text.into_bytes()) };
    let input = Input {
        project: file("zaprun.yaml", "version: 1\n".to_owned()),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", format!("name: {name}\ntrigger: {trigger}\n{ACTIONS}"))],
        tables: Vec::new(),
        env: None,
    };
    let zap = load(&input, None).zaps.remove(0);
    let compiled = compile(&zap.definition.unwrap(), &zap.tree.unwrap(), &ProjectFacts::unknown());
    compiled.zap.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn state(id: i64) -> ZapState {
    let at = Timestamp::UNIX_EPOCH;
    ZapState {
        id: ZapId(id),
        first_name: "z".to_owned(),
        boundary: at,
        skew: None,
        opened_at: at,
        first_run: false,
        revision: RevisionId(1),
        cursors: Vec::new(),
    }
}

struct Rig {
    clock: FakeClock,
    pulse: Pulse,
}

impl Rig {
    fn new(zaps: &[Zap]) -> Rig {
        let clock = FakeClock::at("2026-03-02T12:00:00Z");
        let pulse = Pulse::new(Arc::new(clock.clone()));
        for (id, zap) in (1..).zip(zaps) {
            pulse.measure(Measure::Opened { zap, state: &state(id) });
        }
        Rig { clock, pulse }
    }

    fn after(&self, minutes: i64) -> Vec<String> {
        self.clock.advance(SignedDuration::from_mins(minutes));
        self.pulse.overdue().into_iter().map(|overdue| overdue.zap).collect()
    }

    fn looked(&self, zap: i64, query: &str) {
        self.pulse.measure(Measure::Cursor { zap: ZapId(zap), query, to: Timestamp::UNIX_EPOCH });
    }
}

const SALES: &str = "{ type: konnektive.orders, connection: crm, order_type: new_sale, every: 1m }";

fn queries(zap: &Zap) -> Vec<String> {
    zap.trigger.crm().unwrap().queries().iter().map(Query::name).collect()
}

#[test]
fn a_poll_is_overdue_after_three_of_its_intervals_and_two_minutes() {
    let sales = zap("sales", SALES);
    let names = queries(&sales);
    assert!(names.len() > 1, "{names:?}");
    let rig = Rig::new(&[sales]);
    assert_eq!(rig.after(5), [""; 0]);
    assert_eq!(rig.after(1), ["sales"]);
    assert!(!rig.pulse.has_looked("sales"));
    rig.looked(1, &names[0]);
    assert_eq!(rig.after(0), ["sales"], "another of its queries was not");
    assert_eq!(rig.pulse.overdue()[0].query, *names[1..].iter().min().unwrap());
    names.iter().for_each(|name| rig.looked(1, name));
    assert_eq!(rig.after(5), [""; 0]);
    assert!(rig.pulse.has_looked("sales"));
    assert_eq!(rig.after(1).len(), 1);
}

#[test]
fn each_zap_counts_for_itself() {
    let declines = "{ type: konnektive.orders, connection: crm, order_type: cancelled, every: 1m }";
    let zaps = [zap("a", SALES), zap("b", declines)];
    let names = queries(&zaps[0]);
    let rig = Rig::new(&zaps);
    rig.after(5);
    names.iter().for_each(|name| rig.looked(1, name));
    assert_eq!(rig.after(1), ["b"]);
}

#[test]
fn a_walk_whose_pages_come_in_is_given_an_hour() {
    let rig = Rig::new(&[zap("sales", SALES)]);
    let page = |connection: &str| Event::Page {
        connection: connection.to_owned(),
        query: "q".to_owned(),
        page: 2,
        rows: 1,
        total: 2,
        fired: 0,
    };
    for _ in 0..60 {
        rig.pulse.note(&page("crm"));
        assert_eq!(rig.after(1), [""; 0]);
    }
    for _ in 0..6 {
        rig.pulse.note(&page("crm"));
        rig.after(1);
    }
    assert_eq!(rig.after(0).len(), 1, "an hour is over");
    let rig = Rig::new(&[zap("sales", SALES)]);
    rig.after(5);
    rig.pulse.note(&page("other"));
    assert_eq!(rig.after(1).len(), 1, "pages of another connection");
}

#[test]
fn a_schedule_is_overdue_when_its_time_has_passed() {
    let daily = zap("daily", "{ type: schedule, cron: \"0 13 * * *\", timezone: UTC }");
    let rig = Rig::new(&[daily]);
    assert_eq!(rig.after(60), [""; 0]);
    assert_eq!(rig.after(3), ["daily"]);
    rig.looked(1, "schedule");
    assert_eq!(rig.after(23 * 60), [""; 0]);
}

#[test]
fn nobody_waits_for_webhooks() {
    let hook = zap("hook", "{ type: webhook, connection: form, path: /hook, key: \"{{ record.id }}\" }");
    let rig = Rig::new(&[hook]);
    assert_eq!(rig.after(100_000), [""; 0]);
    assert!(rig.pulse.last_looks().is_empty() && rig.pulse.has_looked("hook"));
}
