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
}

/// A writer to the model.
#[derive(Clone)]
pub(super) struct FakeDesk {
    calls: Calls,
    clock: FakeClock,
    books: Arc<Mutex<Books>>,
}

impl FakeDesk {
    pub(super) fn new(calls: Calls, clock: FakeClock) -> FakeDesk {
        FakeDesk { calls, clock, books: Arc::default() }
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
            self.orders.entry(order).or_default().charges.push(at);
        }
    }

    fn lead(&mut self, request: &CrmRequest) -> String {
        let email = request.param("emailAddress").unwrap_or_default().to_owned();
        // An open partial of the same person is used again.
        let open = self.orders.iter().find(|(_, order)| order.email == email && order.charges.is_empty());
        if let Some((id, _)) = open {
            return id.clone();
        }
        let id = format!("{:010X}", 0xA000 + self.orders.len());
        self.orders.insert(id.clone(), Order { email, ..Order::default() });
        id
    }

    fn state(&self, order: &str) -> String {
        let order = self.orders.get(order);
        let (charges, declines) = order.map_or((0, 0), |order| (order.charges.len(), order.declines.len()));
        format!("charges={charges} declines={declines}")
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
        Turn::free()
    }

    async fn write_in_turn(&self, request: &CrmRequest, _turn: Turn) -> WriteOutcome {
        let call = self.calls.enter().await;
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
                    Fate::Done => {
                        books.orders.entry(order.clone()).or_default().charges.push(now);
                        WriteOutcome::Done(answer(&order))
                    }
                    Fate::Declined => {
                        books.orders.entry(order.clone()).or_default().declines.push(now);
                        WriteOutcome::Refused {
                            class: Refusal::Declined,
                            reason: "Transaction Declined: Card Declined".into(),
                            reply: answer(&order),
                        }
                    }
                    Fate::AnswerLost => {
                        books.orders.entry(order).or_default().charges.push(now);
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
        let sight = {
            let mut books = self.books.lock().unwrap();
            books.happen(self.clock.now());
            if books.blind > 0 {
                books.blind -= 1;
                Err(ReadError::Transport { text: "HTML".into(), retry_after: None })
            } else if request.endpoint.path == "leads/import" {
                Ok(Sight { state: "leads".into(), seen: Seen::NotHappened })
            } else {
                let Some(order) = request.param("orderId") else {
                    let reason = "which order it would be is not known".to_owned();
                    return Ok(Sight { state: String::new(), seen: Seen::Unclear { reason } });
                };
                let state = books.state(order);
                let known = books.orders.get(order).cloned().unwrap_or_default();
                let declines = |state: &str| state.rsplit('=').next().unwrap_or_default().to_owned();
                let seen = match before {
                    None if !known.charges.is_empty() => {
                        Seen::Refused { reason: "it is sold already".into() }
                    }
                    Some(_) if !known.charges.is_empty() => {
                        Seen::Happened { response: answer(order).response }
                    }
                    Some(before) if declines(before) != declines(&state) => {
                        Seen::Refused { reason: "Transaction Declined".into() }
                    }
                    None | Some(_) => Seen::NotHappened,
                };
                Ok(Sight { state, seen })
            }
        };
        self.calls.leave(call).await;
        sight
    }

    async fn find(&self, _request: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        Ok(Vec::new())
    }
}
