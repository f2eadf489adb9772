//! The access token of one connection.

use super::answer::{Given, judge};
use super::grant::{By, Grant};
use super::tokens::{Desk, Place, Tokens, Unkept};
use super::{Denied, Lasts, OAuth2Problem};
use crate::exchange::{Failure, Line};
use crate::seal::StateKey;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use zaprun_core::definition::Secret;
use zaprun_engine::ports::Clock;

/// Bytes of an answer with a token that are read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// A token is renewed so long before it ends, so that none ends on the way; of short ones a tenth of their time.
const MARGIN: Duration = Duration::from_secs(60);
/// Nothing lasts longer: what a server says beyond is taken for this.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// An access token.
#[derive(Clone)]
pub(crate) struct Access {
    /// `Bearer …`
    pub(crate) header: HeaderValue,
    /// Which of this connection's tokens it is.
    pub(crate) number: u64,
    /// When it is not used any more; `None`: it is used until it is refused.
    until: Option<Timestamp>,
    lasts: Option<Duration>,
}

type Outcome = Result<Access, Denied>;

/// Gives the access token of one connection, and asks for it where there is none.
pub(crate) struct Keeper {
    connection: String,
    grant: Grant,
    line: Line,
    key: Option<StateKey>,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Access>,
    given: u64,
    /// The request that is under way. Its sender is gone once it ended, and before that only if it died.
    flight: Option<watch::Receiver<Option<Outcome>>>,
}

impl Keeper {
    /// A keeper without a token. Nothing is sent.
    ///
    /// # Errors
    /// A refresh token without a key to seal its followers with.
    pub(crate) fn new(
        connection: &str,
        grant: Grant,
        line: Line,
        key: Option<StateKey>,
        clock: Arc<dyn Clock>,
        tokens: &Tokens,
    ) -> Result<Keeper, OAuth2Problem> {
        if matches!(grant.by, By::Refresh(_)) && key.is_none() {
            return Err(OAuth2Problem::NoStateKey);
        }
        Ok(Keeper {
            connection: connection.to_owned(),
            grant,
            line,
            key,
            clock,
            tokens: tokens.clone(),
            state: Mutex::default(),
        })
    }

    /// The token to send with. `refused` is the number of one that the API did not take: it is given out no more.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) async fn access(self: &Arc<Self>, refused: Option<u64>) -> Outcome {
        let mut flight = {
            let mut state = self.lock();
            if let Some(token) = &state.token
                && refused.is_none_or(|refused| refused != token.number)
                && token.until.is_none_or(|until| self.clock.now() < until)
            {
                return Ok(token.clone());
            }
            let under_way = state
                .flight
                .as_ref()
                .filter(|flight| flight.has_changed().is_ok() && flight.borrow().is_none());
            match under_way {
                Some(flight) => flight.clone(),
                None => self.take_off(&mut state),
            }
        };
        let landed = flight.wait_for(Option::is_some).await;
        // An error: the task was ended with the program, or it panicked.
        landed
            .ok()
            .and_then(|outcome| outcome.clone())
            .unwrap_or_else(|| Err(Denied::Later("the request for a token was broken off".to_owned())))
    }

    /// Asks in a task of its own.
    fn take_off(self: &Arc<Self>, state: &mut State) -> watch::Receiver<Option<Outcome>> {
        let (land, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let mut outcome = keeper.ask().await;
            let mut state = keeper.lock();
            if let Ok(token) = &mut outcome {
                state.given += 1;
                token.number = state.given;
                state.token = Some(token.clone());
            }
            state.flight = None;
            // Under the lock, so that nobody finds neither the token nor the flight. Nobody may be waiting any more.
            let _ = land.send(Some(outcome));
        });
        flight
    }

    async fn ask(&self) -> Outcome {
        let desk = self.tokens.desk(&self.connection);
        let mut desk = desk.lock().await;
        let By::Refresh(named) = &self.grant.by else { return Ok(self.exchange(None).await?.0) };
        let Some(key) = &self.key else { return Err(Denied::Fault(OAuth2Problem::NoStateKey.to_string())) };
        let vault = self.tokens.vault()?.as_ref();
        let place = Place { connection: &self.connection, key, named };
        if desk.unkept.is_none() {
            let spent = place.current(vault).await?;
            self.tokens.hide(&self.connection, &spent);
            let (access, refresh) = self.exchange(Some(&spent)).await?;
            let Some(refresh) = refresh.filter(|refresh| *refresh != spent) else { return Ok(access) };
            desk.unkept = Some(Unkept { refresh, access });
        }
        let Desk { unkept } = &mut *desk;
        let Some(Unkept { refresh, access }) = unkept else {
            return Err(Denied::Later("there is no token".to_owned()));
        };
        place.keep(vault, refresh, self.clock.as_ref()).await?;
        let access = access.clone();
        *unkept = None;
        Ok(access)
    }

    /// One request for a token: what was given, the secrets in it hidden.
    async fn exchange(&self, refresh: Option<&Secret>) -> Result<(Access, Option<Secret>), Denied> {
        let asked_at = self.clock.now();
        let ask = self.grant.ask(self.line.client(), refresh, asked_at);
        let ask = ask.ok_or_else(|| Denied::Fault("the service account's key cannot sign".to_owned()))?;
        let answer = self.line.exchange(ask.request, ANSWER_LIMIT).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::NotSent { reason, retryable: false } => {
                Denied::Fault(format!("the token endpoint: {reason}"))
            }
            Failure::NotSent { reason, .. } | Failure::Unknown { reason } => {
                Denied::Later(format!("the token endpoint: {reason}"))
            }
        })?;
        let Given { access, lasts, refresh } = judge(&answer, &self.grant.by, &ask.secrets)?;
        for secret in [&access].into_iter().chain(&refresh) {
            self.tokens.hide(&self.connection, secret);
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", access.expose()))
            .map_err(|_| Denied::Fault("the token cannot stand in a header".to_owned()))?;
        header.set_sensitive(true);
        let until = lasts.map(|lasts| ends(asked_at, lasts));
        Ok((Access { header, number: 0, until, lasts }, refresh))
    }

    /// That what is kept of this connection can be opened.
    pub(crate) async fn check_kept(&self) -> Result<(), Denied> {
        let (By::Refresh(named), Some(key)) = (&self.grant.by, &self.key) else { return Ok(()) };
        let place = Place { connection: &self.connection, key, named };
        place.current(self.tokens.vault()?.as_ref()).await.map(drop)
    }

    /// Asks for a token, or says how long the present one lasts.
    pub(crate) async fn try_out(self: &Arc<Self>) -> Result<Lasts, Denied> {
        Ok(Lasts { for_: self.access(None).await?.lasts })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a token is not used any more. Counted from before it was asked for: it began to run at the server after that.
fn ends(asked_at: Timestamp, lasts: Duration) -> Timestamp {
    let lasts = lasts.min(LONGEST);
    let used = lasts.saturating_sub(MARGIN.min(lasts / 10));
    let used = SignedDuration::try_from(used).unwrap_or(SignedDuration::ZERO);
    asked_at.saturating_add(used).unwrap_or(Timestamp::MAX)
}
