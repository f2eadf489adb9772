//! What other programs ask of a running engine: `zaprun runs resolve` and the like leave it in the state.

use crate::delivery::{Shared, after};
use crate::ports::{Obeyed, StoreError};
use std::time::Duration;

/// How often the engine looks whether something is asked. Somebody waits for the answer.
const EVERY: Duration = Duration::from_secs(1);

/// Does what is asked as long as it is polled, also while the engine comes to its end. Ready only when the state is lost
/// for good.
pub(crate) async fn keep_obeying(shared: &Shared) -> StoreError {
    loop {
        if let Err(error) = obey(shared).await {
            return error;
        }
        shared.clock.sleep_until(after(shared.clock.now(), EVERY)).await;
    }
}

/// Does what was asked so far, and wakes the zaps whose runs go on.
///
/// # Errors
/// When the state is lost for good.
pub(crate) async fn obey(shared: &Shared) -> Result<(), StoreError> {
    loop {
        // Nobody claims a run while the store looks which it may touch.
        let closed = shared.flights.closed().await;
        let busy = shared.flights.busy();
        let Obeyed { zaps, more } =
            shared.insist(|| shared.store.obey(shared.clock.now(), busy.clone())).await?;
        drop(closed);
        zaps.into_iter().for_each(|zap| shared.wakers.ring(zap));
        if !more {
            return Ok(());
        }
    }
}
