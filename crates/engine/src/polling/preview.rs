//! Recent rows of a trigger, for a person to look at. Reads the CRM alone: no state, no cursor.

use super::reader::{PAGE_ROWS, Reader};
use super::window;
use crate::ports::{Clock, Crm, DayWindow, PageRequest, ReadError};
use bytes::Bytes;
use jiff::Span;
use jiff::civil::Date;
use std::collections::BTreeMap;
use zaprun_core::record::{ReadSet, Row};
use zaprun_core::trigger::Query;
use zaprun_core::zap::CrmTrigger;

/// How far back is looked, in days before today: first today alone, then further in slices of at most ten days.
const REACHES: [(i32, i32); 5] = [(0, -1), (7, 1), (17, 8), (27, 18), (30, 28)];
/// A slice is read to so many pages at most.
const MOST_PAGES: u32 = 5;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Rows that the trigger would take, byte for byte, newest first.
    pub rows: Vec<Bytes>,
    /// The first day that was looked at.
    pub since: Date,
}

/// At most `limit` recent rows that the trigger would take: today's, or, where there are none, those of the last 7 or
/// 30 days.
///
/// # Errors
/// When the CRM gives no answer.
pub async fn preview(
    crm: &dyn Crm,
    clock: &dyn Clock,
    trigger: &CrmTrigger,
    limit: usize,
) -> Result<Preview, ReadError> {
    let today = window::day(clock.now(), &trigger.zone);
    let reader = Reader { crm, clock, seed: 0 };
    let mut since = today;
    for (first, last) in REACHES {
        let back = |days: i32| today.saturating_sub(Span::new().days(days));
        let days = DayWindow { first: back(first), last: back(last) };
        since = days.first;
        let rows = look(reader, trigger, days, limit).await?;
        if !rows.is_empty() {
            return Ok(Preview { rows, since });
        }
    }
    Ok(Preview { rows: Vec::new(), since })
}

async fn look(
    reader: Reader<'_>,
    trigger: &CrmTrigger,
    days: DayWindow,
    limit: usize,
) -> Result<Vec<Bytes>, ReadError> {
    let mut found = Found { trigger, limit, rows: BTreeMap::new() };
    for query in trigger.queries() {
        found.query(reader, query, days).await?;
    }
    Ok(found.rows.into_values().rev().take(limit).collect())
}

/// Rows by when they were seen and by id, so that the oldest comes first and a row of two queries once.
struct Found<'a> {
    trigger: &'a CrmTrigger,
    limit: usize,
    rows: BTreeMap<(String, String), Bytes>,
}

impl Found<'_> {
    async fn query(&mut self, reader: Reader<'_>, query: Query, days: DayWindow) -> Result<(), ReadError> {
        let dated = query.seen_through.field();
        let mut fields = self.trigger.fields();
        fields.union(&ReadSet::of([dated]));
        let mut request = PageRequest {
            query,
            narrowing: self.trigger.narrowing(),
            window: Some(days),
            page: 1,
            per_page: PAGE_ROWS,
            ascending: false,
        };
        let mut taken = 0;
        loop {
            let page = reader.read(&request).await?.page;
            for raw in &page.rows {
                taken += usize::from(self.take(raw, dated, &fields));
            }
            let more = page.rows.len() == PAGE_ROWS as usize && taken < self.limit;
            if !more || request.page == MOST_PAGES {
                return Ok(());
            }
            request.page += 1;
        }
    }

    fn take(&mut self, raw: &Bytes, dated: &str, fields: &ReadSet) -> bool {
        let Ok(row) = Row::decode(raw, self.trigger.schema(), fields) else { return false };
        let Some(id) = self.trigger.key(&row).filter(|_| self.trigger.wants(&row)) else { return false };
        let at = row.text(dated).unwrap_or_default().into_owned();
        self.rows.insert((at, id), raw.clone()).is_none()
    }
}
