//! What the tests of the store share.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unreachable_pub, reason = "each test target uses a part of it")]

use bytes::Bytes;
use jiff::Timestamp;
use std::future::Future;
use uuid::Uuid;
use zaprun_engine::ports::{
    BegunAttempt, BegunWrite, Chosen, Command, CursorMove, EventKey, Fate, NewEvent, PageCommit, Resolution,
    RevisionId, RunId, RunReason, RunState, RunUpdate, StepOutcome, StepRecord, Target, ZapId, ZapIdentity,
    ZapState,
};

/// Waits for one future.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Seconds since 1970.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub fn identity(name: &str) -> ZapIdentity {
    ZapIdentity {
        name: name.to_owned(),
        formerly: None,
        selection: "s1".to_owned(),
        queries: 1,
        strict: false,
        content: "c1".to_owned(),
        source: None,
        git: None,
        first_boundary: at(100),
        now: at(100),
    }
}

pub fn event(id: &str, targets: Vec<Target>) -> NewEvent {
    event_of("new_sale", id, targets)
}

pub fn event_of(kind: &str, id: &str, targets: Vec<Target>) -> NewEvent {
    NewEvent {
        key: EventKey { kind: kind.to_owned(), id: id.to_owned() },
        at: at(200),
        record: Bytes::from(format!("{{\"orderId\":\"{id}\"}}")),
        seen_at: at(300),
        context: None,
        order: None,
        depth: 0,
        targets,
    }
}

pub fn target(zap: &ZapState, fate: Fate) -> Target {
    target_of(zap.id, zap.revision, fate)
}

pub fn target_of(zap: ZapId, revision: RevisionId, fate: Fate) -> Target {
    Target { zap, revision, key_base: Uuid::from_u128(7), fate, once: None, own: true }
}

pub fn page(events: Vec<NewEvent>) -> PageCommit {
    PageCommit { events, cursors: Vec::new() }
}

pub fn cursor(zap: ZapId, query: &str, seconds: i64) -> CursorMove {
    CursorMove { zap, query: query.to_owned(), at: at(seconds) }
}

pub fn update(run: RunId, state: RunState) -> RunUpdate {
    RunUpdate {
        run,
        steps: Vec::new(),
        failed: Vec::new(),
        touched: Vec::new(),
        begun: None,
        failing: None,
        fresh: None,
        state,
        reason: RunReason { word: "test".to_owned(), detail: String::new() },
        due_at: at(300),
        attempts: 0,
        retrying_since: None,
        at: at(400),
    }
}

pub fn step(id: &str) -> StepRecord {
    StepRecord {
        step: id.to_owned(),
        element: None,
        outcome: StepOutcome::Done,
        status: Some(200),
        attempts: 1,
        at: at(400),
        reply: Some(Bytes::from_static(b"ok")),
        response: Some(Bytes::from_static(b"{\"status\":200}")),
        why: None,
    }
}

/// An attempt to write to the CRM, of a serial.
pub fn write_of(step: &str, serial: Option<&str>) -> BegunAttempt {
    let params = [("emailAddress", "ada@example.test"), ("note", "a \"quoted\"\nline")];
    BegunAttempt {
        step: step.to_owned(),
        element: None,
        at: at(350),
        write: Some(BegunWrite {
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            before: Some("no order".to_owned()),
            serials: serial.map(str::to_owned).into_iter().collect(),
            looked: None,
        }),
    }
}

/// What a person says of a held run.
pub fn resolve(run: RunId, outcome: Resolution) -> Command {
    Command::Resolve { runs: vec![Chosen::any(run)], outcome }
}
