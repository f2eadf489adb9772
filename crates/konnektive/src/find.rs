//! All rows that match, for look-ups that have no cursor.

use crate::form::{self, Days, LARGEST_PAGE};
use crate::konnektive::Konnektive;
use crate::scrub;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashSet;
use zaprun_core::record::{ReadSet, Row};
use zaprun_core::request::FindRequest;
use zaprun_core::trigger::{DateRange, Endpoint};
use zaprun_engine::ports::{Page, ReadError};

/// Rows that one look-up reads at most. Whoever looks something up means a few; beyond this the question was wrong.
pub(crate) const MOST_ROWS: usize = 2000;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// The endpoint's path.
    pub(crate) path: &'static str,
    /// Filters by the vendor's names.
    pub(crate) filters: Vec<(&'a str, &'a str)>,
    /// The days; `None` where an id is given.
    pub(crate) days: Option<Days>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Every row once, byte for byte.
    pub(crate) rows: Vec<Bytes>,
    /// The CRM's clock, or ours where it does not tell.
    pub(crate) at: Timestamp,
}

impl Konnektive {
    /// Reads all pages.
    ///
    /// # Errors
    /// [`ReadError`]; nothing is retried in here.
    pub(crate) async fn all_rows(&self, ask: &Ask<'_>) -> Result<Found, ReadError> {
        let mut found = Found { rows: Vec::new(), at: self.clock.now() };
        let mut known = HashSet::new();
        let mut announced = 0;
        for number in 1.. {
            let page = self.one_page(ask, number).await?;
            found.at = page.server_time.unwrap_or_else(|| self.clock.now());
            if number == 1 || !page.rows.is_empty() {
                // A page beyond the end does not know of the rows before it.
                announced = usize::try_from(page.total).unwrap_or(usize::MAX);
            }
            if announced.max(found.rows.len()) > MOST_ROWS {
                return Err(ReadError::TooMany { most: MOST_ROWS });
            }
            let (size, before) = (page.rows.len(), found.rows.len());
            let ids: Vec<Bytes> = page.rows.iter().map(|row| identity(ask.path, row)).collect();
            // Rows may move from one page to the next while they are read.
            let new = page.rows.into_iter().zip(&ids).filter(|(_, id)| !known.contains(*id));
            found.rows.extend(new.map(|(row, _)| row));
            known.extend(ids);
            if found.rows.len() >= announced && size < LARGEST_PAGE as usize {
                break;
            }
            if found.rows.len() == before {
                // Nothing new on this page: the end. A row that is missing now could be the one that matters.
                if found.rows.len() < announced {
                    let text = "rows moved while the CRM was read".to_owned();
                    return Err(ReadError::Transport { text, retry_after: None });
                }
                break;
            }
        }
        Ok(found)
    }

    async fn one_page(&self, ask: &Ask<'_>, number: u32) -> Result<Page, ReadError> {
        let filters = ask.filters.iter().copied();
        let form = form::look_up(filters, ask.days, number, &self.config.login_id, &self.config.password);
        self.read(ask.path, form, self.ticket).await
    }

    /// The rows of a look-up.
    pub(crate) async fn find_rows(&self, request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        let ask = Ask {
            path: request.endpoint.path(),
            filters: request.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            days: request.days.map(|(first, last)| Days { first, last, by: DateRange::Created.field() }),
        };
        let found = self.all_rows(&ask).await?;
        Ok(found.rows.into_iter().map(|row| scrub::row(ask.path, row)).collect())
    }
}

/// What makes a row the same row: its id, else its bytes.
fn identity(path: &str, row: &Bytes) -> Bytes {
    let named = Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path).map(|endpoint| {
        let id = match endpoint {
            Endpoint::Orders => "orderId",
            Endpoint::Transactions => "transactionId",
            Endpoint::Purchases => "purchaseId",
            Endpoint::Customers => "customerId",
        };
        (endpoint.schema(), id)
    });
    let id = named.and_then(|(schema, id)| {
        let row = Row::decode(row, schema, &ReadSet::of([id])).ok()?;
        row.text(id).map(|id| Bytes::from(id.into_owned().into_bytes()))
    });
    id.unwrap_or_else(|| row.clone())
}
