//! What happens to the rows while they are read, and how much is read.

use super::support::{Rig, Spec, instant, local};
use crate::ports::{Clock, Page, PageRequest, ReadError};
use crate::report::{Event, WalkFailure};
use crate::testing::{Call, FakeRow, Fault};
use jiff::SignedDuration;
use jiff::civil::date;
use zaprun_core::trigger::Endpoint;

fn decline(id: u64, at: &str) -> FakeRow {
    FakeRow::sale(id, "A", at).with("responseType", "SOFT_DECLINE")
}

fn is_soft(request: &PageRequest) -> bool {
    request.query.params.iter().any(|(_, value)| value == "SOFT_DECLINE")
}

/// 450 declines, one a second; numbered from 1.
fn declines(rig: &Rig) {
    for number in 1..=450 {
        rig.later(1);
        rig.insert(decline(number, &rig.now()));
    }
    rig.later(1);
}

#[test]
fn a_row_inserted_before_the_page_being_read() {
    let rig = Rig::running("decline");
    let early = rig.now();
    declines(&rig);
    let mut inserted = false;
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 && !inserted {
            inserted = true;
            call.table.insert(decline(999, &early));
        }
        None
    });
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (450, 0), "growth is normal");
    rig.later(60);
    assert_eq!(rig.poll().tally.fired, 1, "the next walk reads the same day");
    assert_eq!(rig.fired("zap").len(), 451);
}

#[test]
fn a_row_removed_before_the_page_being_read_asks_for_another_pass() {
    let rig = Rig::running("decline");
    declines(&rig);
    let mut removed = false;
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 && !removed {
            removed = call.table.remove(Endpoint::Transactions, "1");
        }
        None
    });
    let polled = rig.poll();
    assert_eq!(
        (polled.tally.fired, polled.failed),
        (450, 0),
        "the 201st moved to the first page and is found"
    );
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Unstable { .. })), 0);
}

#[test]
fn a_removal_that_empties_the_last_page_shows_too() {
    let rig = Rig::running("decline");
    (1..=201).for_each(|number| rig.insert(decline(number, &rig.now())));
    let mut removed = false;
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 && !removed {
            removed = call.table.remove(Endpoint::Transactions, "1");
        }
        None
    });
    assert_eq!(rig.poll().tally.fired, 201);
}

/// From now on, each pass loses the row it has just read on its first page.
fn lose_one_each_pass(rig: &Rig) {
    let mut next = 0_u64;
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 {
            next += 1;
            assert!(call.table.remove(Endpoint::Transactions, &next.to_string()));
        }
        None
    });
}

#[test]
fn three_passes_that_lose_rows_are_unstable_and_the_cursor_stays() {
    let rig = Rig::running("decline");
    let before = rig.store.cursors(rig.id("zap"));
    declines(&rig);
    lose_one_each_pass(&rig);
    let polled = rig.poll();
    assert_eq!(polled.failed, 1);
    assert_eq!(polled.tally.fired, 450, "what it found is kept, the last pass to its end");
    let unstable: Vec<Event> =
        rig.events().into_iter().filter(|event| matches!(event, Event::Unstable { .. })).collect();
    assert!(matches!(unstable[..], [Event::Unstable { walks: 1, moved_on: false, .. }]), "{unstable:?}");
    let after = rig.store.cursors(rig.id("zap"));
    let stayed = |query: &str| before.iter().any(|(name, at)| name.contains(query) && after[name] == *at);
    assert!(stayed("SOFT_DECLINE") && !stayed("HARD_DECLINE"));
}

#[test]
fn an_unstable_old_slice_keeps_the_cursor_but_not_the_newer_rows_waiting() {
    let rig = Rig::running("decline");
    let before = rig.store.cursors(rig.id("zap"));
    declines(&rig);
    rig.later(15 * 86_400);
    rig.insert(decline(999, &rig.now()));
    let mut next = 0_u64;
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 {
            next += 1;
            assert!(call.table.remove(Endpoint::Transactions, &next.to_string()));
        }
        None
    });
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (451, 1));
    let after = rig.store.cursors(rig.id("zap"));
    let (soft, at) = before.iter().find(|(name, _)| name.contains("SOFT")).unwrap();
    assert_eq!(after[soft], *at, "a later slice does not carry it over the gap");
}

