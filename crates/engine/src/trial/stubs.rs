//! The world of a test: what requests meet, instead of a network.

use crate::delivery::Tap;
use crate::memory::FakeClock;
use crate::ports::{
    Clock, Crm, CrmReply, CrmWriter, Page, PageRequest, ReadError, Refusal, Reply, RunId, Seen, SendOutcome,
    Sender, Sight, Turn, WriteOutcome,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zaprun_core::definition::FaultKind;
use zaprun_core::rehearsal::{self, Answer, Fault, Script, crm_response};
use zaprun_core::request::{CrmRequest, FindRequest, HttpRequest, Request};
use zaprun_core::value::Value;
use zaprun_core::zap::{Scope, Zap};

/// The lead that goes before a sale has this order.
const LEAD: &str = r#"{"result":"SUCCESS","orderId":"LEAD"}"#;

/// Everything outside the engine, as one test has it.
#[derive(Clone)]
pub(super) struct World {
    zap: Arc<Zap>,
    script: Arc<Script>,
    clock: FakeClock,
    seen: Arc<Mutex<Record>>,
}

/// What the world has met.
#[derive(Default)]
struct Record {
    /// By run: the record it came of.
    runs: Vec<(RunId, usize)>,
    asked: Vec<Asked>,
    /// Whose request comes next, by its place in `asked`.
    current: Option<usize>,
    /// What readers of the CRM find: a row of each key.
    rows: Vec<(String, Bytes)>,
}

/// A step, or an element of it, that has asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) run: RunId,
    pub(super) step: String,
    pub(super) element: Option<String>,
    /// What it asks first; later attempts ask the same.
    pub(super) request: Request,
    /// How often.
    pub(super) times: usize,
    /// Whether the test has no reply to it.
    pub(super) unanswered: bool,
    /// The place of the element.
    at: Option<usize>,
    entry: usize,
    /// The last fault, and when the request was sent.
    fault: Option<(Fault, Timestamp)>,
}

impl World {
    pub(super) fn new(zap: &Arc<Zap>, script: &Arc<Script>, clock: FakeClock) -> World {
        World { zap: Arc::clone(zap), script: Arc::clone(script), clock, seen: Arc::default() }
    }

    /// A record has become a run.
    pub(super) fn belongs(&self, run: RunId, entry: usize) {
        self.lock().runs.push((run, entry));
    }

    /// A row is there, from now on.
    pub(super) fn shows(&self, key: &str, row: &[u8]) {
        let mut seen = self.lock();
        seen.rows.retain(|(known, _)| known != key);
        seen.rows.push((key.to_owned(), Bytes::copy_from_slice(row)));
    }

    /// All that has asked, in order.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The test's reply to whoever asks now.
    fn reply(&self) -> Option<Answer> {
        let mut seen = self.lock();
        let current = seen.current?;
        let now = self.clock.now();
        let asked = seen.asked.get_mut(current)?;
        let answer = self.script.answer(asked.entry, &asked.step, asked.at, asked.times).cloned();
        asked.times += 1;
        asked.unanswered |= answer.is_none();
        asked.fault = match &answer {
            Some(Answer::Fault(fault)) => Some((fault.clone(), now)),
            _ => None,
        };
        answer
    }

    /// Whether a write is the lead that goes before the step's own.
    fn is_lead(&self, request: &CrmRequest) -> bool {
        let seen = self.lock();
        let asked = seen.current.and_then(|current| seen.asked.get(current));
        let lead = asked.and_then(|asked| match &asked.request {
            Request::Crm(request) => request.lead.as_ref(),
            Request::Http(_) | Request::Find(_) => None,
        });
        lead.is_some_and(|lead| lead.idempotency_key == request.idempotency_key)
    }

    fn fault(&self) -> Option<(Fault, Timestamp)> {
        let seen = self.lock();
        seen.current.and_then(|current| seen.asked.get(current)?.fault.clone())
    }
}

impl Tap for World {
    fn prepare(&self, scope: &mut Scope) {
        self.script.prepare(&self.zap, scope);
    }

