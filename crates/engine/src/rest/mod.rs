//! How long a connection to the CRM is left alone once the CRM refuses its login or this machine's address. Repeated bad
//! logins may lock the user, so all who use the connection rest together: its poll, what webhooks tell of, and
//! delivery. One at a time tries again, and whoever gets through wakes the others.

mod kept;
#[cfg(test)]
mod tests;

pub(crate) use kept::{reader, writer};

use crate::delivery::{Wakers, after};
use crate::polling::backoff::doubled;
use crate::polling::{FIRST_LOOK, LAST_LOOK};
use crate::ports::{Clock, ReadError};
use crate::report::{Event, Observer};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A look that meets a fault on the way has not learnt whether the login is good; so many may follow each other at once.
const FAULTS: u32 = 4;

/// A run that meets a connection at rest looks again after so long at most: it is one of few, since the others are not
/// taken up, and nobody moves its time forward when the rest is over.
const PARKED: Duration = Duration::from_secs(60);

/// The same while somebody else is just trying.
const TRYING: Duration = Duration::from_secs(15);

/// A connection's rest.
pub(crate) struct Rest {
    connection: String,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    /// Of lanes that may go on.
    wakers: Wakers,
    refused: Mutex<Option<Refusal>>,
    changed: Notify,
}

/// The CRM refuses us, and a person must act.
struct Refusal {
    error: ReadError,
    since: Timestamp,
    tries: u32,
    /// Tries in a row that came to nothing.
    faults: u32,
    retry_at: Timestamp,
    /// Somebody is trying.
    trying: bool,
}

/// Whether the connection may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// As much as anybody likes.
    Open,
    /// By one, to see whether it is let in.
    Due,
    /// Somebody is just trying that.
    Trying,
    /// Not before then.
    Shut(Timestamp),
}

/// Leave to ask the CRM once. Dropped without a word (the engine is stopping), it frees the place of the one who tries.
struct Knock<'a> {
    rest: &'a Rest,
    tries: bool,
    told: bool,
}

/// What an answer says of the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login<'a> {
    Good,
    /// The line was at fault: another try may tell.
    Fault,
    /// Nothing can be told from it, and it is no time for another try.
    Unknown,
    Refused(&'a ReadError),
}

