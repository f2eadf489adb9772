//! What the port promises, operation by operation.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use bytes::Bytes;
use common::{at, cursor, event, event_of, identity, page, step, target, update, wait};
use jiff::SignedDuration;
use zaprun_engine::ports::{
    AttemptRecord, Begun, BegunAttempt, Fate, History, OnceOutcome, PageCommit, PageCommitted, RunFilter,
    RunId, RunState, Store, StoreError, ZapId, ZapIdentity,
};
use zaprun_store::SqliteStore;

fn store() -> SqliteStore {
    SqliteStore::in_memory().unwrap()
}

#[test]
fn a_page_is_seen_once() {
    wait(async {
        let store = store();
        let (a, b) =
            (store.open_zap(identity("a")).await.unwrap(), store.open_zap(identity("b")).await.unwrap());
        assert!(a.first_run && !store.open_zap(identity("a")).await.unwrap().first_run);
        let page = page(vec![
            event("1", vec![target(&a, Fate::Fire), target(&b, Fate::Prime)]),
            event("2", vec![target(&a, Fate::PrimeUndated)]),
            event("1", vec![target(&a, Fate::Fire)]),
        ]);
        let done = store.commit_page(page.clone()).await.unwrap();
        assert_eq!(
            done,
            PageCommitted { fired: 1, primed: 2, undated: 1, known: 1, ..PageCommitted::default() }
        );
        let again = store.commit_page(page).await.unwrap();
        assert_eq!(again, PageCommitted { known: 4, ..PageCommitted::default() });
        let ids = vec!["1".to_owned(), "2".to_owned(), "3".to_owned()];
        assert_eq!(store.unknown(a.id, "new_sale", ids.clone()).await.unwrap(), ["3"]);
        assert_eq!(store.unknown(b.id, "new_sale", ids.clone()).await.unwrap(), ["2", "3"]);
        assert_eq!(store.unknown(a.id, "refund", ids).await.unwrap().len(), 3);
        let counts = store.counts().await.unwrap();
        assert_eq!(counts.runs, [("a".to_owned(), RunState::Pending, 1)]);
        assert_eq!(counts.primed, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
        assert_eq!(store.recount().await.unwrap(), counts);
    });
}

#[test]
fn a_cursor_never_moves_back() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        for seconds in [500, 400] {
            let commit = PageCommit { events: Vec::new(), cursors: vec![cursor(a.id, "q", seconds)] };
            store.commit_page(commit).await.unwrap();
        }
        assert_eq!(store.open_zap(identity("a")).await.unwrap().cursors, [("q".to_owned(), at(500))]);
    });
}

#[test]
fn the_first_skew_is_kept_until_the_boundary_moves_to_a_cursor() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        assert_eq!(a.skew, None);
        let minutes = SignedDuration::from_mins;
        assert_eq!(store.keep_skew(a.id, minutes(-10)).await, Ok(minutes(-10)));
        assert_eq!(store.keep_skew(a.id, minutes(0)).await, Ok(minutes(-10)));
        assert_eq!(store.open_zap(identity("a")).await.unwrap().skew, Some(minutes(-10)));
        let changed = |selection: &str| ZapIdentity { selection: selection.to_owned(), ..identity("a") };
        assert_eq!(store.open_zap(changed("s2")).await.unwrap().skew, Some(minutes(-10)), "no cursor yet");
        let commit = PageCommit { events: Vec::new(), cursors: vec![cursor(a.id, "q", 500)] };
        store.commit_page(commit).await.unwrap();
        assert_eq!(store.open_zap(changed("s3")).await.unwrap().skew, Some(SignedDuration::ZERO));
        let refused = store.keep_skew(ZapId(77), minutes(1)).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    });
}

#[test]
fn a_changed_selection_moves_the_boundary_to_the_earliest_cursor() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        assert_eq!(a.boundary, at(100));
        let select = |selection: &str| ZapIdentity { selection: selection.to_owned(), ..identity("a") };
        // Without a cursor it stays.
        assert_eq!(store.open_zap(select("s2")).await.unwrap().boundary, at(100));
        let cursors = vec![cursor(a.id, "q1", 900), cursor(a.id, "q2", 700)];
        store.commit_page(PageCommit { events: Vec::new(), cursors }).await.unwrap();
        assert_eq!(store.open_zap(select("s2")).await.unwrap().boundary, at(100));
        let moved = store.open_zap(select("s3")).await.unwrap();
        assert_eq!((moved.boundary, moved.cursors.len(), moved.id), (at(700), 0, a.id));
        // A query that the zap no longer has does not draw the boundary back at the next change.
        let cursors = vec![cursor(a.id, "q3", 2_000)];
        store.commit_page(PageCommit { events: Vec::new(), cursors }).await.unwrap();
        assert_eq!(store.open_zap(select("s4")).await.unwrap().boundary, at(2_000));
    });
}

