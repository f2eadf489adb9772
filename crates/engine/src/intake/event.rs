//! A request as an event of the zaps at its path.

use super::door::{Arrived, OpenZap};
use crate::key;
use crate::ports::{EventKey, Fate, NewEvent, Target};
use jiff::Timestamp;
use zaprun_core::zap::{Arrival, Trigger};

/// The events that a request is.
#[derive(Default)]
pub(super) struct Events {
    /// One for each key; zaps that find the same one share it.
    pub(super) events: Vec<NewEvent>,
    /// Why a zap finds no key: the first of such reasons.
    pub(super) problem: Option<String>,
}

/// What a request is to each zap. One zap's key that cannot be found keeps it from no other zap.
pub(super) fn events(zaps: &[OpenZap], arrival: &Arrival, arrived: &Arrived, now: Timestamp) -> Events {
    let mut made = Events::default();
    for open in zaps {
        let Trigger::Webhook(trigger) = &open.zap.trigger else { continue };
        let id = match trigger.entrance.key(arrival) {
            Ok(id) => id,
            Err(error) => {
                let reason = || format!("zap `{}` finds no key: {}", open.zap.name, error.message);
                made.problem.get_or_insert_with(reason);
                continue;
            }
        };
        let key = EventKey { kind: open.zap.trigger.kind().to_owned(), id };
        let target = Target {
            zap: open.state.id,
            revision: open.state.revision,
            key_base: key::base(&open.state.first_name, &key),
            fate: Fate::Fire,
            // Taken by the first run that passes its filter; no request is from before the start.
            once: None,
            own: true,
        };
        match made.events.iter_mut().find(|event| event.key == key) {
            Some(event) => event.targets.push(target),
            None => made.events.push(NewEvent {
                key,
                at: now,
                record: arrived.record.clone(),
                seen_at: now,
                context: Some(arrived.context.clone()),
                order: None,
                depth: arrived.depth,
                targets: vec![target],
            }),
        }
    }
    made
}
