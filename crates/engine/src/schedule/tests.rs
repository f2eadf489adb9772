//! Schedules over restarts, missed times, both days on which clocks change, and clocks that are set.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use super::{Scheduled, Timetables};
use crate::polling::Ports;
use crate::polling::health::Health;
use crate::ports::{Clock, Store, StoreError, ZapId, ZapIdentity};
use crate::report::Event;
use crate::testing::{Calls, FakeClock, MemoryStore, Moment, Recorded};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zaprun_core::load::{File, Input, load};
use zaprun_core::zap::{ProjectFacts, Trigger, Zap, compile};

fn zap(cron: &str, zone: &str, missed: &str) -> Arc<Zap> {
    let text = format!(
        "name: zap\ntrigger: {{ type: schedule, cron: \"{cron}\", timezone: {zone}, missed: {missed} }}\nactions:\n  - {{ id: send, type: http, url: https://a.example, json: {{ at: \"{{{{ record.scheduled_at }}}}\" }} }}\n"
    );
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let zaps = vec![file("zaps/z.yaml", &text)];
    let input = Input {
        project: file("zaprun.yaml", "version: 1\nconnections: {}\n"),
        overlays: Vec::new(),
        zaps,
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let zap = &loaded.zaps[0];
    let compiled =
        compile(zap.definition.as_ref().unwrap(), zap.tree.as_ref().unwrap(), &ProjectFacts::unknown());
    Arc::new(compiled.zap.unwrap_or_else(|| panic!("{text}\n{:?}", compiled.diagnostics)))
}

struct Rig {
    clock: FakeClock,
    calls: Calls,
    store: MemoryStore,
    reports: Recorded,
    zap: Arc<Zap>,
}

impl Rig {
    /// Runs from `now` on; times are those of New York.
    fn new(now: &str, cron: &str, missed: &str) -> Self {
        Rig::within(now, cron, "America/New_York", missed)
    }

    fn within(now: &str, cron: &str, zone: &str, missed: &str) -> Self {
        let calls = Calls::new();
        Rig {
            clock: FakeClock::at(now),
            store: MemoryStore::new(calls.clone()),
            calls,
            reports: Recorded::default(),
            zap: zap(cron, zone, missed),
        }
    }

    async fn start(&self) -> Result<Timetables, StoreError> {
        let Trigger::Schedule(trigger) = &self.zap.trigger else { panic!("another trigger") };
        let now = self.clock.now();
        let identity = ZapIdentity {
            name: "zap".to_owned(),
            formerly: None,
            selection: self.zap.selection.clone(),
            queries: 1,
            strict: false,
            content: self.zap.content.clone(),
            source: None,
            git: None,
            first_boundary: now,
            now,
        };
        let state = self.store.open_zap(identity).await?;
        let ports = Ports {
            clock: Arc::new(self.clock.clone()),
            store: Arc::new(self.store.clone()),
            observer: Arc::new(self.reports.clone()),
        };
        let zap = Scheduled { name: "zap".to_owned(), trigger: (**trigger).clone(), state };
        Ok(Timetables::new(ports, Arc::new(Health::default()), vec![zap]))
    }

    /// Runs one engine until an instant; what it dies of, if it does.
    fn run_until(&self, end: &str) -> Option<StoreError> {
        let run = async { self.start().await?.run().await.map(|_| ()) };
        self.clock.drive_until(end.parse().unwrap(), run).and_then(Result::err)
    }

    /// An engine starts, looks once, and ends; `None` when it died on the way.
    fn try_look(&self) -> Option<Result<(), StoreError>> {
        self.clock.drive(async { self.start().await?.look().await })
    }

    fn look(&self) {
        self.try_look().unwrap().unwrap();
    }

    fn set(&self, now: &str) {
        self.clock.set(now.parse().unwrap());
    }

    fn later(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    fn fired(&self) -> Vec<String> {
        self.store.all_runs().into_iter().map(|run| run.event.key.id).collect()
    }

    fn missed(&self) -> Vec<(String, u64)> {
        let missed = |event: Event| match event {
            Event::Missed { first, fired, .. } => Some((first.to_string(), fired)),
            _ => None,
        };
        self.reports.take().into_iter().filter_map(missed).collect()
    }
}

#[test]
fn times_fire_when_they_come() {
    let rig = Rig::new("2026-09-16T12:00:30Z", "0 8,9 * * *", "once");
    assert_eq!(rig.run_until("2026-09-18T12:00:00Z"), None);
    assert_eq!(
        rig.fired(),
        [
            "2026-09-16T09:00:00-04:00",
            "2026-09-17T08:00:00-04:00",
            "2026-09-17T09:00:00-04:00",
            "2026-09-18T08:00:00-04:00"
        ]
    );
    let run = &rig.store.all_runs()[0];
    assert_eq!(&*run.event.record, br#"{"scheduled_at":"2026-09-16T09:00:00-04:00"}"#);
    assert_eq!(run.event.at.to_string(), "2026-09-16T13:00:00Z");
    assert_eq!(run.created_at, run.event.at, "without delay");
    assert_eq!((run.event.key.kind.as_str(), rig.missed()), ("schedule", Vec::new()));
}

#[test]
fn a_year_of_days_has_each_of_them_once() {
    for (zone, first) in
        [("America/New_York", "2026-01-01T05:00:00Z"), ("Europe/Berlin", "2025-12-31T23:00:00Z")]
    {
        let rig = Rig::within(first, "30 2 * * *", zone, "once");
        rig.run_until("2027-01-01T04:00:00Z");
        let fired = rig.fired();
        assert_eq!(fired.len(), 365 + usize::from(zone == "Europe/Berlin"), "{zone}");
        let days: std::collections::BTreeSet<&str> = fired.iter().map(|key| &key[..10]).collect();
        assert_eq!(days.len(), fired.len());
        assert_eq!(fired.iter().filter(|key| !key[10..].starts_with("T02:30:00")).count(), 1, "spring alone");
    }
}

#[test]
fn on_both_days_on_which_the_clocks_change() {
    let spring = Rig::new("2026-03-08T05:00:00Z", "0,30 1-3 * * *", "all");
    spring.run_until("2026-03-09T04:00:00Z");
    assert_eq!(
        spring.fired(),
        ["01:00:00-05:00", "01:30:00-05:00", "03:00:00-04:00", "03:30:00-04:00"]
            .map(|time| format!("2026-03-08T{time}"))
    );
    let autumn = Rig::within("2026-10-24T22:00:00Z", "30 1-3 * * *", "Europe/Berlin", "all");
    autumn.run_until("2026-10-25T22:00:00Z");
    assert_eq!(
        autumn.fired(),
        ["01:30:00+02:00", "02:30:00+02:00", "03:30:00+01:00"].map(|time| format!("2026-10-25T{time}"))
    );
}

#[test]
fn times_that_passed_while_nothing_ran() {
    let downtime = |missed: &str| {
        let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", missed);
        rig.run_until("2026-09-16T13:30:00Z");
        rig.set("2026-09-16T16:30:00Z");
        rig.run_until("2026-09-16T17:30:00Z");
        (rig.fired().iter().map(|key| key[11..13].to_owned()).collect::<Vec<_>>().join(" "), rig.missed())
    };
    let first = "2026-09-16T14:00:00Z".to_owned();
    assert_eq!(downtime("skip"), ("09 13".to_owned(), vec![(first.clone(), 0)]));
    assert_eq!(downtime("once"), ("09 12 13".to_owned(), vec![(first.clone(), 1)]));
    assert_eq!(downtime("all"), ("09 10 11 12 13".to_owned(), vec![(first, 3)]));
}

#[test]
fn a_restart_over_a_time_is_not_a_miss() {
    for missed in ["skip", "once", "all"] {
        let rig = Rig::new("2026-09-16T12:30:00Z", "0 9 * * *", missed);
        rig.run_until("2026-09-16T12:59:50Z");
        rig.set("2026-09-16T13:00:40Z");
        rig.run_until("2026-09-16T13:30:00Z");
        assert_eq!(rig.fired(), ["2026-09-16T09:00:00-04:00"], "{missed}");
        assert_eq!(rig.missed(), []);
    }
}

#[test]
fn restarts_neither_lose_nor_repeat() {
    let rig = Rig::new("2026-09-16T12:00:30Z", "*/7 * * * *", "all");
    let mut expected = Rig::new("2026-09-16T12:00:30Z", "*/7 * * * *", "all");
    expected.run_until("2026-09-17T12:00:00Z");
    for hop in 1..=97 {
        let end = rig.clock.now() + SignedDuration::from_secs(11 * hop);
        rig.run_until(&end.min("2026-09-17T12:00:00Z".parse().unwrap()).to_string());
    }
    rig.run_until("2026-09-17T12:00:00Z");
    assert_eq!(rig.fired(), expected.fired());
    expected.clock = rig.clock.clone();
    assert_eq!(rig.fired().len(), 9 * 24);
}

#[test]
fn one_look_for_a_run_that_ends() {
    let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", "once");
    rig.look();
    assert_eq!(rig.fired(), Vec::<String>::new(), "nothing is due before the first start");
    rig.later(SignedDuration::from_hours(3));
    rig.look();
    rig.look();
    assert_eq!(rig.fired(), ["2026-09-16T11:00:00-04:00"]);
}

#[test]
fn an_edited_timetable_counts_from_when_it_is_loaded() {
    let mut rig = Rig::new("2026-09-16T04:00:00Z", "0 6 * * *", "once");
    rig.run_until("2026-09-16T13:59:00Z");
    rig.zap = zap("0 7 * * *", "America/New_York", "once");
    rig.run_until("2026-09-16T14:00:00Z");
    assert_eq!(rig.fired(), ["2026-09-16T06:00:00-04:00"], "7:00 was nobody's time then");
    rig.set("2026-09-17T11:30:00Z");
    rig.run_until("2026-09-17T12:00:00Z");
    assert_eq!(rig.fired()[1..], ["2026-09-17T07:00:00-04:00"], "what it missed since is caught up");
}

#[test]
fn a_clock_that_is_set_repeats_nothing_and_stops_nothing() {
    let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", "once");
    let reports =
        |rig: &Rig| rig.fired().iter().map(|key| key[11..13].to_owned()).collect::<Vec<_>>().join(" ");
    rig.run_until("2026-09-16T15:30:00Z");
    assert_eq!(reports(&rig), "09 10 11");
    rig.set("2026-09-16T13:30:00Z");
    rig.run_until("2026-09-16T16:30:00Z");
    assert_eq!(reports(&rig), "09 10 11 12", "hours that came again do not fire again");
    rig.set("2030-01-01T00:30:00Z");
    rig.run_until("2030-01-01T00:40:00Z");
    rig.set("2026-09-16T16:40:00Z");
    rig.run_until("2026-09-16T18:30:00Z");
    assert_eq!(reports(&rig), "09 10 11 12 19 13 14", "a clock that ran years ahead does not end a schedule");
}

#[test]
fn a_long_absence_is_caught_up_in_pages() {
    let rig = Rig::new("2026-09-16T12:00:30Z", "* * * * *", "all");
    rig.look();
    rig.later(SignedDuration::from_hours(24));
    rig.look();
    assert_eq!(rig.fired().len(), 24 * 60);
    assert_eq!(rig.missed(), [("2026-09-16T12:01:00Z".to_owned(), 24 * 60 - 1)]);
}

#[test]
fn a_state_that_cannot_be_written_makes_nobody_miss_a_time() {
    let rig = Rig::new("2026-09-16T12:30:00Z", "0 9 * * *", "skip");
    rig.look();
    let mut bad = 4;
    rig.store.script(move |method| {
        bad -= i32::from(method == "commit_page");
        (method == "commit_page" && bad >= 0).then(|| StoreError::Io { reason: "disk full".to_owned() })
    });
    rig.run_until("2026-09-16T14:00:00Z");
    assert_eq!(rig.fired(), ["2026-09-16T09:00:00-04:00"], "it was noticed in time");
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreTrouble { .. })), 1);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreRecovered { .. })), 1);
    rig.store.script(|method| (method == "commit_page").then_some(StoreError::Fenced));
    assert_eq!(rig.run_until("2026-09-17T14:00:00Z"), Some(StoreError::Fenced));
}