#[test]
fn a_changed_selection_leaves_the_boundary_while_a_query_was_never_read() {
    wait(async {
        let store = store();
        let select =
            |selection: &str| ZapIdentity { selection: selection.to_owned(), queries: 2, ..identity("a") };
        let a = store.open_zap(select("s1")).await.unwrap();
        let read = |query: &str, to: i64| {
            let cursors = vec![cursor(a.id, query, to)];
            store.commit_page(PageCommit { events: Vec::new(), cursors })
        };
        read("q1", 900).await.unwrap();
        assert_eq!(store.open_zap(select("s2")).await.unwrap().boundary, at(100), "q2 was not read yet");
        read("q1", 900).await.unwrap();
        read("q2", 700).await.unwrap();
        assert_eq!(store.open_zap(select("s3")).await.unwrap().boundary, at(700));
    });
}

#[test]
fn a_rename_keeps_everything() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        store.commit_page(page(vec![event("1", vec![target(&a, Fate::Fire)])])).await.unwrap();
        let renamed = ZapIdentity { formerly: Some("a".to_owned()), ..identity("b") };
        let b = store.open_zap(renamed.clone()).await.unwrap();
        assert_eq!((b.id, b.first_name.as_str(), b.first_run), (a.id, "a", false));
        assert!(store.unknown(b.id, "new_sale", vec!["1".to_owned()]).await.unwrap().is_empty());
        assert_eq!(store.runs(RunFilter { limit: 9, ..RunFilter::default() }).await.unwrap()[0].zap, "b");
        // `formerly` may stay in the file, also when another zap takes the old name. Their keys never meet.
        let other = store.open_zap(identity("a")).await.unwrap();
        assert_eq!((other.first_run, other.first_name.as_str()), (true, "a#2"));
        assert_eq!(store.open_zap(renamed).await.unwrap().id, a.id);
    });
}

#[test]
fn a_rename_onto_a_zap_with_a_history_is_refused() {
    wait(async {
        let store = store();
        store.open_zap(identity("a")).await.unwrap();
        store.open_zap(identity("b")).await.unwrap();
        let clash = ZapIdentity { formerly: Some("a".to_owned()), ..identity("b") };
        let error = store.open_zap(clash).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "zap `a` cannot be renamed to `b`: both have run and have a history of their own"
        );
        // A rename from a name that never ran is a new zap.
        let fresh = ZapIdentity { formerly: Some("nobody".to_owned()), ..identity("c") };
        assert!(store.open_zap(fresh).await.unwrap().first_run);
    });
}

#[test]
fn revisions_follow_the_content() {
    wait(async {
        let store = store();
        let content = |c: &str, git: Option<&str>| ZapIdentity {
            content: c.to_owned(),
            git: git.map(str::to_owned),
            ..identity("a")
        };
        let first = store.open_zap(content("c1", None)).await.unwrap().revision;
        let second = store.open_zap(content("c2", Some("abc"))).await.unwrap();
        assert_ne!(first, second.revision);
        assert_eq!(store.open_zap(content("c1", None)).await.unwrap().revision, first);
        store.commit_page(page(vec![event("1", vec![target(&second, Fate::Fire)])])).await.unwrap();
        let run = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((run.content.as_str(), run.git.as_deref()), ("c2", Some("abc")));
    });
}

#[test]
fn the_oldest_due_comes_first_and_busy_ones_do_not_come() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        let events = (1..=4).map(|n| event(&n.to_string(), vec![target(&a, Fate::Fire)])).collect();
        store.commit_page(page(events)).await.unwrap();
        let mut later = update(RunId(1), RunState::Pending);
        later.due_at = at(350);
        store.update_run(later).await.unwrap();
        let ids = async |now: i64, limit: usize, busy: &[i64]| -> Vec<i64> {
            let busy = busy.iter().map(|id| RunId(*id)).collect();
            let claimed = store.claim(a.id, at(now), limit, busy).await.unwrap();
            claimed.into_iter().map(|run| run.id.0).collect()
        };
        assert_eq!(ids(299, 9, &[]).await, [0i64; 0]);
        assert_eq!(ids(300, 9, &[]).await, [2, 3, 4]);
        assert_eq!(ids(400, 9, &[]).await, [2, 3, 4, 1]);
        assert_eq!(ids(400, 2, &[2]).await, [3, 4]);
        assert_eq!(ids(400, 0, &[]).await, [0i64; 0]);
        let due = async |busy: &[i64]| {
            store.next_due(vec![a.id], busy.iter().map(|id| RunId(*id)).collect()).await.unwrap()
        };
        assert_eq!(due(&[]).await, Some(at(300)));
        assert_eq!(due(&[2, 3, 4]).await, Some(at(350)));
        assert_eq!(due(&[1, 2, 3, 4]).await, None);
        assert_eq!(store.next_due(Vec::new(), Vec::new()).await.unwrap(), None);
    });
}

