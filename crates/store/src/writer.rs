//! The one thread that touches the database: a mailbox, and group commit.
//!
//! Each round takes what waits in the mailbox. Looks are answered first, from what is committed; then all changes go
//! into one transaction and are answered after its commit, so that one flush of the disk serves many callers.
//!
//! Nearly every change succeeds, so changes share the transaction without savepoints, which would copy every page they
//! touch. One that fails before it wrote anything is answered alone. One that fails later undoes the whole round, which
//! then is done again with a transaction for each change: the failing one harms no other.

use crate::fault;
use crate::lease::Lease;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};
use zaprun_engine::ports::StoreError;

pub(crate) use tx::Tx;

mod tx;

/// How many orders may wait before callers do.
const MAILBOX: usize = 1024;
/// How much goes into one transaction: a change counts one, and a page one more for each event.
const ROUND: usize = 2048;

/// What the mailbox takes.
enum Order {
    Look(Box<dyn Look>),
    Change(Box<dyn Change>),
    /// Done outside of any transaction, once what came before is done.
    Tend(Box<dyn Look>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// Reads.
trait Look: Send {
    fn look(self: Box<Self>, conn: Result<&Connection, StoreError>);
}

/// Writes. `apply` may be called again after its first effect was undone.
trait Change: Send {
    fn weight(&self) -> usize;
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, verdict: Result<(), StoreError>);
}

struct LookJob<T, F> {
    body: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F> Look for LookJob<T, F>
where
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn look(self: Box<Self>, conn: Result<&Connection, StoreError>) {
        let LookJob { body, reply } = *self;
        // A caller that went away needs no answer.
        let _ = reply.send(conn.and_then(body));
    }
}

struct ChangeJob<T, F> {
    weight: usize,
    body: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F> Change for ChangeJob<T, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.result = Some((self.body)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, verdict: Result<(), StoreError>) {
        let ChangeJob { result, reply, .. } = *self;
        let _ = reply.send(verdict.and_then(|()| result.ok_or_else(fault::gone)));
    }
}

/// The thread's end of the mailbox.
pub(crate) struct Desk {
    pub(crate) conn: Connection,
    pub(crate) path: PathBuf,
    /// The fencing number, raised when the lease was taken.
    pub(crate) fence: i64,
    /// Declared after the connection: the file is closed before the lock is let go.
    pub(crate) lease: Option<Lease>,
    pub(crate) kinds: HashMap<String, i64>,
    /// Whether the state may know of an order that zaprun touched.
    pub(crate) touches: bool,
}

/// Why a round was undone.
enum Undone {
    /// It cannot be done: all get this.
    All(StoreError),
    /// One change failed after it had written; each must be tried alone.
    One,
}

impl Desk {
    fn serve(mut self, mut mailbox: mpsc::Receiver<Order>) {
        let mut closing = None;
        while let Some(first) = mailbox.blocking_recv() {
            closing = self.round(first, &mut mailbox);
            if closing.is_some() {
                break;
            }
        }
        let ended = self.shut();
        // Whoever waits in the mailbox still learns that the store is closed: dropping it drops their senders.
        drop(mailbox);
        if let Some(reply) = closing {
            let _ = reply.send(ended);
        }
    }

