//! Who goes next on a busy connection.
//!
//! One at a time stands at the head, where it waits for a place and for the rate. Whoever comes meanwhile waits in the
//! line of its kind; lines take turns by [`ORDER`], and within a line the zaps take turns, so that neither a burst of one
//! zap nor a backfill delays anybody by more than a few requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Finding out what is new.
    Poll,
    /// The work of a run, its looks and look-ups included.
    Run,
    /// Reading what is old; nobody waits for it.
    Backfill,
}

/// Whose request it is, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// What for.
    pub purpose: Purpose,
    /// The zap, by any number that is its own; 0 where it is nobody's.
    pub whose: i64,
}

impl Ticket {
    /// For finding out what is new.
    pub const POLL: Ticket = Ticket { purpose: Purpose::Poll, whose: 0 };
    /// For reading what is old.
    pub const BACKFILL: Ticket = Ticket { purpose: Purpose::Backfill, whose: 0 };

    /// For the runs of a zap.
    pub const fn run(whose: i64) -> Ticket {
        Ticket { purpose: Purpose::Run, whose }
    }
}

/// The lines take turns like this, empty ones passed over: reads and runs alternate, and a backfill gets every ninth turn
/// of a connection that both keep busy.
const ORDER: [Purpose; 9] = [
    Purpose::Poll,
    Purpose::Run,
    Purpose::Poll,
    Purpose::Run,
    Purpose::Poll,
    Purpose::Run,
    Purpose::Poll,
    Purpose::Run,
    Purpose::Backfill,
];

/// The way to the head.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<State>);

/// Being at the head; dropping it lets the next one there.
#[derive(Debug)]
pub(crate) struct Head(Option<Arc<Gate>>);

#[derive(Debug, Default)]
struct State {
    /// Somebody is at the head.
    taken: bool,
    /// The place in [`ORDER`] from which the next one is sought.
    at: usize,
    poll: Line,
    run: Line,
    backfill: Line,
}

/// Those who wait for one purpose, by whose they are; whoever is first goes next, and then behind the others.
#[derive(Debug, Default)]
struct Line(VecDeque<(i64, VecDeque<oneshot::Sender<Head>>)>);

impl Line {
    fn push(&mut self, whose: i64, waiter: oneshot::Sender<Head>) {
        match self.0.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, waiters)) => waiters.push_back(waiter),
            None => self.0.push_back((whose, VecDeque::from([waiter]))),
        }
    }

    fn pop(&mut self) -> Option<oneshot::Sender<Head>> {
        let (whose, mut waiters) = self.0.pop_front()?;
        let next = waiters.pop_front();
        if !waiters.is_empty() {
            self.0.push_back((whose, waiters));
        }
        next
    }
}