#[test]
fn runs_of_one_natural_id_keep_their_order() {
    wait(async {
        let store = store();
        let (a, b) =
            (store.open_zap(identity("a")).await.unwrap(), store.open_zap(identity("b")).await.unwrap());
        store.commit_page(page(vec![event_of("new_lead", "1", vec![target(&a, Fate::Fire)])])).await.unwrap();
        store
            .commit_page(page(vec![event("1", vec![target(&a, Fate::Fire), target(&b, Fate::Fire)])]))
            .await
            .unwrap();
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap();
        assert_eq!(claimed.iter().map(|run| run.id).collect::<Vec<_>>(), [RunId(1)]);
        // Between zaps no order is kept.
        assert_eq!(store.claim(b.id, at(999), 9, Vec::new()).await.unwrap().len(), 1);
        // Being worked on, or waiting for a retry, the earlier one still goes first.
        assert!(store.claim(a.id, at(999), 9, vec![RunId(1)]).await.unwrap().is_empty());
        assert_eq!(store.next_due(vec![a.id], vec![RunId(1)]).await.unwrap(), None);
        let mut retry = update(RunId(1), RunState::Pending);
        retry.due_at = at(5_000);
        store.update_run(retry).await.unwrap();
        assert!(store.claim(a.id, at(999), 9, Vec::new()).await.unwrap().is_empty());
        assert_eq!(store.next_due(vec![a.id], Vec::new()).await.unwrap(), Some(at(5_000)));
        // Dead, it no longer blocks.
        store.update_run(update(RunId(1), RunState::Dead)).await.unwrap();
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap();
        assert_eq!(claimed.iter().map(|run| run.id).collect::<Vec<_>>(), [RunId(2)]);
        // Pending again, it blocks again.
        store.update_run(update(RunId(1), RunState::Pending)).await.unwrap();
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap();
        assert_eq!(claimed.iter().map(|run| run.id).collect::<Vec<_>>(), [RunId(1)]);
    });
}

#[test]
fn a_run_is_claimed_with_all_that_is_known_of_it() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        store.commit_page(page(vec![event("1", vec![target(&a, Fate::Fire)])])).await.unwrap();
        let attempt =
            BegunAttempt { step: "s1".to_owned(), element: Some("k".to_owned()), at: at(310), write: None };
        assert_eq!(store.begin_attempt(RunId(1), attempt.clone()).await, Ok(Begun::Yes));
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap().remove(0);
        assert_eq!(claimed.begun, Some(attempt.clone()));
        assert_eq!((claimed.reason.word.as_str(), claimed.depth), ("queued", 0));
        assert_eq!((claimed.failing, claimed.fresh, claimed.event.context), (None, None, None));
        assert_eq!(&claimed.event.record[..], b"{\"orderId\":\"1\"}");
        let mut progress = update(RunId(1), RunState::Pending);
        progress.steps = vec![step("s1")];
        progress.attempts = 3;
        progress.retrying_since = Some(at(333));
        store.update_run(progress).await.unwrap();
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap().remove(0);
        assert_eq!((claimed.begun, claimed.attempts, claimed.retrying_since), (None, 3, Some(at(333))));
        assert_eq!(claimed.steps, [step("s1")]);
        let mut end = update(RunId(1), RunState::Delivered);
        end.steps = vec![step("s2")];
        store.update_run(end).await.unwrap();
        let detail = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!(detail.steps.iter().map(|s| s.step.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
        assert!(detail.steps.iter().all(|s| s.response.is_none()), "responses go when the run ends");
        assert_eq!(detail.summary.due_at, None);
        let error = store.begin_attempt(RunId(1), attempt).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    });
}

#[test]
fn failed_attempts_are_kept_and_replies_capped() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        store.commit_page(page(vec![event("1", vec![target(&a, Fate::Fire)])])).await.unwrap();
        for number in 1..=3 {
            let mut failed = update(RunId(1), RunState::Pending);
            failed.failed = vec![AttemptRecord {
                step: "s".to_owned(),
                element: None,
                number,
                at: at(400),
                status: Some(503),
                error: "x".repeat(100_000),
                reply: Some(Bytes::from(vec![b'r'; 100_000])),
            }];
            store.update_run(failed).await.unwrap();
        }
        let attempts = store.run(RunId(1)).await.unwrap().unwrap().attempts;
        assert_eq!(attempts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(attempts.iter().all(|a| a.error.len() == 8192 && a.reply.as_ref().unwrap().len() == 8192));
    });
}

