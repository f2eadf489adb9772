//! Where commands about the state are carried out: under the lease, or by whoever holds that.

use std::future::Future;
use std::path::Path;
use std::pin::pin;

use jiff::{SignedDuration, Timestamp};
use zaprun_engine::ports::{Answer, Clock, Command, Store, StoreError};
use zaprun_store::{Asked, SqliteStore};

use super::state_error;
use crate::error::CommandError;

/// How long a running engine has time for one more answer. It looks once a second; on a full disk it waits longer.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How often answers are looked for.
const EVERY: SignedDuration = SignedDuration::from_millis(200);

/// Who has carried a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The engine that holds the state.
    Engine,
    /// This program, since no engine runs.
    Us,
}

impl By {
    /// Who sees to the runs that go on.
    pub(crate) fn next(self) -> &'static str {
        match self {
            By::Engine => "the running engine takes it from there",
            By::Us => "the next `zaprun run` takes it from there",
        }
    }
}

/// What has become of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The answers, in one.
    pub(crate) answer: Answer,
    pub(crate) by: By,
    /// For how many runs it was not done, since nobody answered in time or somebody pressed Ctrl-C.
    pub(crate) left: u64,
}

/// How waiting for an engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Answered,
    /// The engine had ended, and this program has done its work.
    Obeyed,
    /// Nobody answered.
    InVain,
    /// Somebody pressed Ctrl-C.
    BrokenOff,
}

/// Where commands are carried out.
pub(crate) struct Desk<'a> {
    pub(crate) state: &'a Path,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) patience: SignedDuration,
}

impl Desk<'_> {
    /// Carries a command out, or has it carried out; `interrupted` ends the waiting for that.
    ///
    /// # Errors
    /// When the state cannot be used, or nothing at all was done.
    pub(crate) async fn carry_out(
        &self,
        command: Command,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Outcome, CommandError> {
        let portions = command.in_portions();
        if let Some(store) = self.lease()? {
            let answer = self.ourselves(&store, portions).await;
            // What was answered is kept, whatever closing says.
            let _ = store.close().await;
            return Ok(Outcome { answer: answer.map_err(|error| self.told(&error))?, by: By::Us, left: 0 });
        }
        let asked = Asked::place(self.state, &portions, self.clock.now());
        self.wait(asked.map_err(|error| self.told(&error))?, &portions, interrupted).await
    }

    async fn ourselves(&self, store: &SqliteStore, portions: Vec<Command>) -> Result<Answer, StoreError> {
        // What others asked for before comes first.
        self.obey(store).await?;
        let (mut answer, mut personal) = (Answer::default(), false);
        for portion in portions {
            personal |= matches!(portion, Command::Erase { .. });
            answer = answer.and(store.carry_out(portion, self.clock.now()).await?);
        }
        if personal {
            store.scrub().await?;
        }
        Ok(answer)
    }

    async fn obey(&self, store: &SqliteStore) -> Result<(), StoreError> {
        while store.obey(self.clock.now(), Vec::new()).await?.more {}
        Ok(())
    }

    /// Waits for the engine, and not for ever. What it has not done by then it will not do.
    async fn wait(
        &self,
        asked: Asked,
        portions: &[Command],
        interrupted: impl Future<Output = ()>,
    ) -> Result<Outcome, CommandError> {
        let watched = self.watch(&asked, portions.len(), interrupted).await;
        let answers = asked.withdraw().map_err(|error| self.told(&error))?;
        let mut left = 0;
        let mut done: Option<Answer> = None;
        for (answer, portion) in answers.into_iter().zip(portions) {
            match answer {
                Some(answer) => done = Some(done.unwrap_or_default().and(answer)),
                None => left += portion.runs().len() as u64,
            }
        }
        match (done, watched) {
            (Some(answer), watched) => {
                let by = if matches!(watched, Ok(Watched::Obeyed)) { By::Us } else { By::Engine };
                Ok(Outcome { answer, by, left })
            }
            (None, Err(error)) => Err(error),
            (None, Ok(Watched::BrokenOff)) => Err(CommandError::interrupted()),
            (None, Ok(_)) => Err(CommandError::failure(format!(
                "the running engine did not answer within {}s; nothing was done",
                self.patience.as_secs()
            ))
            .hint("look at what it logs; once it has ended, the same command does it at once")),
        }
    }

    async fn watch(
        &self,
        asked: &Asked,
        portions: usize,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Watched, CommandError> {
        let mut interrupted = pin!(interrupted);
        let (mut answered, mut since) = (0, self.clock.now());
        loop {
            let now_answered = asked.answered().map_err(|error| self.told(&error))?;
            if now_answered >= portions {
                return Ok(Watched::Answered);
            }
            let now = self.clock.now();
            if now_answered > answered {
                (answered, since) = (now_answered, now);
            }
            // The engine may have ended meanwhile.
            if let Some(store) = self.lease()? {
                let obeyed = self.obey(&store).await;
                let _ = store.close().await;
                return obeyed.map(|()| Watched::Obeyed).map_err(|error| self.told(&error));
            }
            if now >= since.saturating_add(self.patience).unwrap_or(Timestamp::MAX) {
                return Ok(Watched::InVain);
            }
            tokio::select! {
                () = self.clock.sleep_until(now.saturating_add(EVERY).unwrap_or(Timestamp::MAX)) => {}
                () = &mut interrupted => return Ok(Watched::BrokenOff),
            }
        }
    }

    /// The state, unless an engine has it.
    fn lease(&self) -> Result<Option<SqliteStore>, CommandError> {
        match SqliteStore::open_engine(self.state, &zaprun_store::Options::default()) {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::Busy { .. }) => Ok(None),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn told(&self, error: &StoreError) -> CommandError {
        state_error(error, self.state)
    }
}

/// Ready once somebody presses Ctrl-C.
pub(crate) async fn interrupted() {
    // Where no signal can be heard, none interrupts.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
