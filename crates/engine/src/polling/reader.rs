//! Reading one page, patiently.

use super::backoff::{full_jitter, seed};
use crate::ports::{Clock, Crm, Page, PageRequest, ReadError};
use jiff::Timestamp;
use std::time::Duration;

/// Rows on a page (contract §1.5).
pub(super) const PAGE_ROWS: u32 = 200;

/// Tries of one read within a walk; then the walk has failed.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A server that asks for a longer rest gets it between two polls, not in mid-walk.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Reads through the CRM's port and tries again where that may help.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) crm: &'a dyn Crm,
    pub(super) clock: &'a dyn Clock,
    pub(super) seed: u64,
}

/// A page and when its last try was sent.
pub(super) struct Timed {
    pub(super) page: Page,
    pub(super) sent: Timestamp,
    pub(super) received: Timestamp,
}

impl Reader<'_> {
    /// Reads a page; a transport fault or an unknown error is tried again a few times.
    pub(super) async fn read(&self, request: &PageRequest) -> Result<Timed, ReadError> {
        let mut tries = 1;
        loop {
            let error = match self.once(request).await {
                Ok(timed) => return Ok(timed),
                Err(error) => error,
            };
            let Some(wait) = self.wait(&error, tries, request).filter(|_| tries < TRIES) else {
                return Err(error);
            };
            self.clock.sleep_until(later(self.clock.now(), wait)).await;
            tries += 1;
        }
    }

    /// Reads a page that may lie beyond the end, where an error of the vendor is an answer, not worth another try.
    pub(super) async fn beyond(&self, request: &PageRequest) -> Result<Timed, ReadError> {
        match self.once(request).await {
            Err(ReadError::Transport { .. }) => self.read(request).await,
            answer => answer,
        }
    }

    /// Reads a page with one try.
    pub(super) async fn once(&self, request: &PageRequest) -> Result<Timed, ReadError> {
        let sent = self.clock.now();
        let page = self.crm.page(request).await?;
        Ok(Timed { page, sent, received: self.clock.now() })
    }

    /// How long to wait before another try; `None` where none helps.
    fn wait(&self, error: &ReadError, tries: u32, request: &PageRequest) -> Option<Duration> {
        let asked = match error {
            ReadError::Credentials { .. }
            | ReadError::Whitelist { .. }
            | ReadError::Permission { .. }
            | ReadError::TooMany { .. } => return None,
            ReadError::Transport { retry_after, .. } => retry_after.unwrap_or_default(),
            ReadError::Vendor { .. } => Duration::ZERO,
        };
        let count = u64::from(request.page) << 8 | u64::from(tries);
        let own =
            full_jitter(FIRST_WAIT, LONGEST_WAIT, tries - 1, seed(self.seed, &request.query.name(), count));
        (asked <= LONGEST_REST).then(|| own.max(asked))
    }
}

/// `wait` after `now`; a wait beyond all time ends with it.
pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// How long the server asked to wait.
pub(super) fn asked_rest(error: &ReadError) -> Option<Duration> {
    match error {
        ReadError::Transport { retry_after, .. } => *retry_after,
        _ => None,
    }
}