impl Rest {
    /// That of a connection which is in use. Its news goes to `observer`; `wakers` are rung when it changes.
    pub(crate) fn new(
        connection: &str,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        wakers: Wakers,
    ) -> Rest {
        Rest {
            connection: connection.to_owned(),
            clock,
            observer,
            wakers,
            refused: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Whether the connection may be used now.
    pub(crate) fn entry(&self, now: Timestamp) -> Entry {
        match &*self.lock() {
            None => Entry::Open,
            Some(refusal) if refusal.trying => Entry::Trying,
            Some(refusal) if refusal.retry_at > now => Entry::Shut(refusal.retry_at),
            Some(_) => Entry::Due,
        }
    }

    /// Whether the CRM refuses us.
    pub(crate) fn is_refused(&self) -> bool {
        self.lock().is_some()
    }

    /// Until when nobody should ask; a little later than now while somebody tries.
    pub(crate) fn until(&self) -> Timestamp {
        let now = self.clock.now();
        match &*self.lock() {
            None => Timestamp::MIN,
            Some(refusal) if refusal.trying => after(now, TRYING),
            Some(refusal) => refusal.retry_at,
        }
    }

    /// Why it rests, in plain words.
    pub(crate) fn reason(&self) -> String {
        self.lock().as_ref().map(|refusal| refusal.error.to_string()).unwrap_or_default()
    }

    /// When a run that may not use it now looks again.
    pub(crate) fn park_until(&self, now: Timestamp) -> Timestamp {
        match self.entry(now) {
            Entry::Shut(until) => until.min(after(now, PARKED)),
            Entry::Open | Entry::Due | Entry::Trying => after(now, TRYING),
        }
    }

    /// Ready when it has begun, changed or ended since the last time this was asked.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The clock was set back by `step`: the rest does not grow by it.
    pub(crate) fn set_back(&self, step: SignedDuration) {
        if let Some(refusal) = self.lock().as_mut() {
            refusal.retry_at = refusal.retry_at.saturating_sub(step).unwrap_or(Timestamp::MIN);
        }
    }

    /// Leave to ask the CRM.
    ///
    /// # Errors
    /// Why nobody may ask now: what the CRM said last.
    fn knock(&self) -> Result<Knock<'_>, ReadError> {
        let now = self.clock.now();
        let mut refused = self.lock();
        let tries = match &mut *refused {
            None => false,
            Some(refusal) if refusal.trying || refusal.retry_at > now => return Err(refusal.error.clone()),
            Some(refusal) => {
                refusal.trying = true;
                true
            }
        };
        drop(refused);
        Ok(Knock { rest: self, tries, told: false })
    }

    /// The CRM refused somebody.
    fn refuse(&self, error: &ReadError, tried: bool) {
        let now = self.clock.now();
        let mut refused = self.lock();
        let news = match &mut *refused {
            // Whoever asked before it was known, too.
            Some(_) if !tried => return,
            Some(refusal) => {
                refusal.again(now);
                refusal.error = error.clone();
                None
            }
            none => {
                let retry_at = after(now, FIRST_LOOK);
                *none = Some(Refusal {
                    error: error.clone(),
                    since: now,
                    tries: 0,
                    faults: 0,
                    retry_at,
                    trying: false,
                });
                Some(retry_at)
            }
        };
        drop(refused);
        self.wake();
        if let Some(retry_at) = news {
            self.observer.see(Event::Stopped {
                connection: self.connection.clone(),
                query: None,
                permission: None,
                error: error.clone(),
                retry_at,
            });
        }
    }

    /// A try came to nothing. Whatever goes wrong does not make anybody knock more often.
    fn fault(&self, may_repeat: bool) {
        let now = self.clock.now();
        if let Some(refusal) = self.lock().as_mut() {
            refusal.trying = false;
            refusal.faults = refusal.faults.saturating_add(1);
            if refusal.faults >= FAULTS || !may_repeat {
                refusal.again(now);
            }
        }
        self.wake();
    }

    /// A try got through.
    fn over(&self) {
        let refusal = self.lock().take();
        let Some(refusal) = refusal else { return };
        self.wake();
        self.observer.see(Event::Recovered {
            connection: self.connection.clone(),
            query: None,
            since: refusal.since,
        });
    }

    fn wake(&self) {
        self.changed.notify_one();
        self.wakers.ring_all();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Refusal>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusal {
    fn again(&mut self, now: Timestamp) {
        self.trying = false;
        self.faults = 0;
        self.tries = self.tries.saturating_add(1);
        self.retry_at = after(now, doubled(FIRST_LOOK, LAST_LOOK, self.tries));
    }
}

impl Knock<'_> {
    /// What came of it.
    fn learn(mut self, login: Login<'_>) {
        self.told = true;
        match login {
            Login::Refused(error) => self.rest.refuse(error, self.tries),
            // Only who asked since it was refused can tell that it is not any more.
            _ if !self.tries => {}
            Login::Good => self.rest.over(),
            Login::Fault => self.rest.fault(true),
            Login::Unknown => self.rest.fault(false),
        }
    }
}

impl Drop for Knock<'_> {
    fn drop(&mut self) {
        if self.tries
            && !self.told
            && let Some(refusal) = self.rest.lock().as_mut()
        {
            refusal.trying = false;
        }
    }
}

impl<'a> Login<'a> {
    fn of(error: Option<&'a ReadError>) -> Login<'a> {
        match error {
            Some(error) if error.stops_connection() => Login::Refused(error),
            // The CRM knows who asks, also where it does not give what is asked for.
            None | Some(ReadError::Permission { .. } | ReadError::TooMany { .. }) => Login::Good,
            Some(ReadError::Transport { retry_after: None, .. }) => Login::Fault,
            // Its words for a user who is locked may be any.
            Some(_) => Login::Unknown,
        }
    }
}