#[test]
fn a_crash_at_every_call_leaves_the_same_runs() {
    for missed in ["skip", "once", "all"] {
        let absent = || {
            let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", missed);
            rig.look();
            rig.set("2026-09-16T16:00:05Z");
            rig
        };
        let undisturbed = absent();
        undisturbed.calls.calm();
        undisturbed.look();
        let (calls, expected) = (undisturbed.calls.made(), undisturbed.fired());
        assert!(calls >= 2 && !expected.is_empty(), "{calls}");
        for nth in 1..=calls {
            for moment in [Moment::Before, Moment::After] {
                let rig = absent();
                rig.calls.crash_at(nth, moment);
                assert!(rig.try_look().is_none(), "it dies at call {nth}");
                rig.calls.calm();
                rig.later(SignedDuration::from_secs(20));
                rig.look();
                assert_eq!(rig.fired(), expected, "{missed} after a crash {moment:?} call {nth}");
            }
        }
    }
}

#[test]
fn a_crash_in_the_first_run_keeps_its_start() {
    for nth in 1..=2 {
        for moment in [Moment::Before, Moment::After] {
            let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", "all");
            rig.calls.crash_at(nth, moment);
            assert!(rig.try_look().is_none());
            rig.calls.calm();
            rig.set("2026-09-16T14:30:00Z");
            rig.look();
            let opened = nth > 1 || moment == Moment::After;
            assert_eq!(rig.fired().len(), if opened { 2 } else { 0 }, "{nth} {moment:?}");
        }
    }
}

#[test]
fn the_cursor_says_up_to_when_ticks_were_dealt_with() {
    let rig = Rig::new("2026-09-16T12:30:00Z", "0 * * * *", "once");
    rig.look();
    let cursor = || rig.store.cursors(ZapId(1)).get("schedule").copied();
    assert_eq!(cursor(), Some("2026-09-16T12:30:00Z".parse::<Timestamp>().unwrap()));
    rig.set("2026-09-16T13:10:00Z");
    rig.look();
    assert_eq!(cursor(), Some("2026-09-16T13:10:00Z".parse::<Timestamp>().unwrap()));
}
