#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::*;
use std::sync::mpsc as blocking;
use zaprun_engine::ports::ZapId;

fn desk() -> Desk {
    let conn = Connection::open_in_memory().unwrap();
    crate::schema::migrate(&conn, 0).unwrap();
    let fence = take_over(&conn).unwrap();
    Desk { conn, path: PathBuf::from(":memory:"), fence, lease: None, kinds: HashMap::new(), touches: false }
}

/// A mailbox whose thread stands still until told, so that what is ordered meanwhile meets in one round.
struct Held {
    mailbox: Mailbox,
    go: blocking::Sender<()>,
}

fn held() -> Held {
    let mailbox = Mailbox::open(desk()).unwrap();
    let (go, wait) = blocking::channel::<()>();
    let (reply, _) = oneshot::channel();
    let body = move |_: &Connection| {
        // Ends with an error when the test dropped its end, which will do as well.
        let _ = wait.recv();
        Ok(())
    };
    let order = Order::Look(Box::new(LookJob { body, reply }));
    mailbox.orders.as_ref().unwrap().blocking_send(order).unwrap();
    Held { mailbox, go }
}

impl Held {
    fn order<F>(&self, body: F) -> oneshot::Receiver<Result<usize, StoreError>>
    where
        F: FnMut(&mut Tx<'_>) -> Result<usize, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = ChangeJob { weight: 1, body, result: None, reply };
        self.mailbox.orders.as_ref().unwrap().blocking_send(Order::Change(Box::new(job))).unwrap();
        answer
    }

    fn order_kind(&self, name: &'static str) -> oneshot::Receiver<Result<usize, StoreError>> {
        self.order(move |tx| tx.kind(name).map(|_| 1))
    }

    fn kinds(self) -> (Mailbox, Vec<String>) {
        let (reply, answer) = oneshot::channel();
        let body = |conn: &Connection| {
            let mut kinds: Vec<String> = load_kinds(conn).unwrap().into_keys().collect();
            kinds.sort();
            Ok(kinds)
        };
        let look = Order::Look(Box::new(LookJob { body, reply }));
        let _ = self.go.send(());
        // A round of its own: the one before has been answered when this is looked at.
        self.mailbox.orders.as_ref().unwrap().blocking_send(look).unwrap();
        let kinds = answer.blocking_recv().unwrap().unwrap();
        (self.mailbox, kinds)
    }
}

#[test]
fn one_that_fails_after_writing_harms_no_other() {
    let held = held();
    let first = held.order_kind("a");
    let bad = held.order(|tx| {
        tx.kind("half")?;
        tx.count(ZapId(1), 0, 5);
        Err(fault::refused("no"))
    });
    let last = held.order_kind("b");
    let _ = held.go.send(());
    assert_eq!(first.blocking_recv().unwrap(), Ok(1));
    assert_eq!(bad.blocking_recv().unwrap(), Err(fault::refused("no")));
    assert_eq!(last.blocking_recv().unwrap(), Ok(1));
    let (_mailbox, kinds) = held.kinds();
    assert_eq!(kinds, ["a", "b"]);
}

#[test]
fn one_that_fails_before_writing_is_answered_alone() {
    let held = held();
    let bad = held.order(|_| Err(fault::refused("no")));
    let good = held.order_kind("a");
    let _ = held.go.send(());
    assert_eq!(bad.blocking_recv().unwrap(), Err(fault::refused("no")));
    assert_eq!(good.blocking_recv().unwrap(), Ok(1));
}

#[test]
fn a_commit_that_fails_fails_its_whole_round() {
    let held = held();
    let good = held.order_kind("a");
    // A count for a zap that is not there breaks the transaction's end.
    let bad = held.order(|tx| {
        tx.count(ZapId(99), 0, 1);
        Ok(1)
    });
    let _ = held.go.send(());
    assert!(matches!(good.blocking_recv().unwrap(), Err(StoreError::Refused { .. })));
    assert!(matches!(bad.blocking_recv().unwrap(), Err(StoreError::Refused { .. })));
    let (_mailbox, kinds) = held.kinds();
    assert!(kinds.is_empty(), "{kinds:?}");
}

#[test]
fn a_caller_that_went_away_does_not_undo_its_order() {
    let held = held();
    drop(held.order_kind("a"));
    let last = held.order_kind("b");
    let _ = held.go.send(());
    assert_eq!(last.blocking_recv().unwrap(), Ok(1));
    let (_mailbox, kinds) = held.kinds();
    assert_eq!(kinds, ["a", "b"]);
}

#[test]
fn dropping_finishes_what_was_ordered() {
    let held = held();
    let order = held.order_kind("a");
    let Held { mailbox, go } = held;
    let _ = go.send(());
    drop(mailbox);
    assert_eq!(order.blocking_recv().unwrap(), Ok(1));
}

#[test]
fn a_panic_in_the_thread_is_an_error_for_its_callers() {
    let held = held();
    let order = held.order(|_| std::panic::panic_any("planned"));
    let behind = held.order_kind("a");
    let _ = held.go.send(());
    assert!(order.blocking_recv().is_err());
    assert!(behind.blocking_recv().is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(held.mailbox.close()), Err(fault::gone()));
}
