//! The CRM's ports, with the connection's rest kept.

use super::{Login, Rest};
use crate::ports::{Crm, CrmWriter, Page, PageRequest, ReadError, Sight, Turn, WriteOutcome, ZapId};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use zaprun_core::request::{CrmRequest, FindRequest};

/// A port whose calls do not reach the CRM while the connection rests.
struct Kept<T: ?Sized> {
    port: Arc<T>,
    rest: Arc<Rest>,
}

/// Reads as `crm` does, with the rest kept.
pub(crate) fn reader(crm: &Arc<dyn Crm>, rest: &Arc<Rest>) -> Arc<dyn Crm> {
    Arc::new(Kept { port: Arc::clone(crm), rest: Arc::clone(rest) })
}

/// Writes as `writer` does, with the rest kept.
pub(crate) fn writer(writer: &Arc<dyn CrmWriter>, rest: &Arc<Rest>) -> Arc<dyn CrmWriter> {
    Arc::new(Kept { port: Arc::clone(writer), rest: Arc::clone(rest) })
}

#[async_trait]
impl Crm for Kept<dyn Crm> {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        let knock = self.rest.knock()?;
        let page = self.port.page(request).await;
        knock.learn(Login::of(page.as_ref().err()));
        page
    }

    async fn page_at_leisure(&self, request: &PageRequest) -> Result<Page, ReadError> {
        let knock = self.rest.knock()?;
        let page = self.port.page_at_leisure(request).await;
        knock.learn(Login::of(page.as_ref().err()));
        page
    }
}

#[async_trait]
impl CrmWriter for Kept<dyn CrmWriter> {
    async fn turn(&self) -> Turn {
        self.port.turn().await
    }

    async fn turn_for(&self, zap: ZapId) -> Turn {
        self.port.turn_for(zap).await
    }

    async fn write_in_turn(&self, request: &CrmRequest, turn: Turn) -> WriteOutcome {
        let knock = match self.rest.knock() {
            Ok(knock) => knock,
            Err(error) => return WriteOutcome::Stopped(error),
        };
        let outcome = self.port.write_in_turn(request, turn).await;
        knock.learn(match &outcome {
            WriteOutcome::Done(_) | WriteOutcome::Refused { .. } => Login::Good,
            WriteOutcome::Stopped(error) => Login::of(Some(error)),
            WriteOutcome::NotSent { retry_after: None, .. }
            | WriteOutcome::Unknown { retry_after: None, .. } => Login::Fault,
            WriteOutcome::NotSent { .. } | WriteOutcome::Unknown { .. } => Login::Unknown,
        });
        outcome
    }

    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Result<Sight, ReadError> {
        let knock = self.rest.knock()?;
        let sight = self.port.look(request, before).await;
        knock.learn(Login::of(sight.as_ref().err()));
        sight
    }

    async fn look_for(
        &self,
        zap: ZapId,
        request: &CrmRequest,
        before: Option<&str>,
    ) -> Result<Sight, ReadError> {
        let knock = self.rest.knock()?;
        let sight = self.port.look_for(zap, request, before).await;
        knock.learn(Login::of(sight.as_ref().err()));
        sight
    }

    async fn find(&self, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        let knock = self.rest.knock()?;
        let rows = self.port.find(request).await;
        knock.learn(Login::of(rows.as_ref().err()));
        rows
    }

    async fn find_for(&self, zap: ZapId, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        let knock = self.rest.knock()?;
        let rows = self.port.find_for(zap, request).await;
        knock.learn(Login::of(rows.as_ref().err()));
        rows
    }
}