#[test]
fn after_two_days_of_instability_the_cursor_moves_on() {
    let rig = Rig::running("decline");
    let start = rig.clock.now();
    for number in 1..=1_000 {
        rig.insert(decline(number, &rig.now()));
    }
    lose_one_each_pass(&rig);
    let soft = |rig: &Rig| {
        *rig.store.cursors(rig.id("zap")).iter().find(|(name, _)| name.contains("SOFT")).unwrap().1
    };
    let before = soft(&rig);
    rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        while rig.clock.now() - start < SignedDuration::from_hours(47) {
            assert_eq!(engine.poll_once().await.unwrap().failed, 1);
            assert_eq!(soft(&rig), before);
            rig.later(6 * 3600);
        }
        rig.clock.set(start + SignedDuration::from_hours(49));
        engine.poll_once().await.unwrap();
    });
    assert!(soft(&rig) > before);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Unstable { moved_on: true, .. })), 1);
}

#[test]
fn smaller_pages_than_asked_for_are_read_to_their_end() {
    let rig = Rig::running("decline");
    declines(&rig);
    rig.crm.script(|call: Call<'_>| {
        let mut smaller = call.request.clone();
        smaller.per_page = 100;
        let (total, rows) = call.table.page(&smaller);
        Some(Fault::Page(Page { total, rows, server_time: None }))
    });
    assert_eq!(rig.poll().tally.fired, 450);
}

#[test]
fn a_crm_that_does_not_turn_pages_fails_the_walk_instead_of_going_on_for_ever() {
    let rig = Rig::running("decline");
    declines(&rig);
    rig.crm.script(|call: Call<'_>| {
        let mut first = call.request.clone();
        first.page = 1;
        let (total, rows) = call.table.page(&first);
        Some(Fault::Page(Page { total, rows, server_time: None }))
    });
    assert_eq!(rig.poll().failed, 1);
    let stuck = |event: &Event| matches!(event, Event::WalkFailed { cause: WalkFailure::Stuck, .. });
    assert_eq!(rig.reports.count(stuck), 1);
    assert!(rig.crm.take_reads().len() < 10);
    rig.crm.behave();
    assert_eq!(rig.poll().tally.fired, 250, "the first page was kept, the rest is found");
}

#[test]
fn no_page_beyond_the_end_is_needed() {
    for (rows, pages) in [(400, 2), (600, 3), (200, 2)] {
        for answer in ["error", "again"] {
            let rig = Rig::running("decline");
            let at = rig.now();
            (0..rows).for_each(|number| rig.insert(decline(number, &at)));
            // What the CRM says beyond the end: an error that is not known, or its last page again.
            rig.crm.script(move |call: Call<'_>| {
                let mut asked = call.request.clone();
                let beyond = is_soft(&asked) && u64::from(asked.page) * 200 > rows;
                asked.page = u32::try_from(rows / 200).unwrap();
                let (total, rows) = call.table.page(&asked);
                match answer {
                    _ if !beyond => None,
                    "again" => Some(Fault::Page(Page { total, rows, server_time: None })),
                    _ => Some(Fault::Fail(ReadError::Vendor { text: "No such page".to_owned() })),
                }
            });
            let polled = rig.poll();
            assert_eq!((polled.tally.fired, polled.failed), (rows, 0), "{rows} rows, {answer}");
            let asked = rig.crm.take_reads().iter().filter(|read| is_soft(read)).count();
            assert_eq!(asked, pages, "{rows} rows, {answer}: of 200 alone the total may be the page's own");
        }
    }
}

#[test]
fn a_hundred_rows_inserted_between_two_pages_are_repeats_not_news() {
    let rig = Rig::running("decline");
    let early = rig.now();
    declines(&rig);
    rig.crm.script(move |call: Call<'_>| {
        if is_soft(call.request) && call.request.page == 2 && call.table.rows().len() < 500 {
            (2_000..2_200).for_each(|number| call.table.insert(decline(number, &early)));
        }
        None
    });
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (450, 0));
    rig.later(60);
    rig.poll();
    assert_eq!(rig.fired("zap").len(), 650);
}

#[test]
fn a_long_absence_is_read_in_slices_and_each_moves_the_cursor() {
    let rig = Rig::running("decline");
    let started = rig.clock.now();
    rig.crm.take_reads();
    for day in 1..=25 {
        rig.clock.set(started + SignedDuration::from_hours(24 * day));
        rig.insert(decline(u64::try_from(day).unwrap(), &rig.now()));
    }
    // The line breaks in the third slice.
    rig.crm.script(|call: Call<'_>| {
        let late = call.request.window.is_some_and(|days| days.first > date(2026, 9, 30));
        late.then(|| Fault::Fail(super::replies::gateway()))
    });
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (19, 2));
    let cursors = rig.store.cursors(rig.id("zap"));
    assert!(cursors.values().all(|at| *at == instant("2026-10-06T04:00:00Z")), "{cursors:?}");
    rig.crm.behave();
    rig.crm.take_reads();
    assert_eq!(rig.poll().tally.fired, 6);
    let first = rig.crm.take_reads()[0].window.unwrap();
    assert_eq!(first.first, date(2026, 10, 5), "from there, a quarter of an hour back");
}

