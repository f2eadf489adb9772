//! A model of the CRM's write side: what it was told, what it did, and when.
//!
//! It is a model, not the sandbox: small enough to be obviously right, and driven by the test's clock.

use crate::ports::{Clock, CrmReply, CrmWriter, ReadError, Refusal, Seen, Sight, Turn, WriteOutcome};
use crate::testing::{Calls, FakeClock};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zaprun_core::crm;
use zaprun_core::request::{CrmRequest, FindRequest};

/// What becomes of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It happens, and the answer arrives.
    Done,
    /// The gateway declines.
    Declined,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// It happens so long after the answer was lost.
    Late(Duration),
    /// It does not happen, and no answer arrives.
    Lost,
    /// Nothing leaves.
    NotSent,
    /// The CRM does not know the caller.
    Stopped,
}

/// An order of the model.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) charges: Vec<Timestamp>,
    pub(super) declines: Vec<Timestamp>,
    pub(super) email: String,
}

impl Order {
    /// A lead whose sale may be declined and tried again.
    fn is_open(&self) -> bool {
        self.charges.is_empty()
    }
}

#[derive(Default)]
struct Books {
    orders: BTreeMap<String, Order>,
    /// Sales that will still happen.
    pending: Vec<(Timestamp, String)>,
    writes: Vec<(String, Vec<(String, String)>)>,
    /// Looks that fail before one works.
    blind: usize,
    fates: Vec<Fate>,
    /// Leads whose answers are lost before one arrives.
    leads_lost: usize,
    /// E-mails of customers.
    customers: BTreeMap<String, String>,
    /// How long the next calls take, in turn; then they take no time.
    takes: Vec<Duration>,
    /// Sales that named an order which was sold by then. The contract does not say what the CRM does; this one makes
    /// a new order and charges it.
    sold_twice: usize,
    /// Looks do not show whose an order is.
    anonymous: bool,
}

/// A writer to the model.
#[derive(Clone)]
pub(super) struct FakeDesk {
    calls: Calls,
    clock: FakeClock,
    books: Arc<Mutex<Books>>,
    turns: Arc<tokio::sync::Semaphore>,
}

impl FakeDesk {
    pub(super) fn new(calls: Calls, clock: FakeClock) -> FakeDesk {
        let turns = Arc::new(tokio::sync::Semaphore::new(tokio::sync::Semaphore::MAX_PERMITS));
        FakeDesk { calls, clock, books: Arc::default(), turns }
    }

    /// Lets only so many writes be in flight; a fresh process calls it again.
    pub(super) fn at_once(&mut self, writes: usize) {
        self.turns = Arc::new(tokio::sync::Semaphore::new(writes));
    }

    /// How long the next turns, looks and writes take, in turn.
    pub(super) fn takes(&self, times: impl IntoIterator<Item = Duration, IntoIter: DoubleEndedIterator>) {
        self.books.lock().unwrap().takes = times.into_iter().rev().collect();
    }

    /// The e-mail of a customer.
    pub(super) fn customer(&self, id: &str, email: &str) {
        self.books.lock().unwrap().customers.insert(id.to_owned(), email.to_owned());
    }

    /// A lead that is there already.
    pub(super) fn lead(&self, id: &str, email: &str) {
        let order = Order { email: email.to_owned(), ..Order::default() };
        self.books.lock().unwrap().orders.insert(id.to_owned(), order);
    }

    /// Sales that named an order which was sold by then.
    pub(super) fn sold_twice(&self) -> usize {
        self.books.lock().unwrap().sold_twice
    }

    /// Looks do not show any more whose an order is.
    pub(super) fn hide_buyers(&self) {
        self.books.lock().unwrap().anonymous = true;
    }

    async fn take_time(&self) {
        let time = self.books.lock().unwrap().takes.pop().unwrap_or_default();
        if !time.is_zero() {
            self.clock.sleep_until(self.clock.now() + SignedDuration::try_from(time).unwrap()).await;
        }
    }

    /// What becomes of the next sales, in turn; then they are done.
    pub(super) fn fates(&self, fates: &[Fate]) {
        self.books.lock().unwrap().fates = fates.iter().rev().copied().collect();
    }

    /// So many leads are made of which the answer is lost.
    pub(super) fn lose_leads(&self, leads: usize) {
        self.books.lock().unwrap().leads_lost = leads;
    }

    /// So many looks fail.
    pub(super) fn blind(&self, looks: usize) {
        self.books.lock().unwrap().blind = looks;
    }

    pub(super) fn orders(&self) -> BTreeMap<String, Order> {
        let mut books = self.books.lock().unwrap();
        books.happen(Timestamp::MAX);
        books.orders.clone()
    }

    /// Paths of the writes that left, in order.
    pub(super) fn writes(&self) -> Vec<String> {
        self.books.lock().unwrap().writes.iter().map(|(path, _)| path.clone()).collect()
    }
}

