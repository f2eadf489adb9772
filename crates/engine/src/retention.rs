//! Throwing away runs whose time is over, beside everything else.

use crate::delivery::{Shared, after};
use crate::ports::StoreError;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::sync::watch;

/// How often is looked whether runs are over.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// So many go in one transaction, which so delays nobody.
const PORTION: usize = 200;

/// Between two portions, others have their turn.
const PAUSE: Duration = Duration::from_millis(20);

/// The most portions of an engine that runs once.
const ONCE: usize = 100;

/// Keeps throwing away what is over as long as it is polled, and at once when what is kept changes. Ready only when the
/// state is lost for good.
pub(crate) async fn keep_pruning(
    shared: &Shared,
    mut history: watch::Receiver<Option<Duration>>,
) -> StoreError {
    loop {
        let now = *history.borrow_and_update();
        // A portion that is cut off is thrown away as a whole, or not at all.
        tokio::select! {
            result = prune(shared, now, usize::MAX) => if let Err(error) = result {
                return error;
            },
            Ok(()) = history.changed() => continue,
        }
        tokio::select! {
            () = shared.clock.sleep_until(after(shared.clock.now(), EVERY)) => {}
            Ok(()) = history.changed() => {}
        }
    }
}

/// Throws away what is over now, as far as one run of the engine may take.
///
/// # Errors
/// When the state is lost for good.
pub(crate) async fn prune_once(shared: &Shared, history: Option<Duration>) -> Result<(), StoreError> {
    prune(shared, history, ONCE).await
}

async fn prune(shared: &Shared, history: Option<Duration>, most: usize) -> Result<(), StoreError> {
    let Some(history) = history.filter(|_| !shared.dry_run) else { return Ok(()) };
    // One that is longer than time itself throws nothing away.
    let history = SignedDuration::try_from(history).unwrap_or(SignedDuration::MAX);
    for _ in 0..most {
        let before = shared.clock.now().checked_sub(history).unwrap_or(Timestamp::MIN);
        let pruned = shared.insist(|| shared.store.prune(before, PORTION)).await?;
        if pruned < PORTION as u64 {
            return Ok(());
        }
        shared.clock.sleep_until(after(shared.clock.now(), PAUSE)).await;
    }
    Ok(())
}
