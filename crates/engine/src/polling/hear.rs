//! One row, read by its id since a webhook told of it, and taken by the same rules as a row of a walk. The push gives
//! speed, the walk gives proof: here nothing moves a cursor.

use super::digest::Digest;
use super::lookup::LookUps;
use super::problems::Problems;
use super::reader::{PAGE_ROWS, Reader, Timed};
use super::rider::{Rider, Watched};
use super::skew::skew;
use super::{Connection, Ports};
use crate::ports::{PageCommit, PageRequest};
use crate::report::{Blind, Tally, WalkFailure};
use bytes::Bytes;
use jiff::SignedDuration;
use std::sync::Arc;
use zaprun_core::record::{ReadSet, Row};
use zaprun_core::trigger::{Narrowing, Query};
use zaprun_core::zap::CrmTrigger;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// In pairs of event and zap.
    pub(crate) tally: Tally,
    /// Whether the CRM shows the row.
    pub(crate) found: bool,
}

/// Reads the row of that id once and commits what of it is new to these zaps, which poll rows of one kind on this
/// connection.
///
/// # Errors
/// When it cannot be read or judged now, or the state cannot be written. Nothing is lost: the poll finds it.
pub(crate) async fn hear(
    ports: &Ports,
    connection: &Connection,
    zaps: &[Arc<Watched>],
    id: &str,
    depth: u32,
) -> Result<Heard, WalkFailure> {
    let Some((trigger, query)) = asked(zaps, id) else { return Ok(Heard::default()) };
    let name = query.name();
    let reader = Reader { crm: connection.crm.as_ref(), clock: ports.clock.as_ref(), seed: 0 };
    let mut read = read(reader, query).await?;
    read.page.rows.retain(|row| is(trigger, row, id));
    let found = !read.page.rows.is_empty();

    let riders: Vec<Rider> = zaps.iter().map(|zap| Rider::new(Arc::clone(zap), &name)).collect();
    let riders: Vec<&Rider> = riders.iter().collect();
    // The poll reads the row too and reports what is wrong with it, once.
    let quiet = Ports { observer: Arc::new(Blind), ..ports.clone() };
    let mut problems = Problems::default();
    let look_ups = LookUps::new(reader);
    let mut digest =
        Digest::new(&quiet, &connection.name, &riders, trigger.schema(), &mut problems, look_ups);
    digest.skews = skews(ports, &riders, &read).await?;
    digest.skew = skew(read.sent, read.received, read.page.server_time);
    let news = digest.page(read.page.rows).await.map_err(WalkFailure::Store)?;
    let (left_out, failure) = (digest.left_out(), digest.look_ups.failure().cloned());

    let mut events = news.events;
    events.iter_mut().for_each(|event| event.depth = depth);
    if !events.is_empty() {
        let page = PageCommit { events, cursors: Vec::new() };
        ports.store.commit_page(page).await.map_err(WalkFailure::Store)?;
    }
    match failure {
        Some(first) if left_out > 0 => Err(WalkFailure::LookUps { rows: left_out, first }),
        _ => {
            let mut tally = Tally::default();
            news.tallies.into_iter().for_each(|of_zap| tally += of_zap);
            Ok(Heard { tally, found })
        }
    }
}

/// Asks for the row alone; what ids name needs no window (contract §1.6).
fn asked<'a>(zaps: &'a [Arc<Watched>], id: &str) -> Option<(&'a CrmTrigger, Query)> {
    let trigger = &zaps.first()?.trigger;
    let query = trigger.queries().into_iter().next()?;
    Some((trigger, Query { params: vec![(trigger.key_field(), id.to_owned())], ..query }))
}

/// One try: the sender tries again, and the poll comes.
async fn read(reader: Reader<'_>, query: Query) -> Result<Timed, WalkFailure> {
    let request = PageRequest {
        query,
        narrowing: Narrowing::default(),
        window: None,
        page: 1,
        per_page: PAGE_ROWS,
        ascending: true,
    };
    reader.once(&request).await.map_err(WalkFailure::Read)
}

/// A CRM that does not know the parameter gives other rows.
fn is(trigger: &CrmTrigger, row: &Bytes, id: &str) -> bool {
    let fields = ReadSet::of([trigger.key_field()]);
    let row = Row::decode(row, trigger.schema(), &fields).ok();
    row.and_then(|row| trigger.key(&row)).as_deref() == Some(id)
}

/// By rider: the CRM's clock less ours when its boundary was set, as a walk would take it.
async fn skews(ports: &Ports, riders: &[&Rider], read: &Timed) -> Result<Vec<SignedDuration>, WalkFailure> {
    let now = skew(read.sent, read.received, read.page.server_time);
    let mut skews = Vec::with_capacity(riders.len());
    for rider in riders {
        skews.push(match (rider.skew, read.page.server_time) {
            _ if rider.zap.starts_as_written() => SignedDuration::ZERO,
            (Some(kept), _) => kept,
            (None, None) => now,
            (None, Some(_)) => {
                ports.store.keep_skew(rider.zap.state.id, now).await.map_err(WalkFailure::Store)?
            }
        });
    }
    Ok(skews)
}
