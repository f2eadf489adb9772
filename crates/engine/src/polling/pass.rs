//! One pass over the pages of a slice.

use super::count::{Count, Progress};
use super::digest::{Digest, Lens, News};
use super::reader::Reader;
use super::rider::Rider;
use super::skew::skew;
use super::{Place, Ports};
use crate::ports::{
    BackfillId, BackfillStep, CursorMove, Page, PageCommit, PageCommitted, PageRequest, Part, ReadError,
    StoreError, ZapId,
};
use crate::report::{Event, Tally, WalkFailure};
use bytes::Bytes;
use futures::future::try_join;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// So many pages in a row that hold nothing but the page before: the CRM does not turn pages.
const REPEATS: u32 = 3;
/// A slice has no more pages than this; a CRM that sends more does not end.
const MOST_PAGES: u32 = 50_000;

/// Where the cursors stand once the pass is whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// They stay.
    Stay,
    /// At the end of an older slice.
    SliceEnd(Timestamp),
    /// At the instant the pass began.
    Began,
    /// They stay; a backfill's own place moves.
    Place {
        /// Which one.
        id: BackfillId,
        /// The day after the slice.
        next: Date,
    },
}

/// What a pass is to do about rows that leave while it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Losses {
    /// End: there is another try.
    End,
    /// Read on to find what there is, and leave the cursors.
    ReadOn,
    /// Read on and move the cursors nevertheless.
    Accept,
}

/// A pass under way.
pub(super) struct Pass<'a> {
    pub(super) ports: &'a Ports,
    pub(super) place: Place<'a>,
    pub(super) reader: Reader<'a>,
    pub(super) request: PageRequest,
    pub(super) digest: Digest<'a>,
    /// Whose cursors move, and of which query.
    pub(super) cursors: &'a [(ZapId, &'a str)],
    pub(super) goal: Goal,
    pub(super) losses: Losses,
    pub(super) began: Timestamp,
    pub(super) count: Count,
    /// The rows of the page before.
    pub(super) before: Vec<Bytes>,
    pub(super) passed: Passed,
}

/// What a pass came to.
#[derive(Debug)]
pub(super) struct Passed {
    /// By rider; `rows` are those the rider wants.
    pub(super) tallies: Vec<Tally>,
    /// Rows read.
    pub(super) rows: u64,
    /// Of those, how many were of no use.
    pub(super) passed_over: u64,
    /// The CRM's clock less ours.
    pub(super) skew: SignedDuration,
    /// Runs made.
    pub(super) made: u64,
    /// Of those, the ones that an earlier walk should have made.
    pub(super) late: u64,
    /// Ids that a ledger does not know after it; counted by a sweep.
    pub(super) unknown: u64,
    /// Rows left while it read.
    pub(super) shrunk: bool,
    /// Where the cursors were moved to.
    pub(super) moved_to: Option<Timestamp>,
    /// Whether it got to its end.
    pub(super) end: Result<(), WalkFailure>,
}

impl Passed {
    pub(super) fn nothing(riders: usize) -> Self {
        Passed {
            tallies: vec![Tally::default(); riders],
            rows: 0,
            passed_over: 0,
            skew: SignedDuration::ZERO,
            made: 0,
            late: 0,
            unknown: 0,
            shrunk: false,
            moved_to: None,
            end: Ok(()),
        }
    }
}