    fn about(&self, run: RunId, step: &str, element: Option<&str>, request: &Request) {
        let mut seen = self.lock();
        let same =
            |asked: &Asked| asked.run == run && asked.step == step && asked.element.as_deref() == element;
        if let Some(known) = seen.asked.iter().position(same) {
            seen.current = Some(known);
            return;
        }
        let before = seen.asked.iter().filter(|asked| asked.run == run && asked.step == step).count();
        let entry = seen.runs.iter().find(|(known, _)| *known == run).map_or(usize::MAX, |(_, entry)| *entry);
        seen.current = Some(seen.asked.len());
        seen.asked.push(Asked {
            run,
            step: step.to_owned(),
            element: element.map(str::to_owned),
            request: request.clone(),
            times: 0,
            unanswered: false,
            at: element.map(|_| before),
            entry,
            fault: None,
        });
    }
}

/// What happened, as an adapter would say it.
fn words(kind: FaultKind) -> String {
    match kind {
        FaultKind::RefusedConnection => "the connection was refused",
        FaultKind::TimeoutAfterSend => "no answer came in time",
        FaultKind::Cut => "the connection was cut before an answer",
        FaultKind::CutAnswer => "the answer was cut",
        FaultKind::TooManyRequests => "HTTP 429",
        FaultKind::ServerError => "HTTP 500",
        FaultKind::BadCredentials => "the caller is not known",
    }
    .to_owned()
}

/// A reply that is none to such a step. Reading the test refuses most of them.
const NONE: &str = "the reply is none to such a step";

#[async_trait]
impl Sender for World {
    async fn turn(&self, _: &HttpRequest) -> Turn {
        Turn::free()
    }

    async fn send_in_turn(&self, _: &HttpRequest, _turn: Turn) -> SendOutcome {
        match self.reply() {
            None => replied(200, Vec::new(), Vec::new(), None),
            Some(Answer::Http { status, headers, body }) => {
                let wait = retry_after(&headers, self.clock.now());
                replied(status, headers, body, wait)
            }
            Some(Answer::Refused(reason)) => SendOutcome::NotSent { reason, retryable: false },
            Some(Answer::Fault(fault)) => failed(&fault),
            Some(Answer::Crm(_) | Answer::Rows(_)) => {
                SendOutcome::NotSent { reason: NONE.to_owned(), retryable: false }
            }
        }
    }
}

fn replied(
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    retry_after: Option<Duration>,
) -> SendOutcome {
    let body = Bytes::from(body);
    SendOutcome::Reply(Reply { status, headers, body, truncated: false, cut: false, retry_after })
}

fn failed(fault: &Fault) -> SendOutcome {
    let reason = words(fault.kind);
    match fault.kind {
        FaultKind::RefusedConnection => SendOutcome::NotSent { reason, retryable: true },
        FaultKind::TimeoutAfterSend | FaultKind::Cut => SendOutcome::Unknown { reason },
        FaultKind::CutAnswer => match replied(fault.status, Vec::new(), Vec::new(), None) {
            SendOutcome::Reply(reply) => SendOutcome::Reply(Reply { cut: true, ..reply }),
            other => other,
        },
        FaultKind::TooManyRequests => replied(429, Vec::new(), Vec::new(), fault.retry_after),
        FaultKind::ServerError => replied(500, Vec::new(), Vec::new(), fault.retry_after),
        FaultKind::BadCredentials => replied(401, Vec::new(), Vec::new(), None),
    }
}

/// What an answer's `Retry-After` asks for: seconds, or a date.
fn retry_after(headers: &[(String, String)], now: Timestamp) -> Option<Duration> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DATES.parse_timestamp(value.trim()).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[async_trait]
impl CrmWriter for World {
    async fn turn(&self) -> Turn {
        Turn::free()
    }

