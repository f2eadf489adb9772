//! Another set of zaps for a running engine.
//!
//! A set is taken as a whole or not at all. What polled for zaps that change stops first, so that nothing moves a cursor
//! that the change starts anew; then they are opened; then, in one step between two awaits, the old lanes retire, the
//! new ones begin, and requests meet the new zaps. What is in flight goes on as it began. What is the same in both sets
//! is not touched.

use super::nursery::Entrance;
use super::polls::{Going, Opened, Part, groups, same};
use super::set::Set;
use super::standing::Standing;
use super::{EngineError, Works};
use crate::delivery::Lane;
use crate::intake::Intake;
use crate::measure::Measure;
use crate::polling::Backfiller;
use crate::ports::StoreError;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use zaprun_core::zap::Zap;

type Asked = (Set, oneshot::Sender<Result<(), EngineError>>);

/// Gives a running engine another set of zaps.
#[derive(Clone)]
pub struct Reloads(mpsc::Sender<Asked>);

/// Where another set comes in.
pub(super) struct Sets(mpsc::Receiver<Asked>);

impl Reloads {
    pub(super) fn new() -> (Reloads, Sets) {
        // Who asks waits for the answer, so that there is never much.
        let (sender, receiver) = mpsc::channel(1);
        (Reloads(sender), Sets(receiver))
    }

    /// Runs these zaps instead. When it returns `Ok`, they run.
    ///
    /// # Errors
    /// When they cannot run; then the old ones do, untouched. [`EngineError::Ended`] when the engine does not run.
    pub async fn reload(&self, set: Set) -> Result<(), EngineError> {
        let (answer, answered) = oneshot::channel();
        self.0.send((set, answer)).await.map_err(|_| EngineError::Ended)?;
        answered.await.map_err(|_| EngineError::Ended)?
    }
}

/// What of the present set is under way.
pub(super) struct Crew {
    zaps: Vec<(Opened, Arc<Lane>)>,
    polls: Vec<Going>,
    /// Ends what does backfills for the present set.
    backfills: CancellationToken,
    intake: Intake,
    entrance: Entrance,
    stop: CancellationToken,
}

impl Crew {
    /// Starts the first set.
    pub(super) fn start(works: Works, intake: Intake, entrance: Entrance, stop: CancellationToken) -> Crew {
        let (zaps, polls, backfills) = (Vec::new(), Vec::new(), CancellationToken::new());
        let mut crew = Crew { zaps, polls, backfills, intake, entrance, stop };
        crew.backfill(works.backfiller);
        works.parts.into_iter().for_each(|part| crew.poll(part));
        works.opened.into_iter().zip(works.lanes).for_each(|(opened, lane)| crew.serve(opened, lane));
        crew
    }