impl Pass<'_> {
    /// Reads and commits page by page.
    pub(super) async fn run(mut self) -> Passed {
        let end = self.pages().await;
        self.passed.end = end.and_then(|()| self.look_ups());
        self.passed
    }

    async fn pages(&mut self) -> Result<(), WalkFailure> {
        let mut page = self.first_page().await?;
        loop {
            let repeated = !page.rows.is_empty() && page.rows == self.before;
            let progress = self.count.page(page.rows.len(), page.total, repeated);
            self.before.clone_from(&page.rows);
            self.passed.rows = self.count.read();
            self.passed.shrunk |= progress.shrunk;
            if progress.last || (self.passed.shrunk && self.losses == Losses::End) {
                return self.settle(page, progress).await.map_err(WalkFailure::Store);
            }
            // The next page is on its way while this one is committed.
            let mut request = self.request.clone();
            request.page += 1;
            let (reader, beyond) = (self.reader, !repeated && self.count.is_whole());
            let read = async {
                Ok(if beyond { reader.beyond(&request).await } else { reader.read(&request).await })
            };
            let ((), read) = try_join(self.settle(page, progress), read).await.map_err(WalkFailure::Store)?;
            page = match read {
                Ok(read) if beyond && read.page.rows == self.before => self.no_more(),
                Err(ReadError::Vendor { .. }) if beyond => self.no_more(),
                read => read.map_err(WalkFailure::Read)?.page,
            };
            self.may_go_on(request.page)?;
            self.request = request;
        }
    }

    /// What a page beyond the end comes to, whatever the CRM makes of it.
    fn no_more(&self) -> Page {
        Page { total: self.count.read(), rows: Vec::new(), server_time: None }
    }

    async fn first_page(&mut self) -> Result<Page, WalkFailure> {
        let first = self.reader.read(&self.request).await.map_err(WalkFailure::Read)?;
        let skew = skew(first.sent, first.received, first.page.server_time);
        self.passed.skew = skew;
        self.digest.skew = skew;
        self.digest.skews = Vec::with_capacity(self.digest.riders.len());
        for rider in self.digest.riders {
            let kept = match (rider.skew, first.page.server_time) {
                _ if rider.zap.starts_as_written() => SignedDuration::ZERO,
                (Some(kept), _) => kept,
                // Nothing is learnt of the CRM's clock: the next walk may.
                (None, None) => skew,
                (None, Some(_)) => self.keep(rider, skew).await?,
            };
            self.digest.skews.push(kept);
        }
        Ok(first.page)
    }

    /// A zap's boundary was set by our clock as it is at its first walk; what the clock does later is another matter.
    async fn keep(&self, rider: &Rider, skew: SignedDuration) -> Result<SignedDuration, WalkFailure> {
        self.ports.store.keep_skew(rider.zap.state.id, skew).await.map_err(WalkFailure::Store)
    }

    /// Commits what a page holds that is new, and the cursors with the last one.
    async fn settle(&mut self, page: Page, progress: Progress) -> Result<(), StoreError> {
        let total = page.total;
        let news = self.digest.page(page.rows).await?;
        self.passed.passed_over = self.digest.passed_over();
        let moves_to = self.moves_to(progress);
        let moved =
            |at| move |(zap, query): &(ZapId, &str)| CursorMove { zap: *zap, query: (*query).to_owned(), at };
        let cursors: Vec<CursorMove> =
            moves_to.iter().flat_map(|at| self.cursors.iter().map(moved(*at))).collect();
        let fired = news.tallies.iter().map(|tally| tally.fired).sum();
        let (tallies, wanted) = (news.tallies.clone(), news.wanted.clone());
        let committed = self.commit(news, cursors, progress).await?;
        self.passed.made += committed.fired;
        self.passed.late += committed.late;
        self.recount(wanted).await?;
        self.passed.moved_to = moves_to;
        for (sum, tally) in self.passed.tallies.iter_mut().zip(tallies) {
            *sum += tally;
        }
        self.ports.observer.see(Event::Page {
            connection: self.place.connection.to_owned(),
            query: self.place.query.to_owned(),
            page: self.request.page,
            rows: self.passed.rows,
            total,
            fired,
        });
        Ok(())
    }

    /// Commits what a page came to, as the course of the walk asks for.
    async fn commit(
        &self,
        news: News,
        cursors: Vec<CursorMove>,
        progress: Progress,
    ) -> Result<PageCommitted, StoreError> {
        let store = &self.ports.store;
        let (News { events, tallies, late, .. }, lens) = (news, &self.digest.lens);
        let nothing = events.is_empty() && cursors.is_empty();
        let page = PageCommit { events, cursors };
        match (lens, self.goal) {
            (Lens::Old { .. }, Goal::Place { id, next }) => {
                let step = BackfillStep {
                    id,
                    query: self.place.query.to_owned(),
                    rows: tallies.iter().map(|tally| tally.rows).sum(),
                    next: self.is_whole(progress).then_some(next),
                };
                store.commit_part(page, Part::Backfill(step)).await
            }
            _ if nothing => Ok(PageCommitted::default()),
            (Lens::Missed { .. }, _) => store.commit_part(page, Part::Sweep(late)).await,
            _ => store.commit_page(page).await,
        }
    }

    /// After a page of a sweep: what its ledgers still do not know.
    async fn recount(&mut self, wanted: Vec<Vec<String>>) -> Result<(), StoreError> {
        if !matches!(self.digest.lens, Lens::Missed { .. }) {
            return Ok(());
        }
        for (rider, ids) in self.digest.riders.iter().zip(wanted).filter(|(_, ids)| !ids.is_empty()) {
            let (zap, kind) = (rider.zap.state.id, rider.zap.trigger.kind());
            self.passed.unknown += self.ports.store.unknown(zap, kind, ids).await?.len() as u64;
        }
        Ok(())
    }

    /// Whether this page completes the slice, so that it need not be read again.
    fn is_whole(&self, progress: Progress) -> bool {
        let whole = !self.passed.shrunk || self.losses == Losses::Accept;
        progress.last && whole && self.digest.left_out() == 0
    }

    /// Where the cursors go with this page.
    fn moves_to(&self, progress: Progress) -> Option<Timestamp> {
        if !self.is_whole(progress) {
            return None;
        }
        match self.goal {
            Goal::Stay | Goal::Place { .. } => None,
            Goal::SliceEnd(end) => Some(end.min(self.began_there())),
            Goal::Began => Some(self.began_there()),
        }
    }

    /// When the pass began, never after the CRM's clock: where that is behind, rows are dated back, and so is this.
    fn began_there(&self) -> Timestamp {
        let behind = self.passed.skew.min(SignedDuration::ZERO);
        self.began.saturating_add(behind).unwrap_or(Timestamp::MIN)
    }

    fn may_go_on(&self, page: u32) -> Result<(), WalkFailure> {
        if self.digest.repeats() >= REPEATS || page >= MOST_PAGES {
            return Err(WalkFailure::Stuck);
        }
        match self.digest.look_ups.failure() {
            Some(error) if error.stops_connection() => Err(WalkFailure::Read(error.clone())),
            _ => Ok(()),
        }
    }

    fn look_ups(&self) -> Result<(), WalkFailure> {
        match self.digest.look_ups.failure() {
            None => Ok(()),
            Some(error) if error.stops_connection() => Err(WalkFailure::Read(error.clone())),
            Some(first) => Err(WalkFailure::LookUps { rows: self.digest.left_out(), first: first.clone() }),
        }
    }
}