#[test]
fn once_is_taken_once() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        let mut primed = target(&a, Fate::Prime);
        primed.once = Some("old".to_owned());
        // A run takes its value when it passes its filter, not when it is made.
        let mut fired = target(&a, Fate::Fire);
        fired.once = Some("new".to_owned());
        let events = vec![event("1", vec![primed]), event("2", vec![fired.clone()]), event("3", vec![fired])];
        store.commit_page(page(events)).await.unwrap();
        let take = async |value: &str, run: i64| store.take_once(a.id, value, RunId(run)).await.unwrap();
        assert_eq!(take("old", 1).await, OnceOutcome::TakenBy(None));
        assert_eq!(take("new", 2).await, OnceOutcome::Taken);
        assert_eq!(take("new", 2).await, OnceOutcome::Taken);
        assert_eq!(take("new", 1).await, OnceOutcome::TakenBy(Some(RunId(2))));
    });
}

#[test]
fn what_makes_no_sense_is_refused_and_harms_no_other() {
    wait(async {
        let store = store();
        let a = store.open_zap(identity("a")).await.unwrap();
        let mut lost = a.clone();
        lost.id = ZapId(99);
        let mut unrevised = a.clone();
        unrevised.revision = zaprun_engine::ports::RevisionId(99);
        // Side by side, so that they meet in one transaction; the second fails after its first row was written.
        let (fine, no_zap, no_revision, no_run) = tokio::join!(
            store.commit_page(page(vec![event("1", vec![target(&a, Fate::Fire)])])),
            store.commit_page(page(vec![event("2", vec![target(&lost, Fate::Fire)])])),
            store.commit_page(page(vec![
                event("3", vec![target(&a, Fate::Fire)]),
                event("4", vec![target(&unrevised, Fate::Fire)]),
            ])),
            store.update_run(update(RunId(99), RunState::Dead)),
        );
        assert_eq!(fine.unwrap().fired, 1);
        assert_eq!(no_zap.unwrap_err().to_string(), "the state knows no zap 99");
        assert!(matches!(no_revision.unwrap_err(), StoreError::Refused { .. }));
        assert_eq!(no_run.unwrap_err().to_string(), "there is no run 99");
        let unknown =
            store.unknown(a.id, "new_sale", ["1", "2", "3", "4"].map(str::to_owned).to_vec()).await.unwrap();
        assert_eq!(unknown, ["2", "3", "4"]);
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
}

#[test]
fn lists_are_filtered_and_newest_first() {
    wait(async {
        let store = store();
        let (a, b) =
            (store.open_zap(identity("a")).await.unwrap(), store.open_zap(identity("b")).await.unwrap());
        for n in 1..=6 {
            let zap = if n % 2 == 0 { &a } else { &b };
            let mut event = event(&n.to_string(), vec![target(zap, Fate::Fire)]);
            event.seen_at = at(1_000 + n);
            store.commit_page(page(vec![event])).await.unwrap();
        }
        store.update_run(update(RunId(2), RunState::Dead)).await.unwrap();
        store.update_run(update(RunId(3), RunState::Held)).await.unwrap();
        store.update_run(update(RunId(4), RunState::Delivered)).await.unwrap();
        let list = async |filter: RunFilter| -> Vec<i64> {
            store.runs(filter).await.unwrap().into_iter().map(|run| run.id.0).collect()
        };
        let all = RunFilter { limit: 99, ..RunFilter::default() };
        assert_eq!(list(all.clone()).await, [6, 5, 4, 3, 2, 1]);
        assert_eq!(list(RunFilter { limit: 2, ..all.clone() }).await, [6, 5]);
        assert_eq!(list(RunFilter { zap: Some("a".to_owned()), ..all.clone() }).await, [6, 4, 2]);
        assert_eq!(list(RunFilter { zap: Some("nobody".to_owned()), ..all.clone() }).await, [0i64; 0]);
        assert_eq!(list(RunFilter { since: Some(at(1_005)), ..all.clone() }).await, [6, 5]);
        let states = vec![RunState::Dead, RunState::Held];
        assert_eq!(list(RunFilter { states: states.clone(), ..all.clone() }).await, [3, 2]);
        assert_eq!(list(RunFilter { states, zap: Some("b".to_owned()), ..all.clone() }).await, [3]);
        let states = vec![RunState::Delivered, RunState::Dead];
        assert_eq!(list(RunFilter { states, ..all }).await, [4, 2]);
        assert!(store.run(RunId(77)).await.unwrap().is_none());
    });
}

#[test]
fn a_closed_store_says_so() {
    wait(async {
        let store = store();
        store.close().await.unwrap();
        let closed = StoreError::Io { reason: "the store is closed".to_owned() };
        assert_eq!(store.counts().await.unwrap_err(), closed);
        assert_eq!(store.open_zap(identity("a")).await.unwrap_err(), closed);
        assert_eq!(store.close().await.unwrap_err(), closed);
    });
}