impl Books {
    /// What was under way happens.
    fn happen(&mut self, now: Timestamp) {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= now);
        self.pending = later;
        for (at, order) in due {
            self.charge(&order, at);
        }
    }

    /// Charges an order, and says which it was.
    fn charge(&mut self, order: &str, at: Timestamp) -> String {
        let known = self.orders.get(order).cloned().unwrap_or_default();
        let order = if known.is_open() {
            order.to_owned()
        } else {
            self.sold_twice += 1;
            self.open(known.email)
        };
        self.orders.entry(order.clone()).or_default().charges.push(at);
        order
    }

    fn open(&mut self, email: String) -> String {
        let id = format!("{:010X}", 0xA000 + self.orders.len());
        self.orders.insert(id.clone(), Order { email, ..Order::default() });
        id
    }

    /// Whom a request is about.
    fn email(&self, request: &CrmRequest) -> String {
        let of_order = request.param("orderId").and_then(|id| self.orders.get(id)).map(|order| &order.email);
        let of_customer = request.param("customerId").and_then(|id| self.customers.get(id));
        let named = request.param("emailAddress").map(str::to_owned);
        named.or_else(|| of_order.or(of_customer).cloned()).unwrap_or_default()
    }

    fn lead(&mut self, request: &CrmRequest) -> String {
        let email = self.email(request);
        // An open partial of the same person is used again.
        let open = self.orders.iter().find(|(_, order)| order.email == email && order.is_open());
        if let Some((id, _)) = open {
            return id.clone();
        }
        self.open(email)
    }

    /// What is to be seen of a sale, and what it means.
    fn look(&self, request: &CrmRequest, before: Option<&str>) -> Sight {
        let email = self.email(request);
        let theirs = self.orders.iter().filter(|(id, order)| match request.param("orderId") {
            Some(named) => *id == named,
            None => order.email == email,
        });
        let (sold, open): (Vec<_>, Vec<_>) = theirs.partition(|(_, order)| !order.is_open());
        let sold: Vec<&str> = sold.into_iter().map(|(id, _)| id.as_str()).collect();
        let declines: usize = open.iter().map(|(_, order)| order.declines.len()).sum();
        let state = json!([sold, declines]).to_string();
        let then: Option<(Vec<String>, usize)> = before.map(|before| serde_json::from_str(before).unwrap());
        let seen = match then {
            None if request.param("orderId").is_some() && !sold.is_empty() => {
                Seen::Refused { reason: "it is sold already".into() }
            }
            None => Seen::NotHappened,
            Some((was_sold, had_declines)) => {
                let mut fresh = sold.iter().filter(|id| !was_sold.iter().any(|was| was == *id));
                match (fresh.next(), fresh.next()) {
                    (Some(order), None) => Seen::Happened { response: answer(order).response },
                    (Some(_), Some(_)) => Seen::Unclear { reason: "two orders were sold".into() },
                    _ if declines > had_declines => Seen::Refused { reason: "Transaction Declined".into() },
                    _ => Seen::NotHappened,
                }
            }
        };
        // Whoever knows the buyer another way must not sell to him meanwhile.
        let serials = crm::serial::of_buyer(&request.connection, Some("12"), Some(&email))
            .into_iter()
            .filter(|_| !self.anonymous)
            .collect();
        Sight { state, seen, serials }
    }
}

fn answer(order: &str) -> CrmReply {
    let response = Bytes::from(json!({ "result": "SUCCESS", "orderId": order }).to_string());
    CrmReply { body: response.clone(), response }
}

fn lost() -> WriteOutcome {
    WriteOutcome::Unknown { reason: "the line was cut".into(), retry_after: None }
}

#[async_trait]
impl CrmWriter for FakeDesk {
    async fn turn(&self) -> Turn {
        let turn = Turn::holding(Arc::clone(&self.turns).acquire_owned().await.unwrap());
        self.take_time().await;
        turn
    }

    async fn write_in_turn(&self, request: &CrmRequest, _turn: Turn) -> WriteOutcome {
        let call = self.calls.enter().await;
        self.take_time().await;
        let now = self.clock.now();
        let outcome = {
            let mut books = self.books.lock().unwrap();
            books.happen(now);
            books.writes.push((request.endpoint.path.to_owned(), request.params.clone()));
            if request.endpoint.path == "leads/import" {
                let order = books.lead(request);
                if books.leads_lost > 0 {
                    books.leads_lost -= 1;
                    lost()
                } else {
                    WriteOutcome::Done(answer(&order))
                }
            } else {
                let order = request.param("orderId").map_or_else(|| books.lead(request), str::to_owned);
                match books.fates.pop().unwrap_or(Fate::Done) {
                    Fate::Done => WriteOutcome::Done(answer(&books.charge(&order, now))),
                    Fate::Declined => {
                        books.orders.entry(order.clone()).or_default().declines.push(now);
                        WriteOutcome::Refused {
                            class: Refusal::Declined,
                            reason: "Transaction Declined: Card Declined".into(),
                            reply: answer(&order),
                        }
                    }
                    Fate::AnswerLost => {
                        books.charge(&order, now);
                        lost()
                    }
                    Fate::Late(after) => {
                        let at = now + SignedDuration::try_from(after).unwrap();
                        books.pending.push((at, order));
                        lost()
                    }
                    Fate::Lost => lost(),
                    Fate::NotSent => WriteOutcome::NotSent {
                        reason: "connection refused".into(),
                        retryable: true,
                        retry_after: None,
                    },
                    Fate::Stopped => WriteOutcome::Stopped(ReadError::Credentials {
                        text: "Could not authenticate".into(),
                    }),
                }
            }
        };
        self.calls.leave(call).await;
        outcome
    }

    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Result<Sight, ReadError> {
        let call = self.calls.enter().await;
        self.take_time().await;
        let sight = {
            let mut books = self.books.lock().unwrap();
            books.happen(self.clock.now());
            if books.blind > 0 {
                books.blind -= 1;
                Err(ReadError::Transport { text: "HTML".into(), retry_after: None })
            } else if request.endpoint.path == "leads/import" {
                Ok(Sight { state: "leads".into(), seen: Seen::NotHappened, serials: Vec::new() })
            } else if request.endpoint.path == "order/confirm" {
                let seen = Seen::Unclear { reason: "the CRM does not show it".into() };
                Ok(Sight { state: String::new(), seen, serials: Vec::new() })
            } else {
                Ok(books.look(request, before))
            }
        };
        // What was seen is old by the time it arrives.
        self.take_time().await;
        self.calls.leave(call).await;
        sight
    }

    async fn find(&self, _request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        Ok(Vec::new())
    }
}
