//! Asking for one page, patiently.

use super::Ports;
use crate::polling::backoff::{full_jitter, seed};
use crate::polling::later;
use crate::ports::{Reply, SendOutcome};
use crate::report::FeedFailure;
use jiff::Timestamp;
use std::time::Duration;
use zaprun_core::request::HttpRequest;

/// Tries of one page within a walk; then the walk has failed.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// An API that asks for a longer rest gets it between two polls, not in mid-walk.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// An answer with a status of 2xx, whole, and when its last try was sent and it had arrived.
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) sent: Timestamp,
    pub(super) received: Timestamp,
}

/// Asks for a page; what another try may mend is tried again a few times.
pub(super) async fn ask(
    ports: &Ports,
    request: &HttpRequest,
    name: &str,
    base: u64,
) -> Result<Answer, FeedFailure> {
    let clock = ports.polling.clock.as_ref();
    let mut tries = 1;
    loop {
        let sent = clock.now();
        let failure = match judge(ports.sender.send(request).await) {
            Ok(reply) => return Ok(Answer { reply, sent, received: clock.now() }),
            Err(failure) => failure,
        };
        let Some(wait) = wait(&failure, tries, seed(base, name, tries.into())) else { return Err(failure) };
        clock.sleep_until(later(clock.now(), wait)).await;
        tries += 1;
    }
}

fn judge(outcome: SendOutcome) -> Result<Reply, FeedFailure> {
    match outcome {
        SendOutcome::NotSent { reason, retryable } => Err(FeedFailure::NoAnswer { reason, retryable }),
        SendOutcome::Unauthorised { reason } => Err(FeedFailure::Unauthorised { reason }),
        SendOutcome::Unknown { reason } => Err(FeedFailure::NoAnswer { reason, retryable: true }),
        SendOutcome::Reply(reply) if !(200..300).contains(&reply.status) => {
            Err(FeedFailure::Status { status: reply.status, retry_after: reply.retry_after })
        }
        SendOutcome::Reply(reply) if reply.truncated => Err(FeedFailure::TooLong),
        SendOutcome::Reply(reply) if reply.cut => Err(FeedFailure::Cut),
        SendOutcome::Reply(reply) => Ok(reply),
    }
}

/// How long to wait before another try; `None` where none helps.
fn wait(failure: &FeedFailure, tries: u32, seed: u64) -> Option<Duration> {
    let asked = match failure {
        FeedFailure::NoAnswer { retryable: true, .. } | FeedFailure::Cut => Duration::ZERO,
        FeedFailure::Status { status: 408 | 425 | 429 | 500.., retry_after } => {
            retry_after.unwrap_or_default()
        }
        _ => return None,
    };
    let own = full_jitter(FIRST_WAIT, LONGEST_WAIT, tries - 1, seed);
    (tries < TRIES && asked <= LONGEST_REST).then(|| own.max(asked))
}