    /// One round; gives the caller of `close` when there is one.
    fn round(
        &mut self,
        first: Order,
        mailbox: &mut mpsc::Receiver<Order>,
    ) -> Option<oneshot::Sender<Result<(), StoreError>>> {
        let (mut looks, mut changes, mut weight, mut closing) = (Vec::new(), Vec::new(), 0, None);
        let mut tending = None;
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Look(look) => {
                    weight += 1;
                    looks.push(look);
                }
                Order::Change(change) => {
                    weight += change.weight();
                    changes.push(change);
                }
                Order::Tend(tend) => {
                    tending = Some(tend);
                    break;
                }
                Order::Close(reply) => {
                    closing = Some(reply);
                    break;
                }
            }
            next = if weight < ROUND { mailbox.try_recv().ok() } else { None };
        }
        self.look(looks);
        self.change(changes);
        if let Some(tend) = tending {
            // Whoever lost the lease touches nothing.
            let ready = self.begin("BEGIN DEFERRED").map(|_| self.undo());
            tend.look(ready.map(|()| &self.conn));
        }
        closing
    }

    fn look(&self, looks: Vec<Box<dyn Look>>) {
        if looks.is_empty() {
            return;
        }
        // One snapshot for all; its end cannot fail in a way that matters, since nothing was written.
        let ready = self.begin("BEGIN DEFERRED").map(|_| ());
        for look in looks {
            look.look(ready.clone().map(|()| &self.conn));
        }
        self.undo();
    }

    fn change(&mut self, mut changes: Vec<Box<dyn Change>>) {
        if changes.is_empty() {
            return;
        }
        let verdicts = match self.commit(&mut changes) {
            Ok(verdicts) => verdicts,
            Err(Undone::All(error)) => changes.iter().map(|_| Err(error.clone())).collect(),
            Err(Undone::One) => changes.iter_mut().map(|change| self.commit_alone(change)).collect(),
        };
        for (change, verdict) in changes.into_iter().zip(verdicts) {
            change.answer(verdict);
        }
    }

    fn commit_alone(&mut self, change: &mut Box<dyn Change>) -> Result<(), StoreError> {
        match self.commit(std::slice::from_mut(change)) {
            Ok(verdicts) => verdicts.into_iter().collect(),
            Err(Undone::All(error)) => Err(error),
            // A group of one never asks to be split; see `apply_all`.
            Err(Undone::One) => Err(fault::gone()),
        }
    }

    /// Commits a group in one transaction: a verdict for each, or nothing was kept.
    fn commit(&mut self, group: &mut [Box<dyn Change>]) -> Result<Vec<Result<(), StoreError>>, Undone> {
        let outcome = self.begin("BEGIN IMMEDIATE").map_err(Undone::All).and_then(|next_run| {
            let verdicts = self.apply_all(group, next_run)?;
            self.execute("COMMIT").map_err(Undone::All)?;
            Ok(verdicts)
        });
        if outcome.is_err() {
            self.undo();
            // Numbers given in the transaction are gone with it.
            self.kinds.clear();
        }
        outcome
    }

    fn apply_all(
        &mut self,
        group: &mut [Box<dyn Change>],
        next_run: i64,
    ) -> Result<Vec<Result<(), StoreError>>, Undone> {
        let mut tally = HashMap::new();
        let mut tx = Tx {
            conn: &self.conn,
            path: &self.path,
            kinds: &mut self.kinds,
            touches: &mut self.touches,
            tally: &mut tally,
            next_run,
        };
        let alone = group.len() == 1;
        let mut verdicts = Vec::with_capacity(group.len());
        for change in group {
            let before = self.conn.total_changes();
            let verdict = change.apply(&mut tx);
            if let Err(error) = &verdict {
                let wrote = self.conn.is_autocommit() || self.conn.total_changes() != before;
                match (wrote, alone) {
                    (false, _) => {}
                    (true, true) => return Err(Undone::All(error.clone())),
                    (true, false) => return Err(Undone::One),
                }
            }
            verdicts.push(verdict);
        }
        let made = tx.next_run;
        self.settle(&tally, next_run, made).map_err(|error| Undone::All(fault::sql(&self.path, &error)))?;
        Ok(verdicts)
    }

    /// Writes what the whole transaction shares: counts and the next run's id.
    fn settle(&self, tally: &HashMap<(i64, i64), i64>, from: i64, next_run: i64) -> rusqlite::Result<()> {
        if next_run != from {
            self.conn.prepare_cached("UPDATE meta SET next_run = ?1")?.execute([next_run])?;
        }
        let mut add = self.conn.prepare_cached(
            "INSERT INTO tally (zap, state, n) VALUES (?1, ?2, ?3)
             ON CONFLICT (zap, state) DO UPDATE SET n = n + excluded.n",
        )?;
        for ((zap, state), by) in tally.iter().filter(|(_, by)| **by != 0) {
            add.execute(params![zap, state, by])?;
        }
        Ok(())
    }

    /// Begins a transaction and checks the fence within it; gives the next run's id.
    fn begin(&self, how: &str) -> Result<i64, StoreError> {
        self.execute(how)?;
        let meta = self
            .conn
            .prepare_cached("SELECT fence, next_run FROM meta")
            .and_then(|mut s| s.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))))
            .map_err(|error| fault::sql(&self.path, &error));
        match meta {
            Ok((fence, next_run)) if fence == self.fence => Ok(next_run),
            Ok(_) => {
                self.undo();
                Err(StoreError::Fenced)
            }
            Err(error) => {
                self.undo();
                Err(error)
            }
        }
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.execute([]))
            .map(drop)
            .map_err(|error| fault::sql(&self.path, &error))
    }

    /// Ends the transaction, if one is open, without keeping anything.
    fn undo(&self) {
        if !self.conn.is_autocommit() {
            // SQLite may have rolled back by itself meanwhile; then there is nothing to undo.
            let _ = self.execute("ROLLBACK");
        }
    }

    /// Folds the log into the database and closes it, then lets the lock go.
    fn shut(self) -> Result<(), StoreError> {
        let Desk { conn, path, lease, .. } = self;
        let folded = if lease.is_some() {
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(|e| fault::sql(&path, &e))
        } else {
            Ok(())
        };
        let closed = conn.close().map_err(|(_, error)| fault::sql(&path, &error));
        drop(lease);
        folded.and(closed)
    }
}

