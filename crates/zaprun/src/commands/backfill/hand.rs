//! Handing a backfill to the engine that holds the state, and watching it.

use std::pin::pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use zaprun_engine::polling::Backfilled;
use zaprun_engine::ports::{Clock, DayWindow};
use zaprun_http::duration_text;
use zaprun_store::{Backfilling, Placing, Progress};

use super::Job;
use super::progress::{At, Shown};
use crate::clock::SystemClock;
use crate::error::{CommandError, Exit};
use crate::wiring;

/// How often it is looked how far the engine is.
const EVERY: SignedDuration = SignedDuration::from_millis(200);
/// A backfill that stands still for so long may never be taken up.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How watching ended.
enum Watched {
    Over(Progress),
    BrokenOff,
    StandsStill,
}

impl Job<'_> {
    /// Has it done by the engine.
    pub(super) async fn by_engine(&self) -> Result<Exit, CommandError> {
        let (zap, days) = (&self.zap, (self.days.first, self.days.last));
        let placed = Backfilling::place(self.state, (&zap.name, &zap.selection), days, SystemClock.now());
        let backfilling = match placed.map_err(|error| self.told(&error))? {
            Placing::Placed(backfilling) => backfilling,
            Placing::NoZap => {
                return Err(CommandError::failure(format!(
                    "the running engine does not know `{}`",
                    zap.name
                ))
                .hint("it runs the zaps as they were when it started: start it anew"));
            }
            Placing::OtherTrigger => {
                return Err(CommandError::failure(format!(
                    "the running engine has another trigger for `{}` than the project",
                    zap.name
                ))
                .hint("it runs the zaps as they were when it started: start it anew"));
            }
        };
        let printer = &self.context.printer;
        printer.note("the running engine does it; Ctrl-C only stops the watching");
        let stop = format!("`zaprun backfill {} --stop` takes it back", zap.name);
        match self.watch(&backfilling).await? {
            Watched::Over(Progress { stopped: true, .. }) => {
                Err(CommandError::failure("it was stopped; what was found stays"))
            }
            Watched::Over(Progress { backfill, .. }) => {
                let done = Backfilled { rows: backfill.rows, fired: backfill.fired, unstable: false };
                self.say(&done, "the running engine sends them");
                Ok(Exit::Fine)
            }
            Watched::BrokenOff => {
                printer.note(&format!("the running engine goes on with it; {stop}"));
                Err(CommandError::interrupted())
            }
            Watched::StandsStill => Err(CommandError::failure(format!(
                "the running engine has not gone on with it for {}; it stays asked for",
                duration_text(PATIENCE.unsigned_abs())
            ))
            .hint(format!("look at what it logs, and whether it runs this zap; {stop}"))),
        }
    }

    async fn watch(&self, backfilling: &Backfilling) -> Result<Watched, CommandError> {
        let mut interrupted = pin!(async {
            // Where no signal can be heard, none interrupts.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        let shown =
            Shown::start(self.context.printer, &Arc::new(wiring::masker(&self.started.project.definition)));
        let (mut seen, mut since) = (None, SystemClock.now());
        loop {
            let progress = backfilling.progress().map_err(|error| self.told(&error))?;
            let now = SystemClock.now();
            if seen.as_ref() != Some(&progress) {
                shown.at(self.at(&progress));
                since = now;
            }
            if progress.ended {
                return Ok(Watched::Over(progress));
            }
            seen = Some(progress);
            if now.duration_since(since) > PATIENCE {
                return Ok(Watched::StandsStill);
            }
            tokio::select! {
                () = SystemClock.sleep_until(now.saturating_add(EVERY).unwrap_or(Timestamp::MAX)) => {}
                () = &mut interrupted => return Ok(Watched::BrokenOff),
            }
        }
    }

    /// Of each query the days before the first one that is not read.
    fn at(&self, Progress { backfill, ended, .. }: &Progress) -> At {
        let DayWindow { first, last } = self.days;
        let days = |until: jiff::civil::Date| {
            u64::try_from(until.duration_since(first).as_hours() / 24).unwrap_or(0)
        };
        let queries = self.zap.trigger.crm().map_or(1, |trigger| trigger.queries().len() as u64);
        let all = (days(last) + 1) * queries;
        let done = backfill.places.iter().map(|(_, next)| days(*next)).sum();
        At { done: if *ended { all } else { done }, days: all, rows: backfill.rows, fired: backfill.fired }
    }
}
