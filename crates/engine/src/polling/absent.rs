//! What happened while zaps were switched off: a person is told of it once, when all of it has been read.

use super::Ports;
use super::rider::Watched;
use crate::ports::{Absence, StoreError, ZapId};
use crate::report::Event;
use zaprun_core::trigger::Query;

/// A zap of which a person is to be told what happened while it was switched off.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) zap: ZapId,
    pub(super) name: String,
    /// The queries not yet read since it was switched on.
    pub(super) waiting: Vec<String>,
}

impl Group {
    /// What is to be told of a zap once its queries have been read; `None`: nothing.
    pub(super) fn of(zap: &Watched) -> Option<Group> {
        zap.state.absences.iter().any(Absence::is_untold).then(|| Group {
            zap: zap.state.id,
            name: zap.name.clone(),
            waiting: zap.trigger.queries().iter().map(Query::name).collect(),
        })
    }
}

/// Tells what happened while a zap was switched off, each time as one group.
///
/// # Errors
/// When the state cannot be read or written; what was told may then be told again.
pub(crate) async fn tell(ports: &Ports, zap: ZapId, name: &str) -> Result<(), StoreError> {
    tell_those(ports, zap, name, Absence::is_untold).await
}

/// The same of times of which more was found since a person was told.
///
/// # Errors
/// As [`tell`].
pub(super) async fn tell_more(ports: &Ports, zap: &Watched) -> Result<(), StoreError> {
    if zap.state.absences.is_empty() {
        return Ok(());
    }
    let more = |absence: &Absence| absence.told.is_some() && absence.is_untold();
    tell_those(ports, zap.state.id, &zap.name, more).await
}

async fn tell_those(
    ports: &Ports,
    zap: ZapId,
    name: &str,
    which: impl Fn(&Absence) -> bool,
) -> Result<(), StoreError> {
    let absences = ports.store.absences(zap).await?;
    let untold: Vec<Absence> = absences.into_iter().filter(which).collect();
    if untold.is_empty() {
        return Ok(());
    }
    for Absence { since, until, held, dropped, .. } in untold.iter().copied() {
        if held > 0 || dropped > 0 {
            let (held, dropped) = (u64::from(held), u64::from(dropped));
            ports.observer.see(Event::CaughtUp { zap: name.to_owned(), since, until, held, dropped });
        }
    }
    ports.store.absences_told(zap, untold).await
}
