//! When walks are made, and how many.

use super::support::{Rig, Spec, zone};
use crate::ports::{Clock, PageRequest};
use crate::testing::FakeRow;
use jiff::SignedDuration;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn names(reads: &[PageRequest]) -> Vec<String> {
    reads.iter().map(|read| read.query.name()).collect()
}

#[test]
fn zaps_with_one_query_share_one_walk() {
    let mut rig = Rig::at(super::support::NOON);
    for name in ["a", "b", "c"] {
        rig.deploy(name, Spec::of("decline"));
    }
    rig.poll();
    rig.later(60);
    rig.crm.take_reads();
    rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    let polled = rig.poll();
    assert_eq!(rig.crm.take_reads().len(), 2, "one read for each kind of decline");
    assert_eq!(polled.tally.fired, 3);
    let runs = rig.store.all_runs();
    assert!(runs.iter().all(|run| run.event.key.id == "1"));
}

#[test]
fn zaps_with_one_query_share_one_look_up() {
    let mut rig = Rig::at(super::support::NOON);
    for name in ["a", "b"] {
        rig.deploy(name, Spec::of("new_sale"));
    }
    rig.poll();
    rig.later(60);
    rig.insert(FakeRow::order("LEAD", "2026-09-10 12:00:00").with("dateUpdated", rig.now()));
    rig.insert(FakeRow::sale(1, "LEAD", &rig.now()));
    rig.crm.take_reads();
    assert_eq!(rig.poll().tally.fired, 2);
    assert_eq!(rig.crm.take_reads().iter().filter(|read| read.window.is_none()).count(), 1);
}

#[test]
fn a_walk_is_narrowed_to_the_union_and_each_zap_checks_its_rows() {
    let mut rig = Rig::with("a", Spec { campaigns: vec!["12"], ..Spec::of("decline") });
    rig.deploy("b", Spec { campaigns: vec!["15", "12"], ..Spec::of("decline") });
    rig.poll();
    let reads = rig.crm.take_reads();
    assert!(reads.iter().all(|read| read.narrowing.campaign_ids == ["12", "15"]), "{reads:?}");
    rig.deploy("all", Spec::of("decline"));
    rig.later(60);
    rig.insert(
        FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE").with("campaignId", "15"),
    );
    rig.poll();
    let reads = rig.crm.take_reads();
    assert!(reads.iter().all(|read| read.narrowing.campaign_ids.is_empty()), "one zap wants every campaign");
    assert_eq!([rig.fired("a").len(), rig.fired("b").len(), rig.fired("all").len()], [0, 1, 1]);
}

#[test]
fn a_narrower_query_rides_on_a_broader_one_that_is_due_anyway() {
    let mut rig = Rig::with("first", Spec::of("new_sale"));
    rig.deploy("all", Spec { options: "cycles: all", ..Spec::of("new_sale") });
    rig.poll();
    rig.later(60);
    rig.insert(rig.sale("A"));
    rig.insert(rig.sale("B").with("orderType", "RECURRING"));
    rig.crm.take_reads();
    rig.poll();
    let reads = names(&rig.crm.take_reads());
    assert_eq!(reads.len(), 3, "{reads:?}");
    assert!(reads.iter().all(|name| !name.contains("orderType")), "{reads:?}");
    assert_eq!((rig.fired("first").len(), rig.fired("all").len()), (1, 2));
    let own: Vec<String> = rig.store.cursors(rig.id("first")).into_keys().collect();
    assert!(own.len() == 3 && own.iter().all(|name| name.contains("orderType=NEW_SALE")), "{own:?}");
}

#[test]
fn a_narrower_query_does_not_widen_a_broader_one() {
    let mut rig = Rig::with("first", Spec::of("new_sale"));
    rig.deploy("all", Spec { options: "cycles: all", campaigns: vec!["12"], ..Spec::of("new_sale") });
    rig.poll();
    let reads = rig.crm.take_reads();
    assert_eq!(reads.len(), 6);
    let broad = |read: &&PageRequest| !read.query.name().contains("orderType");
    assert!(reads.iter().filter(broad).all(|read| read.narrowing.campaign_ids == ["12"]));
}

/// How many looks at SOFT_DECLINE one engine makes in so long.
fn looks(rig: &Rig, time: SignedDuration) -> usize {
    rig.crm.take_reads();
    rig.run_for(time);
    let looks: Vec<PageRequest> = rig.crm.take_reads().into_iter().filter(|read| !read.ascending).collect();
    names(&looks).iter().filter(|name| name.contains("SOFT")).count()
}

