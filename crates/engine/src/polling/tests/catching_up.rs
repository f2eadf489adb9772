//! A zap with days to read beside one that keeps up.

use super::support::{Rig, Spec, instant, local};
use crate::ports::{Clock, PageRequest};
use crate::report::Event;
use crate::testing::{Call, FakeRow, Fault};
use jiff::SignedDuration;
use jiff::civil::date;
use std::time::Duration;

/// A zap that reads from the year 2000 and one that has kept up.
fn rig() -> Rig {
    let mut rig = Rig::with("live", Spec::of("decline"));
    rig.poll();
    rig.later(60);
    rig.deploy("old", Spec { start: "beginning", ..Spec::of("decline") });
    rig.insert(decline(1, "2013-05-05 05:05:05"));
    rig.events();
    rig.crm.take_reads();
    rig
}

fn decline(id: u64, at: &str) -> FakeRow {
    FakeRow::sale(id, "A", at).with("responseType", "SOFT_DECLINE")
}

fn is_old(request: &PageRequest) -> bool {
    request.window.is_some_and(|days| days.first < date(2026, 9, 1))
}

#[test]
fn a_live_zap_is_served_first_and_between_the_slices_of_another() {
    let rig = rig();
    // A slice takes 20 s, so that the history takes eleven hours.
    rig.crm.script(|call: Call<'_>| is_old(call.request).then_some(Fault::Slow(Duration::from_secs(20))));
    let began = rig.clock.now();
    let comes = async {
        for id in 100..110 {
            rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_secs(61)).await;
            rig.insert(decline(id, &rig.now()));
        }
        std::future::pending::<()>().await;
    };
    let run = async {
        let mut engine = rig.start().await.unwrap();
        engine.run(tokio_util::sync::CancellationToken::new()).await
    };
    let end = began + SignedDuration::from_secs(11 * 61 + 20);
    rig.clock.drive_until(end, futures::future::join(run, comes));
    assert_eq!(rig.fired("live").len(), 10, "each within its interval and one slice");
    let reads = rig.crm.take_reads();
    assert!(!is_old(&reads[0]) && !is_old(&reads[1]), "the live ones come first");
    let longest = reads.chunk_by(|a, b| is_old(a) == is_old(b)).filter(|run| is_old(&run[0])).map(<[_]>::len);
    assert!(longest.max().unwrap() <= 4, "live reads are due every minute, which is three slices");
}

#[test]
fn what_comes_after_its_slice_was_read_is_found_when_the_next_begins_after_midnight() {
    // By the CRM's clock, which is right or hours behind.
    for hours in [0, -5] {
        let skew = SignedDuration::from_hours(hours);
        let rig = Rig::with("zap", Spec::of("decline"));
        rig.crm.set_skew(Some(skew));
        rig.poll();
        // Away so long that the first slice ends today and another one holds tomorrow.
        rig.clock.set(instant("2026-09-26T03:58:00Z") - skew);
        let (mut came, clock) = (false, rig.clock.clone());
        rig.crm.script(move |call: Call<'_>| {
            let hard = call.request.query.params.iter().any(|(_, value)| value == "HARD_DECLINE");
            if !hard || came {
                return None;
            }
            came = true;
            // The slice of soft ones has just been read.
            call.table.insert(decline(1, &local(clock.now() + skew)));
            Some(Fault::Slow(Duration::from_secs(45 * 60)))
        });
        rig.poll();
        rig.crm.behave();
        rig.later(60);
        rig.poll();
        assert_eq!(rig.fired("zap"), ["1"], "{hours} hours");
    }
}

#[test]
fn an_old_slice_that_fails_backs_off_alone() {
    let rig = rig();
    rig.crm.script(|call: Call<'_>| is_old(call.request).then(|| Fault::Fail(super::replies::gateway())));
    rig.run_for(SignedDuration::from_hours(2));
    let reads = rig.crm.take_reads();
    let live = reads.iter().filter(|read| !is_old(read) && !read.ascending).count();
    assert!((200..=2 * 121).contains(&live), "{live} looks at the two live queries, one a minute");
    let old = reads.iter().filter(|read| is_old(read)).count();
    assert!(old < 200, "{old}");
    rig.crm.behave();
    rig.later(1_000);
    rig.poll();
    assert_eq!(rig.fired("old"), ["1"]);
}

#[test]
fn one_poll_reads_the_whole_history_and_says_how_far_it_is() {
    let rig = rig();
    rig.insert(decline(2, &rig.now()));
    rig.crm.script(|call: Call<'_>| is_old(call.request).then_some(Fault::Slow(Duration::from_secs(1))));
    let began = rig.clock.now();
    let polled = rig.poll();
    assert_eq!((polled.failed, rig.fired("old")), (0, vec!["1".to_owned(), "2".to_owned()]));
    assert_eq!(rig.fired("live"), ["2"]);
    let told: Vec<(String, u32)> = rig
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::CatchingUp { from, slices, .. } => Some((from.to_string(), slices)),
            _ => None,
        })
        .collect();
    assert_eq!(told[0], ("2000-01-01".to_owned(), 976));
    let seconds = (rig.clock.now() - began).as_secs();
    assert!(seconds > 1_900 && told.len() as i64 <= seconds / 10 + 1, "{} in {seconds} s", told.len());
    assert!(told.len() > 100, "{}", told.len());
}
