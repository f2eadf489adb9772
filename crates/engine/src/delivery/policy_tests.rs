#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Facts, Verdict, bound, classify, next_attempt};
use crate::ports::{Reply, SendOutcome};
use bytes::Bytes;
use proptest::prelude::*;
use std::convert::Infallible;
use std::time::Duration;
use zaprun_core::zap::Retry;

const PLAIN: Facts = Facts { repeats_safely: true, has_success: false, reads_body: false };
const HOLD: Facts = Facts { repeats_safely: false, ..PLAIN };

fn reply(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: Bytes::new(), truncated: false, cut: false, retry_after: None }
}

fn cut(status: u16) -> Reply {
    Reply { cut: true, ..reply(status) }
}

/// Judges without a written `success:`; asking for one fails the test.
fn judge(reply: Reply, facts: Facts) -> Verdict {
    let asked = |_: &Reply| -> Result<bool, Infallible> { panic!("`success` was evaluated") };
    classify(&SendOutcome::Reply(reply), facts, asked).unwrap()
}

fn judge_with(reply: Reply, facts: Facts, success: bool) -> Verdict {
    let facts = Facts { has_success: true, ..facts };
    classify(&SendOutcome::Reply(reply), facts, |_| Ok::<_, Infallible>(success)).unwrap()
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::Retry { ill: true, .. } => "retry, ill",
        Verdict::Retry { ill: false, .. } => "retry, busy",
        Verdict::Refused { .. } => "refused",
        Verdict::Forbidden { .. } => "forbidden",
        Verdict::ConnectionFault { .. } => "connection",
        Verdict::Uncertain { .. } => "uncertain",
    }
}

#[test]
fn a_status_decides_as_the_table_says() {
    for (status, repeatable, held) in [
        (200, "done", "done"),
        (201, "done", "done"),
        (204, "done", "done"),
        (299, "done", "done"),
        (100, "refused", "refused"),
        (301, "refused", "refused"),
        (304, "refused", "refused"),
        (400, "refused", "refused"),
        (401, "connection", "connection"),
        (403, "forbidden", "forbidden"),
        (404, "refused", "refused"),
        (408, "retry, busy", "retry, busy"),
        (409, "refused", "refused"),
        (410, "refused", "refused"),
        (422, "refused", "refused"),
        (425, "retry, busy", "retry, busy"),
        (429, "retry, busy", "retry, busy"),
        (500, "retry, ill", "uncertain"),
        (502, "retry, ill", "uncertain"),
        (503, "retry, ill", "uncertain"),
        (504, "retry, ill", "uncertain"),
        (599, "retry, ill", "uncertain"),
        (600, "refused", "refused"),
    ] {
        assert_eq!(word(&judge(reply(status), PLAIN)), repeatable, "{status}");
        assert_eq!(word(&judge(reply(status), HOLD)), held, "{status} with hold");
    }
}

#[test]
fn what_was_never_sent_may_be_sent_again_even_with_hold() {
    for facts in [PLAIN, HOLD] {
        let refused = SendOutcome::NotSent { reason: "connection refused".into(), retryable: true };
        let verdict = classify(&refused, facts, |_| Ok::<_, Infallible>(true)).unwrap();
        assert_eq!(word(&verdict), "retry, ill");
        let denied = SendOutcome::Unauthorised { reason: "invalid_client".into() };
        let fault = Verdict::ConnectionFault { reason: "invalid_client".into() };
        assert_eq!(classify(&denied, facts, |_| Ok::<_, Infallible>(true)), Ok(fault));
        let broken = SendOutcome::NotSent { reason: "not a URL".into(), retryable: false };
        let verdict = classify(&broken, facts, |_| Ok::<_, Infallible>(true)).unwrap();
        assert_eq!(verdict, Verdict::Refused { reason: "not a URL".into() });
    }
}

#[test]
fn an_unknown_outcome_is_repeated_only_where_that_is_safe() {
    let lost = SendOutcome::Unknown { reason: "timed out after 30s".into() };
    let verdict = classify(&lost, PLAIN, |_| Ok::<_, Infallible>(true)).unwrap();
    let Verdict::Retry { reason, .. } = verdict else { panic!("{verdict:?}") };
    assert!(reason.contains("unknown"), "{reason}");
    let verdict = classify(&lost, HOLD, |_| Ok::<_, Infallible>(true)).unwrap();
    assert_eq!(verdict, Verdict::Uncertain { reason: "timed out after 30s".into() });
}

#[test]
fn first_and_third_row_come_before_success() {
    for status in [401, 403, 408, 425, 429, 500, 503] {
        assert_eq!(judge_with(reply(status), PLAIN, true), judge(reply(status), PLAIN), "{status}");
        assert_eq!(judge_with(reply(status), PLAIN, false), judge(reply(status), PLAIN), "{status}");
    }
}