#[test]
fn each_zap_is_polled_as_often_as_it_says() {
    let every = |secs| Spec { every: secs, ..Spec::of("decline") };
    let rig = Rig::with("zap", every(60));
    assert_eq!(looks(&rig, SignedDuration::from_mins(10)), 11);
    let mut rig = Rig::with("often", every(60));
    rig.deploy("seldom", every(290));
    assert_eq!(looks(&rig, SignedDuration::from_mins(10)), 11, "the seldom one rides along");
    let rig = Rig::with("seldom", every(300));
    assert_eq!(looks(&rig, SignedDuration::from_mins(10)), 3);
}

#[test]
fn a_window_moves_on_with_its_cursor() {
    let rig = Rig::running("decline");
    looks(&rig, SignedDuration::from_hours(1));
    rig.crm.take_reads();
    rig.run_for(SignedDuration::from_hours(72));
    let reads = rig.crm.take_reads();
    let days =
        |read: &PageRequest| read.window.unwrap().last.since(read.window.unwrap().first).unwrap().get_days();
    assert!(reads.iter().all(|read| days(read) <= 2), "yesterday, today and tomorrow at most");
}

#[test]
fn a_new_row_is_seen_within_one_interval() {
    let rig = Rig::running("new_sale");
    let end = rig.clock.now() + SignedDuration::from_secs(95);
    let change = async {
        rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_secs(30)).await;
        rig.insert(rig.sale("A"));
        std::future::pending::<()>().await;
    };
    let run = async {
        let mut engine = rig.start().await.unwrap();
        engine.run(CancellationToken::new()).await
    };
    rig.clock.drive_until(end, futures::future::join(run, change));
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn stopping_ends_the_engine_at_once_even_in_mid_walk() {
    let rig = Rig::running("new_sale");
    rig.crm.script(|_| Some(crate::testing::Fault::Slow(Duration::from_secs(90))));
    let stop = CancellationToken::new();
    let began = rig.clock.now();
    let run = async {
        let mut engine = rig.start().await.unwrap();
        let ends = engine.run(stop.clone());
        let stops = async {
            rig.clock.sleep_until(began + SignedDuration::from_secs(10)).await;
            stop.cancel();
        };
        futures::future::join(ends, stops).await.0
    };
    assert_eq!(rig.clock.drive(run), Some(Ok(())));
    assert_eq!(rig.clock.now() - began, SignedDuration::from_secs(10));
}

#[test]
fn an_engine_without_a_zap_waits_to_be_stopped() {
    let rig = Rig::at(super::support::NOON);
    let stop = CancellationToken::new();
    stop.cancel();
    let run = async { rig.start().await.unwrap().run(stop).await };
    assert_eq!(rig.clock.drive(run), Some(Ok(())));
    assert_eq!(rig.poll().walks, 0);
}

#[test]
fn connections_do_not_wait_for_each_other() {
    let (slow, quick) = (Rig::running("new_sale"), Rig::running("new_sale"));
    slow.crm.script(|_| Some(crate::testing::Fault::Slow(Duration::from_secs(90))));
    quick.insert(quick.sale("A"));
    // One engine, two accounts: the second rig's CRM under another name, on the first one's clock and state.
    let run = async {
        let trigger = |connection: &str| {
            let mut trigger = Spec::of("new_sale").trigger();
            trigger.connection = connection.to_owned();
            trigger
        };
        let watched = |connection: &str, state| crate::polling::Watched {
            name: "zap".to_owned(),
            trigger: trigger(connection),
            state,
        };
        let zaps = vec![watched("crm", slow.state("zap")), watched("other", quick.state("zap"))];
        let mut other = quick.connection();
        other.name = "other".to_owned();
        let mut engine = crate::polling::Poller::new(slow.ports(), vec![slow.connection(), other], zaps, 1);
        engine.run(CancellationToken::new()).await
    };
    assert_eq!(slow.clock.drive_until(slow.clock.now() + SignedDuration::from_secs(30), run), None);
    assert_eq!(slow.store.all_runs().len(), 1, "the slow one still waits for its first page");
}

#[test]
fn an_engine_can_be_moved_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let rig = Rig::at(super::support::NOON);
    let engine = async {
        let mut engine = rig.start().await.unwrap();
        let run = engine.run(CancellationToken::new());
        is_send(&run);
    };
    rig.clock.drive(engine);
    let _ = zone();
}