/// The callers' end of the mailbox. Dropping it lets the thread finish what it was given, and waits for that.
#[derive(Debug)]
pub(crate) struct Mailbox {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<std::thread::JoinHandle<()>>,
    path: PathBuf,
}

impl Mailbox {
    /// Starts the thread.
    pub(crate) fn open(desk: Desk) -> Result<Mailbox, StoreError> {
        let (orders, mailbox) = mpsc::channel(MAILBOX);
        let path = desk.path.clone();
        let thread = std::thread::Builder::new()
            .name("zaprun-store".to_owned())
            .spawn(move || desk.serve(mailbox))
            .map_err(|error| StoreError::Io { reason: format!("no thread for the store: {error}") })?;
        Ok(Mailbox { orders: Some(orders), thread: Some(thread), path })
    }

    /// Reads from what is committed.
    pub(crate) async fn look<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Order::Look(Box::new(LookJob { body, reply })), answer).await
    }

    /// Writes, and returns once it is durable. Once sent it happens, also when the caller stops waiting.
    pub(crate) async fn change<T, F>(&self, weight: usize, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Order::Change(Box::new(ChangeJob { weight, body, result: None, reply })), answer).await
    }

    /// Tends to the file itself, outside of any transaction.
    pub(crate) async fn tend<F>(&self, body: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Connection, &std::path::Path) -> Result<(), StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let path = self.path.clone();
        let body = move |conn: &Connection| body(conn, &path);
        self.send(Order::Tend(Box::new(LookJob { body, reply })), answer).await
    }

    /// Ends the thread after all that was ordered before.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Order::Close(reply), answer).await
    }

    async fn send<T>(
        &self,
        order: Order,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let orders = self.orders.as_ref().ok_or_else(fault::gone)?;
        orders.send(order).await.map_err(|_| fault::gone())?;
        answer.await.map_err(|_| fault::gone())?
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was already told to its callers as a closed store.
            let _ = thread.join();
        }
    }
}

/// Raises the fencing number: whoever had the state before writes nothing more.
pub(crate) fn take_over(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("UPDATE meta SET fence = fence + 1 RETURNING fence", [], |row| row.get(0))
}

/// The kinds' numbers.
pub(crate) fn load_kinds(conn: &Connection) -> rusqlite::Result<HashMap<String, i64>> {
    let mut kinds = conn.prepare("SELECT name, id FROM kind")?;
    let rows = kinds.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests;