    async fn write_in_turn(&self, request: &CrmRequest, _turn: Turn) -> WriteOutcome {
        if self.is_lead(request) {
            return WriteOutcome::Done(reply(LEAD.as_bytes().to_vec()));
        }
        let spoken = |answer: &zaprun_core::value::Object| match crm_response(answer, request) {
            Ok(response) => WriteOutcome::Done(reply(response)),
            Err(reason) => WriteOutcome::Refused {
                class: refusal(answer.get("result"), answer.get("message"), &reason),
                reply: reply(reason.clone().into_bytes()),
                reason,
            },
        };
        match self.reply() {
            None => spoken(&zaprun_core::value::Object::new(Vec::new(), None)),
            Some(Answer::Crm(answer)) => spoken(&answer),
            Some(Answer::Refused(reason)) => WriteOutcome::Refused {
                class: Refusal::Error,
                reply: reply(reason.clone().into_bytes()),
                reason,
            },
            Some(Answer::Fault(fault)) => {
                let (reason, retry_after) = (words(fault.kind), fault.retry_after);
                match fault.kind {
                    FaultKind::RefusedConnection | FaultKind::TooManyRequests => {
                        WriteOutcome::NotSent { reason, retryable: true, retry_after }
                    }
                    FaultKind::BadCredentials => {
                        WriteOutcome::Stopped(ReadError::Credentials { text: reason })
                    }
                    FaultKind::TimeoutAfterSend
                    | FaultKind::Cut
                    | FaultKind::CutAnswer
                    | FaultKind::ServerError => WriteOutcome::Unknown { reason, retry_after },
                }
            }
            Some(Answer::Http { .. } | Answer::Rows(_)) => {
                WriteOutcome::NotSent { reason: NONE.to_owned(), retryable: false, retry_after: None }
            }
        }
    }

    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Result<Sight, ReadError> {
        let nothing = || Sight { state: "nothing".to_owned(), seen: Seen::NotHappened, serials: Vec::new() };
        let Some((fault, sent)) = self.fault().filter(|_| before.is_some()) else { return Ok(nothing()) };
        let seen = match &fault.seen {
            rehearsal::Seen::NotHappened => return Ok(nothing()),
            rehearsal::Seen::Happened { after, .. }
                if self.clock.now() < crate::delivery::after(sent, *after) =>
            {
                return Ok(nothing());
            }
            rehearsal::Seen::Happened { answer, .. } => match crm_response(answer, request) {
                Ok(response) => Seen::Happened { response: Bytes::from(response) },
                Err(reason) => Seen::Refused { reason },
            },
            rehearsal::Seen::Refused => Seen::Refused { reason: "the CRM turned it down".to_owned() },
            rehearsal::Seen::Unclear => Seen::Unclear { reason: "a look cannot tell".to_owned() },
        };
        Ok(Sight { state: "something".to_owned(), seen, serials: Vec::new() })
    }

    async fn find(&self, _: &FindRequest) -> Result<Vec<Bytes>, ReadError> {
        match self.reply() {
            None => Ok(Vec::new()),
            Some(Answer::Rows(rows)) => Ok(rows.into_iter().map(Bytes::from).collect()),
            Some(Answer::Fault(fault)) if fault.kind == FaultKind::BadCredentials => {
                Err(ReadError::Credentials { text: words(fault.kind) })
            }
            Some(Answer::Fault(fault)) => {
                Err(ReadError::Transport { text: words(fault.kind), retry_after: fault.retry_after })
            }
            // The one refusal of a read that is the asker's own affair.
            Some(Answer::Refused(reason)) => Err(ReadError::Permission { text: reason }),
            Some(Answer::Http { .. } | Answer::Crm(_)) => {
                Err(ReadError::Permission { text: NONE.to_owned() })
            }
        }
    }
}

fn reply(response: Vec<u8>) -> CrmReply {
    let response = Bytes::from(response);
    CrmReply { body: response.clone(), response }
}

/// How the CRM means a refusal, by its own signs.
fn refusal(result: Option<&Value>, message: Option<&Value>, reason: &str) -> Refusal {
    match (result.and_then(Value::as_text), message) {
        (Some("MERC_REDIRECT"), _) => Refusal::Redirect,
        (Some("DECLINED"), _) => Refusal::Declined,
        (_, Some(Value::Object(_))) => Refusal::Validation,
        _ if reason.to_lowercase().contains("declined") => Refusal::Declined,
        _ => Refusal::Error,
    }
}

#[async_trait]
impl Crm for World {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        let seen = self.lock();
        let asked = |key: &str| request.query.params.iter().any(|(_, value)| value == key);
        let rows: Vec<Bytes> =
            seen.rows.iter().filter(|(key, _)| asked(key)).map(|(_, row)| row.clone()).collect();
        Ok(Page { total: rows.len() as u64, rows, server_time: None })
    }
}
