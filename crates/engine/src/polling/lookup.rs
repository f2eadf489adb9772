//! Asking an order's transactions what happened to its money (the rule on what is new).

use super::count::Count;
use super::reader::{PAGE_ROWS, Reader};
use crate::ports::{PageRequest, ReadError};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use zaprun_core::record::{ReadSet, Row, TRANSACTION};
use zaprun_core::trigger::{Charges, Narrowing, charges_lookup, charges_lookup_fields};

/// After so many faults of transport in a row, a walk asks no more: the line is down, not the order odd.
const FAULTS: u32 = 3;
/// An order with more transactions than these pages hold is judged by those.
const MOST_PAGES: u32 = 25;

/// The look-ups of one walk.
pub(super) struct LookUps<'a> {
    reader: Reader<'a>,
    fields: ReadSet,
    /// The first failure.
    first: Option<ReadError>,
    faults: u32,
    /// No look-up of this walk can succeed.
    over: bool,
}

/// What the orders of one page were told, so that zaps that share the page ask once.
pub(super) type Told = HashMap<String, Option<Charges>>;

impl<'a> LookUps<'a> {
    pub(super) fn new(reader: Reader<'a>) -> Self {
        LookUps { reader, fields: charges_lookup_fields(), first: None, faults: 0, over: false }
    }

    /// What the first failed look-up said, if any failed.
    pub(super) fn failure(&self) -> Option<&ReadError> {
        self.first.as_ref()
    }

    /// What the order's transactions say; `None` when that could not be learnt.
    pub(super) async fn charges(
        &mut self,
        order_id: &str,
        zone: &TimeZone,
        told: &mut Told,
    ) -> Option<Charges> {
        if let Some(known) = told.get(order_id) {
            return *known;
        }
        let answer = if self.over { None } else { self.ask(order_id, zone).await };
        told.insert(order_id.to_owned(), answer);
        answer
    }

    async fn ask(&mut self, order_id: &str, zone: &TimeZone) -> Option<Charges> {
        match self.rows(order_id).await {
            Ok(rows) => {
                self.faults = 0;
                Some(Charges::of(&rows, zone))
            }
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    fn failed(&mut self, error: ReadError) {
        self.faults = if matches!(error, ReadError::Transport { .. }) { self.faults + 1 } else { 0 };
        self.over = self.faults >= FAULTS
            || error.stops_connection()
            || matches!(error, ReadError::Permission { .. });
        // A stop outranks whatever failed before: a person has to act on it.
        if self.first.is_none() || error.stops_connection() {
            self.first = Some(error);
        }
    }

    async fn rows(&self, order_id: &str) -> Result<Vec<Row>, ReadError> {
        let mut request = PageRequest {
            query: charges_lookup(order_id),
            narrowing: Narrowing::default(),
            window: None,
            page: 1,
            per_page: PAGE_ROWS,
            ascending: true,
        };
        let (mut rows, mut count) = (Vec::new(), Count::default());
        loop {
            // The first failure has been waited for; those after it are told from it by one try each.
            let read = if self.first.is_none() {
                self.reader.read(&request).await
            } else {
                self.reader.once(&request).await
            };
            let page = read?.page;
            // A transaction that cannot be read dates nothing.
            rows.extend(page.rows.iter().filter_map(|raw| Row::decode(raw, &TRANSACTION, &self.fields).ok()));
            let progress = count.page(page.rows.len(), page.total, false);
            if progress.shrunk {
                // The one that is missing may be the charge.
                let text = format!("fewer transactions of order {order_id} than it announced");
                return Err(ReadError::Vendor { text });
            }
            if progress.last || request.page == MOST_PAGES {
                return Ok(rows);
            }
            request.page += 1;
        }
    }
}
