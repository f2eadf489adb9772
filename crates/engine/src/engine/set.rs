//! What an engine runs, and may be given anew while it runs.

use super::{EngineError, Options, Ports};
use crate::delivery::Recall;
use crate::ports::{Crm, CrmWriter, Sender};
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::zap::{Target, Trigger, Zap};

/// A set of zaps and the connections they were compiled for.
#[derive(Clone)]
pub struct Set {
    /// The zaps; of disabled ones the state keeps since when they are. One that is the very same as before (the same `Arc`), and whose
    /// connections are, goes on as if nothing had happened.
    pub zaps: Vec<Arc<Zap>>,
    /// See [`Ports::crms`].
    pub crms: HashMap<String, Arc<dyn Crm>>,
    /// See [`Ports::writers`].
    pub writers: HashMap<String, Arc<dyn CrmWriter>>,
    /// See [`Ports::sender`].
    pub sender: Arc<dyn Sender>,
    /// Git revision of the project, when known.
    pub git: Option<String>,
    /// See [`Options::sources`].
    pub sources: HashMap<String, Bytes>,
    /// See [`Options::recall`].
    pub recall: Arc<dyn Recall>,
    /// See [`Options::history`].
    pub history: Option<Duration>,
    /// Connections that are not what they were in the set before, or are no more: what was learnt of them is forgotten.
    pub changed: BTreeSet<String>,
}

impl Set {
    /// The first set of an engine, and the zaps that are switched off.
    pub(super) fn first(zaps: Vec<Arc<Zap>>, ports: &Ports, options: &Options) -> (Set, Vec<Arc<Zap>>) {
        Set {
            zaps,
            crms: ports.crms.clone(),
            writers: ports.writers.clone(),
            sender: Arc::clone(&ports.sender),
            git: options.git.clone(),
            sources: options.sources.clone(),
            recall: Arc::clone(&options.recall),
            history: options.history,
            changed: BTreeSet::new(),
        }
        .split()
    }

    /// The set of those that run, and those that are switched off.
    pub(super) fn split(mut self) -> (Set, Vec<Arc<Zap>>) {
        let off;
        (self.zaps, off) = self.zaps.into_iter().partition(|zap| zap.enabled);
        (self, off)
    }

    /// Whether it can run.
    ///
    /// # Errors
    /// When a zap polls a connection that is not given.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let missing = |zap: &Arc<Zap>| {
            let connection = zap.trigger.crm().map(|trigger| trigger.connection.clone());
            connection
                .filter(|name| !self.crms.contains_key(name))
                .map(|connection| (zap.name.clone(), connection))
        };
        match self.zaps.iter().find_map(missing) {
            Some((zap, connection)) => Err(EngineError::NoConnection { zap, connection }),
            None => Ok(()),
        }
    }

    /// Whether a zap of the set before goes on in this one.
    pub(super) fn keeps(&self, zap: &Arc<Zap>) -> bool {
        self.zaps.iter().any(|other| Arc::ptr_eq(zap, other))
            && !connections(zap).iter().any(|connection| self.changed.contains(connection))
    }
}

/// The connections that a zap uses, whatever for.
pub fn connections(zap: &Zap) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match &zap.trigger {
        Trigger::Crm(trigger) => {
            names.insert(trigger.connection.clone());
        }
        Trigger::Http(trigger) => names.extend(trigger.connection().map(str::to_owned)),
        Trigger::Webhook(_) | Trigger::Schedule(_) => {}
    }
    names.extend(zap.trigger.entrance().map(|entrance| entrance.connection.clone()));
    for action in zap.actions.iter().chain(&zap.on_failure) {
        if let Target::Connection(name) = action.target() {
            names.insert(name);
        }
    }
    names
}
