//! A CRM whose replies and changes a test writes.

use super::table::Table;
use crate::memory::Calls;
use crate::ports::{Clock, Crm, Page, PageRequest, ReadError};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A read, as a script sees it.
#[derive(Debug)]
pub struct Call<'a> {
    /// How many reads there have been, this one included.
    pub number: usize,
    /// What is asked.
    pub request: &'a PageRequest,
    /// The account's rows, which the script may change before they are read.
    pub table: &'a mut Table,
}

/// What a script does to a read.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails.
    Fail(ReadError),
    /// It takes so long.
    Slow(Duration),
    /// It gives this page, whatever was asked.
    Page(Page),
}

type Script = Box<dyn FnMut(Call<'_>) -> Option<Fault> + Send>;

/// An account in memory.
#[derive(Clone)]
pub struct FakeCrm {
    clock: super::FakeClock,
    calls: Calls,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    table: Table,
    reads: Vec<PageRequest>,
    script: Option<Script>,
    skew: Option<SignedDuration>,
}

impl FakeCrm {
    /// An empty account whose server's clock agrees with `clock`.
    pub fn new(clock: super::FakeClock, calls: Calls) -> Self {
        let inner = Inner {
            table: Table::default(),
            reads: Vec::new(),
            script: None,
            skew: Some(SignedDuration::ZERO),
        };
        Self { clock, calls, inner: Arc::new(Mutex::new(inner)) }
    }

    /// How far the server's `Date` is ahead of the clock; `None`: the server sends none.
    pub fn set_skew(&self, skew: Option<SignedDuration>) {
        self.inner.lock().unwrap().skew = skew;
    }

    /// Changes the rows.
    pub fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        change(&mut self.inner.lock().unwrap().table)
    }

    /// Is asked before each read.
    pub fn script(&self, script: impl FnMut(Call<'_>) -> Option<Fault> + Send + 'static) {
        self.inner.lock().unwrap().script = Some(Box::new(script));
    }

    /// Ends the script.
    pub fn behave(&self) {
        self.inner.lock().unwrap().script = None;
    }

    /// The reads since the last time this was asked.
    pub fn take_reads(&self) -> Vec<PageRequest> {
        std::mem::take(&mut self.inner.lock().unwrap().reads)
    }

    fn consult(&self, request: &PageRequest) -> Option<Fault> {
        let mut inner = self.inner.lock().unwrap();
        let inner = &mut *inner;
        inner.reads.push(request.clone());
        let number = inner.reads.len();
        inner.script.as_mut().and_then(|script| script(Call { number, request, table: &mut inner.table }))
    }

    /// The server's `Date` header has whole seconds.
    fn server_time(&self) -> Option<Timestamp> {
        let skew = self.inner.lock().unwrap().skew?;
        let there = self.clock.now().saturating_add(skew).unwrap();
        Some(Timestamp::from_second(there.as_second()).unwrap())
    }
}

#[async_trait]
impl Crm for FakeCrm {
    async fn page(&self, request: &PageRequest) -> Result<Page, ReadError> {
        let call = self.calls.enter().await;
        let fault = self.consult(request);
        if let Some(Fault::Slow(time)) = &fault {
            let end = self.clock.now().saturating_add(*time).unwrap();
            self.clock.sleep_until(end).await;
        }
        let result = match fault {
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::Page(page)) => Ok(page),
            Some(Fault::Slow(_)) | None => {
                let (total, rows) = self.inner.lock().unwrap().table.page(request);
                Ok(Page { total, rows, server_time: self.server_time() })
            }
        };
        self.calls.leave(call).await;
        result
    }
}