impl State {
    fn line(&mut self, purpose: Purpose) -> &mut Line {
        match purpose {
            Purpose::Poll => &mut self.poll,
            Purpose::Run => &mut self.run,
            Purpose::Backfill => &mut self.backfill,
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<Head>> {
        let from = self.at;
        for (step, purpose) in ORDER.iter().cycle().skip(from).take(ORDER.len()).enumerate() {
            if let Some(waiter) = self.line(*purpose).pop() {
                self.at = (from + step + 1) % ORDER.len();
                return Some(waiter);
            }
        }
        None
    }
}

impl Gate {
    /// Waits for the head. Giving up (dropping the future) leaves the others as they were.
    pub(crate) async fn head(self: &Arc<Self>, ticket: Ticket) -> Head {
        let waiting = {
            let mut state = self.state();
            if state.taken {
                let (sender, waiting) = oneshot::channel();
                state.line(ticket.purpose).push(ticket.whose, sender);
                Some(waiting)
            } else {
                state.taken = true;
                None
            }
        };
        match waiting {
            None => Head(Some(Arc::clone(self))),
            // A waiter is dropped only with the gate, which we hold; were it otherwise, nobody would have to wait.
            Some(waiting) => waiting.await.unwrap_or(Head(None)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next one there that still waits.
    fn pass_on(self: Arc<Self>) {
        let mut head = Head(Some(self));
        loop {
            let Some(gate) = &head.0 else { return };
            let next = {
                let mut state = gate.state();
                let next = state.next();
                state.taken = next.is_some();
                next
            };
            let Some(next) = next else {
                head.0 = None;
                return;
            };
            match next.send(head) {
                // Should it give up before it looks, the head is dropped with what was sent, and goes on from there.
                Ok(()) => return,
                Err(back) => head = back,
            }
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            gate.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use proptest::prelude::*;

    /// The order in which those who queue up behind a first one get to the head.
    fn served(tickets: &[Ticket], gives_up: impl Fn(usize) -> bool) -> Vec<usize> {
        let gate = Arc::new(Gate::default());
        let first = gate.head(Ticket::POLL).now_or_never().unwrap();
        let mut waiting: Vec<Option<BoxFuture<'_, Head>>> = tickets
            .iter()
            .map(|ticket| {
                let mut head = gate.head(*ticket).boxed();
                assert!((&mut head).now_or_never().is_none(), "somebody is there");
                Some(head)
            })
            .collect();
        for (number, waiter) in waiting.iter_mut().enumerate() {
            if gives_up(number) {
                *waiter = None;
            }
        }
        drop(first);
        let mut served = Vec::new();
        loop {
            let mut ready = Vec::new();
            for (number, waiter) in waiting.iter_mut().enumerate() {
                if let Some(head) = waiter.as_mut().and_then(|head| head.now_or_never()) {
                    *waiter = None;
                    ready.push((number, head));
                }
            }
            assert!(ready.len() <= 1, "one at a time");
            let Some((number, head)) = ready.pop() else { break };
            served.push(number);
            drop(head);
        }
        assert!(!gate.state().taken, "and in the end nobody is there");
        served
    }

    #[test]
    fn a_read_passes_a_burst_of_writes() {
        let mut tickets = vec![Ticket::run(1); 64];
        tickets.push(Ticket::POLL);
        assert_eq!(served(&tickets, |_| false).iter().position(|number| *number == 64), Some(0));
    }

    #[test]
    fn many_reads_do_not_starve_a_write() {
        let mut tickets = vec![Ticket::POLL; 64];
        tickets.push(Ticket::run(1));
        let place = served(&tickets, |_| false).iter().position(|number| *number == 64);
        assert!(place <= Some(1), "{place:?}");
    }

    #[test]
    fn zaps_take_turns() {
        let mut tickets = vec![Ticket::run(1); 5];
        tickets.extend([Ticket::run(2), Ticket::run(3), Ticket::run(2)]);
        assert_eq!(served(&tickets, |_| false), [0, 5, 6, 1, 7, 2, 3, 4]);
    }

    #[test]
    fn a_backfill_gets_a_small_share_and_not_nothing() {
        let mut tickets = vec![Ticket::BACKFILL; 10];
        tickets.extend(vec![Ticket::POLL; 40]);
        tickets.extend(vec![Ticket::run(1); 40]);
        let served = served(&tickets, |_| false);
        let backfills = served[..81].iter().filter(|number| **number < 10).count();
        assert_eq!(backfills, 9, "one in nine while all wait");
    }

    fn tickets() -> impl Strategy<Value = Vec<Ticket>> {
        let purpose = proptest::sample::select(vec![Purpose::Poll, Purpose::Run, Purpose::Backfill]);
        let ticket = (purpose, 0..4_i64).prop_map(|(purpose, whose)| Ticket { purpose, whose });
        proptest::collection::vec(ticket, 0..40)
    }

    proptest! {
        #[test]
        fn everybody_who_stays_is_served_once(tickets in tickets(), quitters: u64) {
            let quits = |number: usize| number < 64 && quitters >> number & 1 == 1;
            let mut served = served(&tickets, quits);
            served.sort_unstable();
            let stayed: Vec<usize> = (0..tickets.len()).filter(|number| !quits(*number)).collect();
            prop_assert_eq!(served, stayed);
        }

        #[test]
        fn of_one_zap_and_purpose_the_first_comes_first(tickets in tickets()) {
            let served = served(&tickets, |_| false);
            for (before, after) in served.iter().enumerate().flat_map(|(at, one)| served[at..].iter().map(move |two| (*one, *two))) {
                prop_assert!(tickets[before] != tickets[after] || before <= after);
            }
        }
    }
}
