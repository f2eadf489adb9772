//! All that an engine does side by side, in one future: work is added while the rest goes on.

use crate::ports::StoreError;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

/// Something that ends by itself, or with the state lost for good.
pub(super) type Work = BoxFuture<'static, Result<(), StoreError>>;

/// Where work is given in.
#[derive(Clone)]
pub(super) struct Entrance(mpsc::UnboundedSender<Work>);

/// Does what is given in.
pub(super) struct Nursery {
    work: mpsc::UnboundedReceiver<Work>,
}

impl Entrance {
    /// Gives work in.
    pub(super) fn add(&self, work: Work) {
        // Where nobody works any more, the engine has ended.
        let _ = self.0.send(work);
    }
}

impl Nursery {
    pub(super) fn new() -> (Entrance, Nursery) {
        let (sender, work) = mpsc::unbounded_channel();
        (Entrance(sender), Nursery { work })
    }

    /// Works until all is done and nothing more can be given in.
    ///
    /// # Errors
    /// What the first that fails says; the rest is dropped.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let mut under_way = FuturesUnordered::new();
        let mut open = true;
        while open || !under_way.is_empty() {
            tokio::select! {
                work = self.work.recv(), if open => match work {
                    Some(work) => under_way.push(work),
                    None => open = false,
                },
                Some(result) = under_way.next(), if !under_way.is_empty() => result?,
            }
        }
        Ok(())
    }
}