#[test]
fn a_written_success_decides_whatever_the_status() {
    for status in [200, 302, 404, 409] {
        assert_eq!(judge_with(reply(status), PLAIN, true), Verdict::Done, "{status}");
        assert_eq!(word(&judge_with(reply(status), PLAIN, false)), "refused", "{status}");
    }
}

#[test]
fn a_failing_success_is_passed_on() {
    let facts = Facts { has_success: true, ..PLAIN };
    let outcome = SendOutcome::Reply(reply(200));
    assert_eq!(classify(&outcome, facts, |_| Err("no such member")), Err("no such member"));
}

#[test]
fn a_cut_body_matters_only_where_it_is_read() {
    let reads = Facts { reads_body: true, ..PLAIN };
    assert_eq!(judge(cut(200), PLAIN), Verdict::Done);
    assert_eq!(word(&judge(cut(200), reads)), "retry, ill");
    assert_eq!(word(&judge(cut(200), Facts { reads_body: true, ..HOLD })), "uncertain");
    // A status that refuses refuses with half a body as well.
    assert_eq!(word(&judge(cut(404), reads)), "refused");
    // `success:` that reads only the status needs no body.
    assert_eq!(judge_with(cut(404), PLAIN, true), Verdict::Done);
    assert_eq!(word(&judge_with(cut(404), reads, true)), "retry, ill");
}

#[test]
fn the_wait_asked_for_is_passed_on() {
    let asked = Some(Duration::from_secs(7));
    for status in [429, 503] {
        let verdict = judge(Reply { retry_after: asked, ..reply(status) }, PLAIN);
        let Verdict::Retry { retry_after, .. } = verdict else { panic!("{verdict:?}") };
        assert_eq!(retry_after, asked, "{status}");
    }
}

#[test]
fn bounds_double_up_to_the_cap() {
    let retry = Retry {
        for_: Duration::from_secs(86_400),
        first: Duration::from_secs(1),
        max_delay: Duration::from_secs(10),
    };
    let bounds: Vec<u64> = (1..=6).map(|failed| bound(&retry, failed).as_secs()).collect();
    assert_eq!(bounds, [1, 2, 4, 8, 10, 10]);
}

#[test]
fn waits_are_spread() {
    let retry = Retry {
        for_: Duration::from_secs(86_400),
        first: Duration::from_secs(60),
        max_delay: Duration::from_secs(60),
    };
    let waits = (0..1000).map(|seed| next_attempt(&retry, 1, Duration::ZERO, None, seed).unwrap());
    let early = waits.filter(|wait| *wait < Duration::from_secs(30)).count();
    assert!((400..600).contains(&early), "{early} of 1000 in the first half");
}

fn retries() -> impl Strategy<Value = Retry> {
    (1_u64..200_000_000, 1_u64..20_000_000, 1_u64..20_000_000).prop_map(|(whole, first, longest)| Retry {
        for_: Duration::from_millis(whole),
        first: Duration::from_millis(first),
        max_delay: Duration::from_millis(longest),
    })
}

proptest! {
    #[test]
    fn a_wait_stays_in_its_bounds(
        retry in retries(),
        failed in 0_u32..u32::MAX,
        elapsed in 0_u64..400_000_000,
        asked in proptest::option::of(0_u64..u64::MAX / 2),
        seed: u64,
    ) {
        let elapsed = Duration::from_millis(elapsed);
        let asked = asked.map(Duration::from_secs);
        let wait = next_attempt(&retry, failed, elapsed, asked, seed);
        let asked_too_much = asked.unwrap_or_default() > retry.for_.saturating_sub(elapsed);
        prop_assert_eq!(wait.is_none(), elapsed >= retry.for_ || asked_too_much);
        prop_assert_eq!(wait, next_attempt(&retry, failed, elapsed, asked, seed));
        if let Some(wait) = wait {
            let least = asked.unwrap_or_default();
            prop_assert!(wait >= least && !wait.is_zero());
            prop_assert!(wait <= (least + bound(&retry, failed)).max(Duration::from_millis(1)));
        }
    }

    #[test]
    fn bounds_never_fall_and_never_pass_the_cap(retry in retries(), failed in 1_u32..200) {
        prop_assert!(bound(&retry, failed) <= bound(&retry, failed + 1));
        prop_assert!(bound(&retry, failed) <= retry.max_delay);
    }

    #[test]
    fn all_attempts_fall_within_for_and_one_wait(retry in retries(), seed: u64) {
        let mut elapsed = Duration::ZERO;
        // Full jitter may draw many short waits; the bound keeps a hostile policy from running for ever here.
        for failed in 1..5_000_u32 {
            match next_attempt(&retry, failed, elapsed, None, seed.wrapping_add(u64::from(failed))) {
                Some(wait) => elapsed += wait,
                None => break,
            }
        }
        prop_assert!(elapsed <= retry.for_ + retry.max_delay.max(Duration::from_millis(1)));
    }
}
