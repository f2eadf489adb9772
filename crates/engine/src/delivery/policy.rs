//! What an attempt's outcome means, and when to try again. Pure.

use crate::ports::{Reply, SendOutcome};
use std::time::Duration;
use zaprun_core::zap::Retry;

/// What is known of an action when its attempt is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// A repeat after an unknown outcome is allowed, by the method's meaning or by the author's word.
    pub(crate) repeats_safely: bool,
    /// The author wrote a `success:`.
    pub(crate) has_success: bool,
    /// `success:` or a later step reads the body of the answer.
    pub(crate) reads_body: bool,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Sent and accepted.
    Done,
    /// It failed for now.
    Retry {
        /// Plain words.
        reason: String,
        /// The least wait the target asked for.
        retry_after: Option<Duration>,
        /// Whether the target looks ill (no connection, no answer, 5xx), as opposed to busy.
        ill: bool,
    },
    /// Permanent: another try gives the same.
    Refused {
        /// Plain words.
        reason: String,
    },
    /// 403: permanent for this run, unless it happens to one run after another.
    Forbidden {
        /// Plain words.
        reason: String,
    },
    /// The connection's credentials are at fault, not the run.
    ConnectionFault {
        /// Plain words.
        reason: String,
    },
    /// Whether it happened is unknown, and it may not be repeated.
    Uncertain {
        /// Plain words.
        reason: String,
    },
}

/// What a status alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatusClass {
    Success,
    /// Not done, and a later try may be: 408, 425, 429.
    Busy,
    /// 5xx: a write may have happened.
    ServerError,
    /// 401
    Unauthorised,
    /// 403
    Forbidden,
    Other,
}

fn class_of(status: u16) -> StatusClass {
    match status {
        200..=299 => StatusClass::Success,
        // 408 says that the request was never completely received, so that nothing can have happened.
        408 | 425 | 429 => StatusClass::Busy,
        500..=599 => StatusClass::ServerError,
        401 => StatusClass::Unauthorised,
        403 => StatusClass::Forbidden,
        _ => StatusClass::Other,
    }
}

/// Judges an attempt. `accepts` evaluates a written `success:` and is asked only where that decides.
///
/// # Errors
/// What `accepts` fails with.
pub(crate) fn classify<E>(
    outcome: &SendOutcome,
    facts: Facts,
    accepts: impl FnOnce(&Reply) -> Result<bool, E>,
) -> Result<Verdict, E> {
    match outcome {
        SendOutcome::NotSent { reason, retryable: true } => {
            Ok(Verdict::Retry { reason: reason.clone(), retry_after: None, ill: true })
        }
        SendOutcome::NotSent { reason, retryable: false } => Ok(Verdict::Refused { reason: reason.clone() }),
        SendOutcome::Unauthorised { reason } => Ok(Verdict::ConnectionFault { reason: reason.clone() }),
        SendOutcome::Unknown { reason } => Ok(unknown(facts, reason, None)),
        SendOutcome::Reply(reply) => classify_reply(reply, facts, accepts),
    }
}

fn classify_reply<E>(
    reply: &Reply,
    facts: Facts,
    accepts: impl FnOnce(&Reply) -> Result<bool, E>,
) -> Result<Verdict, E> {
    let reason = format!("the target answered {}", reply.status);
    let class = class_of(reply.status);
    match class {
        StatusClass::Busy => {
            return Ok(Verdict::Retry { reason, retry_after: reply.retry_after, ill: false });
        }
        StatusClass::ServerError => return Ok(unknown(facts, &reason, reply.retry_after)),
        StatusClass::Unauthorised => return Ok(Verdict::ConnectionFault { reason }),
        StatusClass::Forbidden => return Ok(Verdict::Forbidden { reason }),
        StatusClass::Success | StatusClass::Other => {}
    }
    let body_decides = facts.reads_body && (facts.has_success || class == StatusClass::Success);
    if reply.cut && body_decides {
        let reason =
            format!("the target answered {}, and the line was cut before the end of the body", reply.status);
        return Ok(unknown(facts, &reason, None));
    }
    if facts.has_success {
        return Ok(match accepts(reply)? {
            true => Verdict::Done,
            false => {
                Verdict::Refused { reason: format!("`success` is false for an answer of {}", reply.status) }
            }
        });
    }
    Ok(match class {
        StatusClass::Success => Verdict::Done,
        _ => Verdict::Refused { reason },
    })
}

/// The request may have had its effect.
fn unknown(facts: Facts, reason: &str, retry_after: Option<Duration>) -> Verdict {
    if facts.repeats_safely {
        Verdict::Retry {
            reason: format!("{reason}; whether it took effect is unknown"),
            retry_after,
            ill: true,
        }
    } else {
        Verdict::Uncertain { reason: reason.to_owned() }
    }
}

/// The least wait between two attempts: with a jitter of zero a run would be due again at the same instant.
const LEAST_DELAY: Duration = Duration::from_millis(1);

/// How long to wait before the next attempt; `None` when `retry.for` is over.
///
/// `failed` counts the attempts that failed so far, from 1; `elapsed` is the time since the first of them. The wait
/// is drawn evenly from zero to a bound that starts at `retry.first`, doubles with each failure and stops at
/// `retry.max_delay`. Where the target asked to wait, that is waited first; a wait beyond the end of `retry.for` is
/// the end, since to come sooner than asked helps nobody.
/// The same `seed` draws the same wait.
pub(crate) fn next_attempt(
    retry: &Retry,
    failed: u32,
    elapsed: Duration,
    retry_after: Option<Duration>,
    seed: u64,
) -> Option<Duration> {
    let asked = retry_after.unwrap_or_default();
    if elapsed >= retry.for_ || asked > retry.for_.saturating_sub(elapsed) {
        return None;
    }
    let jitter = fraction(bound(retry, failed), seed);
    Some(asked.saturating_add(jitter).max(LEAST_DELAY))
}

/// The longest wait after so many failures, what the target asks for aside.
pub(crate) fn bound(retry: &Retry, failed: u32) -> Duration {
    let doublings = failed.saturating_sub(1).min(31);
    retry.first.saturating_mul(1_u32 << doublings).min(retry.max_delay)
}

/// A share of `whole` between nothing and all of it, drawn by `seed`.
fn fraction(whole: Duration, seed: u64) -> Duration {
    // 2^-32 steps: whole milliseconds would do, and integers keep it exact.
    let share = u128::from(scramble(seed) >> 32);
    let nanos = whole.as_nanos().saturating_mul(share) >> 32;
    u64::try_from(nanos).map_or(whole, Duration::from_nanos)
}

/// Spreads neighbouring seeds over the whole range (the finaliser of the SplitMix64 generator).
fn scramble(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
