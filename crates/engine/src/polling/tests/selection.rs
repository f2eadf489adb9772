//! Zaps that are edited, renamed, redeployed and redirected.

use super::support::{Rig, Spec};
use crate::ports::{Clock, PageRequest};
use crate::testing::{Call, FakeRow, Fault};

#[test]
fn a_change_of_selection_moves_the_boundary() {
    let mut rig = Rig::with("zap", Spec { campaigns: vec!["12"], ..Spec::of("decline") });
    rig.poll();
    rig.later(600);
    let decline = |id, campaign: &str, at: String| {
        FakeRow::sale(id, "A", &at).with("responseType", "SOFT_DECLINE").with("campaignId", campaign)
    };
    rig.insert(decline(1, "12", rig.now()));
    rig.insert(decline(2, "15", rig.now()));
    rig.later(60);
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"]);
    rig.zaps[0].spec.campaigns = vec!["12", "15"];
    rig.later(60);
    rig.insert(decline(3, "15", rig.now()));
    rig.later(60);
    let polled = rig.poll();
    assert_eq!(rig.fired("zap"), ["1", "3"], "older ones of the other campaign are primed");
    assert_eq!(polled.tally.primed, 1);
}

#[test]
fn a_query_added_by_an_option_begins_at_the_boundary() {
    let mut rig = Rig::running("new_lead");
    rig.insert(rig.sale("OLD"));
    rig.later(60);
    rig.poll();
    rig.zaps[0].spec.options = "include_bought: true";
    rig.later(60);
    rig.insert(rig.sale("NEW"));
    let polled = rig.poll();
    assert_eq!(rig.fired("zap"), ["NEW"]);
    assert_eq!(polled.tally.primed, 1, "the one from before the change");
}

#[test]
fn a_change_of_selection_before_every_query_was_read_loses_nothing() {
    let mut rig = Rig::with("zap", Spec { campaigns: vec!["12"], ..Spec::of("decline") });
    // From the start on, the hard ones cannot be read.
    let hard = |request: &PageRequest| request.query.params.iter().any(|(_, value)| value == "HARD_DECLINE");
    rig.crm.script(move |call: Call<'_>| hard(call.request).then(|| Fault::Fail(super::replies::gateway())));
    rig.poll();
    rig.later(600);
    rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "HARD_DECLINE"));
    rig.later(600);
    rig.poll();
    rig.crm.behave();
    rig.zaps[0].spec.campaigns = vec!["12", "15"];
    rig.later(60);
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"], "it came after the start");
}

#[test]
fn editing_and_renaming_never_reset_the_ledger() {
    let mut rig = Rig::running("new_sale");
    rig.insert(rig.sale("A"));
    rig.poll();
    let key = rig.store.all_runs()[0].key_base;
    rig.zaps[0].spec.every = 300;
    rig.zaps[0].formerly = Some("zap");
    rig.zaps[0].name = "renamed";
    rig.later(60);
    rig.insert(rig.sale("B"));
    rig.poll();
    assert_eq!(rig.fired("renamed"), ["A", "B"]);
    let runs = rig.store.all_runs();
    assert_eq!(runs[0].key_base, key);
    assert_eq!(runs[1].key_base, crate::key::base("zap", &runs[1].event.key), "the first name, for ever");
}

#[test]
fn a_redeploy_in_mid_poll() {
    let rig = Rig::running("decline");
    for id in 1..=450 {
        rig.insert(FakeRow::sale(id, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    }
    // The first engine is replaced while it waits for its third page.
    let second_page_committed = rig.clock.drive(async {
        let mut old = rig.start().await.unwrap();
        let clock = rig.clock.clone();
        rig.crm.script(move |call: Call<'_>| {
            (call.request.page == 3).then(|| crate::testing::Fault::Slow(std::time::Duration::from_secs(60)))
        });
        let replaced = clock.now() + jiff::SignedDuration::from_secs(30);
        futures::future::select(Box::pin(old.poll_once()), Box::pin(clock.sleep_until(replaced))).await;
    });
    assert!(second_page_committed.is_some());
    assert_eq!(rig.fired("zap").len(), 400);
    rig.crm.behave();
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.tally.known), (50, 400));
}

#[test]
fn once_per_is_handed_to_the_store_for_primed_rows_too() {
    let rig = Rig::with("zap", Spec { options: "once_per: orderId", ..Spec::of("decline") });
    rig.insert(FakeRow::sale(1, "A", "2026-09-16 10:00:00").with("responseType", "SOFT_DECLINE"));
    rig.poll();
    rig.later(60);
    rig.insert(FakeRow::sale(2, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    rig.poll();
    let run = rig.store.all_runs().remove(0);
    let taken = crate::ports::Store::take_once(&rig.store, run.zap, "A", run.id);
    let outcome = rig.clock.drive(taken).unwrap().unwrap();
    assert_eq!(outcome, crate::ports::OnceOutcome::TakenBy(None));
}