    /// Does backfills for another set. One that is broken off goes on where it was: its place is kept with each page.
    fn backfill(&mut self, mut backfiller: Backfiller) {
        self.backfills.cancel();
        self.backfills = self.stop.child_token();
        let ended = self.backfills.clone();
        self.entrance.add(Box::pin(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => Ok(()),
                error = backfiller.forever() => Err(error),
            }
        }));
    }

    fn poll(&mut self, part: Part) {
        let (work, going) = part.start(self.stop.child_token());
        self.entrance.add(work);
        self.polls.push(going);
    }

    fn serve(&mut self, opened: Opened, lane: Arc<Lane>) {
        let serving = Arc::clone(&lane);
        self.entrance.add(Box::pin(async move { serving.serve().await }));
        self.zaps.push((opened, lane));
    }

    /// Takes every set that comes, until the engine is to stop.
    ///
    /// # Errors
    /// When the state is lost for good.
    pub(super) async fn follow(mut self, mut sets: Sets, standing: Arc<Standing>) -> Result<(), StoreError> {
        let stop = self.stop.clone();
        loop {
            let asked = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                asked = sets.0.recv() => asked,
            };
            let Some((set, answer)) = asked else {
                // Nobody will ask any more.
                stop.cancelled().await;
                return Ok(());
            };
            let (set, off) = set.split();
            let taken = match set.check() {
                Ok(()) => tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    taken = self.take(&set, &off, &standing) => taken.map_err(EngineError::Store),
                },
                Err(error) => Err(error),
            };
            let lost = match &taken {
                Err(EngineError::Store(error)) => Some(error.clone()),
                _ => None,
            };
            // Who asked may have gone.
            let _ = answer.send(taken);
            if let Some(error) = lost {
                return Err(error);
            }
        }
    }

    /// Runs the set instead of the present one.
    async fn take(&mut self, set: &Set, off: &[Arc<Zap>], standing: &Standing) -> Result<(), StoreError> {
        let groups = groups(&set.zaps);
        let stays = |going: &Going| {
            going.zaps.iter().all(|zap| set.keeps(zap)) && groups.iter().any(|group| same(group, &going.zaps))
        };
        let (stay, leave): (Vec<Going>, Vec<Going>) =
            std::mem::take(&mut self.polls).into_iter().partition(stays);
        self.polls = stay;
        let (mut left, mut stopped) = (Vec::new(), Vec::new());
        for going in leave {
            let zaps = going.zaps.clone();
            stopped.extend(zaps.iter().cloned());
            left.extend(going.stop().await.map(|part| (zaps, part)));
        }

        standing.switched_off(off).await?;
        let mut opened = Vec::with_capacity(set.zaps.len());
        for zap in &set.zaps {
            let same = |other: &Arc<Zap>| Arc::ptr_eq(other, zap);
            let known = self.zaps.iter().find(|(open, _)| same(&open.zap));
            // Where a poll begins anew the state is asked how far it has come.
            let goes_on = set.keeps(zap) && !stopped.iter().any(same);
            opened.push(match known.filter(|_| goes_on) {
                Some((open, _)) => open.clone(),
                None => {
                    let state = standing.insist_on(zap, set).await?;
                    Opened { zap: Arc::clone(zap), state }
                }
            });
        }

        // From here on nothing is awaited.
        let fitted = standing.fit(set, &opened);
        self.backfill(standing.backfiller(&opened, &fitted));
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.zaps).into_iter().partition(|(open, _)| set.keeps(&open.zap));
        gone.iter().for_each(|(_, lane)| lane.retire());
        let observer = &standing.shared.observer;
        for (before, _) in &gone {
            if !opened.iter().any(|open| open.state.id == before.state.id) {
                observer.measure(Measure::Closed { zap: before.state.id });
            }
        }
        let same_zaps: Vec<Opened> = kept.iter().map(|(open, _)| open.clone()).collect();
        for open in &opened {
            if !same_zaps.iter().any(|kept| Arc::ptr_eq(&kept.zap, &open.zap)) {
                observer.measure(Measure::Opened { zap: &open.zap, state: &open.state });
                self.serve(open.clone(), standing.lane(open, &fitted));
            }
        }
        self.zaps.extend(kept);
        for group in groups {
            if self.polls.iter().any(|going| same(&group, &going.zaps)) {
                continue;
            }
            let Some(mut part) = Part::new(&group, &opened, &fitted.connections, set, standing) else {
                continue;
            };
            if let Some(before) = predecessor(&group, &mut left).filter(|_| !changed(&group, set)) {
                part.take_over(before, &same_zaps);
            }
            self.poll(part);
        }
        self.intake.change(&set.zaps, fitted.house);
        Ok(())
    }
}

/// Whether what a group polls is another connection now.
fn changed(group: &[Arc<Zap>], set: &Set) -> bool {
    let polled = group.first().and_then(|zap| zap.trigger.crm()).map(|trigger| &trigger.connection);
    polled.is_some_and(|name| set.changed.contains(name))
}

type Left = (Vec<Arc<Zap>>, Part);

/// The part that polled the same connection.
fn predecessor(group: &[Arc<Zap>], left: &mut Vec<Left>) -> Option<Part> {
    let connection = |zaps: &[Arc<Zap>]| {
        zaps.first().and_then(|zap| zap.trigger.crm()).map(|trigger| trigger.connection.clone())
    };
    let mine = connection(group)?;
    let at = left.iter().position(|(zaps, _)| connection(zaps).as_ref() == Some(&mine))?;
    Some(left.swap_remove(at).1)
}
