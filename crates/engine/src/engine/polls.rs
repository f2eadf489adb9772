//! All that looks for events by itself, in parts that may be exchanged one by one.

use super::set::Set;
use super::standing::Standing;
use crate::http_poll::{self, Feeds, Followed};
use crate::polling::{Connection, Polled, Poller, Watched};
use crate::ports::{StoreError, ZapState};
use crate::schedule::{Scheduled, Timetables};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use zaprun_core::zap::{Trigger, Zap};

/// A zap that was opened.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) zap: Arc<Zap>,
    pub(super) state: ZapState,
}

/// One part: a connection to the CRM with all zaps on it, or one zap.
pub(super) struct Part {
    poll: Poll,
    zaps: Vec<Arc<Zap>>,
}

enum Poll {
    Crm(Box<Poller>),
    Feed(Box<Feeds>),
    Times(Box<Timetables>),
}

/// A part under way.
pub(super) struct Going {
    pub(super) zaps: Vec<Arc<Zap>>,
    stop: CancellationToken,
    /// The part, once it has stopped.
    left: oneshot::Receiver<Part>,
}

/// Which zaps are polled for together.
pub(super) fn groups(zaps: &[Arc<Zap>]) -> Vec<Vec<Arc<Zap>>> {
    let mut groups: Vec<Vec<Arc<Zap>>> = Vec::new();
    for zap in zaps {
        let mine = match &zap.trigger {
            Trigger::Webhook(_) => continue,
            Trigger::Crm(trigger) => groups.iter_mut().find(|group| {
                let first = group.first().and_then(|first| first.trigger.crm());
                first.is_some_and(|first| first.connection == trigger.connection)
            }),
            Trigger::Http(_) | Trigger::Schedule(_) => None,
        };
        match mine {
            Some(group) => group.push(Arc::clone(zap)),
            None => groups.push(vec![Arc::clone(zap)]),
        }
    }
    groups
}

/// Whether two groups are the same zaps.
pub(super) fn same(one: &[Arc<Zap>], other: &[Arc<Zap>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

impl Part {
    /// Polls for a group of zaps; `None` where nothing can be polled.
    pub(super) fn new(
        group: &[Arc<Zap>],
        opened: &[Opened],
        connections: &[Connection],
        set: &Set,
        standing: &Standing,
    ) -> Option<Part> {
        let state = |zap: &Arc<Zap>| {
            let known = opened.iter().find(|known| Arc::ptr_eq(&known.zap, zap));
            known.map(|known| known.state.clone())
        };
        let (ports, health) = (standing.ports(), Arc::clone(&standing.health));
        let first = group.first()?;
        let poll = match &first.trigger {
            Trigger::Crm(trigger) => {
                let on = |one: &&Connection| one.name == trigger.connection;
                let connection = connections.iter().find(on)?.clone();
                let watched = group.iter().filter_map(|zap| watched(zap, state(zap)?)).collect();
                let poller = Poller::sharing(ports, vec![connection], watched, standing.seed, &health);
                Poll::Crm(Box::new(poller))
            }
            Trigger::Http(trigger) => {
                let trigger = (**trigger).clone();
                let followed = vec![Followed { name: first.name.clone(), trigger, state: state(first)? }];
                let api = http_poll::Ports { polling: ports, sender: Arc::clone(&set.sender) };
                Poll::Feed(Box::new(Feeds::new(api, health, followed, standing.seed)))
            }
            Trigger::Schedule(trigger) => {
                let trigger = (**trigger).clone();
                let scheduled = vec![Scheduled { name: first.name.clone(), trigger, state: state(first)? }];
                Poll::Times(Box::new(Timetables::new(ports, health, scheduled)))
            }
            Trigger::Webhook(_) => return None,
        };
        Some(Part { poll, zaps: group.to_vec() })
    }

    /// Polls everything once.
    pub(super) async fn once(&mut self) -> Result<Polled, StoreError> {
        match &mut self.poll {
            Poll::Crm(poller) => poller.poll_once().await,
            Poll::Feed(feeds) => feeds.poll_once().await,
            Poll::Times(times) => times.look().await.map(|()| Polled::default()),
        }
    }

    /// What polls until `stop`, and how the part is had back then. What is cut off there is read again.
    pub(super) fn start(mut self, stop: CancellationToken) -> (super::nursery::Work, Going) {
        let (leave, left) = oneshot::channel();
        let going = Going { zaps: self.zaps.clone(), stop: stop.clone(), left };
        let work = async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                result = self.poll(stop.clone()) => result?,
            }
            // Nobody may want it.
            let _ = leave.send(self);
            Ok(())
        };
        (Box::pin(work), going)
    }

    async fn poll(&mut self, stop: CancellationToken) -> Result<(), StoreError> {
        match &mut self.poll {
            Poll::Crm(poller) => poller.run(stop).await,
            Poll::Feed(feeds) => feeds.run().await.map(|_| ()),
            Poll::Times(times) => times.run().await.map(|_| ()),
        }
    }

    /// Goes on where a part for other zaps, or for others too, has stopped. `kept` are those that are the same.
    pub(super) fn take_over(&mut self, before: Part, kept: &[Opened]) {
        if let (Poll::Crm(poller), Poll::Crm(before)) = (&mut self.poll, before.poll) {
            poller.take_over(*before, |id| kept.iter().any(|kept| kept.state.id == id));
        }
    }
}

impl Going {
    /// Stops it; ready when nothing of it is under way any more. `None` where it had ended by itself.
    pub(super) async fn stop(self) -> Option<Part> {
        self.stop.cancel();
        self.left.await.ok()
    }
}

pub(super) fn watched(zap: &Arc<Zap>, state: ZapState) -> Option<Watched> {
    Some(Watched { name: zap.name.clone(), trigger: zap.trigger.crm()?.clone(), state })
}