#[test]
fn beginning_reads_from_the_year_2000_and_fires_everything() {
    let rig = Rig::with("zap", Spec { start: "beginning", ..Spec::of("decline") });
    for (number, at) in [(1, "2000-01-01 00:00:00"), (2, "2013-05-05 05:05:05"), (3, "2026-09-16 11:59:59")] {
        rig.insert(decline(number, at));
    }
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1", "2", "3"]);
    let reads = rig.crm.take_reads();
    assert_eq!(reads[0].window.unwrap().first, date(2000, 1, 1));
    assert_eq!(reads.len(), 2 * 976, "an empty slice costs one read");
}

#[test]
fn a_start_date_reads_from_that_day() {
    let rig = Rig::with("zap", Spec { start: "2026-09-14", ..Spec::of("decline") });
    for (number, at) in [(1, "2026-09-13 23:59:59"), (2, "2026-09-14 00:00:00"), (3, "2026-09-16 11:00:00")] {
        rig.insert(decline(number, at));
    }
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.tally.primed), (2, 0));
    assert_eq!(rig.crm.take_reads()[0].window.unwrap().first, date(2026, 9, 14));
    assert_eq!(rig.fired("zap"), ["2", "3"]);
}

#[test]
fn a_zap_that_starts_now_is_not_primed_with_the_history_another_reads() {
    let mut rig = Rig::with("old", Spec { start: "beginning", ..Spec::of("decline") });
    rig.deploy("new", Spec::of("decline"));
    rig.insert(decline(1, "2013-05-05 05:05:05"));
    rig.insert(decline(2, "2026-09-16 11:00:00"));
    rig.poll();
    assert_eq!(rig.fired("old"), ["1", "2"]);
    assert_eq!(rig.store.ledger(rig.id("new")).len(), 1, "today's window alone");
    let first: Vec<Event> =
        rig.events().into_iter().filter(|event| matches!(event, Event::FirstRun { .. })).collect();
    assert!(
        matches!(&first[..], [
        Event::FirstRun { zap: new, primed: 1, fired: 0 },
        Event::FirstRun { zap: old, primed: 0, fired: 2 },
    ] if old == "old" && new == "new"),
        "{first:?}"
    );
}

#[test]
fn the_first_run_says_how_many_rows_it_primed() {
    let rig = Rig::with("zap", Spec::of("decline"));
    let earlier = local(rig.clock.now() - SignedDuration::from_mins(90));
    (0..201).for_each(|number| rig.insert(decline(number, &earlier)));
    rig.insert(decline(999, &earlier).with("responseType", "HARD_DECLINE"));
    rig.poll();
    let first =
        |event: &Event| matches!(event, Event::FirstRun { zap, primed: 202, fired: 0 } if zap == "zap");
    assert_eq!(rig.reports.count(first), 1);
    rig.later(60);
    rig.poll();
    assert_eq!(rig.reports.count(|event| matches!(event, Event::FirstRun { .. })), 1, "once");
}

#[test]
fn rows_that_are_not_what_they_should_be_are_reported_once_and_do_no_harm() {
    let rig = Rig::running("decline");
    let misfit = |id: u64| decline(id, &rig.now()).with("billingCycleNumber", "not a number");
    let at = rig.now();
    rig.crm.script(move |call: Call<'_>| {
        if !is_soft(call.request) {
            return None;
        }
        let rows = vec![
            bytes::Bytes::from_static(b"[1, 2]"),
            decline(1, &at).with("transactionId", serde_json::Value::Null).bytes(),
            decline(2, &at).bytes(),
        ];
        Some(Fault::Page(Page { total: 3, rows, server_time: None }))
    });
    let polled = rig.poll();
    assert_eq!((polled.failed, polled.tally.passed_over), (0, 2));
    rig.later(60);
    assert_eq!(rig.fired("zap"), ["2"]);
    rig.crm.behave();
    rig.insert(misfit(3));
    rig.insert(misfit(4));
    rig.poll();
    let problems = rig.reports.count(|event| matches!(event, Event::RowProblem { row: "transaction", .. }));
    assert_eq!(problems, 3, "unreadable, without id, one field");
}
