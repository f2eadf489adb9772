//! Reading what nobody waits for.

use crate::ports::{Crm, Page, PageRequest, ReadError};
use async_trait::async_trait;

/// A connection whose reads take a small share of its rate, so that they delay nothing else.
pub(super) struct AtLeisure<'a>(pub(super) &'a dyn Crm);

#[async_trait]
impl Crm for AtLeisure<'_> {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.0.page_at_leisure(request).await
    }
}
