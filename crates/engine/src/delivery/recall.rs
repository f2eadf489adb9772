//! Mapping a run with the zap as it was when the run was made.

use super::lane::Lane;
use crate::ports::{ClaimedRun, StoreError};
use std::sync::Arc;
use zaprun_core::zap::Zap;

/// Makes a zap again of what the state keeps of its text.
pub trait Recall: Send + Sync {
    /// The zap of that content.
    ///
    /// # Errors
    /// Why it cannot be had again, in plain words.
    fn zap(&self, content: &str, source: &[u8]) -> Result<Zap, String>;
}

/// Recalls nothing.
#[derive(Debug, Default)]
pub struct Oblivious;

impl Recall for Oblivious {
    fn zap(&self, _: &str, _: &[u8]) -> Result<Zap, String> {
        Err("the mapping that the run was made with cannot be had here".to_owned())
    }
}

impl Lane {
    /// The lane that takes a run on its way, where it is not this one. The inner error says why there is none.
    pub(super) async fn recorded(
        &self,
        run: &ClaimedRun,
    ) -> Result<Result<Option<Arc<Lane>>, String>, StoreError> {
        let Some(content) = run.pinned.as_ref().filter(|content| **content != self.zap.content) else {
            return Ok(Ok(None));
        };
        // Held while the zap is made, so that it is made once.
        let mut recorded = self.recorded.lock().await;
        let shared = &self.shared;
        // This lane may have been made for another set than the present one. It may even stay what it is when the zap
        // as it was uses connections that are others now.
        let links = shared.present.get().unwrap_or_else(|| Arc::clone(&self.links));
        if let Some(lane) = recorded.get(content).filter(|lane| Arc::ptr_eq(&lane.links, &links)) {
            return Ok(Ok(Some(Arc::clone(lane))));
        }
        let Some(source) = shared.insist(|| shared.store.source(run.zap, content)).await? else {
            return Ok(Err("the mapping that the run was made with is not kept".to_owned()));
        };
        Ok(links.recall.zap(content, &source).map(|mut zap| {
            // It may have been called otherwise.
            zap.name.clone_from(&self.zap.name);
            let lane =
                Lane::new(run.zap, Arc::new(zap), Arc::clone(shared), Arc::clone(&links), &self.targets);
            let lane = Arc::new(lane);
            recorded.insert(content.clone(), Arc::clone(&lane));
            Some(lane)
        }))
    }
}
